"""From ctrl+k, or from `arbtui kill`, to the closed gate: a console that trades and paints, in a real terminal.

The key's figure runs from the byte written into the pseudo-terminal to the moment the gate is closed in memory (both on
the machine's monotonic clock); beside it, in turn with the presses, the same from a signal to an engine without a console. The
command's runs from its flag to the engine's answer, and over its whole process. All come at random moments, so they meet the
loop in whatever it does.
"""

import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from arbtui.settings.kill_signal import NUMBER as KILL_SIGNAL
from tests.bench.table import Row
from tests.bench.terminal import COLUMNS, ROWS, in_terminal

PRESSES, COMMANDS, SYMBOLS = 100, 20, (20, 500)
WARM_S, DEADLINE_S = 5.0, 60.0


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
def console(symbols: int, root: Path, *, headless: bool = False) -> Iterator[Console]:
    """A console (or, in a terminal all the same, an engine without one) that tells when its gate closes and opens."""
    told, tell = os.pipe()
    arguments = ("--profile", "upbit-binance", "--state-dir", str(root))
    command = [sys.executable, "-m", "tests.bench.kill_child", str(tell), *arguments, "--symbols", str(symbols)]
    command += ["--headless"] if headless else []
    try:
        with in_terminal(command, pass_fds=(tell,)) as (process, master):
            os.close(tell)
            yield Console(master, told, process, arguments)
    finally:
        os.close(told)


def press(there: Console, chance: random.Random) -> float:
    """Milliseconds from the byte to the closed gate; returns when the gate is open again."""
    return _closed(there, chance, lambda: os.write(there.master, b"\x0b"))


def signalled(there: Console, chance: random.Random) -> float:
    """The same from a signal."""
    return _closed(there, chance, lambda: os.kill(there.process.pid, KILL_SIGNAL))


def _closed(there: Console, chance: random.Random, act: Callable[[], object]) -> float:
    time.sleep(chance.uniform(0.02, 0.15))
    began = time.monotonic()
    act()
    took = (float(there.next("closed")) - began) * 1000
    there.next("armed")
    if took <= 0.0:
        raise RuntimeError(f"the gate was closed {-took:.3f} ms before anybody asked: one press has counted twice")
    return took


def command(there: Console, chance: random.Random) -> float | None:
    """Milliseconds from the flag to the answer; None: the command did not wait for it any longer."""
    time.sleep(chance.uniform(0.02, 0.15))
    done = subprocess.run([sys.executable, "-m", "arbtui", "kill", *there.arguments, "--json"], capture_output=True, text=True)
    told = json.loads(done.stdout)
    there.next("armed")
    return float(told["confirm_ms"]) if told["confirmed"] else None


def first_line(there: Console, chance: random.Random) -> float:
    """Milliseconds from the start of the command to its line about the gate; the orders at the venues come after it."""
    time.sleep(chance.uniform(0.02, 0.15))
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "arbtui", "kill", *there.arguments], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        took = (time.monotonic() - started) * 1000
        running.communicate()
    there.next("armed")
    if "gate" not in line:
        raise RuntimeError(f"arbtui kill said first: {line!r}")
    return took


def rows(*, quick: bool) -> Iterator[Row]:
    """Key and command, each p50, p99 and the longest; the command also without a console, where there is no key."""
    for symbols in (10,) if quick else SYMBOLS:
        yield from _rows(symbols, *((5, 2, 0.5) if quick else (PRESSES, COMMANDS, WARM_S)))


def _rows(symbols: int, presses: int, commands: int, warm_s: float) -> Iterator[Row]:
    chance = random.Random(1)
    with (
        tempfile.TemporaryDirectory(prefix="arbtui-bench-") as folder,
        tempfile.TemporaryDirectory(prefix="arbtui-bench-") as other_folder,
        console(symbols, Path(folder)) as there,
        console(symbols, Path(other_folder), headless=True) as bare,
    ):
        there.next("armed")
        bare.next("armed")
        engine = psutil.Process(there.process.pid)
        engine.cpu_percent()
        time.sleep(warm_s)
        busy = engine.cpu_percent()
        pressed, sent = [], []
        for _ in range(presses):  # in turn, so that both meet the same machine
            pressed.append(press(there, chance))
            sent.append(signalled(bare, chance))
        commanded = [command(there, chance) for _ in range(commands)]
        without = [command(bare, chance) for _ in range(commands)]
        said = [first_line(there, chance) for _ in range(commands)]
    how = f"{symbols} symbols, console {COLUMNS}x{ROWS}, {busy:.0f} % of a core"
    group = "kill"
    yield _row(group, "ctrl+k to gate closed", pressed, how)
    yield _row(group, "a signal to gate closed, without a console", sent, f"{symbols} symbols, headless, in turn with the keys")
    answers = [answer for answer in commanded if answer is not None]
    late = f"{how}; {len(commanded) - len(answers)} not answered in a second"
    if answers:
        yield _row(group, "arbtui kill: flag to the engine's answer", answers, late)
    if answers := [answer for answer in without if answer is not None]:
        late = f"{symbols} symbols, headless; {len(without) - len(answers)} not answered in a second"
        yield _row(group, "the same without a console", answers, late)
    yield _row(group, "arbtui kill: from its start to its line about the gate", said, how)


def _row(group: str, what: str, values: Sequence[float], how: str) -> Row:
    ordered = sorted(values)
    p50, p99 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    figure = f"p50 {p50:.2f}, p99 {p99:.2f}, max {ordered[-1]:.2f} ms"
    return Row(group, what, figure, f"{len(ordered)} times, {how}")
