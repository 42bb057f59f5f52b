"""What each state allows."""

import pytest

from arbtui.portfolio.trading_state import TradingState


@pytest.mark.parametrize(
    ("state", "entries", "hedges", "settling", "halt"),
    [
        (TradingState.ARMED, True, True, True, False),
        (TradingState.PAUSED, False, True, True, False),
        (TradingState.REDUCING, False, True, True, False),
        (TradingState.DISARMED, False, False, True, False),
        (TradingState.RECOVERING, False, False, False, False),
        (TradingState.HALTING, False, False, False, True),
        (TradingState.HALTED, False, False, False, True),
        (TradingState.HALTED_DIRTY, False, False, False, True),
    ],
)
def test_what_a_state_allows(state: TradingState, entries: bool, hedges: bool, settling: bool, halt: bool) -> None:
    assert (state.allows_entries, state.allows_hedges, state.allows_settling, state.is_halt) == (entries, hedges, settling, halt)


def test_every_state_is_in_the_table() -> None:
    assert len(TradingState) == 8
