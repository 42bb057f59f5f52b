"""The process's own figures."""

import asyncio
import os
import time
from pathlib import Path

from arbtui.monitoring.resources import ResourceSample, ResourceSampler, count_open_files


def test_cpu_memory_and_files_of_this_process() -> None:
    samples: list[ResourceSample] = []
    sampler = ResourceSampler(samples.append)
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    sampler.sample()
    assert samples[0].cpu_percent > 5
    assert 10 < samples[0].rss_mb < 10_000
    assert sampler.cpu_max == sampler.cpu_avg == samples[0].cpu_percent
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
