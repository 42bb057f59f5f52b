"""What brings a journal of an earlier format to the present one, in the transaction in which it is opened for writing: all or nothing."""

import sqlite3
from collections.abc import Mapping, Sequence

from arbtui.journal.chain import BEGINNING, link
from arbtui.journal.database import UpgradeStep
from arbtui.journal.events import Recorded, decode
from arbtui.journal.projections import statements_for
from arbtui.journal.schema import IS_NOTED, NOTED_TABLES, PROJECTIONS


def _begin_chain(connection: sqlite3.Connection) -> None:
    """Give the last event the hash of the chain over all events so far; those before it keep none."""
    connection.execute("DROP TRIGGER IF EXISTS event_never_changes")
    connection.execute("ALTER TABLE event ADD COLUMN hash BLOB")
    last, seq = BEGINNING, 0
    for row in connection.execute("SELECT seq, ts_ms, run_id, type, version, payload FROM event ORDER BY seq"):
        last, seq = link(last, *row), row[0]
    connection.execute("UPDATE event SET hash = ? WHERE seq = ?", (last, seq))


def _make_noted_tables(connection: sqlite3.Connection) -> None:
    """Make the tables that a start goes by anew: runs have gained columns."""
    for name in NOTED_TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(f"CREATE TABLE {name} ({PROJECTIONS[name]})")
    rows = connection.execute(f"SELECT seq, ts_ms, run_id, type, version, payload FROM event WHERE {IS_NOTED} ORDER BY seq").fetchall()
    for seq, ts_ms, run_id, kind, version, payload in rows:
        for sql, values in statements_for(Recorded(seq, ts_ms, run_id, decode(kind, version, payload))):
            connection.execute(sql, values)


#: By the format that it is for.
UPGRADES: Mapping[int, Sequence[UpgradeStep]] = {
    2: (_begin_chain, _make_noted_tables),
    3: ("DROP TRIGGER IF EXISTS event_never_goes", "DROP INDEX IF EXISTS event_noted"),  # the schema makes them anew: they have changed
}
