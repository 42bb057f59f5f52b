"""What all simulated markets share: the tick they act in, whom to wake when, and the frames of this turn."""

from collections.abc import Callable
from typing import Protocol

from arbtui.exchanges.feed import Frame
from arbtui.model.order import Side

Action = Callable[[], None]
GRID = 10  #: ticks of 10 ms between two books of one market: both venues send books on a grid of 100 ms


class Onlooker(Protocol):
    """Who must know what happens at a venue and in its markets: the venue core, for orders that rest there or arrive."""

    def on_book(self, code: str) -> None:
        """The book of ``code`` has changed."""
        ...

    def on_trade(self, code: str, price: float, qty: float, taker: Side) -> None:
        """Others have traded in ``code``."""
        ...

    def on_halt(self, code: str, halted: bool) -> None:
        """The venue takes no orders in ``code``, or takes them again."""
        ...

    def on_outage(self, down: bool) -> None:
        """The venue answers nothing, or answers again."""
        ...


class Nobody:
    """Looks on where no core does."""

    def on_book(self, code: str) -> None:
        """See :meth:`Onlooker.on_book`."""

    def on_trade(self, code: str, price: float, qty: float, taker: Side) -> None:
        """See :meth:`Onlooker.on_trade`."""

    def on_halt(self, code: str, halted: bool) -> None:
        """See :meth:`Onlooker.on_halt`."""

    def on_outage(self, down: bool) -> None:
        """See :meth:`Onlooker.on_outage`."""


class EventScheduler:
    """The clockwork of the simulator: acts are done in order of tick, then of appointment."""

    __slots__ = ("_appointments", "frames", "onlookers", "tick", "ts_ms")

    def __init__(self, ts_ms: int) -> None:
        self.tick = 0  #: of 10 ms, since the simulator's start
        self.ts_ms = ts_ms  #: the venues' wall time at this tick, ms since the epoch
        self.frames: list[Frame] = []
        self.onlookers: dict[str, Onlooker] = {"upbit": Nobody(), "binance": Nobody()}
        self._appointments: dict[int, list[Action]] = {}

    def at(self, tick: int, action: Action) -> None:
        """Do ``action`` at ``tick``, which must be later than now."""
        waiting = self._appointments.get(tick)
        if waiting is None:
            self._appointments[tick] = [action]
        else:
            waiting.append(action)

    def act(self, tick: int, ts_ms: int) -> None:
        """Do everything appointed for ``tick``."""
        self.tick = tick
        self.ts_ms = ts_ms
        for action in self._appointments.pop(tick, ()):
            action()
