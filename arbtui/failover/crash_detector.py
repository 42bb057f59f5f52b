"""``CrashDetector``: how the last run ended, from what it left: its end in the journal, its lock, and its heartbeat."""

from dataclasses import dataclass
from enum import StrEnum

from arbtui.journal.state import RunRow
from arbtui.model.clock import iso_ms


class Ending(StrEnum):
    """How a run ended."""

    FIRST = "FIRST"  #: there was none before
    CLEAN = "CLEAN"  #: in order, and journaled
    FAILED = "FAILED"  #: because something broke, which it still could tell
    CRASHED = "CRASHED"  #: without a word: killed, or out of memory
    POWER_CUT = "POWER_CUT"  #: without a word, and the machine has started anew since


@dataclass(frozen=True, slots=True)
class Traces:
    """What the last engine of a profile left beside its journals; read before the next one takes their place."""

    lock_pid: int | None = None  #: None where it released its lock
    lock_boot: str = ""  #: names the machine's start at that time; empty where it does not tell
    beat_phase: str = ""  #: of its heartbeat; empty without one
    beat_ms: int | None = None  #: when the heartbeat was written last, ms since the epoch


@dataclass(frozen=True, slots=True)
class LastEnd:
    """The end of the run before this one."""

    ending: Ending
    run_id: str | None
    at_ms: int | None  #: its end; else the last moment of which it left a trace, ms since the epoch
    words: str

    @property
    def is_clean(self) -> bool:
        """Whether it ended in order."""
        return self.ending is Ending.CLEAN

    @property
    def is_crash(self) -> bool:
        """Whether it ended without a word."""
        return self.ending in (Ending.CRASHED, Ending.POWER_CUT)

    def facts(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            "ending": self.ending.value,
            "run": self.run_id,
            "at": None if self.at_ms is None else iso_ms(self.at_ms),
            "words": self.words,
        }


class CrashDetector:
    """Judges the last run of one journal.

    Args:
        traces: of the profile's last engine, of whichever mode.
        boot: names the machine's start; empty where the platform does not tell.
    """

    def __init__(self, traces: Traces, boot: str) -> None:
        self._traces = traces
        self._boot = boot

    def judge(self, last: RunRow | None, last_event_ms: int) -> LastEnd:
        """How ``last`` ended, whose journal's last event is of ``last_event_ms``."""
        if last is None:
            return LastEnd(Ending.FIRST, None, None, "this is its first run")
        if last.ended_ms is not None:
            at = iso_ms(last.ended_ms)
            if last.stop_reason == "error":
                return LastEnd(Ending.FAILED, last.run_id, last.ended_ms, f"{last.run_id} ended at {at} because something broke")
            words = f"{last.run_id} ended in order at {at} ({last.stop_reason}, exit code {last.exit_code})"
            return LastEnd(Ending.CLEAN, last.run_id, last.ended_ms, words)
        left = self._traces
        at_ms = max(last_event_ms, left.beat_ms if left.lock_pid is not None and left.beat_ms is not None else 0)
        at = iso_ms(at_ms)
        if left.lock_pid is None and left.beat_phase in ("ENDED", "FAILED"):
            words = f"{last.run_id} ended at about {at} and could not journal it: something broke"
            return LastEnd(Ending.FAILED, last.run_id, at_ms, words)
        if left.lock_pid is not None and left.lock_boot and self._boot and left.lock_boot != self._boot:
            words = f"{last.run_id} was cut off at about {at}: the machine has started anew since (power cut or reboot)"
            return LastEnd(Ending.POWER_CUT, last.run_id, at_ms, words)
        who = f" (process {left.lock_pid})" if left.lock_pid else ""
        return LastEnd(Ending.CRASHED, last.run_id, at_ms, f"{last.run_id} crashed at about {at}{who}: it left no end")
