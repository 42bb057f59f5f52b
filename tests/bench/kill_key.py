"""From ctrl+k, or from `arbtui kill`, to the closed gate: a console of 160x48 that trades and paints, in a real terminal.

The key's figure runs from the byte written into the pseudo-terminal to the moment the gate is closed in memory (both on
the machine's monotonic clock); the command's from its flag to the engine's answer, and over its whole process. Presses
come at random moments, so they meet the loop in whatever it does. Nothing is asserted.
"""

import fcntl
import json
import os
import pty
import random
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PRESSES, COMMANDS, SYMBOLS = 100, 20, 1000
WARM_S, DEADLINE_S = 5.0, 60.0
_OWN_TERMINAL = "import os, sys, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Console:
    """A running console: where to type, what it tells, and its process."""

    master: int
    told: int
    process: "subprocess.Popen[bytes]"
    arguments: tuple[str, ...]
    lines: list[str] = field(default_factory=list)

    def next(self, word: str) -> str:
        """Wait for a line that begins with ``word``; the rest of it.

        Raises:
            RuntimeError: it ended, or said nothing for a minute.
        """
        while True:
            while self.lines:
                first, _, rest = self.lines.pop(0).partition(" ")
                if first == word:
                    return rest
            data = os.read(self.told, 4096) if select.select([self.told], [], [], DEADLINE_S)[0] else b""
            if not data:
                raise RuntimeError(f"the console said nothing of {word!r} (exit code {self.process.poll()})")
            self.lines.extend(data.decode().splitlines())  # written whole, a line or more at a time


@contextmanager
def console(symbols: int, root: Path) -> Iterator[Console]:
    """A console of 160x48 that somebody reads."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    told, tell = os.pipe()
    arguments = ("--profile", "upbit-binance", "--state-dir", str(root))
    child = [sys.executable, "-m", "tests.bench.kill_child", str(tell), *arguments, "--symbols", str(symbols)]
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *child], stdin=slave, stdout=slave, stderr=slave, pass_fds=(tell,), start_new_session=True
    )
    os.close(slave)
    os.close(tell)
    reader = threading.Thread(target=_read_all, args=(master,), daemon=True)
    reader.start()
    try:
        yield Console(master, told, process, arguments)
    finally:
        process.kill()
        process.wait()
        reader.join(1)
        os.close(master)
        os.close(told)


def _read_all(master: int) -> None:
    with suppress(OSError):  # the console has ended
        while os.read(master, 65_536):
            pass


def press(there: Console, chance: random.Random) -> float:
    """Milliseconds from the byte to the closed gate; returns when the gate is open again."""
    time.sleep(chance.uniform(0.02, 0.15))
    typed = time.monotonic()
    os.write(there.master, b"\x0b")
    closed = float(there.next("closed"))
    there.next("armed")
    return (closed - typed) * 1000


def command(there: Console, chance: random.Random) -> tuple[float, float]:
    """Milliseconds from the flag to the answer, and of the whole command."""
    time.sleep(chance.uniform(0.02, 0.15))
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "arbtui", "kill", *there.arguments, "--json"], capture_output=True, text=True)
    took = (time.monotonic() - started) * 1000
    told = json.loads(done.stdout)
    if not told["confirmed"]:
        raise RuntimeError(f"not confirmed: {told['why']}")
    there.next("armed")
    return float(told["confirm_ms"]), took


def row(name: str, values: Sequence[float]) -> str:
    """One line of the table."""
    ordered = sorted(values)
    p50, p99 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return f"{name:<44} {len(ordered):>6} {p50:>9.2f} {p99:>9.2f} {ordered[-1]:>9.2f}"


def main() -> int:
    """Measure and print."""
    symbols = int(sys.argv[1]) if len(sys.argv) > 1 else SYMBOLS
    chance = random.Random(1)
    print(__doc__.split("\n\n")[0])
    with tempfile.TemporaryDirectory(prefix="arbtui-bench-") as folder, console(symbols, Path(folder)) as there:
        there.next("armed")
        engine = psutil.Process(there.process.pid)
        engine.cpu_percent()
        time.sleep(WARM_S)
        busy = engine.cpu_percent()
        pressed = [press(there, chance) for _ in range(PRESSES)]
        commanded = [command(there, chance) for _ in range(COMMANDS)]
    print(f"{symbols} symbols, console 160x48; the process takes {busy:.0f} % of a core; ms")
    print(f"{'':<44} {'times':>6} {'p50':>9} {'p99':>9} {'max':>9}")
    print(row("ctrl+k to gate closed", pressed))
    print(row("arbtui kill: flag to the engine's answer", [answer for answer, _ in commanded]))
    print(row("arbtui kill: the whole command", [whole for _, whole in commanded]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
