"""``Portfolio.apply``: what each event means for balances, reservations, cycles, positions, losses and the trading state."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from arbtui.journal.events import (
    Adjusted,
    BalanceDisputed,
    CycleAcknowledged,
    CycleState,
    DisputeClosed,
    Event,
    Killed,
    PlannedLeg,
    Rearmed,
    Recorded,
    ResidualSettled,
    RouteSwitched,
    SettlementBegan,
    StateChanged,
    Transferred,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side
from arbtui.portfolio.accounts import CycleAccount, Settled, fill_changes
from arbtui.portfolio.portfolio import Portfolio
from arbtui.routes.hops import Node
from tests.portfolio.telling import START, Telling, fill_of, intent_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))


def _account(tell: Telling, cycle_id: str = "c1") -> CycleAccount:
    account = tell.portfolio.cycle(cycle_id)
    assert account is not None
    return account


def bought(qty: str, trade: str = "t1", fee: str = "0", fee_currency: str = "USDT", order: str = "c1-0") -> Fill:
    """A purchase at Binance for 2 USDT apiece."""
    return fill_of("binance", Side.BUY, Decimal(qty), Decimal(2), trade, fee=Decimal(fee), fee_currency=fee_currency, client_order_id=order)


def sold(qty: str, trade: str = "t2", order: str = "c1-1", price: str = "3000") -> Fill:
    """A sale at Upbit."""
    return fill_of("upbit", Side.SELL, Decimal(qty), Decimal(price), trade, client_order_id=order)


# balances and reservations


def test_what_a_cycle_set_aside_no_other_may_use_until_it_ends() -> None:
    tell = Telling().start()
    portfolio = tell.portfolio
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(150)),))
    assert portfolio.available("binance", "USDT") == 50
    assert portfolio.available("binance", "USDT", "c1") == 200  # its own is its own
    assert portfolio.available("upbit", "KRW") == 300_000  # another venue's cash is another balance
    tell.open("c2", BUY, reserved=(("binance", "USDT", Decimal(30)),))
    assert (portfolio.available("binance", "USDT"), portfolio.available("binance", "USDT", "c2")) == (Decimal(20), Decimal(50))
    tell.end("c1")
    assert portfolio.available("binance", "USDT") == 170
    tell.end("c2")
    assert portfolio.available("binance", "USDT") == 200


def test_a_partial_fill_uses_up_its_part_of_the_reservation() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(21)),))
    tell.fill("c1", bought("4"), PRICES)
    assert tell.portfolio.total("binance", "USDT") == 192
    assert tell.portfolio.reserved("binance", "USDT") == 13
    assert tell.portfolio.available("binance", "USDT") == 179
    # What came in is kept as well: it pays for taking the leg back.
    assert (tell.portfolio.total("binance", "XRP"), tell.portfolio.available("binance", "XRP")) == (Decimal(104), Decimal(100))


def test_more_spent_than_was_set_aside_reserves_nothing_and_never_frees_more_than_there_is() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(5)),))
    tell.fill("c1", bought("10"), PRICES)
    assert tell.portfolio.reserved("binance", "USDT") == 0
    assert tell.portfolio.available("binance", "USDT") == tell.portfolio.total("binance", "USDT") == 180


def test_a_fee_in_the_coin_leaves_the_coin_and_a_third_coin_can_pay_it() -> None:
    tell = Telling().start()
    tell.fill("c1", bought("10", fee="0.01", fee_currency="XRP"), PRICES)
    tell.fill("c1", bought("10", "t2", fee="0.001", fee_currency="BNB"), PRICES)
    held = tell.portfolio.state.balances["binance"]
    assert held == {"USDT": Decimal(160), "XRP": Decimal("119.99"), "BNB": Decimal("-0.001")}


def test_the_venue_is_compared_asset_by_asset_absent_ones_too() -> None:
    tell = Telling().start()
    assert tell.portfolio.differences("upbit", {"KRW": Decimal(300_000), "XRP": Decimal(100)}) == []
    assert tell.portfolio.differences("upbit", {"KRW": Decimal(300_000), "DOGE": ONE}) == [
        ("XRP", Decimal(100), ZERO),
        ("DOGE", ZERO, ONE),
    ]
    tell(Adjusted("upbit", "DOGE", ONE, "held when it was first asked", "first seen"))
    assert tell.portfolio.total("upbit", "DOGE") == 1


_TOUCH: dict[str, Callable[[Telling], None]] = {
    "opened": lambda tell: tell.open("c2", BUY, reserved=(("binance", "USDT", ONE),)),
    "filled": lambda tell: tell.fill("c1", bought("1"), PRICES),
    "ended": lambda tell: tell.end("c1"),
    "adjusted": lambda tell: tell(Adjusted("upbit", "KRW", ONE, "", "operator")),
    "moved": lambda tell: tell(Transferred("upbit", "binance", "XRP", ONE, ONE, "")),
}


@pytest.mark.parametrize("what", _TOUCH)
def test_whatever_changes_an_amount_reaches_the_routes(what: str) -> None:
    tell = Telling().start()
    nodes = {(exchange, asset): Node(exchange, asset) for exchange, held in START.items() for asset in held}
    tell.portfolio.follow(nodes)
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(20)),))
    _TOUCH[what](tell)
    state = tell.portfolio.state
    for (exchange, asset), node in nodes.items():
        assert node.available == float(tell.portfolio.available(exchange, asset))
        assert node.target == float(state.targets[exchange][asset])


def test_stock_that_was_moved_or_adjusted_is_full_at_its_new_amount() -> None:
    tell = Telling().start()
    tell(Transferred("upbit", "binance", "XRP", Decimal(40), Decimal(39), ""), Adjusted("binance", "XRP", ONE, "", "operator"))
    tell.fill("c1", bought("5"), PRICES)  # trading moves the stock away from its target, not the target
    targets = tell.portfolio.state.targets
    assert (targets["upbit"]["XRP"], targets["binance"]["XRP"]) == (Decimal(60), Decimal(140))


class Spending(RuleBasedStateMachine):
    """Any order of opening, filling and ending cycles, against plain bookkeeping beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.tell = Telling().start()
        self.portfolio = self.tell.portfolio
        self.nodes = {(exchange, asset): Node(exchange, asset) for exchange, held in START.items() for asset in held}
        self.portfolio.follow(self.nodes)
        self.totals = {(exchange, asset): total for exchange, held in START.items() for asset, total in held.items()}
        self.open: dict[str, PlannedLeg] = {}
        self.kept: dict[str, dict[tuple[str, str], Decimal]] = {}
        self.count = 0

    @rule(exchange=st.sampled_from(sorted(START)), side=st.sampled_from(Side), tenths=st.integers(1, 1000), price=st.integers(1, 4000))
    def begin(self, exchange: str, side: Side, tenths: int, price: int) -> None:
        self.count += 1
        planned = leg(0, exchange, side, Decimal(tenths) / 10, Decimal(price))
        place = (exchange, planned.quote if side is Side.BUY else "XRP")
        needed = planned.qty * planned.price if side is Side.BUY else planned.qty
        if self.portfolio.available(*place) < needed:  # as the gate asks
            return
        name = f"c{self.count}"
        self.tell.open(name, planned, reserved=((*place, needed),))
        self.open[name] = planned
        self.kept[name] = {place: needed}

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data(), share=st.integers(1, 10), better=st.integers(0, 50))
    def fill(self, data: st.DataObject, share: int, better: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.open)))
        planned = self.open[name]
        place = next(iter(self.kept[name]))  # what it was opened with
        qty = planned.qty * share / 100
        if self.kept[name][place] < (qty * planned.price if planned.side is Side.BUY else qty):
            return
        sign = -1 if planned.side is Side.BUY else 1
        price = planned.price * (1 + Decimal(sign * better) / 1000)
        self.count += 1
        told = fill_of(planned.exchange, planned.side, qty, price, f"t{self.count}", client_order_id=f"{name}-0")
        for asset, change in fill_changes(told):
            self.totals[told.exchange, asset] += change
            self.kept[name][told.exchange, asset] = self.kept[name].get((told.exchange, asset), ZERO) + change
        self.tell.fill(name, told, PRICES)

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.open)))
        del self.open[name], self.kept[name]
        self.tell.end(name)

    @invariant()
    def totals_are_kept_to_the_last_digit(self) -> None:
        assert {place: self.portfolio.total(*place) for place in self.totals} == self.totals

    @invariant()
    def nothing_is_promised_that_is_not_there(self) -> None:
        for place, total in self.totals.items():
            promised = sum((max(ZERO, kept.get(place, ZERO)) for kept in self.kept.values()), ZERO)
            assert self.portfolio.reserved(*place) == promised
            assert self.portfolio.available(*place) == total - promised >= 0
            assert self.nodes[place].available == float(self.portfolio.available(*place))

    @invariant()
    def cycles_are_counted_once_each(self) -> None:
        counted = {state: count for state, count in self.portfolio.state.outcomes.items() if count}
        found: dict[CycleState, int] = {}
        for cycle in self.portfolio.state.cycles.values():
            found[cycle.state] = found.get(cycle.state, 0) + 1
        assert counted == found
        assert {cycle.id for cycle in self.portfolio.open_cycles} == set(self.open)


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=60, stateful_step_count=30)


# how a cycle stands


def test_both_legs_alike_are_hedged() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.fill("c1", sold("10"), PRICES, 1)
    assert _account(tell).is_open
    tell.end("c1")
    assert (_account(tell).state, tell.portfolio.positions) == (CycleState.HEDGED, [])


@pytest.mark.parametrize(
    ("qty", "state"),
    [
        ("9.91", CycleState.HEDGED),  # 0.09: under the lot of 0.1, and under a fiftieth of 10
        ("9.9", CycleState.RESIDUAL),  # a whole lot could be traded
        ("9.6", CycleState.RESIDUAL),
    ],
)
def test_what_cannot_be_traded_is_dust(qty: str, state: CycleState) -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.fill("c1", sold(qty), PRICES, 1)
    tell.end("c1")
    left = Decimal(10) - Decimal(qty)
    assert _account(tell).state is state
    assert _account(tell).net(("KRW", "USDT")) == {"XRP": left}
    assert tell.portfolio.left(_account(tell)) == ({} if state is CycleState.HEDGED else {"XRP": left})


def test_less_than_a_lot_of_a_small_cycle_is_no_dust() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("0.4"), PRICES)
    tell.fill("c1", sold("0.35"), PRICES, 1)
    tell.end("c1")
    assert _account(tell).state is CycleState.RESIDUAL  # an eighth of all that it traded


def test_a_leg_that_was_taken_back_is_unwound() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    back = leg(0, "binance", Side.SELL, Decimal(10), Decimal(2))
    tell(intent_of("c1", back, "c1-back", Purpose.UNWIND))
    tell.fill("c1", fill_of("binance", Side.SELL, Decimal(10), Decimal("1.99"), "t9", client_order_id="c1-back"), PRICES)
    tell.end("c1", "REJECTED")
    assert (_account(tell).state, _account(tell).pnl) == (CycleState.UNWOUND, Decimal("-0.1"))


def test_orders_that_never_left_make_it_abandoned_and_one_that_left_makes_it_missed() -> None:
    for states, state in (
        ((OrderState.ABANDONED,) * 2, CycleState.ABANDONED),
        ((OrderState.ABANDONED, OrderState.EXPIRED), CycleState.MISSED),
    ):
        tell = Telling().start()
        tell.open("c1", BUY, SELL)
        for number, ended in enumerate(states):
            tell.order(f"c1-{number}", ended)
        tell.end("c1")
        assert _account(tell).state is state


def test_a_fee_in_a_third_coin_leaves_no_position() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10", fee="0.002", fee_currency="BNB"), PRICES)
    tell.fill("c1", sold("10"), PRICES, 1)
    tell.end("c1")
    assert _account(tell).state is CycleState.HEDGED


def test_a_late_fill_re_evaluates_an_ended_cycle_and_what_was_seen_then_is_not_what_it_is_now() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1", "EXPIRED")
    tell(CycleAcknowledged("c1", "me", "seen"))
    assert [cycle.id for cycle in tell.portfolio.positions] == ["c1"]
    tell.fill("c1", sold("10"), PRICES, 1)
    assert (_account(tell).state, tell.portfolio.positions) == (CycleState.HEDGED, [])
    tell.fill("c1", sold("10", "t3"), PRICES, 1)
    assert [(cycle.id, cycle.acknowledged_by) for cycle in tell.portfolio.positions] == [("c1", "")]
    assert tell.portfolio.left(_account(tell)) == {"XRP": Decimal(-10)}


def test_a_late_fill_of_a_cycle_that_was_forgotten_is_a_position_of_its_own() -> None:
    tell = Telling().start()
    for number in range(600):
        name = f"c{number}"
        tell.open(name, BUY, SELL, send=False)
        tell.fill(name, bought("10", f"b{number}"), PRICES)
        tell.fill(name, sold("10", f"s{number}"), PRICES, 1)
        tell.end(name)
    assert tell.portfolio.cycle("c0") is None
    assert len(tell.portfolio.state.cycles) == 500
    assert tell.portfolio.state.outcomes == {CycleState.OPEN: 0, CycleState.HEDGED: 600}
    tell.fill("c0", bought("10", "late"), PRICES)
    assert [(cycle.id, cycle.state, cycle.reason) for cycle in tell.portfolio.positions] == [("c0", CycleState.RESIDUAL, "LATE_FILL")]
    before = tell.portfolio.total("binance", "XRP")
    tell.fill("c0", bought("10", "b0"), PRICES)  # 1200 fills ago, and still known
    assert tell.portfolio.total("binance", "XRP") == before


def test_what_is_kept_does_not_grow_with_the_number_of_cycles_or_fills() -> None:
    tell = Telling().start()
    for number in range(2500):
        name = f"c{number}"
        tell.open(name, BUY, SELL)
        for which, fill in enumerate((bought("1", f"b{number}", order=f"{name}-0"), sold("1", f"s{number}", order=f"{name}-1"))):
            tell.fill(name, fill, PRICES, which)
            tell.order(f"{name}-{which}", OrderState.FILLED, ONE)
        tell.end(name)
    state = tell.portfolio.state
    assert (len(state.cycles), len(state.ended), len(state.recent_fills)) == (500, 500, 4000)
    assert all(not cycle.orders and not cycle.legs and not cycle.reserved for cycle in state.cycles.values())
    assert tell.portfolio.open_orders == []


@pytest.mark.parametrize("final", list(OrderState))
def test_an_order_is_open_until_its_end_is_known_also_when_its_cycle_has_ended(final: OrderState) -> None:
    tell = Telling().start()
    tell.open("c1", BUY)
    assert [order.state for order in tell.portfolio.open_orders] == [OrderState.SENDING]
    tell.order("c1-0", final)
    tell.end("c1")
    assert [order.state for order in tell.portfolio.open_orders] == ([] if final.is_final else [final])


def test_an_order_that_counted_as_never_placed_can_prove_to_be_there() -> None:
    tell = Telling().start()
    tell.open("c1", BUY)
    tell.order("c1-0", OrderState.REJECTED)
    tell.end("c1")
    assert _account(tell).state is CycleState.MISSED
    tell.fill("c1", bought("10"), PRICES)
    tell.order("c1-0", OrderState.UNKNOWN, Decimal(10))
    assert [(order.state, order.filled_qty) for order in tell.portfolio.open_orders] == [(OrderState.UNKNOWN, Decimal(10))]
    assert _account(tell).state is CycleState.RESIDUAL


def test_a_position_that_is_written_off_is_stock_from_then_on() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1")
    before = tell.portfolio.state.balances["binance"]["XRP"]
    tell(ResidualSettled("c1", "written off", "me", "sold by hand"))
    assert (tell.portfolio.positions, _account(tell).state) == ([], CycleState.RESIDUAL)
    assert _account(tell).settled == Settled("written off", "me", "sold by hand", tell.now_ms)
    assert tell.portfolio.state.balances["binance"]["XRP"] == before
    assert tell.portfolio.state.targets["binance"]["XRP"] == 110


def test_a_fill_after_a_write_off_is_a_position_of_its_own_size_and_counts_once() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1")
    tell(ResidualSettled("c1", "written off", "me", ""))
    tell.fill("c1", sold("4"), PRICES, 1)  # the other leg has filled all the same
    assert tell.portfolio.left(_account(tell)) == {"XRP": Decimal(-4)}
    assert [cycle.id for cycle in tell.portfolio.positions] == ["c1"]
    assert (_account(tell).settled, _account(tell).acknowledged_by) == (None, "")
    lost = tell.portfolio.loss_today(PRICES)
    dearer = {**PRICES, "XRP": PRICES["XRP"] + 1}
    assert tell.portfolio.loss_today(dearer) == lost + 4  # four are short, and ten are stock
    tell(ResidualSettled("c1", "written off", "me", ""))
    assert tell.portfolio.state.targets["binance"]["XRP"] + tell.portfolio.state.targets["upbit"]["XRP"] == 206
    assert tell.portfolio.loss_today(dearer) == lost


def settling(tell: Telling, name: str, side: Side, qty: str, leg_number: int = 1000) -> None:
    """An order of a settlement is about to be sent."""
    planned = leg(leg_number, "binance", side, Decimal(qty), Decimal("2"))
    tell(intent_of("c1", planned, name, Purpose.SETTLE))


def test_a_position_that_is_traded_away_stays_residual_and_says_by_whom() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1")
    losses = tell.portfolio.state.routes[_account(tell).route].losses
    tell(SettlementBegan("c1", "flatten", "binance", "me", "too dear to keep"))
    settling(tell, "s1", Side.SELL, "10")
    assert tell.portfolio.available("binance", "XRP") == tell.portfolio.total("binance", "XRP") - 10  # no cycle may sell it, too
    assert tell.portfolio.available("binance", "XRP", "c1") == tell.portfolio.total("binance", "XRP")
    back = fill_of("binance", Side.SELL, Decimal(6), Decimal("1.5"), "x1", client_order_id="s1")
    tell.fill("c1", back, PRICES, 1000)
    assert tell.portfolio.available("binance", "XRP") == tell.portfolio.total("binance", "XRP") - 4
    assert tell.portfolio.left(_account(tell)) == {"XRP": Decimal(4)}
    assert (_account(tell).state, _account(tell).settled) == (CycleState.RESIDUAL, None)
    tell.fill("c1", replace(back, trade_id="x2", qty=Decimal(4), cost=Decimal(6)), PRICES, 1000)
    tell.order("s1", OrderState.FILLED, Decimal(10))
    assert (_account(tell).state, tell.portfolio.positions) == (CycleState.RESIDUAL, [])
    assert _account(tell).settled == Settled("flattened", "me", "too dear to keep", tell.now_ms - 1)
    assert tell.portfolio.available("binance", "XRP") == tell.portfolio.total("binance", "XRP")
    assert tell.portfolio.state.outcomes[CycleState.RESIDUAL] == 1
    assert tell.portfolio.state.targets["binance"]["XRP"] == 100
    assert tell.portfolio.state.routes[_account(tell).route].losses == losses  # a person's price is no loss of the route
    assert tell.portfolio.state.settled_value == ZERO
    assert tell.portfolio.loss_today(PRICES) == -tell.portfolio.value().so_far.realised


def test_a_cycle_that_a_late_fill_hedges_is_hedged_whatever_somebody_had_begun() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1")
    tell(SettlementBegan("c1", "flatten", "binance", "me", "x"))
    settling(tell, "s1", Side.SELL, "10")
    tell.order("s1", OrderState.EXPIRED)
    tell.fill("c1", sold("10"), PRICES, 1)
    assert (_account(tell).state, _account(tell).settled) == (CycleState.HEDGED, None)


# what was lost


def test_a_day_loses_what_trading_and_one_sided_positions_lose_and_no_more() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    portfolio = tell.portfolio
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10", fee="0.5"), PRICES)  # 21 for 20 and a fee
    assert portfolio.loss_today(PRICES) == Decimal("-0.5")
    worse = {**PRICES, "XRP": Decimal("1.1")}
    assert portfolio.loss_today(worse) == Decimal("9.5")  # ten coins, one down each: not the hundred in stock
    tell.end("c1")
    assert portfolio.loss_today(worse) == Decimal("9.5")
    tell.marks({"XRP": worse["XRP"]})
    tell(ResidualSettled("c1", "written off", "me", ""))
    assert portfolio.loss_today(worse) == Decimal("9.5")  # writing off wins nothing back
    assert portfolio.loss_today(PRICES) == Decimal("9.5")  # and what its price does later is the stock's business
    tell.marks({}, "day", "d2")
    assert portfolio.loss_today(worse) == 0


def test_a_position_that_was_down_before_midnight_starts_the_new_day_at_nothing() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    tell.open("c1", BUY, SELL)
    tell.fill("c1", bought("10"), PRICES)
    tell.end("c1")
    tell.marks({"XRP": ONE}, "day", "d2")
    assert tell.portfolio.loss_today({**PRICES, "XRP": ONE}) == 0
    assert tell.portfolio.loss_today({**PRICES, "XRP": Decimal("0.9")}) == 1


def test_a_route_counts_its_losses_in_a_row_and_a_win_ends_the_row() -> None:
    tell = Telling().start()
    route = "XRP:binance>upbit"

    def trade(name: str, price: str) -> None:
        tell.open(name, BUY, SELL)
        tell.fill(name, bought("10", f"{name}b"), PRICES)
        tell.fill(name, sold("10", f"{name}s", price=price), PRICES, 1)
        tell.end(name)

    trade("c1", "2000")
    trade("c2", "2000")
    assert (tell.portfolio.state.routes[route].losses, tell.portfolio.state.routes[route].fills) == (2, 4)
    trade("c3", "3000")
    assert tell.portfolio.state.routes[route].losses == 0
    tell.fill("c3", sold("10", "late", price="1"), PRICES, 1)  # a late fill that costs is a loss, too
    assert tell.portfolio.state.routes[route].losses == 1


def test_cycles_that_never_traded_are_neither_won_nor_lost() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.end("c1")
    assert tell.portfolio.state.routes == {}


# what may be done


@pytest.mark.parametrize(
    ("events", "state", "resume"),
    [
        ([], "ARMED", ""),
        ([StateChanged("PAUSED", "operator", True)], "PAUSED", "PAUSED"),
        ([StateChanged("PAUSED", "operator", True), StateChanged("ARMED", "operator")], "ARMED", ""),
        ([StateChanged("DISARMED", "not confirmed", False)], "DISARMED", ""),
        ([StateChanged("DISARMED", "operator", True), StateChanged("HALTING", "killed by KEY")], "HALTING", "DISARMED"),
        ([StateChanged("DISARMED", "operator", True), StateChanged("ARMED", "re-armed: me")], "ARMED", ""),
    ],
)
def test_a_latched_state_stays_until_somebody_arms_it_again(events: list[Event], state: str, resume: str) -> None:
    tell = Telling().start()
    tell(*events)
    assert (tell.portfolio.state.state, tell.portfolio.state.resume) == (state, resume)
    tell.start("r2")
    assert (tell.portfolio.state.state, tell.portfolio.state.resume) == ("ARMED", resume)


def test_a_kill_holds_until_a_person_takes_it_back_also_over_runs() -> None:
    tell = Telling().start()
    tell(Killed("KEY", "", 1))
    tell.start("r2")
    assert tell.portfolio.state.killed
    tell(Rearmed("me", "looked"))
    assert not tell.portfolio.state.killed


def test_a_route_that_was_switched_off_stays_off_over_runs() -> None:
    tell = Telling().start()
    tell(RouteSwitched("XRP:binance>upbit", False, "me"))
    tell.start("r2")
    assert not tell.portfolio.state.routes["XRP:binance>upbit"].enabled
    tell(RouteSwitched("XRP:binance>upbit", True, "me"))
    assert tell.portfolio.state.routes["XRP:binance>upbit"].enabled


def test_a_dispute_stands_until_it_is_closed_and_moves_no_balance() -> None:
    tell = Telling().start()
    tell(BalanceDisputed("upbit", "KRW", Decimal(300_000), Decimal(299_000)))
    tell.start("r2")
    assert tell.portfolio.state.disputes["upbit"]["KRW"].theirs == 299_000
    assert tell.portfolio.total("upbit", "KRW") == 300_000
    tell(DisputeClosed("upbit", "KRW", "me", ""), DisputeClosed("binance", "XRP", "me", "of nothing"))
    assert tell.portfolio.state.disputes["upbit"] == {}


# the fold itself


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_an_event_that_is_missing_or_comes_again_is_refused_and_changes_nothing(seq: int) -> None:
    portfolio = Portfolio()
    portfolio.apply(Recorded(1, 0, "r1", Killed("KEY", "", 1)))
    before = portfolio.dump()
    with pytest.raises(ValueError, match=f"event {seq} follows on 1"):
        portfolio.apply(Recorded(seq, 0, "r1", Rearmed("me", "")))
    assert portfolio.dump() == before


def test_a_leg_that_moved_to_another_venue_keeps_what_it_may_use_from_others_also_after_a_restart() -> None:
    tell = Telling().start()
    node = Node("upbit", "XRP")
    tell.portfolio.follow({("upbit", "XRP"): node})
    tell.open("c1", BUY)
    tell.fill("c1", bought("10"), PRICES)
    moved = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
    tell(intent_of("c1", moved, "m1", Purpose.COMPLETE))
    assert tell.portfolio.total("upbit", "XRP") == 100

    def free() -> tuple[int, int]:
        again = Portfolio.load(tell.portfolio.dump())
        found = {(one.available("upbit", "XRP"), one.available("upbit", "XRP", "c1")) for one in (tell.portfolio, again)}
        ((for_others, for_it),) = found
        assert node.available == for_others
        return int(for_others), int(for_it)

    assert free() == (90, 100)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(4), Decimal(3000), "x1", client_order_id="m1"), PRICES, 1)
    assert free() == (90, 96)
    tell.order("m1", OrderState.UNKNOWN, Decimal(4))
    assert free() == (90, 96)
    tell.order("m1", OrderState.EXPIRED, Decimal(4))
    assert free() == (96, 96)
