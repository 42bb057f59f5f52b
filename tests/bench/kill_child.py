"""The console for tests/bench/kill_key.py: ``python -m tests.bench.kill_child DESCRIPTOR ARGUMENTS...``.

Writes a line to DESCRIPTOR when the gate was closed (with the moment), and when it is open again: nobody types a reason a
hundred times, so this child re-arms by itself, a moment after the engine has taken notice of each kill. One press closes the gate
up to three times: in memory, by the flag that the input thread then writes, and in the console, once the key's event has its turn in
the loop. Re-armed in between, the next would count as a press of its own. So the gate stays closed until all have happened.
"""

import asyncio
import os
import sys
from collections import Counter

from arbtui.cli import main
from arbtui.console.app import ConsoleApp
from arbtui.engine.engine import Engine
from arbtui.failover.crash_detector import LastEnd
from arbtui.failover.reconciler import Reconciled
from arbtui.model.halt import Halt
from arbtui.portfolio.trading_state import TradingState

#: Between the engine's notice of a kill and the gate's opening, in seconds.
REARM_S = 0.05


def tell(descriptor: int, line: str) -> None:
    os.write(descriptor, f"{line}\n".encode())


def measured(descriptor: int) -> None:
    """Hook the closing of the gate, the engine's notice of it, the key's event in the console, and the start."""
    close, on_kill, arm, action = Halt.close, Engine._on_kill, Engine.arm, ConsoleApp.action_kill
    taken = Counter[str]()  # "begun", "done": calls of `close`; "keys": those of a key that closed; "shown": its events in the console

    def close_and_tell(self: Halt, source: str, reason: str = "", ts_ms: int | None = None) -> bool:
        taken["begun"] += 1
        closed = close(self, source, reason, ts_ms)
        if closed:
            taken["keys"] += source == "KEY"
            tell(descriptor, f"closed {self.closed_at!r}")
        taken["done"] += 1
        return closed

    def kill_and_count(self: ConsoleApp) -> None:
        action(self)
        taken["shown"] += 1

    def reopen(engine: Engine) -> None:
        if taken["done"] < taken["begun"] or taken["shown"] < taken["keys"]:
            asyncio.get_running_loop().call_later(REARM_S, reopen, engine)
            return
        engine.kill_switch.rearm()
        engine.operator.change_state(TradingState.ARMED, "for the next press")
        tell(descriptor, "armed")

    def on_kill_and_reopen(self: Engine) -> None:
        on_kill(self)
        asyncio.get_running_loop().call_later(REARM_S, reopen, self)

    def arm_and_tell(
        self: Engine, reconciled: Reconciled, last: LastEnd | None = None, *, unclean: str = "", unconfirmed: str = "", unresumed: str = ""
    ) -> None:
        arm(self, reconciled, last, unclean=unclean, unconfirmed=unconfirmed, unresumed=unresumed)
        tell(descriptor, "armed")

    Halt.close = close_and_tell  # type: ignore[method-assign]
    Engine._on_kill = on_kill_and_reopen  # type: ignore[method-assign]
    Engine.arm = arm_and_tell  # type: ignore[method-assign]
    ConsoleApp.action_kill = kill_and_count  # type: ignore[method-assign]


if __name__ == "__main__":
    measured(int(sys.argv.pop(1)))
    sys.exit(main())
