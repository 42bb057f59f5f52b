"""Whether stored snapshots are what was stored: the event that tells of one holds the digest of its row."""

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from arbtui.journal.chain import check_one, file_of, is_chained, rows_with_hash_before
from arbtui.journal.database import out_of_step
from arbtui.journal.events import SnapshotTaken


def snapshot_digest(snapshot_no: int, seq: int, ts_ms: int, run_id: str, payload: str) -> str:
    """What the event that tells of a snapshot says of its row: SHA-256, as hex."""
    return sha256(f"{snapshot_no} {seq} {ts_ms} {run_id} {payload}".encode()).hexdigest()


def check_snapshots(connection: sqlite3.Connection) -> None:
    """Compare every snapshot that is kept with the event that tells of it.

    Raises:
        UsageError: one is not what was stored, or its event is not there.
    """
    for number, why in damaged_snapshots(connection):
        raise out_of_step(file_of(connection), f"snapshot {number} is not what was stored: {why}")


def damaged_snapshots(connection: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """The numbers of those that are not what was stored, with why; none in a journal of an earlier format."""
    if not is_chained(connection):
        return
    for row in connection.execute("SELECT snapshot_no, seq, ts_ms, run_id, payload FROM snapshot ORDER BY snapshot_no").fetchall():
        number, seq = row[0], row[1]
        told = next(rows_with_hash_before(connection, f"WHERE seq = {int(seq) + 1}"), None)
        if told is None or told[0][3] != SnapshotTaken.__name__:
            yield number, f"event {int(seq) + 1} does not tell of it"
            continue
        event, before = told
        check_one(file_of(connection), before, event)
        digest = msgspec.json.decode(event[5], type=SnapshotTaken).digest
        if digest and digest != snapshot_digest(*row):
            yield number, "its hash does not fit"
