"""Our engine beside nautilus_trader: the same updates, equal decisions, chunks in turn on one core.

Each side is a process of its own (their environments differ). Both prepare a chunk, untimed; then one plays it while the
other waits on its pipe, then the other; who is first alternates. A row counts only when both decided the same: the same
updates, assets and directions, edges within 0.001 bps. CPU time of the playing thread, so a busy machine stretches neither.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.table import Row, median, spread

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PEER_PYTHON = REPOSITORY / ".venv-nautilus" / "bin" / "python"
OURS = (sys.executable, "-m", "tests.bench.ours")
PEER = (str(PEER_PYTHON), "-m", "tests.bench.peer")
EDGE_TOLERANCE_BPS = 1e-3
SEED = 1
#: Mode: what it says in the table, and how often we want to be as fast (None: reported only).
MODES: dict[str, tuple[str, float | None]] = {
    "top": ("best price", 10.0),
    "snap": ("15-level books", 6.0),
    "diff": ("4 changed levels", 2.0),
    "wire": ("JSON bytes, best price", 7.0),
    "wire-l2": ("JSON bytes, 15 levels / 4 changes", None),
}


@dataclass
class Child:
    """One side, driven over its pipes."""

    process: "subprocess.Popen[str]"
    cpu_us: list[float] = field(default_factory=list)  #: an update, by chunk
    decisions: list[list[Any]] = field(default_factory=list)

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command, wait for its answer.

        Raises:
            RuntimeError: the child has ended.
        """
        self.tell(command)
        return self.answer()

    def tell(self, command: str) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer to the oldest command."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} ended with {self.process.wait()}")  # type: ignore[arg-type]
        told: dict[str, Any] = json.loads(line)
        return told

    def play(self, updates: int, *, counts: bool) -> None:
        """Play the prepared chunk; its time counts, or was for warming up."""
        played = self.ask("play")
        self.decisions += played["decisions"]
        if counts:
            self.cpu_us.append(played["cpu_s"] / updates * 1e6)


@contextmanager
def child(command: Sequence[str], mode: str, symbols: int) -> Iterator[Child]:
    """A side's process, ended at the end."""
    process = subprocess.Popen(
        [*command, mode, str(symbols), str(SEED)], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Child(process)
    finally:
        process.kill()
        process.wait()


def play(mode: str, symbols: int, rounds: int, updates: int) -> tuple[Child, Child, dict[str, str]]:
    """Both sides over one market: one chunk for warming up, then ``rounds`` chunks in turn."""
    with child(OURS, mode, symbols) as ours, child(PEER, mode, symbols) as peer, one_core(ours, peer):
        facts = {**ours.ask("facts"), **{f"peer {name}": version for name, version in peer.ask("facts").items()}}
        for place in range(rounds + 1):
            for side in (ours, peer):
                side.tell(f"prepare {updates}")
            for side in (ours, peer):
                side.answer()
            for side in (ours, peer) if place % 2 else (peer, ours):
                side.play(updates, counts=place > 0)
            if place == 0:
                ours.ask("warm"), peer.ask("warm")
    return ours, peer, facts


@contextmanager
def one_core(*children: Child) -> Iterator[None]:
    """All on the core that is ours last; elsewhere than on Linux the system decides."""
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0))
        for each in children:
            os.sched_setaffinity(each.process.pid, {core})
    yield


def difference(ours: Sequence[Sequence[Any]], peer: Sequence[Sequence[Any]]) -> str:
    """Where the two lists of decisions part; empty when they are equal."""
    for mine, theirs in zip(ours, peer, strict=False):
        if list(mine[:3]) != list(theirs[:3]):
            return f"ours says {list(mine[:3])}, the peer {list(theirs[:3])} (update, asset, selling venue)"
        if not abs(mine[3] - theirs[3]) <= EDGE_TOLERANCE_BPS:
            return f"update {mine[0]}: edge {mine[3]:.6f} bps here, {theirs[3]:.6f} bps there"
    if len(ours) != len(peer):
        return f"{len(ours)} decisions here, {len(peer)} there"
    return "" if ours else "nobody decided anything"


def rows(*, quick: bool) -> Iterator[Row]:
    """The comparison, row by row; one row that says why when there is no peer."""
    group = "beside nautilus_trader"
    if not PEER_PYTHON.exists():
        yield Row(group, "all", "not measured", f"no {PEER_PYTHON.parent.parent.name}: `make bench` makes it, and says so when it cannot")
        return
    rounds, updates = (2, 500) if quick else (10, 3000)
    for symbols in (50,) if quick else (50, 1000):
        for mode, (what, goal) in MODES.items():
            yield row(group, what, goal, symbols, *play(mode, symbols, rounds, updates))


def row(group: str, what: str, goal: float | None, symbols: int, ours: Child, peer: Child, facts: dict[str, str]) -> Row:
    """One line: the ratio, or why it is void."""
    name = f"{what}, {symbols} symbols x 2"
    promised = "" if goal is None else f">= {goal:g}x"
    apart = difference(ours.decisions, peer.decisions)
    if apart:
        return Row(group, name, f"VOID: {apart}", "decisions differ", promised, None if goal is None else False)
    ratios = [theirs / mine for mine, theirs in zip(ours.cpu_us, peer.cpu_us, strict=True)]
    figure = f"{spread(ratios, 1, 'x')}; {median(ours.cpu_us):.2f} vs {median(peer.cpu_us):.2f} us"
    how = f"{len(ratios)} pairs, {len(ours.decisions)} equal decisions, nautilus_trader {facts['peer nautilus_trader']}"
    return Row(group, name, figure, how, promised, None if goal is None else median(ratios) >= goal)
