"""`make proof`: checks that take too long for every change, one result file each. See docs/proof.md."""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tests.conftest import REPOSITORY
from tests.proof.check import Check, Options, Result, Verdict
from tests.proof.checks import CHECKS
from tests.proof.results import ResultFiles
from tests.proof.revision import revision

FOLDER = REPOSITORY / "build" / "proof"


def run_check(check: Check, options: Options, files: ResultFiles, of: str, *, fresh: bool, progress: TextIO) -> Result:
    """Run ``check`` on revision ``of`` and keep its result; a kept one is given back instead, unless ``fresh``."""
    arguments = check.arguments(options)
    if fresh:
        files.path(check.name, of, arguments).unlink(missing_ok=True)
        shutil.rmtree(files.workspace(check.name, of, arguments))
    kept = files.read(check.name, of, arguments)
    if kept is not None:
        print(f"proof: {check.name}: known for {of}, {kept.verdict}", file=progress, flush=True)
        return kept
    workspace = files.workspace(check.name, of, arguments)
    started, begun = datetime.now(UTC), time.monotonic()

    def say(line: str) -> None:
        print(f"proof: {check.name}: {time.monotonic() - begun:.0f} s: {line}", file=progress, flush=True)

    outcome = check.run(options, workspace, say)
    seconds = round(time.monotonic() - begun, 1)
    when = started.isoformat(timespec="seconds")
    result = Result(check.name, of, arguments, when, seconds, outcome.verdict, outcome.figures, outcome.table)
    say(f"{result.verdict}, kept in {files.write(result)}")
    return result


def main(arguments: Sequence[str], folder: Path = FOLDER) -> int:
    """Run what was asked for: 0 when everything passed, 1 when something did not, 2 for a name that no check has."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description="Long checks, resumable, one result file each.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="checks to run; all when not given")
    parser.add_argument("--list", action="store_true", help="name the checks and run none")
    parser.add_argument("--fresh", action="store_true", help="forget kept results and unfinished runs of these checks first")
    parser.add_argument("--ci", action="store_true", help="the fixed share that CI runs")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="mutation: N mutants of each package, spread evenly")
    parser.add_argument("--match", default="", metavar="PATTERN", help="mutation: only mutants whose name holds PATTERN")
    parser.add_argument(
        "--budget", type=float, default=0.0, metavar="S", help="mutation: only the quickest tests, up to S seconds a mutant"
    )
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="state machine: N steps")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutation: N mutants at the same time (default 1)")
    wished = parser.parse_args(arguments)
    by_name = {check.name: check for check in CHECKS}
    unknown = [name for name in wished.names if name not in by_name]
    if unknown:
        print(f"proof: no check is named {', '.join(unknown)}; there are {', '.join(by_name)}", file=sys.stderr)
        return 2
    chosen = [by_name[name] for name in wished.names] or [check for check in CHECKS if check.in_ci or not wished.ci]
    if wished.list:
        for check in chosen:
            print(f"{check.name:<22}{'ci  ' if check.in_ci else '    '}{check.summary}")
        return 0
    options = Options(wished.sample, wished.match, wished.budget, wished.steps, max(1, wished.jobs))
    files, of = ResultFiles(folder), revision(REPOSITORY)
    results = [run_check(check, options, files, of, fresh=wished.fresh, progress=sys.stderr) for check in chosen]
    for result in results:
        if result.table:
            print(result.table)
    for result in results:
        print(f"{result.verdict:<5}{result.name:<22}{result.revision}  {result.seconds:.0f} s  {result.started}")
    return 0 if all(result.verdict is Verdict.PASS for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
