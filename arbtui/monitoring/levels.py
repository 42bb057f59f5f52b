"""What must stay level in a run of hours: memory, descriptors, tasks, threads, the journal's log, the loop's lag."""

import asyncio
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import psutil

#: Most samples kept; beyond it every second one is dropped.
LONGEST_SERIES = 400


@dataclass(frozen=True, slots=True)
class LevelSample:
    """One look. Sizes in MB (10^6 bytes), lag in ms over the last ten seconds."""

    second: float  #: of the run
    anon_mb: float  #: resident memory that belongs to no file: what a leak is in; elsewhere than on Linux, all resident memory
    fds: int
    tasks: int
    threads: int
    wal_mb: float  #: of the journal's write-ahead log
    lag_p99_ms: float


#: Names of a sample's numbers, in the order of :meth:`Levels.facts`.
COLUMNS = tuple(field.name for field in fields(LevelSample))


class Levels:
    """A thinned series of the whole run.

    Args:
        journal: the journal's file, whose log stands beside it.
    """

    def __init__(self, journal: Path) -> None:
        self._process = psutil.Process()
        self._log = journal.with_name(f"{journal.name}-wal")
        self._seen = 0
        self._stride = 1
        self._anon_mb, self._threads = 0.0, 0
        self.series: list[LevelSample] = []

    def look(self, second: float, fds: int, lag_p99_ms: float) -> None:
        """Measure, at ``second`` of the run; descriptors and lag are those that were measured elsewhere (about 0.2 ms).

        What the system does not tell stays as last measured: a measurement must not end a run that may open no more files.
        """
        self._seen += 1
        if self._seen % self._stride:
            return
        with suppress(OSError, psutil.Error):
            memory = self._process.memory_info()
            self._anon_mb = (memory.rss - getattr(memory, "shared", 0)) / 1e6
            self._threads = self._process.num_threads()
        try:
            wal = self._log.stat().st_size
        except OSError:
            wal = 0
        tasks, lag = len(asyncio.all_tasks()), round(lag_p99_ms, 3)
        self.series.append(LevelSample(round(second, 3), self._anon_mb, fds, tasks, self._threads, wal / 1e6, lag))
        if len(self.series) > LONGEST_SERIES:
            del self.series[1::2]
            self._stride *= 2

    def facts(self) -> dict[str, list[object]]:
        """As JSON can hold it: ``columns``, and ``rows`` of numbers in that order."""
        return {"columns": list(COLUMNS), "rows": [list(astuple(sample)) for sample in self.series]}
