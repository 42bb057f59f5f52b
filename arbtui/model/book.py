"""One market's order book, in floats, best levels last so that work near the touch is cheap.

Levels live in two parallel lists a side: ``bid_px`` ascending (best bid last) and ``ask_key`` ascending *negated*
prices (best ask last), so both sides are bisected alike. ``bid``, ``ask`` and their sizes are the touch: the ladder's
best, or a newer best-price message, which trims the ladder and never crosses it. An empty side has bid 0.0 or ask
``inf``, which no edge can clear.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import inf

Level = tuple[float, float]  #: (price, quantity)


class BookState(StrEnum):
    """Whether a book may be traded on; only LIVE may."""

    EMPTY = "EMPTY"  #: nothing received yet
    SYNCING = "SYNCING"  #: diffs are buffered until a snapshot comes
    LIVE = "LIVE"
    STALE = "STALE"  #: its stream fell silent
    GAPPED = "GAPPED"  #: an update is missing; a new snapshot is needed


class OrderBook:
    """The book of one market. Times: ``ts_event`` venue clock in ms, ``ts_init`` our monotonic seconds of receipt."""

    __slots__ = (
        "ask",
        "ask_key",
        "ask_qty",
        "ask_sz",
        "bid",
        "bid_px",
        "bid_qty",
        "bid_sz",
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
        self.bid_px: list[float] = []
        self.bid_sz: list[float] = []
        self.ask_key: list[float] = []
        self.ask_sz: list[float] = []
        self.ts_event = 0
        self.ts_init = -inf
        self.update_id = 0  #: of the ladder; 0 where the venue numbers nothing
        self.updates = 0

    def replace(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Take a whole book, best levels first; zero sizes and padding levels are left out."""
        self.bid_px = [p for p, q in reversed(bids) if q > 0.0 < p]
        self.bid_sz = [q for p, q in reversed(bids) if q > 0.0 < p]
        self.ask_key = [-p for p, q in reversed(asks) if q > 0.0 < p]
        self.ask_sz = [q for p, q in reversed(asks) if q > 0.0 < p]
        self._touch_from_ladder()

    def apply(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Apply changed levels: quantity 0 removes a price, anything else sets it."""
        for price, qty in bids:
            _set(self.bid_px, self.bid_sz, price, qty)
        for price, qty in asks:
            _set(self.ask_key, self.ask_sz, -price, qty)
        self._touch_from_ladder()

    def touch(self, bid: float, bid_qty: float, ask: float, ask_qty: float) -> None:
        """Take a best-price message that is newer than the ladder."""
        self.bid, self.bid_qty, self.ask, self.ask_qty = bid, bid_qty, ask, ask_qty

    def clear(self, state: BookState) -> None:
        """Forget every level and go to ``state``: ghost levels must not outlive a gap or a reconnect."""
        self.bid_px, self.bid_sz, self.ask_key, self.ask_sz = [], [], [], []
        self._touch_from_ladder()
        self.state = state

    def bids(self) -> Iterator[Level]:
        """Bid levels, best first: the touch, then the ladder below it."""
        if self.bid > 0.0:
            yield self.bid, self.bid_qty
        touch = self.bid
        prices, sizes = self.bid_px, self.bid_sz
        for i in range(len(prices) - 1, -1, -1):
            if prices[i] < touch:
                yield prices[i], sizes[i]

    def asks(self) -> Iterator[Level]:
        """Ask levels, best first: the touch, then the ladder above it."""
        if self.ask < inf:
            yield self.ask, self.ask_qty
        touch = -self.ask
        keys, sizes = self.ask_key, self.ask_sz
        for i in range(len(keys) - 1, -1, -1):
            if keys[i] < touch:
                yield -keys[i], sizes[i]

    @property
    def is_crossed(self) -> bool:
        """True when the best bid is at or above the best ask."""
        return self.bid >= self.ask

    @property
    def mid(self) -> float:
        """Middle of the touch; ``inf`` or half a price where a side is empty, so check both sides first."""
        return (self.bid + self.ask) / 2

    def _touch_from_ladder(self) -> None:
        if self.bid_px:
            self.bid, self.bid_qty = self.bid_px[-1], self.bid_sz[-1]
        else:
            self.bid, self.bid_qty = 0.0, 0.0
        if self.ask_key:
            self.ask, self.ask_qty = -self.ask_key[-1], self.ask_sz[-1]
        else:
            self.ask, self.ask_qty = inf, 0.0


def _set(keys: list[float], sizes: list[float], key: float, qty: float) -> None:
    i = bisect_left(keys, key)
    if i < len(keys) and keys[i] == key:
        if qty > 0.0:
            sizes[i] = qty
        else:
            del keys[i], sizes[i]
    elif qty > 0.0:
        keys.insert(i, key)
        sizes.insert(i, qty)
