"""Opens a journal for writing and is killed at a statement of its upgrade: ``python -m tests.journal.upgrade_child JOURNAL NUMBER``."""

import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from arbtui.journal import store
from arbtui.journal.database import create_tables
from tests.journal.recorded import record

if __name__ == "__main__":
    left = [int(sys.argv[2])]

    def told(statement: str) -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(connection: sqlite3.Connection, *more: Any) -> None:
        connection.execute("PRAGMA cache_size = 4")  # so that half of it is in the file's log before the commit
        connection.set_trace_callback(told)
        create_tables(connection, *more)
        connection.set_trace_callback(None)

    store.create_tables = dying  # type: ignore[attr-defined,assignment]
    record(Path(sys.argv[1]))
