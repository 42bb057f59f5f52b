"""Somebody else trades on an account of ours: the venue is halted at once, or within one reading of the account."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from arbtui.exchanges.adapter import OrderReport
from arbtui.failover.reconcile_report import Check
from arbtui.journal.events import BalanceDisputed, CycleState
from arbtui.model.ids import client_order_id
from arbtui.model.order import Fill, OrderState, Side, TimeInForce
from arbtui.model.scoped_halts import Depth, read_halts
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Severity
from arbtui.simulation.order_request import OrderRequest
from tests.execution.test_tracker import streaming
from tests.execution.world import UPBIT_CHEAP, World, world

OTHERS = client_order_id("another salt", "c1", 0, 0)


def halts(w: World) -> list[tuple[str, Depth, str]]:
    return [(halt.scope, halt.depth, halt.source) for halt in w.components.risk.halts.standing]


def shared(w: World) -> list[Severity]:
    return [row.severity for row in w.engine.breaches.breaches.values() if row.kind == "ACCOUNT_SHARED"]


async def rest(w: World, name: str, client_id: str) -> OrderReport:
    """Somebody else's order, which stands at ``name``."""
    request = OrderRequest(client_id, "XRPUSDT" if name == "binance" else "KRW-XRP", Side.BUY, Decimal(50), Decimal(1), TimeInForce.GTC)
    return await w.venues[name].core.execute(request)


def test_an_order_made_as_ours_are_with_another_salt_halts_its_venue_within_one_reading_and_is_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w) as followers:
            w.venues["binance"].core.on_report = lambda _: None  # no stream tells of it
            await rest(w, "binance", OTHERS)
            read = followers.done("binance", Check.OPEN_ORDERS)
            await asyncio.sleep(5.5)
            assert followers.done("binance", Check.OPEN_ORDERS) == read + 1
            assert halts(w) == [("exchange.binance", Depth.HALTED, "ACCOUNT")]
            assert shared(w) == [Severity.CRIT]
            (halt,) = w.components.risk.halts.standing
            assert (
                halt.reason == f"somebody else trades on this account: order {OTHERS} (ACCEPTED) is made as ours are and in no journal here"
            )
            await asyncio.sleep(5)
            assert await w.venues["binance"].fetch_open_orders() == ()

    run_virtual(main())


def test_a_foreign_order_that_has_not_filled_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w):
            await rest(w, "binance", "web_123")
            await asyncio.sleep(40)
            assert halts(w) == []
            assert len(await w.venues["binance"].fetch_open_orders()) == 1

    run_virtual(main())


def test_a_fill_that_no_journal_explains_halts_its_venue_only_and_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            told = cycle.fills[0]
            theirs = replace(told, exchange="binance", trade_id="x1", client_order_id="web_1", venue_order_id="77")
            w.engine.tracker.on_fill(theirs)
            assert halts(w) == [("exchange.binance", Depth.HALTED, "ACCOUNT")]
            assert w.engine.operator.scopes.rearm("exchange.binance", w.components.profile, "it was me, by hand", "ann") is None
            w.engine.tracker.on_fill(theirs)  # the venue's list names it again
            assert halts(w) == []
            w.engine.tracker.on_fill(replace(theirs, trade_id="x2"))
            assert halts(w) == [("exchange.binance", Depth.HALTED, "ACCOUNT")]
            assert read_halts(w.components.halt.folder)[0] == w.components.risk.halts.standing

    run_virtual(main())


def test_what_an_earlier_run_of_this_journal_has_sent_is_no_stranger(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            fills = [fill for fill in (await w.trade()).fills]
        async with world(tmp_path) as w:
            for fill in fills:
                w.engine.tracker.on_fill(replace(fill, trade_id=f"{fill.trade_id} once more"))
                w.engine.tracker.on_order(_report(fill))
            assert halts(w) == []
            assert shared(w) == []

    run_virtual(main())


def _report(fill: Fill) -> OrderReport:
    return OrderReport(fill.exchange, fill.client_order_id, fill.venue_order_id, OrderState.FILLED, fill.qty)


def test_a_fill_without_a_client_id_waits_for_the_answer_that_may_explain_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            (mine,) = [fill for fill in cycle.fills if fill.exchange == "upbit"][:1]
            nameless = replace(mine, client_order_id="", trade_id="x1")
            w.engine.tracker.on_fill(nameless)  # known by the venue's own id
            assert halts(w) == []
            order = next(order for order in cycle.orders if order.market.exchange == "upbit")
            w.engine.tracker.open[order.client_order_id] = order
            w.engine.tracker.on_fill(replace(nameless, venue_order_id="78", trade_id="x2"))
            assert halts(w) == []
            del w.engine.tracker.open[order.client_order_id]
            w.engine.tracker.on_fill(replace(nameless, venue_order_id="78", trade_id="x2"))
            assert halts(w) == [("exchange.upbit", Depth.HALTED, "ACCOUNT")]

    run_virtual(main())


def test_a_halt_that_cannot_be_written_is_a_kill(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            (w.components.halt.folder / "halt.d").write_text("a file in its place")
            w.engine.tracker.on_fill(replace(cycle.fills[0], trade_id="x1", client_order_id="web_1", venue_order_id="77"))
            assert w.components.halt.is_closed
            sent = w.engine.tracker.sent
            w.show("upbit", UPBIT_CHEAP)
            await asyncio.sleep(3)
            assert w.engine.tracker.sent == sent
            assert cycle.state is CycleState.HEDGED

    run_virtual(main())


async def _adjust(w: World, exchange: str, *assets: str) -> None:
    """A person takes what the venue holds of ``assets`` over; it has moved without us by 1 of each."""
    for asset in assets:
        held = w.portfolio.total(exchange, asset)
        await w.journal.commit(BalanceDisputed(exchange, asset, held, held + 1))
        assert w.engine.operator.adjust(exchange, asset, "p", "the venue is right", "ann") is None


def test_a_fill_of_a_forgotten_order_that_a_person_has_taken_over_is_told_and_not_booked_on_top(tmp_path: Path) -> None:
    """It moved the balance once more, which a person had just set to what the venue held."""

    async def main() -> None:
        async with world(tmp_path) as w:
            told = (await w.trade()).fills[0]
        async with world(tmp_path) as w:
            await asyncio.sleep(1)
            late = replace(told, trade_id="late", ts_event=w.clock.time_ms())
            await asyncio.sleep(1)
            await _adjust(w, told.exchange, "XRP")
            before = w.portfolio.total(told.exchange, "XRP")
            w.engine.tracker.on_fill(late)
            w.engine.tracker.on_fill(late)  # the venue's list names it again
            assert w.portfolio.total(told.exchange, "XRP") == before
            found = [(row.kind, row.severity) for row in w.engine.breaches.breaches.values()]
            assert found == [("FILL_TAKEN_OVER", Severity.WARN)]
            await asyncio.sleep(1)
            w.engine.tracker.on_fill(replace(late, trade_id="later", price=told.price + 1, ts_event=w.clock.time_ms()))
            assert w.portfolio.total(told.exchange, "XRP") == before + (told.qty if told.side is Side.BUY else -told.qty)

    run_virtual(main())


def test_so_is_one_of_an_order_that_is_still_followed_once_its_cycle_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            told = (await w.trade()).fills[0]
            late = replace(told, trade_id="late", ts_event=w.clock.time_ms())
            await asyncio.sleep(1)
            await _adjust(w, told.exchange, "XRP")
            before = w.portfolio.total(told.exchange, "XRP")
            for _ in range(2):  # the venue's list names it again
                assert w.engine.tracker.on_fill(late) == ""
            assert w.portfolio.total(told.exchange, "XRP") == before
            found = [(row.kind, row.severity) for row in w.engine.breaches.breaches.values()]
            assert found == [("FILL_TAKEN_OVER", Severity.WARN)]
            await asyncio.sleep(1)
            assert (
                w.engine.tracker.on_fill(replace(late, trade_id="later", price=told.price + 1, ts_event=w.clock.time_ms())) == "late fill"
            )
            assert w.portfolio.total(told.exchange, "XRP") == before + (told.qty if told.side is Side.BUY else -told.qty)

    run_virtual(main())
