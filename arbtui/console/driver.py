"""The guarded terminal driver: a terminal that stalls cannot stop the loop, and the kill key does not wait for it.

Textual's own driver queues 30 writes and then blocks the caller, which is the engine's loop. This one drops frames
instead, counts them, and asks for a full repaint when the terminal reads again. It reads the keyboard itself, in the
input thread, and reports the kill key to the sink before any key is parsed or posted.

Bound to Textual 8.2.8: uses the private ``_writer_thread`` and ``_queue``; tests/console/test_driver.py holds it to that.
"""

import asyncio
import fcntl
import os
import selectors
import struct
import sys
import termios
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from queue import Full
from typing import IO, Any, Protocol, cast, runtime_checkable

from textual.app import App
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from arbtui.console.bursts import GAP_S
from arbtui.console.key_reader import PASTE_END, KeyReader
from arbtui.console.killkey import KillKeyScanner

RESERVED_SLOTS = 6
"""Slots of the writer's queue that are reserved for restoring the terminal; frames may not use them."""

CLOSE_TIMEOUT_S = 0.5
_END_SYNCHRONISED_UPDATE = "\x1b[?2026l"
_NO_FOCUS_REPORTS = "\x1b[?1004l"


@runtime_checkable
class InputSink(Protocol):
    """The driver's callbacks to the app. The first is called in the input thread, the others in the loop."""

    @property
    def kill_letter(self) -> str:
        """The letter that, with ctrl, halts trading."""
        ...

    def kill_key_pressed(self) -> None:
        """The kill key was read: close the gate now. Called in the input thread."""
        ...

    def input_ended(self) -> None:
        """The terminal was closed."""
        ...

    def input_refused(self, error: Exception) -> None:
        """Something that was typed could not be read; the next key will be."""
        ...

    def input_failed(self, error: Exception) -> None:
        """The input thread failed; without it no key is read."""
        ...


class TerminalFile:
    """Writes straight to a descriptor, without Python's buffer and its lock.

    A daemon thread that hangs in a *buffered* write holds that buffer's lock for ever, and then the interpreter aborts
    at exit. On a closed terminal writes are ignored instead of raising in an unwatched thread.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.gone = False

    def write(self, text: str) -> int:
        """Write all of ``text``; blocks while the terminal does not read."""
        rest = memoryview(text.encode("utf-8", "replace"))
        while rest and not self.gone:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                self.gone = True
        return len(text)

    def flush(self) -> None:
        """Does nothing: nothing is buffered."""

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)


def give_size(descriptor: int) -> None:
    """Set a terminal of 0x0 (a pty without a size) to 80x24.

    Textual and Rich have different fallbacks for it, 24 and 25 lines, and the layout would alternate
    between them for ever, using a whole core.
    """
    try:
        lines, columns, *pixels = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
        if not lines or not columns:
            fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines or 24, columns or 80, *pixels))
    except OSError:
        return  # not a terminal: reading its size reports that again


class GuardedDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, made safe for the engine's event loop."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if not isinstance(app, InputSink):
            raise TypeError(f"{type(app).__name__} does not say what the kill key does")
        self._sink: InputSink = app
        self._terminal = TerminalFile(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2)
        self._file = cast(IO[str], self._terminal)  # type: ignore[assignment]
        self._size = size or self._get_terminal_size()
        self._restoring: list[str] | None = None
        self.farewell = ""
        """Written last, when the terminal is given back."""
        self.drops = 0
        """Writes dropped because the terminal did not read."""
        self.stalled = False
        """True from the first dropped write until the terminal has read everything before it."""

    def start_application_mode(self) -> None:
        """Take over the terminal; one without a size is set to 80x24. Nothing depends on its focus, so no report of that is asked for."""
        give_size(self._terminal.fileno())
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves it without types
        self.write(_NO_FOCUS_REPORTS)

    def resume_application_mode(self) -> None:
        """Take the terminal back. Another program may have written to it, so everything is painted again, as after a stall."""
        self.stalled = False  # of the writer before
        super().resume_application_mode()
        self.stalled = True

    def _sigcont_application(self, *arguments: Any) -> None:
        """Go on after a stop: also one without warning (SIGSTOP), before which the terminal was not given back."""
        if not self._must_signal_resume:
            if self._writer_thread is None or not self._writer_thread.is_alive():
                return  # the console begins or ends
            self.suspend_application_mode()
        super()._sigcont_application(*arguments)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and lines of the terminal itself: ``COLUMNS`` and ``LINES`` may be another's, and do not follow a resize."""
        try:
            columns, lines = os.get_terminal_size(self._terminal.fileno())
        except OSError:
            columns = lines = 0
        return columns or 80, lines or 24

    def write(self, data: str) -> None:
        """Queue ``data`` for the terminal, or drop it; never blocks."""
        if self._restoring is not None:
            self._restoring.append(data)
            return
        writer = self._writer_thread
        if writer is None or self.stalled or not writer.is_alive() or self._queued(writer) >= MAX_QUEUED_WRITES - RESERVED_SLOTS:
            self.stalled = True
            self.drops += 1
            return
        self._put(writer, data)

    def take_recovery(self) -> bool:
        """True once after a stall, when the terminal reads again: the caller must then repaint everything."""
        writer = self._writer_thread
        if not self.stalled or writer is None or not writer.is_alive() or self._queued(writer):
            return False
        self.stalled = False
        self.write(_END_SYNCHRONISED_UPDATE)
        return True

    def stop_application_mode(self) -> None:
        """Restore the terminal; all its output goes into one of the reserved slots."""
        self._restoring = []
        try:
            super().stop_application_mode()
        finally:
            parts, self._restoring = self._restoring, None
            if self._writer_thread is not None:
                self._put(self._writer_thread, _END_SYNCHRONISED_UPDATE + "".join(parts) + self.farewell)

    def close(self) -> None:
        """Stop the writer, waiting at most half a second for a terminal that does not read."""
        if self._writer_thread is not None:
            self._put(self._writer_thread, None)
            self._writer_thread.join(CLOSE_TIMEOUT_S)

    def _query_in_band_window_resize(self) -> None:
        """Disabled: it enables pixel mouse reports and smooth scrolling, thousands of events that cost the engine time."""

    @staticmethod
    def _queued(writer: WriterThread) -> int:
        return writer._queue.qsize()

    @staticmethod
    def _put(writer: WriterThread, data: str | None) -> None:
        with suppress(Full):  # even the reserved slots are taken: the terminal has not read for long, and nothing may wait for it
            writer._queue.put_nowait(data)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # whatever the error, a console that reads no keys must not look alive
            self._call_in_loop(self._sink.input_failed, error)

    def run_input_thread(self) -> None:
        """Read keys until stopped: first look for the kill key, then parse and post."""
        scanner = KillKeyScanner(self._sink.kill_letter)
        keys = KeyReader(self._post, self._refused, mouse=self._mouse, debug=self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                is_ready = bool(selector.select(GAP_S if keys.is_holding else 0.1))
                now = time.monotonic()
                data = b""
                if is_ready:
                    with suppress(OSError):
                        data = os.read(self.fileno, 4096)
                if scanner.forgets_paste(now, data):
                    keys.read(PASTE_END, now)
                if is_ready:
                    if not data:
                        self._call_in_loop(self._sink.input_ended)
                        return
                    if scanner.feed(data, now):
                        self._sink.kill_key_pressed()
                    keys.read(decode(data), now)
                keys.tick(now)
        keys.end()

    def _post(self, message: Message) -> None:
        self.process_message(message)

    def _refused(self, error: Exception) -> None:
        self._call_in_loop(self._sink.input_refused, error)

    def _call_in_loop(self, sink: Any, *arguments: Any) -> None:
        loop: asyncio.AbstractEventLoop = self._loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(sink, *arguments)
