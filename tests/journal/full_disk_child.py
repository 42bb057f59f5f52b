"""Run on a tiny disk: commits until it is full, then says what became of everything, as JSON.

python -m tests.journal.full_disk_child FOLDER
"""

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from arbtui.journal.events import Adjusted
from arbtui.journal.journal import Journal
from arbtui.model.clock import SystemClock
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.money import ONE


async def main(path: Path) -> dict[str, object]:
    try:
        journal = await Journal.open(path, clock=SystemClock(), door="aio")
    except UsageError as error:
        return {"refused": str(error)}
    told: list[str] = []
    journal.on_failure = lambda failure: told.append(str(failure))
    acknowledged = 0
    errors: list[str] = []
    for number in range(100_000):
        try:
            await journal.commit(Adjusted("a", "x" * 500, ONE, str(number), "operator"))
        except JournalFailed as failure:
            errors.append(str(failure))
            if len(errors) == 3:
                break
        else:
            acknowledged = journal.seq
            if errors:
                return {"wrong": "a commit was acknowledged after a failure"}
    journal.post(Adjusted("a", "b", ONE, "", "operator"))
    await journal.close()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        (events, last) = db.execute("SELECT count(*), max(seq) FROM event").fetchone()
        integrity = db.execute("PRAGMA quick_check").fetchone()[0]
    return {"acknowledged": acknowledged, "events": events, "last": last, "integrity": integrity, "errors": errors, "told": told}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]) / "journal.db"))))
