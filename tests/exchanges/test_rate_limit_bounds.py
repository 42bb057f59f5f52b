"""Rate limits at each side of every bound: a window, a ban, a share, a queue, in exact figures."""

import asyncio
from collections.abc import Callable, Coroutine
from math import inf, nan
from typing import Any

import pytest

from arbtui.exchanges.rate_limit import Lane, LimitLeft, RateLimit, Shares, VenueLimits, Window
from arbtui.exchanges.rate_limits import PATIENCE_S, RateLimitManager, _Ban, _retry_s
from arbtui.model.clock import LoopClock
from arbtui.model.errors import RateLimited
from arbtui.model.virtual_loop import run_virtual

SHARES = Shares(hedge=0.8, entry=0.7, data=0.5)
#: Steps of a quarter of a second and a whole of 25 s: sums without rounding.
X = RateLimit("x/25s", "x", 10, 25.0, SHARES)
Y = RateLimit("y", "y", 10, 25.0, SHARES)


def run(test: Callable[[RateLimitManager], Coroutine[Any, Any, None]], *limits: RateLimit, **facts: Any) -> None:
    async def main() -> None:
        await test(RateLimitManager("venue", LoopClock(asyncio.get_running_loop()), VenueLimits(limits or (X, Y), **facts)))

    run_virtual(main())


def now() -> float:
    return asyncio.get_running_loop().time()


def used(limits: RateLimitManager) -> list[float]:
    return [left.used for left in limits.left()]


# a window


def test_what_a_turn_takes_of_a_limit() -> None:
    assert [Window(X).cost(asked) for asked in (0.0, 0.5, 7.0)] == [0.0, 0.5, 7.0]
    raw = Window(RateLimit("raw", "x", 10, 25.0, per_request=True))
    assert [raw.cost(asked) for asked in (0.0, 0.5, 7.0)] == [0.0, 1.0, 1.0]


def test_what_is_spent_counts_to_the_end_of_its_step_a_window_later() -> None:
    window = Window(X)
    assert window.spend(100.0, 2.0) == 125.25
    assert window.spend(100.125, 1.0) == 125.25  # of the same step
    assert len(window._own) == 1, "however much is spent, no more is kept than there are steps"
    assert window.spend(100.25, 4.0) == 125.5
    assert [window.used(at) for at in (100.25, 125.125, 125.25, 125.375, 125.5)] == [7.0, 7.0, 4.0, 4.0, 0.0]
    assert window.resets_s(125.5) == 0.0
    jittered = Window(RateLimit("x", "x", 10, 25.0, SHARES, jitter_s=0.5))
    assert jittered.spend(100.0, 1.0) == 125.75


def test_a_clock_that_went_back_frees_nothing_earlier() -> None:
    window = Window(X)
    assert window.spend(100.0, 2.0) == 125.25
    assert window.spend(90.0, 1.0) == 125.25
    assert (window.used(125.0), window.used(125.25)) == (3.0, 0.0)


def test_rounding_does_not_add_up() -> None:
    window = Window(X)
    for at, cost in ((100.0, 0.1), (101.0, 0.2), (102.0, 0.3)):
        window.spend(at, cost)
    assert 0.1 + 0.2 + 0.3 - 0.1 - 0.2 - 0.3 != 0.0
    assert window.used(127.25) == 0.0
    for cost in (0.1, 0.2):
        window.spend(200.0, cost)
    window.spend(201.0, 1.0)
    window.used(226.0)
    assert window.free_at(225.5, Lane.CANCEL, 10.0) == 226.25


@pytest.mark.parametrize(
    ("lane", "cost", "at"),
    [
        (Lane.ENTRY, 3.0, 101.0),
        (Lane.ENTRY, 3.25, 125.25),
        (Lane.ENTRY, 5.0, 125.25),
        (Lane.ENTRY, 5.25, 126.25),
        (Lane.ENTRY, 10.0, 126.25),
        (Lane.CANCEL, 6.0, 101.0),
        (Lane.CANCEL, 6.25, 125.25),
        (Lane.CANCEL, 10.0, 126.25),
        (Lane.CANCEL, 10.25, inf),
        (Lane.DATA, 0.0, 101.0),
        (Lane.CHECK, 0.0, 125.25),
    ],
)
def test_when_it_is_free(lane: Lane, cost: float, at: float) -> None:
    window = Window(X)
    window.spend(100.0, 2.0)
    window.spend(101.0, 2.0)
    assert window.free_at(101.0, lane, cost) == at
    assert window.used(101.0) == 4.0


@pytest.mark.parametrize(("cost", "at"), [(10.0, 100.0), (10.25, inf)])
def test_an_empty_window_takes_up_to_the_whole_limit_whatever_the_lane(cost: float, at: float) -> None:
    assert Window(X).free_at(100.0, Lane.CHECK, cost) == at


def test_what_others_spent_is_the_venues_count_less_our_own() -> None:
    window = Window(X)
    window.spend(100.0, 3.0)
    for count in (3.0, 2.0, nan):
        window.set_venue_count(101.0, 0, count)
        assert (window.used(101.0), window.resets_s(101.0)) == (3.0, 24.25)
    window.set_venue_count(101.0, 0, 5.0)
    assert (window.used(101.0), window.resets_s(101.0)) == (5.0, 25.0)
    window.set_venue_count(102.0, 0, 4.0)  # less than was told before
    assert [window.used(at) for at in (102.0, 125.25, 125.75, 126.0, 126.75, 127.0)] == [5.0, 2.0, 2.0, 1.0, 1.0, 0.0]


def test_others_are_free_each_in_their_time() -> None:
    window = Window(X)
    window.set_venue_count(100.0, 0, 8.0)
    window.set_venue_count(101.0, 0, 6.0)
    window.set_venue_count(102.0, 0, 6.0)
    assert [window.free_at(102.0, Lane.CANCEL, cost) for cost in (2.0, 2.25, 4.0, 4.25)] == [102.0, 125.0, 125.0, 127.0]
    window.set_venue_count(103.0, 0, 9.0)
    assert [window.used(at) for at in (103.0, 127.75, 128.0)] == [9.0, 9.0, 0.0]


@pytest.mark.parametrize(("wall_ms", "lasts_s"), [(0, 60.0), (1_000, 60.0), (30_500, 30.5), (59_000, 2.0), (60_000, 60.0)])
def test_a_count_by_whole_minutes_ends_a_second_after_the_minute(wall_ms: int, lasts_s: float) -> None:
    window = Window(RateLimit("m", "m", 100, 60.0, aligned=True))
    window.set_venue_count(100.0, 600_000_000 + wall_ms, 10.0)
    assert window.resets_s(100.0) == lasts_s


def test_a_clock_that_was_set_forward_frees_nothing_earlier() -> None:
    window = Window(RateLimit("m", "m", 100, 60.0, aligned=True))
    window.set_venue_count(100.0, 600_000_000, 10.0)
    window.set_venue_count(101.0, 600_059_000, 12.0)
    assert window.resets_s(101.0) == 59.0


def test_what_was_never_sent_comes_back() -> None:
    window = Window(X)
    first, second = window.spend(100.0, 2.0), window.spend(101.0, 4.0)
    window.give_back(first, 0.5)
    assert [window.used(at) for at in (101.0, 125.25, 126.25)] == [5.5, 4.0, 0.0]
    window.give_back(second, 4.0)  # that is gone
    window.spend(130.0, 1.0)
    window.give_back(first, 1.0)
    assert window.used(130.0) == 1.0


# a ban


def test_a_ban_begins_lasts_and_is_over() -> None:
    ban = _Ban()
    assert (ban.until, ban.probing, ban.in_a_row) == (-inf, False, 0)
    assert [ban.opens(100.0, lane) for lane in (Lane.CANCEL, Lane.DATA)] == [100.0, 100.0]
    ban.spent(100.0)
    ban.begin(100.0, 429, 10.0)
    assert [ban.opens(at, Lane.CANCEL) for at in (100.0, 110.0, 111.0)] == [110.0, 110.0, 111.0]
    assert [ban.opens(at, Lane.HEDGE) for at in (100.0, 111.0, 112.0, 113.0)] == [112.0, 112.0, 112.0, 113.0]
    ban.answered(109.75)  # to what was sent before
    assert ban.opens(110.0, Lane.HEDGE) == 112.0
    ban.spent(110.0)
    assert [ban.opens(110.5, lane) for lane in (Lane.CANCEL, Lane.HEDGE)] == [111.0, 112.0]
    ban.spent(111.5)
    assert [ban.opens(112.0, lane) for lane in (Lane.CANCEL, Lane.HEDGE)] == [112.5, 112.5]
    ban.answered(112.0)
    assert ban.opens(112.0, Lane.HEDGE) == 112.0
    ban.spent(112.0)
    assert ban.opens(112.0, Lane.HEDGE) == 112.0


def test_a_ban_is_confirmed_to_be_over_at_its_very_end() -> None:
    ban = _Ban()
    ban.begin(100.0, 429, 10.0)
    ban.answered(110.0)
    assert (ban.opens(110.0, Lane.DATA), ban.probing, ban.in_a_row) == (110.0, False, 0)
    ban.until = 120.0
    assert ban.opens(119.0, Lane.CANCEL) == 120.0


@pytest.mark.parametrize(("status", "first"), [(429, 2.0), (418, 120.0)])
def test_bans_without_a_time_last_twice_as_long_each_up_to_a_thousand_times(status: int, first: float) -> None:
    ban, at, lasted = _Ban(), 100.0, []
    for _ in range(12):
        ban.begin(at, status, None)
        ban.begin(at + 0.5, status, None)  # of the same ban: half a second more at most
        lasted.append(ban.until - at - 0.5)
        at = ban.until
    expected = [first * 2**number for number in range(11)]
    assert lasted == [min(one, 3 * 86_400.0) for one in [*expected, expected[-1]]]


def test_a_ban_is_never_shortened_and_lasts_three_days_at_most() -> None:
    ban = _Ban()
    ban.begin(100.0, 429, 60.0)
    ban.begin(110.0, 429, 10.0)
    assert ban.until == 160.0
    ban.begin(110.0, 429, 1e9)
    assert ban.until == 110.0 + 3 * 86_400.0


def test_a_new_ban_may_be_probed_at_its_end_whatever_the_last_one_waited_for() -> None:
    ban = _Ban()
    ban.begin(100.0, 429, 1.0)
    ban.spent(105.0)
    ban.begin(105.25, 429, 0.25)
    assert ban.opens(105.25, Lane.CANCEL) == 105.5


@pytest.mark.parametrize(
    ("value", "retry_s"),
    [
        ("7.5", 7.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:20:00 -0000", 200.0),  # of no zone
        ("Thu, 01 Jan 1970 00:16:00 GMT", 0.0),
    ],
)
def test_retry_after(value: str, retry_s: float | None) -> None:
    assert _retry_s(value, 1_000_000) == retry_s


# what an answer says


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        (200, {"Retry-After": "10"}, -inf),
        (399, {"Retry-After": "10"}, -inf),
        (400, {"Retry-After": "10"}, 10.0),
        (400, {}, -inf),
        (418, {}, 120.0),
        (429, {}, 2.0),
        (429, {"retry-after": "soon"}, 2.0),
    ],
)
def test_which_answer_is_a_ban(status: int, headers: dict[str, str], until: float) -> None:
    async def test(limits: RateLimitManager) -> None:
        limits.observe(status, headers, {"x"})
        assert limits.banned_until == until

    run(test)


def test_whom_a_ban_silences_is_the_venues_to_say() -> None:
    asked: list[tuple[Any, ...]] = []

    def banned(status: int, code: str, groups: Any) -> Any:
        asked.append((status, code, sorted(groups)))
        return groups if code else None

    async def test(limits: RateLimitManager) -> None:
        limits.observe(429, {"Retry-After": "10"}, {"x"}, "-1015")
        assert [left.banned_s for left in limits.left()] == [10.0, 0.0]
        assert limits.refusal(Lane.CANCEL, {"x": 1}) == "venue has banned requests of the group x (free in 10.0 s)"
        assert limits.refusal(Lane.DATA, {"y": 1}) is None
        await asyncio.sleep(4.0)
        assert [left.banned_s for left in limits.left()] == [6.0, 0.0]
        limits.observe(429, {"Retry-After": "2"}, {"x"})
        assert [left.banned_s for left in limits.left()] == [6.0, 2.0]
        assert limits.refusal(Lane.CANCEL, {"y": 1}) == "venue has banned requests (free in 2.0 s)"
        assert limits.banned_until == 10.0
        assert asked == [(429, "-1015", ["x"]), (429, "", ["x"])]

    run(test, banned=banned)


def test_an_answer_confirms_the_end_of_the_ban_of_its_own_groups() -> None:
    async def test(limits: RateLimitManager) -> None:
        limits.observe(429, {"Retry-After": "1"}, {"x", "y"})
        await asyncio.sleep(1.0)
        limits.observe(200, {}, {"x"})
        assert limits.refusal(Lane.DATA, {"x": 1}) is None
        assert limits.refusal(Lane.DATA, {"y": 1}) == "venue has banned requests of the group y (free in 2.0 s)"
        limits.observe(200, {}, {"y"})
        assert limits.refusal(Lane.DATA, {"y": 1}) is None

    run(test, banned=lambda status, code, groups: groups)


def test_the_venues_count_is_read_from_every_answer() -> None:
    def told(headers: Any) -> Any:
        yield "x/25s", float(headers.get("x-used", "0"))
        yield "of another table", 7.0

    def told_in(headers: Any, groups: Any) -> Any:
        for group in groups:
            yield group, float(headers.get("x-left", "0"))

    async def test(limits: RateLimitManager) -> None:
        limits.observe(503, {"X-Used": "3", "X-Left": "4"}, {"y"})
        assert used(limits) == [3.0, 4.0]

    run(test, used=told, used_in=told_in)


@pytest.mark.parametrize(
    ("status", "until_ms", "until"),
    [
        (429, None, 2.0),
        (400, None, 2.0),
        (418, None, 120.0),
        (417, None, 2.0),
        (419, None, 2.0),
        (429, 7_500, 7.5),
        (418, 7_500, 7.5),
        (429, -500, 0.0),
    ],
)
def test_a_venue_that_wants_silence(status: int, until_ms: int | None, until: float) -> None:
    async def test(limits: RateLimitManager) -> None:
        at_ms = None if until_ms is None else LoopClock(asyncio.get_running_loop()).time_ms() + until_ms
        limits.silence(status, at_ms)
        assert limits.banned_until == until

    run(test)


def test_a_silence_without_a_time_adds_nothing_to_a_ban_that_is_known() -> None:
    async def test(limits: RateLimitManager) -> None:
        limits.silence(429)
        await asyncio.sleep(1.0)
        limits.silence(429)
        assert limits.banned_until == 2.0
        limits.silence(429, LoopClock(asyncio.get_running_loop()).time_ms() + 5_000)
        assert limits.banned_until == 6.0
        await asyncio.sleep(5.0)
        limits.silence(429)
        assert limits.banned_until == 10.0, "the second of two bans in a row"

    run(test)


# shares


def test_a_cycle_takes_its_entries_and_keeps_one_hedge_order() -> None:
    async def test(limits: RateLimitManager) -> None:
        assert limits.reserve("c1", {"x": 2.0}, 2, {"x": 3.0, "y": 1.0}) is None
        assert used(limits) == [4.0, 0.0]
        # Seven of ten are an entry's: four are spent and three kept.
        assert limits.refusal(Lane.ENTRY, {"x": 0.25}) == "venue: x/25s is spent (free in 0.1 s)"
        assert limits.refusal(Lane.HEDGE, {"x": 4.0}) is None
        assert limits.refusal(Lane.ENTRY, {"y": 6.0}) is None
        assert limits.refusal(Lane.ENTRY, {"y": 6.25}) == "venue: y is spent (free in 0.1 s)"
        assert limits.refusal(Lane.DATA, {"x": 1.0}) == "venue: x/25s is spent (free in 0.1 s)"
        limits.use_hold("c1")
        limits.use_hold("c2")
        assert limits.refusal(Lane.ENTRY, {"x": 3.0}) is None
        assert limits.refusal(Lane.ENTRY, {"x": 3.25}) == "venue: x/25s is spent (free in 25.2 s)"
        limits.release("c1")
        assert used(limits) == [0.0, 0.0]

    run(test)


@pytest.mark.parametrize(
    ("entry", "entries", "hedge", "fits"),
    [
        ({"x": 2.0}, 2, {"x": 3.0}, True),
        ({"x": 2.0}, 2, {"x": 3.25}, False),
        ({"x": 2.0}, 3, {"x": 1.0}, True),
        ({"x": 2.0}, 3, {"x": 1.25}, False),
        ({"x": 7.0}, 1, {"y": 7.0}, True),
        ({"x": 7.0}, 1, {"y": 7.25}, False),
        ({"x": 7.25}, 1, {}, False),
    ],
)
def test_all_of_a_cycles_share_or_nothing(entry: dict[str, float], entries: int, hedge: dict[str, float], fits: bool) -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"x": 1e-9, "y": 1e-9})  # an empty window takes more than a share
        limits._windows[0].limit = RateLimit("x/25s", "x", 10, 25.0, Shares(0.8, 0.7 + 1e-9, 0.5))
        limits._windows[1].limit = RateLimit("y", "y", 10, 25.0, Shares(0.8, 0.7 + 1e-9, 0.5))
        before = used(limits)
        assert (limits.reserve("c1", entry, entries, hedge) is None) is fits
        if not fits:
            assert used(limits) == before
            assert limits.redeem("c1") is False
            assert limits.refusal(Lane.ENTRY, {"x": 7.0}) is None

    run(test)


def test_what_is_kept_for_several_cycles_adds_up_and_goes_with_each() -> None:
    async def test(limits: RateLimitManager) -> None:
        for cycle in ("c1", "c2"):
            assert limits.reserve(cycle, {}, 0, {"x": 2.0}) is None
        assert limits.refusal(Lane.ENTRY, {"x": 3.0}) is None
        assert limits.refusal(Lane.ENTRY, {"x": 3.25}) is not None
        limits.release("c2")
        assert limits.refusal(Lane.ENTRY, {"x": 5.0}) is None
        assert limits.refusal(Lane.ENTRY, {"x": 5.25}) is not None
        limits.release("c2")

    run(test)


def test_a_share_that_was_sent_does_not_come_back() -> None:
    async def test(limits: RateLimitManager) -> None:
        assert limits.reserve("c1", {"x": 2.0, "y": 1.0}, 2, {}) is None
        assert limits.redeem("c1") is True
        limits.release("c1")
        assert used(limits) == [2.0, 1.0]
        limits.release("c1")
        assert used(limits) == [2.0, 1.0]

    run(test)


# the queue


async def asked(limits: RateLimitManager, lane: Lane, **costs: float) -> float:
    """When it had its turn."""
    await limits.turn(lane, costs)
    return now()


@pytest.mark.parametrize(
    ("lane", "behind"),
    [(Lane.CANCEL, False), (Lane.HEDGE, True), (Lane.ENTRY, True), (Lane.CHECK, True)],
)
def test_whoever_comes_later_waits_behind_its_own_lane_and_those_before_it(lane: Lane, behind: bool) -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"y": 10.0})
        waiting = asyncio.create_task(asked(limits, Lane.HEDGE, y=1.0, x=1.0))
        await asyncio.sleep(0.0)
        assert limits.refusal(lane, {"x": 1.0}) == ("venue: a hedge waits before it" if behind else None)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert limits.refusal(lane, {"x": 1.0}) is None
        assert limits._waiters == []

    run(test, X, RateLimit("y", "y", 10, 4.0, SHARES))


def test_those_who_wait_are_served_in_the_order_of_their_lanes_and_then_of_their_coming() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"x": 10.0})
        served: list[str] = []

        async def ask(name: str, lane: Lane) -> None:
            await limits.turn(lane, {"x": 4.0})
            served.append(f"{name} {now():g}")

        tasks = [
            asyncio.create_task(ask(name, lane))
            for name, lane in (("d1", Lane.DATA), ("d2", Lane.DATA), ("c1", Lane.CANCEL), ("c2", Lane.CANCEL), ("d3", Lane.DATA))
        ]
        await asyncio.gather(*tasks)
        assert served == ["c1 25.25", "c2 25.25", "d1 50.5", "d2 75.75", "d3 101"]

    run(test)


@pytest.mark.parametrize(("after_s", "refused"), [(5.0, False), (5.25, True)])
def test_a_hedge_waits_as_long_as_its_patience_and_no_longer(after_s: float, refused: bool) -> None:
    assert PATIENCE_S == {Lane.CANCEL: 30.0, Lane.HEDGE: 5.0, Lane.ENTRY: 0.25, Lane.DATA: 120.0, Lane.CHECK: 120.0}

    async def test(limits: RateLimitManager) -> None:
        start = now()
        limits.silence(429, LoopClock(asyncio.get_running_loop()).time_ms() + round((after_s - 2.0) * 1000))
        if refused:
            with pytest.raises(RateLimited) as told:
                await limits.turn(Lane.HEDGE, {"x": 1.0})
            assert str(told.value) == "venue has banned requests; not sent, may be had in 5.2 s"
            assert told.value.retry_s == after_s
            assert now() == start
        else:
            assert await asked(limits, Lane.HEDGE, x=1.0) == start + after_s

    run(test)


def test_who_waits_behind_others_is_refused_when_its_patience_ends() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"y": 10.0})
        waiting = asyncio.create_task(asked(limits, Lane.CANCEL, x=1.0, y=1.0))
        await asyncio.sleep(0.0)
        with pytest.raises(RateLimited) as told:
            await limits.turn(Lane.ENTRY, {"x": 1.0})
        assert str(told.value) == "venue: others go first; not sent, may be had in 0.1 s"
        assert (told.value.retry_s, now()) == (0.1, 0.25)
        assert await waiting == 4.04

    run(test, X, RateLimit("y", "y", 10, 4.0, SHARES))


def test_who_needs_nothing_that_an_earlier_one_waits_for_goes_on() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"x": 10.0, "y": 10.0})
        large = asyncio.create_task(asked(limits, Lane.CANCEL, x=10.0))
        small = asyncio.create_task(asked(limits, Lane.CANCEL, y=1.0))
        other = asyncio.create_task(asked(limits, Lane.CANCEL, x=1.0))
        assert await small == 4.04
        assert await large == 25.25
        with pytest.raises(RateLimited):
            await other

    run(test, X, RateLimit("y", "y", 10, 4.0, SHARES))


def test_one_who_gives_up_lets_the_next_go() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"x": 1.0})
        large = asyncio.create_task(asked(limits, Lane.CANCEL, x=10.0))
        await asyncio.sleep(0.0)
        small = asyncio.create_task(asked(limits, Lane.CANCEL, x=1.0))
        await asyncio.sleep(1.0)
        large.cancel()
        assert await small == 1.0

    run(test)


def test_an_answer_or_a_release_serves_those_who_wait() -> None:
    async def test(limits: RateLimitManager) -> None:
        limits.observe(429, {"Retry-After": "1"})
        await asyncio.sleep(1.0)
        waiting = asyncio.create_task(asked(limits, Lane.DATA, x=1.0))
        await asyncio.sleep(0.5)
        limits.observe(200, {}, {"x"})
        assert await waiting == 1.5
        assert limits.reserve("c1", {"y": 7.0}, 1, {}) is None
        waiting = asyncio.create_task(asked(limits, Lane.DATA, y=1.0))
        await asyncio.sleep(0.5)
        limits.release("c1")
        assert await waiting == 2.0

    run(test)


def test_a_silence_reaches_those_who_wait() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.CANCEL, {"x": 10.0})
        waiting = asyncio.create_task(asked(limits, Lane.CANCEL, x=1.0))
        await asyncio.sleep(0.5)
        limits.silence(418)
        with pytest.raises(RateLimited, match=r"^venue has banned requests; not sent, may be had in 120\.0 s$"):
            await waiting
        assert now() == 0.5

    run(test)


def test_every_limit_as_it_stands() -> None:
    async def test(limits: RateLimitManager) -> None:
        await limits.turn(Lane.DATA, {"x": 2.0})
        limits.silence(429, LoopClock(asyncio.get_running_loop()).time_ms() + 3_000)
        assert limits.left() == [LimitLeft("x/25s", 2.0, 7.0, 10, 25.25, 3.0), LimitLeft("y", 0.0, 7.0, 10, 0.0, 3.0)]
        await asyncio.sleep(4.0)
        assert [left.banned_s for left in limits.left()] == [0.0, 0.0]
        assert limits.exchange == "venue"

    run(test)


def test_what_can_never_be_had_is_a_mistake_of_ours() -> None:
    async def test(limits: RateLimitManager) -> None:
        with pytest.raises(ValueError, match=r"^venue has no rate limit group 'z'; it has x, y$"):
            limits.refusal(Lane.CANCEL, {"z": 1.0})
        with pytest.raises(ValueError, match=r"^venue: 10\.5 units of x are more than the whole limit x/25s$"):
            limits.refusal(Lane.CANCEL, {"x": 10.5})
        assert limits.refusal(Lane.CANCEL, {"x": 10.0}) is None

    run(test)


def test_one_timer_is_set_however_many_wait() -> None:
    async def test(limits: RateLimitManager) -> None:
        loop = asyncio.get_running_loop()
        set_so_far: list[tuple[float, asyncio.TimerHandle]] = []
        later = loop.call_later

        def call_later(delay: float, call: Callable[..., Any], *args: Any, **named: Any) -> asyncio.TimerHandle:
            handle = later(delay, call, *args, **named)
            if call == limits._serve:
                set_so_far.append((delay, handle))
            return handle

        loop.call_later = call_later  # type: ignore[assignment, method-assign]
        await limits.turn(Lane.CANCEL, {"x": 10.0})
        waiting = [asyncio.create_task(limits.turn(Lane.CANCEL, {"x": 1.0})) for _ in range(3)]
        await asyncio.sleep(0.0)
        assert [delay for delay, _ in set_so_far] == [25.25] * 3
        assert [handle.cancelled() for _, handle in set_so_far] == [True, True, False]
        await asyncio.gather(*waiting)
        assert now() == pytest.approx(set_so_far[-1][1].when())

    run(test)
