"""A session for tests/bench/starting.py: ``python -m tests.bench.start_child DESCRIPTOR ARGUMENTS...``.

Writes a line to DESCRIPTOR when the first update has been decided on, and when the first cycle opens, each with the moment
on the machine's monotonic clock.
"""

import os
import sys
import time
from collections.abc import Sequence

from arbtui.cli import main
from arbtui.engine.decider import Decider
from arbtui.engine.engine import Engine
from arbtui.model.book import OrderBook
from arbtui.routes.route import Opportunity


def measured(descriptor: int) -> None:
    """Hook both, each for its first time only."""
    on_books, open_cycle = Decider.on_books, Engine._open_cycle

    def first_books(self: Decider, books: Sequence[OrderBook]) -> None:
        on_books(self, books)
        if self.evaluations:
            Decider.on_books = on_books  # type: ignore[method-assign]
            os.write(descriptor, f"evaluated {time.monotonic()!r}\n".encode())

    def first_cycle(self: Engine, opportunity: Opportunity) -> None:
        open_cycle(self, opportunity)
        Engine._open_cycle = open_cycle  # type: ignore[method-assign]
        os.write(descriptor, f"opened {time.monotonic()!r}\n".encode())

    Decider.on_books = first_books  # type: ignore[method-assign]
    Engine._open_cycle = first_cycle  # type: ignore[method-assign]


if __name__ == "__main__":
    measured(int(sys.argv.pop(1)))
    sys.exit(main())
