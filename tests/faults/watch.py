"""Watches what a running engine sees and decides, and holds it against the venues' real books."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan
from arbtui.model.book import BookState, OrderBook
from arbtui.model.reason import Reason
from tests.faults.desk import Desk

#: Share by which a price may differ from the venue's own of the same moment: more than it moves in a blink, less than any fault here.
NEAR = 0.03


@dataclass(frozen=True)
class Opened:
    """One cycle at the moment when it was decided."""

    symbol: str
    at: float  #: monotonic s
    wrong: str  #: why it should not have been; empty where all was well


class Watch:
    """Attached to a desk's engine: every book that changes, every cycle that opens."""

    def __init__(self, d: Desk) -> None:
        self._desk = d
        self._clock = d.engine.components.clock
        self.opened: list[Opened] = []
        self.off = 0  #: changes of a LIVE book after which its best prices were not near the venue's
        self.states: dict[tuple[str, str], set[BookState]] = {}  #: of each book that changed, since the last :meth:`forget`
        self.crossed = 0  #: changes after which a LIVE book was crossed, locked, or had an empty side
        engine = d.engine
        self._start, self._on_books = engine.executor.start, engine.decider.on_books
        engine.executor.start = self._on_start  # type: ignore[method-assign]
        engine.decider.on_books = self._on_change  # type: ignore[method-assign]

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self.off = self.crossed = 0
        self.states.clear()

    def count(self, symbol: str = "", *, but: str = "", since: float = 0.0) -> int:
        """Cycles opened since then: of ``symbol``, of all but one, or of all."""
        return sum(1 for one in self.opened if one.at >= since and (not symbol or one.symbol == symbol) and (not but or one.symbol != but))

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    async def others(self, symbol: str, count: int = 2) -> None:
        """Wait until so many cycles of other symbols have opened: trading goes on beside whatever is wrong with ``symbol``."""
        since = self.now()
        await self._desk.until(lambda: self.count(but=symbol, since=since) >= count, f"{count} cycles beside {symbol}")

    async def trades(self, symbol: str = "") -> None:
        """Wait until ``symbol`` (empty: any) is traded (again)."""
        since = self.now()
        await self._desk.until(lambda: self.count(symbol, since=since) > 0, f"{symbol or 'something'} is traded")

    def check(self) -> None:
        """I9: nothing was ever opened on books that were not LIVE, were crossed, or were not the venue's, nor at an unfit venue."""
        assert [one for one in self.opened if one.wrong] == []

    def top(self, exchange: str, code: str) -> tuple[float, float]:
        """The venue's own best bid and ask now."""
        book = self._desk.box.simulator.book(exchange, code)
        return next(islice(book.bids(), 1))[0], next(islice(book.asks(), 1))[0]

    def agrees(self, exchange: str, code: str) -> bool:
        """Whether our book is LIVE and its best prices are the venue's."""
        ours = self._desk.engine.components.aggregator.books[exchange, code]
        return ours.state is BookState.LIVE and (ours.bid, ours.ask) == self.top(exchange, code)

    def _wrong(self, book: OrderBook) -> str:
        if book.state is not BookState.LIVE:
            return f"{book.exchange}:{book.code} was {book.state}"
        if not 0.0 < book.bid < book.ask:
            return f"{book.exchange}:{book.code} was {book.bid} / {book.ask}"
        bid, ask = self.top(book.exchange, book.code)
        if abs(book.bid / bid - 1.0) > NEAR or abs(book.ask / ask - 1.0) > NEAR:
            return f"{book.exchange}:{book.code} was {book.bid} / {book.ask}, at the venue {bid} / {ask}"
        return ""

    def _on_start(self, plan: CyclePlan, tasks: asyncio.TaskGroup) -> ArbCycle | Reason:
        route = plan.route
        wrong = next((why for book in route.books if (why := self._wrong(book))), "")
        if unfit := [name for name, fit in self._desk.health().items() if not fit]:
            wrong = f"{unfit} not fit"
        rate: Any = self._desk.engine.components.rates.markets[0].book
        opened = self._start(plan, tasks)
        if isinstance(opened, ArbCycle):
            self.opened.append(Opened(route.symbol, self.now(), wrong or self._wrong(rate)))
        return opened

    def _on_change(self, books: Sequence[OrderBook]) -> None:
        for book in books:
            self.states.setdefault((book.exchange, book.code), set()).add(book.state)
            if book.state is BookState.LIVE:
                if not 0.0 < book.bid < book.ask < float("inf"):
                    self.crossed += 1
                elif self._wrong(book):
                    self.off += 1
        self._on_books(books)
