"""Shared by all simulated markets: the current tick, the scheduled events, and this turn's frames."""

from collections.abc import Callable, Iterable
from typing import Protocol

from arbtui.exchanges.feed import Frame
from arbtui.model.order import Side

Action = Callable[[], None]
GRID = 10  #: ticks of 10 ms between two books of one market: venues send books on a grid of 100 ms


class MarketListener(Protocol):
    """Receives the market events of one venue; the venue core is one, for orders that rest there or arrive."""

    def on_book(self, code: str) -> None:
        """The book of ``code`` has changed."""
        ...

    def on_trade(self, code: str, price: float, qty: float, taker: Side) -> None:
        """A public trade in ``code``."""
        ...

    def on_halt(self, code: str, halted: bool) -> None:
        """The venue stopped accepting orders in ``code``, or accepts them again."""
        ...

    def on_outage(self, down: bool) -> None:
        """The venue stopped answering, or answers again."""
        ...


class NoListener:
    """Ignores every event: for a venue without a core."""

    def on_book(self, code: str) -> None:
        """See :meth:`MarketListener.on_book`."""

    def on_trade(self, code: str, price: float, qty: float, taker: Side) -> None:
        """See :meth:`MarketListener.on_trade`."""

    def on_halt(self, code: str, halted: bool) -> None:
        """See :meth:`MarketListener.on_halt`."""

    def on_outage(self, down: bool) -> None:
        """See :meth:`MarketListener.on_outage`."""


class EventScheduler:
    """The simulator's event queue: actions run in order of tick, then of scheduling."""

    __slots__ = ("_appointments", "frames", "listeners", "tick", "ts_ms")

    def __init__(self, ts_ms: int, venues: Iterable[str]) -> None:
        self.tick = 0  #: of 10 ms, since the simulator's start
        self.ts_ms = ts_ms  #: the venues' wall time at this tick, ms since the epoch
        self.frames: list[Frame] = []
        self.listeners: dict[str, MarketListener] = dict.fromkeys(venues, NoListener())
        self._appointments: dict[int, list[Action]] = {}

    def at(self, tick: int, action: Action) -> None:
        """Schedule ``action`` for ``tick``, which must be later than now."""
        waiting = self._appointments.get(tick)
        if waiting is None:
            self._appointments[tick] = [action]
        else:
            waiting.append(action)

    def act(self, tick: int, ts_ms: int) -> None:
        """Run everything scheduled for ``tick``."""
        self.tick = tick
        self.ts_ms = ts_ms
        for action in self._appointments.pop(tick, ()):
            action()
