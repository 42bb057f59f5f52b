"""Whether a journal is still being written: its newest event and snapshot, on its own clock and on the machine's."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from arbtui.journal.reader import reading


@dataclass(frozen=True, slots=True)
class JournalLiveness:
    """The last signs of life. ``*_ms`` are on the journal's own clock, which is not the machine's when a run's time is virtual."""

    written_ms: int  #: the machine's clock at the last write to the file, ms
    event_ms: int  #: of the newest event; 0 when there is none
    snapshot_ms: int | None  #: of the newest snapshot; None when there is none
    interval_s: float | None  #: usual time between two snapshots of a run, the last one's if it has two; None without any

    def now_ms(self, wall_ms: int) -> int:
        """What the journal's clock shows when the machine's shows ``wall_ms``."""
        return self.event_ms + max(0, wall_ms - self.written_ms)


def read_liveness(path: Path) -> JournalLiveness:
    """The liveness of the journal at ``path``, beside its writer or without one.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    written_ms = _written_ms(path)  # before it is opened: a reader may leave an empty write-ahead log behind
    with reading(path) as db:
        (event_ms,) = db.execute("SELECT coalesce(max(ts_ms), 0) FROM (SELECT ts_ms FROM event ORDER BY seq DESC LIMIT 1)").fetchone()
        snapshots = [(row[0], row[1]) for row in db.execute("SELECT run_id, ts_ms FROM snapshot ORDER BY snapshot_no")]
    gaps = [(run, (later - earlier) / 1000) for (run, earlier), (same, later) in pairwise(snapshots) if run == same]
    newest = [gap for run, gap in gaps if run == snapshots[-1][0]]
    usual = newest or [gap for _, gap in gaps]
    return JournalLiveness(written_ms, event_ms, snapshots[-1][1] if snapshots else None, median(usual) if usual else None)


def _written_ms(path: Path) -> int:
    written_ms = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):  # a writer that ends takes its log away
            facts = file.stat()
            if facts.st_size:
                written_ms = max(written_ms, facts.st_mtime_ns // 1_000_000)
    return written_ms
