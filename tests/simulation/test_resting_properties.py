"""Whatever comes in whatever order, a venue's sums are exact and its promises hold."""

from collections import defaultdict
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.order import OrderState, Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.fees import booked_fee, exact_fee
from arbtui.simulation.matching import Execution
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.venue_order import VenueOrder
from tests.simulation.worlds import FUNDS, MARKETS, World, world

_SIDES = st.sampled_from([Side.BUY, Side.SELL])
_VENUES = st.sampled_from(["upbit", "binance"])
_TICKS = st.integers(-4, 4)
_TENTHS, _ODD = st.integers(20, 900), st.integers(0, 99_999_999)
_PLACE = st.tuples(st.just("place"), _VENUES, _SIDES, st.sampled_from(list(TimeInForce)), _TICKS, _TENTHS, _ODD)
_LEVELS = st.lists(st.integers(0, 6000), min_size=0, max_size=4)
_BOOK = st.tuples(st.just("book"), _VENUES, st.integers(-3, 3), _LEVELS, _LEVELS)
_TRADE = st.tuples(st.just("trade"), _VENUES, _SIDES, _TICKS, st.integers(1, 2000))
_CANCEL = st.tuples(st.just("cancel"), _VENUES, st.integers(0, 30))
_OTHER = st.sampled_from([("cancel all", "upbit"), ("cancel all", "binance"), ("restart", "")])
_STEPS = st.lists(st.one_of(_PLACE, _PLACE, _BOOK, _TRADE, _TRADE, _CANCEL, _OTHER), max_size=30)

#: Little money, so that the last unit of it is often at stake.
_FUNDS = {"upbit": {"KRW": Decimal(300_000), "XRP": Decimal(120)}, "binance": {"USDT": Decimal(200), "XRP": Decimal(120)}}


def _price(venue: str, ticks: int) -> Decimal:
    return Decimal(3000 + ticks) if venue == "upbit" else Decimal("2.14") + Decimal(ticks) / 10_000


class Check:
    """Drives the venues, and holds what they say against what was asked."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], OrderRequest] = {}  #: by venue and venue order id
        self.told: dict[str, dict[str, OrderReport]] = defaultdict(dict)  #: last push, by venue and venue order id
        self.pushed: dict[str, list[str]] = defaultdict(list)  #: trade ids that pushes told, by venue
        self.ahead: dict[tuple[str, int], Decimal] = {}
        self.count = 0

    def listen(self, w: World) -> None:
        for name, venue in w.venues.items():

            def tell(report: OrderReport, name: str = name) -> None:
                self.told[name][report.venue_order_id] = report
                self.pushed[name] += [fill.trade_id for fill in report.fills]

            venue.core.on_report = tell

    async def step(self, w: World, step: tuple[Any, ...]) -> None:
        what, name, *rest = step
        core, book = w.venues[name].core, w.books[name]
        code = next(iter(MARKETS[name]))
        if what == "place":
            side, tif, ticks, tenths, odd = rest
            qty = Decimal(tenths) / 10 + (Decimal(odd) / 10**8 if name == "upbit" else 0)
            self.count += 1
            request = OrderRequest(f"a{self.count}", code, side, qty, _price(name, ticks), tif)
            try:
                report = await core.execute(request)
            except OrderRejected:
                return
            self.requests[name, report.venue_order_id] = request
            assert report.state.is_final or tif is TimeInForce.GTC
            if tif is TimeInForce.FOK:
                assert report.filled_qty in (0, qty)
            assert all(fill.price <= request.price if side is Side.BUY else fill.price >= request.price for fill in report.fills)
        elif what == "book":
            middle, bids, asks = rest
            book.bid_levels = [(float(_price(name, middle - 1 - i)), size / 10) for i, size in enumerate(bids) if size]
            book.ask_levels = [(float(_price(name, middle + i)), size / 10) for i, size in enumerate(asks) if size]
            core.on_book(code)
        elif what == "trade":
            taker, ticks, size = rest
            before = len(core.fills_since(0))
            core.on_trade(code, float(_price(name, ticks)), size / 10, taker)
            given = [fill.qty for fill in core.fills_since(0)[before:]]
            assert sum(given, Decimal(0)) <= Decimal(size) / 10
        elif what == "cancel":
            cancelled = await core.cancel(f"a{rest[0]}")
            assert cancelled is None or cancelled.state is OrderState.CANCELED
        else:
            await core.cancel_all()
            assert core.open_orders() == ()
        await core.settled()

    def look(self, w: World) -> None:
        for name, venue in w.venues.items():
            core, market = venue.core, next(iter(MARKETS[name].values()))
            fills = core.fills_since(0)
            assert sorted(self.pushed[name]) == sorted(fill.trade_id for fill in fills)
            totals, locked = dict(_FUNDS[name]), dict.fromkeys(_FUNDS[name], Decimal(0))
            by_order: dict[str, list[Any]] = defaultdict(list)
            for fill in fills:
                sign = 1 if fill.side is Side.BUY else -1
                totals[fill.base] += sign * fill.qty
                totals[fill.quote] -= sign * fill.cost
                totals[fill.fee_currency] -= fill.fee
                assert fill.fee >= 0
                by_order[fill.venue_order_id].append(fill)
            for (venue_name, order_id), request in self.requests.items():
                if venue_name != name:
                    continue
                kept, told = core.record(int(order_id)), self.told[name][order_id]
                assert kept is not None
                assert (kept.state, kept.filled_qty) == (told.state, told.filled_qty)
                assert kept.filled_qty == sum((fill.qty for fill in by_order[order_id]), Decimal(0)) <= request.qty
                assert (kept.state is OrderState.FILLED) == (kept.filled_qty == request.qty)
                self._look_at_fees(market, request, by_order[order_id])
                self._look_at_place(name, kept, locked)
            for asset, balance in core.balances().items():
                assert balance.total == totals[asset]
                assert balance.locked == locked[asset]
                assert balance.free >= 0 <= balance.locked
                assert w.ledger.free(name, asset) == balance.free

    def _look_at_fees(self, market: Market, request: OrderRequest, fills: list[Any]) -> None:
        exact = Decimal(0)
        for fill in fills:
            maker = fill.liquidity == "maker"
            assert not maker or fill.price == request.price
            exact += exact_fee(market, request.side, Execution(fill.price, fill.qty), maker=maker)
        assert sum((fill.fee for fill in fills), Decimal(0)) == booked_fee(market, exact)

    def _look_at_place(self, name: str, kept: VenueOrder, locked: dict[str, Decimal]) -> None:
        if kept.state.is_final:
            assert kept.locked == 0
            return
        locked[kept.locked_asset] += kept.locked
        assert kept.locked >= kept.leaves_qty * (kept.price if kept.side is Side.BUY else 1)
        key = (name, kept.venue_order_id)
        assert kept.ahead <= self.ahead.get(key, Decimal("Infinity"))
        self.ahead[key] = kept.ahead


@settings(max_examples=150)
@given(_STEPS)
def test_value_is_conserved_and_every_promise_kept(steps: list[tuple[Any, ...]]) -> None:
    """Free, locked and fees add up to the last digit, over restarts too; no fill beyond quantity or price; queues only shrink."""

    async def main(folder: str) -> None:
        check, path = Check(), Path(folder) / "venue.db"
        async with AsyncExitStack() as stack:
            w = await stack.enter_async_context(world(path, _FUNDS))
            check.listen(w)
            for step in steps:
                if step[0] == "restart":
                    books = w.books
                    await stack.aclose()
                    w = await stack.enter_async_context(world(path, _FUNDS))
                    for name, book in books.items():
                        w.books[name].bid_levels, w.books[name].ask_levels = book.bid_levels, book.ask_levels
                    check.listen(w)
                else:
                    await check.step(w, step)
                check.look(w)

    assert FUNDS.keys() == _FUNDS.keys()
    with TemporaryDirectory() as folder:
        run_virtual(main(folder))
