"""What stands at a venue at a start and is in no journal: ours is cancelled and told, others' is left alone."""

from decimal import Decimal
from pathlib import Path

from arbtui.exchanges.adapter import StandingOrder
from arbtui.failover.start_report import STEPS, StartReport
from arbtui.model.errors import VenueFailed
from arbtui.model.ids import client_order_id
from arbtui.model.order import Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.arming import unclean
from arbtui.runtime.startup import reconciler_of
from arbtui.simulation.order_request import OrderRequest
from tests.execution.world import World, world

ORPHAN = client_order_id("a salt that is gone", "c1", 0, 0)
#: The steps that are the reconciler's.
ITS_STEPS = ["venue lists", "orders and fills", "unresolved", "orphans", "balances", "cycles"]


async def rest(w: World, name: str, client_id: str) -> None:
    request = OrderRequest(client_id, "XRPUSDT" if name == "binance" else "KRW-XRP", Side.BUY, Decimal(50), Decimal(1), TimeInForce.GTC)
    await w.venues[name].core.execute(request)


def test_an_orphan_is_cancelled_and_told_and_a_foreign_order_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await rest(w, "binance", ORPHAN)
            await rest(w, "binance", "web_123")
            report = StartReport(w.clock.monotonic)
            done = await reconciler_of(w.components, 30.0, report).run()
            assert [(one.exchange, one.order.client_order_id, one.is_gone) for one in done.orphans] == [("binance", ORPHAN, True)]
            assert [one.client_order_id for one in done.foreign] == ["web_123"]
            assert [one.client_order_id for one in await w.venues["binance"].list_standing()] == ["web_123"]
            assert "1 order of ours stood that no open order here explains" in unclean(done, live=True)
            assert [step.name for step in report.steps] == ITS_STEPS
            assert [step.is_fine for step in report.steps] == [True, True, True, False, True, True]
            (orphans,) = [step for step in report.steps if step.name == "orphans"]
            assert orphans.result == f"binance {ORPHAN} cancelled; 1 foreign order left alone"
            w.engine.arm(done, unclean=unclean(done, live=True))
            assert w.engine.state is TradingState.DISARMED
            (told,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "ORPHAN_ORDER"]
            assert (told.severity, told.scope) == ("CRIT", "binance:XRPUSDT")
            again = await reconciler_of(w.components, 30.0).run()
            assert again.orphans == []

    run_virtual(main())


def test_a_venue_that_does_not_list_its_orders_is_no_venue_without_orders(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await rest(w, "binance", ORPHAN)

            async def fails() -> list[StandingOrder]:
                raise VenueFailed("binance: no answer")

            w.venues["binance"].list_standing = fails  # type: ignore[method-assign]
            done = await reconciler_of(w.components, 30.0).run()
            assert done.unread == {"binance": "binance: no answer"}
            assert not done.is_nothing
            assert unclean(done, live=True).startswith("orders or balances of binance could not be read")

    run_virtual(main())


def test_every_step_has_its_place_time_and_result() -> None:
    now, told = [0.0], list[str]()
    report = StartReport(lambda: now[0], lambda step: told.append(step.in_words()))
    with report.step("journal") as step:
        now[0] += 0.25
        step.result = "12 events"
    try:
        with report.step("locks"):
            raise VenueFailed("no")
    except VenueFailed:
        pass
    assert told == [
        "start 3/13 journal: ...",
        "start 3/13 journal: 12 events (0.25 s)",
        "start 1/13 locks: ...",
        "start 1/13 locks: no (0.00 s)",
    ]
    assert report.facts() == [
        {"no": 1, "name": "locks", "seconds": 0.0, "ok": False, "result": "no"},
        {"no": 3, "name": "journal", "seconds": 0.25, "ok": True, "result": "12 events"},
    ]
    assert len(STEPS) == 13
