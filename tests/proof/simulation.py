"""Stories of the deterministic simulation: none breaks an invariant, and every planted bug breaks one."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.proof.check import Options, Outcome, Progress, Verdict
from tests.proof.mutation.copy_of_tree import CopyOfTree

BUGS = Path(__file__).with_name("planted.toml")


@dataclass(frozen=True)
class Bug:
    """A planted bug. ``old`` stands once in ``file``, below the package."""

    name: str
    why: str
    file: str
    old: str
    new: str

    def plant(self, package: Path) -> None:
        """Write it into the copy of the package at ``package``.

        Raises:
            ValueError: its place is not there any more, or there twice.
        """
        path = package / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{BUGS.name}: {self.name}: its place in {self.file} stands {text.count(self.old)} times; plant it anew")
        path.write_text(text.replace(self.old, self.new))


def planted_bugs() -> list[Bug]:
    """Every bug of the list."""
    return [Bug(**entry) for entry in tomllib.loads(BUGS.read_text())["bug"]]


def simulate(folder: Path, seeds: Sequence[int], minutes: float, jobs: int, *more: str) -> Mapping[str, Any]:
    """What ``arbtui simulate --json`` of the tree in ``folder`` says.

    Raises:
        RuntimeError: it ended with another exit code than 0 or 1.
    """
    wanted = ["--seed", str(seeds[0]), "--seeds", str(len(seeds)), "--minutes", f"{minutes:g}", "--jobs", str(jobs)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARBTUI_")} | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "arbtui", "simulate", *wanted, "--json", *more]
    done = subprocess.run(command, cwd=folder, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with code {done.returncode}: {done.stderr.strip()}")
    said: Mapping[str, Any] = json.loads(done.stdout)
    return said


@dataclass(frozen=True)
class Stories:
    """No invariant breaks in any of ``seeds`` stories."""

    name: str
    summary: str
    seeds: int
    minutes: float
    in_ci: bool = False

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """How many stories, and how long."""
        return {"seeds": options.sample or self.seeds, "minutes": self.minutes}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Play them a few at a time; what an interrupted run has played is not played again."""
        kept = workspace / "stories.jsonl"
        rows = {row["seed"]: row for row in _read(kept)}
        wanted = range(1, (options.sample or self.seeds) + 1)
        left = [seed for seed in wanted if seed not in rows]
        some = 4 * options.jobs if self.minutes < 30 else options.jobs
        while left:
            seeds = [seed for seed in left if seed < left[0] + some]
            said = simulate(REPOSITORY, range(left[0], left[0] + len(seeds)), self.minutes, options.jobs)
            with kept.open("a") as file:
                for row in said["seeds"]:
                    rows[row["seed"]] = row
                    file.write(json.dumps(row) + "\n")
            left = [seed for seed in wanted if seed not in rows]
            progress(f"{len(rows)} of {len(wanted)} stories")
        return judge(self.name, [rows[seed] for seed in wanted])


def judge(name: str, rows: Sequence[Mapping[str, Any]]) -> Outcome:
    """The verdict on the stories that were played."""
    broken = {row["seed"]: row["broken"] for row in rows if row["broken"] is not None}
    fired = _sum(row["fired"] for row in rows)
    checked = _sum(row["checked"] for row in rows)
    virtual = sum(row["virtual_s"] for row in rows)
    crashes, fills = sum(row["crashes"] for row in rows), sum(row["fills"] for row in rows)
    lines = [f"{name}: {len(rows)} stories, {virtual / 60:.0f} virtual minutes, {crashes} crashes, {fills:,} fills"]
    lines.append("  faults fired: " + ", ".join(f"{kind} {times}" for kind, times in fired.items()))
    lines.append("  looked at: " + ", ".join(f"{what} {times:,}" for what, times in checked.items()))
    lines += [f"  seed {seed} breaks {one['invariant']}: {one['detail']}" for seed, one in broken.items()]
    figures = {"stories": len(rows), "virtual_s": virtual, "crashes": crashes, "fills": fills, "fired": fired, "broken": broken}
    return Outcome(Verdict.FAIL if broken or not crashes else Verdict.PASS, figures, "\n".join(lines))


@dataclass(frozen=True)
class PlantedBugs:
    """Each planted bug is found within ``seeds`` stories."""

    name: str
    summary: str
    seeds: int
    minutes: float
    in_ci: bool = False

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """How many stories each bug gets, and how long they are."""
        return {"seeds": options.sample or self.seeds, "minutes": self.minutes}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Plant one at a time in a scratch copy, and play until a story breaks."""
        found: dict[str, Mapping[str, Any] | None] = {}
        for bug in planted_bugs():
            copy = CopyOfTree(REPOSITORY, workspace / "copy")
            bug.plant(copy.folder / "arbtui")
            seeds = range(1, (options.sample or self.seeds) + 1)
            said = simulate(copy.folder, seeds, self.minutes, options.jobs, "--stop-at-first")
            copy.remove()
            last = said["seeds"][-1]
            found[bug.name] = None if last["broken"] is None else {"seeds": len(said["seeds"]), **last["broken"]}
            progress(f"{bug.name}: {found[bug.name] or 'NOT FOUND'}")
        return judge_bugs(self.name, found)


def judge_bugs(name: str, found: Mapping[str, Mapping[str, Any] | None]) -> Outcome:
    """The verdict on all bugs: in how many stories each was found, and by which invariant."""
    lines = [f"{name}: found {sum(1 for one in found.values() if one)} of {len(found)}"]
    lines += [f"  {bug:<28} {_found(one)}" for bug, one in found.items()]
    return Outcome(Verdict.PASS if found and all(found.values()) else Verdict.FAIL, {"found": dict(found)}, "\n".join(lines))


def _sum(rows: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows:
        for name, times in row.items():
            total[name] = total.get(name, 0) + times
    return dict(sorted(total.items()))


def _read(path: Path) -> list[dict[str, Any]]:
    """The stories that an interrupted check has kept; a line that was cut off is none."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _found(one: Mapping[str, Any] | None) -> str:
    return "NOT FOUND" if one is None else f"{one['seeds']:>4}  {one['invariant']}"
