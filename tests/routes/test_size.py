import dataclasses
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.reason import Reason
from arbtui.routes.size import LegSizes, leg_sizes
from tests.routes.pairs import BINANCE_XRP, UPBIT_XRP

_LOTS = [Decimal(1).scaleb(-n) for n in range(9)]


@st.composite
def _markets(draw: st.DrawFn, exchange: str) -> Market:
    lot = draw(st.sampled_from(_LOTS))
    taker = draw(st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.001"), Decimal("0.0025")]))
    fees = Fees(taker, Decimal(0), draw(st.sampled_from(FeeTakenIn)))
    least, min_cost = lot * draw(st.integers(1, 20)), draw(st.sampled_from([Decimal(0), Decimal(5), Decimal(5000)]))
    return Market(exchange, "C", "B", "Q", FixedUnit(Decimal("0.01")), lot, least, Decimal(10**9), min_cost, fees)


_QTYS = st.decimals(Decimal("0.00000001"), Decimal(1_000_000), allow_nan=False, allow_infinity=False, places=10)
_PRICES = st.integers(1, 10**7).map(lambda n: Decimal(n) / 100)


def _kept(buy: Market) -> Decimal:
    return 1 - buy.fees.taker if buy.fees.taken_in is FeeTakenIn.RECEIVED else Decimal(1)


@given(_markets("one"), _markets("two"), _QTYS, _PRICES, _PRICES)
def test_sizes_obey_both_markets_and_match_net_of_fees(buy: Market, sell: Market, qty: Decimal, ask: Decimal, bid: Decimal) -> None:
    sizes = leg_sizes(buy, sell, qty, ask, bid)
    if isinstance(sizes, Reason):
        assert sizes in (Reason.TOO_SMALL, Reason.LOT_TOO_COARSE)
        return
    assert buy.refusal(ask, sizes.buy_qty) is None
    assert sell.refusal(bid, sizes.sell_qty) is None
    assert sizes.sell_qty <= qty
    assert abs(sizes.buy_qty * _kept(buy) - sizes.sell_qty) < max(buy.lot_step, sell.lot_step)
    assert sizes.buy_qty * _kept(buy) >= sizes.sell_qty  # never sold more than arrives: the stock does not bleed
    assert max(buy.lot_step, sell.lot_step) * 50 <= sizes.sell_qty


@given(_markets("one"), _markets("two"), _QTYS, _PRICES, _PRICES)
def test_a_no_is_a_real_no(buy: Market, sell: Market, qty: Decimal, ask: Decimal, bid: Decimal) -> None:
    if leg_sizes(buy, sell, qty, ask, bid) is not Reason.TOO_SMALL:
        return
    # The whole quantity and two lots more would still break a rule, at least nearly: a minimum, or the lot itself.
    lot = max(buy.lot_step, sell.lot_step)
    enough = max(buy.min_qty, sell.min_qty, buy.min_cost / ask, sell.min_cost / bid)
    assert qty < enough + 2 * lot or qty / _kept(buy) > buy.max_qty - lot


def test_between_two_equal_lots_the_purchase_is_rounded_up_so_that_it_covers_the_sale() -> None:
    dearer = dataclasses.replace(BINANCE_XRP, exchange="other")
    sizes = leg_sizes(BINANCE_XRP, dearer, Decimal("46.68"), Decimal(2), Decimal(2))
    assert sizes == LegSizes(Decimal("46.7"), Decimal("46.6"))  # 46.7 less 0.1 % is 46.6533


def test_minimums_hold_at_the_boundary() -> None:
    finer = dataclasses.replace(BINANCE_XRP, lot_step=Decimal("0.001"), min_qty=Decimal("0.001"))
    price = Decimal(3000)
    exactly = Decimal(5000) / price
    assert leg_sizes(UPBIT_XRP, finer, exactly, price, Decimal("2.1")) is Reason.TOO_SMALL  # 1.666 is 4,998 KRW, and 3.5 USDT
    assert leg_sizes(UPBIT_XRP, finer, Decimal("2.380"), price, Decimal("2.1")) is Reason.TOO_SMALL  # 4.998 USDT
    assert not isinstance(leg_sizes(UPBIT_XRP, finer, Decimal("2.381"), price, Decimal("2.1")), Reason)
