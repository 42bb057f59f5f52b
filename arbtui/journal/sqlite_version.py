"""Which SQLite the program runs on, and whether that one can damage a write-ahead log.

"WAL-reset" (SQLite's page on the write-ahead log, "The WAL-Reset Bug"): in 3.7.0 to 3.51.2, but for 3.44.6 and 3.50.7, two connections
of which one writes while the other resets the log may leave a damaged database. One connection alone cannot: ours is the only one
that writes or checkpoints (the profile's lock keeps a second process away, readers are opened read-only and cannot checkpoint).
"""

import sqlite3
from typing import Any

_FIRST, _MENDED = (3, 7, 0), (3, 51, 3)
#: Mended in a branch from this version on.
_BACKPORTS: dict[tuple[int, ...], tuple[int, ...]] = {(3, 44): (3, 44, 6), (3, 50): (3, 50, 7)}


def has_wal_reset_fault(version: tuple[int, ...]) -> bool:
    """True for a version of SQLite in which two writing connections may damage a database."""
    mended = _BACKPORTS.get(version[:2], _MENDED)
    return _FIRST <= version < mended


def sqlite_facts() -> dict[str, Any]:
    """What `status` and `journal verify` tell of it."""
    version = sqlite3.sqlite_version_info
    return {"version": sqlite3.sqlite_version, "wal_reset_fault": has_wal_reset_fault(version), "writing_connections": 1}
