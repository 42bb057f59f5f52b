"""The executable KRW/USDT rate, from an order book; no rate means no trade.

The rate is read from the book of a market that quotes USDT in KRW (Upbit KRW-USDT). Never a constant: a fallback
rate has cost users of other programs their stock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite
from typing import Protocol

from arbtui.model.book import BookState, Level, OrderBook
from arbtui.model.reason import Reason


@dataclass(slots=True)
class Conversion:
    """How much target currency one unit of source buys; 0.0 when unknown. Shared by all routes, so a rate tick is one write.

    ``value`` is what a whole order would get: its walk through the book and its fee are taken off; ``gross`` is the touch. ``margin_bps``
    is how much better the book's rate may be than the one that the coins confirm: an edge must be larger by so much.
    """

    value: float
    gross: float
    margin_bps: float = 0.0


class RateDoubt(Protocol):
    """Who compares the rate with what else is known of it; see :class:`arbtui.marketdata.rate_watch.RateWatch`."""

    def on_rate(self) -> None:
        """The rate's book changed."""
        ...


class RateBook:
    """The executable exchange rate between two settlement currencies, with side and age.

    Args:
        book: order book of the market that trades ``foreign`` (USDT) against ``local`` (KRW); None when no such market exists.
        local: quote currency of that market.
        foreign: its base currency.
        max_age_s: an older book gives no rate, in seconds.
        fee: the venue's fee of the conversion, as a fraction.
        size: of the order that a conversion is priced for, in ``foreign``; 0.0 prices the touch. A side that does not show as much is
            no rate.
    """

    __slots__ = ("_same", "_to_foreign", "_to_local", "book", "doubted", "fee", "foreign", "local", "max_age_s", "size", "watch")

    def __init__(self, book: OrderBook | None, local: str, foreign: str, max_age_s: float, fee: float, size: float = 0.0) -> None:
        self.book = book
        self.local = local
        self.foreign = foreign
        self.max_age_s = max_age_s
        self.fee = fee
        self.size = size
        self.doubted = False  #: the coins contradict it: no rate for now
        self.watch: RateDoubt | None = None  #: tells whether it is, where somebody watches
        self._same = Conversion(1.0, 1.0)
        self._to_local = Conversion(0.0, 0.0)
        self._to_foreign = Conversion(0.0, 0.0)

    def refusal(self, now: float) -> Reason | None:
        """Why there is no usable rate at ``now`` (monotonic seconds), or None."""
        book = self.book
        if book is None or book.state is not BookState.LIVE:
            return Reason.NO_RATE
        if not (0.0 < book.bid < book.ask < inf):
            return Reason.NO_RATE
        if not now - book.ts_init <= self.max_age_s:
            return Reason.RATE_OLD
        return Reason.RATE_DOUBTED if self.doubted else None

    def set_margin(self, to_local_bps: float, to_foreign_bps: float) -> None:
        """By how much the book's rate is better than the coins confirm, for selling foreign currency, and for buying it."""
        self._to_local.margin_bps = to_local_bps
        self._to_foreign.margin_bps = to_foreign_bps

    def conversion(self, source: str, target: str) -> Conversion:
        """The shared factor from ``source`` to ``target``: executable side for the size, after the fee. For edges, never for money.

        USDT to KRW sells at the bid, KRW to USDT buys at the ask. A pair that this book does not quote stays at 0.0.
        """
        if source == target:
            return self._same
        if (source, target) == (self.foreign, self.local):
            return self._to_local
        if (source, target) == (self.local, self.foreign):
            return self._to_foreign
        return Conversion(0.0, 0.0)

    def refresh(self) -> bool:
        """Read the book again after it changed; True when a conversion changed."""
        book, size = self.book, self.size
        if book is None or not (0.0 < book.bid < book.ask < inf):
            sold = bought = touch_sold = touch_bought = 0.0
        else:
            touch_sold, touch_bought = book.bid, 1.0 / book.ask
            sold = (touch_sold if book.bid_qty >= size else _average(book.bids(), size)) * (1.0 - self.fee)
            price = book.ask if book.ask_qty >= size else _average(book.asks(), size)
            bought = 1.0 / (price * (1.0 + self.fee)) if price > 0.0 else 0.0
        to_local, to_foreign = self._to_local, self._to_foreign
        before = to_local.value, to_local.gross, to_foreign.value, to_foreign.gross
        to_local.value, to_local.gross, to_foreign.value, to_foreign.gross = after = sold, touch_sold, bought, touch_bought
        changed = after != before
        if self.watch is not None:
            self.watch.on_rate()
        return changed

    def mid(self) -> float:
        """Middle of the rate, for display, size and marks; 0.0 when unknown."""
        book = self.book
        if book is None or not (0.0 < book.bid < book.ask < inf):
            return 0.0
        return book.mid

    def age(self, now: float) -> float:
        """Seconds since the rate's book was received; ``inf`` before the first."""
        if self.book is None:
            return inf
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
