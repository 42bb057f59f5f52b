"""A venue's market data beyond the book: the last trades and the day's figures."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from arbtui.exchanges.wire import WireDecoder
from arbtui.model.order import Side
from arbtui.simulation.matching import ExternalBook

#: Trades remembered of each market, and so the most that one REST answer holds: a venue has more, but a thousand markets cost memory.
MEMORY = 100


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """One public trade."""

    trade_id: int
    price: float
    qty: float
    taker: Side
    ts_ms: int


@dataclass(slots=True)
class DayFigures:
    """A market's figures since the sandbox began; a venue's cover 24 hours."""

    opening: float
    high: float
    low: float
    last: float
    last_qty: float
    since_ms: int
    last_ms: int
    volume: float = 0.0
    turnover: float = 0.0
    bought: float = 0.0
    count: int = 0
    first_id: int = 0
    trades: deque[PublicTrade] = field(default_factory=lambda: deque(maxlen=MEMORY))

    @property
    def last_id(self) -> int:
        """The last trade's id, 0 before the first."""
        return self.trades[-1].trade_id if self.trades else 0


class Tape:
    """The trades of one venue; reads its trade frames through the venue's own decoder."""

    def __init__(self, decoder: Callable[["Tape"], WireDecoder], book: Callable[[str], ExternalBook], now_ms: Callable[[], int]) -> None:
        self.feed = decoder(self).feed  #: takes one raw trade frame
        self.on_trade_of: Callable[[str, PublicTrade], None] = lambda code, trade: None
        self._book = book
        self._now_ms = now_ms
        self._days: dict[str, DayFigures] = {}

    def day(self, code: str) -> DayFigures:
        """The figures of ``code``; before its first trade they show the middle of its book."""
        figures = self._days.get(code)
        if figures is None:
            book = self._book(code)
            bid, ask = next(iter(book.bids())), next(iter(book.asks()))
            now = self._now_ms()
            figures = self._days[code] = DayFigures(ask[0], ask[0], bid[0], ask[0], ask[1], now, now)
        return figures

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        """See :class:`MarketDataSink`."""
        figures = self.day(code)
        trade = PublicTrade(int(trade_id), price, qty, taker, ts_event)
        figures.first_id = figures.first_id or trade.trade_id
        figures.trades.append(trade)
        figures.high, figures.low = max(figures.high, price), min(figures.low, price)
        figures.last, figures.last_qty, figures.last_ms = price, qty, ts_event
        figures.volume += qty
        figures.turnover += price * qty
        figures.bought += qty if taker is Side.BUY else 0.0
        figures.count += 1
        self.on_trade_of(code, trade)

    def on_snapshot(self, code: str, bids: object, asks: object, ts_event: int, update_id: int) -> None:
        """Ignored: books are not read here."""

    def on_diff(self, code: str, first_id: int, last_id: int, prev_id: int, bids: object, asks: object, ts_event: int) -> None:
        """Ignored: books are not read here."""

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        """Ignored: books are not read here."""

    def on_other(self, kind: str) -> None:
        """Ignored: nothing else is read here."""
