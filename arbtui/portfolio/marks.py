"""What an asset is worth in the PnL currency now, at a price at which one could really get out."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import inf

from arbtui.journal.events import Mark
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.market import Market
from arbtui.model.money import ONE, decimal_of
from arbtui.model.order import Fill

#: An age that says nothing: the book has never changed.
_NO_AGE_MS = 2**31


class LiveMarks:
    """Prices from live books: coins at the best bid of a book that trades them, other settlement currencies at a rate's mid.

    A book that prices one coin in another comes last: what its quote is worth is read from that coin's own books.

    The last known price stays when a book goes away, so that PnL never jumps to nothing; an asset never seen has none.
    """

    def __init__(self, currency: str, rates: RateBook, books: Iterable[tuple[Market, OrderBook]], clock: Clock) -> None:
        self.currency = currency
        self._rates = rates
        self._clock = clock
        self._books: dict[str, list[tuple[Market, OrderBook]]] = {}
        for market, book in books:
            self._books.setdefault(market.base, []).append((market, book))
        self._last: dict[str, Mark] = {currency: Mark(ONE, currency, 0)}

    def restore(self, marks: Mapping[str, Mark]) -> None:
        """Take last known prices of an earlier run, for what is priced before the first book comes."""
        for asset, mark in marks.items():
            self._last.setdefault(asset, mark)

    def value(self, asset: str) -> Decimal | None:
        """PnL currency for one unit of ``asset`` now, or as last known; None when never known."""
        mark = self.mark(asset)
        return None if mark is None else mark.price

    def is_known(self, asset: str) -> bool:
        """Whether :meth:`value` has an answer; a fifth of its cost, and every decision asks."""
        return asset in self._last or self.mark(asset) is not None

    def mark(self, asset: str) -> Mark | None:
        """The same with its source and its age."""
        if asset != self.currency:
            price, source, book = self._now(asset)
            if 0.0 < price < inf:
                age = self._clock.monotonic() - book.ts_init if book is not None else inf
                self._last[asset] = Mark(decimal_of(price), source, round(age * 1000) if age < inf else _NO_AGE_MS)
        return self._last.get(asset)

    def has_book(self, asset: str) -> bool:
        """Whether any book could price ``asset``."""
        return asset in self._books or asset in self._rates.currencies

    def is_live(self, asset: str) -> bool:
        """Whether a book prices ``asset`` now."""
        return asset == self.currency or 0.0 < self._now(asset)[0] < inf

    def prices(self, assets: Iterable[str]) -> dict[str, Decimal]:
        """The prices of those of ``assets`` that have one."""
        return {asset: price for asset in assets if (price := self.value(asset)) is not None}

    def of_fill(self, fill: Fill) -> dict[str, Decimal]:
        """The prices of all that ``fill`` moved. A coin whose books were never seen is worth what it was traded at."""
        found = self.prices({fill.base: None, fill.quote: None, fill.fee_currency: None})
        if fill.base not in found and fill.quote in found:
            found[fill.base] = fill.price * found[fill.quote]
        return found

    def _now(self, asset: str) -> tuple[float, str, OrderBook | None]:
        if asset in self._rates.currencies:
            price, rate_market = self._rates.middle(asset, self.currency)
            return (price, rate_market.name, rate_market.book) if rate_market is not None else (0.0, "", None)
        crosses = []
        for market, book in self._books.get(asset, ()):
            if 0.0 < book.bid < inf:
                rate = self._rates.mid(self.currency, market.quote)
                if rate > 0.0:
                    return book.bid / rate, market.key, book
                crosses.append((market, book))
        for market, book in crosses:
            unit = self._in_money(market.quote)
            if unit > 0.0:
                return book.bid * unit, market.key, book
        return 0.0, "", None

    def _in_money(self, coin: str) -> float:
        """``coin`` by a book that prices it in a settlement currency; 0.0 without one."""
        for market, book in self._books.get(coin, ()):
            rate = self._rates.mid(self.currency, market.quote)
            if rate > 0.0 and 0.0 < book.bid < inf:
                return book.bid / rate
        return 0.0
