"""What the venue asks its ledger before every order must not grow with the orders that were."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.simulation.ledger import BY_CLIENT_ID, OF_ORDER, VenueLedger


@pytest.mark.parametrize(
    ("table", "index", "where"),
    [
        ("venue_order", BY_CLIENT_ID, "client_order_id = 'a' ORDER BY venue_order_id DESC LIMIT 1"),
        ("venue_fill", OF_ORDER, "venue_order_id = 1"),
    ],
)
def test_an_order_and_its_fills_are_found_by_index(tmp_path: Path, table: str, index: str, where: str) -> None:
    async def make() -> None:
        await (await VenueLedger.open(tmp_path / "venue.db", "sync")).close()

    asyncio.run(make())
    with closing(sqlite3.connect(tmp_path / "venue.db")) as db:
        plan = db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} {index} WHERE exchange = 'upbit' AND {where}").fetchall()
    assert plan[0][3] == f"SEARCH {table} USING INDEX {index.split()[-1]} (exchange=? AND {where.split()[0]}=?)"
