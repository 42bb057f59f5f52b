"""Venues that are not there, are something else, or refuse: one sentence and an exit code, never a traceback."""

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from arbtui.sandbox.keys import DEFAULT_KEYS
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from tests.faults.desk import until
from tests.lifecycle.profiles import changed_profile
from tests.runtime.test_record import arbtui, ended
from tests.sandbox.boxes import box

KEYS = {
    "ARBTUI_UPBIT_KEY": "sandbox-upbit",
    "ARBTUI_UPBIT_SECRET": "sandbox-upbit-secret",
    "ARBTUI_BINANCE_KEY": "sandbox-binance",
    "ARBTUI_BINANCE_SECRET": "sandbox-binance-secret",
}


def profile(folder: Path, name: str, rest: str, stream: str) -> str:
    """The shipped profile with every URL of both venues turned to one place."""
    path = changed_profile(folder, name, ("symbols = 20", 'symbols = ["XRP", "SOL"]'))
    lines = []
    for line in path.read_text().splitlines():
        key = line.partition(" =")[0]
        lines.append(
            {"rest": f'rest = "{rest}"', "stream": f'stream = "{stream}/stream"', "private": f'private = "{stream}/p"'}.get(key, line)
        )
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def of_box(folder: Path, running: Sandbox) -> str:
    """A profile whose URLs lead to a sandbox."""
    path = folder / "box.toml"
    tables = [
        f"[exchanges.{exchange}.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in urls.items())
        for exchange, urls in running.urls.items()
    ]
    path.write_text("\n".join(tables) + '[universe]\nsymbols = ["XRP", "SOL"]\n')
    return str(path)


async def told(*arguments: str) -> tuple[int, str]:
    """Exit code and what was said, but for where it connected to."""
    code, out, err = await ended(await arbtui(*arguments, "--headless", "--max-runtime", "5"))
    assert out == ""
    return code, "\n".join(line for line in err.splitlines() if "connecting to" not in line)


async def _page(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="<html><body>Welcome to the hotel's network</body></html>", content_type="text/html")


@contextlib.asynccontextmanager
async def page(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Something that answers everything with a web page."""
    runner = web.ServerRunner(web.Server(_page))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def self_signed(folder: Path) -> ssl.SSLContext:
    made, key = folder / "c.pem", folder / "k.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *more], check=True, capture_output=True, timeout=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return context


def test_paper_where_no_venue_is(home: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with page() as port:
            pass  # a port that was free a moment ago, and is closed
        cases = [
            (profile(tmp_path, "closed", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"), "cannot be reached (Connect call failed"),
            (profile(tmp_path, "nowhere", "https://no-such-host.invalid", "wss://no-such-host.invalid"), "the name is not known"),
        ]
        async with page() as port:
            path = profile(tmp_path, "hotel", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
            cases.append((path, "a web page where the venue's answer should be"))
            for path, words in cases:
                code, said = await told("--profile", path, "--mode", "paper")
                assert (code, len(said.splitlines())) == (2, 1), said
                assert words in said

    asyncio.run(main())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_paper_behind_somebody_elses_certificate(home: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with page(self_signed(tmp_path)) as port:
            for scheme, words in (("s", "its certificate is not trusted"), ("", "check port and scheme in [exchanges.upbit.urls]")):
                path = profile(tmp_path, f"tls{scheme}", f"http{scheme}://127.0.0.1:{port}", f"ws{scheme}://127.0.0.1:{port}")
                code, said = await told("--profile", path, "--mode", "paper")
                assert (code, len(said.splitlines())) == (2, 1), said
                assert words in said

    asyncio.run(main())


def test_live_with_keys_that_will_not_do(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with box(("XRP", "SOL")) as running:
            live = ("--profile", of_box(tmp_path, running), "--mode", "live", "--confirm")
            assert await told(*live, "bix") == (2, "arbtui: --confirm bix: that is not this profile's name; real orders need --confirm box")
            code, said = await told(*live, "box")
            assert code == 2
            assert "no API keys of upbit: set ARBTUI_UPBIT_KEY and ARBTUI_UPBIT_SECRET" in said
            for name, value in KEYS.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("ARBTUI_BINANCE_SECRET", "not-the-secret-of-anybody")
            code, said = await told(*live, "box")
            assert (code, len(said.splitlines())) == (5, 1), said
            assert "binance" in said
            assert "not-the-secret" not in said
            monkeypatch.setenv("ARBTUI_BINANCE_SECRET", KEYS["ARBTUI_BINANCE_SECRET"])
            assert list(running.trades()) == [], "no order was ever sent"
        mighty = {**DEFAULT_KEYS, "binance": replace(DEFAULT_KEYS["binance"], can_withdraw=True)}
        async with box(("XRP", "SOL"), keys=mighty) as running:
            code, said = await told("--profile", of_box(tmp_path, running), "--mode", "live", "--confirm", "box")
            assert code == 5
            assert "binance: this key may withdraw; make one that can only read and trade, then delete this one" in said
            assert list(running.trades()) == [], "no order was ever sent"

    asyncio.run(main())


def test_live_goes_on_when_its_venues_stop_and_come_back(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    async def get(running: Sandbox, path: str) -> object:
        async with aiohttp.ClientSession() as session, session.get(running.control_url + path) as answer:
            return await answer.json()

    async def main() -> None:
        place = tmp_path / "venues"
        port = three_free_ports()
        async with sandbox(SandboxOptions(port=port, symbols=("XRP", "SOL"), state_dir=place)) as running:
            path = of_box(tmp_path, running)
            state = ("--state-dir", str(tmp_path / "state"))
            live = ("--profile", path, "--mode", "live", "--confirm", "box", "--headless", *state, "--json", str(tmp_path / "end.json"))
            process = await arbtui(*live)
            await until(lambda: len(list(running.trades())) >= 4, "it trades")
        log = tmp_path / "state" / "box" / "arbtui.log"
        await until(lambda: all(f"VENUE_DOWN {name}" in log.read_text() for name in ("upbit", "binance")), "both are missed")
        assert process.returncode is None, "it goes on"
        async with sandbox(SandboxOptions(port=port, symbols=("XRP", "SOL"), state_dir=place)) as running:
            before = len(list(running.trades()))
            await until(lambda: len(list(running.trades())) >= before + 4, "it trades again")
            process.terminate()
            code, _, err = await ended(process)
            assert code == 143, err
            trades = {tuple(row) for row in await get(running, "/ledger")}  # type: ignore[attr-defined]
        code, out, err = await ended(await arbtui("ledger", "--profile", path, "--json", *state))
        assert code == 0, err
        assert {(row["exchange"], row["trade_id"]) for row in json.loads(out)["fills"]} == trades

    asyncio.run(main())


def three_free_ports() -> int:
    """The first of three ports in a row that nobody uses now."""
    for port in range(21_000, 30_000, 7):
        try:
            for offset in range(3):
                with socket.socket() as one:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    one.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    raise AssertionError("no three free ports")
