"""Live with Bitget against its sandbox, whole: keys of three parts, whole books and best prices, both ledgers to the last digit."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.portfolio.ledger import read_ledger
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, of="upbit-bitget") as made:
        yield made


def test_it_trades_and_the_ledgers_agree_to_the_last_digit_over_a_restart(desk: LiveDesk, tmp_path: Path) -> None:
    for run_number in (1, 2):
        with running(*desk.arguments(), folder=tmp_path / "run") as engine:
            await_cycles(desk, engine, 5 * run_number)
            engine.signal(signal.SIGTERM)
            ended = engine.ended()
        assert ended.code == 128 + signal.SIGTERM, ended.err
        assert "connecting to BITGET at http://127.0.0.1:" in ended.err
        desk.assert_agrees(tmp_path)
    assert {fill["exchange"] for fill in desk.ledger()["fills"]} == {"upbit", "bitget"}
    assert "STRAY_FILL" not in (desk.root / "desk" / "arbtui.log").read_text()


def test_fees_in_its_own_coin_are_booked_in_it(desk: LiveDesk, tmp_path: Path) -> None:
    desk.script(venue="bitget", kind="fee_coin")
    desk.deposit(venue="bitget", asset="BGB", amount="100")
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 5)
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code == 128 + signal.SIGTERM, ended.err
    desk.assert_agrees(tmp_path)
    assert {fill["fee_currency"] for fill in desk.ledger()["fills"] if fill["exchange"] == "bitget"} == {"BGB"}


def test_its_own_coin_that_runs_out_is_told(desk: LiveDesk, tmp_path: Path) -> None:
    desk.script(venue="bitget", kind="fee_coin")
    desk.deposit(venue="bitget", asset="BGB", amount="0.05")  # a few fees
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and count(desk, "breach", "kind = 'FEE_COIN_SPENT' AND scope = 'bitget'"), "it is told")
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code == 128 + signal.SIGTERM, ended.err
    desk.assert_agrees(tmp_path)
    assert {fill["fee_currency"] for fill in desk.ledger()["fills"] if fill["exchange"] == "bitget"} > {"BGB"}


def test_an_account_that_is_switched_to_fees_in_its_own_coin_is_told_and_the_next_start_prices_them(desk: LiveDesk, tmp_path: Path) -> None:
    desk.deposit(venue="bitget", asset="BGB", amount="100")
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 2)
        desk.script(venue="bitget", kind="fee_coin")
        until(lambda: engine.alive() and count(desk, "breach", "kind = 'NO_MARK' AND scope = 'bitget'"), "the fee is told")
        engine.signal(signal.SIGTERM)
        engine.ended()
    opened = count(desk, "cycle")
    with running(*desk.arguments(), folder=tmp_path / "again") as engine:  # it reads what fees are paid in, and hears that coin's price
        await_cycles(desk, engine, 2, since=opened)
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code == 128 + signal.SIGTERM, ended.err
    assert read_ledger(desk.journal, "r2")["equity"]["marks"]["BGB"]["end"] is not None
    desk.assert_agrees(tmp_path)
