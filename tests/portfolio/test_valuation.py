"""``value``: one split of profit and loss, whose parts add up to the change of equity between any two moments."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, fields
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.journal.events import Adjusted, BalanceOpened, CycleState, ResidualSettled, Transferred
from arbtui.model.money import DIGITS, ONE, ZERO
from arbtui.model.order import OrderState, Side
from arbtui.portfolio.accounts import fill_changes
from arbtui.portfolio.counters import Baseline, Counters
from arbtui.portfolio.valuation import Pnl, Valuation, value
from tests.portfolio.telling import START, Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1")}
SETTLEMENT = ("KRW", "USDT")


def _parts(pnl: Pnl) -> dict[str, Decimal]:
    return {item.name: getattr(pnl, item.name) for item in fields(pnl) if item.name != "unpriced"}


def test_what_a_cycle_earns_by_hand() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)), leg(1, "upbit", Side.SELL, Decimal("9.99"), Decimal(3030)))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1", fee=Decimal("0.01"), fee_currency="XRP"), PRICES)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal("9.99"), Decimal(3030), "t2", fee=Decimal("15.13485")), PRICES)
    tell.end("c1")
    pnl = tell.portfolio.pnl_since(tell.portfolio.state.run)
    trading = 10 * PRICES["XRP"] - 20 - Decimal("9.99") * PRICES["XRP"] + Decimal("30269.7") * PRICES["KRW"]
    fees = Decimal("0.01") * PRICES["XRP"] + Decimal("15.13485") * PRICES["KRW"]
    assert (pnl.trading, pnl.fees, pnl.fx_stock, pnl.inventory) == (trading, fees, ZERO, ZERO)
    assert pnl.total == pnl.realised == Decimal("30254.56515") * PRICES["KRW"] - 20  # all that is left over: money
    account = tell.portfolio.cycle("c1")
    assert account is not None
    assert account.pnl == pnl.total


def test_a_rise_of_the_won_is_currency_and_a_rise_of_the_coin_is_inventory() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    assert _parts(tell.portfolio.pnl_since(tell.portfolio.state.run)) == _parts(Pnl())
    tell.marks({"KRW": Decimal("0.0008")})
    won = tell.portfolio.pnl_since(tell.portfolio.state.run)
    assert _parts(won) == _parts(Pnl(fx_stock=Decimal(30)))
    tell.marks({"XRP": Decimal("3.1")})
    assert _parts(tell.portfolio.pnl_since(tell.portfolio.state.run)) == _parts(Pnl(fx_stock=Decimal(30), inventory=Decimal(200)))


def test_won_that_cycles_left_open_is_revalued_apart_from_the_stock_of_it() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000)))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1"), PRICES)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "t2", fee=Decimal(15)), PRICES)
    began_ms = tell.now_ms
    (won,) = tell.portfolio.open_fx()
    assert (won.amount, won.value, won.since_ms) == (Decimal(29_985), Decimal(29_985) * PRICES["KRW"], began_ms)
    assert tell.portfolio.pnl_since(tell.portfolio.state.run).fx_open == ZERO  # the rate has not moved yet
    tell.marks({"KRW": Decimal("0.0008")})
    pnl = tell.portfolio.pnl_since(tell.portfolio.state.run)
    assert (pnl.fx_open, pnl.fx_stock) == (Decimal("2.9985"), Decimal(30))
    span = Baseline("", tell.now_ms, tell.portfolio.state.counters.copy(), tell.portfolio.prices())
    tell(Adjusted("upbit", "KRW", Decimal(-100_000), "taken out", "operator"))  # moves the target, and leaves nothing open
    assert tell.portfolio.open_amount("KRW") == Decimal(29_985)
    tell.marks({"KRW": Decimal("0.0007")})
    since = tell.portfolio.pnl_since(span)
    assert (since.fx_open, since.fx_stock) == (Decimal("-2.9985"), Decimal(-20))
    assert since.total == tell.portfolio.value().equity - tell.portfolio.value_at(span).equity - since.adjustments


def test_a_trade_of_the_won_itself_closes_it_costs_what_it_costs_and_is_no_loss_of_a_route() -> None:
    tell = Telling().start(balances={"upbit": {"KRW": Decimal(300_000), "USDT": Decimal(100)}, "binance": {"USDT": Decimal(200)}})
    tell.marks({"KRW": PRICES["KRW"]}, "start")
    tell.open("n1", leg(0, "upbit", Side.BUY, Decimal(20), Decimal(1430), base="USDT"), route="USDT/KRW:upbit:buy", value=0.0)
    bought = fill_of("upbit", Side.BUY, Decimal(20), Decimal(1430), "t1", base="USDT", fee=Decimal(20), client_order_id="n1-0")
    tell.fill("n1", bought, {"KRW": PRICES["KRW"], "USDT": ONE})
    tell.order("n1-0", OrderState.FILLED, Decimal(20))
    tell.end("n1")
    cost = Decimal(28_620) * PRICES["KRW"] - 20
    (won,) = tell.portfolio.open_fx()
    assert (won.amount, won.converted, won.cost) == (Decimal(-28_620), Decimal(28_600) * PRICES["KRW"], cost)
    cycle = tell.portfolio.cycle("n1")
    assert cycle is not None
    assert (cycle.state, -cycle.pnl, cycle.dust(SETTLEMENT)) == (CycleState.HEDGED, cost, {})
    assert tell.portfolio.state.routes["USDT/KRW:upbit:buy"].losses == 0
    late = fill_of("upbit", Side.BUY, Decimal(1), Decimal(1430), "t2", base="USDT", client_order_id="n1-0")
    tell.fill("n1", late, {"KRW": PRICES["KRW"], "USDT": ONE})
    assert cycle.state is CycleState.HEDGED
    assert tell.portfolio.state.routes["USDT/KRW:upbit:buy"].losses == 0
    assert tell.portfolio.open_amount("KRW") == Decimal(-30_050)
    tell.fill("n1", fill_of("upbit", Side.SELL, Decimal(22), Decimal(1430), "t3", base="USDT"), {"KRW": PRICES["KRW"], "USDT": ONE})
    (won,) = tell.portfolio.open_fx()
    assert (won.amount, won.since_ms) == (Decimal(1410), tell.now_ms)  # the other side of zero: its age begins anew
    tell.fill("n1", fill_of("upbit", Side.BUY, Decimal(1), Decimal(1410), "t4", base="USDT"), {"KRW": PRICES["KRW"], "USDT": ONE})
    (won,) = tell.portfolio.open_fx()
    assert (won.amount, won.since_ms) == (ZERO, None)


def test_moving_stock_costs_what_the_network_took_and_is_no_adjustment() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell(Transferred("upbit", "binance", "XRP", Decimal(50), Decimal(49), "by hand"))
    assert _parts(tell.portfolio.pnl_since(tell.portfolio.state.run)) == _parts(Pnl(rotation=-PRICES["XRP"]))


def test_what_came_from_outside_is_no_profit() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell(Adjusted("upbit", "KRW", Decimal(-1000), "taken out", "operator"))
    tell(Adjusted("binance", "USDT", Decimal(5), "put in", "operator"))
    pnl = tell.portfolio.pnl_since(tell.portfolio.state.run)
    assert (pnl.total, pnl.adjustments) == (ZERO, Decimal("4.3"))


def test_an_asset_without_a_price_is_named_and_not_counted_as_nothing() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"]}, "start")
    worth = tell.portfolio.value()
    assert worth.so_far.unpriced == ("XRP",)
    assert worth.equity == Decimal(300_000) * PRICES["KRW"] + 200
    tell.marks({"XRP": PRICES["XRP"]})
    assert tell.portfolio.value().so_far.unpriced == ()
    # Its first price counts from the beginning: a book that came late has earned nothing.
    assert tell.portfolio.pnl_since(tell.portfolio.state.run).total == 0


def test_a_coin_that_a_fill_priced_is_priced_from_then_on() -> None:
    """Between that fill and the next marks a ledger must add up as well, and a crash may make it the last word."""
    tell = Telling().start(balances={"binance": {"USDT": Decimal(200)}})
    tell.marks({}, "start")
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1"), {"XRP": Decimal("1.9"), "USDT": ONE})
    worth = tell.portfolio.value()
    assert (worth.equity, worth.so_far.unpriced) == (Decimal(199), ())
    assert tell.portfolio.pnl_since(tell.portfolio.state.run).total == -1


def test_a_fill_without_prices_counts_at_the_first_ones() -> None:
    tell = Telling().start(balances={"binance": {"USDT": Decimal(200)}})
    tell.marks({}, "start")
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1", fee=Decimal("0.1"), fee_currency="BNB"), {"USDT": ONE})
    assert tell.portfolio.value().so_far.unpriced == ("BNB", "XRP")
    tell.marks({"XRP": Decimal("1.9"), "BNB": Decimal(500)})
    pnl = tell.portfolio.pnl_since(tell.portfolio.state.run)
    assert (pnl.trading, pnl.fees, pnl.inventory) == (-ONE, Decimal(50), ZERO)
    tell.marks({"XRP": Decimal("2.9")})
    assert tell.portfolio.pnl_since(tell.portfolio.state.run).inventory == 10


def test_valuing_changes_nothing_whoever_asks() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1", fee=Decimal("0.1"), fee_currency="BNB"), PRICES)
    before = deepcopy(tell.portfolio.dump())
    first = [tell.portfolio.value(), tell.portfolio.value({"XRP": ONE}), tell.portfolio.value({})]
    again = [tell.portfolio.value(), tell.portfolio.value({"XRP": ONE}), tell.portfolio.value({})]
    assert first == again
    assert tell.portfolio.dump() == before


def test_nothing_is_worth_nothing() -> None:
    assert value(Counters(), {}, "USDT", SETTLEMENT).equity == 0
    assert value(Counters(), {}, "USDT", SETTLEMENT).so_far == Pnl()


def test_a_ledger_prints_a_total_that_its_own_parts_add_up_to() -> None:
    third = Decimal(1) / 3
    printed = Pnl(trading=third, fees=third / 7, fx_stock=third, inventory=-2 * third).payload("USDT")
    assert printed["currency"] == "USDT"
    parts = {name: Decimal(text) for name, text in printed.items() if name not in ("currency", "total", "adjustments")}
    assert Decimal(printed["total"]) == sum(parts.values()) - 2 * parts["fees"]


# Any history at all: what the fold says of a span against bookkeeping beside it.

_ASSETS = ("KRW", "USDT", "XRP", "ADA", "BNB")
_PLACES = {"upbit": ("KRW", "XRP", "ADA"), "binance": ("USDT", "XRP", "ADA", "BNB")}
_qty = st.integers(1, 10_000).map(lambda n: Decimal(n) / 10)
_price = st.integers(1, 10_000).map(lambda n: Decimal(n) / 1000)


@dataclass
class Moment:
    """Where a span began: what was held of each asset, and what has come from outside since."""

    baseline: Callable[[], Baseline | None]
    held: dict[str, Decimal]
    outside: list[tuple[str, Decimal, Decimal | None]] = field(default_factory=list)


class History:
    """Draws what happens next, tells it, and keeps the simplest books of it that there can be."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw: Callable[[st.SearchStrategy[Any]], Any] = data.draw
        self.tell = Telling()
        self.seen: dict[str, Decimal] = {}  #: what books say now, taken or not
        self.firsts: dict[str, Decimal] = {}  #: the first price of each asset that any event told
        self.moments: list[Moment] = []
        self.count = 0

    @property
    def held(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for amounts in self.tell.portfolio.state.balances.values():
            for asset, amount in amounts.items():
                found[asset] = found.get(asset, ZERO) + amount
        return found

    def begin(self, run_id: str) -> None:
        opening = not self.moments
        self.tell.start(run_id)
        state = self.tell.portfolio.state
        baseline = state.run
        assert baseline is not None
        self.moments = [moment for moment in self.moments if moment.baseline() is not None]
        self.moments.append(Moment(lambda: baseline if state.run is baseline else None, self.held))
        if opening:  # since ever: what it began with is there when it begins
            self.moments.append(Moment(lambda: None, self.held))

    def step(self) -> None:
        self.count += 1
        kind = self.draw(st.sampled_from(["fill", "fill", "fill", "prices", "marks", "adjust", "transfer", "write off", "span", "run"]))
        match kind:
            case "fill":
                self.fill()
            case "prices":
                self.seen[self.draw(st.sampled_from([asset for asset in _ASSETS if asset != "USDT"]))] = self.draw(_price)
            case "marks":
                self.take("time")
            case "adjust":
                exchange, asset = self.place()
                change = self.draw(_qty) * self.draw(st.sampled_from([1, -1]))
                self.tell(Adjusted(exchange, asset, change, "", "operator"))
                self.outside(asset, change)
            case "transfer":
                asset = self.draw(st.sampled_from(["XRP", "ADA"]))
                sent = self.draw(_qty)
                received = sent - self.draw(st.sampled_from([ZERO, Decimal("0.05")]))
                self.tell(Transferred("upbit", "binance", asset, sent, received, ""))
            case "write off":
                for cycle in self.tell.portfolio.positions[:1]:
                    self.tell(ResidualSettled(cycle.id, "written off", "me", ""))
            case "span":
                span = Baseline("", self.tell.now_ms, self.tell.portfolio.state.counters.copy(), self.tell.portfolio.prices())
                self.tell.portfolio.spans.append(span)
                self.moments.append(Moment(lambda: span, self.held))
            case _:
                self.begin(f"r{self.count}")

    def fill(self) -> None:
        exchange = self.draw(st.sampled_from(["upbit", "binance"]))
        base = self.draw(st.sampled_from(["XRP", "ADA"]))
        side, qty, price = self.draw(st.sampled_from(Side)), self.draw(_qty), self.draw(_price)
        cycle = f"c{self.count}"
        told = fill_of(exchange, side, qty, price, f"t{self.count}", base=base, client_order_id=f"{cycle}-0")
        fee_currency = self.draw(st.sampled_from([base, told.quote, "BNB"]))
        told = fill_of(
            exchange, side, qty, price, f"t{self.count}", base=base, client_order_id=f"{cycle}-0", fee=qty / 1000, fee_currency=fee_currency
        )
        most_cost = self.draw(st.sampled_from([ZERO, ONE]))  # also a reverse trade: its flows are rotation
        self.tell.open(cycle, leg(0, exchange, side, qty, price, base=base), most_cost=most_cost)
        moved = [asset for asset, _ in (*fill_changes(told), (fee_currency, ZERO))]
        marks = {asset: self.seen[asset] for asset in moved if asset in self.seen}
        for asset, price_then in marks.items():
            self.firsts.setdefault(asset, price_then)
        self.tell.fill(cycle, told, marks)
        self.tell.order(f"{cycle}-0", OrderState.FILLED, qty)
        if self.draw(st.booleans()):
            self.tell.end(cycle)

    def take(self, cause: Any) -> None:
        held = {asset: self.seen[asset] for asset in self.held if asset in self.seen}
        for asset, price in held.items():
            self.firsts.setdefault(asset, price)
        self.tell.marks(held, cause)

    def place(self) -> tuple[str, str]:
        exchange = self.draw(st.sampled_from(sorted(_PLACES)))
        return exchange, self.draw(st.sampled_from(_PLACES[exchange]))

    def mark(self, asset: str) -> Decimal | None:
        return self.tell.portfolio.prices().get(asset)

    def outside(self, asset: str, change: Decimal) -> None:
        for moment in self.moments:
            moment.outside.append((asset, change, self.mark(asset)))

    def check(self) -> None:
        portfolio = self.tell.portfolio
        prices = portfolio.prices()
        assert portfolio.value().equity == sum((qty * prices[asset] for asset, qty in self.held.items() if asset in prices), ZERO)
        for moment in self.moments:
            baseline = moment.baseline()
            first = {**self.firsts, "USDT": ONE}
            before = first if baseline is None else baseline.marks
            start = sum((qty * before[asset] for asset, qty in moment.held.items() if asset in before), ZERO)
            outside = sum((change * (first.get(asset, ZERO) if mark is None else mark) for asset, change, mark in moment.outside), ZERO)
            pnl = portfolio.pnl_since(baseline)
            assert pnl.adjustments == outside
            assert pnl.total == portfolio.value().equity - start - outside
            assert pnl.total == pnl.trading - pnl.fees + pnl.fx_open + pnl.fx_stock + pnl.inventory + pnl.rotation


@settings(max_examples=150)
@given(st.data())
def test_any_history_between_any_two_moments_adds_up(data: st.DataObject) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        history = History(data)
        history.begin("r0")
        for asset in data.draw(st.sets(st.sampled_from(["KRW", "XRP", "ADA", "BNB"]))):
            history.seen[asset] = data.draw(_price)
        for _ in range(data.draw(st.integers(1, 25))):
            history.step()
            history.check()


@pytest.mark.parametrize("cause", ["start", "day"])
def test_a_run_counts_from_the_prices_of_its_start_and_a_day_from_those_of_its_midnight(cause: str) -> None:
    tell = Telling().start()
    tell.marks(PRICES, "start", "2026-01-01")
    tell.marks({"XRP": Decimal("2.5")})
    if cause == "start":  # another run, whose books came a moment after it began
        tell.start("r2")
        tell.marks({"XRP": Decimal("2.6")}, "start", "2026-01-01")
    else:
        tell.marks({"XRP": Decimal("2.6")}, "day", "2026-01-02")
    tell.marks({"XRP": Decimal("2.7")})
    state = tell.portfolio.state
    assert state.day is not None
    assert state.day.name == ("2026-01-01" if cause == "start" else "2026-01-02")
    per_tick = Decimal("0.1") * sum(held["XRP"] for held in START.values())
    counted = {"run": tell.portfolio.pnl_since(state.run).inventory, "day": tell.portfolio.pnl_since(state.day).inventory}
    assert counted == {"run": per_tick if cause == "start" else 6 * per_tick, "day": 6 * per_tick if cause == "start" else per_tick}


def test_a_second_venue_that_opens_later_was_always_there() -> None:
    """The balances of a first start come one venue after the other, and a slow one may come after prices."""
    tell = Telling().start(balances={"binance": START["binance"]})
    tell.marks(PRICES, "start")
    tell(*(BalanceOpened("upbit", asset, total) for asset, total in START["upbit"].items()))
    pnl = tell.portfolio.pnl_since(tell.portfolio.state.run)
    assert _parts(pnl) == _parts(Pnl())


def _d(**amounts: str) -> dict[str, Decimal]:
    return {asset: Decimal(amount) for asset, amount in amounts.items()}


def test_every_part_in_exact_numbers_with_what_moved_before_there_was_a_mark() -> None:
    """A won at 0.001, a coin at 2. What moved unvalued counts at the mark of now, in its part and as known."""
    counters = Counters(
        qty=_d(USDT="100", KRW="1400", XRP="10", DOGE="5", ADA="0", SOL="0"),
        trading=Decimal(7),
        fees=Decimal(1),
        adjustments=Decimal(2),
        rotation=Decimal(3),
        booked=_d(KRW="0.5", XRP="20"),
        external=_d(USDT="93", KRW="0.4", XRP="1"),
        unvalued_trading=_d(KRW="50", XRP="2"),
        unvalued_fees=_d(KRW="10", XRP="0.5", ADA="1"),
        unvalued_opening=_d(XRP="3"),
        unvalued_adjusted=_d(XRP="1"),
        unvalued_rotated=_d(KRW="20", XRP="4"),
        unvalued_retargeted=_d(KRW="100"),
        open_fx=_d(KRW="700"),
    )
    found = value(counters, _d(USDT="1", KRW="0.001", XRP="2"), "USDT", ("KRW", "USDT"))
    assert found.equity == Decimal("121.4")
    assert found.so_far == Pnl(
        trading=7 + Decimal("0.05") + 4,
        fees=1 + Decimal("0.01") + 1,
        fx_open=Decimal("0.7") - (Decimal("0.5") + Decimal("0.05") - Decimal("0.01") + Decimal("0.02") - Decimal("0.1")),
        fx_stock=Decimal("1.4") - Decimal("0.96") - Decimal("0.24"),
        inventory=20 - (20 + 4 - 1 + 1 + 2 + 6 + Decimal(8)),
        rotation=3 + Decimal("0.02") + 8,
        adjustments=2 + Decimal(2),
        unpriced=("ADA", "DOGE"),
    )


def test_a_total_is_that_of_its_parts_and_a_span_is_the_difference_of_each() -> None:
    end = Pnl(Decimal(10), Decimal(2), Decimal(3), Decimal(4), Decimal(5), Decimal(6), Decimal(7), ("X",))
    begin = Pnl(Decimal(1), Decimal(1), Decimal(1), Decimal(1), Decimal(2), Decimal(2), Decimal(3), ("Y",))
    assert end.total == 10 - 2 + 3 + 4 + 5 + 6
    assert end.realised == 8
    span = Valuation(Decimal(9), end).since(Valuation(Decimal(1), begin))
    assert span == Pnl(Decimal(9), Decimal(1), Decimal(2), Decimal(3), Decimal(3), Decimal(4), Decimal(4), ("X",))
    assert Pnl(trading=Decimal("0.000000014"), fx_open=Decimal("0.000000014")).payload("USDT") == {
        "currency": "USDT", "total": "0.00000002", "trading": "0.00000001", "fees": "0", "fx_open": "0.00000001", "fx_stock": "0",
        "inventory": "0", "rotation": "0", "adjustments": "0",
    }  # fmt: skip
