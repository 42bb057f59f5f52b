"""``arbtui sandbox`` from a shell: what it prints and writes, how it ends, and what it refuses."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import warm_start
from tests.cli.command import Here
from tests.sandbox.boxes import BinanceCaller

DEADLINE_S = 150


class Served:
    """A sandbox in a process of its own, which has printed its last line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        self.said: list[str] = []
        for line in process.stdout:
            self.said.append(line)
            if line.startswith("End it"):
                return
        raise AssertionError(f"ended: {self.said} {process.stderr.read() if process.stderr else ''}")

    @property
    def control(self) -> str:
        found = re.search(r"control\s+(http://\S+)", "".join(self.said))
        assert found
        return found[1]

    @property
    def health(self) -> Any:
        return ask(self.control + "/health")


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    pipe = subprocess.PIPE
    process = warm_start.popen("arbtui", "sandbox", *arguments, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)
    with process:
        try:
            yield Served(process)
        finally:
            if process.poll() is None:
                process.kill()


def ask(url: str) -> object:
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
        return json.load(answer)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_says_where_and_how_and_ends_on_a_signal(home: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    target = tmp_path / "box.toml"
    with served(
        "--port", "0", "--symbols", "2", "--profile", "upbit-binance", "--write", str(target), "--state-dir", str(tmp_path / "state")
    ) as box:
        told = "".join(box.said)
        assert "export ARBTUI_UPBIT_KEY=sandbox-upbit ARBTUI_UPBIT_SECRET=sandbox-upbit-secret" in told
        assert f"Next: arbtui --profile {target} --mode live --confirm box" in told
        assert ask(box.control + "/ledger") == []
        assert box.health["urls"]["upbit"]["rest"] in target.read_text()
        box.process.send_signal(number)
        assert box.process.wait(DEADLINE_S) == code
        assert box.process.stderr is not None
        assert box.process.stderr.read() == ""
    assert (tmp_path / "state" / "venue.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state" / "market.json").exists()


def test_a_taken_port(arbtui: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = arbtui("sandbox", "--port", str(port), "--symbols", "2")
    assert answer.code == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "80"), "--port 80"),
        (("--port", "65534"), "one for each venue follows"),
        (("--symbols", "0"), "--symbols 0"),
        (("--symbols", "NOPE1"), "NOPE1 is not among"),
        (("--write", "x.toml"), "--write FILE needs --profile"),
        (("--profile", "binance-spot-perp"), "not binanceusdm"),
        (("--profile", "upbit-binance", "--write", "x.txt"), "ends in .toml"),
        (("--profile", "nope"), "no profile is named nope"),
    ],
)
def test_wrong_flags(arbtui: Here, arguments: tuple[str, ...], said: str) -> None:
    answer = arbtui("sandbox", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_profile_that_trades_elsewhere_is_not_overwritten(arbtui: Here, tmp_path: Path) -> None:
    real = Path(json.loads(arbtui("init", "mine", "--json").out)["path"])
    before = real.read_text()
    for profile in ("mine", "upbit-binance"):
        answer = arbtui("sandbox", "--profile", profile, "--write", str(real))
        assert answer.code == 2
        assert "is not overwritten" in answer.err
    assert real.read_text() == before


def test_a_folder_that_cannot_be_written(arbtui: Here, tmp_path: Path) -> None:
    answer = arbtui("sandbox", "--port", "0", "--symbols", "2", "--profile", "upbit-binance", "--write", str(tmp_path / "no" / "x.toml"))
    assert answer.code == 2
    assert "it cannot be written" in answer.err


def test_two_sandboxes_do_not_share_a_folder(home: Path, arbtui: Here, tmp_path: Path) -> None:
    with served("--port", "0", "--symbols", "2", "--state-dir", str(tmp_path / "state")):
        answer = arbtui("sandbox", "--port", "0", "--symbols", "2", "--state-dir", str(tmp_path / "state"))
    assert answer.code == 4
    assert "another sandbox runs on it" in answer.err


def test_what_was_answered_survives_a_kill(home: Path, tmp_path: Path) -> None:
    told: set[tuple[str, str]] = set()

    async def trade(urls: dict[str, dict[str, str]], kill: Callable[[], None]) -> None:
        async with aiohttp.ClientSession() as session:
            caller = BinanceCaller(session, urls["binance"])

            async def one(number: int) -> None:
                try:
                    placed = (await caller.buy("10", "4", newClientOrderId=f"o{number}")).body
                except (aiohttp.ClientError, ConnectionError):
                    return  # not answered
                told.update(("binance", f"XRPUSDT:{fill['tradeId']}") for fill in placed["fills"])
                if number == 20:
                    kill()

            await asyncio.gather(*(one(number) for number in range(40)))

    arguments = ("--port", "0", "--symbols", "3", "--state-dir", str(tmp_path))
    with served(*arguments) as box:
        asyncio.run(trade(box.health["urls"], box.process.kill))
        assert box.process.wait(DEADLINE_S) == -signal.SIGKILL
    with served(*arguments) as box:
        ledger = ask(box.control + "/ledger")
        assert isinstance(ledger, list)
        assert told <= {(exchange, trade_id) for exchange, trade_id in ledger}
        assert len(told) > 5
