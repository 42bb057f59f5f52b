"""Scenario `crash` through the command line: one seed one ledger, an end in the middle of an outage, and the start after it."""

import json
import re
from pathlib import Path

import pytest

from arbtui.simulation.troubles import Trouble
from tests.lifecycle.programs import run
from tests.lifecycle.state import State, assert_venues_agree
from tests.simulation.market_worlds import play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # virtual minutes, which a busy machine draws out

SYMBOLS = 10
VIRTUAL = ("--headless", "--speed", "max", "--symbols", str(SYMBOLS), "--json", "-")


UNSETTLED = re.compile(r"\d+ orders? (not settled|of an earlier run not resolved)")


@pytest.fixture(autouse=True)
def crash(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_SIMULATOR__SCENARIO", "crash")


def test_one_seed_one_ledger_in_a_crash_too(home: Path) -> None:
    ledgers = []
    for name, is_cold in (("a", False), ("b", True)):  # cold: other hashes
        state = State(home / name)
        ended = run(*state.arguments(), *VIRTUAL, "--max-runtime", "140", "--seed", "7", within=300, cold=is_cold)
        assert ended.code in (0, 3), ended.err
        ledgers.append(run("ledger", *state.arguments(), "--json").out)
    assert ledgers[0] == ledgers[1]
    assert len(json.loads(ledgers[0])["fills"]) > 100
    assert_venues_agree(State(home / "a"))


def _long_outages(seed: int) -> list[float]:
    """When a venue of this seed dies for longer than a run waits for its last cycles, in seconds of the run."""
    sim = play(SYMBOLS, 200, lambda *_: None, scenario="crash", seed=seed)
    assert sim.troubles is not None
    return [i.start / 100 for i in sim.troubles.history if i.kind is Trouble.VENUE_DEAD and i.end - i.start > 1_050]


def test_a_run_that_ends_in_an_outage_leaves_orders_of_unknown_fate_and_the_next_start_settles_them(home: Path) -> None:
    outages = ((number, start) for number in range(2, 40) for start in _long_outages(number))
    for seed, start in outages:
        state = State(home / f"{seed}-{start}")
        arguments = (*state.arguments(), *VIRTUAL, "--seed", str(seed))
        ended = run(*arguments, "--max-runtime", f"{start + 0.6:.2f}", within=300)
        left = state.rows("SELECT state FROM order_ WHERE state = 'UNKNOWN'")
        assert ended.code == (3 if left else 0) or "residual" in ended.err, ended.err
        if left:
            break
    else:
        raise AssertionError("no order was under way in any outage")
    assert UNSETTLED.search(ended.err)
    again = run(*arguments, "--max-runtime", "5", within=300)
    assert again.code in (0, 3), again.err
    assert not UNSETTLED.search(again.err)  # positions may be left: an operator settles those
    assert_venues_agree(state)
