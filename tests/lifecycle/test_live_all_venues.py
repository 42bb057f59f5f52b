"""Live at all venues at once against the sandbox, with random faults and one venue gone at a time.

``python -m tests.proof live-all-venues`` runs it for ten minutes, the suite until the first venue is back.
"""

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.test_random_faults import FAULTS, MISS, named, one_sided
from tests.lifecycle.waiting import until
from tests.proof.steps import SECONDS

SYMBOLS = 4
OUTAGE_S = 6.0
#: s: where one of seven venues has few gaps, a busy machine may take that long to trade there.
PATIENCE_S = 450.0


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    if SECONDS not in os.environ:  # the suite runs beside others: nothing there is about speed
        for name, value in (("EXECUTION__MAX_DECISION_AGE_MS", 5000), ("HEALTH__SLOW_ANSWER_MS", 20_000)):
            monkeypatch.setenv(f"ARBTUI_{name}", str(value))
    with live_desk(tmp_path, monkeypatch, SYMBOLS, of="all-venues") as made:
        yield made


def fills(desk: LiveDesk) -> dict[str, int]:
    """How many stand in the journal, by venue."""
    if not desk.journal.exists():
        return {}
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'fill'").fetchone():
            return {}
        return dict(db.execute("SELECT exchange, count(*) FROM fill GROUP BY exchange"))


def _moved(desk: LiveDesk, engine: Running, before: dict[str, int], venue: str) -> bool:
    return engine.alive() and fills(desk).get(venue, 0) > before.get(venue, 0)


def _others_moved(desk: LiveDesk, engine: Running, before: dict[str, int], venue: str) -> bool:
    now = fills(desk)
    return engine.alive() and sum(now.values()) - now.get(venue, 0) > sum(before.values()) - before.get(venue, 0)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_venue_that_is_gone_stops_no_other_and_comes_back_by_itself(
    desk: LiveDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = float(os.environ.get(SECONDS, "5"))
    rng = random.Random(11)
    venues = list(desk.told("/balances"))
    scripted = 0
    gone: list[str] = []
    summary = ("--json", str(tmp_path / "summary"))
    with running(*desk.arguments("--symbols", str(SYMBOLS), *summary), folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and set(fills(desk)) == set(venues), "fills at every venue", PATIENCE_S)
        ends = time.monotonic() + seconds
        while not gone or time.monotonic() < ends:
            for venue in rng.sample(venues, len(venues)):
                if gone and time.monotonic() >= ends:
                    break
                before = fills(desk)
                desk.script(venue=venue, kind="crash", seconds=OUTAGE_S)
                back = time.monotonic() + OUTAGE_S
                while time.monotonic() < back and engine.alive():
                    other = rng.choice([name for name in venues if name != venue])
                    desk.script(venue=other, **(MISS[other] if rng.random() < 0.25 else rng.choice(FAULTS)))
                    scripted += 1
                    time.sleep(rng.uniform(0.3, 2.0))
                until(partial(_others_moved, desk, engine, before, venue), f"the others trade without {venue}", PATIENCE_S)
                until(partial(_moved, desk, engine, fills(desk), venue), f"{venue} trades again", PATIENCE_S)
                gone.append(venue)
        engine.alive()
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code in (3, 128 + signal.SIGTERM), ended.err
    desk.assert_agrees(tmp_path)
    ledger = desk.ledger()
    assert named(ledger) == one_sided(ledger)
    again = run(*desk.arguments("--symbols", str(SYMBOLS), "--headless", "--max-runtime", "1"))
    assert again.code in (0, 2, 3), again.err
    desk.assert_agrees(tmp_path)
    with capsys.disabled():
        told = json.loads((tmp_path / "summary").read_text())
        print(f"\nVENUES {len(venues)}, {seconds:g} s, gone and back: {len(gone)} ({', '.join(dict.fromkeys(gone))}); {scripted} faults")
        print(f"VENUES fills {told['fills_per_exchange']}, cycles {told['cycles']}, {len(ledger['residuals'])} positions")
