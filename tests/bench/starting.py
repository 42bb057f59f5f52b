"""How long until it works: from the start of the process to the first decision, and what importing takes of that.

Without bytecode means as after a fresh installation: every module, the standard library's too, is compiled from its source.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.table import Row, median, spread

_WAIT_S = 60.0
#: What is imported, by what for.
IMPORTS = {
    "Python itself": "pass",
    "the kill command": "import arbtui.cli.kill",
    "a headless run": "import arbtui.cli.app, arbtui.runtime.session",
    "the console": "import arbtui.cli.app, arbtui.runtime.session, arbtui.runtime.screen",
    "telegram": "import telegram, telegram.request",
    "ccxt (async)": "import ccxt.async_support",
}
_PEER = "nautilus_trader (data engine, strategy)"
_PEER_IMPORT = "import nautilus_trader.data.engine, nautilus_trader.trading.strategy, nautilus_trader.live.node"


def rows(peer_python: Path, *, quick: bool) -> Iterator[Row]:
    """Starts, then imports."""
    group = "start"
    for symbols, runs in ((10, 1),) if quick else ((20, 5), (1000, 3)):
        starts = [_start(symbols, seed) for seed in range(1, runs + 1)]
        how = f"{runs} headless runs in sim, new state folder, wall time"
        yield Row(group, f"process to first evaluation, {symbols} symbols", spread([first for first, _ in starts], 2, " s"), how)
        cycles = [opened for _, opened in starts if opened is not None]
        figure = spread(cycles, 2, " s") if cycles else "none opened"
        what = f"process to first cycle opened, {symbols} symbols"
        yield Row(group, what, figure, f"{how}; {len(cycles)} of {runs} opened one in {_WAIT_S:g} s")
    yield from _imports(peer_python, quick=quick)


def _start(symbols: int, seed: int) -> tuple[float, float | None]:
    """Seconds to the first evaluation and to the first cycle."""
    told, tell = os.pipe()
    with tempfile.TemporaryDirectory(prefix="arbtui-bench-") as folder:
        session = ["--profile", "upbit-binance", "--headless", "--symbols", str(symbols), "--seed", str(seed), "--state-dir", folder]
        child = [sys.executable, "-m", "tests.bench.start_child", str(tell), *session, "--max-runtime", str(_WAIT_S)]
        started = time.monotonic()
        process = subprocess.Popen(child, pass_fds=(tell,), stderr=subprocess.DEVNULL)
        os.close(tell)
        moments: dict[str, float] = {}
        with os.fdopen(told) as lines:
            for line in lines:  # ends with the process, at the latest
                what, _, moment = line.partition(" ")
                moments[what] = float(moment) - started
                if what == "opened":
                    break
            process.terminate()
            process.wait(_WAIT_S)
    if "evaluated" not in moments:
        raise RuntimeError(f"a run of {symbols} symbols evaluated nothing")
    return moments["evaluated"], moments.get("opened")


def _imports(peer_python: Path, *, quick: bool) -> Iterator[Row]:
    """Every import in turn, a few times over."""
    programs = {what: (sys.executable, program) for what, program in IMPORTS.items()}
    if quick:
        programs = {what: programs[what] for what in ("Python itself", "the kill command")}
    elif peer_python.exists():
        programs[_PEER] = (str(peer_python), _PEER_IMPORT)
    warm: dict[str, list[tuple[float, float]]] = {what: [] for what in programs}
    bare: dict[str, list[tuple[float, float]]] = {what: [] for what in programs}
    for place in range(1 if quick else 5):
        for what, (python, program) in programs.items():
            if place == 0:
                _import(python, program, None)  # writes the bytecode, fills the page cache
            warm[what].append(_import(python, program, None))
            if place == 0:  # the longest by far, and the least surprising
                with tempfile.TemporaryDirectory(prefix="arbtui-bench-") as empty:
                    bare[what].append(_import(python, program, empty))
    for what in programs:
        cpu = [each for _, each in warm[what]]
        figure = f"{spread(cpu, 2, ' s')} CPU, {median([each for each, _ in warm[what]]):.2f} s wall"
        goal, met = "", None
        if what == "a headless run" and _PEER in warm:
            ratios = [mine / theirs for mine, (_, theirs) in zip(cpu, warm[_PEER], strict=True)]
            figure += f"; {spread(ratios, 2, 'x')} nautilus_trader's CPU"
            goal, met = "<= 0.35x", median(ratios) <= 0.35
        ((bare_wall, bare_cpu),) = bare[what]
        how = f"{len(cpu)} processes in turn; without bytecode {bare_cpu:.2f} s CPU, {bare_wall:.2f} s wall"
        yield Row("import", what, figure, how, goal, met)


def _import(python: str, program: str, bytecode: str | None) -> tuple[float, float]:
    """Wall and CPU seconds of a whole process; ``bytecode`` names an empty folder that stays empty."""
    options: Sequence[str] = () if bytecode is None else ("-B", "-X", f"pycache_prefix={bytecode}")
    started = time.monotonic()
    process = subprocess.Popen([python, *options, "-c", program], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{python} -c {program!r} ended with {process.returncode}")
    return took, used.ru_utime + used.ru_stime
