"""The exchange rates of a run, from the markets that its venues list."""

from collections.abc import Collection, Iterable, Mapping

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.money import BPS, decimal_of
from arbtui.settings.profile import Settings


def settlement_currencies(settings: Settings, currency: str) -> tuple[str, ...]:
    """What the profile's venues quote, in its order, and the currency of PnL."""
    return tuple(dict.fromkeys((*(exchange.quote for exchange in settings.exchanges.values()), currency)))


def is_rate(market: Market, settlement: Collection[str]) -> bool:
    """Whether ``market`` trades one settlement currency for another."""
    return market.base in settlement and market.quote in settlement


def rate_book_of(settings: Settings, currency: str, markets: Iterable[Market], books: Mapping[tuple[str, str], OrderBook]) -> RateBook:
    """The rates on those of ``markets`` that trade one settlement currency for another."""
    settlement, fee_bps = settlement_currencies(settings, currency), settings.costs.rate_fee_bps
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
        if is_rate(market, settlement)
    ]
    return RateBook(found, currency, settings.execution.order_value)
