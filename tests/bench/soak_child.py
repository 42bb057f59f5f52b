"""The console for tests/bench/console_soak.py: ``python -m tests.bench.soak_child FILE SECONDS ARGUMENTS...``.

Counts, second by second, what the garbage collector found and how long it held its thread, and writes that to FILE at
the end. Everything is kept in arrays of fixed size: the measurement must not be the growth that it measures.
"""

import atexit
import gc
import json
import os
import sys
import time
from array import array
from collections import Counter
from pathlib import Path

import psutil

from arbtui.cli import main
from arbtui.monitoring.resources import ResourceSample
from arbtui.runtime.periodic_tasks import PeriodicTasks

SLACK_S = 30
"""Seconds of start and end beside the run itself."""

LONGEST_KEPT = 12


class CollectorWatch:
    """What the collector did from the first gauge of the run to its last."""

    def __init__(self, seconds: float) -> None:
        size = int(seconds) + SLACK_S
        self._seconds = seconds
        self._thread_s = self._wall_s = 0.0
        self._began = 0.0
        self._is_forced = False
        self._collected = array("q", bytes(8 * size))
        self._rss = array("d", bytes(8 * size))
        self._runs = [0, 0, 0]
        self._cpu_s = [0.0, 0.0, 0.0]
        self._longest: list[tuple[float, float, float, int]] = []  #: thread CPU ms, wall ms, second, generation
        self._left_over = 0
        self._left_over_types: Counter[str] = Counter()
        self._thresholds: tuple[int, ...] = ()
        self._process = psutil.Process()

    def hook(self) -> None:
        """Watch the collector, and be told of each second by the run's own gauges."""
        gc.callbacks.append(self._on_collection)
        sampled = PeriodicTasks.sampled

        def sampled_and_seen(tasks: PeriodicTasks, sample: ResourceSample) -> None:
            sampled(tasks, sample)
            self._on_second()

        PeriodicTasks.sampled = sampled_and_seen  # type: ignore[method-assign,assignment]

    @property
    def _second(self) -> int:
        return min(int(time.monotonic() - self._began), len(self._rss) - 1) if self._began else -1

    def _on_second(self) -> None:
        if not self._began:
            self._began = time.monotonic()
            self._thresholds = gc.get_threshold()  # a session puts them back at its end
        second = self._second
        self._rss[second] = self._process.memory_info().rss / 1e6
        if second >= self._seconds - 2 and not self._is_forced:
            self._count_left_over()

    def _count_left_over(self) -> None:
        """What is unreachable and not collected yet, or frozen: the last figure of the run, so that its pause is nobody's."""
        self._is_forced = True
        gc.unfreeze()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        self._left_over = len(gc.garbage)
        self._left_over_types.update(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
        gc.garbage.clear()

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._thread_s, self._wall_s = time.thread_time(), time.perf_counter()
            return
        if self._is_forced or not self._began:
            return
        cpu, wall = time.thread_time() - self._thread_s, time.perf_counter() - self._wall_s
        generation = info["generation"]
        self._runs[generation] += 1
        self._cpu_s[generation] += cpu
        self._collected[self._second] += info["collected"]
        if len(self._longest) < LONGEST_KEPT or cpu * 1000 > self._longest[-1][0]:
            self._longest.append((cpu * 1000, wall * 1000, float(self._second), generation))
            self._longest = sorted(self._longest, reverse=True)[:LONGEST_KEPT]

    def write(self, file: Path) -> None:
        """All of it, as JSON."""
        told = {
            "collected": list(self._collected),
            "rss_mb": [round(each, 3) for each in self._rss],
            "runs": self._runs,
            "cpu_s": [round(each, 3) for each in self._cpu_s],
            "longest": [[round(cpu, 3), round(wall, 3), at, generation] for cpu, wall, at, generation in self._longest],
            "left_over": self._left_over,
            "left_over_types": dict(self._left_over_types.most_common(20)),
            "thresholds": self._thresholds,
        }
        file.write_text(json.dumps(told))


if __name__ == "__main__":
    file, seconds = Path(sys.argv.pop(1)), float(sys.argv.pop(1))
    if wanted := os.environ.get("SOAK_THRESHOLDS"):  # to compare others with those of the program
        from arbtui.runtime import garbage

        garbage.THRESHOLDS = tuple(map(int, wanted.split(",")))  # type: ignore[assignment]
    watch = CollectorWatch(seconds)
    watch.hook()
    atexit.register(watch.write, file)
    sys.exit(main())
