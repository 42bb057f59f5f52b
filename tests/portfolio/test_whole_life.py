"""One life in which everything happens: after each event every number that is kept beside the state is what the state says."""

import json
from decimal import Decimal

import pytest

from arbtui.journal.events import (
    Adjusted,
    BreachAcknowledged,
    CycleAcknowledged,
    CycleState,
    Event,
    Killed,
    LimitChanged,
    Mark,
    Phase,
    PlannedLeg,
    Rearmed,
    Recorded,
    ResidualSettled,
    RouteSwitched,
    RunStarted,
    SettlementBegan,
    StateChanged,
    TargetSet,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side
from arbtui.portfolio.accounts import CycleAccount, PendingRearm, Settled
from arbtui.portfolio.portfolio import STARTED, Portfolio
from arbtui.portfolio.state import LimitRecord, PaidIn
from arbtui.routes.hops import Node
from tests.portfolio.telling import START, Telling, fill_of, intent_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
HELD = (("binance", "USDT", Decimal(25)), ("upbit", "XRP", Decimal(10)))


class Watched(Telling):
    """Looks after each event at what the routes see, and at what a portfolio of the same state would find."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = {(exchange, asset): Node(exchange, asset) for exchange, held in START.items() for asset in held}
        self.portfolio.follow(self.nodes)

    def __call__(self, *events: Event) -> None:
        for event in events:
            super().__call__(event)
            self.look(event)

    def look(self, event: Event) -> None:
        portfolio, state = self.portfolio, self.portfolio.state
        for (exchange, asset), node in self.nodes.items():
            assert node.available == float(portfolio.available(exchange, asset)), (event, exchange, asset)
            assert node.target == float(state.targets.get(exchange, {}).get(asset, ZERO)), (event, exchange, asset)
        anew = Portfolio.load(portfolio.dump())
        assert [cycle.id for cycle in portfolio.open_cycles] == [cycle.id for cycle in anew.open_cycles], event
        assert [cycle.id for cycle in portfolio.positions] == [cycle.id for cycle in anew.positions], event
        assert _ids(portfolio) == _ids(anew), event
        assert portfolio.dump() == anew.dump(), event
        for exchange, asset in self.nodes:
            assert portfolio.reserved(exchange, asset) == anew.reserved(exchange, asset), (event, exchange, asset)


def _ids(portfolio: Portfolio) -> list[str]:
    return sorted(order.intent.client_order_id for order in portfolio.open_orders)


def _account(tell: Telling, cycle_id: str) -> CycleAccount:
    account = tell.portfolio.cycle(cycle_id)
    assert account is not None
    return account


def test_what_is_kept_beside_the_state_follows_each_event() -> None:
    tell = Watched()
    tell.start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    portfolio, state = tell.portfolio, tell.portfolio.state

    def bought(cycle: str, qty: str, trade: str) -> None:
        tell.fill(cycle, fill_of("binance", Side.BUY, Decimal(qty), Decimal(2), trade, client_order_id=f"{cycle}-0"), PRICES)

    def sold(cycle: str, qty: str, trade: str) -> None:
        tell.fill(cycle, fill_of("upbit", Side.SELL, Decimal(qty), Decimal(3000), trade, client_order_id=f"{cycle}-1"), PRICES, 1)

    # Two cycles at once: one ends hedged, the other's sale was refused and proves to be there.
    tell.open("c1", BUY, SELL, reserved=HELD)
    tell.open("c2", BUY, SELL, reserved=HELD)
    assert (portfolio.available("binance", "USDT"), portfolio.available("upbit", "XRP")) == (Decimal(150), Decimal(80))
    bought("c1", "10", "b1")
    sold("c1", "10", "s1")
    for number in (0, 1):
        tell.order(f"c1-{number}", OrderState.FILLED, Decimal(10))
    tell.end("c1")
    bought("c2", "10", "b2")
    tell.order("c2-0", OrderState.FILLED, Decimal(10))
    tell.order("c2-1", OrderState.REJECTED)
    tell.end("c2", "EXPIRED")
    assert _ids(portfolio) == []
    tell.order("c2-1", OrderState.UNKNOWN)
    assert _ids(portfolio) == ["c2-1"]
    assert [cycle.id for cycle in portfolio.positions] == ["c2"]
    sold("c2", "4", "s2")
    tell(CycleAcknowledged("c2", "me", "seen"))
    assert _account(tell, "c2").acknowledged_by == "me"

    # What is left of it is traded away: an order's reservation follows each of its fills, and ends with it.
    def settle(order: str, side: Side = Side.SELL, price: str = "2") -> None:
        planned = leg(1000, "binance", side, Decimal(6), Decimal(price))
        tell(SettlementBegan("c2", "flatten", "binance", "me", "x"), intent_of("c2", planned, order, Purpose.SETTLE))

    before = portfolio.available("binance", "XRP")
    settle("x1")
    assert portfolio.available("binance", "XRP") == before - 6
    tell.fill("c2", fill_of("binance", Side.SELL, Decimal(1), Decimal(2), "f1", client_order_id="x1"), PRICES, 1000)
    assert portfolio.available("binance", "XRP") == before - 6
    tell.order("x1", OrderState.UNKNOWN, ONE)
    assert portfolio.available("binance", "XRP") == before - 6
    tell.order("x1", OrderState.EXPIRED, ONE)
    assert portfolio.available("binance", "XRP") == before - 1
    cash = portfolio.available("binance", "USDT")
    settle("x2", Side.BUY)
    assert portfolio.available("binance", "USDT") == cash - 12
    tell.order("x2", OrderState.CANCELED)
    assert portfolio.available("binance", "USDT") == cash
    targets = dict(state.targets["binance"]), dict(state.targets["upbit"])
    tell(ResidualSettled("c2", "written off", "me", "kept"))
    assert (state.targets["binance"]["XRP"], state.targets["upbit"]["XRP"]) == (targets[0]["XRP"] + 9, targets[1]["XRP"] - 4)
    assert portfolio.positions == []

    # A person moves stock and cash.
    tell(Adjusted("upbit", "KRW", Decimal(1000), "paid in", "operator"), Adjusted("binance", "USDT", -ONE, "a fee", "dust"))
    tell(TargetSet("upbit", "XRP", Decimal(70), Decimal(96), "me", "less"), TargetSet("upbit", "KRW", Decimal(1), ZERO, "me", "x"))
    tell(Transferred("upbit", "binance", "XRP", Decimal(5), Decimal(4), "by hand"))
    for number, how in enumerate(("", "returned", "lost", "cancelled")):
        name = f"t{number}"
        tell(TransferBegun(name, "XRP", "binance", "upbit", "XRP", Decimal(20), ONE, 4.0, "me", "x"))
        assert portfolio.leaving("binance", "XRP") == 20
        if how == "cancelled":
            tell(TransferSettled(name, how, "me", "x"))
        else:
            tell(TransferLeft(name, "binance", "XRP", Decimal(20)), TransferLeft(name, "binance", "XRP", Decimal(20)))  # the second is none
            assert (portfolio.leaving("binance", "XRP"), portfolio.in_transit()) == (ZERO, {"XRP": Decimal(20)})
            tell(TransferArrived(name, "upbit", "XRP", Decimal(7)))
            assert portfolio.in_transit() == {"XRP": Decimal(13)}
            if not how:
                tell(
                    TransferArrived(name, "upbit", "XRP", Decimal(12)), TransferArrived(name, "upbit", "XRP", ONE)
                )  # it is complete before
            else:
                tell(TransferSettled(name, how, "me", "x"), TransferSettled(name, "lost", "me", "again"))
        assert (portfolio.in_transit(), portfolio.leaving("binance", "XRP"), portfolio.open_transfers) == ({}, ZERO, [])
    # 1 of 20 by the network, 13 of 20 lost; a transfer by hand cost 1: at 2.1 each.
    assert state.counters.rotation == -15 * PRICES["XRP"]
    assert portfolio.total("upbit", "XRP") == 100 - 10 - 4 - 5 + 19 + 7 + 7
    assert portfolio.total("binance", "XRP") == 100 + 10 + 10 - 1 + 4 - 20 - 7 - 20
    assert portfolio.total("binance", "USDT") == 200 - 20 - 20 + 2 - 1
    assert portfolio.total("upbit", "KRW") == 300_000 + 30_000 + 12_000 + 1000
    assert state.outcomes == {CycleState.OPEN: 0, CycleState.HEDGED: 1, CycleState.RESIDUAL: 1}


def test_only_what_a_person_pays_in_of_a_settlement_currency_is_money_from_outside_the_newest_twenty() -> None:
    tell = Telling().start()
    for number in range(1, 23):
        tell(Adjusted("upbit", "KRW", Decimal(number), "", "operator"))
    kept = [PaidIn("upbit", "KRW", Decimal(number), tell.now_ms - 22 + number) for number in range(3, 23)]
    assert tell.portfolio.state.paid_in == kept
    tell(
        Adjusted("upbit", "KRW", -ONE, "", "operator"),
        Adjusted("upbit", "XRP", ONE, "", "operator"),
        Adjusted("upbit", "KRW", ONE, "", "dust"),
    )
    tell(Adjusted("upbit", "KRW", ZERO, "", "operator"))
    assert tell.portfolio.state.paid_in == kept
    tell(Adjusted("binance", "USDT", Decimal("0.5"), "", "operator"))
    assert tell.portfolio.state.paid_in == [*kept[1:], PaidIn("binance", "USDT", Decimal("0.5"), tell.now_ms)]


LOOKED = [
    (StateChanged("ARMED", "re-armed: me"), True),
    (StateChanged("ARMED", STARTED), False),
    (StateChanged("PAUSED", "operator", True), False),
    (Rearmed("me", "looked"), True),
    (BreachAcknowledged("b1", "me"), True),
    (BreachAcknowledged("b1", "engine"), False),
    (BreachAcknowledged("b1", "recovered"), False),
    (RouteSwitched("r", False, "me"), True),
    (LimitChanged("global.max_loss_day", None, 5.0, "me", "x"), True),
    (Killed("KEY", "", 1), False),
    (CycleAcknowledged("c0", "me", "x"), False),
]


@pytest.mark.parametrize(("event", "looked"), LOOKED, ids=lambda value: type(value).__name__)
def test_cycles_are_counted_until_a_person_shows_that_somebody_is_there(event: Event, looked: bool) -> None:
    tell = Telling().start()
    for number in range(3):
        tell.open(f"c{number}", BUY, SELL, send=False)
    assert (tell.portfolio.state.unattended, tell.portfolio.state.tally.opened) == (3, 3)
    tell(event)
    assert tell.portfolio.state.unattended == (0 if looked else 3)


PENDING = PendingRearm("me", "looked", ("clocks",))


@pytest.mark.parametrize(
    ("event", "pending", "resume"),
    [
        (StateChanged("PAUSED", "recovering"), PENDING, ""),
        (StateChanged("ARMED", STARTED), None, ""),
        (StateChanged("DISARMED", "not clean", True), None, "DISARMED"),
        (Killed("KEY", "", 1), None, ""),
        (Rearmed("ann", "again", False), PENDING, ""),
        (Rearmed("ann", "again", True, ("keys",)), PendingRearm("ann", "again", ("keys",)), ""),
    ],
)
def test_a_rearm_while_nothing_ran_waits_for_the_checklist_until_something_decides(
    event: Event, pending: PendingRearm | None, resume: str
) -> None:
    tell = Telling().start()
    tell(StateChanged("DISARMED", "x", True), Rearmed("me", "looked", True, ("clocks",)))
    assert (tell.portfolio.state.pending_rearm, tell.portfolio.state.resume) == (PENDING, "")
    tell(event)
    assert (tell.portfolio.state.pending_rearm, tell.portfolio.state.resume) == (pending, resume)


def test_a_limit_is_kept_with_whose_it_is_until_it_is_taken_away() -> None:
    tell = Telling().start()
    tell(LimitChanged("global.max_loss_day", None, 5.0, "me", "x"))
    assert tell.portfolio.state.limits == {"global.max_loss_day": LimitRecord(5.0, "me", "x", tell.now_ms)}
    tell(LimitChanged("global.max_loss_hour", 3.0, None, "me", "never set"), LimitChanged("global.max_loss_day", 5.0, None, "me", "x"))
    assert tell.portfolio.state.limits == {}


@pytest.mark.parametrize(("run_id", "counts"), [("r1", True), ("r0", False), ("", False)])
def test_trading_time_is_that_of_the_runs_own_events(run_id: str, counts: bool) -> None:
    """What a command journals while nothing runs is no trading time."""
    tell = Telling().start()
    began_ms, last_ms = tell.portfolio.state.time.began_ms, tell.now_ms
    assert (tell.portfolio.state.time.last_ms, tell.portfolio.state.time.seconds()) == (last_ms, (last_ms - began_ms) / 1000)
    tell.portfolio.apply(Recorded(tell.portfolio.state.seq + 1, last_ms + 60_000, run_id, Rearmed("me", "x")))
    assert tell.portfolio.state.time.last_ms == (last_ms + 60_000 if counts else last_ms)


def test_before_a_first_run_no_event_is_trading_time() -> None:
    portfolio = Portfolio()
    portfolio.apply(Recorded(1, 60_000, "", Rearmed("me", "x")))
    assert portfolio.state.time.last_ms == 0


@pytest.mark.parametrize(
    ("states", "abandoned"),
    [
        (["ABANDONED"], 1),
        (["ABANDONED", "ABANDONED"], 1),
        (["ABANDONED", "ACCEPTED"], 0),
        (["ABANDONED", "ACCEPTED", "ABANDONED"], 1),
        (["ACCEPTED", "EXPIRED"], 0),
    ],
)
def test_an_order_counts_once_as_abandoned_and_not_when_it_proves_to_be_there(states: list[str], abandoned: int) -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    for state in states:
        tell.order("c1-0", OrderState[state])
    account = _account(tell, "c1")
    assert (account.abandoned, account.intended) == (abandoned, 2)


def test_dust_is_under_the_coarsest_lot_and_of_a_coin_that_others_are_quoted_in_under_an_order() -> None:
    """ETH/BTC: 0.02 ETH at 0.05 BTC is the least that trades, or 0.0015 BTC where the market says so."""
    tell = Telling().start()

    def chained(number: int, base: str, quote: str, lot: str, price: str, least: str) -> PlannedLeg:
        return PlannedLeg(number, "upbit", f"{base}/{quote}", base, quote, Side.BUY, ONE, Decimal(price), Decimal(lot), Decimal(least))

    tell.open(
        "c1",
        chained(0, "BTC", "KRW", "0.0001", "90000000", "5000"),
        chained(1, "ETH", "BTC", "0.02", "0.05", "0.0005"),
        chained(2, "ETH", "KRW", "0.01", "4500000", "5000"),
    )
    tell.open("c2", chained(0, "ETH", "BTC", "0.02", "0.05", "0.0015"), chained(1, "BTC", "KRW", "0.01", "90000000", "5000"))
    assert _account(tell, "c1").lots == {"BTC": Decimal("0.001"), "ETH": Decimal("0.02")}
    assert _account(tell, "c2").lots == {"BTC": Decimal("0.01"), "ETH": Decimal("0.02")}


def test_what_happens_to_a_cycle_that_was_forgotten_begins_it_anew_as_ended() -> None:
    tell = Telling().start()
    tell(intent_of("c0", SELL, "c0-9"))
    account = _account(tell, "c0")
    assert (account.symbol, account.state, account.reason, account.closed_ms) == ("XRP", CycleState.HEDGED, "LATE_FILL", tell.now_ms)
    assert tell.portfolio.state.outcomes == {CycleState.HEDGED: 1}
    assert [order.intent.client_order_id for order in tell.portfolio.open_orders] == ["c0-9"]
    tell.fill("c8", fill_of("binance", Side.BUY, ONE, Decimal(2), "b"), PRICES)
    forgotten = CycleAccount(
        "c8", "r1", tell.portfolio.state.seq, "", "XRP", 0.0, 0.0, (), Phase.RESERVED, {}, 0, CycleState.RESIDUAL, tell.now_ms, "LATE_FILL",
        {}, {"XRP": ONE}, {}, [], 0, 0, 1, ["binance/b"], False, {"binance": {"XRP": ONE, "USDT": Decimal(-2)}},
        {"XRP": None, "USDT": None}, Decimal("0.1"), ZERO, {"XRP": Decimal("2.1")}, {"XRP": Decimal("2.1")},
        "", ZERO, ZERO, {}, None, [], False, None, turned={"XRP": ONE},
    )  # fmt: skip
    assert _account(tell, "c8") == forgotten


def test_a_rest_settles_it_where_it_is_nothing_or_dust() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b"), PRICES)
    account = _account(tell, "c1")
    settles = {rest: account.is_settled_by("XRP", Decimal(rest)) for rest in ("0", "0.09", "-0.09", "0.1", "-0.1", "10")}
    assert settles == {"0": True, "0.09": True, "-0.09": True, "0.1": False, "-0.1": False, "10": False}
    assert (account.is_settled_by("ADA", ZERO), account.is_settled_by("ADA", Decimal("1E-8"))) == (True, False)
    account.lots["XRP"] = ONE
    assert [account.is_settled_by("XRP", Decimal(rest)) for rest in ("0.2", "-0.2", "0.2001")] == [True, True, False], "a fiftieth of 10"


@pytest.mark.parametrize("reverse", [False, True])
def test_every_number_of_a_cycle_by_hand(reverse: bool) -> None:
    """10 XRP for 22 USDT and 0.01 XRP, sold for 29,000 KRW and 0.001 BNB; XRP counts at its first price, BNB and won at each fill's."""
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    portfolio, state = tell.portfolio, tell.portfolio.state
    tell.open("c1", BUY, SELL, most_cost=Decimal(5) if reverse else ZERO)
    assert portfolio.rebalance_at_stake() == (5 if reverse else 0)
    in_coin = fill_of(
        "binance", Side.BUY, Decimal(10), Decimal("2.2"), "b", fee=Decimal("0.01"), fee_currency="XRP", client_order_id="c1-0"
    )
    tell.fill("c1", in_coin, PRICES)
    account = _account(tell, "c1")
    # 21 of coins for 22 of cash, and 0.021 of them for the fee.
    assert (account.trading, account.fees, account.pnl) == (-ONE, Decimal("0.021"), Decimal("-1.021"))
    assert (account.booked, account.references) == ({"XRP": Decimal("20.979")}, {"XRP": PRICES["XRP"]})
    assert (account.charged, state.rebalance_spent) == ((Decimal("1.021"),) * 2 if reverse else (ZERO,) * 2)
    assert portfolio.rebalance_at_stake() == (Decimal("3.979") if reverse else ZERO)
    in_bnb = fill_of("upbit", Side.SELL, Decimal(10), Decimal(2900), "s", fee=Decimal("0.001"), fee_currency="BNB", client_order_id="c1-1")
    later = {"KRW": Decimal("0.0008"), "XRP": Decimal("2.5"), "USDT": ONE, "BNB": Decimal(600)}
    tell.fill("c1", in_bnb, later)
    # 29,000 KRW at 0.0008 are 23.2, for coins that count at 2.1 as before; 0.6 for the fee.
    assert (account.trading, account.fees) == (Decimal("1.2"), Decimal("0.621"))
    assert account.booked == {"XRP": Decimal("-0.021")}
    assert account.largest == {"XRP": Decimal(10)}
    assert account.net(state.settlement) == {"XRP": Decimal("-0.01")}
    assert account.fill_keys == ["binance/b", "upbit/s"]
    earned = Decimal("0.579")
    assert account.pnl == earned
    if reverse:  # it has cost 1.021 at worst and nothing in the end; what it was charged comes back
        assert (state.counters.trading, state.counters.fees, state.counters.rotation) == (ZERO, ZERO, earned)
        assert (account.charged, state.rebalance_spent, portfolio.rebalance_at_stake()) == (ZERO, ZERO, Decimal(5))
    else:
        assert (state.counters.trading, state.counters.fees, state.counters.rotation) == (Decimal("1.2"), Decimal("0.621"), ZERO)
    assert state.marks["BNB"] == Mark(Decimal(600), "fill", 0)
    assert state.marks["KRW"] == Mark(PRICES["KRW"], "book:KRW", 1)  # a fill gives a first price, and changes none
    assert "USDT" not in state.marks
    assert state.run is not None
    assert state.run.marks["BNB"] == 600  # what was held of it before counts at its first price
    assert state.counters.open_fx == {"KRW": Decimal(29_000)}
    assert (state.counters.converted, state.counters.conversion_cost) == ({}, {})
    tell.end("c1")
    assert state.routes["XRP:binance>upbit"].losses == 0
    # What it moved, for how long stock lasts: coins and cash on both sides.
    moved = {(exchange, asset): (flow.out_qty, flow.in_qty) for exchange, flows in state.flows.items() for asset, flow in flows.items()}
    assert moved == {
        ("binance", "XRP"): (0.0, 9.99),
        ("binance", "USDT"): (22.0, 0.0),
        ("upbit", "XRP"): (10.0, 0.0),
        ("upbit", "KRW"): (0.0, 29_000.0),
        ("upbit", "BNB"): (0.001, 0.0),
    }


def test_the_largest_fill_of_each_coin_says_what_is_dust() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    for number, qty in enumerate(("0.4", "7", "3")):
        tell.fill("c1", fill_of("binance", Side.BUY, Decimal(qty), Decimal(2), f"b{number}", client_order_id="c1-0"), PRICES)
    assert _account(tell, "c1").largest == {"XRP": Decimal(7)}
    tell.open("c2", BUY)
    tell.fill("c2", fill_of("binance", Side.BUY, Decimal("0.4"), Decimal(2), "b9", client_order_id="c2-0"), PRICES)
    assert _account(tell, "c2").largest == {"XRP": Decimal("0.4")}


def test_an_order_that_counted_as_ended_and_stands_again_is_kept_for_again() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.end("c1")
    tell(intent_of("c1", leg(1000, "binance", Side.SELL, Decimal(10), Decimal(2)), "x1", Purpose.SETTLE))
    for state, free in ((OrderState.REJECTED, 110), (OrderState.UNKNOWN, 100), (OrderState.CANCELED, 110)):
        tell.order("x1", state)
        assert tell.portfolio.available("binance", "XRP") == free
        standing = tell.portfolio.open_orders
        assert [(order.intent.client_order_id, order.changed_ms) for order in standing if order.intent.purpose is Purpose.SETTLE] == (
            [("x1", tell.now_ms)] if state is OrderState.UNKNOWN else []
        )
    tell.order("x1", OrderState.UNKNOWN)  # it was cancelled, which nothing takes back
    assert tell.portfolio.available("binance", "XRP") == 110


def converted(base: str, quote: str, settlement: tuple[str, ...], marks: dict[str, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
    """What a purchase of 10 for 22 is counted as a change of money for money: by currency, how much, and at which cost."""
    tell = Telling()
    tell(RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED", "USDT", settlement))
    tell.open("c1", PlannedLeg(0, "v", f"{base}{quote}", base, quote, Side.BUY, Decimal(10), Decimal("2.2"), ONE))
    bought = Fill(
        "v", "b", "c1-0", "v1", f"{base}{quote}", base, quote, Side.BUY, Decimal(10), Decimal("2.2"), Decimal(22), ONE, quote, "taker", 0
    )
    tell.fill("c1", bought, marks)
    counters = tell.portfolio.state.counters
    return {asset: (amount, counters.conversion_cost[asset]) for asset, amount in counters.converted.items()}


@pytest.mark.parametrize(
    ("base", "quote", "expected"),
    [
        ("USDT", "KRW", {"KRW": (Decimal(11), Decimal("1.5"))}),  # 22 at 0.5 each for 10, and 0.5 of fee
        ("KRW", "USDT", {"KRW": (Decimal(22), Decimal(18))}),  # 22 for 10 at 0.5 each, and a fee of 1
        ("EUR", "KRW", {"KRW": (Decimal(11), Decimal("-8.5"))}),  # 22 at 0.5 each, and 0.5, for 10 at 2: what is spent is named
        ("XRP", "KRW", {}),
        ("XRP", "USDT", {}),
        ("USDT", "XRP", {}),
    ],
)
def test_money_that_is_changed_for_money_is_counted_with_its_cost(
    base: str, quote: str, expected: dict[str, tuple[Decimal, Decimal]]
) -> None:
    marks = {"KRW": Decimal("0.5"), "XRP": Decimal(2), "EUR": Decimal(2)}
    assert converted(base, quote, ("KRW", "USDT", "EUR"), marks) == expected
    assert converted(base, quote, ("KRW", "USDT", "EUR"), {"XRP": Decimal(2)}) == {}  # nobody knows what it came to


def test_a_cycle_that_comes_out_even_neither_begins_nor_ends_a_row_of_losses() -> None:
    tell = Telling().start()
    route = "XRP:binance>upbit"

    def trade(name: str, price: str) -> int:
        tell.open(name, BUY, SELL)
        tell.fill(name, fill_of("binance", Side.BUY, Decimal(10), Decimal("2.1"), f"{name}b", client_order_id=f"{name}-0"), PRICES)
        tell.fill(name, fill_of("upbit", Side.SELL, Decimal(10), Decimal(price), f"{name}s", client_order_id=f"{name}-1"), PRICES, 1)
        tell.end(name)
        return tell.portfolio.state.routes[route].losses

    # At 3,000 KRW it comes out even, at 3,010 it earns 0.07.
    assert [trade(f"c{number}", price) for number, price in enumerate(("2000", "3000", "2900", "3010", "3000"))] == [1, 1, 2, 0, 0]
    late = fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "late", client_order_id="c4-1")
    tell.fill("c4", late, PRICES, 1)
    assert tell.portfolio.state.routes[route].losses == 0  # ten more were sold at what they are worth


def test_what_was_made_is_noted_when_nothing_is_one_sided() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.end("c1")
    assert tell.portfolio.state.results.last == ZERO  # what is one-sided has to be priced
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    assert tell.portfolio.state.results.last == ONE  # 21 for 20


def test_legs_that_parted_are_remembered_for_less_than_an_hour() -> None:
    tell = Telling().start()
    began_ms = tell.now_ms + 100
    ended = [began_ms + after for after in (0, 1, 3_600_001, 3_600_003)]
    for number, at_ms in enumerate(ended):
        name = f"c{number}"
        tell.now_ms = at_ms - 3  # each event comes a millisecond after the one before
        tell.open(name, BUY, SELL, send=False)
        tell.fill(name, fill_of("binance", Side.BUY, Decimal(10), Decimal(2), f"b{number}"), PRICES)
        tell.end(name)
        assert tell.now_ms == at_ms
        kept = [ended[:1], ended[:2], ended[2:3], ended[2:]][number]  # the second is an hour ago when the third comes
        assert tell.portfolio.state.routes["XRP:binance>upbit"].parted == kept


def test_a_settlement_is_of_a_position_and_what_was_settled_is_the_stocks_business() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    for cycle_id in ("c1", "nobody"):  # one that is open, and one that is not known
        before = tell.portfolio.dump()
        tell(SettlementBegan(cycle_id, "flatten", "binance", "me", "x"), ResidualSettled(cycle_id, "written off", "me", "x"))
        assert tell.portfolio.dump() == {**before, "seq": before["seq"] + 2, "time": tell.portfolio.dump()["time"]}
    tell.end("c1")
    tell(SettlementBegan("c1", "complete", "upbit", "me", "x"))
    assert _account(tell, "c1").settling == Settled("completed", "me", "x", tell.now_ms)
    tell(SettlementBegan("c1", "other", "upbit", "me", "x"))
    assert _account(tell, "c1").settling == Settled("other", "me", "x", tell.now_ms)
    assert _account(tell, "c1").booked == {"XRP": Decimal(21)}
    tell.marks({"XRP": Decimal(3)})
    tell(ResidualSettled("c1", "written off", "me", "x"))
    assert (_account(tell, "c1").booked, tell.portfolio.state.settled_value) == ({}, Decimal(9))  # ten coins, 0.9 up each


def test_what_was_made_is_noted_at_the_end_of_a_hedged_cycle() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    assert tell.portfolio.state.results.last == ZERO
    tell.end("c1")
    assert tell.portfolio.state.results.last == ONE


def test_a_target_of_money_that_is_not_the_pnls_says_how_much_of_it_is_open() -> None:
    """Of 300,000 won at 0.0007; what is stock from now on is no open won any more, at the price of that moment."""
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start", "d1")
    state = tell.portfolio.state
    for exchange, asset in (("binance", "USDT"), ("upbit", "XRP")):
        before = state.counters.copy()
        tell(TargetSet(exchange, asset, Decimal(5), ZERO, "me", "x"))
        assert state.targets[exchange][asset] == 5
        assert state.counters == before
    assert (state.counters.open_fx, state.open_since) == ({}, {})
    tell(TargetSet("upbit", "KRW", Decimal(200_000), ZERO, "me", "x"))
    assert (state.counters.open_fx, state.open_since) == ({"KRW": Decimal(100_000)}, {"KRW": tell.now_ms})
    began_ms = tell.now_ms
    assert state.counters.booked["KRW"] == 70
    assert state.counters.external["KRW"] == 140
    tell(TargetSet("upbit", "KRW", Decimal(250_000), ZERO, "me", "x"))
    assert (state.counters.open_fx, state.open_since) == ({"KRW": Decimal(50_000)}, {"KRW": began_ms})
    tell(TargetSet("upbit", "KRW", Decimal(350_000), ZERO, "me", "x"))
    assert (state.counters.open_fx, state.open_since) == ({"KRW": Decimal(-50_000)}, {"KRW": tell.now_ms})  # the other way
    tell(TargetSet("other", "KRW", Decimal(-50_000), ZERO, "me", "x"))
    assert (state.counters.open_fx, state.open_since) == ({"KRW": ZERO}, {})
    assert state.targets["other"] == {"KRW": Decimal(-50_000)}
    # A fraction of one is open, too, and its sign is what counts.
    since = []
    for more in ("0.5", "0.25", "2", "-0.5"):
        tell(TargetSet("other", "KRW", Decimal(-50_000) - Decimal(more), ZERO, "me", "x"))
        assert state.counters.open_fx == {"KRW": Decimal(more)}
        since.append(tell.now_ms - state.open_since["KRW"])
    assert since == [0, 1, 2, 0]


def test_the_last_fifty_transfers_that_ended_are_kept_and_every_open_one() -> None:
    tell = Telling().start()
    for number in range(54):
        tell(TransferBegun(f"t{number}", "XRP", "binance", "upbit", "XRP", ONE, ZERO, 4.0, "me", "x"))
        if number != 1:
            tell(TransferSettled(f"t{number}", "cancelled", "me", "x"))
    # The newest was open when the others were counted.
    assert list(tell.portfolio.state.transfers) == ["t1", *(f"t{number}" for number in range(3, 54))]


def test_ended_cycles_are_forgotten_oldest_first_and_one_whose_order_may_still_fill_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_ENDED", 3)
    tell = Telling().start()
    portfolio, state = tell.portfolio, tell.portfolio.state

    def end(number: int, order: OrderState) -> None:
        tell.open(f"c{number}", BUY)
        tell.order(f"c{number}-0", order)
        tell.end(f"c{number}")

    for number, order in enumerate((OrderState.UNKNOWN, OrderState.REJECTED, OrderState.REJECTED)):
        end(number, order)
    assert list(state.ended) == list(state.cycles) == ["c0", "c1", "c2"]
    end(3, OrderState.REJECTED)
    assert list(state.ended) == list(state.cycles) == ["c0", "c2", "c3"]
    assert (portfolio.cycle("c1"), portfolio.cycle_of_order("c1-0")) == (None, None)
    assert portfolio.cycle_of_order("c2-0") is portfolio.cycle("c2")
    assert [order.intent.client_order_id for order in portfolio.open_orders] == ["c0-0"]
    for number in range(4, 7):
        end(number, OrderState.UNKNOWN)
    assert list(state.ended) == list(state.cycles) == ["c0", "c4", "c5", "c6"]  # more than are kept else
    tell.order("c5-0", OrderState.EXPIRED)
    end(7, OrderState.EXPIRED)
    assert list(state.ended) == list(state.cycles) == ["c0", "c4", "c6"]


def test_a_dump_is_as_json_holds_it() -> None:
    tell = Telling().start()
    tell.open("c1", BUY)
    dumped = tell.portfolio.dump()
    assert [(type(hour), count) for hour, count in dumped["orders"]["hours"].items()] == [(str, 1)]
    stored = json.loads(tell.portfolio.encode())
    assert json.loads(json.dumps(dumped)) == stored
    assert Portfolio.load(stored).dump() == dumped
    with pytest.raises(ValueError, match="folded by the rules 999"):
        Portfolio.load({**stored, "rules": 999})


def test_fills_are_recognised_after_their_cycle_was_forgotten_as_long_as_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_FILLS", 3)
    tell = Telling().start()
    for number in range(4):
        tell.fill("c1", fill_of("binance", Side.BUY, ONE, Decimal(2), f"b{number}"), PRICES)
    assert list(tell.portfolio.state.recent_fills) == ["binance/b1", "binance/b2", "binance/b3"]
    tell.fill("c1", fill_of("binance", Side.BUY, ONE, Decimal(2), "b0"), PRICES)  # its cycle knows it
    tell.fill("c9", fill_of("binance", Side.BUY, ONE, Decimal(2), "b1"), PRICES)  # told of another cycle
    assert tell.portfolio.total("binance", "XRP") == 104
    assert tell.portfolio.cycle("c9") is None


def test_what_late_fills_leave_and_complete_after_a_write_off() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "b", client_order_id="c1-0"), PRICES)
    tell.end("c1")
    account, state = _account(tell, "c1"), tell.portfolio.state

    def late(side: Side, qty: str, trade: str) -> None:
        tell.fill("c1", fill_of("upbit", side, Decimal(qty), Decimal(3000), trade, client_order_id="c1-1"), PRICES, 1)

    tell(CycleAcknowledged("c1", "me", "seen"))
    late(Side.SELL, "1", "s1")
    assert (account.acknowledged_by, list(state.ended)) == ("me", [])  # less of the same
    late(Side.SELL, "14", "s1b")
    assert (account.acknowledged_by, tell.portfolio.left(account)) == ("", {"XRP": Decimal(-5)})  # less, and owed where it was held
    late(Side.BUY, "14", "s1c")
    tell(CycleAcknowledged("c1", "me", "seen"))
    tell(ResidualSettled("c1", "written off", "me", "kept"))
    assert list(state.ended) == ["c1"]
    late(Side.SELL, "4", "s2")
    assert (account.acknowledged_by, account.settled, list(state.ended)) == ("", None, [])
    assert tell.portfolio.left(account) == {"XRP": Decimal(-4)}
    late(Side.BUY, "4", "s3")
    assert account.settled == Settled("completed by a late fill", "", "", tell.now_ms)
    assert (account.state, list(state.ended), tell.portfolio.positions) == (CycleState.RESIDUAL, ["c1"], [])


def test_a_run_counts_from_its_first_starting_prices() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": Decimal(2)}, "start", "d1")
    tell.marks({"XRP": Decimal(3)}, "start", "d1")
    assert tell.portfolio.state.run is not None
    assert tell.portfolio.state.run.marks == {"KRW": PRICES["KRW"], "XRP": Decimal(2), "USDT": ONE}
