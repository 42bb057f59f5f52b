"""`make bench`: every figure of docs/performance.md, measured now, in one table. Nothing is asserted.

Options: ``--quick`` for a look at whether everything runs (its figures mean nothing), ``--only GROUP`` (repeatable),
``--json FILE``, ``--markdown FILE``; ``--before FOLDER`` measures our side in an older checkout beside this one instead.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

import psutil

from tests.bench import kill_key, loop_lag, metrics_cost, side_by_side, stages, starting, update_cost
from tests.bench.table import Row, as_markdown, as_records, as_text

GROUPS: dict[str, Callable[..., Iterator[Row]]] = {
    "peer": side_by_side.rows,
    "stages": stages.rows,
    "update": update_cost.rows,
    "start": partial(starting.rows, side_by_side.PEER_PYTHON),
    "lag": loop_lag.rows,
    "metrics": metrics_cost.rows,
    "kill": kill_key.rows,
}


def measure(names: Sequence[str], *, quick: bool, progress: TextIO) -> list[Row]:
    """The rows of ``names``, in the table's order."""
    rows: list[Row] = []
    for name, measured in GROUPS.items():
        if name in names:
            started = time.monotonic()
            rows += measured(quick=quick)
            print(f"bench: {name} took {time.monotonic() - started:.0f} s", file=progress, flush=True)
    return rows


def machine() -> str:
    """What it was measured on, and how busy that was."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, "
        f"{memory:.0f} GiB; load {load} at the end"
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures; asserts nothing.")
    parser.add_argument("--quick", action="store_true", help="everything once and small: does it run? The figures mean nothing")
    parser.add_argument("--only", action="append", choices=list(GROUPS), help="a group of rows; all when not given")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an older checkout, to compare our side with itself")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    wished = parser.parse_args(arguments)
    started = time.monotonic()
    if wished.before is not None:
        rows = list(side_by_side.rows_before(wished.before, quick=wished.quick))
    else:
        rows = measure(wished.only or list(GROUPS), quick=wished.quick, progress=sys.stderr)
    foot = f"{machine()}; {time.monotonic() - started:.0f} s{'; QUICK: the figures mean nothing' if wished.quick else ''}"
    print(as_text(rows))
    print(foot)
    if wished.json is not None:
        wished.json.write_text(json.dumps({"machine": foot, "rows": as_records(rows)}, indent=1) + "\n")
    if wished.markdown is not None:
        wished.markdown.write_text(f"{as_markdown(rows)}\n{foot}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
