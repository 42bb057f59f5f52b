"""The console in a real pseudo-terminal: types keys, reads the screen, or stops reading it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests import warm_start
from tests.lifecycle.waiting import DEADLINE_S

_CLOCK = re.compile(r"\d\d:\d\d:\d\dZ")
CTRL_K, CTRL_Q, ENTER, ESCAPE = b"\x0b", b"\x11", b"\r", b"\x1b"

_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\|\x1b[@-Z\\-_=>78]")

#: The beginning of such a sequence, or of a letter in UTF-8, whose rest has not come yet.
_BEGUN = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[P_^][^\x1b]*\x1b?)?|[\xc0-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf7][\x80-\xbf]{0,2})\Z"
)


class Terminal:
    """One console. What it wrote is kept in ``screen``; nothing is read unless a method here reads."""

    def __init__(self, arguments: tuple[str, ...], size: tuple[int, int], term: str | None, program: tuple[str, ...]) -> None:
        self.master, self._slave = pty.openpty()
        columns, lines = size
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.modes_before = termios.tcgetattr(self._slave)
        self.screen = bytearray()
        self._times: set[str] = set()  #: the clock's, up to byte _timed_to
        self._timed_to, self._untimed = 0, ""
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "TERM")}
        if term is not None:
            environment["TERM"] = term
        slave = self._slave
        self.process = warm_start.popen(*program, *arguments, own_terminal=True, stdin=slave, stdout=slave, stderr=slave, env=environment)

    def type(self, keys: bytes) -> None:
        """Type ``keys``."""
        os.write(self.master, keys)

    def read(self, within: float) -> bytes:
        """What the console writes next; empty when it writes nothing for so many seconds."""
        if not select.select([self.master], [], [], within)[0]:
            return b""
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # nobody holds the other end any more
            return b""
        self.screen += data
        return data

    def shows(self, words: str, *, since: int = 0) -> int:
        """Read until ``words`` stand in what was written since that byte; the byte now."""
        deadline = time.monotonic() + DEADLINE_S
        text, to = self._text(since)
        while words not in text:
            assert time.monotonic() < deadline, f"{words!r} not within {DEADLINE_S:g} s in {text_of(self.screen[since:])[-3000:]}"
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {text_of(self.screen)[-3000:]}"
            self.read(0.1)
            new, to = self._text(to)
            text = text[-len(words) :] + new
        return len(self.screen)

    def turns(self) -> int:
        """Read until the clock on the screen has gone on twice: everything typed before has been dealt with; the byte now."""
        for _ in range(2):
            seen = self._clock()
            deadline = time.monotonic() + DEADLINE_S
            while self._clock() == seen:
                assert time.monotonic() < deadline, "the clock stands still"
                self.read(0.1)
        return len(self.screen)

    def _clock(self) -> int:
        """How many times of the clock have been on the screen."""
        new, self._timed_to = self._text(self._timed_to)
        self._untimed += new
        self._times.update(_CLOCK.findall(self._untimed))
        self._untimed = self._untimed[-len("00:00:00Z") :]
        return len(self._times)

    def _text(self, since: int) -> tuple[str, int]:
        """The text that was written since that byte, without a sequence or a letter that is not whole yet; the byte it goes to.

        A console writes megabytes: whoever waits for words looks at what is new, not at everything again after each read.
        """
        begun = _BEGUN.search(self.screen, since)
        to = begun.start() if begun else len(self.screen)
        return text_of(self.screen[since:to]), to

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the console alone."""
        self.process.send_signal(number)

    def ended(self, *, reading: bool = True) -> int:
        """Wait for the end, reading the screen meanwhile or not; the exit code."""
        if not reading:
            return self.process.wait(DEADLINE_S)
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still runs: {text_of(self.screen)[-3000:]}"
            self.read(0.05)
        while self.read(0.0):
            pass
        return self.process.returncode

    def assert_restored(self) -> None:
        """The last things written: leave the alternate screen, show the cursor; and the line's modes are as before."""
        left = self.screen.rfind(b"\x1b[?1049l")
        shown = self.screen.rfind(b"\x1b[?25h")
        assert left > self.screen.rfind(b"\x1b[?1049h") >= 0, self.screen[-500:]
        assert shown > self.screen.rfind(b"\x1b[?25l") >= 0, self.screen[-500:]
        assert termios.tcgetattr(self._slave) == self.modes_before
        tail = text_of(self.screen[max(left, shown) :])
        assert "Traceback" not in tail

    def hang_up(self) -> None:
        """Close the terminal, as an ssh connection that breaks does."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        """End everything."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)


def text_of(screen: bytes | bytearray) -> str:
    """What was written, without its control sequences."""
    return _SEQUENCE.sub(b"", screen).decode("utf-8", "replace")


@contextmanager
def console(
    *arguments: str,
    size: tuple[int, int] = (100, 30),
    term: str | None = "xterm-256color",
    program: tuple[str, ...] = ("arbtui",),
) -> Iterator[Terminal]:
    """A console in a terminal of ``size`` (columns, lines) and kind ``term`` (None: unset); killed when the test leaves it behind.

    ``program`` is the module that is run and its first arguments.
    """
    terminal = Terminal(arguments, size, term, program)
    try:
        yield terminal
    finally:
        terminal.close()
