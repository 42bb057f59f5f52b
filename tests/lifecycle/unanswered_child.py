"""The program at venues that fall silent: ``python -m tests.lifecycle.unanswered_child SECOND ARGUMENTS...``.

So many seconds after the first order every one leaves, and neither it nor any look-up is answered.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from arbtui.cli import main
from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.order import Order
from arbtui.simulation.paper import PaperExchange

if __name__ == "__main__":
    since = float(sys.argv.pop(1))
    began: list[float] = []
    whole = PaperExchange.place

    async def place(self: PaperExchange, order: Order, admit: Callable[[], None]) -> OrderReport:
        now = asyncio.get_running_loop().time()
        began.append(now)
        if now - began[0] < since:
            return await whole(self, order, admit)
        admit()
        await asyncio.Event().wait()
        raise AssertionError

    async def fetch_order(self: PaperExchange, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise TimeoutError

    made = PaperExchange.__init__

    def make(self: PaperExchange, *parts: Any) -> None:
        made(self, *parts)
        self.absence_proof_s = 1e6

    PaperExchange.__init__ = make  # type: ignore[assignment, method-assign]
    PaperExchange.place = place  # type: ignore[method-assign]
    PaperExchange.fetch_order = fetch_order  # type: ignore[method-assign]
    sys.exit(main())
