"""`arbtui record` against local venues: what it writes replays, whatever ends it."""

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from arbtui.marketdata.formats.seals import RecordingNotes, Why
from arbtui.marketdata.recording import open_recordings
from tests import warm_start
from tests.lifecycle.waiting import DEADLINE_S, until
from tests.marketdata.venue_server import VenueServer

WON, DOLLAR = ["KRW-USDT", "KRW-BTC", "KRW-ETH"], ["BTCUSDT", "ETHUSDT"]


@contextlib.asynccontextmanager
async def venues() -> AsyncIterator[VenueServer]:
    """Both venues, moving."""
    async with VenueServer(WON, DOLLAR) as server:

        async def move() -> None:
            while True:
                for exchange, listed in server.markets.items():
                    for code in listed:
                        await server.move(exchange, code)
                        await server.trade(exchange, code)
                await asyncio.sleep(0.02)

        moving = asyncio.create_task(move())
        yield server
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)


def profile(server: VenueServer, folder: Path) -> Path:
    path = folder / "local.toml"
    tables = []
    for exchange in ("upbit", "binance"):
        urls = server.urls(exchange)
        tables.append(f'[exchanges.{exchange}.urls]\nrest = "{urls.rest}"\nstream = "{urls.stream}"\nprivate = "{urls.private}"\n')
    path.write_text("\n".join(tables) + '[universe]\nsymbols = ["BTC", "ETH"]\n[marketdata]\nreconnect_max_s = 0.5\n')
    return path


async def arbtui(*arguments: str, before: str = "") -> "subprocess.Popen[str]":
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    if not before:
        return await asyncio.to_thread(warm_start.popen, "arbtui", *arguments, **streams)
    command = f"{before} exec {shlex.join([sys.executable, '-m', 'arbtui', *arguments])}"
    return await asyncio.to_thread(lambda: subprocess.Popen(["bash", "-c", command], **streams))


async def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = await asyncio.to_thread(process.communicate, timeout=DEADLINE_S)
    assert "Traceback" not in err, err
    return process.returncode, out, err


async def grown(file: Path) -> None:
    """Wait until the recording holds something."""
    await asyncio.to_thread(until, lambda: file.exists() and file.stat().st_size > 2000, f"{file} grows")


def frames_of(path: Path) -> list[str]:
    """The exchanges of all frames; raises when the file is not whole."""
    return [frame.exchange for _, frame in open_recordings([path])]


def test_a_recording_replays(home: Path, tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, Any], dict[str, Any]]:
        async with venues() as server:
            path, file = str(profile(server, tmp_path)), str(tmp_path / "a.gz")
            code, out, err = await ended(await arbtui("record", "--profile", path, "--duration", "3", "-o", file, "--json", "-"))
            assert (code, err) == (0, "")
        code, replayed, err = await ended(await arbtui("replay", file, "--profile", path, "--speed", "max", "--json", "-"))
        assert code == 0, err
        return json.loads(out), json.loads(replayed)

    recorded, replayed = asyncio.run(run())
    assert recorded["stop_reason"] == "max_runtime"
    for exchange, markets in (("upbit", 3), ("binance", 2)):
        told = recorded["exchanges"][exchange]
        assert (told["markets"], told["books_live"]) == (markets, markets)
        assert (told["gaps"], told["malformed"], told["failures"]) == (0, {}, {})
    assert recorded["exchanges"]["binance"]["snapshots"] == 2
    assert replayed["messages"]["read"] == recorded["frames"] == len(frames_of(tmp_path / "a.gz"))
    assert replayed["messages"]["decoded"] > 100
    assert replayed["gaps"] == 0
    assert replayed["top_check"]["places"] > 10
    assert replayed["top_check"]["equal"] == replayed["top_check"]["places"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_whole_file(home: Path, tmp_path: Path, number: signal.Signals) -> None:
    async def run() -> tuple[int, str, str]:
        async with venues() as server:
            file = tmp_path / "a.gz"
            process = await arbtui("record", "--profile", str(profile(server, tmp_path)), "--duration", "600", "-o", str(file))
            await grown(file)
            process.send_signal(number)
            return await ended(process)

    code, out, err = asyncio.run(run())
    assert (code, out) == (128 + number, "")
    assert "frames in" in err
    assert set(frames_of(tmp_path / "a.gz")) == {"upbit", "binance"}


def test_a_full_disk_leaves_a_whole_file(home: Path, tmp_path: Path) -> None:
    async def run() -> tuple[int, str, str]:
        async with venues() as server:
            path, file = str(profile(server, tmp_path)), str(tmp_path / "a.gz")
            return await ended(await arbtui("record", "--profile", path, "--duration", "600", "-o", file, before="ulimit -f 12;"))

    code, _, err = asyncio.run(run())
    assert code == 1
    assert "a.gz: File too large; the file holds its first" in err
    assert len(frames_of(tmp_path / "a.gz")) > 10
    assert (tmp_path / "a.gz").stat().st_size <= 12 * 1024


def test_a_killed_recorder_loses_a_second_at_most(home: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with venues() as server:
            file = tmp_path / "a.gz"
            process = await arbtui("record", "--profile", str(profile(server, tmp_path)), "--duration", "600", "-o", str(file))
            await grown(file)
            process.kill()
            await asyncio.to_thread(process.communicate)

    asyncio.run(run())
    assert len(frames_of(tmp_path / "a.gz")) > 10


def test_a_recording_that_was_cut_off_is_gone_on_with_and_the_replay_tells_what_is_missing(home: Path, tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, Any], int, str, str]:
        async with venues() as server:
            path, file = str(profile(server, tmp_path)), tmp_path / "a.gz"
            process = await arbtui("record", "--profile", path, "--duration", "600", "-o", str(file))
            await grown(file)
            process.kill()
            await asyncio.to_thread(process.communicate)
            kept = len(frames_of(file))
            code, out, err = await ended(await arbtui("record", "--profile", path, "--duration", "3", "-o", str(file)))
            assert (code, out) == (2, "")
            assert "or go on with it (--append)" in err
            more = ("--duration", "3", "-o", str(file), "--append", "--json", "-")
            code, out, err = await ended(await arbtui("record", "--profile", path, *more))
            assert (code, err) == (0, "")
            told = json.loads(out)
            assert told["frames"] > kept
            assert told["gap_receipts"] >= 2
        code, out, err = await ended(await arbtui("replay", str(file), "--profile", path, "--speed", "max", "--json", "-"))
        return told, code, out, err

    told, code, out, err = asyncio.run(run())
    assert code == 0, err
    recorded = json.loads(out)["recorded"]
    assert (recorded["sealed_frames"], recorded["unsealed_frames"]) == (told["frames"], 0)
    assert {(gap["exchange"], gap["why"]) for gap in recorded["gaps"]} == {("upbit", "restart"), ("binance", "restart")}
    assert "not recorded of upbit: everything in" in err


def test_a_connection_that_was_lost_leaves_a_receipt(home: Path, tmp_path: Path) -> None:
    async def run() -> tuple[int, str, str]:
        async with venues() as server:
            file = tmp_path / "a.gz"
            process = await arbtui("record", "--profile", str(profile(server, tmp_path)), "--duration", "600", "-o", str(file))
            await grown(file)
            server.cut("upbit")
            size = file.stat().st_size
            await asyncio.to_thread(
                until, lambda: file.stat().st_size > 3 * size and bool(server.live("upbit")), "it is back, and recorded"
            )
            process.send_signal(signal.SIGTERM)
            return await ended(process)

    code, _, err = asyncio.run(run())
    assert code == 128 + signal.SIGTERM, err
    notes = RecordingNotes()
    assert len(list(open_recordings([tmp_path / "a.gz"], None, notes))) == notes.sealed
    assert {(gap.exchange, gap.why) for gap in notes.gaps} == {("upbit", Why.RECONNECT)}
    assert sorted(code for gap in notes.gaps for code in gap.codes) == sorted(WON)  # a receipt for each of its connections
    assert all(gap.to_ns > gap.from_ns for gap in notes.gaps)


def test_a_venue_that_is_not_there_is_said_and_fails(home: Path, tmp_path: Path) -> None:
    async def run() -> tuple[int, str, str]:
        async with venues() as server:
            path = profile(server, tmp_path)
        return await ended(await arbtui("record", "--profile", str(path), "--duration", "1", "-o", str(tmp_path / "a.gz")))

    code, _, err = asyncio.run(run())
    assert code == 1
    assert "nothing of upbit was recorded: upbit at 127.0.0.1:" in err
    assert "cannot be reached" in err
    assert frames_of(tmp_path / "a.gz") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--duration", "5"], "where to? -o FILE"),
        (["-o", "x.gz"], "how long? --duration S"),
        (["-o", "x.gz", "--duration", "0"], "expected seconds from 0.1"),
        (["-o", "x.gz", "--duration", "nan"], "expected seconds from 0.1"),
        (["-o", "taken.gz", "--duration", "1"], "exists already, and a recording is never overwritten"),
        (["-o", "no/such/folder.gz", "--duration", "1"], "cannot be written (No such file or directory)"),
    ],
)
def test_bad_input_is_told(home: Path, tmp_path: Path, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.gz").write_text("precious")
    code, out, err = asyncio.run(_told(arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert Path("taken.gz").read_text() == "precious"
    assert sorted(os.listdir()) == ["home", "taken.gz"]


def test_a_symbol_that_is_not_known_is_laid_at_the_profiles_line(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[exchanges.upbit]\n[exchanges.binance]\n[universe]\nsymbols = ["NOPE"]\n')
    code, _, err = asyncio.run(_ended_record(path, tmp_path / "x.gz"))
    assert code == 2
    assert f"{path}:4: universe.symbols: NOPE is not among" in err


async def _ended_record(path: Path, file: Path) -> tuple[int, str, str]:
    return await ended(await arbtui("record", "--profile", str(path), "--duration", "1", "-o", str(file)))


async def _told(arguments: list[str]) -> tuple[int, str, str]:
    return await ended(await arbtui("record", "--profile", "upbit-binance", *arguments))
