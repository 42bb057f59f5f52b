"""FreezeWatch: distinguishes a quiet market from one whose stream is frozen, by querying the venue for its best prices."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import inf

from arbtui.exchanges.public_stream import Numbering
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError

log = logging.getLogger("arbtui")

_LOOK_S = 0.2
#: Seconds between two queries: 2 a second cost a tenth of Binance's weight and a fifth of Upbit's.
_APART_S = 0.5
#: Seconds without an update after which a book is suspect at the earliest.
_SHORTEST_S = 1.0
#: Seconds that the stream has to deliver prices that the venue just answered, before it counts as frozen.
_GRACE_S = 0.5
#: Seconds after which a question that was not answered is asked again.
_UNTOLD_S = 20.0
#: Seconds between two new connections for one market: where they do not help, they must not become a reconnect storm.
_RENEW_S = 30.0


class FreezeWatch:
    """Watches the books of one exchange.

    A market is suspect when its own book has not changed for ten times its usual pause (a second at least, ``probe_after_s`` at
    most); after a second when it traded meanwhile, when the whole stream is silent, or when it was frozen recently. The venue is
    then queried for its best prices: if they equal ours, the market is quiet and its book is confirmed; if they differ and the
    stream does not deliver them within half a second, it is frozen: the book is STALE, and its connection is replaced.

    Args:
        exchange: whose books are watched.
        aggregator: holds the books, their tapes and the stream's watch; receives the results.
        probe: fetches (best bid, best ask) of a market; raises ArbtuiError when there is no usable answer.
        live_since: since when the socket that carries a market is open, in monotonic seconds; None while it is not.
        renew: replaces the connection that carries a market.
        on_frozen: called when the exchange as a whole begins or ceases to count as frozen.
        clock: measures ages.
        probe_after_s: see above.
    """

    def __init__(
        self,
        exchange: str,
        aggregator: OrderbookAggregator,
        probe: Callable[[str], Awaitable[tuple[float, float]]],
        live_since: Callable[[str], float | None],
        renew: Callable[[str], None],
        on_frozen: Callable[[bool], None],
        clock: Clock,
        probe_after_s: float,
    ) -> None:
        self._exchange = exchange
        self._aggregator = aggregator
        self._watch = aggregator.watches[exchange]
        self._tapes = aggregator.trades.tapes
        self._books = {code: book for (name, code), book in aggregator.books.items() if name == exchange}
        self._probe = probe
        self._live_since = live_since
        self._renew = renew
        self._on_frozen = on_frozen
        self._clock = clock
        self._after = probe_after_s
        self._began = clock.monotonic()
        # Books that wait for a snapshot have a state for it. A venue of whole books sends the first one with the subscription.
        whole = PUBLIC_STREAMS[exchange].numbering is Numbering.WHOLE
        self._waits = {BookState.GAPPED, BookState.SYNCING} | (set() if whole else {BookState.EMPTY})
        self._asked: dict[str, float] = {}
        self._renewed: dict[str, float] = {}
        self.frozen: dict[str, int] = {}  #: frozen markets, with the updates that they had then
        self.is_frozen = False  #: the exchange as a whole

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self._thaw()
            suspect = self._suspect()
            if suspect is not None:
                await self._look_at(suspect)
                await asyncio.sleep(_APART_S)

    def _suspect(self) -> OrderBook | None:
        """The market most likely to be frozen: one that traded since its last update, then the busiest one."""
        now = self._clock.monotonic()
        silent = self._watch.is_silent(now) and self._watch.last_message > -inf
        found: OrderBook | None = None
        best = (False, -1)
        for code, book in self._books.items():
            if now - book.ts_init <= _SHORTEST_S or book.state in self._waits:
                continue
            up = self._live_since(code)
            if up is None:
                continue
            age = now - max(book.ts_init, up, self._asked.get(code, -inf))
            traded = self._tapes[self._exchange, code].last_at > book.ts_init
            doubtful = traded or silent or now - self._renewed.get(code, -inf) < _RENEW_S
            # Ten times a market's own usual pause is long for it.
            usual = (now - self._began) / book.updates if book.updates else inf
            patience = _SHORTEST_S if doubtful else min(self._after, max(_SHORTEST_S, 10 * usual))
            if age > patience and (traded, book.updates) > best:
                found, best = book, (traded, book.updates)
        return found

    async def _look_at(self, book: OrderBook) -> None:
        code, updates, asked_at = book.code, book.updates, self._clock.monotonic()
        self._asked[code] = asked_at
        try:
            theirs = await self._probe(code)
        except ArbtuiError as error:
            log.info("%s:%s: whether it is frozen could not be determined: %s", self._exchange, code, error)
            self._asked[code] = asked_at + _UNTOLD_S
            return
        if theirs == (book.bid, book.ask):
            self._aggregator.confirm(self._exchange, code, asked_at)
            return
        await asyncio.sleep(_GRACE_S)
        if book.updates != updates or self._live_since(code) is None:
            return
        if code not in self.frozen:
            ours = (book.bid, book.ask)
            log.warning("%s:%s is frozen: the venue has %g / %g, its stream stays at %g / %g", self._exchange, code, *theirs, *ours)
        self.frozen[code] = updates
        self._aggregator.freeze(self._exchange, code)
        self._judge()
        if asked_at - self._renewed.get(code, -inf) > _RENEW_S:
            self._renewed[code] = asked_at
            self._renew(code)

    def _thaw(self) -> None:
        for code in [code for code, updates in self.frozen.items() if self._books[code].updates != updates]:
            del self.frozen[code]
        self._judge()

    def _judge(self) -> None:
        """The exchange is frozen when all of its stream is silent, or half of its markets are frozen."""
        silent = self._watch.is_silent(self._clock.monotonic())
        frozen = bool(self.frozen) and (silent or len(self.frozen) * 2 >= len(self._books))
        if frozen != self.is_frozen:
            self.is_frozen = frozen
            self._on_frozen(frozen)
