"""``kill -9`` while trading, again and again in one state folder: the venue's truth and ours never part."""

import json
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.state import State, assert_venues_agree
from tests.lifecycle.waiting import until

ROUNDS = 20 if os.environ.get("ARBTUI_LONG") == "1" else 3
UNDER_WAY = "state NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'ABANDONED')"


def kill_at(engine: Running, moment: float) -> None:
    """kill -9 so many seconds after the start."""
    with suppress(TimeoutExpired):
        engine.process.wait(moment)
    kill(engine)


def kill(engine: Running) -> None:
    engine.alive()
    engine.signal(signal.SIGKILL)
    assert engine.ended().code == -signal.SIGKILL


def test_nothing_is_lost_sent_twice_or_left_open(state: State, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance, tally = random.Random(seed), Counter[str]()
    arguments = (*state.arguments(), "--symbols", "20")
    for number in range(ROUNDS):
        with running(*arguments, folder=tmp_path / "killed") as engine:
            if number % 2 == 0:  # with orders certainly on their way
                until(lambda: engine.alive() and state.count("fill") and state.count("order_", UNDER_WAY), "an order under way")
                kill_at(engine, chance.uniform(0.0, 0.15))
            else:
                kill_at(engine, chance.uniform(0.3, 3.0))
        if number % 3 != 1:  # once more, while the damage of the first is being mended
            with running(*arguments, folder=tmp_path / "killed") as engine:
                until(lambda: engine.alive() and state.last_run["state"] == "RECOVERING", "a recovery")
                kill_at(engine, chance.uniform(0.0, 0.3))
        tally["open orders"] += state.count("order_", UNDER_WAY)
        tally["open cycles"] += state.count("cycle", "state = 'OPEN'")
        tally["missing fills"] += state.count("venue_fill", path=state.venue) - state.count("fill")
        ended = run(*arguments, "--headless", "--max-runtime", "0.3")
        assert ended.code in (0, 3), f"seed {seed}, round {number}: {ended.err}"
        states = assert_venues_agree(state)
        assert (ended.code == 3) == (states["RESIDUAL"] > 0), ended.err
        assert state.last_run["ended_ms"] is not None
    tally.update({f"cycles {name}": count for name, count in states.items()})
    tally["fills"] = state.count("fill")
    tally["fills found by recovery"] = state.count("fill", "source = 'recovery'")
    tally["runs"], tally["runs killed"] = state.count("run"), state.count("run", "ended_ms IS NULL")
    print(f"\nkill -9, seed {seed}, {ROUNDS} rounds: {dict(tally)}")
    assert tally["open orders"] > 0, "no kill met an order: nothing was tried"
    assert tally["fills"] > 0


def test_kill_nine_in_the_middle_of_a_netting_trade(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a narrow band open won is traded back all the time: killed while such an order is on its way, it is never lost or sent twice."""
    monkeypatch.setenv("ARBTUI_NETTING__BAND", "20")
    monkeypatch.setenv("ARBTUI_NETTING__MAX_OPEN_FX", "2000")
    arguments = (*state.arguments(), "--symbols", "20")
    for _ in range(ROUNDS):
        with running(*arguments, folder=tmp_path / "killed") as engine:
            until(lambda: engine.alive() and state.count("order_", f"market = 'KRW-USDT' AND {UNDER_WAY}"), "a netting order under way")
            kill(engine)
        ended = run(*arguments, "--headless", "--max-runtime", "1")
        assert ended.code in (0, 3), ended.err
        assert_venues_agree(state)
    nettings = state.rows("SELECT state FROM cycle WHERE symbol = 'USDT'")
    assert {row["state"] for row in nettings} <= {"HEDGED", "MISSED", "ABANDONED"}
    assert len(nettings) >= ROUNDS
    assert abs(Decimal(state.ledger()["open_fx"][0]["value_usdt"])) < 2000


def test_a_restart_gives_no_new_allowance_of_orders(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_RISK__GLOBAL__MAX_ORDERS_DAY", "12")
    arguments = (*state.arguments(), "--symbols", "20")
    with running(*arguments, folder=tmp_path / "killed") as engine:
        until(lambda: engine.alive() and state.count("order_") >= 11, "the day's orders")
        kill(engine)
    sent = state.count("order_", "purpose = 'entry'")
    ended = run(*arguments, "--headless", "--max-runtime", "20", "--speed", "max", "--json", "-")
    assert ended.code in (0, 3), ended.err
    assert state.count("order_", "purpose = 'entry'") <= max(sent, 12)
    assert state.count("order_", "purpose = 'entry' AND run_id = 'r2'") <= 1
    assert json.loads(ended.out)["denials"]["ORDER_PACE"] > 0
    assert_venues_agree(state)
