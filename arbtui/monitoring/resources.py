"""CPU, memory and open files of this process."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

SAMPLE_EVERY_S = 1.0
SAMPLES_A_RUN = 25
"""Least number of samples of a run whose length is known, also when it is shorter than that many seconds."""

SHORTEST_S = 0.05
"""Least seconds between two samples; over less, percentages of CPU are meaningless."""

LONGEST_SERIES = 400
"""Most samples kept; beyond it every second one is dropped, so that the curve of a run of days has a bounded size."""

FILES_EVERY_S = 30.0
"""Counting open files walks a directory, up to 20 ms: seldom, and in a thread."""


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """CPU in percent of one core since the sample before, resident memory in MB (10^6 bytes), open descriptors."""

    cpu_percent: float
    rss_mb: float
    fds: int


def sampling_interval(run_s: float | None) -> float:
    """Seconds between two samples of a run of ``run_s`` seconds (None: until it is stopped)."""
    return SAMPLE_EVERY_S if run_s is None else max(SHORTEST_S, min(SAMPLE_EVERY_S, run_s / SAMPLES_A_RUN))


class ResourceSampler:
    """Samples while :meth:`run` runs; keeps averages and extremes of the whole run, and of the samples a thinned series.

    Args:
        on_sample: called with each sample.
        every_s: seconds between two.
    """

    def __init__(self, on_sample: Callable[[ResourceSample], None] | None = None, every_s: float = SAMPLE_EVERY_S) -> None:
        self._process = psutil.Process()
        self._started = self._at = time.perf_counter()
        self._cpu_s = time.process_time()
        self._every_s = every_s
        self._stride = 1
        self.series: list[tuple[float, float, float]] = []  #: seconds since the start, CPU percent, resident MB
        self.on_sample = on_sample
        self._fds = 0
        self._rss_mb = 0.0
        self.samples = 0
        self.cpu_max = 0.0
        self.rss_total = self.rss_max = 0.0
        self.last = ResourceSample(0.0, self.rss_now(), 0)

    def rss_now(self) -> float:
        """Resident memory now, in MB; as last measured where the system does not tell: a gauge must not end a run without descriptors."""
        with suppress(OSError, psutil.Error):
            self._rss_mb = float(self._process.memory_info().rss) / 1e6
        return self._rss_mb

    @property
    def rss_avg(self) -> float:
        """Mean resident memory over the run, in MB; now's before the first sample."""
        return self.rss_total / self.samples if self.samples else self.last.rss_mb

    def sample(self) -> ResourceSample:
        """Measure CPU and memory now (about 0.1 ms); open files are those last counted."""
        now, cpu_s = time.perf_counter(), time.process_time()
        passed = now - self._at
        # Two samples at one moment (the first of all, or the last at an irregular end) have no interval to take a percentage of.
        cpu = (cpu_s - self._cpu_s) / passed * 100 if passed >= SHORTEST_S / 2 else self.last.cpu_percent
        if passed >= SHORTEST_S / 2:
            self._at, self._cpu_s = now, cpu_s
        self.last = ResourceSample(cpu, self.rss_now(), self._fds)
        self._keep(now - self._started)
        self.samples += 1
        self.cpu_max = max(self.cpu_max, self.last.cpu_percent)
        self.rss_total += self.last.rss_mb
        self.rss_max = max(self.rss_max, self.last.rss_mb)
        if self.on_sample is not None:
            self.on_sample(self.last)
        return self.last

    def _keep(self, second: float) -> None:
        if self.samples % self._stride:
            return
        self.series.append((round(second, 3), round(self.last.cpu_percent, 2), round(self.last.rss_mb, 3)))
        if len(self.series) > LONGEST_SERIES:
            del self.series[1::2]
            self._stride *= 2

    async def run(self) -> None:
        """Sample until cancelled."""
        loop = asyncio.get_running_loop()
        due, files_due = loop.time(), loop.time()
        while True:
            if loop.time() >= files_due:
                with suppress(OSError):  # none is left to look with
                    self._fds = await asyncio.to_thread(count_open_files)
                files_due = loop.time() + FILES_EVERY_S
            self.sample()
            due = max(due + self._every_s, loop.time())
            await asyncio.sleep(due - loop.time())


def count_open_files() -> int:
    """Open descriptors of this process."""
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return len(os.listdir(folder)) - 1  # listing opens one itself
