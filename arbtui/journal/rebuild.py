"""Making the projections anew: what the events say counts, whatever the projections held."""

import sqlite3
from contextlib import closing
from pathlib import Path

from arbtui.journal.database import apply_pragmas, check_identity, refusal
from arbtui.journal.events import Recorded, decode
from arbtui.journal.projections import statements_for
from arbtui.journal.schema import APPLICATION_ID, PROJECTION_TABLES, PROJECTIONS, USER_VERSION
from arbtui.model.errors import UsageError


def rebuild(path: Path) -> int:
    """Throw the projections of the journal at ``path`` away and make them anew from its events; the number of events.

    Nothing else may have the journal open for writing. One transaction: a crash in between changes nothing.

    Raises:
        UsageError: no journal there, not writable, or it holds events of a newer version.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such journal: check --profile, --mode and --state-dir")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            check_identity(connection, path, APPLICATION_ID, USER_VERSION)
            apply_pragmas(connection, synchronous="FULL")
            connection.execute("BEGIN IMMEDIATE")
            for name in PROJECTIONS:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            for table in PROJECTION_TABLES:
                connection.execute(table)
            events = 0
            for seq, ts_ms, run_id, kind, version, payload in connection.execute(
                "SELECT seq, ts_ms, run_id, type, version, payload FROM event ORDER BY seq"
            ):
                for statement, values in statements_for(Recorded(seq, ts_ms, run_id, decode(kind, version, payload))):
                    connection.execute(statement, values)
                events += 1
            connection.execute("COMMIT")
            return events
    except sqlite3.Error as error:
        raise refusal(path, error) from error
