"""The program on a machine whose wall clock is put ahead and back: ``python -m tests.lifecycle.stepping_child FILE ARGUMENTS...``.

FILE holds by how many ms it is ahead, as a 64-bit number; who runs the program changes it in place. Venues are asked for their time often.
"""

import mmap
import struct
import sys
import time
from pathlib import Path

from arbtui.cli import main
from arbtui.exchanges import ccxt_adapter
from arbtui.model.clock import SystemClock


def put_ahead(file: Path, ms: int) -> None:
    """Put the clock of the program that reads ``file`` so far ahead of the true time; back, where negative."""
    file.write_bytes(struct.pack("<q", ms)) if not file.exists() else _overwrite(file, ms)


def _overwrite(file: Path, ms: int) -> None:
    with file.open("r+b") as place:
        place.write(struct.pack("<q", ms))


if __name__ == "__main__":
    with open(sys.argv.pop(1), "rb") as told:
        ahead = mmap.mmap(told.fileno(), 8, prot=mmap.PROT_READ)

    def time_ms(self: SystemClock) -> int:
        ms: int = struct.unpack("<q", ahead[:8])[0]
        return time.time_ns() // 1_000_000 + ms

    SystemClock.time_ms = time_ms  # type: ignore[method-assign]
    ccxt_adapter._PING_EVERY_S = 1.0
    sys.exit(main())
