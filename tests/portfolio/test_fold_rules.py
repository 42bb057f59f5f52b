"""What single events leave in the state, in exact numbers: phases, baselines of runs and days, write-offs, quiet dust, reservations."""

from decimal import Decimal

from arbtui.journal.events import (
    Adjusted,
    CycleAcknowledged,
    CycleState,
    Killed,
    Mark,
    MarksTaken,
    NoticeActed,
    NoticeRead,
    NoticeStep,
    Phase,
    PlannedTransfer,
    Rearmed,
    ResidualSettled,
    RunStarted,
    ScopeRearmed,
    SettlementBegan,
    StateChanged,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import OrderState, Purpose, Side
from arbtui.portfolio.accounts import CycleAccount, RouteRecord
from arbtui.portfolio.notices import NoticeRecord
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.state import RunTally
from tests.portfolio.telling import Telling, fill_of, intent_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "ADA": Decimal("0.5"), "USDT": ONE}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))


def the_cycle(tell: Telling, cycle_id: str = "c1") -> CycleAccount:
    found = tell.portfolio.cycle(cycle_id)
    assert found is not None
    return found


def buys(tell: Telling, cycle_id: str, qty: str, price: str = "2", *, base: str = "XRP", trade: str = "b", fee: str = "0") -> None:
    told = fill_of(
        "binance",
        Side.BUY,
        Decimal(qty),
        Decimal(price),
        f"{trade}{cycle_id}",
        base=base,
        fee=Decimal(fee),
        client_order_id=f"{cycle_id}-0",
    )
    tell.fill(cycle_id, told, PRICES)


def test_a_cycle_is_in_the_phase_of_its_last_order_until_it_ends() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL, send=False)
    phases = [the_cycle(tell).phase]
    purposes = (Purpose.ENTRY, Purpose.COMPLETE, Purpose.FOLLOW, Purpose.UNWIND, Purpose.ENTRY, Purpose.SETTLE)
    for number, purpose in enumerate(purposes):
        tell(intent_of("c1", BUY, f"o{number}", purpose))
        phases.append(the_cycle(tell).phase)
    assert phases == [Phase.RESERVED, Phase.WORKING, Phase.HEDGING, Phase.WORKING, Phase.UNWINDING, Phase.WORKING, Phase.WORKING]
    one = the_cycle(tell)
    assert (one.intended, one.hedges, one.unwinds, one.settling_orders) == (6, 2, ["o3"], ["o5"])
    tell.end("c1")
    tell(intent_of("c1", BUY, "late", Purpose.UNWIND))
    assert (one.phase, one.unwinds, one.hedges) == (Phase.WORKING, ["o3", "late"], 3)


def test_a_leg_that_was_taken_back_once_stays_so_whatever_fills_after_it() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    buys(tell, "c1", "10")
    back = leg(0, "binance", Side.SELL, Decimal(4), Decimal(2))
    tell(intent_of("c1", back, "u", Purpose.UNWIND))
    tell.fill("c1", fill_of("binance", Side.SELL, Decimal(4), Decimal(2), "u", client_order_id="u"), PRICES)
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(6), Decimal(3000), "s", client_order_id="c1-1"), PRICES, 1)
    tell.end("c1")
    assert the_cycle(tell).state is CycleState.UNWOUND
    assert tell.portfolio.state.routes == {the_cycle(tell).route: RouteRecord(3, 0, True, [tell.now_ms])}


def test_what_is_set_aside_twice_at_a_place_is_set_aside_together_and_given_back_with_the_plan() -> None:
    tell = Telling().start()
    moves = (PlannedTransfer(1, "XRP", "binance", "upbit", "net", ONE, 4.0),)
    tell.open(
        "c1", BUY, reserved=(("binance", "USDT", Decimal(20)), ("upbit", "XRP", ONE), ("binance", "USDT", Decimal(5))), transfers=moves
    )
    one = the_cycle(tell)
    assert one.reserved == {"binance": {"USDT": Decimal(25)}, "upbit": {"XRP": ONE}}
    assert (tell.portfolio.available("binance", "USDT"), tell.portfolio.available("upbit", "XRP")) == (Decimal(175), Decimal(99))
    assert (one.run_id, one.value, one.edge_bps, one.transfers, one.legs) == ("r1", 100.0, 10.0, moves, (BUY,))
    tell.end("c1", "why")
    assert (one.reserved, one.transfers, one.legs, one.reason, one.closed_ms) == ({}, (), (), "why", tell.now_ms - 1)
    tell.end("c1", "again")
    assert one.reason == "why", "it had ended"


def test_a_cycle_that_is_opened_again_counts_once() -> None:
    tell = Telling().start()
    for qty in ("20", "30"):
        tell.open("c1", BUY, SELL, reserved=(("binance", "USDT", Decimal(qty)),), value=float(qty), send=False)
    portfolio = tell.portfolio
    assert (portfolio.reserved("binance", "USDT"), portfolio.under_way.value(), portfolio.out_of_step()) == (Decimal(30), 30.0, [])
    tell.end("c1")
    assert (portfolio.reserved("binance", "USDT"), portfolio.under_way.value(), portfolio.out_of_step()) == (ZERO, 0.0, [])


def test_only_what_is_no_dust_becomes_stock_that_counts_as_full() -> None:
    """10 XRP and 0.05 ADA are left: the former are stock from now on, of the latter only their price is nobody's gain any more."""
    tell = Telling().start()
    tell.marks({"XRP": Decimal("2.1"), "ADA": Decimal("0.5"), "KRW": PRICES["KRW"]}, "start")
    tell.open("c1", BUY, leg(1, "binance", Side.BUY, Decimal(10), ONE, base="ADA"))
    buys(tell, "c1", "10")
    buys(tell, "c1", "10", "1", base="ADA", trade="a")
    sold = fill_of("upbit", Side.SELL, Decimal("9.95"), Decimal(700), "s", base="ADA", client_order_id="c1-1")
    tell.fill("c1", sold, PRICES, 1)
    tell.end("c1")
    one, state = the_cycle(tell), tell.portfolio.state
    assert (one.left(state.settlement), one.dust(state.settlement)) == ({"XRP": Decimal(10)}, {"ADA": Decimal("0.05")})
    assert one.booked == {"XRP": Decimal(21), "ADA": Decimal("0.025")}
    assert tell.portfolio.position_gain({"XRP": Decimal(3), "ADA": ONE}) == Decimal("9.025")
    tell.marks({"XRP": Decimal(3), "ADA": ONE})
    tell(ResidualSettled("c1", "written off", "ann", "kept"))
    assert state.targets == {
        "upbit": {"KRW": Decimal(300_000), "XRP": Decimal(100)},
        "binance": {"USDT": Decimal(200), "XRP": Decimal(110)},
    }
    assert one.taken == {"binance": {"XRP": Decimal(10), "ADA": Decimal(10)}, "upbit": {"ADA": Decimal("-9.95")}}
    assert (one.booked, one.net(state.settlement), state.settled_value) == ({}, {}, Decimal("9.025"))
    assert tell.portfolio.position_gain({"XRP": Decimal(30), "ADA": Decimal(30)}) == 0
    late = fill_of("binance", Side.BUY, ONE, Decimal(2), "late", fee=Decimal("0.1"), fee_currency="ADA", client_order_id="c1-0")
    tell.fill("c1", late, PRICES)
    assert (one.booked, one.net(state.settlement)) == (
        {"XRP": Decimal("2.1"), "ADA": Decimal("-0.05")},
        {"XRP": ONE, "ADA": Decimal("-0.1")},
    )


def test_dust_that_was_booked_without_asking_is_counted_by_venue_and_day_at_its_price() -> None:
    tell = Telling().start()
    dust = [("binance", "USDT", "-0.01"), ("binance", "USDT", "0.02"), ("upbit", "KRW", "-10"), ("upbit", "XRP", "0.05")]
    tell(*(Adjusted(exchange, asset, Decimal(change), "x", "dust") for exchange, asset, change in dust))
    assert tell.portfolio.state.quiet == {"binance": Decimal("0.03")}, "what has no price yet has no known worth"
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "day")
    assert tell.portfolio.state.quiet == {}
    tell(*(Adjusted(exchange, asset, Decimal(change), "x", "dust") for exchange, asset, change in dust))
    tell(Adjusted("upbit", "XRP", ONE, "x", "operator", "ann"), Adjusted("upbit", "ADA", ONE, "x", "first seen"))
    quiet = {"binance": Decimal("0.03"), "upbit": Decimal("0.007") + Decimal("0.105")}
    assert tell.portfolio.state.quiet == quiet
    tell.marks({"XRP": Decimal(3)})
    assert tell.portfolio.state.quiet == quiet, "the day goes on"
    tell.marks({}, "day", "2026-01-02")
    assert tell.portfolio.state.quiet == {}


def test_a_day_begins_with_what_was_held_and_had_been_made_by_then() -> None:
    tell = Telling().start()
    state = tell.portfolio.state
    assert not state.day
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "time", "d1")
    assert state.day is not None, "the first prices begin the first day"
    assert (state.day.name, state.day.ts_ms, state.day.rebalance_spent, state.day.residual) == ("d1", tell.now_ms, ZERO, ZERO)
    tell.open("c1", BUY)
    buys(tell, "c1", "10", fee="1")
    tell.end("c1")
    tell.open("c2", BUY, most_cost=Decimal(5))
    buys(tell, "c2", "10", "2.3")
    tell.end("c2")
    tell.open("c3", BUY)
    buys(tell, "c3", "1")
    tell.end("c3")
    tell.marks({"XRP": Decimal("2.5")}, "time", "d1")
    tell(ResidualSettled("c3", "written off", "ann", "x"))
    assert (state.day.name, state.settled_value, state.rebalance_spent) == ("d1", Decimal("0.4"), Decimal(2))
    earned = ONE - 1 - 2 + Decimal("0.1")
    held = 20 * Decimal("0.4")
    assert tell.portfolio.result(tell.portfolio.prices()) == earned + held + Decimal("0.4")
    assert tell.portfolio.loss_today(tell.portfolio.prices()) == -(earned + held + Decimal("0.4"))
    tell.marks({"XRP": Decimal("2.6")}, "day", "d2")
    day = state.day
    assert (day.name, day.ts_ms, day.rebalance_spent, day.residual) == ("d2", tell.now_ms, Decimal(2), 20 * Decimal("0.5") + Decimal("0.4"))
    assert day.marks == {**PRICES, "XRP": Decimal("2.6")}
    assert day.counters == state.counters
    assert day.counters is not state.counters
    assert (tell.portfolio.rebalance_spent_today(), tell.portfolio.loss_today(tell.portfolio.prices())) == (ZERO, ZERO)
    assert tell.portfolio.loss_today({"XRP": Decimal("2.5")}) == 2
    assert state.results.last == tell.portfolio.result(tell.portfolio.prices())


def test_a_run_begins_anew_with_its_own_counts_and_goes_on_with_all_others() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": PRICES["XRP"]}, "start")
    tell(StateChanged("PAUSED", "operator", True))
    tell.open("c1", BUY)
    buys(tell, "c1", "10")
    state = tell.portfolio.state
    assert (state.tally, state.why) == (RunTally("r1", 1, 1, {CycleState.OPEN: 1}), "operator")
    before = state.counters.copy()
    tell(RunStarted("r2", "p", "sim", 1, "0", "c", {}, "RECOVERING", "USDT", ("KRW", "USDT")))
    assert (state.tally, state.state, state.why, state.run_started) == (RunTally("r2"), "RECOVERING", "", False)
    assert state.run is not None
    assert (state.run.name, state.run.ts_ms, state.run.counters, state.unattended) == ("r2", tell.now_ms, before, 1)
    assert state.run.marks == PRICES
    tell.end("c1")
    assert state.tally.outcomes[CycleState.RESIDUAL] == 1
    assert state.outcomes == {CycleState.OPEN: 0, CycleState.RESIDUAL: 1}
    tell.marks({"XRP": Decimal(3)}, "time")
    assert (state.run_started, state.run.marks["XRP"]) == (False, PRICES["XRP"])
    tell.marks({"XRP": Decimal(4)}, "start")
    assert (state.run_started, state.run.marks["XRP"]) == (True, Decimal(4))


def test_a_late_fill_of_an_earlier_runs_cycle_leaves_the_runs_own_counts_alone() -> None:
    """The exit summary told of -1 residual cycles, and a counter of the metrics fell."""
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    buys(tell, "c1", "10")
    tell.end("c1")
    tell.open("c2", BUY)
    tell(RunStarted("r2", "p", "sim", 1, "0", "c", {}, "RECOVERING", "USDT", ("KRW", "USDT")))
    state = tell.portfolio.state
    assert state.outcomes == {CycleState.OPEN: 1, CycleState.RESIDUAL: 1}
    sold = fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "s", client_order_id="c1-1", fee_currency="KRW")
    tell.fill("c1", sold, PRICES)
    assert state.outcomes == {CycleState.OPEN: 1, CycleState.RESIDUAL: 0, CycleState.HEDGED: 1}
    assert state.tally.outcomes == {}, "it ended before this run"
    tell.end("c2")
    assert state.tally.outcomes == {CycleState.MISSED: 1}, "opened before, ended here"
    buys(tell, "c2", "4")
    assert state.tally.outcomes == {CycleState.MISSED: 0, CycleState.RESIDUAL: 1}


def test_a_run_counts_no_cycle_that_ended_before_it_by_a_clock_that_was_put_back_since() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL)
    buys(tell, "c1", "10")
    tell.now_ms += 10_000
    tell.end("c1")
    tell.now_ms -= 5_000
    tell.start("r2")
    sold = fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "s", client_order_id="c1-1", fee_currency="KRW")
    tell.fill("c1", sold, PRICES)
    assert tell.portfolio.state.outcomes[CycleState.HEDGED] == 1
    assert tell.portfolio.state.tally.outcomes == {}


def test_marks_of_a_start_before_any_run_begin_no_run() -> None:
    tell = Telling()
    tell(MarksTaken("start", "d1", {"XRP": Mark(ONE, "x", 0)}))
    state = tell.portfolio.state
    assert (state.run, state.run_started, state.marks) == (None, False, {"XRP": Mark(ONE, "x", 0)})


def test_what_was_acknowledged_is_that_of_a_cycle_that_is_kept() -> None:
    tell = Telling().start()
    tell.open("c1", BUY)
    tell(CycleAcknowledged("nobody's", "ann", "x"), CycleAcknowledged("c1", "ann", "x"))
    assert the_cycle(tell).acknowledged_by == "ann"
    assert tell.portfolio.cycle("nobody's") is None


def test_a_kill_and_a_rearm_leave_what_waits_for_the_checklist() -> None:
    tell = Telling().start()
    tell(StateChanged("DISARMED", "x", True), Killed("KEY", "", 1))
    assert (tell.portfolio.state.killed, tell.portfolio.state.resume, tell.portfolio.state.state) == (True, "DISARMED", "DISARMED")
    tell(Rearmed("ann", "looked"))
    state = tell.portfolio.state
    assert (state.killed, state.resume, state.pending_rearm) == (False, "DISARMED", None), (
        "with an engine that runs, its state says the rest"
    )


def test_an_index_that_is_not_what_the_state_says_is_named() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(20)),))
    portfolio = tell.portfolio
    assert portfolio.out_of_step() == []
    portfolio.state.cycles["c1"].value = 101.0
    assert portfolio.out_of_step() == ["value of open cycles", "ways"]
    portfolio.state.cycles["c1"].value = 100.0
    portfolio.state.cycles["c1"].orders["c1-0"].state = OrderState.FILLED
    assert portfolio.out_of_step() == ["open orders"]
    portfolio.state.cycles["c1"].reserved["binance"]["USDT"] = Decimal(21)
    assert portfolio.out_of_step() == ["reserved", "open orders"]


def test_what_one_may_use_is_its_own_reservation_and_its_own_orders_beside_what_is_free() -> None:
    tell = Telling().start()
    portfolio = tell.portfolio
    tell.open("c1", BUY, reserved=(("binance", "USDT", Decimal(20)),), send=False)
    buys(tell, "c1", "1")
    tell.end("c1")
    sells = leg(1000, "binance", Side.SELL, Decimal(3), Decimal(2))
    tell(SettlementBegan("c1", "flatten", "binance", "ann", "x"), intent_of("c1", sells, "s1", Purpose.SETTLE))
    tell(intent_of("c2", sells, "s2", Purpose.SETTLE))
    assert [portfolio.available("binance", "XRP", name) for name in ("", "c1", "c2", "nobody")] == [95, 98, 98, 95]
    assert portfolio.reserved("binance", "XRP") == 6
    assert {order.intent.client_order_id for order in portfolio.unreserved_orders} == {"s1", "s2"}
    again = Portfolio.load(portfolio.dump())
    assert {order.intent.client_order_id for order in again.unreserved_orders} == {"s1", "s2"}


def test_pnl_is_of_the_span_that_was_asked_for() -> None:
    tell = Telling().start()
    tell.marks({"KRW": PRICES["KRW"], "XRP": Decimal(2)}, "day")
    portfolio = tell.portfolio
    tell.marks({"XRP": Decimal(3)})
    assert portfolio.pnl_since(None).inventory == portfolio.pnl_since(portfolio.state.day).inventory == 200
    tell.marks({"XRP": Decimal(4)}, "day", "d2")
    assert (portfolio.pnl_since(None).inventory, portfolio.pnl_since(portfolio.state.day).inventory) == (Decimal(400), ZERO)
    assert portfolio.pnl_since(portfolio.state.day, {**portfolio.prices(), "XRP": Decimal(5)}).inventory == 200
    assert [portfolio.price(asset) for asset in ("USDT", "XRP", "ADA")] == [ONE, Decimal(4), None]


def test_notices_are_remembered_with_what_was_done_and_when() -> None:
    tell = Telling().start()
    step = NoticeStep("hold", "symbol.XRP", 9_000, "HALTED")
    read = NoticeRead("upbit:1", "upbit", "title", "", "d", 0, ("delisting",), ("XRP",), steps=(step,), new_coins=("NEW",))
    tell(read)
    read_ms = tell.now_ms
    tell(NoticeActed("upbit:1", step.key, "halted"))
    acted_ms = tell.now_ms
    tell(ScopeRearmed("symbol.XRP", "ann", "x"), ScopeRearmed("symbol.ADA", "ann", "x"))
    notices = tell.portfolio.state.notices
    assert notices.by_id == {"upbit:1": NoticeRecord(read, read_ms, {step.key: "halted"}, {step.key: acted_ms})}
    assert (notices.new_coins, notices.lifted) == ({"NEW": "upbit:1"}, {"symbol.XRP": acted_ms + 1})
    assert Portfolio.load(tell.portfolio.dump()).state.notices == notices
