"""A route over a network: what it costs, at which size, and why it does not trade; against a slow computation in fractions."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf, sqrt

import pytest

from arbtui.exchanges.networks import NetworkPath, NetworkTerms, network_paths
from arbtui.journal.events import LegAfter, On
from arbtui.model.reason import Reason
from arbtui.routes.hops import TOLD_FOR_S, TransferHop
from arbtui.routes.route import Opportunity, RouteTerms
from arbtui.routes.transfer_route import TransferRoute
from tests.routes.pairs import NOW, TERMS, Pair

FREE = (0.0, 0.0)  #: standard deviations paid for, percent a year
OPEN = NetworkPath("XRP", Decimal("0.05"), Decimal(1), Decimal("0.000001"), 4.0, "", None, "")


def route_of(
    pair: Pair, path: NetworkPath | None = OPEN, costs: tuple[float, float] = FREE, sigma: float | None = 0.0, told_at: float = NOW
) -> TransferRoute:
    """From Binance to Upbit, where XRP is dearer by about 1 %."""
    made = pair.over_network()
    made.moved.take([path] if path is not None else [], told_at, sigma, 50.0)
    made.set_terms(replace(made.terms, transfer_risk_sd=costs[0], financing_pct_year=costs[1]))
    return made


def found(route: TransferRoute) -> Opportunity:
    opportunity = route.evaluate(NOW)
    assert opportunity is not None, route.denied
    return opportunity


def edge_of(route: TransferRoute, opportunity: Opportunity) -> Fraction:
    """Net edge in bps of the opportunity's orders, by the books, in fractions."""
    buy, sell = opportunity.orders

    def walked(levels: list[tuple[float, float]], qty: Decimal) -> Fraction:
        left, total = Fraction(qty), Fraction(0)
        for price, size in levels:
            step = min(left, Fraction(size))
            total, left = total + step * Fraction(price), left - step
        assert left == 0
        return total

    paid = walked(list(buy.hop.book.asks()), buy.qty)  # Binance keeps its fee of the coin
    won = walked(list(sell.hop.book.bids()), sell.qty) * (1 - Fraction(sell.hop.market.fees.taker))
    got = won * Fraction(route.rates.conversion("KRW", "USDT").value)
    return (got / paid - 1) * 10_000


@pytest.mark.parametrize("fee", ["0", "0.001", "0.05", "0.2"])
@pytest.mark.parametrize("value", [20.0, 100.0, 1000.0])
def test_its_edge_is_what_a_slow_computation_finds_and_depends_on_the_size(fee: str, value: float) -> None:
    pair = Pair(terms=replace(TERMS, order_value=value, min_edge_bps=-500.0))
    route = route_of(pair, replace(OPEN, fee=Decimal(fee)))
    opportunity = found(route)
    assert opportunity.edge_bps == pytest.approx(float(edge_of(route, opportunity)), abs=1e-6)
    assert opportunity.after == {1: (LegAfter(0, On.ARRIVAL),)}
    buy, sell = opportunity.orders
    (moved,) = opportunity.transfers
    kept = buy.qty * (1 - buy.hop.market.fees.taker)
    assert sell.qty + Decimal(fee) <= kept < sell.qty + Decimal(fee) + buy.hop.market.lot_step + sell.hop.market.lot_step
    assert (moved.leg, moved.from_exchange, moved.to_exchange, moved.fee, moved.minutes) == (0, "binance", "upbit", Decimal(fee), 4.0)
    assert opportunity.value <= value * 1.05


def test_a_fee_weighs_less_on_more_and_eats_the_edge_of_too_little() -> None:
    edges = [found(route_of(Pair(terms=replace(TERMS, order_value=value)))).edge_bps for value in (20.0, 100.0, 600.0)]
    assert edges == sorted(edges)
    dear = route_of(Pair(), replace(OPEN, fee=Decimal("0.5")))  # 107 bps of 100 USDT
    assert dear.clears(), "without the fee it would pay"
    assert dear.evaluate(NOW) is None
    assert dear.denied is Reason.BELOW_THRESHOLD
    assert dear.touch_edge_bps() < 0


def test_risk_and_financing_are_taken_off_with_the_root_of_time_and_with_time() -> None:
    plain = found(route_of(Pair())).edge_bps
    risky = found(route_of(Pair(), costs=(2.0, 0.0), sigma=0.0005)).edge_bps
    assert plain - risky == pytest.approx(2.0 * 0.0005 * sqrt(4.0) * 1e4)
    lent = found(route_of(Pair(), costs=(0.0, 365.0))).edge_bps
    assert plain - lent == pytest.approx(36_500 * 4.0 / (365 * 24 * 60))
    over = route_of(Pair(), costs=(2.0, 0.0), sigma=0.003)
    assert not over.clears()
    assert over.refusal(NOW) is Reason.BELOW_THRESHOLD
    assert sum(bps for _, bps in over.charges()) == over.charge_bps == pytest.approx(120.0)


@pytest.mark.parametrize(
    ("path", "sigma", "told_at", "reason"),
    [
        (None, 0.0, NOW, Reason.NETWORK_UNKNOWN),
        (replace(OPEN, fee=None), 0.0, NOW, Reason.NETWORK_UNKNOWN),
        (replace(OPEN, minutes=None), 0.0, NOW, Reason.NETWORK_UNKNOWN),
        (OPEN, 0.0, NOW - TOLD_FOR_S - 1, Reason.NETWORK_UNKNOWN),
        (replace(OPEN, why_not="deposits are off at the receiver"), 0.0, NOW, Reason.WALLET_CLOSED),
        (OPEN, None, NOW, Reason.TRANSFER_RISK),
    ],
)
def test_what_is_not_known_or_closed_is_its_reason(path: NetworkPath | None, sigma: float | None, told_at: float, reason: Reason) -> None:
    route = route_of(Pair(), path, (1.0, 10.0), sigma, told_at)
    assert route.refusal(NOW) is reason
    assert route.evaluate(NOW) is None
    assert route.data_refusal(NOW) is reason, "the gate asks it at both looks"


def test_before_anybody_has_told_anything_it_costs_more_than_anything_brings() -> None:
    route = Pair().over_network()
    assert route.charge_bps == inf
    assert not route.clears()
    assert route.touch_edge_bps() == -inf


def test_under_the_least_withdrawal_or_without_cash_nothing_opens() -> None:
    route = route_of(Pair(), replace(OPEN, least=Decimal(1000)))
    assert route.evaluate(NOW) is None
    assert route.denied is Reason.TOO_SMALL
    pair = Pair()
    pair.cash["binance"].available = 1.0
    route = route_of(pair)
    assert route.evaluate(NOW) is None
    assert route.denied is Reason.NO_CASH
    pair.stock["upbit"].available = 0.0
    pair.cash["binance"].available = 2000.0
    assert found(route_of(pair)), "it needs no stock"


def test_what_is_sent_is_a_whole_number_of_the_senders_steps() -> None:
    route = route_of(Pair(), replace(OPEN, step=Decimal("0.5"), fee=Decimal("0.2")))
    opportunity = found(route)
    buy, sell = opportunity.orders
    sent = -(-(sell.qty + Decimal("0.2")) // Decimal("0.5")) * Decimal("0.5")
    assert buy.qty * (1 - buy.hop.market.fees.taker) >= sent
    coarse = route_of(Pair(), replace(OPEN, step=Decimal(5)))
    assert coarse.evaluate(NOW) is None
    assert coarse.denied is Reason.LOT_TOO_COARSE, "what stays behind would be no dust"


def test_of_several_networks_the_one_that_costs_least_with_its_risk_is_used() -> None:
    slow = replace(OPEN, network="SLOW", fee=Decimal("0.01"), minutes=64.0)
    shut = replace(OPEN, network="SHUT", fee=Decimal(0), why_not="closed")
    hop = TransferHop("XRP", "binance", "upbit")
    hop.take([shut, slow, OPEN], NOW, 0.0, 50.0)
    assert hop.path == slow, "at no risk, the cheaper"
    hop.take([shut, slow, OPEN], NOW, 0.001, 50.0)
    assert hop.path == OPEN, "0.04 XRP dearer, and a quarter of the risk of 50 XRP"
    hop.take([shut], NOW, 0.001, 50.0)
    assert hop.refusal(NOW) is Reason.WALLET_CLOSED


def test_paths_join_what_both_venues_tell_of_one_network() -> None:
    sends = [
        NetworkTerms("XRP", "Ripple", True, True, Decimal("0.2"), Decimal(20), None, 2.0),
        NetworkTerms("XRP", "BSC", True, False, Decimal("0.1"), words="upgrade"),
        NetworkTerms("ADA", "ADA", True, True, Decimal(1)),
    ]
    takes = [NetworkTerms("XRP", "XRP", True, True, minutes=5.0), NetworkTerms("XRP", "BEP20", True, True)]
    first, second = network_paths("XRP", "a", "b", sends, takes)
    assert (first.network, first.fee, first.least, first.minutes, first.why_not) == ("Ripple", Decimal("0.2"), Decimal(20), 5.0, "")
    assert second.why_not == "withdrawals are off at the sender: upgrade"
    assert not second.is_known


def test_it_has_its_name_and_keeps_its_terms() -> None:
    route = route_of(Pair())
    assert (route.id, route.shape, route.exchanges) == ("XRP:binance>chain>upbit", "cross_chain", ("binance", "upbit"))
    assert [node.asset for node in route.uses] == ["USDT"]
    before = route.touch_edge_bps()
    smaller: RouteTerms = replace(TERMS, order_value=10.0)
    route.set_terms(smaller)
    assert route.touch_edge_bps() < before, "the fee weighs more on a smaller order"


def test_its_waterfall_adds_up_with_the_networks_fee_as_a_step_of_its_own() -> None:
    route = route_of(Pair(), costs=(1.0, 10.0), sigma=0.0005)
    falls = route.waterfall()
    assert falls is not None
    steps = {fall.name: fall.bps for fall in falls.falls}
    assert steps["network fee"] == pytest.approx(-0.05 / 46.7 * 1e4, rel=0.02)
    assert steps["price risk"] == pytest.approx(-10.0)
    assert falls.net == pytest.approx(found(route).edge_bps, abs=0.5)
    curve = route.capacity()
    assert curve is not None
    unknown = Pair().over_network()
    assert (unknown.waterfall(), unknown.capacity()) == (None, None)
