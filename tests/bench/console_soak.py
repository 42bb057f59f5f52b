"""Does a console that paints hands off for minutes grow, and for how long does the garbage collector stop it?

``python -m tests.bench.console_soak --symbols 20 500 --minutes 10 [--headless] [--json FILE]``: the real program in a real
terminal of 160x48, a run after the other; beside each a loop that does nothing, on the same machine at the same time. Asserts
nothing; prints each figure beside its goal.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.__main__ import machine
from tests.bench.table import Row, as_records, as_text
from tests.bench.terminal import COLUMNS, ROWS, in_terminal

UNREACHABLE_PER_S, PAUSE_MS, GROWTH_MB = 50, 50.0, 5.0
"""Goals: unreachable objects a second after the first minute; thread CPU of the longest collection; growth from minute 2 on."""

_START_S = 120.0
"""How long start and end of a run may take beside its own length."""


def run(symbols: int, seconds: float, *, headless: bool = False) -> dict[str, Any]:
    """One run: what its child counted, its own summary, and the summary of the idle loop beside it."""
    with tempfile.TemporaryDirectory(prefix="arbtui-soak-") as name:
        folder = Path(name)
        counted, summary, idle = folder / "counted.json", folder / "summary.json", folder / "idle.json"
        command = [sys.executable, "-m", "tests.bench.soak_child", str(counted), str(seconds), "--profile", "upbit-binance"]
        command += ["--symbols", str(symbols), "--state-dir", str(folder), "--max-runtime", str(seconds), "--json", str(summary)]
        beside = subprocess.Popen([sys.executable, "-m", "tests.bench.idle_child", str(seconds), str(idle)])
        try:
            if headless:
                subprocess.run([*command, "--headless"], timeout=seconds + _START_S, stderr=subprocess.DEVNULL)
            else:
                with in_terminal(command) as (process, _):
                    process.wait(seconds + _START_S)
            beside.wait(_START_S)
        finally:
            beside.kill()
            beside.wait()
        return {"counted": json.loads(counted.read_text()), **_told(summary), "idle": json.loads(idle.read_text())}


def _told(file: Path) -> dict[str, Any]:
    summary = json.loads(file.read_text())
    return {name: summary[name] for name in ("loop_lag_ms", "loop_turns", "updates_per_s", "fills", "cycles", "runtime_s", "cpu_percent")}


def rows(symbols: int, seconds: float, told: dict[str, Any], *, headless: bool = False) -> Iterator[Row]:
    """The figures of one run beside their goals; over less than three minutes there is no minute 2 to grow from."""
    counted, idle = told["counted"], told["idle"]
    group = f"{symbols} symbols{', headless' if headless else ''}"
    where = "headless" if headless else f"console {COLUMNS}x{ROWS}"
    last = int(seconds) - 3
    first = min(60, last // 2)
    found = sum(counted["collected"][first:last]) + counted["left_over"]
    per_s = found / max(1, last - first)
    how = f"{where}, seconds {first} to {last}: {found} found by the collector or left over at the end"
    yield Row(group, "unreachable objects a second", f"{per_s:.1f}", how, f"< {UNREACHABLE_PER_S}", per_s < UNREACHABLE_PER_S)
    cpu, wall, at, generation = counted["longest"][0]
    runs = "/".join(map(str, counted["runs"]))
    how = f"generation {generation}, second {at:.0f}, {wall:.1f} ms on the clock; {runs} collections, thresholds {counted['thresholds']}"
    yield Row(group, "longest collection (thread CPU)", f"{cpu:.1f} ms", how, f"< {PAUSE_MS:g} ms", cpu < PAUSE_MS)
    beside = idle["loop_turns"]
    how = f"beside it, the same minutes: lag p99 {idle['loop_lag_ms']['p99']:.1f}, max {idle['loop_lag_ms']['max']:.1f} ms"
    yield Row(group, "a loop that does nothing", f"longest turn {beside['longest_ms']:.1f} ms", how)
    lag, turns = told["loop_lag_ms"], told["loop_turns"]
    how = f"longest turn {turns['longest_ms']:.1f} ms at second {turns['longest_at_s']:.0f}"
    how += f", CPU withheld for up to {turns['longest_cpu_wait_ms']:.1f} ms"
    yield Row(group, "this loop", f"lag p99 {lag['p99']:.1f}, max {lag['max']:.1f} ms", how)
    rss = counted["rss_mb"]
    start = min(120, last // 2)
    early, late = (max(rss[max(0, each - 5) : each + 1]) for each in (start, last))
    how = f"{early:.1f} MB at second {start}, {late:.1f} at {last}; {told['updates_per_s']:.0f} updates/s, {told['fills']} fills"
    growth = late - early
    yield Row(group, "memory growth", f"{growth:+.1f} MB", how, f"<= +{GROWTH_MB:g} MB", growth <= GROWTH_MB)


def main(arguments: Sequence[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console_soak", description="Measures; asserts nothing.")
    parser.add_argument("--symbols", type=int, nargs="+", default=[20, 500])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--headless", action="store_true", help="the same without the console, for comparison")
    parser.add_argument("--json", type=Path, metavar="FILE")
    wished = parser.parse_args(arguments)
    seconds = wished.minutes * 60
    shown: list[Row] = []
    raw: dict[int, Any] = {}
    for symbols in wished.symbols:
        raw[symbols] = told = run(symbols, seconds, headless=wished.headless)
        shown += rows(symbols, seconds, told, headless=wished.headless)
    print(as_text(shown))
    print(machine())
    if wished.json is not None:
        wished.json.write_text(json.dumps({"machine": machine(), "rows": as_records(shown), "runs": raw}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
