"""The shipped profile of all venues in `busy`: cycles of every shape end.

``python -m tests.proof all-shapes`` runs ten virtual minutes of it; the suite half a minute with few symbols, in which no route over a
network can pay yet: its price must have been measured for four minutes. ``tests/runtime/test_cross_chain.py`` plays seven, of two coins.
"""

import json
import os
from pathlib import Path

import pytest

from arbtui.routes.rules import SHAPES
from tests.lifecycle.programs import run
from tests.lifecycle.state import State
from tests.portfolio.auditing import AUDIT, audit, disagreements
from tests.proof.steps import SECONDS

#: s of real time that it may take.
WITHIN_S = 3600.0


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S)
def test_cycles_of_every_shape_end(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = os.environ.get(SECONDS, "")
    size = ("--max-runtime", seconds) if seconds else ("--max-runtime", "30", "--symbols", "6")
    wanted = SHAPES if seconds else ("two_leg", "triangular", "multi_hop")
    state = State(home / "state")
    where = ("--profile", "all-venues", "--state-dir", str(state.root))
    ended = run(*where, "--headless", "--speed", "max", "--seed", "1", *size, "--json", "-", within=WITHIN_S)
    assert ended.code in (0, 3), ended.err
    told = json.loads(ended.out)
    assert all(told["routes_by_shape"][shape] > 0 for shape in SHAPES), told["routes_by_shape"]
    assert all(told["cycles_by_shape"][shape] > 0 for shape in wanted), told["cycles_by_shape"]
    with capsys.disabled():
        print(f"\nSHAPES {told['cycles_by_shape']} in {told['runtime_s']:.0f} s; {told['cycles']}")
    ledger = json.loads(run("ledger", *where, "--json", within=WITHIN_S).out)
    assert disagreements(ledger) == []
    if AUDIT.is_file():
        code, said = audit(ledger)
        assert code == 0, said
