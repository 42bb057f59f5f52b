"""A venue's health at each side of every bound, in its own words, and what an outage leaves of what was asked during it."""

import asyncio
from collections.abc import Callable
from math import inf, nan

import pytest

from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor, Health
from tests.marketdata.frames import HandClock

NOW = 1000.0
HEALTHY, DEGRADED, FROZEN, DOWN = Health.HEALTHY, Health.DEGRADED, Health.FROZEN, Health.DOWN


class Watched:
    """A monitor that has heard its venue just now, and its clock."""

    def __init__(self, config: HealthConfig | None = None, *, heard: bool = True) -> None:
        self.clock = HandClock(NOW)
        self.monitor = ExchangeHealthMonitor("upbit", self.clock, config or HealthConfig())
        if heard:
            self.monitor.on_message(NOW)
            assert self.told == (HEALTHY, "")

    @property
    def told(self) -> tuple[Health, str]:
        return self.at(self.clock.now)

    def at(self, now: float, *, heard: bool = True) -> tuple[Health, str]:
        """Its state and its words then; it was heard just before, unless told otherwise."""
        self.clock.now = now
        if heard:
            self.monitor.on_message(now)
        self.monitor.state(now)  # where no time is asked for, the second look finds it better
        return self.monitor.state(now), self.monitor.why(now)

    def asked(self, *oks: bool, ms: float = 20.0, poll: bool = True) -> None:
        for ok in oks:
            self.monitor.on_answer(ok, ms, poll=poll)


def test_of_a_venue_that_was_never_asked_nothing_is_known() -> None:
    monitor = ExchangeHealthMonitor("upbit", HandClock(NOW), HealthConfig())
    assert (monitor.exchange, monitor.is_away, monitor.server_time, monitor.is_proven, monitor.resting) == ("upbit", False, None, True, {})
    assert (monitor.skew_ms, monitor.is_clock_fine, monitor.is_refused) == (0.0, True, False)
    monitor.on_release()
    assert Watched(HealthConfig(skew_warn_ms=1, skew_block_ms=1)).told == (HEALTHY, "")


def test_what_is_degraded_when_it_is_first_heard_is_told_as_coming_back() -> None:
    w = Watched(heard=False)
    w.monitor.on_throttled(NOW + 60.0)
    assert w.at(NOW) == (DOWN, "recovering: nothing was received yet")
    assert w.at(NOW + 2.5) == (DEGRADED, "wants no requests for 58 s")


# silence


@pytest.mark.parametrize(
    ("age_s", "told"), [(3.0, (HEALTHY, "")), (3.25, (DOWN, "silent for 3.2 s")), (100.0, (DOWN, "silent for 100.0 s"))]
)
def test_silence(age_s: float, told: tuple[Health, str]) -> None:
    w = Watched()
    w.monitor.on_message(NOW - 5.0)  # an older one says nothing
    assert w.at(NOW + age_s, heard=False) == told


def test_before_it_was_ever_well_its_limits_are_whole_and_then_half_of_them_while_it_is_as_bad() -> None:
    w = Watched(heard=False)
    w.monitor.on_message(NOW)
    assert w.at(NOW + 2.0, heard=False) == (HEALTHY, "")
    assert w.at(NOW + 4.0, heard=False)[0] is DOWN
    w.monitor.on_message(NOW + 4.0)
    assert w.at(NOW + 5.75, heard=False) == (DOWN, "silent for 1.8 s"), "1.5 s is what it must be under now"
    w.monitor.on_message(NOW + 5.75)
    assert w.at(NOW + 7.25, heard=False) == (DOWN, "recovering: silent for 1.8 s")


def test_a_limit_is_halved_at_its_own_state_and_at_worse_ones_and_at_no_better_one() -> None:
    w = Watched()
    w.monitor.on_clock(600.0)
    assert w.at(NOW)[0] is HEALTHY
    w.monitor.on_frozen(True)
    assert w.at(NOW)[0] is FROZEN
    w.monitor.on_frozen(False)
    assert w.at(NOW + 1.0) == (FROZEN, "recovering: its stream is open and nothing in it moves")
    assert w.at(NOW + 3.5) == (DEGRADED, "its clock is 600 ms from ours")
    w.clock.now = NOW + 3.5
    assert w.at(NOW + 6.0, heard=False)[0] is DEGRADED, "2.5 s of silence are under the whole limit of DOWN"
    w.monitor.on_clock(499.0)
    assert w.at(NOW + 7.0)[0] is DEGRADED
    assert w.at(NOW + 9.5) == (HEALTHY, "")


# the way back


@pytest.mark.parametrize(("after_s", "state"), [(2.25, FROZEN), (2.5, HEALTHY)])
def test_a_better_state_is_entered_after_its_time(after_s: float, state: Health) -> None:
    w = Watched()
    w.monitor.on_frozen(True)
    assert w.at(NOW)[0] is FROZEN
    w.monitor.on_frozen(False)
    assert w.at(NOW + 1.0)[0] is FROZEN
    assert w.at(NOW + 1.0 + after_s)[0] is state


def test_a_relapse_begins_the_time_anew() -> None:
    w = Watched()
    for at in (NOW, NOW + 2.0):
        w.monitor.on_frozen(True)
        assert w.at(at) == (FROZEN, "its stream is open and nothing in it moves")
        w.monitor.on_frozen(False)
        w.at(at + 0.5)
    assert w.at(NOW + 4.75)[0] is FROZEN
    assert w.at(NOW + 5.0)[0] is HEALTHY


# its words


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (lambda m: m.on_socket(False), (DOWN, "its stream is disconnected")),
        (lambda m: m.on_refused("it refuses our key"), (DOWN, "it refuses our key")),
        (lambda m: m.on_frozen(True), (FROZEN, "its stream is open and nothing in it moves")),
        (lambda m: m.on_throttled(NOW + 10.0), (DEGRADED, "wants no requests for 10 s")),
        (lambda m: m.on_throttled(NOW), (HEALTHY, "")),
        (lambda m: m.on_account(False), (DEGRADED, "its account stream is not open")),
        (lambda m: m.on_subscriptions("2 streams are not confirmed"), (DEGRADED, "2 streams are not confirmed")),
        (lambda m: m.on_subscriptions(""), (HEALTHY, "")),
        (lambda m: m.on_clock(500.0), (HEALTHY, "")),
        (lambda m: m.on_clock(-501.0), (HEALTHY, "its clock is 501 ms from ours (limit 1000)")),
        (lambda m: m.on_clock(999.0), (HEALTHY, "its clock is 999 ms from ours (limit 1000)")),
        (lambda m: m.on_clock(1000.0), (DEGRADED, "its clock is 1000 ms from ours")),
        (lambda m: m.on_clock(nan), (DEGRADED, "its clock is inf ms from ours")),
        (lambda m: m.on_late(999.0), (HEALTHY, "")),
        (lambda m: m.on_late(1000.0), (DEGRADED, "what its stream brings is 1000 ms old")),
        (lambda m: m.on_late(-1000.0), (DEGRADED, "what its stream brings is 1000 ms from the future: its clock is not ours")),
        (lambda m: m.on_late(nan), (DEGRADED, "what its stream brings is inf ms old")),
    ],
)
def test_what_happened_in_its_words(happens: Callable[[ExchangeHealthMonitor], None], told: tuple[Health, str]) -> None:
    w = Watched()
    happens(w.monitor)
    assert w.told == told


def test_clocks() -> None:
    monitor = Watched().monitor
    for ahead_ms, skew_ms, is_fine in ((999.0, 999.0, True), (-999.0, 999.0, True), (1000.0, 1000.0, False), (nan, inf, False)):
        monitor.on_clock(ahead_ms)
        assert (monitor.skew_ms, monitor.is_clock_fine) == (skew_ms, is_fine)
    monitor.on_server_time(120.0, 35.5)
    assert monitor.server_time == (120.0, 35.5)


def test_refusals_and_rests() -> None:
    monitor = Watched().monitor
    assert monitor.rests("A", NOW) is False
    monitor.rest("A", NOW + 10.0)
    assert [monitor.rests("A", NOW + at) for at in (0.0, 9.75, 10.0)] == [True, True, False]
    assert monitor.rests("B", NOW) is False
    monitor.on_refused("why")
    assert monitor.is_refused is True
    monitor.on_refused(None)
    assert monitor.is_refused is False


# answers


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (6, 3, (HEALTHY, "")),  # nine say nothing yet
        (8, 3, (HEALTHY, "")),
        (7, 3, (DEGRADED, "3 of 10 requests failed")),
        (3, 8, (DEGRADED, "8 of 11 requests failed")),
        (2, 8, (DOWN, "8 of 10 requests failed")),
    ],
)
def test_failures(good: int, bad: int, told: tuple[Health, str]) -> None:
    w = Watched()
    w.asked(*[False] * bad, *[True] * good, poll=False)
    assert w.told == told


@pytest.mark.parametrize(
    ("quick", "slow", "ms", "told"),
    [
        (8, 1, 1501.0, (HEALTHY, "")),
        (7, 2, 1501.0, (HEALTHY, "")),  # nine say nothing yet
        (8, 2, 1500.0, (HEALTHY, "")),
        (9, 1, 1501.0, (HEALTHY, "")),
        (8, 2, 1501.0, (DEGRADED, "2 of 10 answers took over 1500 ms")),
        (38, 2, 1501.0, (HEALTHY, "")),  # 5 % of them
        (37, 3, 1501.0, (DEGRADED, "3 of 40 answers took over 1500 ms")),
    ],
)
def test_slow_answers(quick: int, slow: int, ms: float, told: tuple[Health, str]) -> None:
    w = Watched()
    w.asked(*[True] * quick, poll=False)
    w.asked(*[True] * slow, ms=ms, poll=False)
    assert w.told == told


def test_slow_answers_are_half_as_many_before_it_is_back() -> None:
    w = Watched()
    w.asked(*[True] * 8, poll=False)
    w.asked(*[True] * 2, ms=1501.0, poll=False)
    assert w.told[0] is DEGRADED
    w.asked(*[True] * 69, poll=False)
    assert w.told == (DEGRADED, "2 of 79 answers took over 1500 ms")
    w.asked(True, poll=False)
    assert w.told == (DEGRADED, "recovering: 2 of 79 answers took over 1500 ms")  # 2.5 % of 80


@pytest.mark.parametrize(("after_s", "state"), [(60.0, DEGRADED), (60.25, HEALTHY)])
def test_an_answer_counts_for_its_time(after_s: float, state: Health) -> None:
    w = Watched(HealthConfig(recover_s=0.0))
    w.asked(*[False] * 3, *[True] * 7, poll=False)
    assert w.told[0] is DEGRADED
    w.at(NOW + after_s)
    assert w.told[0] is state


def test_what_is_old_is_forgotten_where_nobody_looks_too() -> None:
    w = Watched()
    w.asked(True, True)
    w.clock.now += 60.25
    w.asked(True)
    assert len(w.monitor._answers) == 1


# outages

#: Whatever failed is told, at the first failure in a hundred.
STRICT = HealthConfig(failure_ratio=0.01, down_failure_ratio=1.0, recover_s=0.0)


def test_of_an_outage_one_failure_is_left() -> None:
    w = Watched(STRICT)
    w.asked(*[True] * 20)
    w.clock.now += 1.0
    w.asked(*[False] * 12)
    w.asked(False, poll=False)  # an order that failed meanwhile counts
    w.clock.now += 1.0
    w.asked(True, True)
    assert w.told == (DEGRADED, "13 of 35 requests failed")
    w.asked(True)
    assert w.told == (DEGRADED, "2 of 25 requests failed")
    w.asked(True)
    assert w.told == (DEGRADED, "2 of 26 requests failed")


def test_two_failures_one_after_the_other_are_an_outage_and_one_is_none() -> None:
    w = Watched(STRICT)
    w.asked(*[True] * 20)
    w.asked(False, True, True, True, False, True, True, True)
    assert w.told == (DEGRADED, "2 of 28 requests failed")
    w.clock.now += 1.0
    w.asked(False, False, True, True, True)
    assert w.told == (DEGRADED, "3 of 32 requests failed")


def test_orders_make_no_outage() -> None:
    w = Watched(STRICT)
    for _ in range(3):
        for ok in (False, False, True, True, True):
            w.monitor.on_answer(ok, 20.0)
    assert w.told == (DEGRADED, "6 of 15 requests failed")


def test_good_answers_between_failures_end_no_outage_before_there_are_three() -> None:
    w = Watched(STRICT)
    w.asked(*[True] * 20)
    w.clock.now += 1.0
    w.asked(False, False)
    w.clock.now += 1.0
    w.asked(True, True, False, False)
    w.clock.now += 1.0
    w.asked(True, True, True)
    # The first two failed before the outage that ended.
    assert w.told == (DEGRADED, "3 of 28 requests failed")


def test_slowness_of_what_failed_in_an_outage_is_no_slowness() -> None:
    w = Watched(HealthConfig(recover_s=0.0))
    w.asked(*[True] * 20)
    w.asked(False, False, False, ms=9_000.0)
    assert w.told == (DEGRADED, "3 of 23 answers took over 1500 ms")
    w.asked(True, True, True)
    assert w.told == (HEALTHY, "")
    w.at(NOW + 60.25)  # all that is gone
    w.asked(*[True] * 18)
    w.asked(True, True, ms=1501.0)
    assert w.told == (DEGRADED, "2 of 20 answers took over 1500 ms")


@pytest.mark.parametrize(
    ("failures", "goods", "ms", "counts"),
    [
        (2, 1, 2001.0, False),  # asked before it was back
        (2, 1, 2000.0, True),  # at that very moment
        (2, 0, 2001.0, True),  # it is not back yet
        (1, 1, 2001.0, True),  # it was never away
        (3, 1, 2001.0, False),
    ],
)
def test_what_was_asked_during_an_outage_and_fails_after_it_says_nothing(failures: int, goods: int, ms: float, counts: bool) -> None:
    w = Watched()
    w.asked(*[False] * failures)
    w.asked(*[True] * goods)
    w.monitor.is_away = False
    w.clock.now += 2.0
    w.asked(False, ms=ms)
    assert w.monitor.is_away is counts


def test_only_a_poll_that_failed_late_says_nothing() -> None:
    w = Watched()
    w.asked(False, False, True)
    w.clock.now += 2.0
    w.asked(False, ms=2001.0, poll=False)
    assert w.monitor.is_away is True
    w.asked(True, ms=2001.0)
    assert w.monitor.is_away is False


@pytest.mark.parametrize(
    ("outages", "after_s", "told"),
    [
        (2, 0.0, HEALTHY),
        (3, 0.0, DEGRADED),
        (3, 60.0, DEGRADED),
        (3, 60.25, HEALTHY),
    ],
)
def test_a_venue_that_was_away_three_times_in_a_minute_is_not_back(outages: int, after_s: float, told: Health) -> None:
    w = Watched(HealthConfig(recover_s=0.0))
    w.asked(False, True, True, True)  # that was none
    for _ in range(outages):
        w.asked(False, False, True, True, True)
    w.asked(*[True] * 20)
    assert w.at(NOW + after_s) == (told, "it was away 3 times in 60 s" if told is DEGRADED else "")


# sleepers


def test_a_venue_is_away_from_a_failure_on_until_something_comes_back() -> None:
    w = Watched()
    steps: list[tuple[Callable[[], None], bool]] = [
        (lambda: w.asked(False), True), (lambda: w.asked(True), False), (w.monitor.on_unreachable, True), (w.monitor.on_reachable, False),
        (w.monitor.on_reachable, False), (lambda: w.asked(False, poll=False), True), (lambda: w.asked(True, poll=False), False),
    ]  # fmt: skip
    for happens, away in steps:
        happens()
        assert w.monitor.is_away is away


def test_sleepers_are_woken_all_at_once_and_forgotten() -> None:
    async def main() -> None:
        monitor = Watched().monitor
        loop = asyncio.get_running_loop()
        sleepers = [loop.create_task(monitor.sleep(60.0)) for _ in range(3)]
        await asyncio.sleep(0)
        assert len(monitor._sleepers) == 3
        for _ in range(2):  # a sleeper that was woken is not woken again
            monitor.on_unreachable()
            monitor.on_reachable()
        async with asyncio.timeout(5):
            await asyncio.gather(*sleepers)
        assert monitor._sleepers == {}
        await monitor.sleep(0.0)
        assert monitor._sleepers == {}

    asyncio.run(main())
