"""What the engine may do now: the portfolio's state and the halt, whichever is more severe."""

from arbtui.journal.journal import Journal
from arbtui.model.halt import Halt
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState


def trading_state(portfolio: Portfolio, halt: Halt, journal: Journal) -> TradingState:
    """The state that holds now. The halt stands outside the fold: it must work when nothing can be journaled."""
    folded = TradingState(portfolio.state.state)
    if not halt.is_closed or folded.is_halt:
        return folded
    return TradingState.HALTED if journal.failure is not None else TradingState.HALTING
