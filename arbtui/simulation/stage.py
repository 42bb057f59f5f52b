"""What all simulated markets share: the tick they act in, whom to wake when, and the frames of this turn."""

from collections.abc import Callable

from arbtui.exchanges.feed import Frame

Action = Callable[[], None]
GRID = 10  #: ticks of 10 ms between two books of one market: both venues send books on a grid of 100 ms


class Stage:
    """The clockwork of the simulator: acts are done in order of tick, then of appointment."""

    __slots__ = ("_appointments", "frames", "tick", "ts_ms")

    def __init__(self, ts_ms: int) -> None:
        self.tick = 0  #: of 10 ms, since the simulator's start
        self.ts_ms = ts_ms  #: the venues' wall time at this tick, ms since the epoch
        self.frames: list[Frame] = []
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
