"""What the console costs the engine's loop: the same run with it, without it, and an idle loop, in turn.

All three measure themselves with the program's own probe: how late a callback of every 10 ms is (a stall counts once for
every slot it swallows), and the longest turn of the loop less the time that the machine withheld the CPU.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.table import Row, median, spread
from tests.bench.terminal import COLUMNS, ROWS, in_terminal

_WAIT_S = 120.0


def rows(*, quick: bool) -> Iterator[Row]:
    """Lag and longest turn of the three."""
    rounds, seconds, symbols = (1, 2.0, 10) if quick else (3, 8.0, 500)
    told: dict[str, list[dict[str, Any]]] = {"an idle loop": [], "the engine headless": [], "the engine with the console": []}
    for _ in range(rounds):
        for kind, summaries in told.items():
            with tempfile.TemporaryDirectory(prefix="arbtui-bench-") as folder:
                summaries.append(_run(kind, Path(folder), symbols, seconds))
    group = "loop lag"
    idle = _p99(told["an idle loop"])
    for kind, summaries in told.items():
        p99, longest = _p99(summaries), [summary["loop_turns"]["longest_ms"] for summary in summaries]
        withheld = max(summary["loop_turns"]["longest_cpu_wait_ms"] for summary in summaries)
        painted = f", {2 * symbols} routes on {COLUMNS}x{ROWS}" if "console" in kind else ""
        how = f"{rounds} runs of {seconds:g} s in turn{painted}; CPU withheld for up to {withheld:.1f} ms"
        worst = max((summary["loop_turns"] for summary in summaries), key=lambda turns: turns["longest_ms"])
        is_goal = "console" in kind
        yield Row(
            group,
            f"{kind}: p99",
            spread(p99, 2, " ms"),
            how,
            f"<= idle + 5 ms ({median(idle) + 5:.1f})" if is_goal else "",
            median(p99) <= median(idle) + 5.0 if is_goal else None,
        )
        yield Row(
            group,
            f"{kind}: longest turn",
            f"{spread(longest, 1, ' ms')}, the worst {worst['longest_at_s']:.1f} s after the start",
            how,
            "<= 16 ms" if is_goal else "",
            max(longest) <= 16.0 if is_goal else None,
        )


def _p99(summaries: list[dict[str, Any]]) -> list[float]:
    return [summary["loop_lag_ms"]["p99"] for summary in summaries]


def _run(kind: str, folder: Path, symbols: int, seconds: float) -> dict[str, Any]:
    """One run's own summary."""
    file = folder / "summary.json"
    session = [sys.executable, "-m", "arbtui", "--profile", "upbit-binance", "--symbols", str(symbols), "--state-dir", str(folder)]
    session += ["--max-runtime", str(seconds), "--json", str(file)]
    if "idle" in kind:
        subprocess.run([sys.executable, "-m", "tests.bench.idle_child", str(seconds), str(file)], check=True, timeout=_WAIT_S)
    elif "headless" in kind:
        subprocess.run([*session, "--headless"], check=True, timeout=_WAIT_S, stderr=subprocess.DEVNULL)
    else:
        with in_terminal(session) as (process, _):
            process.wait(_WAIT_S)
    summary: dict[str, Any] = json.loads(file.read_text())
    return summary
