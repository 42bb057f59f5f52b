"""Live against the local OKX, whole: what was traded over its wire is what its ledger has, through its own troubles, too."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles

#: Each is scripted once, a second after the one before.
FAULTS = (
    {"kind": "drop", "stream": "private"},
    {"kind": "timeout", "on": "order"},
    {"kind": "lose", "count": 3},
    {"kind": "gap", "count": 2},
    {"kind": "refuse", "on": "order", "error": "50011"},
    {"kind": "refuse", "on": "order", "error": "51008"},
    {"kind": "reset_after", "on": "order"},
    {"kind": "duplicate", "count": 3},
    {"kind": "error_after", "on": "order"},
    {"kind": "shutdown", "ms": 1500},
    {"kind": "drop", "stream": "public"},
)


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, 3, of="upbit-okx") as made:
        yield made


def test_it_trades_at_okx_and_the_ledgers_agree_to_the_last_digit(desk: LiveDesk, tmp_path: Path) -> None:
    with running(*desk.arguments("--json", str(tmp_path / "summary")), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 5)
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code == 128 + signal.SIGTERM, ended.err
    desk.assert_agrees(tmp_path)
    assert {fill["exchange"] for fill in desk.ledger()["fills"]} == {"upbit", "okx"}
    log = (desk.root / "desk" / "arbtui.log").read_text()
    assert "STRAY_FILL" not in log
    assert "sandbox-okx-passphrase" not in log + ended.out + ended.err
    assert json.loads((tmp_path / "summary").read_text())["gaps"] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_troubles_lose_nothing(desk: LiveDesk, tmp_path: Path) -> None:
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1)
        for fault in FAULTS:
            desk.script(venue="okx", **fault)
            time.sleep(1.0)
        desk.clear()
        time.sleep(5.0)
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    desk.assert_agrees(tmp_path)
