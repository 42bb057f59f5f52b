"""The tables that a start goes by (runs, kills, breaches, alerts), compared with the events that they are made from.

Those events are few, and an index finds them. Should the index have lost one, the table still has it; so one damage is always seen.
"""

import sqlite3
from contextlib import closing

from arbtui.journal.chain import check_one, file_of, is_chained, rows_with_hash_before
from arbtui.journal.database import out_of_step
from arbtui.journal.events import Recorded, decode
from arbtui.journal.projections import statements_for
from arbtui.journal.schema import FIRST_ARCHIVED, IS_NOTED, NOTED_TABLES, PROJECTIONS


def check_noted(connection: sqlite3.Connection) -> None:
    """Compare those tables with their events; a journal of an earlier format passes.

    Raises:
        UsageError: a table, or one of the events, is not what was written.
    """
    if not is_chained(connection):
        return
    path = file_of(connection)
    has_archives = int(connection.execute("PRAGMA user_version").fetchone()[0]) >= FIRST_ARCHIVED
    tables = [name for name in NOTED_TABLES if has_archives or name != "archive"]
    source = f"{'INDEXED BY event_noted' if has_archives else ''} WHERE {IS_NOTED}"  # the index of format 3 covers fewer events
    with closing(sqlite3.connect(":memory:")) as expected:
        for name in tables:
            expected.execute(f"CREATE TABLE {name} ({PROJECTIONS[name]})")
        for row, before in rows_with_hash_before(connection, source):
            check_one(path, before, row)
            seq, ts_ms, run_id, kind, version, payload, _ = row
            for sql, values in statements_for(Recorded(seq, ts_ms, run_id, decode(kind, version, payload))):
                expected.execute(sql, values)
        for name in tables:
            compare_table(connection, expected, name)


def compare_table(connection: sqlite3.Connection, expected: sqlite3.Connection, name: str) -> None:
    """Compare the projection ``name`` with what it should be, row by row.

    Raises:
        UsageError: they differ; the message names the first row that does.
    """
    columns = [row[1] for row in expected.execute(f"PRAGMA table_info({name})")]
    sql = f"SELECT {', '.join(columns)} FROM {name} ORDER BY {', '.join(columns)}"
    theirs = expected.execute(sql)
    for row in connection.execute(sql):
        if tuple(row) != tuple(theirs.fetchone() or ()):
            raise out_of_step(file_of(connection), f"a row of table {name} ({row[0]}) is not what its event says")
    missing = theirs.fetchone()
    if missing is not None:
        raise out_of_step(file_of(connection), f"a row of table {name} ({missing[0]}) is missing")
