"""Live where one venue settles in another dollar coin: OKX in USDC, over real sockets, priced over USDC-USDT at Binance."""

import signal
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.sandbox.keys import play_key
from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.test_live_all_venues import fills
from tests.lifecycle.waiting import until

PROFILE = """
[exchanges.binance]
[exchanges.okx]
quote = "USDC"
[desk]
currency = "USDT"
"""


def test_it_trades_against_usdc_and_the_ledgers_agree_to_the_last_digit(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "two-dollars.toml"
    profile.write_text(PROFILE)
    keys = {"binance": play_key("binance"), "okx": play_key("okx", passphrase=True)}
    with live_desk(tmp_path, monkeypatch, keys=keys, of=str(profile)) as desk:
        with running(*desk.arguments(), folder=tmp_path / "run") as engine:
            until(
                lambda: engine.alive() and bool(fills(desk)) and _quotes(desk.ledger()) == {"USDT", "USDC"},
                "fills in both",
                120.0,
            )
            engine.signal(signal.SIGTERM)
            ended = engine.ended()
        assert ended.code == 128 + signal.SIGTERM, ended.err
        desk.assert_agrees(tmp_path)
        ledger = desk.ledger()
        assert {fill["quote"] for fill in ledger["fills"] if fill["exchange"] == "okx"} == {"USDC"}
        assert ledger["pnl"]["currency"] == "USDT"
        assert Decimal(ledger["equity"]["marks"]["USDC"]["start"]) != 0
        told = run("check", "--profile", str(desk.profile), "--mode", "live")
        assert told.code == 0, told.out + told.err


def _quotes(ledger: dict[str, list[dict[str, str]]]) -> set[str]:
    return {fill["quote"] for fill in ledger["fills"] if fill["base"] != "USDC"}
