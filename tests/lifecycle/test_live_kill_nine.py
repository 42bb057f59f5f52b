"""``kill -9`` of a live engine, again and again, against the sandbox: nothing lost, nothing sent twice, and it trades again at once.

``python -m tests.proof live-kill-nine`` kills thirty times, the suite three times, or more until one kill has met an order under way.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import Running, running
from tests.lifecycle.test_kill_nine import UNDER_WAY, kill
from tests.lifecycle.test_live import count
from tests.lifecycle.waiting import until
from tests.proof.steps import KILLS

#: s after the venues' answer, or after the proof of an order's fate, in which a market must be traded again; only a proof, which has the
#: machine to itself, holds the program to it.
BACK_S = 5.0
#: s between a kill and the next start, where that is judged.
APART_S = 20.0
#: Markets of a proof: with fewer, most of the time to the first entry is the wait for a gap that pays (2 s at the middle with six).
SYMBOLS = 12


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch, SYMBOLS if KILLS in os.environ else 6) as made:
        yield made


def rows(desk: LiveDesk, query: str, *values: object) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(query, values).fetchall()


def answered_ms(desk: LiveDesk) -> float:
    """When the venues had answered a start for the first time, with their markets and lists of orders, in ms since the epoch."""
    told: dict[str, Any] = json.loads((desk.journal.parent / "start.json").read_text())
    names = [step["name"] for step in told["steps"]]
    steps = told["steps"][: names.index("venue lists") + 1]
    seconds: float = sum(step["seconds"] for step in steps)
    return datetime.fromisoformat(told["began"]).timestamp() * 1000 + 1000 * seconds


def back_s(desk: LiveDesk, engine: Running, touched: set[str]) -> dict[str, float]:
    """Wait until a market trades again that no unresolved order touches: s from the venues' answer to its first order, by asset."""
    run = rows(desk, "SELECT run_id FROM run ORDER BY seq DESC LIMIT 1")[0]["run_id"]

    def first() -> dict[str, int]:
        query = "SELECT base, min(intended_ms) AS ms FROM order_ WHERE run_id = ? AND purpose = 'entry' GROUP BY base"
        return {row["base"]: row["ms"] for row in rows(desk, query, run)}

    until(lambda: engine.alive() and bool(set(first()) - touched), "another market trades")
    since = answered_ms(desk)
    return {base: (ms - since) / 1000 for base, ms in first().items() if base not in touched}


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_thirty_kills_lose_nothing_send_nothing_twice_and_it_trades_again_at_once(
    desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBTUI_FAILOVER__RESUME", "always")  # half done cycles are gone on with, and nobody is waited for
    kills = int(os.environ.get(KILLS, "3"))
    seed = random.SystemRandom().randrange(10**6)
    chance, tally, back = random.Random(seed), Counter[str](), list[float]()
    touched: set[str] = set()
    for number in itertools.count():
        is_last = number >= kills and (tally["orders under way"] > 0 or number >= 5 * kills)  # on a busy machine a kill may come too late
        fills = count(desk, "fill")
        with running(*desk.arguments(), folder=tmp_path / f"run{number}") as engine:
            until(lambda engine=engine: engine.alive() and (desk.journal.parent / "start.json").exists(), "a start")  # type: ignore[misc]
            until(lambda engine=engine, fills=fills: engine.alive() and count(desk, "fill") > fills, "fills")  # type: ignore[misc]
            if number:
                back.append(min(back_s(desk, engine, touched).values()))
            if is_last:
                engine.signal(signal.SIGTERM)
                assert engine.ended().code in (3, 128 + signal.SIGTERM)
                break
            if number % 2:
                until(lambda engine=engine: engine.alive() and count(desk, "order_", UNDER_WAY) > 0, "an order under way")  # type: ignore[misc]
            else:
                time.sleep(chance.uniform(0.0, 2.0))
            kill(engine)
        if KILLS in os.environ:  # a start uses a tenth of Binance's weight of a minute: see docs/proof.md
            time.sleep(APART_S)
        open_ = rows(desk, f"SELECT base FROM order_ WHERE {UNDER_WAY}")
        touched = {row["base"] for row in open_}
        tally["killed with orders under way"] += bool(open_)
        tally["orders under way"] += len(open_)
        tally["open cycles"] += count(desk, "cycle", "state = 'OPEN'")
        tally["fills that the journal had not"] += len(desk.told("/ledger")) - count(desk, "fill")
    desk.assert_agrees(tmp_path)
    ids = [row["client_order_id"] for row in desk.told("/orders")]
    assert len(set(ids)) == len(ids), "a client id was accepted twice"
    tally["fills found by a start"] = count(desk, "fill", "source = 'recovery'")
    tally["fills"], tally["runs killed"] = count(desk, "fill"), count(desk, "run", "ended_ms IS NULL")
    back.sort()
    print(f"\nKILL -9 of live, seed {seed}: {dict(tally)}")
    times = f"{back[len(back) // 2]:.2f} s (at most {back[-1]:.2f} s)"
    print(f"KILL -9 of live: another market traded {times} after the venues had answered a start")
    assert tally["runs killed"] == number
    assert tally["orders under way"] > 0, "no kill met an order: nothing was tried"
    if KILLS in os.environ:
        assert back[-1] <= BACK_S
