"""The exchange rates of a run, from the markets that its venues list."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.money import BPS, decimal_of
from arbtui.settings.profile import Settings


def is_rate(market: Market, settlement: Collection[str]) -> bool:
    """Whether ``market`` trades one settlement currency for another."""
    return market.base in settlement and market.quote in settlement


def linked(currency: str, rates: Sequence[Market]) -> set[str]:
    """``currency``, and what can be traded for it over two of ``rates`` at most."""
    found = {currency}
    for _ in range(2):
        found |= {one for market in rates for one in (market.base, market.quote) if {market.base, market.quote} & found}
    return found


def rate_book_of(settings: Settings, markets: Iterable[Market], books: Mapping[tuple[str, str], OrderBook]) -> RateBook:
    """The rates on those of ``markets`` that trade one settlement currency for another."""
    fee_bps = settings.costs.rate_fee_bps
    fee = None if fee_bps is None else decimal_of(fee_bps) / BPS
    found = [
        RateMarket(
            books[market.exchange, market.code],
            market.base,
            market.quote,
            settings.rates.max_age_ms / 1000,
            float(market.fees.taker if fee is None else fee),
        )
        for market in markets
        if is_rate(market, settings.settlement)
    ]
    return RateBook(found, settings.desk.currency, settings.execution.order_value)
