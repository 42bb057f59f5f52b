"""What every order side promises, paper or live: one suite, the same for all."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.model.errors import OrderAbandoned, OrderRejected, OrderUnknown
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.sandbox.doors import door_of
from arbtui.sandbox.faults import WireFault, WireFaultKind
from tests.exchanges.contract.venues import FACTORIES, SCALE, Factory, VenueUnderTest, run

pytestmark = pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)

_SCALE = {quote: Decimal(repr(scale)) for quote, scale in SCALE.items()}


def _price(v: VenueUnderTest, tenths: int) -> str:
    """A price in tenths: 30 is the best ask, 29 the best bid."""
    return str(Decimal(tenths) * _SCALE[v.market.quote] / 10)


def _admit() -> None:
    """The gate says yes."""


async def _held(v: VenueUnderTest, asset: str) -> Decimal:
    return (await v.adapter.fetch_balances()).get(asset, Balance()).total


@pytest.mark.parametrize("side", Side)
def test_an_order_that_the_book_can_take_fills_whole_at_the_books_prices(factory: Factory, tmp_path: Path, side: Side) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            qty, bound, price = ("50", 31, ("3.0", "3.1")) if side is Side.BUY else ("120", 28, ("2.9", "2.8"))
            order = v.order(side, qty, _price(v, bound))
            report = await v.place(order, _admit)
            assert (report.state, report.filled_qty) == (OrderState.FILLED, order.qty)
            assert report.client_order_id == order.client_order_id
            assert report.venue_order_id
            assert sum(fill.qty for fill in report.fills) == order.qty
            assert {fill.price for fill in report.fills} == {Decimal(text) * _SCALE[v.market.quote] for text in price}
            for fill in report.fills:
                assert fill.cost == fill.qty * fill.price
                assert (fill.exchange, fill.market) == (v.adapter.name, v.market.code)
                assert (fill.client_order_id, fill.venue_order_id) == (order.client_order_id, report.venue_order_id)
                assert (fill.side, fill.base, fill.quote, fill.liquidity) == (side, v.market.base, v.market.quote, "taker")
            assert len({fill.trade_id for fill in report.fills}) == 2

    run(main)


def test_what_the_book_cannot_take_within_the_bound_expires(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            order = v.order(Side.BUY, "50", _price(v, 30))
            report = await v.place(order, _admit)
            assert (report.state, report.filled_qty) == (v.cut_off, Decimal(40))
            assert {fill.price for fill in report.fills} == {Decimal(_price(v, 30))}
            nothing = await v.place(v.order(Side.BUY, "50", _price(v, 29)), _admit)
            assert (nothing.state, nothing.filled_qty, nothing.fills) == (v.cut_off, Decimal(0), ())
            assert await v.adapter.fetch_open_orders() in ([], ())

    run(main)


def test_all_or_nothing_is_nothing_where_all_is_too_much(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            if not v.adapter.capabilities.immediate_orders:
                pytest.skip("it takes no immediate orders")
            killed = await v.place(v.order(Side.BUY, "50", _price(v, 30), TimeInForce.FOK), _admit)
            assert killed.state in (OrderState.EXPIRED, OrderState.CANCELED)
            assert killed.filled_qty == 0
            filled = await v.place(v.order(Side.BUY, "50", _price(v, 31), TimeInForce.FOK), _admit)
            assert (filled.state, filled.filled_qty) == (OrderState.FILLED, Decimal(50))

    run(main)


def test_balances_move_by_exactly_what_the_fills_say(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            base, quote = await _held(v, v.market.base), await _held(v, v.market.quote)
            for side, qty, bound in ((Side.BUY, "47.3", 31), (Side.SELL, "101.7", 28)):
                report = await v.place(v.order(side, qty, _price(v, bound)), _admit)
                for fill in report.fills:
                    sign = 1 if side is Side.BUY else -1
                    base += sign * fill.qty - (fill.fee if fill.fee_currency == fill.base else 0)
                    quote -= sign * fill.cost + (fill.fee if fill.fee_currency == fill.quote else 0)
                    assert fill.fee > 0
            assert (await _held(v, v.market.base), await _held(v, v.market.quote)) == (base, quote)

    run(main)


def test_a_refusal_of_the_gate_leaves_no_trace_at_the_venue(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            order = v.order(Side.BUY, "10", _price(v, 31))

            def refuse() -> None:
                raise OrderAbandoned("HALTED")

            before = v.requests()
            with pytest.raises(OrderAbandoned):
                await v.place(order, refuse)
            assert v.requests() == before
            assert await v.adapter.fetch_order(v.market.code, order.client_order_id) is None

    run(main)


def test_the_gate_is_asked_once_for_each_order(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            asked: list[None] = []
            await v.place(v.order(Side.BUY, "10", _price(v, 31)), lambda: asked.append(None))
            assert len(asked) == 1

    run(main)


def test_refusals_name_their_rule_first_and_nothing_of_the_order_stands(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            unit = v.market.price_units.at(Decimal(_price(v, 30)))
            off_grid = v.order(Side.BUY, "10", str(Decimal(_price(v, 30)) + unit / 2))
            tiny = v.order(Side.BUY, "1", _price(v, 10))
            fine = v.order(Side.BUY, str(Decimal(10) + v.market.lot_step / 2), _price(v, 31))
            poor = v.order(Side.SELL, "8000000", _price(v, 28))
            for order, word in ((off_grid, "PRICE_UNIT"), (tiny, "MIN_COST"), (fine, "LOT_STEP"), (poor, "INSUFFICIENT_FUNDS")):
                with pytest.raises(OrderRejected) as caught:
                    await v.place(order, _admit)
                assert caught.value.reason.split()[0] == word
                report = await v.adapter.fetch_order(v.market.code, order.client_order_id)
                assert report is None or (report.state, report.filled_qty) == (OrderState.REJECTED, Decimal(0))

    run(main)


def test_an_order_is_found_by_its_client_id_as_it_was_answered(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            for qty, bound in (("50", 31), ("70", 30), ("10", 29)):
                order = v.order(Side.BUY, qty, _price(v, bound))
                answered = await v.place(order, _admit)
                found = await v.adapter.fetch_order(v.market.code, order.client_order_id)
                assert found is not None
                assert (found.state, found.filled_qty, found.venue_order_id) == (
                    answered.state,
                    answered.filled_qty,
                    answered.venue_order_id,
                )
                key = {(fill.trade_id, fill.qty, fill.price, fill.fee, fill.fee_currency) for fill in answered.fills}
                assert {(fill.trade_id, fill.qty, fill.price, fill.fee, fill.fee_currency) for fill in found.fills} == key
            assert await v.adapter.fetch_order(v.market.code, "a0neversent") is None

    run(main)


def test_a_client_id_is_never_filled_twice(factory: Factory, tmp_path: Path) -> None:
    """Binance takes an id again once its order has ended, so there the engine's rule must hold: no order is ever sent again."""

    async def main() -> None:
        async with factory(tmp_path) as v:
            order = v.order(Side.BUY, "10", _price(v, 20), TimeInForce.GTC)
            await v.place(order, _admit)
            with pytest.raises((OrderRejected, OrderUnknown)):
                await v.place(order, _admit)
            found = await v.adapter.fetch_order(v.market.code, order.client_order_id)
            assert found is not None
            assert not found.state.is_final
            assert len(await v.adapter.fetch_open_orders()) == 1

    run(main)


def test_every_fill_is_listed_once_from_the_time_asked_for(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            told: list[Fill] = []
            for side, qty, bound in ((Side.BUY, "50", 31), (Side.SELL, "120", 28)):
                told += (await v.place(v.order(side, qty, _price(v, bound)), _admit)).fills
            listed = await v.adapter.fetch_fills(0)
            assert {fill.trade_id for fill in listed} == {fill.trade_id for fill in told}
            assert len(listed) == len(told) == 4
            assert {fill.client_order_id for fill in listed} == {fill.client_order_id for fill in told}
            assert [fill.ts_event for fill in listed] == sorted(fill.ts_event for fill in listed)
            assert len(await v.adapter.fetch_fills(min(fill.ts_event for fill in listed))) == 4
            assert await v.adapter.fetch_fills(max(fill.ts_event for fill in listed) + 3_600_000) in ([], ())

    run(main)


def test_a_resting_order_is_listed_and_cancelled_and_cancelling_again_is_no_error(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            order = v.order(Side.BUY, "10", _price(v, 20), TimeInForce.GTC)
            report = await v.place(order, _admit)
            assert (report.state, report.filled_qty) == (OrderState.ACCEPTED, Decimal(0))
            assert [found.client_order_id for found in await v.adapter.fetch_open_orders()] == [order.client_order_id]
            assert (await v.adapter.fetch_balances())[v.market.quote].locked > 0
            for _ in range(2):
                await v.adapter.cancel(v.market.code, order.client_order_id)
            await v.adapter.cancel(v.market.code, "a0neversent")
            found = await v.adapter.fetch_order(v.market.code, order.client_order_id)
            assert found is not None
            assert found.state is OrderState.CANCELED
            assert (await v.adapter.fetch_balances())[v.market.quote].locked == 0

    run(main)


def test_cancel_all_leaves_nothing_open(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            for tenths in (19, 20, 21):
                await v.place(v.order(Side.BUY, "10", _price(v, tenths), TimeInForce.GTC), _admit)
            assert len(await v.adapter.fetch_open_orders()) == 3
            assert await v.adapter.cancel_all() == 3
            assert await v.adapter.fetch_open_orders() in ([], ())
            assert await v.adapter.cancel_all() == 0

    run(main)


@dataclass
class Ear(AccountEvents):
    """Whoever listens."""

    fills: dict[str, int] = field(default_factory=dict)
    ended: dict[str, OrderState] = field(default_factory=dict)
    balances: dict[str, Balance] = field(default_factory=dict)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_order(self, report: OrderReport) -> None:
        for fill in report.fills:
            self.fills[fill.trade_id] = self.fills.get(fill.trade_id, 0) + 1
        if report.state.is_final:
            self.ended[report.client_order_id] = report.state
        self.news.set()

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.balances.update(balances)
        self.news.set()

    def on_reconnected(self, exchange: str) -> None:
        self.opened.set()

    def on_disconnected(self, exchange: str) -> None:
        self.opened.clear()


def test_the_stream_tells_every_fill_and_every_end(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            ear = Ear()
            task = asyncio.create_task(v.adapter.run(ear))
            await ear.opened.wait()
            answered = [
                await v.place(v.order(side, qty, _price(v, bound)), _admit)
                for side, qty, bound in ((Side.BUY, "50", 31), (Side.SELL, "200", 29), (Side.BUY, "10", 25))
            ]
            wanted = {fill.trade_id for report in answered for fill in report.fills}
            held = await v.adapter.fetch_balances()

            def complete() -> bool:
                ended = ear.ended == {report.client_order_id: report.state for report in answered}
                return ended and set(ear.fills) == wanted and all(held[asset] == ear.balances[asset] for asset in ear.balances)

            while not complete():
                ear.news.clear()
                await ear.news.wait()
            assert set(ear.fills.values()) == {1}
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(main)


def test_closing_is_quick_and_may_be_done_twice(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            await v.place(v.order(Side.BUY, "10", _price(v, 31)), _admit)
            async with asyncio.timeout(30):
                await v.adapter.close()
                await v.adapter.close()

    run(main)


def test_a_market_that_halts_is_not_among_those_that_trade(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            code = v.market.code
            assert code in await v.adapter.fetch_trading([code])
            if v.sandbox is None:
                v.core.on_halt(code, True)
            else:
                v.sandbox.fault(WireFault(v.adapter.name, WireFaultKind.HALT, symbol=code))
            trading = await v.adapter.fetch_trading([code])
            assert (code in trading) is not v.adapter.capabilities.lists_tell_halts

    run(main)


def test_rules_are_read_again_as_they_were_read_at_the_start_and_of_the_markets_alone_that_are_asked_for(
    factory: Factory, tmp_path: Path
) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            code = v.market.code
            told = await v.adapter.fetch_rules([code])
            if v.sandbox is None:
                assert told is None, "a played venue tells none"
                return
            assert told is not None
            assert list(told) == [code]
            assert asdict(told[code]) == asdict(v.adapter.markets[code])
            if v.adapter.name != "okx":  # whose rules here are a fault already (:data:`LEAST_COST`)
                v.sandbox.fault(WireFault(v.adapter.name, WireFaultKind.RULES, symbol=code, min_cost="77777"))
                changed = await v.adapter.fetch_rules([code, "XXX-NONE"])
                assert changed is not None
                assert list(changed) == [code]
                assert changed[code].min_cost >= 77777 > told[code].min_cost
            v.sandbox.fault(WireFault(v.adapter.name, WireFaultKind.HALT, symbol=code))
            assert await v.adapter.fetch_rules([code]) == {}

    run(main)


def test_a_venue_tells_what_it_warns_of_or_that_it_tells_nothing(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            code, name = v.market.code, v.adapter.name
            flags = door_of(name).flags if v.sandbox is not None else ()
            assert v.adapter.capabilities.flags is bool(flags)
            told = await v.adapter.fetch_trading([code])
            assert told[code] == (frozenset() if flags else None)
            if v.sandbox is None or not flags:
                return
            v.sandbox.fault(WireFault(name, WireFaultKind.FLAG, symbol=code, words=",".join(flags)))
            after = await v.adapter.fetch_trading([code])
            assert after[code] is not None
            assert {flag.word for flag in after[code] or ()} == set(flags)
            assert [flag.word for flag in after[code] or () if flag.is_grave] == [flags[0]]
            assert all(not one for other, one in after.items() if other != code)

    run(main)
