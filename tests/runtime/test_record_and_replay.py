"""A paper run against the sandbox that records what its engine is fed, and the replay of that: the same books, the same opportunities."""

import asyncio
import json
import resource
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.batch_times import TURN_NS, BatchTimes
from arbtui.marketdata.formats.own import RecordingWriter
from arbtui.marketdata.recording import open_recordings
from arbtui.model.clock import SystemClock
from arbtui.runtime.session_recorder import SessionRecorder
from arbtui.sandbox.sandbox import Sandbox
from tests.lifecycle.waiting import DEADLINE_S
from tests.runtime.test_record import arbtui, ended
from tests.sandbox.boxes import box

SYMBOLS = ("XRP", "SOL", "DOGE")
#: Nothing but frames may change a book here, however slow the machine: no silence, no probe, no venue that counts as late.
PATIENT = """
[marketdata]
stream_silence_ms = 600000
probe_after_ms = 600000
ping_after_s = 60.0
[rates]
max_age_ms = 600000
[health]
silence_ms = 600000
slow_answer_ms = 60000
"""


def profile(running: Sandbox, folder: Path, *, trades: bool) -> str:
    tables = []
    for exchange, urls in running.urls.items():
        tables.append(f"[exchanges.{exchange}.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in urls.items()))
    path = folder / "box.toml"
    universe = f'[universe]\nsymbols = ["XRP", "SOL", "DOGE"]\n[execution]\nenabled = {str(trades).lower()}\n'
    path.write_text("\n".join(tables) + universe + PATIENT)
    return str(path)


async def recorded(folder: Path, *, trades: bool) -> tuple[str, Path, dict[str, Any]]:
    """The profile, the recording and the summary of a paper run that is ended once it holds enough, however long that takes."""
    async with box(SYMBOLS) as running:
        path, file, told = profile(running, folder, trades=trades), folder / "a.gz", folder / "a.json"
        place = ("--profile", path, "--mode", "paper", "--state-dir", str(folder / "state"))
        process = await arbtui(*place, "--headless", "--record", str(file), "--json", str(told))
        try:
            async with asyncio.timeout(DEADLINE_S):
                while process.poll() is None and not (holds_enough(file) and (has_traded(folder) or not trades)):  # noqa: ASYNC110
                    await asyncio.sleep(0.5)  # it is written once a second
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            code, _, err = await ended(process)
        finally:
            if process.poll() is None:
                process.kill()
    assert code == 128 + signal.SIGTERM, err
    return path, file, json.loads(told.read_text())


def has_traded(folder: Path) -> bool:
    """Whether an order has been intended: nothing is before every stream's usual delay is known."""
    for journal in (folder / "state").glob("*/paper/journal.db"):
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            return bool(db.execute("SELECT count(*) FROM order_").fetchone()[0])
    return False


def holds_enough(file: Path) -> bool:
    """Every market's book has begun, and a hundred batches have moved them since. The file grows meanwhile, whole lines at a time."""
    if not file.exists() or file.stat().st_size < 2000:
        return False
    batches = [batch for _, batch in batches_of(file)]
    begun = {frame.snapshot_of: place for place, batch in enumerate(batches) for frame in batch if frame.snapshot_of}
    return len(begun) == len(SYMBOLS) and len(batches) > max(begun.values()) + 100


async def replayed(profile: str, file: Path) -> dict[str, Any]:
    code, out, err = await ended(await arbtui("replay", str(file), "--profile", profile, "--speed", "max", "--json", "-"))
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def batches_of(file: Path) -> Iterator[tuple[int, list[Frame]]]:
    batch: list[Frame] = []
    at = 0
    for ts_ns, frame in open_recordings([file]):
        if batch and ts_ns != at:
            yield at, batch
            batch = []
        at = ts_ns
        batch.append(frame)
    yield at, batch


def test_a_replay_finds_the_books_and_the_opportunities_of_the_run(home: Path, tmp_path: Path) -> None:
    async def main() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        path, file, run = await recorded(tmp_path, trades=False)
        again = await replayed(path, file)
        batches = list(batches_of(file))
        frames = [frame for _, batch in batches for frame in batch]
        assert (len(batches), len(frames)) == (run["fingerprint"]["batches"], run["recording"]["frames"])
        assert {frame.snapshot_of for frame in frames} == {"", "XRPUSDT", "SOLUSDT", "DOGEUSDT"}

        # The comparison can fail: the same recording with other quantities in its best prices. One alone may be overtaken by the
        # ladder within its batch, and on a busy machine the batches are long.
        with RecordingWriter(tmp_path / "b.gz", ["upbit", "binance"]) as writer:
            for ts_ns, batch in batches:
                for frame in batch:
                    changed = frame.raw.replace(b'"B":"', b'"B":"9') if b"bookTicker" in frame.raw else frame.raw
                    writer.write(ts_ns, frame._replace(raw=changed))
        return run, again, await replayed(path, tmp_path / "b.gz")

    run, again, other = asyncio.run(main())
    print_of_run = run["fingerprint"]
    assert print_of_run["beside"] == 0
    assert print_of_run["batches"] > 50
    assert print_of_run["decisions"] > 0
    assert again["fingerprint"] == print_of_run
    assert again["messages"]["read"] == run["recording"]["frames"] == run["updates"]
    assert (again["evaluations"], again["opportunities"], again["gaps"]) == (run["evaluations"], run["opportunities"], 0)
    assert other["fingerprint"]["batches"] == print_of_run["batches"]
    assert other["fingerprint"]["books_sha256"] != print_of_run["books_sha256"]


def test_the_books_of_a_run_that_trades_are_the_same_too(home: Path, tmp_path: Path) -> None:
    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        path, file, run = await recorded(tmp_path, trades=True)
        return run, await replayed(path, file)

    run, again = asyncio.run(main())
    assert run["orders"] > 0
    assert again["fingerprint"]["books_sha256"] == run["fingerprint"]["books_sha256"]
    assert again["fingerprint"]["batches"] == run["fingerprint"]["batches"]


def test_times_keep_batches_apart_and_tell_turns(tmp_path: Path) -> None:
    class Stepping(SystemClock):
        """A wall clock that was put back an hour when it was read again, and a monotonic one that stands."""

        wall = 2_000_000_000_000

        def time_ms(self) -> int:
            self.wall -= 3_600_000
            return self.wall

        monotonic = staticmethod(lambda: 5.0)

    async def main() -> list[int]:
        times = BatchTimes(Stepping())
        told = [times.next(), times.next(), times.next()]
        await asyncio.sleep(0)
        told += [times.next(), times.next()]
        await asyncio.sleep(0)
        return [*told, times.next()]

    told = asyncio.run(main())
    assert [later - earlier for earlier, later in pairwise(told)] == [1, 1, TURN_NS, 1, TURN_NS]


def test_a_disk_that_fails_ends_the_recording_and_not_the_run(tmp_path: Path) -> None:
    got: list[bytes] = []

    def deliver(frames: Sequence[Frame]) -> None:
        got.extend(frame.raw for frame in frames)

    async def main() -> SessionRecorder:
        tap = SessionRecorder(tmp_path / "a.gz", ["upbit"], SystemClock())
        deliver_too = tap.around(deliver)
        deliver_too([Frame("upbit", b"first")])
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            deliver_too([Frame("upbit", b"x" * 300_000)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        deliver_too([Frame("upbit", b"last")])
        tap.close()
        return tap

    tap = asyncio.run(main())
    assert [len(raw) for raw in got] == [5, 300_000, 4]
    assert tap.failure is not None
    assert "the file holds its first 0 frames" in str(tap.failure)
    assert list(open_recordings([tmp_path / "a.gz"])) == []


@pytest.mark.parametrize(
    ("file", "said"), [("taken.gz", "exists already, and a recording is never overwritten"), ("no/such.gz", "there is no such folder")]
)
def test_a_file_that_cannot_be_made_is_told_at_once(home: Path, tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / "taken.gz").write_text("precious")

    async def main() -> tuple[int, str, str]:
        return await ended(await arbtui("--profile", "upbit-binance", "--headless", "--record", str(tmp_path / file)))

    code, out, err = asyncio.run(main())
    assert (code, out) == (2, "")
    assert said in err
    assert (tmp_path / "taken.gz").read_text() == "precious"
