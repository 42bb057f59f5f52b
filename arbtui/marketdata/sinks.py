"""Applies decoded market data: one sink an exchange, either for whole books or for diffs that need a snapshot."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Generic, TypeVar

from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.staleness import StreamWatch
from arbtui.marketdata.stream_delay import StreamDelay
from arbtui.marketdata.streamed_sync import StreamedBookSync
from arbtui.marketdata.sync import BookSync
from arbtui.marketdata.trades import TradeTape
from arbtui.model.book import LIVE, STALE, BookState, Level, OrderBook
from arbtui.model.order import Side

#: How far a trade id may lie behind the newest one and still count as a repetition. Further back, numbering has restarted.
#: Upbit's ids are microseconds, so this is a hundred seconds there.
_SAME_TRADES = 100_000_000
#: ms that an update's own time may lie back and count as new: transit and clock difference. Beyond that it was already old
#: when it arrived. It exceeds what a healthy venue's clock may differ (``[health] skew_block_ms``), so that a clock alone ages no book.
_UNDER_WAY_MS = 2000
#: ms that a whole book may be older than the one before it and count as out of order; beyond that the venue's clock was wrong.
_REORDERED_MS = 2000


class Batch:
    """State of one delivery: when its frames came, and which books they changed (in order, once each)."""

    __slots__ = ("now", "recorded", "touched", "wall_ms", "wanted")

    def __init__(self) -> None:
        self.now = -inf
        self.recorded = 0.0  #: when a recording's batch was received, in seconds of its own clock; 0 where none is replayed
        self.wall_ms = 0  #: of now, for live data; 0 in a simulation or replay, whose wall clock is not the venues'
        self.touched: dict[OrderBook, None] = {}
        self.wanted: list[OrderBook] = []  #: books that need a snapshot


Book = TypeVar("Book")  #: what one market's updates are applied to: the book itself, or the sync that keeps it


class _Sink(Generic[Book]):
    """The common part: trades, other types, and marking a book as changed.

    Args:
        books: by market code, what the exchange's updates are applied to.
        delays: by market code, the delay of the socket that carries it.
        old_news: books whose last update was old when it came; kept here, read by :class:`StreamDelays`.
    """

    def __init__(
        self,
        batch: Batch,
        counts: ExchangeCounts,
        watch: StreamWatch,
        tapes: Mapping[str, TradeTape],
        books: Mapping[str, Book],
        delays: Mapping[str, StreamDelay],
        old_news: set[OrderBook],
    ) -> None:
        self._batch = batch
        self._counts = counts
        self._watch = watch
        self._tapes = tapes
        self._books = books
        self._delays = delays
        self._old_news = old_news

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        """Add a public trade to its market's tape."""
        tape = self._tapes.get(code)
        if tape is None:
            self._counts.outside += 1
            return
        self._counts.trades += 1
        number = int(trade_id)
        if 0 <= tape.last_id - number < _SAME_TRADES:
            self._counts.old += 1  # sent again: after a new subscription, or by both sockets during a replacement
            return
        tape.last_id = number
        tape.add(qty, taker, self._batch.now)

    def on_other(self, kind: str) -> None:
        """A frame of a type that is not used."""
        self._counts.name(kind)

    def _changed(self, book: OrderBook, ts_event: int) -> None:
        batch = self._batch
        book.ts_init = batch.now
        if ts_event:
            book.ts_event = ts_event
            if batch.wall_ms:
                late_ms = batch.wall_ms - ts_event
                self._watch.add_lateness(late_ms)
                if late_ms > _UNDER_WAY_MS:
                    book.ts_init -= late_ms / 1000  # as old as its own time says, however recently it arrived
                    self._old_news.add(book)
                elif self._old_news:
                    self._old_news.discard(book)
        book.updates += 1
        if book in batch.touched:
            self._counts.merged += 1
        else:
            batch.touched[book] = None


class _Ahead:
    """The newest best prices of a market whose whole books come beside them, and how far they are ahead of the last book."""

    __slots__ = ("book_ts", "since", "touch", "ts")

    def __init__(self, book_ts: int) -> None:
        self.book_ts = book_ts  #: venue ms of the last whole book
        self.ts = 0  #: venue ms of ``touch``
        self.touch = (0.0, 0.0, 0.0, 0.0)
        self.since = -1.0  #: our time of the first best prices since that book; -1 where there are none


class WholeBookSink(_Sink[OrderBook]):
    """For a venue whose every message is a whole book (Upbit): the newest one counts, none can be missing.

    Some send best prices beside them, more often (Bitget): those newer than the book by the venue's own clock trim it.

    Args:
        silence_s: seconds that best prices may go on without a whole book before the book counts as STALE.
    """

    def __init__(
        self,
        batch: Batch,
        counts: ExchangeCounts,
        watch: StreamWatch,
        tapes: Mapping[str, TradeTape],
        books: Mapping[str, OrderBook],
        delays: Mapping[str, StreamDelay],
        old_news: set[OrderBook],
        silence_s: float,
    ) -> None:
        super().__init__(batch, counts, watch, tapes, books, delays, old_news)
        self._silence_s = silence_s
        self._ahead: dict[str, _Ahead] = {}

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        """A whole book: replaces what was there, unless it is a little older by the venue's own clock."""
        self._watch.last_message = self._batch.now
        book = self._books.get(code)
        if book is None:
            self._counts.outside += 1
            return
        self._counts.snapshots += 1
        ahead = self._ahead.get(code) if self._ahead else None
        before = book.ts_event if ahead is None else ahead.book_ts
        if ts_event:
            self._delays[code].seen(ts_event, before, self._batch.recorded or self._batch.now)
        if 0 < before - ts_event <= _REORDERED_MS:
            self._counts.old += 1
            return
        book.replace(bids, asks)
        book.state = LIVE
        if ahead is not None:
            ahead.book_ts, ahead.since = ts_event, -1.0
            if 0 < ahead.ts - ts_event <= _REORDERED_MS:
                book.touch(*ahead.touch)
                ts_event = ahead.ts
        self._changed(book, ts_event)

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        """Never called: such a venue sends none."""
        raise AssertionError("a venue of whole books sends no diffs")

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        """Best prices, where the venue sends them: those without a time, or older than what is there, are ignored."""
        self._watch.last_message = now = self._batch.now
        book = self._books.get(code)
        if book is None:
            self._counts.outside += 1
            return
        self._counts.touches += 1
        ahead = self._ahead.get(code)
        if ahead is None:
            ahead = self._ahead[code] = _Ahead(book.ts_event)
        if not ts_event or 0 < max(ahead.ts, ahead.book_ts) - ts_event <= _REORDERED_MS:
            self._counts.old += 1
            return
        ahead.ts, ahead.touch = ts_event, (bid, bid_qty, ask if ask > 0.0 else inf, ask_qty)
        if book.state is LIVE:
            if ahead.since < 0.0:
                ahead.since = now
            elif now - ahead.since > self._silence_s:
                book.state = STALE  # best prices move, yet no book comes: this market's book stream is frozen
        elif book.state is not STALE:
            return
        book.touch(*ahead.touch)
        self._changed(book, ts_event)


class DiffBookSink(_Sink[BookSync]):
    """For a venue of snapshot plus numbered diffs, and best prices beside them (Binance)."""

    def __init__(
        self,
        batch: Batch,
        counts: ExchangeCounts,
        watch: StreamWatch,
        tapes: Mapping[str, TradeTape],
        books: Mapping[str, BookSync],
        delays: Mapping[str, StreamDelay],
        old_news: set[OrderBook],
        on_resync: Callable[[OrderBook], None],
    ) -> None:
        super().__init__(batch, counts, watch, tapes, books, delays, old_news)
        self._on_resync = on_resync

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        """A REST depth answer."""
        sync = self._books.get(code)
        if sync is None:
            self._counts.outside += 1
            return
        self._counts.snapshots += 1
        was_gapped = sync.book.state is BookState.GAPPED
        if sync.snapshot(bids, asks, update_id):
            if was_gapped:
                self._on_resync(sync.book)
            self._changed(sync.book, ts_event)
        if sync.wants_snapshot:
            self._want(sync)

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        """Changed levels."""
        self._watch.last_message = self._batch.now
        sync = self._books.get(code)
        if sync is None:
            self._counts.outside += 1
            return
        self._counts.diffs += 1
        if ts_event:
            self._delays[code].seen(ts_event, sync.book.ts_event, self._batch.recorded or self._batch.now)
        if sync.diff(first_id, last_id, prev_id, bids, asks):
            self._changed(sync.book, ts_event)
        if sync.wants_snapshot:
            self._want(sync)

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        """Best prices."""
        batch = self._batch
        self._watch.last_message = now = batch.now
        sync = self._books.get(code)
        counts = self._counts
        if sync is None:
            counts.outside += 1
            return
        counts.touches += 1
        if sync.touch(update_id, (bid, bid_qty, ask if ask > 0.0 else inf, ask_qty), now):
            book = sync.book  # _changed, inlined: this is the most frequent message
            book.ts_init = now
            if ts_event:
                book.ts_event = ts_event
            book.updates += 1
            if book in batch.touched:
                counts.merged += 1
            else:
                batch.touched[book] = None

    def _want(self, sync: BookSync) -> None:
        sync.wants_snapshot = False
        self._batch.wanted.append(sync.book)


class StreamedBookSink(DiffBookSink):
    """For a venue whose stream itself brings whole books, and numbered changes after each."""

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        """A whole book of the stream: what comes after it follows its number."""
        self._watch.last_message = self._batch.now
        sync = self._books.get(code)
        if not isinstance(sync, StreamedBookSync):
            self._counts.outside += 1
            return
        self._counts.snapshots += 1
        if ts_event:
            self._delays[code].seen(ts_event, sync.book.ts_event, self._batch.recorded or self._batch.now)
        if sync.is_behind(update_id, ts_event):
            self._counts.old += 1
            return
        was_gapped = sync.book.state is BookState.GAPPED
        if sync.snapshot(bids, asks, update_id):
            if was_gapped:
                self._on_resync(sync.book)
            self._changed(sync.book, ts_event)
        if sync.wants_snapshot:
            self._want(sync)
