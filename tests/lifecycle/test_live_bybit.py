"""Live at Bybit, whole: ``arbtui sandbox`` in one process and the engine in another, over real sockets."""

import json
import signal
from pathlib import Path

import pytest

from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles


def test_it_trades_and_the_ledgers_agree_to_the_last_digit_over_a_restart(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_desk(tmp_path, monkeypatch, of="upbit-bybit") as desk:
        for run_number in (1, 2):
            with running(*desk.arguments("--json", str(tmp_path / "summary")), folder=tmp_path / "run") as engine:
                await_cycles(desk, engine, 5 * run_number)
                engine.signal(signal.SIGTERM)
                ended = engine.ended()
            assert ended.code == 128 + signal.SIGTERM, ended.err
            assert "connecting to BYBIT at http://127.0.0.1:" in ended.err
            desk.assert_agrees(tmp_path)
        fills = [fill for fill in desk.ledger()["fills"] if fill["exchange"] == "bybit"]
        assert {fill["fee_currency"] for fill in fills} > {"USDT"}, "of what each fill brought"
        assert json.loads((tmp_path / "summary").read_text())["mode"] == "live"
        assert "STRAY_FILL" not in (desk.root / "desk" / "arbtui.log").read_text()
