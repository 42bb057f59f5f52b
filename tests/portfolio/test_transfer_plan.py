"""Transfer plans: what a person could move, by which network, at what cost, and why not."""

import json
from decimal import Decimal

import pytest

from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.journal.events import Adjusted, TargetSet, TransferBegun
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Side
from arbtui.portfolio.operator_events import Transfer, begin_transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfer_plan import GATED, TransferPlan, plan_lines, transfer_plans
from arbtui.portfolio.volatility import Volatility
from tests.portfolio.telling import Telling, leg

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


def desk(**xrp: tuple[int, int]) -> Portfolio:
    """What each venue holds of XRP, and its target."""
    tell = Telling().start("r1", {exchange: {"XRP": Decimal(held)} for exchange, (held, _) in xrp.items()})
    for exchange, (held, target) in xrp.items():
        tell(TargetSet(exchange, "XRP", Decimal(target), Decimal(held), "me", "x"))
    return tell.portfolio


def test_a_stock_at_the_threshold_is_not_short() -> None:
    assert transfer_plans(desk(upbit=(500, 1000), binance=(2000, 1000)), {}, PRICES, 0.5, 0) == []
    (plan,) = transfer_plans(desk(upbit=(499, 1000), binance=(2000, 1000)), {}, PRICES, 0.5, 0)
    assert plan.missing == 501
    assert (plan.rails[0].amount, plan.rails[0].arrives) == (Decimal(501), None), (
        "no more than is missing, and nobody knows what a network keeps"
    )


def test_the_emptiest_is_first_and_is_filled_from_where_most_is_to_spare() -> None:
    portfolio = desk(upbit=(300, 1000), bithumb=(100, 1000), binance=(1200, 1000), okx=(1500, 1000))
    found = transfer_plans(portfolio, {}, PRICES, 0.5, 0)
    assert [(plan.id, plan.missing, plan.rails[0].amount) for plan in found] == [
        ("XRP:okx>bithumb", Decimal(900), Decimal(500)),
        ("XRP:okx>upbit", Decimal(700), Decimal(500)),
    ]
    assert transfer_plans(portfolio, {}, PRICES, 0.5, 0, asset="ADA") == []
    assert len(transfer_plans(portfolio, {}, PRICES, 0.5, 0, asset="XRP")) == 2


def test_stock_of_less_than_one_unit_is_stock_and_an_empty_place_is_the_emptiest() -> None:
    def held(amount: str) -> dict[str, Decimal]:
        return {"XRP": Decimal(amount)}

    tell = Telling().start("r1", {"bithumb": held("0.1"), "upbit": held("0"), "binance": held("0.9")})
    for exchange, before in (("bithumb", "0.1"), ("upbit", "0"), ("binance", "0.9")):
        tell(TargetSet(exchange, "XRP", Decimal("0.5"), Decimal(before), "me", "x"))
    found = transfer_plans(tell.portfolio, {}, PRICES, 0.5, 0)
    assert [(plan.id, plan.rails[0].amount) for plan in found] == [
        ("XRP:binance>upbit", Decimal("0.4")),
        ("XRP:binance>bithumb", Decimal("0.4")),
    ]


def test_what_is_reserved_is_not_to_spare() -> None:
    tell = Telling().start("r1", HELD)
    tell(
        TargetSet("upbit", "XRP", Decimal(1000), Decimal(20), "me", "x"),
        TargetSet("binance", "XRP", Decimal(1000), Decimal(1980), "me", "x"),
    )
    sells = leg(0, "binance", Side.SELL, Decimal(1800), Decimal(2))
    tell.open("c1", sells, reserved=(("binance", "XRP", Decimal(1800)),))
    (plan,) = transfer_plans(tell.portfolio, {}, PRICES, 0.5, 0)
    assert plan.rails[0].amount == 180


def test_reverse_trades_are_asked_for_where_it_is_missing_and_sold_where_it_is_to_spare() -> None:
    asked = list[tuple[str, str, str]]()

    def edge(*places: str) -> float:
        asked.append((places[0], places[1], places[2]))
        return 10.0

    (plan,) = transfer_plans(short().portfolio, {}, PRICES, 0.5, 0, edge)
    assert asked == [("XRP", "upbit", "binance")]
    assert plan.reverse_cost == Decimal("-1.96")  # it earns


def test_what_can_be_used_comes_before_what_is_cheaper_and_what_told_no_fee_comes_last_and_of_two_fees_alike_the_quicker() -> None:
    sends = (terms("A", "0.1", sends=False), terms("B"), terms("C", "0.3"), terms("E"))
    silent, quick = NetworkTerms("XRP", "D", True, True), NetworkTerms("XRP", "F", True, True, Decimal("0.3"), minutes=3.0)
    takes = [
        NetworkTerms("XRP", network, True, True, minutes=minutes) for network, minutes in (("A", 9.0), ("B", 9.0), ("C", 1.0), ("D", 1.0))
    ]
    takes += [NetworkTerms("XRP", "E", True, True), NetworkTerms("XRP", "F", True, True)]
    (plan,) = plans(short().portfolio, {"XRP": (*sends, silent, quick)}, {"XRP": tuple(takes)})
    assert [rail.network for rail in plan.rails] == ["E", "B", "F", "C", "D", "A"]
    assert [rail.minutes for rail in plan.rails] == [4.0, 9.0, 3.0, 4.0, 1.0, 9.0], "the slower of both venues' words"
    (only,) = plans(short().portfolio, {"XRP": (silent,)}, {"XRP": (NetworkTerms("XRP", "D", True, True),)})
    assert only.rails[0].amount == 980
    assert (only.rails[0].fee, only.fee_value, only.rails[0].minutes, only.risk) == (None, None, None, None)
    assert (only.rails[0].arrives, only.facts()["rails"][0]["arrives"]) == (None, None), "a fee that is not told is not a fee of zero"
    assert "980 XRP by D, fee not told, arrives unknown, time not told" in dict(plan_lines(only, "USDT"))["transfer"]


def test_what_arrives_is_told_with_the_fee() -> None:
    (plan,) = plans(short().portfolio, {"XRP": (terms(),)}, {"XRP": (terms(),)})
    assert "980 XRP by XRP, fee 0.2, arrives 979.8, usually 4 min" in dict(plan_lines(plan, "USDT"))["transfer"]


def test_less_than_a_step_cannot_be_sent_whatever_the_fee() -> None:
    silent = NetworkTerms("XRP", "D", True, True, step=Decimal(1000))
    (plan,) = plans(short().portfolio, {"XRP": (silent,)}, {"XRP": (silent,)})
    assert (plan.best, plan.rails[0].why_not) == (None, "980 is to send, less than one step, 1000")


@pytest.mark.parametrize("sends", [None, {}, {"XRP": ()}])
def test_where_no_network_is_known_nothing_is_said_of_what_arrives(sends: Networks | None) -> None:
    (plan,) = plans(short().portfolio, sends, {"XRP": (terms(),)})
    assert plan.rails[0].arrives is None
    assert "arrives unknown" in dict(plan_lines(plan, "USDT"))["transfer"]


def test_a_fee_comes_on_top_where_there_is_enough_and_the_least_amount_itself_may_be_sent() -> None:
    portfolio = desk(upbit=(20, 1000), binance=(3000, 1000))
    (plan,) = plans(portfolio, {"XRP": (terms(fee="0.2", least="980.2"),)}, {"XRP": (terms(),)})
    best = plan.best
    assert best is not None
    assert (best.amount, best.arrives) == (Decimal("980.2"), Decimal(980))
    (under,) = plans(portfolio, {"XRP": (terms(fee="0.2", least="980.3"),)}, {"XRP": (terms(),)})
    assert "under the least amount" in under.rails[0].why_not


@pytest.mark.parametrize(("amount", "rule"), [(349, False), (350, True), (351, True)])  # at 2 USDT, and 0.0007 USDT a won
def test_the_travel_rule_holds_from_a_million_won_on(amount: int, rule: bool) -> None:
    (plan,) = transfer_plans(desk(upbit=(0, amount), binance=(amount, 0)), {}, PRICES, 0.5, 0)
    assert plan.travel_rule is rule


@pytest.mark.parametrize("missing", ["XRP", "KRW"])
def test_where_a_price_is_not_known_the_travel_rule_holds_and_money_is_not_told(missing: str) -> None:
    prices = {asset: price for asset, price in PRICES.items() if asset != missing}
    portfolio = desk(upbit=(0, 10), binance=(10, 0))
    (plan,) = transfer_plans(portfolio, {}, prices, 0.5, 0, lambda *_: 10.0)
    assert plan.travel_rule
    known = missing == "KRW"
    assert (plan.value, plan.fee_value, plan.reverse_cost) == ((Decimal(20), None, Decimal("-0.02")) if known else (None, None, None))


def test_between_venues_of_no_such_rules_there_is_no_travel_rule() -> None:
    (plan,) = transfer_plans(desk(okx=(0, 10_000), binance=(10_000, 0)), {}, PRICES, 0.5, 0)
    assert (plan.travel_rule, plan.lock) == (False, "")


@pytest.mark.parametrize(
    ("after_ms", "said"),
    [
        (24 * 3_600_000, "750000 KRW came within 24 h: as much may not leave as coins yet"),
        (24 * 3_600_000 + 1, "250000 KRW came within 24 h: as much may not leave as coins yet"),
        (24 * 3_600_000 + 2, "KRW came within 72 h: locked if it was the first time ever"),
        (72 * 3_600_000 + 1, "KRW came within 72 h: locked if it was the first time ever"),
        (72 * 3_600_000 + 2, "no KRW paid in within 72 h is known here"),
    ],
)
def test_won_is_locked_for_a_day_and_at_first_for_three(after_ms: int, said: str) -> None:
    tell = Telling().start("r1", {"upbit": {"KRW": ZERO, "XRP": Decimal(10)}, "binance": {"USDT": ZERO, "XRP": ZERO}})
    tell(TargetSet("upbit", "XRP", ZERO, Decimal(10), "me", "x"), TargetSet("binance", "XRP", Decimal(10), ZERO, "me", "x"))
    tell(Adjusted("upbit", "KRW", Decimal(500_000), "a deposit", "operator", "me"))
    first_ms = tell.now_ms
    tell(Adjusted("upbit", "KRW", Decimal(250_000), "another", "operator", "me"))  # a millisecond later
    tell(Adjusted("binance", "USDT", Decimal(100), "elsewhere", "operator", "me"))
    (plan,) = transfer_plans(tell.portfolio, {}, PRICES, 0.5, first_ms + after_ms)
    assert plan.lock == said


def test_a_plan_in_words() -> None:
    moves = Volatility(squares=1e-6, seconds=60.0)
    tell = short()
    tell.portfolio.state.volatility["XRP"] = moves
    registered, closed = terms(known_to=("upbit",)), terms("BSC", "0.5", sends=False, known_to=("okx",), words="soon", is_busy=True)
    both = {"XRP": (registered, closed)}
    (plan,) = plans(tell.portfolio, both, {"XRP": (terms(), terms("BSC"))}, -12.0)
    assert list(plan_lines(plan, "USDT")) == [
        ("plan", "XRP:binance>upbit: 980 XRP are missing at upbit"),
        ("transfer", "980 XRP by XRP, fee 0.2, arrives 979.8, usually 4 min, address registered"),
        (
            "or by",
            "980 XRP by BSC, fee 0.5, arrives 979.5, usually 4 min, address NOT registered"
            " NOT NOW: withdrawals are off at the sender: soon (soon; busy)",
        ),
        ("costs", "worth 1960, fee 0.4, price risk under way 3.92 (one standard deviation) USDT"),
        ("reverse", "the same by reverse trades costs 2.35 USDT at the prices of now"),
        ("rule", "travel rule: a verified exchange, the same person's account, a registered address"),
    ]
    (earns,) = plans(tell.portfolio, None, None, 12.0)
    lines = list(plan_lines(earns, "USDT"))
    assert ("reverse", "the same by reverse trades earns 2.35 USDT at the prices of now") in lines
    assert lines[1][1].startswith("980 XRP by ?, fee not told, arrives unknown, time not told NOT NOW: no word from binance and upbit")


def test_a_plan_as_json() -> None:
    (plan,) = plans(short().portfolio, {"XRP": (terms(known_to=("upbit",), words="fine"),)}, {"XRP": (terms(),)}, -12.0)
    assert plan.facts() == {
        "id": "XRP:binance>upbit", "asset": "XRP", "from": "binance", "to": "upbit", "missing": "980", "value": "1960", "fee_value": "0.4",
        "risk": None, "reverse_cost": "2.35", "travel_rule": True, "lock": None,
        "rails": [
            {
                "network": "XRP", "amount": "980", "fee": "0.2", "arrives": "979.8", "minutes": 4.0, "why_not": None, "whitelisted": True,
                "words": "fine",
            },
        ],
    }  # fmt: skip


def test_a_fee_beyond_the_amount_lets_nothing_arrive_and_less_than_one_unit_is_something() -> None:
    (plan,) = plans(short().portfolio, {"XRP": (terms(fee="981"),)}, {"XRP": (terms(),)})
    assert (plan.rails[0].arrives, plan.rails[0].why_not) == (ZERO, "the fee would take all of it")
    (some,) = plans(short().portfolio, {"XRP": (terms(fee="979.5"),)}, {"XRP": (terms(),)})
    assert (some.rails[0].arrives, some.rails[0].why_not) == (Decimal("0.5"), "")


def test_three_rails_are_told_and_what_reverse_trades_would_come_to_and_the_lock() -> None:
    four = tuple(terms(name) for name in ("A", "B", "C", "D"))
    (plan,) = plans(short().portfolio, {"XRP": four}, {"XRP": four}, 0.0)
    told = list(plan_lines(plan, "USDT"))
    assert [name for name, _ in told].count("or by") == 2
    assert ("reverse", "the same by reverse trades costs 0 USDT at the prices of now") in told
    (cheap,) = plans(short().portfolio, {"XRP": four}, {"XRP": four}, -2.0)
    assert ("reverse", "the same by reverse trades costs 0.39 USDT at the prices of now") in plan_lines(cheap, "USDT")
    (locked,) = transfer_plans(desk(upbit=(10, 0), binance=(0, 10)), {}, PRICES, 0.5, 10**12)
    assert ("lock", "no KRW paid in within 72 h is known here") in plan_lines(locked, "USDT")


def test_without_a_network_what_would_be_moved_is_told_all_the_same() -> None:
    portfolio = desk(upbit=(499, 1000), binance=(2000, 1000))
    (plan,) = plans(portfolio, {}, {})
    assert (plan.rails[0].why_not, plan.rails[0].amount) == ("binance lists no network of XRP", Decimal(501))


def test_of_two_networks_alike_one_whose_time_is_not_told_is_not_taken_for_the_quicker() -> None:
    untold, slow = NetworkTerms("XRP", "A", True, True, Decimal("0.3")), NetworkTerms("XRP", "B", True, True, Decimal("0.3"), minutes=9.0)
    (plan,) = plans(short().portfolio, {"XRP": (untold, slow)}, {"XRP": tuple(NetworkTerms("XRP", name, True, True) for name in "AB")})
    assert [(rail.network, rail.minutes) for rail in plan.rails] == [("B", 9.0), ("A", None)]


def test_a_gated_plan_is_the_same_with_no_network_that_can_be_used_each_for_its_own_reason() -> None:
    both = {"XRP": (terms(), terms("BSC", sends=False))}
    (plan,) = plans(short().portfolio, both, {"XRP": (terms(), terms("BSC"))})
    gated = plan.gated()
    assert plan.best is not None
    assert (gated.best, [rail.why_not for rail in gated.rails]) == (None, [GATED, plan.rails[1].why_not])
    assert plan.rails[1].why_not.startswith("withdrawals are off")
    assert [rail.network for rail in gated.rails] == [rail.network for rail in plan.rails]


def test_amounts_are_cut_to_eight_digits_and_money_to_cents() -> None:
    tell = Telling().start("r1", {"upbit": {"XRP": ZERO}, "binance": {"XRP": Decimal("0.123456789")}})
    tell(TargetSet("upbit", "XRP", ONE, ZERO, "me", "x"), TargetSet("binance", "XRP", ZERO, ONE, "me", "x"))
    for networks in ({}, {"XRP": (NetworkTerms("XRP", "A", True, True, ZERO),)}):
        (plan,) = plans(tell.portfolio, networks, networks)
        assert (plan.rails[0].amount, plan.value) == (Decimal("0.12345678"), Decimal("0.25"))
    (untold,) = plans(tell.portfolio, None, {})
    assert untold.rails[0].amount == Decimal("0.12345678")
