"""The executable exchange rate on one market of two settlement currencies, each way; and what a conversion is worth.

Never a constant: a fallback rate has cost users of other programs their stock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite
from typing import Protocol

from arbtui.model.book import LIVE, Level, OrderBook
from arbtui.model.reason import Reason


@dataclass(slots=True, eq=False)
class Conversion:
    """How much target currency one unit of source buys; 0.0 when unknown. Shared by all routes, so a rate tick is one write.

    ``value`` is what a whole order would get: its walk through the book and its fee are taken off; ``gross`` is the touch. ``margin_bps``
    is how much better the book's rate may be than the one that the coins confirm: an edge must be larger by so much.
    ``markets``: those that it is made over now; none of a currency into itself, and where no market leads from one to the other.
    """

    value: float
    gross: float
    margin_bps: float = 0.0
    markets: tuple["RateMarket", ...] = ()

    def refusal(self, now: float) -> Reason | None:
        """Why it may not be used at ``now`` (monotonic seconds), or None."""
        for market in self.markets:
            refusal = market.refusal(now)
            if refusal is not None:
                return refusal
        return None if self.value > 0.0 else Reason.NO_RATE


class RateDoubt(Protocol):
    """Who compares the rate with what else is known of it; see :class:`arbtui.marketdata.rate_watch.RateWatch`."""

    def on_rate(self) -> None:
        """The rate's book changed."""
        ...

    def look(self, now: float) -> None:
        """Compare anew at ``now``: something is about to be priced with it."""
        ...


class RateMarket:
    """The exchange rate on one market: quote currency for one of base, with side and age.

    Args:
        book: order book of the market.
        base: the settlement currency that it trades.
        quote: the one that it is priced in.
        max_age_s: an older book gives no rate, in seconds.
        fee: the venue's fee of the conversion, as a fraction.
        size: of the order that a conversion is priced for, in ``base``; 0.0 prices the touch. A side that does not show as much is
            no rate.
    """

    __slots__ = ("base", "book", "bought", "doubted", "fee", "max_age_s", "quote", "size", "sold", "watch")

    def __init__(self, book: OrderBook, base: str, quote: str, max_age_s: float, fee: float, size: float = 0.0) -> None:
        self.book = book
        self.base = base
        self.quote = quote
        self.max_age_s = max_age_s
        self.fee = fee
        self.size = size
        self.doubted = False  #: the coins, or the other venues' rates, contradict it: no rate for now
        self.watch: RateDoubt | None = None  #: tells whether it is, where somebody watches
        self.sold = Conversion(0.0, 0.0, markets=(self,))  #: base into quote, at the bid
        self.bought = Conversion(0.0, 0.0, markets=(self,))  #: quote into base, at the ask

    @property
    def name(self) -> str:
        """As marks name their source: ``upbit:KRW-USDT``."""
        return f"{self.book.exchange}:{self.book.code}"

    def refusal(self, now: float) -> Reason | None:
        """Why it gives no usable rate at ``now`` (monotonic seconds), or None."""
        book = self.book
        if book.state is not LIVE or not (0.0 < book.bid < book.ask < inf):
            return Reason.NO_RATE
        if not now - book.ts_init <= self.max_age_s:
            return Reason.RATE_OLD
        return Reason.RATE_DOUBTED if self.doubted else None

    def set_margin(self, sold_bps: float, bought_bps: float) -> None:
        """By how much the book's rate is better than the coins confirm, for selling base, and for buying it."""
        self.sold.margin_bps = sold_bps
        self.bought.margin_bps = bought_bps

    def refresh(self) -> bool:
        """Read the book again after it changed; True when a conversion changed."""
        book, size = self.book, self.size
        if not (0.0 < book.bid < book.ask < inf):
            sold = bought = touch_sold = touch_bought = 0.0
        else:
            touch_sold, touch_bought = book.bid, 1.0 / book.ask
            sold = (touch_sold if book.bid_qty >= size else _average(book.bids(), size)) * (1.0 - self.fee)
            price = book.ask if book.ask_qty >= size else _average(book.asks(), size)
            bought = 1.0 / (price * (1.0 + self.fee)) if price > 0.0 else 0.0
        selling, buying = self.sold, self.bought
        before = selling.value, selling.gross, buying.value, buying.gross
        selling.value, selling.gross, buying.value, buying.gross = after = sold, touch_sold, bought, touch_bought
        changed = after != before
        if self.watch is not None:
            self.watch.on_rate()
        return changed

    def mid(self) -> float:
        """Middle of the rate, for display, size and marks; 0.0 when unknown."""
        book = self.book
        return book.mid if 0.0 < book.bid < book.ask < inf else 0.0

    def age(self, now: float) -> float:
        """Seconds since the book was received; ``inf`` before the first."""
        age = now - self.book.ts_init
        return age if isfinite(age) else inf


def _average(levels: Iterator[Level], size: float) -> float:
    """The average price of ``size`` by these levels; 0.0 where they do not hold as much."""
    left, total = size, 0.0
    for price, qty in levels:
        if left <= qty:
            return (total + left * price) / size
        total += qty * price
        left -= qty
    return 0.0
