"""One market's order book, in floats, best levels last so that work near the touch is cheap.

Levels live in two parallel arrays a side (of plain doubles: with objects, a search through a thousand rarely used books
would miss the processor's cache at every level): ``bid_px`` ascending (best bid last) and ``ask_key`` ascending *negated*
prices (best ask last), so both sides are bisected the same way. ``bid``, ``ask`` and their sizes are the touch: the ladder's
best, or a newer best-price message, which trims the ladder and never crosses it. An empty side has bid 0.0 or ask
``inf``, at which no route has an edge.

A whole book is kept as received and converted to arrays only when a diff or a reader needs them: a venue that sends whole
books replaces them ten times a second, and for most of them only the touch is ever read.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from math import inf
from typing import Final

Level = tuple[float, float]  #: (price, quantity)


class BookState(StrEnum):
    """Whether a book may be traded on; only LIVE may."""

    EMPTY = "EMPTY"  #: nothing received yet
    SYNCING = "SYNCING"  #: diffs are buffered until a snapshot comes
    LIVE = "LIVE"
    STALE = "STALE"  #: its stream has sent nothing for too long
    GAPPED = "GAPPED"  #: an update is missing; a new snapshot is needed


#: Members by a name of their own, for what is asked on every update: Python 3.11 takes a tenth of a microsecond to find one in its class.
LIVE: Final = BookState.LIVE
STALE: Final = BookState.STALE


class OrderBook:
    """The book of one market. Times: ``ts_event`` venue clock in ms, ``ts_init`` our monotonic seconds of receipt."""

    __slots__ = (
        "_ask_key",
        "_ask_sz",
        "_bid_px",
        "_bid_sz",
        "_whole",
        "ask",
        "ask_qty",
        "bid",
        "bid_qty",
        "code",
        "exchange",
        "state",
        "ts_event",
        "ts_init",
        "update_id",
        "updates",
    )

    def __init__(self, exchange: str, code: str) -> None:
        self.exchange = exchange
        self.code = code
        self.state = BookState.EMPTY
        self.bid = 0.0
        self.bid_qty = 0.0
        self.ask = inf
        self.ask_qty = 0.0
        self._whole: tuple[list[Level], list[Level]] | None = None  # bids and asks, best first, until they become arrays
        self._bid_px = array("d")
        self._bid_sz = array("d")
        self._ask_key = array("d")
        self._ask_sz = array("d")
        self.ts_event = 0
        self.ts_init = -inf
        self.update_id = 0  #: of the ladder; 0 where the venue numbers nothing
        self.updates = 0

    @property
    def bid_px(self) -> Sequence[float]:
        """Bid prices of the ladder, ascending."""
        self._settle()
        return self._bid_px

    @property
    def bid_sz(self) -> Sequence[float]:
        """Bid quantities, in the order of ``bid_px``."""
        self._settle()
        return self._bid_sz

    @property
    def ask_key(self) -> Sequence[float]:
        """Ask prices of the ladder, negated, ascending."""
        self._settle()
        return self._ask_key

    @property
    def ask_sz(self) -> Sequence[float]:
        """Ask quantities, in the order of ``ask_key``."""
        self._settle()
        return self._ask_sz

    def replace(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Take a whole book. Zero sizes, padding levels and repeated prices are left out; the order does not matter."""
        best_bids = sorted(bids, reverse=True)
        best_asks = sorted(asks)
        self._whole = (best_bids, best_asks)
        # The best level is checked here for being a real one; deeper levels are checked when they are read.
        if best_bids and best_bids[0][1] > 0.0 < best_bids[0][0] and best_asks and best_asks[0][1] > 0.0 < best_asks[0][0]:
            self.bid, self.bid_qty = best_bids[0]
            self.ask, self.ask_qty = best_asks[0]
        else:
            self._settle()
            self._touch_from_ladder()

    def apply(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Apply changed levels: quantity 0 removes a price, any other quantity sets it."""
        if self._whole is not None:
            self._settle()
        prices, keys = self._bid_px, self._ask_key
        if bids:
            _merge(prices, self._bid_sz, bids, 1.0)
        if asks:
            _merge(keys, self._ask_sz, asks, -1.0)
        if prices and keys:  # _touch_from_ladder, inlined for the usual case
            self.bid, self.bid_qty, self.ask, self.ask_qty = prices[-1], self._bid_sz[-1], -keys[-1], self._ask_sz[-1]
        else:
            self._touch_from_ladder()

    def touch(self, bid: float, bid_qty: float, ask: float, ask_qty: float) -> None:
        """Take a best-price message that is newer than the ladder."""
        self.bid, self.bid_qty, self.ask, self.ask_qty = bid, bid_qty, ask, ask_qty

    def clear(self, state: BookState) -> None:
        """Remove every level and enter ``state``: levels from before a gap or a reconnect may no longer exist."""
        self._whole = None
        self._bid_px, self._bid_sz, self._ask_key, self._ask_sz = array("d"), array("d"), array("d"), array("d")
        self._touch_from_ladder()
        self.update_id = 0
        self.state = state

    def bids(self) -> Iterator[Level]:
        """Bid levels, best first: the touch, then the ladder below it."""
        last = self.bid
        if last > 0.0:
            yield last, self.bid_qty
        if self._whole is not None:
            for level in self._whole[0]:
                if 0.0 < level[0] < last and level[1] > 0.0:
                    last = level[0]
                    yield level
            return
        prices, sizes = self._bid_px, self._bid_sz
        for i in range(len(prices) - 1, -1, -1):
            if prices[i] < last:
                yield prices[i], sizes[i]

    def asks(self) -> Iterator[Level]:
        """Ask levels, best first: the touch, then the ladder above it."""
        last = self.ask
        if last < inf:
            yield last, self.ask_qty
        if self._whole is not None:
            for level in self._whole[1]:
                if level[0] > last and level[1] > 0.0:
                    last = level[0]
                    yield level
            return
        touch = -last
        keys, sizes = self._ask_key, self._ask_sz
        for i in range(len(keys) - 1, -1, -1):
            if keys[i] < touch:
                yield -keys[i], sizes[i]

    @contextmanager
    def without(self, *, bids: float, asks: float) -> Iterator[None]:
        """Inside the block, the book is without so much (base) of its best bids and asks.

        For pricing what orders of ours, which the venue has not shown yet, will leave of it. Nothing may change the book meanwhile.
        """
        kept = self._whole, self._bid_px, self._bid_sz, self._ask_key, self._ask_sz
        touch = self.bid, self.bid_qty, self.ask, self.ask_qty
        try:
            self.replace(list(_beyond(self.bids(), bids)), list(_beyond(self.asks(), asks)))
            yield
        finally:
            self._whole, self._bid_px, self._bid_sz, self._ask_key, self._ask_sz = kept
            self.bid, self.bid_qty, self.ask, self.ask_qty = touch

    @property
    def is_crossed(self) -> bool:
        """True when the best bid is at or above the best ask."""
        return self.bid >= self.ask

    @property
    def mid(self) -> float:
        """Middle of the touch; ``inf`` or half a price where a side is empty, so check both sides first."""
        return (self.bid + self.ask) / 2

    def _touch_from_ladder(self) -> None:
        if self._bid_px:
            self.bid, self.bid_qty = self._bid_px[-1], self._bid_sz[-1]
        else:
            self.bid, self.bid_qty = 0.0, 0.0
        if self._ask_key:
            self.ask, self.ask_qty = -self._ask_key[-1], self._ask_sz[-1]
        else:
            self.ask, self.ask_qty = inf, 0.0

    def _settle(self) -> None:
        """Convert a whole book, if one is held, into the arrays."""
        if self._whole is None:
            return
        bids, asks = self._whole
        self._whole = None
        self._bid_px, self._bid_sz = _columns(bids, 1.0)
        self._ask_key, self._ask_sz = _columns(asks, -1.0)


def _beyond(levels: Iterator[Level], qty: float) -> Iterator[Level]:
    """The levels that are left when the best ones have lost ``qty``."""
    for price, size in levels:
        taken = min(size, qty)
        qty -= taken
        if size > taken:
            yield price, size - taken


def _columns(levels: Sequence[Level], sign: float) -> "tuple[array[float], array[float]]":
    """Keys (price times ``sign``) ascending, and quantities, of levels that come best first."""
    real: dict[float, float] = {}
    for price, qty in levels:
        if qty > 0.0 < price:
            real.setdefault(price * sign, qty)
    return array("d", reversed(real)), array("d", reversed(real.values()))


def _merge(keys: "array[float]", sizes: "array[float]", levels: Sequence[Level], sign: float) -> None:
    for price, qty in levels:
        key = price * sign
        i = bisect_left(keys, key)
        if i < len(keys) and keys[i] == key:
            if qty > 0.0:
                sizes[i] = qty
            else:
                del keys[i], sizes[i]
        elif qty > 0.0:
            keys.insert(i, key)
            sizes.insert(i, qty)
