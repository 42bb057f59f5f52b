"""What an asset is worth in the PnL currency, at a price at which one could really get out."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import inf

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.money import ONE, decimal_of


class Marks:
    """Prices from live books: coins at the best bid of a book that trades them, foreign currencies at the rate's mid.

    The last known price stays when a book goes away, so that PnL never jumps to nothing; an asset never seen has none.
    """

    def __init__(self, currency: str, rates: RateBook, books: Iterable[tuple[Market, OrderBook]]) -> None:
        self.currency = currency
        self._rates = rates
        self._books: dict[str, list[tuple[Market, OrderBook]]] = {}
        for market, book in books:
            self._books.setdefault(market.base, []).append((market, book))
        self._last: dict[str, Decimal] = {currency: ONE}

    def restore(self, marks: Mapping[str, Decimal]) -> None:
        """Take last known prices of an earlier run, for what is priced before the first book comes."""
        self._last.update(marks)

    def known(self) -> dict[str, Decimal]:
        """Every price as of now, or as last known."""
        for asset in [*self._books, self._rates.local]:
            self.value(asset)
        return dict(self._last)

    def value(self, asset: str) -> Decimal | None:
        """PnL currency for one unit of ``asset`` now, or as last known; None when never known."""
        if asset == self.currency:
            return ONE
        price = self._now(asset)
        if price > 0.0:
            self._last[asset] = decimal_of(price)
        return self._last.get(asset)

    def _now(self, asset: str) -> float:
        if asset == self._rates.local:
            mid = self._rates.mid()
            return 1.0 / mid if mid > 0.0 else 0.0
        for market, book in self._books.get(asset, ()):
            if 0.0 < book.bid < inf:
                if market.quote == self.currency:
                    return book.bid
                mid = self._rates.mid()
                if mid > 0.0:
                    return book.bid / mid
        return 0.0
