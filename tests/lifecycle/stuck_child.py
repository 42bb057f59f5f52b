"""The program with a mishap built in: ``python -m tests.lifecycle.stuck_child KIND FOLDER ARGUMENTS...``.

After some orders the loop is held between an order's committed intent and the gate's second look, until FOLDER/release
exists. FOLDER/blocked then holds the order's client id; FOLDER/admitted those that the second look let pass, a line each.
"""

import ctypes
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from arbtui.cli import main
from arbtui.exchanges.adapter import OrderReport
from arbtui.model.order import Order
from arbtui.simulation.paper import PaperExchange

#: Orders that pass before the mishap.
BEFORE = 20


def in_python(folder: Path) -> None:
    """Bytecode for ever: signal handlers run, the loop does not."""
    while not (folder / "release").exists():
        pass


def in_c(folder: Path) -> None:
    """One call into C that waits on when a signal comes; other threads run."""
    ctypes.CDLL(None).system(_until_released(folder))


def in_c_with_the_interpreter_held(folder: Path) -> None:
    """The same, and no other thread runs either."""
    ctypes.PyDLL(None).system(_until_released(folder))


def stopped(folder: Path) -> None:
    """As a shell's ^Z does, or a debugger."""
    os.kill(os.getpid(), signal.SIGSTOP)


def _until_released(folder: Path) -> bytes:
    """A shell that waits, and no longer than this process lives: where it is killed nobody would end the wait."""
    return f"while [ ! -e {shlex.quote(str(folder / 'release'))} ] && kill -0 {os.getpid()} 2>/dev/null; do sleep 0.02; done".encode()


KINDS = {"python": in_python, "c": in_c, "c-gil": in_c_with_the_interpreter_held, "stopped": stopped}


def plant(block: Callable[[Path], None], folder: Path) -> None:
    """Put the mishap in front of every paper venue."""
    place, seen = PaperExchange.place, 0
    log = os.open(folder / "admitted", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    async def place_or_hang(self: PaperExchange, order: Order, admit: Callable[[], None]) -> OrderReport:
        nonlocal seen
        seen += 1
        if seen == BEFORE:
            (folder / "blocked").write_text(order.client_order_id)
            block(folder)
            (folder / "went-on").touch()

        def admit_and_tell() -> None:
            admit()
            os.write(log, f"{order.client_order_id}\n".encode())

        return await place(self, order, admit_and_tell)

    PaperExchange.place = place_or_hang  # type: ignore[method-assign]


if __name__ == "__main__":
    kind, place_of_marks = sys.argv[1], Path(sys.argv[2])
    del sys.argv[1:3]
    plant(KINDS[kind], place_of_marks)
    sys.exit(main())
