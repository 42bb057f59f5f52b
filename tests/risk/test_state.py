"""The state that holds: of the fold's and the halt's, the more severe one."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from arbtui.journal.events import StateChanged
from arbtui.journal.journal import Journal
from arbtui.model.errors import JournalFailed
from arbtui.model.halt import Halt
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.state import trading_state
from tests.portfolio.telling import Telling

WELL = cast(Journal, SimpleNamespace(failure=None))
FAILED = cast(Journal, SimpleNamespace(failure=JournalFailed("disk full")))


@pytest.mark.parametrize("journal", [WELL, FAILED], ids=["well", "failed"])
@pytest.mark.parametrize("state", list(TradingState))
def test_a_closed_gate_is_a_halt_whatever_the_fold_says_and_a_halt_in_the_fold_says_how_far_it_is(
    tmp_path: Path, state: TradingState, journal: Journal
) -> None:
    tell = Telling().start()
    tell(StateChanged(state.value, "why"))
    halt = Halt(tmp_path)
    assert trading_state(tell.portfolio, halt, journal) is state
    halt.close("TEST")
    # What cannot be journaled any more is not being settled either.
    expected = state if state.is_halt else TradingState.HALTED if journal is FAILED else TradingState.HALTING
    assert trading_state(tell.portfolio, halt, journal) is expected
