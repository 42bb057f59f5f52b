"""Transfer plans: what a person could move, by which network, at what cost, and why not."""

import json
from decimal import Decimal

import pytest

from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.journal.events import Adjusted, TargetSet, TransferBegun
from arbtui.model.money import ONE, ZERO
from arbtui.portfolio.operator_events import Transfer, begin_transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfer_plan import TransferPlan, plan_lines, transfer_plans
from arbtui.portfolio.volatility import Volatility
from tests.portfolio.telling import Telling

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal(2), "USDT": ONE}
HELD = {"upbit": {"KRW": Decimal(300_000), "XRP": Decimal(20)}, "binance": {"USDT": Decimal(200), "XRP": Decimal(1980)}}


def terms(
    network: str = "XRP", fee: str = "0.2", least: str = "20", *, sends: bool = True, takes: bool = True, **more: object
) -> NetworkTerms:
    return NetworkTerms(
        "XRP", network, takes, sends, Decimal(fee), Decimal(least), Decimal("0.1"), 4.0, **more  # type: ignore[arg-type]
    )  # fmt: skip


def short() -> Telling:
    """Upbit holds 20 of 1,000; Binance 1,980 of 1,000."""
    tell = Telling().start("r1", HELD)
    for exchange, before in (("upbit", 20), ("binance", 1980)):
        tell(TargetSet(exchange, "XRP", Decimal(1000), Decimal(before), "me", "x"))
    return tell


def plans(portfolio: Portfolio, sender: Networks | None, receiver: Networks | None, edge: float | None = None) -> list[TransferPlan]:
    networks = {name: known for name, known in (("binance", sender), ("upbit", receiver)) if known is not None}
    return transfer_plans(portfolio, networks, PRICES, 0.5, 10**12, lambda asset, bought, sold: edge)


def test_a_short_stock_is_filled_from_the_surplus_by_the_cheapest_network() -> None:
    both = {"XRP": (terms("BSC", "0.5"), terms())}
    (plan,) = plans(short().portfolio, both, both, -12.0)
    assert plan.id == "XRP:binance>upbit"
    assert plan.missing == 980
    assert [rail.network for rail in plan.rails] == ["XRP", "BSC"]
    best = plan.best
    assert best is not None
    # The surplus is exactly what is missing, so the fee comes out of what arrives.
    assert (best.amount, best.arrives, best.minutes) == (Decimal(980), Decimal("979.8"), 4.0)
    assert (plan.value, plan.fee_value) == (Decimal(1960), Decimal("0.40"))
    assert plan.reverse_cost == Decimal("2.35")  # 12 bps of 1,960
    json.dumps(plan.facts())


@pytest.mark.parametrize(
    ("sender", "receiver", "why"),
    [
        ((terms(sends=False),), (terms(),), "withdrawals are off at the sender"),
        ((terms(),), (terms(takes=False, words="Wallet Maintenance"),), "deposits are off at the receiver: Wallet Maintenance"),
        ((terms("BSC"),), (terms("XRP"),), "upbit takes no deposits on BSC"),
        ((terms(least="5000"),), (terms(),), "980 is under the least amount, 5000"),
        ((terms(fee="980"),), (terms(),), "the fee would take all of it"),
        ((terms(known_to=("okx",)),), (terms(),), "no address of the receiver is registered"),
        ((), (terms(),), "binance lists no network of XRP"),
        (None, (terms(),), "no word from binance"),
    ],
)
def test_what_cannot_be_done_now_says_why(sender: tuple[NetworkTerms, ...] | None, receiver: tuple[NetworkTerms, ...], why: str) -> None:
    (plan,) = plans(short().portfolio, None if sender is None else {"XRP": sender}, {"XRP": receiver})
    assert plan.best is None
    assert why in plan.rails[0].why_not
    assert any(why in text for _, text in plan_lines(plan, "USDT"))


def test_an_amount_is_a_multiple_of_the_step_and_never_more_than_the_surplus() -> None:
    tell = short()
    tell(Adjusted("binance", "XRP", Decimal("-700.77"), "x", "operator"))
    tell(TargetSet("binance", "XRP", Decimal(1000), ZERO, "me", "x"))
    (plan,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert plan.rails[0].amount == Decimal("279.2")


def test_what_has_not_run_short_or_has_no_surplus_elsewhere_has_no_plan() -> None:
    tell = Telling().start()
    assert plans(tell.portfolio, {}, {}) == []
    tell(TargetSet("upbit", "XRP", Decimal(5000), ZERO, "me", "x"))  # short, and Binance has just its own
    assert plans(tell.portfolio, {}, {}) == []


def test_what_is_under_way_already_is_not_missing_any_more() -> None:
    tell = short()
    (plan,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    best = plan.best
    assert best is not None
    move = Transfer("XRP", "binance", "upbit", Decimal(300), "XRP", ONE, 4.0)
    events = begin_transfer(tell.portfolio, move, "me", "x")
    assert not isinstance(events, str)
    tell(*events)
    (rest,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert rest.missing == plan.missing - 299
    more = begin_transfer(tell.portfolio, Transfer("XRP", "upbit", "binance", ONE, "XRP", ZERO, 4.0), "me", "x")
    assert not isinstance(more, str)  # the other way is another transfer
    tell(TransferBegun("T0", "XRP", "binance", "upbit", "XRP", Decimal(600), ONE, 4.0, "me", "x"))
    assert plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)}) == []


def test_the_travel_rule_and_the_lock_of_won_are_flagged() -> None:
    tell = short()
    (plan,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert plan.travel_rule  # 1,960 USDT are 2.8 million won
    assert plan.lock == ""  # Binance locks nothing
    for exchange, before in (("upbit", 1000), ("binance", 1000)):
        tell(TargetSet(exchange, "XRP", Decimal(10 if exchange == "upbit" else 4000), Decimal(before), "me", "x"))
    (back,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert back.id == "XRP:upbit>binance"
    assert not back.travel_rule  # ten coins
    assert "no KRW paid in within 72 h" in back.lock
    tell(Adjusted("upbit", "KRW", Decimal(500_000), "a deposit", "operator", "me"))
    (locked,) = transfer_plans(tell.portfolio, {}, PRICES, 0.5, tell.now_ms + 3_600_000)
    assert "500000 KRW came within 24 h" in locked.lock
    (first,) = transfer_plans(tell.portfolio, {}, PRICES, 0.5, tell.now_ms + 30 * 3_600_000)
    assert "locked if it was the first time" in first.lock
    (free,) = transfer_plans(tell.portfolio, {}, PRICES, 0.5, tell.now_ms + 80 * 3_600_000)
    assert "no KRW paid in" in free.lock


def test_the_price_risk_grows_with_the_root_of_time() -> None:
    moves = Volatility()
    for minute in range(61):
        moves.add(2.0 * (1.001 if minute % 2 else 1.0), minute * 60_000 + 1)
    one = moves.over(1.0)
    assert one == pytest.approx(0.001, rel=0.01)
    assert one is not None
    assert moves.over(4.0) == pytest.approx(2 * one)
    assert Volatility().over(1.0) is None
    tell = short()
    tell.portfolio.state.volatility["XRP"] = moves
    (plan,) = plans(tell.portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert plan.risk == pytest.approx(Decimal("3.92"), abs=Decimal("0.05"))  # 0.2 % of 1,960 in four minutes


def test_marks_measure_the_volatility_and_it_outlives_a_restart() -> None:
    tell = Telling().start()
    for minute in range(5):
        tell.now_ms += 60_000
        tell.marks({"XRP": Decimal(2) + Decimal(minute % 2) / 100})
    told = tell.portfolio.state.volatility["XRP"].over(1.0)
    assert told == pytest.approx(0.005, rel=0.05)
    assert Portfolio.load(tell.portfolio.dump()).state.volatility["XRP"].over(1.0) == told
