"""What a guardian makes of what it sees: one judgement a look, from facts alone."""

from dataclasses import dataclass
from enum import StrEnum

from arbtui.settings.heartbeat import Beat

#: Seconds between two looks after which the guardian itself, or the machine, was asleep: silence before it counts for nothing.
ASLEEP_S = 2.0


class Alarm(StrEnum):
    """Why a guardian acts."""

    FLAG = "FLAG"  #: somebody has killed: the kill flag stands
    LOST = "LOST"  #: the engine runs and makes no decision, though it may send by itself
    DIED = "DIED"  #: the engine has ended without saying so


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at an engine from outside."""

    monotonic: float  #: s; stands still while the machine is suspended, where the platform has such a clock
    boottime: float  #: s; goes on while the machine is suspended, where the platform has such a clock
    pid: int | None  #: of the process that holds the lock, looked up before ``beat``; None when none does, 0 when it is unknown
    started: str  #: of that process, as the kernel tells it; ``-`` where it does not
    beat: Beat | None
    flag: object | None  #: what tells one kill flag from another; None without one


class Watch:
    """Keeps what was seen last. An alarm is given once; :meth:`again` gives that of the flag once more.

    Args:
        patience_s: s without a pass through the decider after which an engine is lost.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._last: Sight | None = None
        self._flag: object | None = None  # the one that was told
        self._gone: tuple[int, str] | None = None  # the process whose end was seen once already
        self._told: set[tuple[object, ...]] = set()
        self.silent_s = 0.0  #: s without a pass, of those in which somebody looked

    def look(self, sight: Sight) -> Alarm | None:
        """The alarm that ``sight`` gives, or None."""
        last, self._last = self._last, sight
        self._count_silence(last, sight)
        if sight.flag != self._flag:
            self._flag = sight.flag
            if sight.flag is not None:
                return Alarm.FLAG
        beat = sight.beat
        if beat is None:
            return None
        if sight.pid is None:
            return Alarm.DIED if self._is_seen_dead(beat) else None
        self._gone = None
        is_its = sight.pid == beat.pid and sight.started == beat.started
        if is_its and beat.is_owed and self.silent_s > self._patience_s and self._is_news("LOST", beat.pid, beat.started, beat.count):
            return Alarm.LOST
        return None

    def knows(self, flag: object | None) -> None:
        """The flag that stands now is the guardian's own, or is dealt with: it gives no alarm."""
        self._flag = flag

    def again(self) -> None:
        """What the flag asks for was not done: its alarm comes again at the next look."""
        self._flag = None

    def _count_silence(self, last: Sight | None, sight: Sight) -> None:
        if last is None or last.beat != sight.beat:
            self.silent_s = 0.0
            return
        gap = max(sight.monotonic - last.monotonic, sight.boottime - last.boottime)
        self.silent_s = 0.0 if gap > ASLEEP_S else self.silent_s + gap

    def _is_seen_dead(self, beat: Beat) -> bool:
        """Whether the process of ``beat`` is gone, in two looks: between lock and heartbeat another one may have started."""
        if beat.is_end:
            return False
        gone, self._gone = self._gone, (beat.pid, beat.started)
        return gone == self._gone and self._is_news("DIED", beat.pid, beat.started)

    def _is_news(self, *what: object) -> bool:
        is_news = what not in self._told
        self._told.add(what)
        return is_news
