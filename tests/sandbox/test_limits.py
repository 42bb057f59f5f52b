"""The limits: true weights in the headers, 429 and then 418 for who goes on."""

import aiohttp

from arbtui.sandbox.binance.limits import BinanceLimits
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.upbit.limits import UpbitLimits
from arbtui.sandbox.windows import FixedWindow, RollingWindow
from tests.sandbox.boxes import bench, run


class HandClock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time_ms(self) -> int:
        return round(self.now * 1000)

    def monotonic(self) -> float:
        return self.now


def test_binance_s_headers_count_the_documented_weights() -> None:
    async def scenario() -> None:
        async with bench() as on:
            weights = {
                "ping": 1,
                "exchangeInfo": 20,
                "depth?symbol=BTCUSDT": 5,
                "depth?symbol=BTCUSDT&limit=1000": 50,
                "ticker/bookTicker?symbol=BTCUSDT": 2,
                "ticker/bookTicker": 4,
                "ticker/24hr": 80,
            }
            used = int((await on.binance.ask("ping")).headers["X-MBX-USED-WEIGHT-1M"])
            for path, weight in weights.items():
                now = int((await on.binance.ask(path)).headers["X-MBX-USED-WEIGHT-1M"])
                assert now in (used + weight, weight), path  # a new minute may have begun
                used = now
            placed = await on.binance.buy("10", "4")
            assert (placed.headers["X-MBX-ORDER-COUNT-10S"], placed.headers["X-MBX-ORDER-COUNT-1D"]) == ("1", "1")
            assert "X-MBX-ORDER-COUNT-10S" not in (await on.binance.call("GET", "account")).headers

    run(scenario)


def test_binance_goes_from_429_to_418() -> None:
    clock = HandClock()
    limits = BinanceLimits(VenueClock(clock))
    assert limits.take(6000) is None
    answers = [limits.take(1) for _ in range(22)]
    statuses = [answer.status for answer in answers if answer is not None]
    assert statuses == [429] * 20 + [418, 418]
    last = answers[-1]
    assert last is not None
    assert last.headers["Retry-After"] == "120"
    assert b"IP banned until" in last.body
    clock.now += 119
    assert limits.take(1) is not None
    clock.now += 2
    assert limits.take(1) is None


def test_binance_counts_orders() -> None:
    clock = HandClock()
    limits = BinanceLimits(VenueClock(clock))
    assert all(limits.take(1, 1) is None for _ in range(100))
    refused = limits.take(1, 1)
    assert refused is not None
    assert (refused.status, b"-1015" in refused.body) == (429, True)
    assert limits.take(1) is None  # other requests pass
    clock.now += 10
    assert limits.take(1, 1) is None


def test_upbit_s_remaining_req_and_its_429() -> None:
    async def scenario() -> None:
        async with bench() as on:
            reply = await on.upbit.call("GET", "accounts")
            group, least, second = (part.split("=")[1] for part in reply.headers["Remaining-Req"].split("; "))
            assert (group, least) == ("default", "1800")
            assert 0 <= int(second) <= 29
            replies = [await on.upbit.ask("market/all") for _ in range(30)]
            refused = [one for one in replies if one.status == 429]
            assert refused
            assert {one.error for one in refused} == {"too_many_requests"}

    run(scenario)


def test_upbit_blocks_who_goes_on_for_longer_each_time() -> None:
    clock = HandClock()
    limits = UpbitLimits(clock.monotonic)
    for block_s in (10, 20):
        for _ in range(10):
            assert limits.take("market") is None
        assert {getattr(limits.take("market"), "status", 0) for _ in range(20)} == {429}
        assert getattr(limits.take("order"), "status", 0) == 418
        clock.now += block_s - 1
        assert getattr(limits.take("order"), "status", 0) == 418
        clock.now += 2


def test_windows() -> None:
    fixed = FixedWindow(10, 60)
    assert [fixed.add(4, 59_000), fixed.add(4, 59_999), fixed.add(4, 60_000)] == [4, 8, 4]
    assert fixed.left_s(61_000) == 59
    rolling = RollingWindow(2, 1.0)
    assert [rolling.take(now) for now in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [True, True, False, True, False, True]


def test_unknown_paths() -> None:
    async def scenario() -> None:
        async with bench() as on:
            assert (await on.binance.ask("nothing")).status == 404
            assert (await on.upbit.ask("nothing")).error == 404
            assert (await on.upbit.ask("orderbook?markets=KRW-NIX")).error == 404
            assert (await on.binance.ask("depth?symbol=NIXUSDT")).error == -1121
            assert (await on.binance.ask("depth?symbol=BTCUSDT&limit=many")).status == 400
            assert (await on.control("GET", "/nothing")).status == 404
            async with aiohttp.ClientSession() as session, session.get(f"{on.box.control_url}/health") as answer:
                assert (await answer.json())["status"] == "up"

    run(scenario)
