"""A venue's limits: never broken, never believed larger than the venue says, and a cancel is always first."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.rate_limit import Lane, RateLimit, Shares, VenueLimits
from arbtui.exchanges.rate_limits import PATIENCE_S, RateLimitManager
from arbtui.exchanges.venues import documented_limits
from arbtui.model.clock import LoopClock, SystemClock
from arbtui.model.errors import RateLimited
from arbtui.model.virtual_loop import run_virtual


def _virtual(test: Callable[[RateLimitManager], Coroutine[Any, Any, Any]], exchange: str = "venue", *limits: RateLimit) -> Any:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        venue = VenueLimits(limits) if exchange == "venue" else documented_limits(exchange)
        if limits:
            venue = replace(venue, limits=limits)
        return await test(RateLimitManager(exchange, LoopClock(loop), venue))

    return run_virtual(main())


def _now() -> float:
    return asyncio.get_running_loop().time()


TEN_A_SECOND = RateLimit("x", "x", 10, 1.0, Shares(0.8, 0.7, 0.5))


def _used(limits: RateLimitManager) -> dict[str, float]:
    return {left.name: left.used for left in limits.left() if left.used}


class TestReservations:
    def test_what_a_cycle_took_and_never_sent_is_given_back(self) -> None:
        """Refused attempts used to eat a venue's limit: at 60 symbols 8 cycles stood for 69 of 100 orders."""

        async def test(limits: RateLimitManager) -> None:
            order = {"weight": 1.0, "orders": 1.0}
            for number in range(1_000):
                assert limits.reserve(f"c{number}", order, 2, order) is None
                limits.release(f"c{number}")
                await asyncio.sleep(0.003)
            assert _used(limits) == {}
            assert limits.reserve("c", order, 2, order) is None
            assert limits.redeem("c")
            limits.release("c")
            limits.release("c")
            assert _used(limits) == {"weight/1m": 1, "raw/5m": 1, "orders/10s": 1, "orders/1d": 1}

        _virtual(test, "binance")

    def test_each_share_serves_once_and_a_cycle_without_any_has_none(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            assert limits.redeem("c1") is False
            assert limits.reserve("c1", {"x": 1.0}, 2, {}) is None
            assert [limits.redeem("c1") for _ in range(3)] == [True, True, False]
            assert limits.redeem("c2") is False

        _virtual(test, "venue", TEN_A_SECOND)

    def test_a_share_that_was_not_sent_is_the_cycle_s_again_and_one_that_was_is_not(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            limits.restore("c1")
            assert limits.redeem("c1") is False
            assert limits.reserve("c1", {"x": 1.0}, 2, {}) is None
            assert limits.redeem("c1")
            assert limits.redeem("c1")
            limits.restore("c1")
            limits.release("c1")
            limits.restore("c1")
            assert limits.redeem("c1") is False
            assert [one.used for one in limits.left()] == [1]
            spent = await limits.turn(Lane.HEDGE, {"x": 3.0})
            assert [one.used for one in limits.left()] == [4]
            limits.give_back(spent)
            assert [one.used for one in limits.left()] == [1]

        _virtual(test, "venue", TEN_A_SECOND)

    def test_what_is_given_back_lets_pass_who_waits_for_it(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            spent = await limits.turn(Lane.CANCEL, {"x": 10.0})
            waiting = asyncio.create_task(limits.turn(Lane.CANCEL, {"x": 10.0}))
            await asyncio.sleep(0)
            began = asyncio.get_running_loop().time()
            limits.give_back(spent)
            await waiting
            assert asyncio.get_running_loop().time() == began

        _virtual(test, "venue", TEN_A_SECOND)

    def test_what_is_given_back_late_is_gone_already_and_takes_nothing_from_others(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            assert limits.reserve("c1", {"x": 2.0}, 1, {}) is None
            await asyncio.sleep(2)
            assert limits.reserve("c2", {"x": 3.0}, 1, {}) is None
            limits.release("c1")
            assert _used(limits) == {"x": 3.0}
            await asyncio.sleep(0.5)
            assert limits.reserve("c3", {"x": 4.0}, 1, {}) is None
            limits.release("c2")
            assert _used(limits) == {"x": 4.0}
            await asyncio.sleep(0.6)  # c2's second is over, c3's is not
            assert _used(limits) == {"x": 4.0}

        _virtual(test, "venue", TEN_A_SECOND)

    def test_who_waits_goes_on_when_a_share_comes_back(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            assert limits.reserve("c1", {"x": 1.0}, 7, {}) is None
            waiting = asyncio.create_task(limits.turn(Lane.HEDGE, {"x": 3.0}))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            limits.release("c1")
            await waiting
            assert _now() == pytest.approx(0.1)

        _virtual(test, "venue", TEN_A_SECOND)


class TestTheHardLimit:
    @settings(max_examples=150)
    @given(
        asks=st.lists(st.tuples(st.floats(0, 5), st.sampled_from(list(Lane)), st.integers(1, 5)), max_size=60),
        told=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 12)), max_size=5),
        window_s=st.sampled_from([0.5, 1.0, 3.0]),
    )
    def test_no_window_anywhere_holds_more_than_it(
        self, asks: list[tuple[float, Lane, int]], told: list[tuple[float, int]], window_s: float
    ) -> None:
        sent: list[tuple[float, int]] = []

        async def test(limits: RateLimitManager) -> None:
            async def ask(at: float, lane: Lane, cost: int) -> None:
                await asyncio.sleep(at)
                try:
                    await limits.turn(lane, {"weight": cost})
                except RateLimited:
                    return
                sent.append((_now(), cost))

            async def tell(at: float, used: int) -> None:
                await asyncio.sleep(at)
                limits.observe(200, {"X-MBX-USED-WEIGHT-1M": str(used)})

            async with asyncio.TaskGroup() as group:
                for one in asks:
                    group.create_task(ask(*one))
                for each in told:
                    group.create_task(tell(*each))

        _virtual(test, "binance", RateLimit("weight/1m", "weight", 10, window_s))
        for start, _ in sent:
            assert sum(cost for at, cost in sent if start <= at < start + window_s) <= 10

    def test_a_group_with_two_limits_keeps_both(self) -> None:
        async def test(limits: RateLimitManager) -> list[float]:
            times = []
            for _ in range(7):
                await limits.turn(Lane.CANCEL, {"x": 1})
                times.append(_now())
            return times

        times = _virtual(test, "venue", RateLimit("a", "x", 2, 1.0), RateLimit("b", "x", 5, 10.0))
        assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[2:], strict=False))
        assert all(later - earlier >= 10.0 for earlier, later in zip(times, times[5:], strict=False))

    def test_requests_are_counted_however_heavy_they_are(self) -> None:
        async def test(limits: RateLimitManager) -> str | None:
            for _ in range(3):
                await limits.turn(Lane.CANCEL, {"x": 0.1})
            return limits.refusal(Lane.CANCEL, {"x": 0.1})

        assert "raw" in _virtual(test, "venue", RateLimit("weight", "x", 100, 1.0), RateLimit("raw", "x", 3, 1.0, per_request=True))

    def test_what_can_never_be_had_is_a_programming_error(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            with pytest.raises(ValueError, match="more than the whole limit"):
                await limits.turn(Lane.CANCEL, {"x": 11})
            with pytest.raises(ValueError, match="no rate limit group 'y'"):
                limits.refusal(Lane.DATA, {"y": 1})

        _virtual(test, "venue", TEN_A_SECOND)

    def test_a_venue_without_documented_limits_is_refused(self) -> None:
        with pytest.raises(ValueError, match="nowhere"):
            documented_limits("nowhere")


class TestLanes:
    def test_each_lane_stops_at_its_share(self) -> None:
        async def test(limits: RateLimitManager) -> dict[Lane, int]:
            had = {}
            for lane in reversed(Lane):
                had[lane] = 0
                while limits.refusal(lane, {"x": 1}) is None:
                    await limits.turn(lane, {"x": 1})
                    had[lane] += 1
            return had

        assert _virtual(test, "venue", TEN_A_SECOND) == {Lane.CHECK: 3, Lane.DATA: 2, Lane.ENTRY: 2, Lane.HEDGE: 1, Lane.CANCEL: 2}

    def test_a_small_limit_leaves_each_lane_its_one_request(self) -> None:
        async def test(limits: RateLimitManager) -> str | None:
            return limits.refusal(Lane.DATA, {"x": 1})

        assert _virtual(test, "venue", RateLimit("x", "x", 1, 2.0)) is None

    def test_a_waiting_cancel_goes_first_then_a_hedge_then_an_entry_then_data(self) -> None:
        async def test(limits: RateLimitManager) -> list[Lane]:
            order: list[Lane] = []

            async def ask(lane: Lane) -> None:
                await limits.turn(lane, {"x": 1})
                order.append(lane)

            await limits.turn(Lane.CANCEL, {"x": 1})
            async with asyncio.TaskGroup() as group:
                for lane in (Lane.DATA, Lane.ENTRY, Lane.HEDGE, Lane.CANCEL):
                    group.create_task(ask(lane))
            return order

        assert _virtual(test, "venue", RateLimit("x", "x", 1, 0.05)) == [Lane.CANCEL, Lane.HEDGE, Lane.ENTRY, Lane.DATA]

    def test_a_small_request_does_not_overtake_a_large_one_that_waits(self) -> None:
        async def test(limits: RateLimitManager) -> list[str]:
            order: list[str] = []

            async def ask(name: str, lane: Lane, cost: float) -> None:
                await limits.turn(lane, {"x": cost})
                order.append(name)

            await limits.turn(Lane.HEDGE, {"x": 4})
            async with asyncio.TaskGroup() as group:
                group.create_task(ask("hedge", Lane.HEDGE, 6))
                await asyncio.sleep(0)
                assert "hedge waits" in (limits.refusal(Lane.ENTRY, {"x": 1}) or "")
                group.create_task(ask("snapshot", Lane.DATA, 1))
            return order

        assert _virtual(test, "venue", TEN_A_SECOND) == ["hedge", "snapshot"]

    def test_nobody_waits_for_a_group_that_he_does_not_use(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            await limits.turn(Lane.CANCEL, {"x": 10})
            waiting = asyncio.ensure_future(limits.turn(Lane.CANCEL, {"x": 1}))
            await asyncio.sleep(0)
            assert limits.refusal(Lane.DATA, {"y": 1}) is None
            await waiting

        _virtual(test, "venue", TEN_A_SECOND, RateLimit("y", "y", 1, 1.0))

    def test_a_cancel_is_never_refused_while_entries_and_data_ask_for_all_they_can_get(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            async def press(lane: Lane) -> None:
                while True:
                    try:
                        await limits.turn(lane, {"x": 1})
                    except RateLimited as error:
                        await asyncio.sleep(max(error.retry_s, 0.01))

            press_all = [asyncio.ensure_future(press(lane)) for lane in (Lane.ENTRY, Lane.DATA, Lane.HEDGE) for _ in range(20)]
            longest = 0.0
            for _ in range(100):
                await asyncio.sleep(0.6)
                asked = _now()
                await limits.turn(Lane.CANCEL, {"x": 1})
                longest = max(longest, _now() - asked)
            for task in press_all:
                task.cancel()
            await asyncio.gather(*press_all, return_exceptions=True)
            return longest

        assert _virtual(test, "venue", TEN_A_SECOND) == 0.0, "the cancels' reserve must be there at once, always"


class TestPatience:
    def test_an_entry_that_would_come_too_late_is_refused_at_once(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            await limits.turn(Lane.ENTRY, {"x": 7})
            with pytest.raises(RateLimited, match="x is spent") as caught:
                await limits.turn(Lane.ENTRY, {"x": 1})
            assert 0.9 < caught.value.retry_s < 1.1
            return _now()

        assert _virtual(test, "venue", TEN_A_SECOND) == 0.0

    def test_one_behind_others_is_refused_when_its_patience_ends(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            await limits.turn(Lane.CANCEL, {"x": 10})
            waiting = asyncio.ensure_future(limits.turn(Lane.CANCEL, {"x": 1}))
            await asyncio.sleep(0)
            with pytest.raises(RateLimited):
                await limits.turn(Lane.ENTRY, {"y": 1, "x": 1})
            refused = _now()
            await waiting
            return refused

        assert _virtual(test, "venue", TEN_A_SECOND, RateLimit("y", "y", 5, 1.0)) <= PATIENCE_S[Lane.ENTRY]

    def test_one_that_gives_up_leaves_the_way_free(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            await limits.turn(Lane.CANCEL, {"x": 5})
            large = asyncio.ensure_future(limits.turn(Lane.CANCEL, {"x": 10}))
            await asyncio.sleep(0)
            small = asyncio.ensure_future(limits.turn(Lane.CANCEL, {"x": 1}))
            await asyncio.sleep(0.1)
            large.cancel()
            await small
            return _now()

        assert _virtual(test, "venue", TEN_A_SECOND) == 0.1


class TestTheVenuesOwnCount:
    def test_what_others_spent_counts_until_the_venues_minute_is_over(self) -> None:
        async def test(limits: RateLimitManager) -> tuple[str | None, str | None]:
            await asyncio.sleep(30)
            limits.observe(200, {"x-mbx-used-weight-1m": "4200"})
            during = limits.refusal(Lane.ENTRY, {"weight": 1})
            await asyncio.sleep(31.5)
            return during, limits.refusal(Lane.ENTRY, {"weight": 1})

        during, after = _virtual(test, "binance")
        assert "weight/1m is spent" in during
        assert after is None

    def test_a_larger_budget_than_our_own_count_is_not_believed(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            await limits.turn(Lane.CANCEL, {"weight": 6000})
            limits.observe(200, {"X-MBX-USED-WEIGHT-1M": "1"})
            return limits.left()[0].used

        assert _virtual(test, "binance") == 6000

    def test_our_own_requests_in_the_venues_count_are_not_counted_twice(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            await limits.turn(Lane.ENTRY, {"weight": 100, "orders": 1})
            limits.observe(200, {"X-MBX-USED-WEIGHT-1M": "100", "X-MBX-ORDER-COUNT-10S": "1"})
            limits.observe(200, {"X-MBX-USED-WEIGHT-1M": "150"})
            limits.observe(200, {"X-MBX-USED-WEIGHT-1M": "120"})  # an older answer that came later
            return limits.left()[0].used

        assert _virtual(test, "binance") == 150

    def test_orders_of_the_day_are_known_from_the_first_answer_on(self) -> None:
        async def test(limits: RateLimitManager) -> tuple[str | None, str | None]:
            limits.observe(200, {"X-MBX-ORDER-COUNT-1D": "200000"})
            return limits.refusal(Lane.HEDGE, {"orders": 1}), limits.refusal(Lane.CANCEL, {"weight": 1})

        hedge, cancel = _virtual(test, "binance")
        assert "orders/1d" in hedge
        assert cancel is None, "a cancel costs weight, never an order"

    @pytest.mark.parametrize(
        ("header", "limit", "used"),
        [
            ("group=order; min=1800; sec=11", "order", 1),
            ("group=default; min=1800; sec=0", "default", 30),
            ("group=candles; min=600; sec=8", "quotation", 2),
            ("group=order-cancel-all; min=30; sec=0", "order-cancel-all", 1),
            ("group=order; min=1800; sec=many", "order", 0),
            ("nonsense", "order", 0),
            ("group=order; sec=-3", "order", 0),
            ("group=order; sec=99", "order", 0),
        ],
    )
    def test_upbit_tells_what_is_left_of_the_second(self, header: str, limit: str, used: float) -> None:
        async def test(limits: RateLimitManager) -> float:
            limits.observe(200, {"Remaining-Req": header})
            return {each.name: each for each in limits.left()}[limit].used

        assert _virtual(test, "upbit") == used

    def test_left_shows_every_limit_and_when_it_is_empty_again(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            await limits.turn(Lane.ENTRY, {"order": 2})
            order = next(each for each in limits.left() if each.name == "order")
            assert (order.used, order.hard, order.banned_s) == (2, 12, 0)
            assert order.soft == pytest.approx(8.4)
            assert 1.0 <= order.resets_s < 1.2

        _virtual(test, "upbit")


class TestABan:
    @pytest.mark.parametrize("status", [429, 418, 503])
    def test_nothing_leaves_until_retry_after_and_then_a_cancel_tries_first(self, status: int) -> None:
        async def test(limits: RateLimitManager) -> None:
            limits.observe(status, {"Retry-After": "10"})
            assert limits.banned_until == 10.0
            assert "banned" in (limits.refusal(Lane.CANCEL, {"weight": 1}) or "")
            data = asyncio.ensure_future(limits.turn(Lane.DATA, {"weight": 1}))
            await asyncio.sleep(0)
            await limits.turn(Lane.CANCEL, {"weight": 1})
            assert _now() == 10.0
            await data
            assert _now() >= 11.0

        _virtual(test, "binance")

    def test_a_longer_ban_than_ones_patience_is_told_at_once(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            limits.observe(418, {"Retry-After": "300"})
            for lane in Lane:
                with pytest.raises(RateLimited, match="banned") as caught:
                    await limits.turn(lane, {"weight": 1})
                assert 300 <= caught.value.retry_s <= 303
            assert _now() == 0.0

        _virtual(test, "binance")

    def test_a_share_that_a_cycle_took_before_it_is_not_sent_in_it(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            order = {"weight": 1.0, "orders": 1.0}
            assert limits.reserve("c1", order, 2, order) is None
            limits.silence(418, LoopClock(asyncio.get_running_loop()).time_ms() + 300_000)
            assert limits.redeem("c1")
            with pytest.raises(RateLimited, match="banned"):
                await limits.turn(Lane.ENTRY, {})  # what a redeemed entry still costs
            assert limits.reserve("c2", order, 1, order) is not None
            assert _now() == 0.0

        _virtual(test, "binance")

    def test_one_request_a_second_until_an_answer_shows_that_it_is_over(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            limits.observe(429, {"Retry-After": "1"})
            times = []
            for _ in range(3):
                await limits.turn(Lane.CANCEL, {"weight": 1})
                times.append(_now())
            assert times == pytest.approx([1, 2, 3])
            limits.observe(200, {})
            for lane in Lane:
                assert limits.refusal(lane, {"weight": 1}) is None

        _virtual(test, "binance")

    def test_a_ban_that_starts_while_one_waits_reaches_it(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            await limits.turn(Lane.CANCEL, {"order": 12})
            waiting = asyncio.ensure_future(limits.turn(Lane.CANCEL, {"order": 1}))
            await asyncio.sleep(0.5)
            limits.observe(418, {"Retry-After": "100"})
            with pytest.raises(RateLimited):
                await waiting
            assert _now() == 0.5

        _virtual(test, "upbit")

    def test_without_a_time_each_ban_in_a_row_lasts_twice_as_long(self) -> None:
        async def test(limits: RateLimitManager) -> list[float]:
            lasted = []
            for _ in range(4):
                limits.observe(418, {})
                limits.observe(418, {})  # an answer to a request that was on its way: the same ban
                lasted.append(limits.banned_until - _now())
                await asyncio.sleep(limits.banned_until - _now())
            limits.observe(200, {})
            limits.observe(418, {"Retry-After": "soon"})
            lasted.append(limits.banned_until - _now())
            return lasted

        assert _virtual(test, "upbit") == pytest.approx([120, 240, 480, 960, 120])

    def test_a_429_of_upbit_silences_the_group_that_was_asked_and_a_418_the_venue(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            limits.observe(429, {"Retry-After": "10"}, {"order"})
            assert "banned requests of the group order" in (limits.refusal(Lane.HEDGE, {"order": 1}) or "")
            for group in ("default", "order-cancel-all", "quotation"):
                assert limits.refusal(Lane.CANCEL, {group: 1}) is None, "a cancel is not of that group"
            assert limits.banned_until == 10.0
            assert {left.name for left in limits.left() if left.banned_s} == {"order"}
            limits.observe(200, {}, {"default"})
            await asyncio.sleep(12.1)
            await limits.turn(Lane.ENTRY, {"order": 1})
            assert limits.refusal(Lane.ENTRY, {"order": 1}), "one a second until an answer of that group confirms the end"
            limits.observe(200, {}, {"default"})
            assert limits.refusal(Lane.ENTRY, {"order": 1})
            limits.observe(200, {}, {"order"})
            assert limits.refusal(Lane.ENTRY, {"order": 1}) is None
            limits.observe(418, {"Retry-After": "10"}, {"order"})
            assert limits.refusal(Lane.CANCEL, {"default": 1})

        _virtual(test, "upbit")

    def test_too_many_orders_at_binance_leave_cancels_and_queries_free(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            order = {"weight": 1.0, "orders": 1.0}
            assert limits.reserve("c1", order, 1, order) is None
            limits.observe(429, {"Retry-After": "7"}, order, "-1015")
            assert limits.refusal(Lane.CANCEL, {"weight": 1}) is None
            assert limits.refusal(Lane.DATA, {"weight": 5}) is None
            assert limits.redeem("c1")
            with pytest.raises(RateLimited, match="banned"):
                await limits.turn(Lane.ENTRY, dict.fromkeys(order, 0.0))  # a share that was taken before it is not sent in it
            limits.observe(429, {"Retry-After": "7"}, {"weight"}, "-1003")
            assert limits.refusal(Lane.CANCEL, {"weight": 1})

        _virtual(test, "binance")

    def test_a_share_taken_before_costs_nothing_more_when_it_leaves(self) -> None:
        async def test(limits: RateLimitManager) -> None:
            order = {"weight": 1.0, "orders": 1.0}
            assert limits.reserve("c1", order, 1, {}) is None
            before = _used(limits)
            await limits.turn(Lane.ENTRY, dict.fromkeys(order, 0.0))
            assert _used(limits) == before

        _virtual(test, "binance")

    def test_a_date_is_understood_too(self) -> None:
        async def test(limits: RateLimitManager) -> float:
            limits.observe(429, {"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"})
            return limits.banned_until

        assert _virtual(test, "binance") == 30.0

    @pytest.mark.parametrize("value", ["nan", "-5", "1e300"])
    def test_a_senseless_time_neither_hammers_nor_silences_for_good(self, value: str) -> None:
        async def test(limits: RateLimitManager) -> float:
            limits.observe(429, {"Retry-After": value})
            return limits.banned_until

        assert 0.0 <= _virtual(test, "binance") <= 3 * 86_400

    def test_waiting_costs_no_turns_of_the_loop(self) -> None:
        async def test(limits: RateLimitManager) -> int:
            limits.observe(429, {"Retry-After": "20"})
            loop, turns = asyncio.get_running_loop(), 0
            select = loop._selector.select  # type: ignore[attr-defined]

            def counted(timeout: float | None) -> Any:
                nonlocal turns
                turns += 1
                return select(timeout)

            loop._selector.select = counted  # type: ignore[attr-defined]
            await limits.turn(Lane.CANCEL, {"weight": 1})
            return turns

        assert _virtual(test, "binance") < 10


class TestRealTime:
    def test_the_same_limits_hold_on_a_real_loop(self) -> None:
        async def test() -> float:
            limits = RateLimitManager("venue", SystemClock(), VenueLimits([RateLimit("x", "x", 2, 0.05)]))
            started = _now()
            for _ in range(6):
                await limits.turn(Lane.CANCEL, {"x": 1})
            return _now() - started

        assert asyncio.run(test()) >= 0.1
