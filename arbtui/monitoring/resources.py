"""CPU, memory and open files of this process."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import psutil

SAMPLE_EVERY_S = 1.0
FILES_EVERY_S = 30.0
"""Counting open files walks a directory, up to 20 ms: seldom, and in a thread."""


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """CPU in percent of one core since the sample before, resident memory in MB (10^6 bytes), open descriptors."""

    cpu_percent: float
    rss_mb: float
    fds: int


class ResourceSampler:
    """Samples once a second while :meth:`run` runs; keeps averages and extremes of the whole run, not the samples."""

    def __init__(self, on_sample: Callable[[ResourceSample], None] | None = None) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent(None)
        self.on_sample = on_sample
        self._fds = 0
        self.samples = 0
        self.cpu_total = self.cpu_max = 0.0
        self.rss_total = self.rss_max = 0.0
        self.last = ResourceSample(0.0, self.rss_now(), 0)

    def rss_now(self) -> float:
        """Resident memory now, in MB."""
        return float(self._process.memory_info().rss) / 1e6

    @property
    def cpu_avg(self) -> float:
        """Mean CPU percent over the run; 0 before the first sample."""
        return self.cpu_total / self.samples if self.samples else 0.0

    @property
    def rss_avg(self) -> float:
        """Mean resident memory over the run, in MB; now's before the first sample."""
        return self.rss_total / self.samples if self.samples else self.last.rss_mb

    def sample(self) -> ResourceSample:
        """Measure CPU and memory now (about 0.1 ms); open files are those last counted."""
        with self._process.oneshot():
            self.last = ResourceSample(self._process.cpu_percent(None), self.rss_now(), self._fds)
        self.samples += 1
        self.cpu_total += self.last.cpu_percent
        self.cpu_max = max(self.cpu_max, self.last.cpu_percent)
        self.rss_total += self.last.rss_mb
        self.rss_max = max(self.rss_max, self.last.rss_mb)
        if self.on_sample is not None:
            self.on_sample(self.last)
        return self.last

    async def run(self) -> None:
        """Sample until cancelled."""
        loop = asyncio.get_running_loop()
        due, files_due = loop.time(), loop.time()
        while True:
            if loop.time() >= files_due:
                self._fds = await asyncio.to_thread(count_open_files)
                files_due = loop.time() + FILES_EVERY_S
            self.sample()
            due = max(due + SAMPLE_EVERY_S, loop.time())
            await asyncio.sleep(due - loop.time())


def count_open_files() -> int:
    """Open descriptors of this process."""
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return len(os.listdir(folder)) - 1  # listing opens one itself
