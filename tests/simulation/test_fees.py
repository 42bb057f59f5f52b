"""What simulated venues take as fees: amounts worked out by hand from what the venues publish; none of them comes from the program."""

from decimal import Decimal

import pytest

from arbtui.model.order import Fill, Side, TimeInForce
from arbtui.simulation.fees import FeeCoin, fee_currency
from arbtui.simulation.matching import Execution
from arbtui.simulation.played_venue import played_venue, simulated_markets
from arbtui.simulation.settlement import balance_changes, take_fee
from arbtui.simulation.venue_order import VenueOrder

PLAYED = ("upbit", "bithumb", "coinone", "binance", "bybit", "okx", "bitget")
#: 12.345673 XRP, for 871 KRW each 10,753.081183 KRW in all, for 0.6122 USDT each 7.5580210106 USDT.
QTY, WON, DOLLARS = Decimal("12.345673"), Decimal(871), Decimal("0.6122")

#: (venue, side, liquidity, fee, its currency, change of XRP, change of cash). A won venue takes its rate of the value, in KRW, on top of
#: what is paid and off what comes in; a dollar venue its rate of what comes in, in that.
#:
#: upbit: 0.05 % of KRW markets (ccxt: upbit.py, tradingFeesByQuoteCurrency), unrounded ("paid_fee" 3.697095875 of 7394.19175 KRW there).
#: bithumb: 0.25 % of an account that has applied for nothing. coinone: 0.2 % (docs.coinone.co.kr, reference/order-detail, "fee_rate").
#: binance: 0.1 % (binance.com/en/fee/trading), commissions of eight decimals ("Account trade list"); rounded up once an order, so that an
#: order never costs more than was locked for it. bybit: 0.1 % (bybit.com, "Trading Fee Structure"; v5, "Spot Fee Currency Instruction").
#: okx: taker 0.1 %, maker 0.08 % (okx.com/fees, regular users). bitget: 0.1 % (bitget.com/fee); as many decimals as the product has.
TAKEN = [
    ("upbit", "buy", "taker", "5.3765405915", "KRW", "12.345673", "-10758.4577235915"),
    ("upbit", "sell", "maker", "5.3765405915", "KRW", "-12.345673", "10747.7046424085"),
    ("bithumb", "buy", "taker", "26.8827029575", "KRW", "12.345673", "-10779.9638859575"),
    ("bithumb", "sell", "maker", "26.8827029575", "KRW", "-12.345673", "10726.1984800425"),
    ("coinone", "buy", "taker", "21.506162366", "KRW", "12.345673", "-10774.587345366"),
    ("coinone", "sell", "taker", "21.506162366", "KRW", "-12.345673", "10731.575020634"),
    ("binance", "buy", "taker", "0.01234568", "XRP", "12.33332732", "-7.5580210106"),  # 0.012345673
    ("binance", "sell", "maker", "0.00755803", "USDT", "-12.345673", "7.5504629806"),  # 0.0075580210106
    ("bybit", "buy", "taker", "0.012345673", "XRP", "12.333327327", "-7.5580210106"),
    ("bybit", "sell", "maker", "0.0075580210106", "USDT", "-12.345673", "7.5504629895894"),
    ("okx", "buy", "taker", "0.012345673", "XRP", "12.333327327", "-7.5580210106"),
    ("okx", "buy", "maker", "0.0098765384", "XRP", "12.3357964616", "-7.5580210106"),
    ("okx", "sell", "taker", "0.0075580210106", "USDT", "-12.345673", "7.5504629895894"),
    ("okx", "sell", "maker", "0.00604641680848", "USDT", "-12.345673", "7.55197459379152"),
    ("bitget", "buy", "maker", "0.012345673", "XRP", "12.333327327", "-7.5580210106"),
    ("bitget", "sell", "taker", "0.0075580210106", "USDT", "-12.345673", "7.5504629895894"),
]  # fmt: skip


def _order(code: str, side: Side, price: Decimal) -> VenueOrder:
    """One for twice the quantity, with more locked than it can need."""
    return VenueOrder("c", 1, code, side, 2 * QTY, price, TimeInForce.GTC, 0, locked=Decimal(1_000_000))


@pytest.mark.parametrize(("venue", "side", "liquidity", "fee", "currency", "coins", "cash"), TAKEN)
def test_a_trade_costs_what_the_venue_publishes_and_moves_as_much(
    venue: str, side: str, liquidity: str, fee: str, currency: str, coins: str, cash: str
) -> None:
    price = WON if venue in ("upbit", "bithumb", "coinone") else DOLLARS
    markets = simulated_markets(["XRP"], (venue, "upbit" if price == DOLLARS else "binance"))[venue]
    (market,) = (market for market in markets.values() if market.base == "XRP")
    ours = Side(side)
    taken = take_fee(market, _order(market.code, ours, price), Execution(price, QTY), maker=liquidity == "maker")
    assert (taken, fee_currency(market, ours)) == (Decimal(fee), currency)
    fill = Fill(venue, "1", "c", "1", market.code, "XRP", market.quote, ours, QTY, price, price * QTY, taken, currency, liquidity, 0)
    moved = dict.fromkeys(("XRP", market.quote), Decimal(0))
    for asset, change, *_ in balance_changes(fill):
        moved[asset] += change
    assert moved == {"XRP": Decimal(coins), market.quote: Decimal(cash)}


def test_every_played_venue_is_in_the_table_with_both_sides() -> None:
    assert {(venue, side) for venue, side, *_ in TAKEN} == {(venue, side) for venue in PLAYED for side in ("buy", "sell")}


def test_fees_of_an_order_are_rounded_up_once_in_sum() -> None:
    """Two fills at Binance: 0.012345673 and 0.000000004 are 0.012345677 together, which is 0.01234568; the first alone is that already."""
    (market,) = (one for one in simulated_markets(["XRP"], ("upbit", "binance"))["binance"].values() if one.base == "XRP")
    order = _order(market.code, Side.BUY, DOLLARS)
    fees = [take_fee(market, order, Execution(DOLLARS, qty), maker=False) for qty in (QTY, Decimal("0.000004"), Decimal("0.000004"))]
    assert fees == [Decimal("0.01234568"), Decimal(0), Decimal("0.00000001")]  # 0.012345681 in all


def test_a_fee_in_the_venues_own_coin_has_the_coins_decimals() -> None:
    steps = {venue: played_venue(venue).fee_coin_step for venue in PLAYED if played_venue(venue).fee_coin is not None}
    assert steps == {"binance": Decimal("1e-8"), "bybit": Decimal("1e-8"), "bitget": Decimal("1e-12")}
    (market,) = (market for market in simulated_markets(["XRP"], ("upbit", "binance"))["binance"].values() if market.base == "XRP")
    cost = Decimal("17.3")  # 0.1 %, less a quarter, at 0.7: 0.018535714...
    assert FeeCoin("BNB", Decimal("0.7")).fee(market, cost) == Decimal("0.01853572")
    assert FeeCoin("BGB", Decimal("0.7"), Decimal("1e-12")).fee(market, cost) == Decimal("0.018535714286")
