"""A program in a real terminal of 160x48 that somebody reads."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

ROWS, COLUMNS = 48, 160
_OWN_TERMINAL = "import os, sys, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@contextmanager
def in_terminal(command: Sequence[str], pass_fds: Sequence[int] = ()) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """``command`` with a terminal of its own: its process, and where to type. Killed at the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        pass_fds=pass_fds,
        start_new_session=True,
    )
    os.close(slave)
    reader = threading.Thread(target=_read_all, args=(master,), daemon=True)
    reader.start()
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()
        reader.join(1)
        os.close(master)


def _read_all(master: int) -> None:
    with suppress(OSError):  # the program has ended
        while os.read(master, 65_536):
            pass
