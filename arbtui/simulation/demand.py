"""A coin that is wanted where won is paid: its price rises there beyond what coins on their way can level for some minutes, and comes back.

What stands in stock there is sold first. From then on only who brings coins over a network gains by it, and waits meanwhile.
"""

import math
from collections.abc import Callable, Sequence
from random import Random

from arbtui.simulation.event_scheduler import EventScheduler
from arbtui.simulation.paths import BPS, TICK_S, AssetPath

STEP_TICKS = round(1.0 / TICK_S)  #: the premium changes once a second
RISE_S, FALL_HALF_LIFE_S = 20.0, 60.0
#: Least and most seconds between the end of one coin's demand, from where its premium falls, and another's; and for which it holds.
PAUSE_S, HOLD_S = (10, 30), (120, 180)
_OVER_BPS = 2.0  #: a premium under which it is over


class DemandMaker:
    """Lets one coin after another be wanted once :meth:`start` was called.

    Args:
        height_bps: how high the premium stands at the end of its rise.
        say: writes what begins to the log.
    """

    def __init__(
        self, scheduler: EventScheduler, stream: Random, paths: Sequence[AssetPath], height_bps: float, say: Callable[[AssetPath], None]
    ) -> None:
        self._scheduler = scheduler
        self._random = stream
        self._paths = paths
        self._height_bps = height_bps
        self._say = say

    def start(self) -> None:
        """Schedule the first; each schedules the next."""
        self._later(self._random.randint(*PAUSE_S), self._begin)

    def _begin(self) -> None:
        hold_s = self._random.randint(*HOLD_S)
        if free := [path for path in self._paths if path.demand == 1.0]:
            path = self._random.choice(free)
            self._say(path)
            self._step(path, 0, hold_s)
        self._later(round(RISE_S) + hold_s + self._random.randint(*PAUSE_S), self._begin)

    def _step(self, path: AssetPath, age_s: int, hold_s: int) -> None:
        premium_bps = self._height_bps * premium(age_s, hold_s)
        is_over = age_s > RISE_S and premium_bps < _OVER_BPS
        path.demand = 1.0 if is_over else math.exp(premium_bps * BPS)
        if not is_over:
            self._later(1, lambda: self._step(path, age_s + 1, hold_s))

    def _later(self, seconds: int, action: Callable[[], None]) -> None:
        self._scheduler.at(self._scheduler.tick + seconds * STEP_TICKS, action)


def premium(age_s: float, hold_s: float) -> float:
    """How much of its height the premium has ``age_s`` seconds after it began to rise, where it holds for ``hold_s``."""
    if age_s < RISE_S:
        return age_s / RISE_S
    return math.pow(0.5, max(0.0, age_s - RISE_S - hold_s) / FALL_HALF_LIFE_S)
