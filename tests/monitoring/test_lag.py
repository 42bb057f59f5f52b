"""The lag probe tells the truth about a loop that hangs."""

import asyncio
import time

import pytest

from arbtui.model.histogram import BUCKETS, Histogram
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.lag import PERIOD_S, LagProbe


def hang(seconds: float) -> None:
    """Hold the loop in Python."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_a_stall_counts_every_slot_it_swallowed() -> None:
    async def main() -> LagProbe:
        probe = LagProbe()
        probe.start()
        await asyncio.sleep(0.1)
        hang(0.5)
        await asyncio.sleep(0.02)
        probe.stop()
        return probe

    run = asyncio.run(main()).run()
    assert 450 < run.max < 1_500
    assert run.count >= 0.55 / PERIOD_S
    assert run.p50 > 100  # most of the time was the stall: one late sample among ten good ones would say about 0
    assert run.p99 > 400


def test_an_idle_loop_in_virtual_time_is_never_late() -> None:
    async def main() -> LagProbe:
        probe = LagProbe()
        probe.start()
        await asyncio.sleep(3_600)
        return probe

    probe = run_virtual(main())
    assert probe.run().max < 0.001
    assert probe.run().count == pytest.approx(3_600 / PERIOD_S, rel=0.001)


def test_the_window_forgets_and_the_run_does_not() -> None:
    async def main() -> tuple[float, float, float, int]:
        loop = asyncio.get_running_loop()
        probe = LagProbe()
        probe.start()
        await asyncio.sleep(1)
        probe._due -= 0.3  # what a stall of 0.3 s leaves behind; virtual time cannot hang
        await asyncio.sleep(1)
        during = probe.window().max
        await asyncio.sleep(12)
        probe.start()
        assert loop.time() == pytest.approx(14)
        return during, probe.window().max, probe.run().max, probe.window().count

    during, after, whole, count = run_virtual(main())
    assert during > 250
    assert after < 1
    assert whole == pytest.approx(during)
    assert count == pytest.approx(10 / PERIOD_S, rel=0.12)


def test_quantiles_are_within_a_bucket() -> None:
    histogram = Histogram()
    for value in range(1, 1_001):
        histogram.add(value / 10)
    quantiles = histogram.quantiles()
    assert quantiles.p50 == pytest.approx(50, rel=0.05)
    assert quantiles.p99 == pytest.approx(99, rel=0.05)
    assert quantiles.max == 100
    assert quantiles.count == 1_000
    assert Histogram().quantiles().p99 == 0


def test_memory_is_bounded_and_extremes_are_kept() -> None:
    histogram = Histogram()
    for value in (-1.0, 0.0, 1e-9, 1e12):
        histogram.add(value)
    assert len(histogram._counts) == BUCKETS
    assert histogram.quantiles().max == 1e12
    assert histogram.count == 4


def test_a_second_of_standing_still_is_told_once() -> None:
    async def main() -> list[float]:
        told: list[float] = []
        probe = LagProbe()
        probe.on_stall = told.append
        probe.start()
        await asyncio.sleep(1)
        probe._due -= 0.9  # what a stall leaves behind; virtual time cannot hang
        await asyncio.sleep(1)
        assert told == []
        probe._due -= 1.5
        await asyncio.sleep(1)
        return told

    assert run_virtual(main()) == pytest.approx([1.5], abs=0.02)
