"""The process's own figures."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from arbtui.monitoring.resources import LONGEST_SERIES, ResourceSample, ResourceSampler, count_open_files, sampling_interval


def test_cpu_memory_and_files_of_this_process() -> None:
    samples: list[ResourceSample] = []
    sampler = ResourceSampler(samples.append)
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    sampler.sample()
    assert samples[0].cpu_percent > 5
    assert 10 < samples[0].rss_mb < 10_000
    assert sampler.cpu_max == samples[0].cpu_percent
    assert sampler.rss_max == sampler.rss_avg == samples[0].rss_mb


def test_memory_is_seen_to_grow() -> None:
    sampler = ResourceSampler()
    before = sampler.rss_now()
    ballast = os.urandom(40_000_000)
    assert sampler.rss_now() - before > 30
    del ballast


def test_open_files_are_counted(tmp_path: Path) -> None:
    before = count_open_files()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert count_open_files() == before + 2
    assert count_open_files() == before


def test_the_first_sample_comes_at_once_with_files_counted() -> None:
    async def main() -> ResourceSample:
        taken: asyncio.Queue[ResourceSample] = asyncio.Queue()
        task = asyncio.create_task(ResourceSampler(taken.put_nowait).run())
        first = await asyncio.wait_for(taken.get(), 10)
        task.cancel()
        return first

    assert asyncio.run(main()).fds > 2


def test_a_percentage_needs_an_interval() -> None:
    """Two samples at one moment: the second repeats the first instead of dividing by next to nothing."""
    sampler = ResourceSampler()
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    first = sampler.sample().cpu_percent
    assert [sampler.sample().cpu_percent for _ in range(3)] == [first] * 3
    assert sampler.cpu_max == first


def test_the_series_is_bounded_and_covers_the_whole_run() -> None:
    sampler = ResourceSampler()
    for _ in range(3 * LONGEST_SERIES):
        sampler.sample()
    assert sampler.samples == 3 * LONGEST_SERIES
    assert LONGEST_SERIES / 2 <= len(sampler.series) <= LONGEST_SERIES
    seconds = [second for second, _, _ in sampler.series]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(("run_s", "interval"), [(None, 1.0), (900.0, 1.0), (20.0, 0.8), (5.0, 0.2), (1.0, 0.05)])
def test_a_short_run_has_its_samples_too(run_s: float | None, interval: float) -> None:
    assert sampling_interval(run_s) == interval
    if run_s is not None:
        assert run_s / interval >= 20
