"""A pseudo-terminal for a child with the console: as large as an operator's, and read as fast as it is written."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from collections import deque
from typing import Self

COLUMNS, LINES = 160, 48

#: The child takes the terminal as its controlling one, as a shell would have it, then becomes the program.
OWN_TERMINAL = "import os, sys, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"

#: So much of the end of what was written is kept: the child's last words.
_KEPT = 64
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\|\x1b[@-Z\\-_=>78]")


class Terminal:
    """Open until :meth:`close`. A thread reads it: a terminal that nobody reads would stop the console."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._last: deque[bytes] = deque(maxlen=_KEPT)
        self.bytes = 0  #: that were written
        self._reader = threading.Thread(target=self._read, daemon=True, name="terminal")
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # nobody holds the other end any more
                return
            if not data:
                return
            self.bytes += len(data)
            self._last.append(data)

    def close(self) -> None:
        """Close both ends, once the child has ended."""
        os.close(self.slave)
        self._reader.join(5.0)
        os.close(self._master)

    def last_words(self) -> str:
        """What was written last, without what moves the cursor."""
        return _SEQUENCE.sub(b"", b"".join(self._last)).decode(errors="replace").replace("\r", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
