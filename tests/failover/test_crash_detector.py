"""How the last run ended, from what it left: each ending, and what is told of it."""

import pytest

from arbtui.failover.auto_resume import AutoResume
from arbtui.failover.config import Resume
from arbtui.failover.crash_detector import CrashDetector, Ending, LastEnd, Traces
from arbtui.failover.reconciler import Reconciled
from arbtui.journal.state import RunRow

BOOT = "0b0"


def run(ended_ms: int | None = None, reason: str | None = None, code: int | None = None) -> RunRow:
    return RunRow("r3", "desk", "live", None, 1_000, ended_ms, reason, code, "ARMED")


@pytest.mark.parametrize(
    ("last", "traces", "ending"),
    [
        (None, Traces(), Ending.FIRST),
        (run(9_000, "signal", 143), Traces(None, "", "ENDED", 9_001), Ending.CLEAN),
        (run(9_000, "max_runtime", 3), Traces(), Ending.CLEAN),
        (run(9_000, "error", 1), Traces(None, "", "FAILED", 9_001), Ending.FAILED),
        (run(), Traces(7, BOOT, "ARMED", 9_500), Ending.CRASHED),
        (run(), Traces(7, "", "ARMED", 9_500), Ending.CRASHED),  # a machine that does not tell its start
        (run(), Traces(7, "another", "ARMED", 9_500), Ending.POWER_CUT),
        (run(), Traces(None, "", "FAILED", 9_500), Ending.FAILED),  # its journal had failed
        (run(), Traces(), Ending.CRASHED),  # another mode has run since
    ],
)
def test_each_ending_is_known_by_what_it_leaves(last: RunRow | None, traces: Traces, ending: Ending) -> None:
    told = CrashDetector(traces, BOOT).judge(last, 8_000)
    assert told.ending is ending
    assert told.is_clean == (ending is Ending.CLEAN)
    assert told.is_crash == (ending in (Ending.CRASHED, Ending.POWER_CUT))
    assert (told.run_id is None) == (last is None)


def test_the_moment_of_a_crash_is_the_last_of_which_there_is_a_trace() -> None:
    beat_later = CrashDetector(Traces(7, BOOT, "ARMED", 9_500), BOOT).judge(run(), 8_000)
    assert (beat_later.at_ms, beat_later.words) == (9_500, "r3 crashed at about 1970-01-01T00:00:09.500Z (process 7): it left no end")
    event_later = CrashDetector(Traces(7, BOOT, "ARMED", 7_500), BOOT).judge(run(), 8_000)
    assert event_later.at_ms == 8_000


CLEAN = LastEnd(Ending.CLEAN, "r3", 9_000, "r3 ended in order")
CRASH = LastEnd(Ending.CRASHED, "r3", 9_000, "r3 crashed")
FIRST = LastEnd(Ending.FIRST, None, None, "this is its first run")
NOTHING, SOMETHING = Reconciled(), Reconciled(orders=1, fills=1)


@pytest.mark.parametrize(
    ("resume", "live", "last", "found", "arms"),
    [
        ("mode", False, CRASH, SOMETHING, True),
        ("mode", True, CLEAN, NOTHING, False),
        ("manual", False, CLEAN, NOTHING, False),
        ("clean", True, CLEAN, NOTHING, True),
        ("clean", True, CLEAN, SOMETHING, False),
        ("clean", True, CRASH, NOTHING, False),
        ("clean", True, FIRST, NOTHING, False),
        ("clean", False, FIRST, NOTHING, True),
        ("always", True, CRASH, SOMETHING, True),
        ("always", True, FIRST, NOTHING, False),
    ],
)
def test_a_start_that_nobody_confirms_arms_as_far_as_the_policy_goes(
    resume: Resume, live: bool, last: LastEnd, found: Reconciled, arms: bool
) -> None:
    why = AutoResume(resume, is_live=live).why_not(last, found)
    assert (why == "") == arms
    assert arms or why.startswith("not confirmed")
