"""Our engine beside nautilus_trader: the same updates, equal decisions, chunks in turn on one core.

Each side is a process of its own (their environments differ). All prepare a chunk, untimed; then one plays it while the
others wait on their pipes, then the next; who is first changes. A row counts only when both decided the same: the same
updates, assets and directions, edges within 0.001 bps. CPU time of the playing thread, so a busy machine stretches neither.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.table import Row, median, spread
from tests.bench.workload import LEVELS

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PEER_PYTHON = REPOSITORY / ".venv-nautilus" / "bin" / "python"
OURS = (sys.executable, "-m", "tests.bench.ours")
PEER = (str(PEER_PYTHON), "-m", "tests.bench.peer")
EDGE_TOLERANCE_BPS = 1e-3
SEED = 1
#: Mode: what it says in the table, and how many times as fast we want to be (None: reported only).
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
    peak_mb: float = 0.0  #: most resident memory of the process up to the end of its warming up

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
            raise RuntimeError(f"a side of the comparison ended with {self.process.wait()}: {self.process.args!r}")
        told: dict[str, Any] = json.loads(line)
        return told

    def play(self, updates: int, *, counts: bool) -> None:
        """Play the prepared chunk; its time counts, or was for warming up."""
        played = self.ask("play")
        self.decisions += played["decisions"]
        if counts:
            self.cpu_us.append(played["cpu_s"] / updates * 1e6)


@contextmanager
def child(command: Sequence[str], mode: str, symbols: int, without: str, root: Path) -> Iterator[Child]:
    """A side's process on the last core that is ours, ended at the end. ``root``: the checkout whose code it runs."""
    arguments = [*command, mode, str(symbols), str(SEED), *([without] if without else [])]
    with subprocess.Popen(arguments, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if hasattr(os, "sched_setaffinity"):  # elsewhere than on Linux the system decides
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        try:
            yield Child(process)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Side:
    """What to start: a command, what it leaves out, and the checkout that it is started in."""

    command: Sequence[str]
    without: str = ""
    root: Path = REPOSITORY


def play(sides: Mapping[str, Side], mode: str, symbols: int, rounds: int, updates: int) -> dict[str, Child]:
    """``sides`` over one market: one chunk for warming up, then ``rounds`` chunks in turn."""
    with ExitStack() as stack:
        children = {name: stack.enter_context(child(side.command, mode, symbols, side.without, side.root)) for name, side in sides.items()}
        order = list(children.values())
        for place in range(rounds + 1):
            for each in order:
                each.tell(f"prepare {updates}")
            for each in order:
                each.answer()
            for each in order:
                each.play(updates, counts=place > 0)
            if place == 0:
                for each in order:
                    each.peak_mb = each.ask("warm")["peak_mb"]
            order.append(order.pop(0))
        return children


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
    rounds, updates = (2, 500) if quick else (6, 2500)
    sides = {"ours": Side(OURS), "peer": Side(PEER), "idle": Side(PEER, "strategy")}
    for symbols in (50,) if quick else (50, 1000):
        for mode, (what, goal) in MODES.items():
            played = play(sides, mode, symbols, rounds, updates)
            yield row(group, f"{what}, {symbols} symbols x 2", goal, played)
            if mode == "diff":
                yield memory(group, f"memory, {LEVELS}-level books, {symbols} symbols x 2", played)


def memory(group: str, what: str, sides: Mapping[str, Child]) -> Row:
    """Whole processes, imports and all."""
    ours, peer = sides["ours"].peak_mb, sides["peer"].peak_mb
    how = "peak of the whole process after warming up: imports, markets, books, one chunk of updates"
    return Row(group, what, f"{ours / peer:.2f}x: {ours:.0f} beside {peer:.0f} MB", how, "<= 0.30x", ours / peer <= 0.30)


def rows_before(root: Path, *, quick: bool) -> Iterator[Row]:
    """Our side beside itself in another checkout: what a change has brought."""
    rounds, updates = (2, 500) if quick else (10, 2500)
    sides = {"before": Side(OURS, root=root), "after": Side(OURS)}
    for symbols in (50,) if quick else (50, 1000):
        for mode, (what, _) in MODES.items():
            played = play(sides, mode, symbols, rounds, updates)
            before, after = played["before"], played["after"]
            ratios = [old / new for old, new in zip(before.cpu_us, after.cpu_us, strict=True)]
            figure = f"{spread(ratios, 2, 'x')}: {median(before.cpu_us):.2f}, now {median(after.cpu_us):.2f} us"
            apart = difference(before.decisions, after.decisions)
            how = f"{len(ratios)} pairs in turn, {len(after.decisions)} equal decisions"
            yield Row("before and after", f"{what}, {symbols} symbols x 2", f"VOID: {apart}" if apart else figure, how)


def row(group: str, what: str, goal: float | None, sides: Mapping[str, Child]) -> Row:
    """One line: the ratio, or why it is void."""
    ours, peer = sides["ours"], sides["peer"]
    promised = "" if goal is None else f">= {goal:g}x"
    apart = difference(ours.decisions, peer.decisions)
    if apart:
        return Row(group, what, f"VOID: {apart}", "decisions differ", promised, None if goal is None else False)
    ratios = [theirs / mine for mine, theirs in zip(ours.cpu_us, peer.cpu_us, strict=True)]
    figure = f"{spread(ratios, 1, 'x')}: {median(ours.cpu_us):.2f} beside {median(peer.cpu_us):.2f} us"
    idle = f"peer with an idle strategy {median(sides['idle'].cpu_us):.2f} us"
    how = f"{len(ratios)} pairs in turn, {len(ours.decisions)} equal decisions; {idle}"
    return Row(group, what, figure, how, promised, None if goal is None else median(ratios) >= goal)
