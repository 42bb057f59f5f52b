"""OrderbookAggregator: from received frames to order books, by plain calls; the only writer of the books."""

from collections.abc import Callable, Iterable, Sequence

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.public_stream import Numbering
from arbtui.exchanges.streams import PUBLIC_STREAMS, require_decoders
from arbtui.exchanges.wire import WireDecoder
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.sinks import Batch, DiffBookSink, StreamedBookSink, WholeBookSink
from arbtui.marketdata.staleness import StreamWatch
from arbtui.marketdata.stream_delay import StreamDelays
from arbtui.marketdata.streamed_sync import StreamedBookSync
from arbtui.marketdata.sync import BookSync
from arbtui.marketdata.top_check import TopCheck, WatchedBookSync
from arbtui.marketdata.trades import TradeStreamProcessor
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError, WireError


class OrderbookAggregator:
    """Decodes frames, keeps the books of a universe of markets, and passes on which of them changed.

    Args:
        clock: stamps the receipt of every batch.
        config: silence and buffer limits.
        markets: (exchange, code) of every market whose book is kept; frames of others are decoded and counted as outside.
        exchanges: exchanges whose frames are decoded; those of ``markets`` when None.
        on_books: called once a batch with the books that changed in level, touch or state, each once, in order of their first
            change. Only the newest content of a book is kept: repeated changes within a batch are conflated.
        request_snapshot: called with (exchange, code) after the batch in which a book was found to need a snapshot.
        top_check: checks the ladders against best prices, when given.

    Raises:
        UsageError: there is no decoder for an exchange.
    """

    def __init__(
        self,
        clock: Clock,
        config: MarketDataConfig,
        markets: Iterable[tuple[str, str]],
        on_books: Callable[[Sequence[OrderBook]], None],
        request_snapshot: Callable[[str, str], None],
        *,
        exchanges: Iterable[str] | None = None,
        top_check: TopCheck | None = None,
    ) -> None:
        keys = list(dict.fromkeys(markets))
        names = list(dict.fromkeys(exchanges if exchanges is not None else [exchange for exchange, _ in keys]))
        require_decoders(names, "market data")
        self._clock = clock
        self._now = clock.monotonic
        self._on_books = on_books
        self._request_snapshot = request_snapshot
        self._batch = Batch()
        self._silence_s = config.stream_silence_ms / 1000
        self._buffer_limit = config.buffer_limit
        self._top_check = top_check
        self.on_connection: Callable[[str, Sequence[str], bool], None] = lambda *_: (
            None
        )  #: told like :meth:`connected`, before anything else
        self.is_live = False  #: data is received as it is created, so its times can be compared with our clock
        self._syncs: dict[str, dict[str, BookSync]] = {}
        self._decoders: dict[str, tuple[WireDecoder, ExchangeCounts]] = {}
        self.books: dict[tuple[str, str], OrderBook] = {(exchange, code): OrderBook(exchange, code) for exchange, code in keys}
        self.trades = TradeStreamProcessor(keys)
        self.counts: dict[str, ExchangeCounts] = {}
        self.delays = StreamDelays(config, clock)
        self.watches: dict[str, StreamWatch] = {}
        for name in names:
            self._open(name)
        if stray := [exchange for exchange, _ in keys if exchange not in self.counts]:
            raise UsageError(f"market data: markets of {stray[0]}, which is not among the exchanges {', '.join(names)}")

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Take one batch: every frame is decoded and applied, in order, before ``on_books`` is called."""
        batch = self._batch
        batch.now = self._now()
        if self.is_live:
            batch.wall_ms = self._clock.time_ms()
        decoders = self._decoders
        for frame in frames:  # by name: Python takes twice as long to unpack what is a tuple by inheritance
            decoder, counts = decoders[frame.exchange]
            counts.read += 1
            try:
                if frame.snapshot_of:
                    decoder.feed_snapshot(frame.snapshot_of, frame.raw)
                else:
                    decoder.feed(frame.raw)
            except WireError as error:
                counts.reject(error.kind)
                if frame.snapshot_of:
                    self._ask_again(frame.exchange, frame.snapshot_of)
        touched = batch.touched
        if touched:  # _notify, inlined: nearly every batch comes here
            books = [*touched]
            touched.clear()
            self._on_books(books)
        if batch.wanted:
            wanted, batch.wanted = batch.wanted, []
            for book in wanted:
                self._request_snapshot(book.exchange, book.code)

    def recorded_at(self, seconds: float) -> None:
        """When what is delivered next was received, by a recording: delays are counted on that, however fast it is played."""
        self._batch.recorded = seconds

    def sweep(self) -> None:
        """Mark the books of silent streams STALE and pass them on; call it a few times a second."""
        now = self._clock.monotonic()
        for watch in self.watches.values():
            for book in watch.sweep(now):
                self._batch.touched[book] = None
        if self._batch.touched:
            self._notify()

    def connected(self, exchange: str, codes: Iterable[str], up: bool) -> None:
        """The connection that carries ``codes`` was opened, or lost: then their books cannot be traded on.

        Books of diffs are cleared, so that no level outlives the reconnect, and wait for a snapshot; whole books wait for
        the next one.
        """
        codes = list(codes)
        self.on_connection(exchange, codes, up)
        syncs = self._syncs.get(exchange, {})
        touched = self._batch.touched
        for code in codes:
            book, sync = self.books.get((exchange, code)), syncs.get(code)
            if up and book is not None:
                self.delays.quarantine(book)
            if sync is not None and up:
                sync.resume()
            elif sync is not None:
                if sync.cut():
                    touched[sync.book] = None
            elif book is not None and not up and book.state is BookState.LIVE:
                book.state = BookState.STALE
                touched[book] = None
        if touched:
            self._notify()

    def confirm(self, exchange: str, code: str, at: float) -> None:
        """The venue confirmed this book's best prices when queried at ``at`` (monotonic s): it is quiet, not frozen."""
        book = self.books[exchange, code]
        book.ts_init = max(book.ts_init, at)
        if self.watches[exchange].revive(book):
            self._batch.touched[book] = None
            self._notify()

    def freeze(self, exchange: str, code: str) -> None:
        """The venue has other prices than this book, and its stream sends nothing: STALE until the next update."""
        book = self.books[exchange, code]
        if book.state is BookState.LIVE:
            book.state = BookState.STALE
            self._batch.touched[book] = None
            self._notify()

    def _ask_again(self, exchange: str, code: str) -> None:
        """A market's snapshot arrived and could not be read."""
        book = self.books.get((exchange, code))
        if book is not None and exchange in self._syncs and book.state is not BookState.LIVE and book.state is not BookState.STALE:
            self._batch.wanted.append(book)

    def _notify(self) -> None:
        books = list(self._batch.touched)
        self._batch.touched.clear()
        self._on_books(books)

    def _open(self, exchange: str) -> None:
        """Set up one exchange: counters, watch, sink and decoder."""
        stream = PUBLIC_STREAMS[exchange]
        books = {code: book for (name, code), book in self.books.items() if name == exchange}
        counts = self.counts[exchange] = ExchangeCounts(books.values())
        tapes = {code: self.trades.tapes[exchange, code] for code in books}
        watch = self.watches[exchange] = StreamWatch(exchange, books.values(), self._silence_s)
        delays = self.delays.open(exchange, books)
        sink: WholeBookSink | DiffBookSink
        if stream.numbering is Numbering.WHOLE:
            sink = WholeBookSink(self._batch, counts, watch, tapes, books, delays, self.delays.old_news, self._silence_s)
        else:
            syncs = {code: self._new_sync(book, counts, stream.numbering) for code, book in books.items()}
            self._syncs[exchange] = syncs
            kind = StreamedBookSink if stream.numbering is Numbering.STREAM else DiffBookSink
            sink = kind(self._batch, counts, watch, tapes, syncs, delays, self.delays.old_news, self.delays.quarantine)
        self._decoders[exchange] = (stream.decoder(sink), counts)

    def _new_sync(self, book: OrderBook, counts: ExchangeCounts, numbering: Numbering) -> BookSync:
        if numbering is Numbering.STREAM:
            return StreamedBookSync(book, counts, silence_s=self._silence_s)
        usdm = numbering is Numbering.USDM
        if self._top_check is None:
            return BookSync(book, counts, usdm=usdm, buffer_limit=self._buffer_limit, silence_s=self._silence_s)
        return WatchedBookSync(book, counts, self._top_check, usdm=usdm, buffer_limit=self._buffer_limit, silence_s=self._silence_s)
