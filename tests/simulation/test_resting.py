"""What becomes of orders that rest, and of those that must fill whole."""

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderRejected
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.venue import VenueCore
from tests.simulation.market_worlds import simulator
from tests.simulation.worlds import BINANCE_XRP, FUNDS, MARKETS, UPBIT_XRP, HandBook, World, order, world

XRP = "KRW-XRP"


def _request(side: Side, qty: str, price: str, tif: TimeInForce = TimeInForce.GTC, client_order_id: str = "a1") -> OrderRequest:
    return OrderRequest(client_order_id, XRP, side, Decimal(qty), Decimal(price), tif)


async def _rest(w: World, side: Side, qty: str, price: str, client_order_id: str = "a1") -> OrderReport:
    return await w.upbit.core.execute(_request(side, qty, price, client_order_id=client_order_id))


def _filled(w: World, client_order_id: str = "a1") -> Decimal:
    found = w.upbit.core.find(client_order_id)
    assert found is not None
    assert sum(fill.qty for fill in found.fills) == found.filled_qty
    return found.filled_qty


def _numbers(*numbers: int) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)


def _ahead(w: World, report: OrderReport) -> Decimal:
    found = w.upbit.core.record(int(report.venue_order_id))
    assert found is not None
    return found.ahead


@pytest.mark.parametrize(("qty", "price", "fills"), [("100", "3001", 2), ("100.1", "3001", 0), ("40", "3000", 1), ("41", "3000", 0)])
def test_fill_or_kill_is_all_or_nothing(tmp_path: Path, qty: str, price: str, fills: int) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await w.upbit.core.execute(_request(Side.BUY, qty, price, TimeInForce.FOK))
            assert len(report.fills) == fills
            assert report.state is (OrderState.FILLED if fills else OrderState.EXPIRED)
            assert report.filled_qty == (Decimal(qty) if fills else 0)
            assert report.reason.startswith("" if fills else "FOK_NOT_FILLED")
            # What a killed order looked at is still there for the next.
            after = await w.upbit.core.execute(_request(Side.BUY, "100", "3001", TimeInForce.FOK, "a2"))
            assert (after.state is OrderState.FILLED) == (not fills)

    run_virtual(main())


def test_what_crosses_trades_at_once_and_the_rest_locks_its_price_and_its_fee(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await _rest(w, Side.BUY, "70", "3000")
            assert (report.state, report.filled_qty, report.fills[0].liquidity) == (OrderState.PARTIALLY_FILLED, Decimal(40), "taker")
            locked = Decimal(30 * 3000) * Decimal("1.0005")
            spent = Decimal(40 * 3000) * Decimal("1.0005")
            assert w.upbit.core.balances()["KRW"] == Balance(FUNDS["upbit"]["KRW"] - spent - locked, locked)
            assert await w.upbit.fetch_open_orders() == (report,)
            assert w.upbit.core.find("a1") == report

    run_virtual(main())


def test_a_sell_locks_the_coin_and_a_buy_at_binance_no_fee(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await _rest(w, Side.SELL, "500", "3001")
            assert w.upbit.core.balances()["XRP"] == Balance(Decimal(0), Decimal(500))
            with pytest.raises(OrderRejected, match="INSUFFICIENT_FUNDS"):
                await w.upbit.core.execute(_request(Side.SELL, "10", "2999", TimeInForce.IOC, "a2"))
            await w.binance.place(order(BINANCE_XRP, Side.BUY, "100", "2.1", tif=TimeInForce.GTC), lambda: None)
            assert w.binance.core.balances()["USDT"] == Balance(Decimal(790), Decimal(210))

    run_virtual(main())


def test_it_stands_behind_what_the_level_shows_and_trades_bring_it_forward(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            core, told = w.upbit.core, list[OrderReport]()
            core.on_report = told.append
            report = await _rest(w, Side.BUY, "30", "2999")
            assert _ahead(w, report) == 100
            core.on_trade(XRP, 2999.0, 60.0, Side.SELL)
            core.on_trade(XRP, 2999.0, 500.0, Side.BUY)  # somebody bought: nothing for a buyer
            core.on_trade(XRP, 3000.0, 500.0, Side.SELL)  # at a better price than ours
            assert (_ahead(w, report), _filled(w)) == _numbers(40, 0)
            core.on_trade(XRP, 2999.0, 50.0, Side.SELL)
            assert (_ahead(w, report), _filled(w)) == _numbers(0, 10)
            core.on_trade(XRP, 2999.0, 50.0, Side.SELL)
            assert _filled(w) == 30
            await core.settled()
            assert [r.state for r in told] == [OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED]
            assert [tuple(f.qty for f in r.fills) for r in told] == [(), _numbers(10), _numbers(20)]
            assert tuple(r.filled_qty for r in told) == _numbers(0, 10, 30)
            assert {fill.liquidity for r in told for fill in r.fills} == {"maker"}
            assert {fill.price for r in told for fill in r.fills} == {2999}
            paid = Decimal(30 * 2999) * Decimal("1.0005")
            assert core.balances()["KRW"] == Balance(FUNDS["upbit"]["KRW"] - paid, Decimal(0))
            assert core.open_orders() == ()

    run_virtual(main())


def test_only_what_must_have_stood_ahead_counts_as_cancelled_ahead(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await _rest(w, Side.BUY, "30", "2999")
            for shown, ahead in ((150.0, 100), (110.0, 100), (70.0, 70), (500.0, 70)):
                w.books["upbit"].bid_levels[0] = (2999.0, shown)
                w.upbit.core.on_book(XRP)
                assert _ahead(w, report) == ahead
            w.books["upbit"].bid_levels = []  # a venue that shows nothing has told nothing
            w.books["upbit"].ask_levels = []
            w.upbit.core.on_book(XRP)
            assert _ahead(w, report) == 70
            w.books["upbit"].bid_levels, w.books["upbit"].ask_levels = [(2998.0, 50.0)], [(3000.0, 40.0)]
            w.upbit.core.on_book(XRP)  # the level is gone, and we stand alone
            assert (_ahead(w, report), _filled(w)) == _numbers(0, 0)

    run_virtual(main())


def test_beyond_the_last_level_nobody_knows_what_is_ahead(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await _rest(w, Side.BUY, "30", "2990")
            assert _ahead(w, report).is_infinite()
            w.books["upbit"].bid_levels = [(2990.0, 25.0)]
            w.upbit.core.on_book(XRP)
            assert _ahead(w, report) == 25

    run_virtual(main())


def test_two_of_ours_at_one_price_fill_in_order_and_one_trade_is_never_counted_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            first = await _rest(w, Side.SELL, "30", "3000")
            w.books["upbit"].ask_levels[0] = (3000.0, 60.0)
            second = await _rest(w, Side.SELL, "30", "3000", "a2")
            assert (_ahead(w, first), _ahead(w, second)) == _numbers(40, 60)
            w.upbit.core.on_trade(XRP, 3000.0, 75.0, Side.BUY)  # 40 others, our 30, then 5 of the 20 that came between
            assert (_filled(w), _filled(w, "a2"), _ahead(w, second)) == _numbers(30, 0, 15)

    run_virtual(main())


def test_a_trade_through_our_price_met_us_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await _rest(w, Side.BUY, "30", "2999")
            w.upbit.core.on_trade(XRP, 2998.0, 20.0, Side.SELL)
            assert _filled(w) == 20

    run_virtual(main())


def test_reached_by_the_other_side_it_fills_at_its_own_price_with_what_is_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await _rest(w, Side.BUY, "30", "2999")
            w.books["upbit"].bid_levels, w.books["upbit"].ask_levels = [(2990.0, 5.0)], [(2995.0, 12.0), (2999.0, 6.0), (3001.0, 99.0)]
            for _ in range(3):  # a book that stands still gives once what it shows
                w.upbit.core.on_book(XRP)
            assert _filled(w) == 18
            fills = w.upbit.core.fills_since(0)
            assert {(fill.price, fill.liquidity) for fill in fills} == {(Decimal(2999), "maker")}
            taken = await w.upbit.core.execute(_request(Side.BUY, "99", "2999", TimeInForce.IOC, "a2"))
            assert taken.filled_qty == 0  # nor does it give the same again to a taker
            w.books["upbit"].ask_levels[0] = (2995.0, 40.0)
            w.upbit.core.on_book(XRP)
            assert _filled(w) == 30

    run_virtual(main())


def test_cancelling_gives_back_to_the_last_digit_and_twice_is_no_error(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            core, told = w.upbit.core, list[OrderReport]()
            before = core.balances()
            await _rest(w, Side.BUY, "33.33333333", "2998")
            await _rest(w, Side.SELL, "7.00000001", "3003", "a2")
            core.on_report = told.append
            await w.upbit.cancel(XRP, "a1")
            await w.upbit.cancel(XRP, "a1")
            await w.upbit.cancel(XRP, "never sent")
            assert await w.upbit.cancel_all() == 1
            assert await w.upbit.cancel_all() == 0
            assert core.balances() == before
            assert [(report.client_order_id, report.state) for report in told] == [
                ("a1", OrderState.CANCELED),
                ("a2", OrderState.CANCELED),
            ]

    run_virtual(main())


def test_a_fill_that_comes_before_the_cancel_stays_and_one_that_comes_after_never_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await _rest(w, Side.BUY, "30", "2999")
            cancel = asyncio.create_task(w.upbit.cancel(XRP, "a1"))
            await asyncio.sleep(0)
            w.upbit.core.on_trade(XRP, 2999.0, 110.0, Side.SELL)  # while the cancel travels
            await cancel
            w.upbit.core.on_trade(XRP, 2999.0, 110.0, Side.SELL)
            found = await w.upbit.fetch_order(XRP, "a1")
            assert found is not None
            assert (found.state, found.filled_qty, len(found.fills)) == (OrderState.CANCELED, Decimal(10), 1)
            assert w.upbit.core.balances()["KRW"].locked == 0

    run_virtual(main())


def test_resting_orders_survive_a_restart_with_their_place_in_the_queue(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await _rest(w, Side.BUY, "30", "2999")
            w.upbit.core.on_trade(XRP, 2999.0, 60.0, Side.SELL)
            balances = w.upbit.core.balances()
        async with world(tmp_path / "venue.db") as w:
            assert w.upbit.core.open_orders() == (report,)
            assert w.upbit.core.balances() == balances
            with pytest.raises(OrderRejected, match="DUPLICATE"):
                await _rest(w, Side.BUY, "30", "2999")
            w.upbit.core.on_trade(XRP, 2999.0, 45.0, Side.SELL)
            assert (_ahead(w, report), _filled(w)) == _numbers(0, 5)
            await w.upbit.cancel(XRP, "a1")
            assert w.upbit.core.balances()["KRW"].locked == 0

    run_virtual(main())


def test_an_order_of_a_market_that_is_traded_no_more_can_still_be_seen_and_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await _rest(w, Side.BUY, "30", "2999")
        ledger = await VenueLedger.open(tmp_path / "venue.db", "sync")
        core = VenueCore("upbit", {}, lambda _: HandBook(), ledger, SystemClock())
        core.on_book(XRP)
        core.on_trade(XRP, 2000.0, 1e6, Side.SELL)
        assert [report.state for report in core.open_orders()] == [OrderState.ACCEPTED]
        assert len(await core.cancel_all()) == 1
        assert core.balances()["KRW"] == Balance(FUNDS["upbit"]["KRW"])
        await ledger.close()

    run_virtual(main())


def test_binance_takes_a_client_id_again_once_its_order_is_final_and_tells_the_newest(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            venue = w.binance
            first = await venue.place(order(BINANCE_XRP, Side.BUY, "10", "2.14"), lambda: None)
            resting = await venue.place(order(BINANCE_XRP, Side.BUY, "20", "2.13", tif=TimeInForce.GTC), lambda: None)
            assert int(resting.venue_order_id) > int(first.venue_order_id)
            with pytest.raises(OrderRejected, match="DUPLICATE"):
                await venue.place(order(BINANCE_XRP, Side.BUY, "10", "2.14"), lambda: None)
            assert await venue.fetch_order("XRPUSDT", "a1") == resting
            await venue.cancel("XRPUSDT", "a1")
            third = await venue.place(order(BINANCE_XRP, Side.BUY, "5", "2.14"), lambda: None)
            assert await venue.fetch_order("XRPUSDT", "a1") == third
            assert len(await venue.fetch_fills(0)) == 2
        async with world(tmp_path / "venue.db") as w:
            assert await w.binance.fetch_order("XRPUSDT", "a1") == third

    run_virtual(main())


def test_a_push_waits_for_the_disk_and_writes_keep_their_order(tmp_path: Path) -> None:
    """In real time a fill, and the cancel right behind it, are on the disk before either is told; balances end right."""

    async def main() -> None:
        ledger = await VenueLedger.open(tmp_path / "venue.db", "aio")
        book = HandBook([(2999.0, 100.0)], [(3000.0, 40.0)])
        core = VenueCore("upbit", MARKETS["upbit"], lambda _: book, ledger, SystemClock())
        await core.open_account(FUNDS["upbit"])
        told: list[OrderReport] = []

        def tell(report: OrderReport) -> None:
            with closing(sqlite3.connect(tmp_path / "venue.db")) as reader:
                kept = {row[0] for row in reader.execute("SELECT trade_id FROM venue_fill")}
            assert {int(fill.trade_id) for fill in report.fills} <= kept
            told.append(report)

        core.on_report = tell
        await core.execute(_request(Side.BUY, "30", "2999"))
        core.on_trade(XRP, 2999.0, 110.0, Side.SELL)
        cancelled = await core.cancel("a1")
        await core.settled()
        assert [report.state for report in told] == [OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.CANCELED]
        assert cancelled is not None
        assert (cancelled.filled_qty, len(cancelled.fills)) == (Decimal(10), 1)
        spent = Decimal(10 * 2999) * Decimal("1.0005")
        assert core.balances()["KRW"] == Balance(FUNDS["upbit"]["KRW"] - spent)
        await ledger.close()

    asyncio.run(main())


def test_in_the_simulated_market_an_order_at_the_touch_fills_as_maker_in_a_while(tmp_path: Path) -> None:
    async def main() -> None:
        sim = simulator(["XRP"], "normal")
        loop_clock = sim._clock
        ledger = await VenueLedger.open(tmp_path / "venue.db", "sync")
        cores = {name: VenueCore(name, sim.markets[name], partial(sim.book, name), ledger, loop_clock) for name in MARKETS}
        done = asyncio.Event()
        maker: list[str] = []

        def tell(report: OrderReport) -> None:
            maker.extend(fill.liquidity for fill in report.fills)
            if all(not core.open_orders() for core in cores.values()):
                done.set()

        running = asyncio.create_task(sim.run(lambda _: None))
        await asyncio.sleep(1)
        for name, core in cores.items():
            sim.attach(name, core)
            market = sim.markets[name]["KRW-XRP" if name == "upbit" else "XRPUSDT"]
            await core.open_account({market.quote: Decimal(1_000_000)})
            price, _ = next(sim.book(name, market.code).bids())
            limit = market.price_down(Decimal(repr(price)))
            qty = market.qty_up(market.min_cost * 3 / limit)
            await core.execute(OrderRequest("a1", market.code, Side.BUY, qty, limit, TimeInForce.GTC))
            core.on_report = tell
        async with asyncio.timeout(3600):
            await done.wait()
        assert set(maker) == {"maker"}
        running.cancel()
        await ledger.close()

    run_virtual(main())


def test_nothing_is_looked_at_where_nothing_rests(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            core = VenueCore("upbit", {XRP: UPBIT_XRP}, _never, w.ledger, SystemClock())
            core.on_book(XRP)
            core.on_trade(XRP, float("nan"), 1.0, Side.BUY)

    def _never(code: str) -> HandBook:
        raise AssertionError(code)

    run_virtual(main())
