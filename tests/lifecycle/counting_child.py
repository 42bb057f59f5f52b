"""The program, which tells how many messages have come: ``python -m tests.lifecycle.counting_child FILE ARGUMENTS...``.

FILE holds the count as ten digits, overwritten in place with each batch: it can be read while the engine runs, hangs or is stopped.
"""

import os
import sys
from collections.abc import Sequence

from arbtui.cli import main
from arbtui.exchanges.feed import Frame
from arbtui.runtime.update_metrics import UpdateMetrics

if __name__ == "__main__":
    place = os.open(sys.argv.pop(1), os.O_CREAT | os.O_WRONLY, 0o600)
    whole = UpdateMetrics.deliver

    def deliver(self: UpdateMetrics, frames: Sequence[Frame]) -> None:
        whole(self, frames)
        os.pwrite(place, f"{self.updates:010d}".encode(), 0)

    UpdateMetrics.deliver = deliver  # type: ignore[method-assign]
    sys.exit(main())
