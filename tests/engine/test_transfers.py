"""Transfers beside a running engine: a late one is a breach, and the ledger's auditor agrees while coins are on their way."""

import asyncio
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.operator_events import Transfer
from arbtui.views.live import EngineControls
from tests.execution.world import UPBIT_DEAR, World, world
from tests.portfolio.auditing import AUDIT, disagreements

MOVE = Transfer("XRP", "binance", "upbit", Decimal(300), "XRP", Decimal("0.5"), 2.0)


async def _move(w: World, exchange: str, amount: str) -> None:
    await w.venues[exchange].core._ledger.deposit(exchange, {"XRP": Decimal(amount)}, "a person", w.clock.time_ms())
    for _ in range(4):
        await w.components.sync.check()
        await asyncio.sleep(1.1)


def _kinds(w: World) -> list[tuple[str, str]]:
    return [(b.kind, b.scope) for b in w.engine.breaches.breaches.values() if b.id not in w.engine.breaches.acknowledged]


def _audited(w: World) -> dict[str, object]:
    w.engine.marks.take("end")
    ledger = read_ledger(w.journal.path)
    assert disagreements(ledger) == []
    if AUDIT.is_file():
        done = subprocess.run([sys.executable, str(AUDIT)], input=json.dumps(ledger), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
    return ledger


def test_coins_on_their_way_are_in_every_book_and_trading_goes_on_beside_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.marks.take("start")
            assert w.engine.operator.begin_transfer(MOVE, "p", "refill") is None
            (transfer,) = w.portfolio.open_transfers
            await _move(w, "binance", "-300")
            assert transfer.state == "IN_TRANSIT"
            ledger = _audited(w)
            balances = ledger["balances"]
            assert isinstance(balances, dict)
            assert balances["in transit"]["XRP"]["free"] == "300"
            w.freshen()
            await w.trade("upbit", UPBIT_DEAR)
            w.same_after_restart()
        async with world(tmp_path) as w:  # killed and started again in transit
            (transfer,) = w.portfolio.open_transfers
            assert transfer.state == "IN_TRANSIT"
            assert w.portfolio.state.disputes.get("binance", {}) == {}
            await _move(w, "upbit", "299.5")
            assert transfer.state == "ARRIVED"
            ledger = _audited(w)
            assert Decimal(ledger["pnl"]["rotation"]) < 0  # type: ignore[index]
            w.agree()

    run_virtual(main())


def test_the_sender_must_not_sell_what_is_about_to_leave(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            everything = w.portfolio.available("upbit", "XRP")
            move = Transfer("XRP", "upbit", "binance", everything, "XRP", Decimal("0.5"), 2.0)
            assert w.engine.operator.begin_transfer(move, "p", "x") is None
            w.show("upbit", UPBIT_DEAR)  # it would sell at Upbit
            assert not w.engine.cycles

    run_virtual(main())


def test_one_that_takes_twice_its_time_is_a_breach_until_it_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert w.engine.operator.begin_transfer(MOVE, "p", "refill") is None
            (transfer,) = w.portfolio.open_transfers
            await asyncio.sleep(230)
            assert _kinds(w) == []
            await asyncio.sleep(20)
            assert _kinds(w) == [("TRANSFER_LATE", transfer.id)]
            await asyncio.sleep(300)
            assert _kinds(w) == [("TRANSFER_LATE", transfer.id)]  # told once
            assert "cancelled" in str(w.engine.operator.settle_transfer(transfer.id, "lost", "p", "x"))
            assert w.engine.operator.settle_transfer(transfer.id, "cancelled", "p", "nothing left") is None
            await asyncio.sleep(1)
            assert _kinds(w) == []
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("name", ["q", ""])
def test_it_is_typed(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert "type the profile's name" in str(w.engine.operator.begin_transfer(MOVE, name, "x"))
            assert w.portfolio.open_transfers == []

    run_virtual(main())


def test_the_console_sets_targets_and_records_and_settles_transfers(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.engine.wallets.refresh()
            controls = EngineControls(w.engine)
            held = w.portfolio.total("upbit", "XRP")
            target = next(way for way in controls.stock_ways("XRP") if (way.verb, way.where) == ("target", "upbit"))
            assert controls.do_stock_way(target, "much", "p", "more") == "'much' is no amount"
            assert controls.do_stock_way(target, "5", "q", "more") == "type the profile's name, p"
            assert controls.do_stock_way(target, str(held * 4), "p", "more") is None
            assert w.portfolio.state.targets["upbit"]["XRP"] == held * 4
            less = next(way for way in controls.stock_ways("XRP") if (way.verb, way.where) == ("target", "binance"))
            assert controls.do_stock_way(less, "1", "p", "less") is None
            begin = controls.stock_ways("XRP")[0]
            assert (begin.verb, begin.where) == ("begin", "XRP:binance>upbit")
            assert begin.transfer is not None
            assert controls.do_stock_way(begin, "10", "p", "sent by hand") is None
            (transfer,) = w.portfolio.open_transfers
            assert (transfer.qty, transfer.fee, transfer.by) == (Decimal(10), begin.transfer.fee, "operator")
            refusal = controls.do_stock_way(begin, "", "p", "again")
            assert refusal is not None
            assert "already" in refusal
            (cancel,) = [way for way in controls.stock_ways("XRP") if way.where == transfer.id]
            assert cancel.verb == "cancelled"
            assert controls.do_stock_way(cancel, "", "p", "not sent") is None
            assert w.portfolio.open_transfers == []
            assert [way.verb for way in controls.stock_ways("KRW")] == ["target"]
            w.same_after_restart()

    run_virtual(main())
