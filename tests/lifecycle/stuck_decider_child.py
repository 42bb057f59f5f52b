"""The program with a decider that finishes no look once FILE exists: ``python -m tests.lifecycle.stuck_decider_child FILE ARGUMENTS...``.

The loop turns, housekeeping is done, requests are answered; only decisions are not made.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from arbtui.cli import main
from arbtui.engine.decider import Decider
from arbtui.model.book import OrderBook

if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    whole = Decider.on_books

    def on_books(self: Decider, books: Sequence[OrderBook]) -> None:
        if not file.exists():
            whole(self, books)

    Decider.on_books = on_books  # type: ignore[method-assign]
    sys.exit(main())
