"""One account, one engine: two real engines on one sandbox account, on one machine and as if on two."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbtui.portfolio.ledger import read_ledger
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import DEADLINE_S, until
from tests.portfolio.auditing import AUDIT


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def elsewhere(desk: LiveDesk, name: str) -> LiveDesk:
    """The same profile and account, and another state folder."""
    return LiveDesk(desk.profile, desk.root.parent / name, desk.control)


def test_f56_on_one_machine_the_second_engine_is_refused_and_says_by_whom(desk: LiveDesk, tmp_path: Path) -> None:
    other = elsewhere(desk, "another-state-dir")
    with running(*desk.arguments(), folder=tmp_path / "first") as engine:
        await_cycles(desk, engine, 1)
        refused = run(*other.arguments("--headless", "--max-runtime", "5"))
        assert refused.code == 2, refused.err
        assert f"process {engine.pid} (profile desk in {desk.root / 'desk'}) trades on this account since 20" in refused.err
        assert count(other, "run") == 0
        for command in ("status", "ledger"):
            assert run(command, "--profile", str(desk.profile), "--state-dir", str(desk.root), "--json").code == 0
        await_cycles(desk, engine, count(desk, "cycle", "closed_ms IS NOT NULL") + 1)
        engine.signal(signal.SIGKILL)
        engine.ended()
    ended = run(*other.arguments("--headless", "--max-runtime", "1"))  # the kernel has released what the dead one held
    assert ended.code == 0, ended.err
    locks = sorted(path.name.partition("-")[0] for path in (tmp_path / "home" / "state" / "arbtui" / ".accounts").iterdir())
    assert locks == ["binance", "binance", "upbit"]  # Binance tells the account's number too


def test_f56_as_if_on_two_machines_what_sees_the_other_halts_the_venue_and_nothing_is_booked_twice(
    desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = elsewhere(desk, "the-other-machines")
    with running(*desk.arguments(), folder=tmp_path / "first") as first:
        await_cycles(desk, first, 1)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other-machine"))
        with running(*other.arguments(), folder=tmp_path / "second") as second:
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
            until(lambda: first.alive() and second.alive() and (_halts(desk) or _halts(other)), "a venue is halted")
            halted = [one for one in (desk, other) if _halts(one)]
            for one in halted:
                for halt in _halts(one):
                    assert halt["depth"] == "HALTED"
                    assert "somebody else trades on this account: " in halt["reason"]
                assert "ACCOUNT_SHARED" in {breach["kind"] for breach in _status(one)["breaches"]}
            second.signal(signal.SIGTERM)
            second.ended()
        first.signal(signal.SIGTERM)
        first.ended()
    ours, theirs = _trades(desk), _trades(other)
    assert len(_fills(desk)) == len(ours)
    assert len(_fills(other)) == len(theirs)
    assert not ours & theirs
    assert ours | theirs == {(exchange, trade_id) for exchange, trade_id in desk.told("/ledger")}
    for one in (desk, other):
        if AUDIT.exists():
            told = json.dumps(read_ledger(one.journal))
            audit = subprocess.run([sys.executable, str(AUDIT)], input=told, capture_output=True, text=True, timeout=DEADLINE_S)
            assert audit.returncode == 0, audit.stdout
    assert os.environ["XDG_STATE_HOME"] == str(tmp_path / "home" / "state")


def _halts(desk: LiveDesk) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in (desk.root / "desk" / "halt.d").glob("exchange.*.json")]


def _fills(desk: LiveDesk) -> list[dict[str, Any]]:
    fills: list[dict[str, Any]] = desk.ledger()["fills"]
    return fills


def _trades(desk: LiveDesk) -> set[tuple[str, str]]:
    return {(fill["exchange"], fill["trade_id"]) for fill in _fills(desk)}


def _status(desk: LiveDesk) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("status", "--profile", str(desk.profile), "--state-dir", str(desk.root), "--json").out)
    return told
