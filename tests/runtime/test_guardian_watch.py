"""What a guardian judges from what it sees: when it acts, and above all when it must not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.runtime.guardian.watch import ASLEEP_S, Alarm, Sight, Watch
from arbtui.settings.heartbeat import Beat

PATIENCE_S, STEP_S = 5.0, 0.25
BEAT = Beat(100, "77", 1, "ARMED")
SIGHT = Sight(0.0, 1000.0, 100, "77", BEAT, None)


class Looking:
    """A guardian's looks at an engine, a quarter of a second apart."""

    def __init__(self) -> None:
        self.watch = Watch(PATIENCE_S)
        self.sight = SIGHT
        self.alarms: list[Alarm] = []

    def looks(self, seconds: float, *, beats: bool = False, asleep_s: float = 0.0, suspended_s: float = 0.0, **changed: object) -> None:
        """Look for so long; ``asleep_s``: every clock went on before the first look; ``suspended_s``: all but the monotonic one."""
        self.sight = replace(self.sight, **changed)  # type: ignore[arg-type]
        for _ in range(round(seconds / STEP_S)):
            beat = self.sight.beat
            if beats and beat is not None:
                beat = replace(beat, count=beat.count + 1)
            self.sight = replace(
                self.sight,
                monotonic=self.sight.monotonic + STEP_S + asleep_s,
                boottime=self.sight.boottime + STEP_S + asleep_s + suspended_s,
                beat=beat,
            )
            asleep_s = suspended_s = 0.0
            alarm = self.watch.look(self.sight)
            if alarm is not None:
                self.alarms.append(alarm)


def test_an_armed_engine_without_a_heartbeat_is_lost_once_its_time_is_over_and_told_once() -> None:
    one = Looking()
    one.looks(60.0, beats=True)
    one.looks(PATIENCE_S)
    assert one.alarms == []
    one.looks(STEP_S)
    assert one.alarms == [Alarm.LOST]
    one.looks(60.0)
    assert one.alarms == [Alarm.LOST]


@pytest.mark.parametrize("phase", ["STARTING", "RECOVERING", "DISARMED", "STOPPING", "HALTING", "HALTED", "HALTED_DIRTY", "ENDED"])
def test_who_cannot_send_is_never_lost(phase: str) -> None:
    one = Looking()
    one.looks(60.0, beat=replace(BEAT, phase=phase))
    assert one.alarms == []


@pytest.mark.parametrize("phase", ["PAUSED", "REDUCING"])
def test_who_may_still_hedge_is_lost_too(phase: str) -> None:
    one = Looking()
    one.looks(6.0, beat=replace(BEAT, phase=phase))
    assert one.alarms == [Alarm.LOST]


def test_the_time_in_recovery_is_not_counted_against_the_first_armed_second() -> None:
    one = Looking()
    one.looks(60.0, beat=replace(BEAT, phase="RECOVERING"))
    one.looks(PATIENCE_S, beat=BEAT)
    assert one.alarms == []


@pytest.mark.parametrize("way", ["asleep_s", "suspended_s"])
def test_f58_a_machine_that_slept_is_read_again_before_anything_is_done(way: str) -> None:
    """Just before its time is over the machine sleeps for an hour; it wakes, and the engine needs a moment."""
    one = Looking()
    one.looks(PATIENCE_S - STEP_S)
    one.looks(PATIENCE_S, **{way: 3600.0})  # type: ignore[arg-type]
    assert one.alarms == []
    one.looks(10.0, beats=True)
    assert one.alarms == []
    one.looks(2 * PATIENCE_S)
    assert one.alarms == [Alarm.LOST], "awake, it is as strict as before"


@given(st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.0, 7200.0)), min_size=1, max_size=60))
def test_f58_however_the_machine_sleeps_an_engine_that_goes_on_with_it_is_never_lost(naps: list[tuple[float, float]]) -> None:
    """Awake, the engine makes a pass at least every four seconds; asleep, nobody does anything."""
    one = Looking()
    for silent_s, asleep_s in naps:
        one.looks(silent_s)
        if asleep_s > ASLEEP_S:
            one.looks(STEP_S, suspended_s=asleep_s)
        one.looks(STEP_S, beats=True)
    assert one.alarms == []


def test_an_engine_that_ended_without_saying_so_has_died_and_is_told_once() -> None:
    one = Looking()
    one.looks(1.0, beats=True)
    one.looks(10.0, pid=None)
    assert one.alarms == [Alarm.DIED]
    one.looks(1.0, pid=101, started="78", beat=Beat(101, "78", 1, "STARTING"))
    one.looks(1.0, pid=None)
    assert one.alarms == [Alarm.DIED, Alarm.DIED], "the next one is another one"


def test_an_end_in_order_is_no_death() -> None:
    one = Looking()
    one.looks(1.0, beats=True)
    one.looks(1.0, beat=replace(BEAT, phase="STOPPING"))
    one.looks(10.0, pid=None, beat=replace(BEAT, phase="ENDED"))
    assert one.alarms == []


def test_the_lock_of_one_and_the_heartbeat_of_the_next_is_no_death() -> None:
    """The lock was looked up between two runs, the heartbeat after the second one had begun."""
    one = Looking()
    one.looks(STEP_S, pid=None, beat=Beat(101, "78", 0, "STARTING"))
    one.looks(60.0, pid=101, started="78", beats=True)
    assert one.alarms == []


@pytest.mark.parametrize("changed", [{"pid": 101}, {"pid": 0}, {"started": "78"}, {"beat": None}])
def test_a_heartbeat_of_another_process_says_nothing(changed: dict[str, object]) -> None:
    one = Looking()
    one.looks(60.0, **changed)  # type: ignore[arg-type]
    assert one.alarms == []


def test_a_flag_is_told_at_once_and_again_only_on_demand() -> None:
    one = Looking()
    one.looks(1.0, beats=True)
    one.looks(10.0, beats=True, flag=(1, 1))
    assert one.alarms == [Alarm.FLAG]
    one.watch.again()
    one.looks(1.0, beats=True)
    assert one.alarms == [Alarm.FLAG] * 2
    one.looks(1.0, beats=True, flag=None)
    one.looks(1.0, beats=True, flag=(1, 2))
    assert one.alarms == [Alarm.FLAG] * 3, "taken back, and killed anew"
    one.watch.knows((1, 3))
    one.looks(1.0, beats=True, flag=(1, 3))
    assert one.alarms == [Alarm.FLAG] * 3, "its own"
