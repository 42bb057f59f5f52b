"""The program that dies in a step of a halt: ``python -m tests.lifecycle.halting_child STEP ARGUMENTS...``."""

import os
import signal
import sys
from typing import Any

from arbtui.cli import main
from arbtui.engine.clearing import Clearing
from arbtui.engine.engine import Engine
from arbtui.engine.operator import OperatorVerbs
from arbtui.exchanges.binance.adapter import BinanceAdapter
from arbtui.exchanges.upbit.adapter import UpbitAdapter
from arbtui.portfolio.trading_state import TradingState


def die() -> None:
    """As a crash or a power cut would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def plant(step: str) -> None:
    """Die at the beginning of the halt, before the first list, after the first cancel, or before the end is journaled."""
    match step:
        case "begun":
            Engine._halting = lambda self: die()  # type: ignore[method-assign,assignment,return-value]
        case "listing":
            Clearing.clear = lambda *told: die()  # type: ignore[method-assign,assignment]
        case "cancelled":
            for adapter in (BinanceAdapter, UpbitAdapter):
                whole = adapter.cancel_standing

                async def cancel(self: Any, order: Any, whole: Any = whole) -> None:
                    await whole(self, order)
                    die()

                adapter.cancel_standing = cancel  # type: ignore[method-assign]
        case "settled":
            change = OperatorVerbs.change_state

            def changed(self: OperatorVerbs, state: TradingState, why: str, *, latched: bool = False) -> None:
                if state in (TradingState.HALTED, TradingState.HALTED_DIRTY):
                    die()
                change(self, state, why, latched=latched)

            OperatorVerbs.change_state = changed  # type: ignore[method-assign]
        case _:
            raise ValueError(step)


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    sys.exit(main())
