"""A sandbox in a process of its own, and the profile that leads to it."""

import json
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.portfolio.ledger import read_ledger
from arbtui.sandbox.doors import door_of
from arbtui.sandbox.keys import Key, play_key
from arbtui.settings.locations import shipped_profiles
from tests import warm_start
from tests.lifecycle.waiting import DEADLINE_S, until
from tests.portfolio.auditing import AUDIT


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """A running sandbox, its profile ``desk.toml``, and the state folder of the engine that trades there."""

    profile: Path
    root: Path
    control: str

    @property
    def journal(self) -> Path:
        return self.root / "desk" / "live" / "journal.db"

    def arguments(self, *more: str) -> tuple[str, ...]:
        return ("--profile", str(self.profile), "--mode", "live", "--confirm", "desk", "--state-dir", str(self.root), *more)

    def told(self, path: str) -> Any:
        """What the control port answers."""
        with urllib.request.urlopen(f"{self.control}{path}", timeout=DEADLINE_S) as answer:
            return json.loads(answer.read())

    def script(self, **fault: object) -> None:
        """Script a fault at the sandbox (docs/sandbox.md)."""
        self._post("/faults", fault)

    def clear(self) -> None:
        """Take all faults away."""
        self._send("/faults", "DELETE")

    def deposit(self, **transfer: str) -> None:
        """Pay something in from outside."""
        self._post("/deposits", transfer)

    def _post(self, path: str, body: object) -> None:
        self._send(path, "POST", json.dumps(body).encode())

    def _send(self, path: str, method: str, data: bytes | None = None) -> None:
        request = urllib.request.Request(f"{self.control}{path}", data=data, method=method)
        urllib.request.urlopen(request, timeout=DEADLINE_S).close()

    def ledger(self) -> dict[str, Any]:
        """The journal's ledger."""
        return read_ledger(self.journal)

    def assert_agrees(self, tmp_path: Path) -> None:
        """Journal and sandbox hold the same fills and the same balances, to the last digit; an outsider finds no fault."""
        ledger, venue, balances = self.ledger(), self.told("/ledger"), self.told("/balances")
        ours = {(fill["exchange"], fill["trade_id"]) for fill in ledger["fills"]}
        assert ours == {(exchange, trade_id) for exchange, trade_id in venue}
        assert len(ours) == len(ledger["fills"])
        for exchange, assets in ledger["balances"].items():
            for asset, held in assets.items():
                theirs = balances[exchange].get(asset, {"free": "0", "locked": "0"})
                assert _total(held) == _total(theirs), (exchange, asset)
        if AUDIT.exists():
            (tmp_path / "venue.json").write_text(json.dumps(venue))
            command = [sys.executable, str(AUDIT), "--venue", str(tmp_path / "venue.json")]
            audit = subprocess.run(command, input=json.dumps(ledger), capture_output=True, text=True, timeout=DEADLINE_S)
            assert audit.returncode == 0, audit.stdout


def _keys_of(profile: str) -> dict[str, Key]:
    """The keys that a sandbox prints for the venues of a shipped profile."""
    venues: Mapping[str, Any] = tomllib.loads((shipped_profiles() / f"{profile}.toml").read_text())["exchanges"]
    return {name: play_key(name, passphrase=door_of(name).wants_passphrase) for name in venues}


def _total(balance: dict[str, str]) -> Decimal:
    return Decimal(balance["free"]) + Decimal(balance["locked"])


@contextmanager
def live_desk(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    symbols: int = 6,
    *,
    program: str = "arbtui",
    keys: Mapping[str, Key] | None = None,
    of: str = "upbit-binance",
) -> Iterator[LiveDesk]:
    """Start ``arbtui sandbox`` on free ports, and set its play keys.

    ``program``: the module that is run instead, which takes ``keys``; ``of``: the profile whose venues are played.
    """
    for name, key in (keys or _keys_of(of)).items():
        monkeypatch.setenv(f"ARBTUI_{name.upper()}_KEY", key.key)
        monkeypatch.setenv(f"ARBTUI_{name.upper()}_SECRET", key.secret)
        if key.passphrase:
            monkeypatch.setenv(f"ARBTUI_{name.upper()}_PASSPHRASE", key.passphrase)
    profile, out = folder / "desk.toml", folder / "sandbox.out"
    command = ["sandbox", "--port", "0", "--symbols", str(symbols), "--profile", of, "--write", str(profile)]
    with out.open("wb") as file:
        command += ["--state-dir", str(folder / "venue")]
        process = warm_start.popen(program, *command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        until(lambda: "End it with" in out.read_text() or process.poll() is not None, "the sandbox")
        assert process.poll() is None, out.read_text()
        control = next(line.split()[1] for line in out.read_text().splitlines() if line.split()[:1] == ["control"])
        yield LiveDesk(profile, folder / "state", control)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 128 + signal.SIGTERM, out.read_text()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
