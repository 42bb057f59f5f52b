"""A venue's health: worse at once, better only after it has stayed so; each cause found, each limit met exactly."""

import asyncio
from collections.abc import Callable
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor, Health
from tests.marketdata.frames import HandClock

CONFIG = HealthConfig()


class Watched:
    """A monitor, its clock, and a stream that speaks whenever time passes (unless told not to)."""

    def __init__(self, config: HealthConfig = CONFIG) -> None:
        self.clock = HandClock(1000.0)
        self.monitor = ExchangeHealthMonitor("upbit", self.clock, config)
        self.silent = False
        self.monitor.on_message(self.clock.now)
        assert self.state is Health.HEALTHY

    @property
    def state(self) -> Health:
        return self.monitor.state(self.clock.now)

    @property
    def why(self) -> str:
        return self.monitor.why(self.clock.now)

    def wait(self, seconds: float) -> Health:
        """Look ten times a second, as the engine does."""
        end = self.clock.now + seconds
        while self.clock.now < end - 1e-9:
            self.clock.now = min(self.clock.now + 0.1, end)
            if not self.silent:
                self.monitor.on_message(self.clock.now)
            self.monitor.state(self.clock.now)
        return self.state

    def answers(self, good: int, bad: int, ms: float = 100.0) -> Health:
        """So many of each, as well mixed as can be: failures one after the other are an outage."""
        total, failed = good + bad, 0
        for n in range(total):
            fails = (n + 1) * bad // total > failed
            failed += fails
            self.monitor.on_answer(not fails, ms)
        return self.state


def test_a_venue_is_down_until_it_was_heard_and_then_fit_at_once() -> None:
    clock = HandClock(1000.0)
    monitor = ExchangeHealthMonitor("upbit", clock, CONFIG)
    assert monitor.state(1000.0) is Health.DOWN
    assert monitor.why(1000.0) == "nothing was received yet"
    monitor.on_message(1000.5)
    assert monitor.state(1000.5) is Health.HEALTHY
    assert monitor.why(1000.5) == ""


@pytest.mark.parametrize(("silent_s", "state"), [(2.9, Health.HEALTHY), (3.1, Health.DOWN)])
def test_a_silent_venue_is_down(silent_s: float, state: Health) -> None:
    w = Watched()
    w.silent = True
    assert w.wait(silent_s) is state
    assert ("silent" in w.why) is (state is Health.DOWN)


def test_a_venue_that_speaks_again_is_back_after_it_has_stayed() -> None:
    w = Watched()
    w.silent = True
    w.wait(4)
    w.silent = False
    assert w.wait(CONFIG.recover_s - 0.1) is Health.DOWN
    assert w.why.startswith("recovering")
    assert w.wait(0.5) is Health.HEALTHY


def test_a_stream_that_comes_and_goes_stays_down() -> None:
    w = Watched()
    w.silent = True
    w.wait(4)
    for _ in range(20):
        w.silent = not w.silent
        assert w.wait(3.0 if w.silent else CONFIG.recover_s - 1.7) is Health.DOWN


@pytest.mark.parametrize(
    ("good", "bad", "state"),
    [
        (0, 9, Health.HEALTHY),  # too few to say
        (10, 0, Health.HEALTHY),
        (8, 2, Health.HEALTHY),
        (7, 3, Health.DEGRADED),
        (3, 7, Health.DEGRADED),
        (2, 8, Health.DOWN),
        (0, 10, Health.DOWN),
    ],
)
def test_failed_requests_make_it_degraded_and_then_down(good: int, bad: int, state: Health) -> None:
    w = Watched()
    assert w.answers(good, bad) is state
    assert (f"{bad} of {good + bad} requests failed" in w.why) is (state is not Health.HEALTHY)


def test_a_degraded_venue_recovers_at_half_the_ratio_and_not_before() -> None:
    w = Watched()
    assert w.answers(7, 3) is Health.DEGRADED
    w.answers(9, 0)
    assert w.wait(10) is Health.DEGRADED  # 3 of 19 is over 15 %
    w.answers(2, 0)
    assert w.wait(10) is Health.HEALTHY


def test_old_failures_are_forgotten_so_that_a_venue_nobody_asks_is_tried_again() -> None:
    w = Watched()
    assert w.answers(0, 20) is Health.DOWN
    assert w.wait(59) is Health.DOWN
    assert w.wait(7) is Health.HEALTHY


@pytest.mark.parametrize(("late", "state"), [(1, Health.HEALTHY), (2, Health.DEGRADED)])
def test_late_answers_make_it_degraded_one_alone_does_not(late: int, state: Health) -> None:
    w = Watched()
    w.answers(18, 0)
    assert w.answers(late, 0, 1501.0) is state


@pytest.mark.parametrize(
    ("skew", "state", "told"),
    [
        (0.0, Health.HEALTHY, False),
        (500.0, Health.HEALTHY, False),
        (-501.0, Health.HEALTHY, True),
        (999.0, Health.HEALTHY, True),
        (1000.0, Health.DEGRADED, True),
        (-5000.0, Health.DEGRADED, True),
        (nan, Health.DEGRADED, True),
    ],
)
def test_a_clock_that_differs_is_told_and_then_blocks(skew: float, state: Health, told: bool) -> None:
    w = Watched()
    w.monitor.on_clock(skew)
    assert w.state is state
    assert ("clock" in w.why) is told


@pytest.mark.parametrize(
    ("late", "state"),
    [(150.0, Health.HEALTHY), (999.0, Health.HEALTHY), (1000.0, Health.DEGRADED), (-60_000.0, Health.DEGRADED), (nan, Health.DEGRADED)],
)
def test_news_that_is_old_or_from_the_future_makes_it_degraded(late: float, state: Health) -> None:
    w = Watched()
    w.monitor.on_late(late)
    assert w.state is state
    assert ("what its stream brings" in w.why) is (state is Health.DEGRADED)
    w.monitor.on_late(20.0)
    assert w.wait(6) is Health.HEALTHY


def test_a_throttled_venue_is_degraded_until_it_may_be_asked_and_a_little_longer() -> None:
    w = Watched()
    w.monitor.on_throttled(w.clock.now + 10)
    w.monitor.on_throttled(w.clock.now + 2)  # an older answer: the longer one counts
    assert w.state is Health.DEGRADED
    assert w.wait(10 + CONFIG.recover_s - 0.2) is Health.DEGRADED
    assert w.wait(0.6) is Health.HEALTHY


@pytest.mark.parametrize(
    ("break_it", "mend_it", "state"),
    [
        (lambda m: m.on_socket(False), lambda m: m.on_socket(True), Health.DOWN),
        (lambda m: m.on_frozen(True), lambda m: m.on_frozen(False), Health.FROZEN),
    ],
)
def test_a_lost_socket_and_a_frozen_stream_are_known_at_once(
    break_it: Callable[[ExchangeHealthMonitor], None], mend_it: Callable[[ExchangeHealthMonitor], None], state: Health
) -> None:
    w = Watched()
    break_it(w.monitor)
    assert w.state is state
    mend_it(w.monitor)
    assert w.wait(CONFIG.recover_s - 0.2) is state
    assert w.wait(0.6) is Health.HEALTHY


def test_the_worst_of_several_causes_is_told() -> None:
    w = Watched()
    w.monitor.on_throttled(w.clock.now + 100)
    w.monitor.on_frozen(True)
    assert w.state is Health.FROZEN
    w.monitor.on_socket(False)
    assert (w.state, w.why) == (Health.DOWN, "its stream is disconnected")


EVENTS: dict[str, Callable[[Watched], object]] = {
    "silent": lambda w: setattr(w, "silent", True),
    "speaks": lambda w: setattr(w, "silent", False),
    "fails": lambda w: w.answers(0, 5),
    "answers": lambda w: w.answers(5, 0),
    "late": lambda w: w.answers(5, 0, 9000.0),
    "throttled": lambda w: w.monitor.on_throttled(w.clock.now + 3),
    "frozen": lambda w: w.monitor.on_frozen(True),
    "moves": lambda w: w.monitor.on_frozen(False),
    "lost": lambda w: w.monitor.on_socket(False),
    "connected": lambda w: w.monitor.on_socket(True),
    "skewed": lambda w: w.monitor.on_clock(2000.0),
    "in step": lambda w: w.monitor.on_clock(0.0),
    "refused": lambda w: w.monitor.on_refused("this key may not trade"),
    "taken again": lambda w: w.monitor.on_refused(None),
    "account lost": lambda w: w.monitor.on_account(False),
    "account open": lambda w: w.monitor.on_account(True),
    "unconfirmed": lambda w: w.monitor.on_subscriptions("2 of 9 streams are not confirmed"),
    "confirmed": lambda w: w.monitor.on_subscriptions(""),
    "old": lambda w: w.monitor.on_late(5000.0),
    "new": lambda w: w.monitor.on_late(10.0),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 7)), max_size=12))
def test_whatever_happened_a_venue_that_is_well_again_comes_back_by_itself(events: list[tuple[str, float]]) -> None:
    w = Watched()
    improved = w.clock.now - CONFIG.recover_s
    before = Health.HEALTHY
    ranks = {health: rank for rank, health in enumerate(Health)}
    for name, seconds in events:
        EVENTS[name](w)
        end = w.clock.now + seconds
        while w.clock.now < end:
            w.wait(0.1)
            if ranks[w.state] < ranks[before]:
                assert w.clock.now - improved >= CONFIG.recover_s - 1e-6, "two steps up within the least stay"
                improved = w.clock.now
            before = w.state
    for name in ("speaks", "moves", "connected", "in step", "taken again", "account open", "confirmed", "new"):
        EVENTS[name](w)
    assert w.wait(60 + 4 * CONFIG.recover_s) is Health.HEALTHY


@pytest.mark.parametrize("ill", ["fails", "throttled", "frozen", "lost", "skewed", "refused", "account lost", "unconfirmed", "old"])
def test_what_is_reported_counts_at_the_next_look_at_the_same_moment(ill: str) -> None:
    w = Watched()
    w.wait(1.0)
    for _ in range(4):
        EVENTS[ill](w)
    assert w.state is not Health.HEALTHY


@pytest.mark.parametrize(("bad", "ms"), [(12, 100.0), (0, 9000.0)])
def test_answers_that_are_older_than_the_window_count_no_more_beside_new_ones(bad: int, ms: float) -> None:
    w = Watched()
    assert w.answers(12 - bad, bad, ms) is not Health.HEALTHY
    assert w.wait(CONFIG.answer_window_s + CONFIG.recover_s + 1) is Health.HEALTHY
    assert w.answers(12, 0) is Health.HEALTHY


def test_silence_counts_though_nothing_is_reported() -> None:
    w = Watched()
    w.wait(1.0)
    assert w.monitor.state(w.clock.now + CONFIG.silence_ms / 1000 - 1e-6) is Health.HEALTHY
    assert w.monitor.state(w.clock.now + CONFIG.silence_ms / 1000 + 1e-6) is Health.DOWN


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 7)), max_size=12))
def test_how_often_it_is_looked_at_makes_no_difference_while_it_is_well(events: list[tuple[str, float]]) -> None:
    often, fresh = Watched(), Watched()
    for name, seconds in events:
        for w in (often, fresh):
            EVENTS[name](w)
            w.wait(seconds)
        often.monitor.state(often.clock.now)
        fresh.monitor._is_fine = False  # every cause is looked at
        assert often.state is fresh.state
        assert often.why == fresh.why


@pytest.mark.parametrize("failures", [2, 12, 60])
def test_an_outage_that_is_over_counts_no_more_than_one_probe(failures: int) -> None:
    w = Watched()
    w.answers(20, 0)
    for _ in range(failures):
        w.monitor.on_answer(False, 2.0, poll=True)
        w.wait(1.0)
    assert w.monitor.is_away
    if failures >= 12:
        assert w.state is not Health.HEALTHY
    w.monitor.on_answer(True, 20.0, poll=True)
    w.monitor.on_answer(False, 9_000.0, poll=True)  # asked while it was away
    w.monitor.on_answer(True, 20.0, poll=True)
    w.monitor.on_answer(True, 20.0, poll=True)
    assert w.wait(CONFIG.recover_s + 0.2) is Health.HEALTHY


def test_a_venue_that_goes_again_and_again_is_not_back() -> None:
    w = Watched()
    for _ in range(3):
        for ok in (False, False, False, *[True] * 6):
            w.monitor.on_answer(ok, 20.0, poll=True)
        w.wait(5.0)
    assert w.state is Health.DEGRADED
    assert "3 times" in w.why
    w.wait(CONFIG.answer_window_s)
    assert w.wait(3.0) is Health.HEALTHY


def test_a_sleeper_is_woken_by_the_first_sign_of_life_and_by_nothing_else() -> None:
    async def main() -> None:
        monitor = ExchangeHealthMonitor("upbit", HandClock(1000.0), CONFIG)
        loop = asyncio.get_running_loop()
        monitor.on_answer(True, 1.0)
        sleeping = loop.create_task(monitor.sleep(60.0))
        await asyncio.sleep(0)
        monitor.on_answer(True, 1.0)  # it was not away
        await asyncio.sleep(0)
        assert not sleeping.done()
        monitor.on_unreachable()
        monitor.on_reachable()
        async with asyncio.timeout(5):
            await sleeping
        await monitor.sleep(0.01)

    asyncio.run(main())


def test_a_venue_that_refuses_our_key_is_down_at_once_and_back_once_it_has_taken_it_for_a_while() -> None:
    w = Watched()
    w.monitor.on_refused("it refuses our API key")
    assert w.state is Health.DOWN
    assert w.why == "it refuses our API key"
    assert w.wait(120.0) is Health.DOWN
    w.monitor.on_refused(None)
    assert w.wait(CONFIG.recover_s - 0.2) is Health.DOWN
    assert w.wait(0.4) is Health.HEALTHY


@pytest.mark.parametrize(("bad", "ms"), [(5, 100.0), (0, 9000.0)])
def test_good_answers_that_grow_old_leave_the_bad_ones_a_larger_share_though_nothing_is_reported(bad: int, ms: float) -> None:
    w = Watched()
    assert w.answers(96, 0) is Health.HEALTHY
    w.wait(CONFIG.answer_window_s / 2)
    assert w.answers(6, bad) is Health.HEALTHY
    assert w.answers(4, 0, ms) is Health.HEALTHY
    assert w.wait(CONFIG.answer_window_s / 2 + 1) is Health.DEGRADED
