"""The records of orders, cycles and transfers, each question at, below and above its bound; and a cycle whose coins are moved."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arbtui.journal.events import (
    BreachRepeated,
    CycleState,
    Phase,
    PlannedLeg,
    PlannedTransfer,
    ResidualSettled,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    TransferSettled,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import OrderState, Purpose, Side, ways
from arbtui.portfolio.accounts import CycleAccount, OrderRecord, Settled, add_to, amount_at, trifles_of
from arbtui.portfolio.state import Repeats
from arbtui.portfolio.transfers import TransferAccount
from tests.portfolio.telling import Telling, fill_of, intent_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
MONEY = ("KRW", "USDT")


def account(**facts: Any) -> CycleAccount:
    """A cycle of XRP that has ended with one fill of 10."""
    told = CycleAccount("c1", "r1", 1, "r", "XRP", state=CycleState.HEDGED, fills=1, intended=1, traded={"XRP": None, "USDT": None})
    return msgspec.structs.replace(told, **facts)


def holding(amount: str, **facts: Any) -> CycleAccount:
    return account(flows={"binance": {"XRP": Decimal(amount)}}, **facts)


def test_amounts_are_kept_by_place_and_asset() -> None:
    amounts: dict[str, dict[str, Decimal]] = {}
    for exchange, asset, change in (("upbit", "XRP", 5), ("upbit", "XRP", -2), ("upbit", "KRW", 1), ("okx", "XRP", 7)):
        add_to(amounts, exchange, asset, Decimal(change))
    assert amounts == {"upbit": {"XRP": Decimal(3), "KRW": ONE}, "okx": {"XRP": Decimal(7)}}
    assert [amount_at(amounts, *place) for place in (("upbit", "XRP"), ("upbit", "ADA"), ("bybit", "XRP"))] == [Decimal(3), ZERO, ZERO]


@pytest.mark.parametrize(
    ("side", "filled", "coins", "money"),
    [
        (Side.SELL, "0", "10", "0"),
        (Side.SELL, "4", "6", "0"),
        (Side.SELL, "11", "0", "0"),
        (Side.BUY, "0", "0", "20"),
        (Side.BUY, "4", "0", "12"),
    ],
)
def test_an_order_uses_at_worst_what_has_not_filled(side: Side, filled: str, coins: str, money: str) -> None:
    order = OrderRecord(intent_of("c1", leg(0, "binance", side, Decimal(10), Decimal(2)), "o"), "r1", 1, 2, filled_qty=Decimal(filled))
    uses = {(place, asset): order.still_uses(place, asset) for place in ("binance", "upbit") for asset in ("XRP", "USDT")}
    assert uses == {("binance", "XRP"): Decimal(coins), ("binance", "USDT"): Decimal(money), ("upbit", "XRP"): 0, ("upbit", "USDT"): 0}


@pytest.mark.parametrize(
    ("amount", "lot", "largest", "dust"),
    [
        ("0.09", "0.1", "10", True),
        ("-0.09", "0.1", "10", True),
        ("0.1", "0.1", "10", False),  # a whole lot
        ("0.2", "1", "10", True),  # a fiftieth
        ("0.21", "1", "10", False),
        ("0.09", "0", "10", False),  # of an asset of no known lot
        ("0.09", "0.1", "0", False),
    ],
)
def test_dust_is_under_a_lot_and_up_to_a_fiftieth_of_the_largest_fill(amount: str, lot: str, largest: str, dust: bool) -> None:
    one = holding(amount, lots={"XRP": Decimal(lot)}, largest={"XRP": Decimal(largest)})
    told = {"XRP": Decimal(amount)}
    assert (one.dust(MONEY), one.left(MONEY)) == ((told, {}) if dust else ({}, told))
    assert one.outcome(MONEY) is (CycleState.HEDGED if dust else CycleState.RESIDUAL)
    assert one.is_settled_by("XRP", Decimal(amount)) is dust


@pytest.mark.parametrize(
    ("amount", "turned", "trifle"),
    [
        ("1.99", "0", True),  # under a fifth of an order
        ("-1.99", "0", True),
        ("2", "0", False),
        ("2", "200", True),  # a fiftieth of what was bought and sold again
        ("2", "199", False),
        ("9.99", "999", True),
        ("10", "100000", False),  # an order takes it
        ("0", "0", True),
    ],
)
def test_a_trifle_is_less_than_any_order_and_little_beside_an_order_or_what_was_traded(amount: str, turned: str, trifle: bool) -> None:
    one = holding(amount, trifles={"XRP": (Decimal(10), Decimal(2))}, turned={"XRP": Decimal(turned)})
    assert one.leaves_trifles(MONEY) is trifle
    assert one.leaves_trifles(("XRP",)), "money is never left"
    bare = holding(amount, turned={"XRP": Decimal(turned)})
    assert bare.leaves_trifles(MONEY) is (amount == "0"), "of a plan that told no smallest order"


def planned(least: str, min_qty: str, price: str, quote: str = "USDT") -> PlannedLeg:
    return PlannedLeg(
        0, "v", "m", "XRP", quote, Side.BUY, ONE, Decimal(price), ONE, Decimal(least), min_qty=Decimal(min_qty),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("legs", "found"),
    [
        ([planned("10", "1", "2")], {"XRP": ("5", "1")}),  # five are worth the least
        ([planned("10", "8", "2")], {"XRP": ("8", "1.6")}),
        ([planned("10", "1", "2"), planned("10", "8", "2")], {"XRP": ("5", "1.6")}),
        ([planned("10", "0", "2")], {}),
        ([planned("10", "1", "0")], {}),
        ([planned("10", "1", "2"), planned("10", "0", "2")], {}),
        ([planned("10", "0.5", "0.5")], {"XRP": ("20", "4")}),
        ([planned("10", "1", "2", "BTC")], {"XRP": ("5", "1"), "BTC": ("10", "2")}),
        ([planned("10", "8", "2", "BTC")], {"XRP": ("8", "1.6"), "BTC": ("16", "3.2")}),
    ],
)
def test_the_smallest_orders_of_a_plan(legs: list[PlannedLeg], found: dict[str, tuple[str, str]]) -> None:
    assert trifles_of(legs, MONEY) == {asset: (Decimal(least), Decimal(little)) for asset, (least, little) in found.items()}


LOST = Settled("lost", "ann", "x", 1)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, CycleState.HEDGED),
        ({"undone": True}, CycleState.UNWOUND),
        ({"traded_away": True}, CycleState.RESIDUAL),
        ({"taken": {"binance": {"XRP": ONE}}}, CycleState.RESIDUAL),
        ({"lost": LOST}, CycleState.RESIDUAL),
        ({"lost": LOST, "undone": True}, CycleState.RESIDUAL),
        ({"flows": {"binance": {"XRP": ONE}}}, CycleState.RESIDUAL),
        ({"flows": {"binance": {"XRP": ONE}, "upbit": {"XRP": -ONE}}}, CycleState.HEDGED),
        ({"flows": {"binance": {"BNB": -ONE, "USDT": Decimal(-20)}}}, CycleState.HEDGED),  # a fee in a third coin, and money
        ({"fills": 0, "intended": 2, "abandoned": 2}, CycleState.ABANDONED),
        ({"fills": 0, "intended": 2, "abandoned": 1}, CycleState.MISSED),
        ({"fills": 0, "intended": 0}, CycleState.ABANDONED),
        ({"fills": 0, "lost": LOST}, CycleState.MISSED),
    ],
)
def test_how_a_cycle_stands(facts: dict[str, Any], state: CycleState) -> None:
    assert account(**facts).outcome(MONEY) is state


@pytest.mark.parametrize(
    ("state", "settled", "awaits", "is_open", "is_moving", "is_position"),
    [
        (CycleState.OPEN, None, "", True, False, False),
        (CycleState.OPEN, None, "T1", True, True, False),
        (CycleState.HEDGED, None, "T1", False, False, False),
        (CycleState.RESIDUAL, None, "", False, False, True),
        (CycleState.RESIDUAL, LOST, "", False, False, False),
    ],
)
def test_what_a_cycle_is(
    state: CycleState, settled: Settled | None, awaits: str, is_open: bool, is_moving: bool, is_position: bool
) -> None:
    one = account(state=state, settled=settled, awaits=awaits)
    assert (one.is_open, one.is_moving, one.is_position) == (is_open, is_moving, is_position)


def test_only_money_for_money_converts_and_nothing_is_nothing() -> None:
    assert [account(traded=dict.fromkeys(traded)).converts(MONEY) for traded in ((), ("KRW",), ("KRW", "USDT"), ("KRW", "XRP"))] == [
        False, True, True, False,
    ]  # fmt: skip


def test_what_a_person_took_for_stock_is_held_no_more() -> None:
    flows = {"binance": {"XRP": Decimal(10)}, "upbit": {"XRP": Decimal(-4)}, "okx": {"USDT": Decimal(3)}}
    one = account(flows=flows, taken={"binance": {"XRP": Decimal(9)}})
    assert one.held("XRP") == {"binance": ONE, "upbit": Decimal(-4)}
    assert one.net(MONEY) == {"XRP": Decimal(-3)}
    assert one.net(("XRP",)) == {"USDT": Decimal(3)}, "whatever the run calls money"


@pytest.mark.parametrize(
    ("reserved", "flowed", "kept"), [("20", "0", "20"), ("20", "-5", "15"), ("20", "-20", "0"), ("20", "-21", "0"), ("0", "3", "3")]
)
def test_a_cycle_keeps_what_it_set_aside_less_what_it_spent_while_it_is_open(reserved: str, flowed: str, kept: str) -> None:
    amounts = {"reserved": {"binance": {"USDT": Decimal(reserved)}}, "flows": {"binance": {"USDT": Decimal(flowed)}}}
    assert account(state=CycleState.OPEN, **amounts).still_reserved("binance", "USDT") == Decimal(kept)
    assert account(state=CycleState.OPEN, **amounts).still_reserved("upbit", "USDT") == 0
    assert account(**amounts).still_reserved("binance", "USDT") == 0


@pytest.mark.parametrize(
    ("legs", "exchange", "purpose", "uses"),
    [
        ((BUY, SELL), "upbit", Purpose.COMPLETE, False),
        ((BUY,), "upbit", Purpose.COMPLETE, True),
        ((BUY,), "binance", Purpose.UNWIND, False),
        ((), "upbit", Purpose.COMPLETE, False),  # it ended, and keeps no plan
        ((BUY, SELL), "upbit", Purpose.SETTLE, True),
    ],
)
def test_an_order_where_no_leg_was_planned_uses_what_is_free(
    legs: tuple[PlannedLeg, ...], exchange: str, purpose: Purpose, uses: bool
) -> None:
    order = intent_of("c1", leg(2, exchange, Side.SELL, ONE, ONE), "o", purpose)
    assert account(legs=legs).uses_what_is_free(order) is uses


def test_which_way_stock_moves_is_told_by_what_is_bought_and_sold_in_each_currency() -> None:
    buy, sell = Side.BUY, Side.SELL
    assert ways([("USDT", buy), ("KRW", sell)]) == {"USDT": 1.0, "KRW": -1.0}
    assert ways([("KRW", buy), ("KRW", sell)]) == {}, "there and from there"
    assert ways([("KRW", buy), ("KRW", buy), ("KRW", sell)]) == {"KRW": 1.0}
    assert ways([]) == {}


# what a cycle has moved between venues

MOVES = (PlannedTransfer(1, "XRP", "binance", "upbit", "net", Decimal("0.1"), 4.0),)


def bought_to_be_moved() -> tuple[Telling, CycleAccount]:
    """10 XRP for 20 dollars, worth 21, that are to be sold where they are sent."""
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start")
    tell.open("c1", BUY, SELL, reserved=(("binance", "USDT", Decimal(20)),), transfers=MOVES, send=False)
    tell(intent_of("c1", BUY, "c1-0"))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.order("c1-0", OrderState.FILLED, Decimal(10))
    tell(TransferBegun("T1", "XRP", "binance", "upbit", "net", Decimal(10), Decimal("0.1"), 4.0, "arbtui", "cycle c1", "c1"))
    one = tell.portfolio.cycle("c1")
    assert one is not None
    return tell, one


def flows(one: CycleAccount) -> dict[str, Decimal]:
    """Of XRP, what is not nothing."""
    return {place: amounts["XRP"] for place, amounts in one.flows.items() if amounts.get("XRP")}


def test_what_a_cycle_moves_stays_its_own_and_what_the_network_keeps_is_its_fee() -> None:
    tell, one = bought_to_be_moved()
    portfolio, state = tell.portfolio, tell.portfolio.state
    assert (one.phase, one.awaits, one.is_moving, one.moved_ms) == (Phase.IN_TRANSIT, "T1", True, None)
    assert portfolio.leaving("binance", "XRP") == portfolio.coming("upbit", "XRP") == 0, "its account keeps them"
    assert portfolio.reserved("binance", "XRP") == 10
    assert portfolio.under_way.is_free([("binance", "XRPUSDT"), ("upbit", "XRPKRW")]), "it trades nowhere meanwhile"
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)))
    assert (flows(one), portfolio.reserved("binance", "XRP")) == ({"in transit": Decimal(10)}, ZERO)
    assert portfolio.total("binance", "XRP") == 100
    tell.marks({"XRP": Decimal(3)})  # its own coins count at what they were bought at
    tell(TransferArrived("T1", "upbit", "XRP", Decimal(6)))
    assert (flows(one), one.is_moving) == ({"in transit": Decimal(4), "upbit": Decimal(6)}, True)
    tell(TransferArrived("T1", "upbit", "XRP", Decimal("3.9")))
    assert (flows(one), one.awaits, one.moved_ms) == ({"upbit": Decimal("9.9")}, "", tell.now_ms)
    tell.open("other", BUY, SELL, send=False)
    assert list(portfolio.under_way.with_transfers) == ["c1"]
    tell.end("other")
    assert (portfolio.reserved("upbit", "XRP"), portfolio.available("upbit", "XRP")) == (Decimal("9.9"), Decimal(100))
    assert not portfolio.under_way.is_free([("upbit", "XRPKRW")])
    # 0.1 XRP at 2.1 are a fee of the cycle, and no rotation.
    assert (one.network_fees, one.fees, one.trading) == ({"XRP": Decimal("0.1")}, Decimal("0.21"), ONE)
    assert (state.counters.fees, state.counters.rotation, state.counters.qty["XRP"]) == (Decimal("0.21"), ZERO, Decimal("209.9"))
    assert one.booked == {"XRP": Decimal("20.79")}
    tell(intent_of("c1", SELL, "c1-1"))
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal("9.9"), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    tell.order("c1-1", OrderState.FILLED, Decimal("9.9"))
    tell.end("c1")
    assert (one.state, one.pnl, one.booked) == (CycleState.HEDGED, Decimal("0.79"), {"XRP": ZERO})
    assert {place: set(held) for place, held in state.flows.items()} == {"binance": {"XRP", "USDT"}, "upbit": {"XRP", "KRW"}}
    assert portfolio.out_of_step() == []
    assert (one.transfers, portfolio.under_way.with_transfers) == ((), {})


@pytest.mark.parametrize("how", ["lost", "returned"])
def test_what_a_person_says_of_coins_that_do_not_come(how: str) -> None:
    tell, one = bought_to_be_moved()
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)), TransferArrived("T1", "upbit", "XRP", Decimal(4)))
    before = tell.portfolio.value()
    tell(TransferSettled("T1", how, "ann", "gone"))
    said = Settled(how, "ann", "gone", tell.now_ms)
    assert (tell.portfolio.state.transfers["T1"].settled, one.awaits, one.moved_ms) == (said, "", tell.now_ms)
    back, after = how == "returned", tell.portfolio.value()
    assert flows(one) == ({"binance": Decimal(6), "upbit": Decimal(4)} if back else {"upbit": Decimal(4)})
    assert (one.lost, one.network_fees) == ((None, {}) if back else (said, {"XRP": Decimal(6)}))
    assert (after.since(before).fees, after.since(before).rotation) == (ZERO if back else Decimal("12.6"), ZERO)
    assert tell.portfolio.total("binance", "XRP") == (106 if back else 100)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(4), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    if back:
        tell.fill("c1", fill_of("binance", Side.SELL, Decimal(6), Decimal(2), "u", client_order_id="c1-2"), PRICES, 2)
    tell.end("c1")
    assert (one.state, one.settled) == (
        (CycleState.HEDGED, None) if back else (CycleState.RESIDUAL, Settled("lost", "ann", "gone", tell.now_ms))
    )


def test_what_a_network_keeps_of_coins_that_were_bought_without_a_price_counts_at_the_last_mark() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, transfers=MOVES)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), {})
    tell.marks({"XRP": Decimal(3)})
    tell(TransferBegun("T1", "XRP", "binance", "upbit", "net", Decimal(10), Decimal("0.1"), 4.0, "arbtui", "cycle c1", "c1"))
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)), TransferArrived("T1", "upbit", "XRP", Decimal("9.9")))
    one = tell.portfolio.cycle("c1")
    assert one is not None
    assert (one.fees, tell.portfolio.state.counters.fees) == (Decimal("0.3"), Decimal("0.3"))


def test_what_is_lost_of_a_cycle_that_has_ended_is_a_fee_and_settles_nothing() -> None:
    tell, one = bought_to_be_moved()
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)))
    tell.end("c1")
    assert [cycle.id for cycle in tell.portfolio.positions] == ["c1"]
    tell(TransferSettled("T1", "lost", "ann", "gone"))
    assert (one.lost, one.fees) == (None, Decimal(21))
    tell, one = bought_to_be_moved()
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)))
    tell.end("c1")
    tell(ResidualSettled("c1", "written off", "ann", "x"), TransferSettled("T1", "lost", "ann", "gone"))
    assert (one.booked, one.network_fees) == ({"XRP": Decimal(-21)}, {"XRP": Decimal(10)})


def test_a_second_transfer_of_a_cycle_adds_to_what_networks_kept_and_only_its_own_is_waited_for() -> None:
    tell, one = bought_to_be_moved()
    tell(TransferLeft("T1", "binance", "XRP", Decimal(10)), TransferArrived("T1", "upbit", "XRP", Decimal("9.9")))
    tell(TransferBegun("T2", "XRP", "upbit", "binance", "net", Decimal("9.9"), Decimal("0.2"), 4.0, "arbtui", "back", "c1"))
    assert one.awaits == "T2"
    tell(TransferLeft("T2", "upbit", "XRP", Decimal("9.9")), TransferArrived("T2", "binance", "XRP", Decimal("9.7")))
    assert (one.network_fees, one.awaits, flows(one)) == ({"XRP": Decimal("0.3")}, "", {"binance": Decimal("9.7")})
    tell(TransferBegun("T3", "XRP", "binance", "upbit", "net", ONE, ZERO, 4.0, "ann", "stock"))
    tell(TransferBegun("T4", "XRP", "binance", "okx", "net", ONE, ZERO, 4.0, "arbtui", "cycle c1", "c1"))
    tell(TransferSettled("T3", "cancelled", "ann", "x"))
    assert one.awaits == "T4", "one of stock ends no other's waiting"


# transfers


def transfer(**change: Any) -> TransferAccount:
    told = TransferAccount("T1", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.5"), 4.0, "ann", "refill", 1_000)
    return msgspec.structs.replace(told, **change)


LEFT = {"left": Decimal(50), "left_ms": 5_000}
PART = {**LEFT, "received": Decimal(20), "received_ms": 9_000}


def test_it_is_due_after_the_usual_minutes_from_when_it_left_or_was_begun() -> None:
    assert (transfer().due_at_ms(), transfer(**LEFT).due_at_ms()) == (241_000, 245_000)


@pytest.mark.parametrize(("change", "whole"), [("28.9", False), ("29", True), ("30", True)])
def test_what_completes_it_leaves_no_more_than_twice_the_fee(change: str, whole: bool) -> None:
    assert transfer(**PART).completes(Decimal(change)) is whole
    assert transfer().completes(Decimal(change)), "before it was seen to leave only all of it comes"


def test_what_can_still_come_in_one_credit() -> None:
    assert [one.to_come for one in (transfer(), transfer(**LEFT), transfer(**PART), transfer(**PART, settled=LOST))] == [50, 50, 30, 0]


@pytest.mark.parametrize(
    ("qty", "fee", "alike"),
    [
        ("49", "0", True),
        ("48.9", "0", False),
        ("47", "1.5", True),  # of the larger of both fees
        ("46.9", "1.5", False),
        ("51", "0", True),
        ("51.1", "0", False),
        ("30", "0", True),  # what is still under way
        ("31", "0", True),
        ("31.1", "0", False),
        ("29", "0", True),
        ("28.9", "0", False),
    ],
)
def test_amounts_that_could_be_taken_for_each_other(qty: str, fee: str, alike: bool) -> None:
    assert transfer(**PART).looks_like(Decimal(qty), Decimal(fee)) is alike


def test_a_breach_that_was_repeated_is_counted_with_when_it_was_last_and_the_one_repeated_last_is_at_the_end() -> None:
    tell = Telling().start()
    tell(BreachRepeated("b1", 2, 5_000), BreachRepeated("b2", 1, 6_000), BreachRepeated("b1", 3, 7_000))
    assert list(tell.portfolio.state.repeats.items()) == [("b2", Repeats(1, 6_000)), ("b1", Repeats(5, 7_000))]
    tell(*(BreachRepeated(f"n{number}", 1, 0) for number in range(498)))
    assert (len(tell.portfolio.state.repeats), next(iter(tell.portfolio.state.repeats))) == (500, "b2")
    tell(BreachRepeated("one more", 1, 0))
    assert (len(tell.portfolio.state.repeats), next(iter(tell.portfolio.state.repeats))) == (500, "b1")
