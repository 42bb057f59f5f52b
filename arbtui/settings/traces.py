"""What the last engine of a profile left beside its journals, for the crash detector."""

from pathlib import Path

from arbtui.failover.crash_detector import Traces
from arbtui.settings.heartbeat import HEARTBEAT_NAME, read_heartbeat
from arbtui.settings.lock import LockWord


def traces_left(folder: Path, left: LockWord | None) -> Traces:
    """What the last engine on a profile's ``folder`` left: ``left`` in its lock, and its heartbeat; before a new one beats."""
    beat = read_heartbeat(folder)
    try:
        beat_ms = (folder / HEARTBEAT_NAME).stat().st_mtime_ns // 1_000_000
    except OSError:
        beat_ms = None
    pid, boot = (None, "") if left is None else (left.pid, left.boot)
    return Traces(pid, boot, "" if beat is None else beat.phase, beat_ms)
