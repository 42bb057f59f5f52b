"""Live at Coinone, whole: ``arbtui sandbox`` in one process and the engine in another, over real sockets, with orders that rest."""

import json
import re
import signal
from pathlib import Path

import pytest

from arbtui.exchanges.venues import VENUES
from arbtui.sandbox.keys import play_key
from arbtui.settings.locations import shipped_profiles
from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles


def profile(folder: Path) -> Path:
    """The default profile with Coinone in Upbit's place."""
    text = (shipped_profiles() / "upbit-binance.toml").read_text()
    text = re.sub(r"\bupbit\b", "coinone", text)
    for name in ("rest", "stream", "private"):
        old, new = (getattr(VENUES[venue].urls, name) for venue in ("upbit", "coinone"))
        text = text.replace(old.replace("upbit", "coinone"), new)
    path = folder / "coinone-binance.toml"
    path.write_text(text)
    return path


def test_it_trades_and_the_ledgers_agree_to_the_last_digit_over_a_restart(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: play_key(name) for name in ("coinone", "binance")}
    with live_desk(tmp_path, monkeypatch, keys=keys, of=str(profile(tmp_path))) as desk:
        for run_number in (1, 2):
            with running(*desk.arguments("--json", str(tmp_path / "summary")), folder=tmp_path / "run") as engine:
                await_cycles(desk, engine, 5 * run_number)
                engine.signal(signal.SIGTERM)
                ended = engine.ended()
            assert ended.code == 128 + signal.SIGTERM, ended.err
            assert "connecting to COINONE at http://127.0.0.1:" in ended.err
            desk.assert_agrees(tmp_path)
        ledger = desk.ledger()
        assert {fill["fee_currency"] for fill in ledger["fills"] if fill["exchange"] == "coinone"} == {"KRW"}
        ours = {fill["client_order_id"] for fill in ledger["fills"] if fill["exchange"] == "coinone"}
        assert {order["tif"] for order in ledger["orders"] if order["client_order_id"] in ours} == {"gtc"}
        assert json.loads((tmp_path / "summary").read_text())["mode"] == "live"
        assert "STRAY_FILL" not in (desk.root / "desk" / "arbtui.log").read_text()
