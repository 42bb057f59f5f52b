"""Keeps one market's book in sync with its diff stream, by Binance's rules for a local order book.

Sources: developers.binance.com, "How to manage a local order book correctly", spot and USD-M futures. In short: buffer diffs until a
snapshot comes; drop those it already holds; the first one applied must reach back to the snapshot; each later one must follow the
one before. A book that cannot be proved complete is cleared, never patched.
"""

from collections.abc import Sequence
from typing import NamedTuple

from arbtui.marketdata.counts import ExchangeCounts
from arbtui.model.book import LIVE, STALE, BookState, Level, OrderBook

#: Diffs that a best price may run ahead of. Both streams share their numbering, and the diff that holds a best price follows within
#: one or two; a best price still ahead after so many has a wrong id, and must not stay for ever.
_TOUCH_LEAD = 20

#: Diffs in a row that may be older than the book. A snapshot is ahead of the stream by the updates in transit, a second or two;
#: after so many the venue has restarted its numbering (or the snapshot's id was wrong), and the book would never change.
OLD_IN_A_ROW = 500


class Diff(NamedTuple):
    """One depth update. Ids as in :class:`arbtui.exchanges.wire.MarketDataSink`."""

    first_id: int
    last_id: int
    prev_id: int
    bids: Sequence[Level]
    asks: Sequence[Level]


class BookSync:
    """One market: its book, the diffs that wait for a snapshot, and the newest best price.

    Every method returns whether the book changed (its levels, its touch or its state). :attr:`wants_snapshot` is set when a
    snapshot must be requested; the requester resets it.

    Args:
        book: the book to keep.
        counts: the exchange's counters.
        usdm: True for USD-M futures' rule (``pu``), False for spot's.
        buffer_limit: diffs that may wait for a snapshot; one more restarts the sync.
        silence_s: seconds that best prices may be newer than the ladder before the book counts as STALE.
    """

    __slots__ = (
        "_ahead_since",
        "_bridged",
        "_buffer",
        "_buffer_limit",
        "_kept",
        "_old",
        "_silence",
        "_touch",
        "_touch_id",
        "_usdm",
        "book",
        "counts",
        "is_cut",
        "wants_snapshot",
    )

    def __init__(self, book: OrderBook, counts: ExchangeCounts, *, usdm: bool, buffer_limit: int, silence_s: float) -> None:
        self.book = book
        self.counts = counts
        self.wants_snapshot = False
        self.is_cut = False
        self._usdm = usdm
        self._buffer_limit = buffer_limit
        self._silence = silence_s
        self._buffer: list[Diff] = []
        self._bridged = False  # a diff has been applied to the snapshot
        self._touch = (0.0, 0.0, 0.0, 0.0)
        self._touch_id = 0
        self._kept = 0  # diffs since the present touch
        self._old = 0
        self._ahead_since = -1.0

    def cut(self) -> bool:
        """Clear everything: the connection was lost, updates will be missing and ids may restart.

        Until :meth:`resume` or the next diff no snapshot is applied: a book without updates must not look LIVE.
        """
        self.is_cut = True
        self._buffer = []
        self._touch_id = 0
        self._old = 0
        self._ahead_since = -1.0
        self.wants_snapshot = False
        if self.book.state is BookState.EMPTY or self.book.state is BookState.GAPPED:
            return False
        self.book.clear(BookState.GAPPED)
        return True

    def resume(self) -> None:
        """The connection is open again."""
        self.is_cut = False

    def diff(self, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level]) -> bool:
        """Apply a depth update; arguments as in :class:`arbtui.exchanges.wire.MarketDataSink`."""
        book = self.book
        state = book.state
        if state is not LIVE and state is not STALE:
            return self._buffer_diff(Diff(first_id, last_id, prev_id, bids, asks), state)
        have = book.update_id
        if last_id <= have:
            self.counts.old += 1
            self._old += 1
            return self._old > OLD_IN_A_ROW and self._gap(Diff(first_id, last_id, prev_id, bids, asks))
        reaches = prev_id if self._usdm else first_id - 1
        if reaches != have if self._bridged else reaches > have:
            return self._gap(Diff(first_id, last_id, prev_id, bids, asks))
        self._bridged = True
        self._old = 0
        self._ahead_since = -1.0
        self._apply(last_id, bids, asks)
        if book.bid >= book.ask:  # no venue's ladder is crossed: a level in it is wrong, and would stay
            return self._gap(Diff(first_id, last_id, prev_id, bids, asks))
        if self._touch_id > last_id:
            self._touch_again()
        if state is STALE:
            book.state = LIVE
        return True

    def snapshot(self, bids: Sequence[Level], asks: Sequence[Level], update_id: int) -> bool:
        """Apply a whole book; one that is not awaited is not newer than the diffs already applied, and is ignored."""
        book = self.book
        state = book.state
        if state is LIVE or state is STALE or self.is_cut:
            self.counts.old += 1
            return False
        waiting = [diff for diff in self._buffer if diff.last_id > update_id]
        broken = self._first_break(waiting, update_id)
        if broken >= 0:
            if broken > 0:  # the snapshot is good, but the stream lost an update after it
                self.counts.gaps += 1
                self._buffer = waiting[broken:]
            self._ask()
            return False
        self._buffer = []
        book.replace(bids, asks)
        book.update_id = update_id
        book.state = LIVE
        self._bridged = bool(waiting)
        self._old = 0
        self.wants_snapshot = False
        if state is BookState.GAPPED:
            self.counts.resyncs += 1
        self._kept = 0
        self._ahead_since = -1.0
        for diff in waiting:
            self._apply(diff.last_id, diff.bids, diff.asks)
        if book.bid >= book.ask:
            self.counts.gaps += 1
            book.clear(BookState.GAPPED)
            self._ask()
            return True
        if self._touch_id > book.update_id:
            book.touch(*self._touch)
        return True

    def touch(self, update_id: int, touch: tuple[float, float, float, float], now: float) -> bool:
        """Apply a best-price message: (bid, bid quantity, ask, ask quantity). One older than the ladder or the last touch is ignored."""
        book = self.book
        if update_id <= self._touch_id or update_id <= book.update_id:
            self.counts.old += 1
            return False
        self._touch_id = update_id
        self._touch = touch
        self._kept = 0
        state = book.state
        if state is LIVE:
            if self._ahead_since < 0.0:
                self._ahead_since = now
            elif now - self._ahead_since > self._silence:
                book.state = STALE  # best prices move, yet no diff brings them: this market's depth stream is frozen
        elif state is not STALE:
            return False
        book.bid, book.bid_qty, book.ask, book.ask_qty = touch  # book.touch, inlined: the most frequent message
        return True

    def _touch_again(self) -> None:
        """The best prices are newer than the diff just applied: they still hold, for a while."""
        self._kept += 1
        if self._kept <= _TOUCH_LEAD:
            self.book.touch(*self._touch)
        else:
            self._touch_id = 0

    def _apply(self, last_id: int, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        self.book.apply(bids, asks)
        self.book.update_id = last_id

    def _first_break(self, waiting: Sequence[Diff], update_id: int) -> int:
        """Index of the first diff that does not follow what is before it (the snapshot, then each other); -1 when all do."""
        have = update_id
        for i, diff in enumerate(waiting):
            reaches = diff.prev_id if self._usdm else diff.first_id - 1
            if reaches != have if i else reaches > have:
                return i
            have = diff.last_id
        return -1

    def _gap(self, diff: Diff) -> bool:
        self.counts.gaps += 1
        self.book.clear(BookState.GAPPED)
        self._buffer = [diff]
        self._ahead_since = -1.0
        self._old = 0
        self._ask()
        return True

    def _buffer_diff(self, diff: Diff, state: BookState) -> bool:
        buffer = self._buffer
        self.is_cut = False
        asks = not buffer  # the first one since the start, or since the connection was lost
        if buffer and diff.last_id <= buffer[-1].last_id:
            self.counts.old += 1
            self._old += 1
            if self._old <= OLD_IN_A_ROW:
                return False
            buffer.clear()
            asks = True
        elif len(buffer) >= self._buffer_limit:
            buffer.clear()
            asks = True
        self._old = 0
        buffer.append(diff)
        if asks:
            self._ask()
        if state is BookState.EMPTY:
            self.book.state = BookState.SYNCING
            return True
        return False

    def _ask(self) -> None:
        self.counts.asked += 1
        self.wants_snapshot = True
