"""The mutation check of one package: every mutant on the tests that reach it, one after the other, kept as it goes."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.conftest import REPOSITORY
from tests.proof.check import Options, Outcome, Progress, Verdict
from tests.proof.mutation.callers import Callers
from tests.proof.mutation.copy_of_tree import CopyOfTree, Fate, Trial
from tests.proof.mutation.equivalents import equivalents
from tests.proof.mutation.mutants import Mutant, mutants

#: Of the mutants that are not equivalent, so many must be noticed.
WANTED = 0.97
#: s for starting pytest; times what the tests took unchanged: a busy machine is no mutant's fault.
_START_S, _SLACK = 60.0, 6.0
#: s that recording who calls what may take.
_RECORDING_S = 1800.0
#: Values that a person may set: their tests are the ones that read profiles.
_NOT_CODE = frozenset({"config.py"})


def package_mutants(package: str, repository: Path = REPOSITORY) -> list[Mutant]:
    """Every mutant of ``package``, module by module."""
    root = repository / "arbtui"
    paths = [path for path in sorted((root / package).rglob("*.py")) if path.name not in _NOT_CODE]
    return [mutant for path in paths for mutant in mutants(path.relative_to(root).as_posix(), path.read_text())]


def spread(items: Sequence[Mutant], count: int) -> list[Mutant]:
    """``count`` of ``items``, evenly; all when it is 0."""
    if not count or count >= len(items):
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


@dataclass(frozen=True)
class PackageMutation:
    """The check of one package, against the tests in the folders ``tests``."""

    package: str
    tests: tuple[str, ...]
    in_ci: bool = False
    repository: Path = REPOSITORY

    @property
    def name(self) -> str:
        """The check's name."""
        return f"mutation-{self.package}"

    @property
    def summary(self) -> str:
        """One line."""
        return f"mutants of arbtui/{self.package} that {', '.join(self.tests)} notice: at least {WANTED:.0%}"

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """What decides which mutants are tried."""
        return {"sample": options.sample, "match": options.match, "budget_s": options.budget_s}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Try every mutant that this workspace does not know yet."""
        excused = equivalents()
        every = package_mutants(self.package, self.repository)
        asked = [mutant for mutant in every if re.search(options.match, mutant.id)]
        chosen = spread([mutant for mutant in asked if mutant.id not in excused], options.sample)
        known = _Trials(workspace / "trials.jsonl")
        missing = [mutant for mutant in chosen if mutant.id not in known.by_id]
        progress(f"{len(every)} mutants, {len(chosen)} chosen, {len(missing)} to try")
        if missing:
            copies = [CopyOfTree(self.repository, workspace / f"copy{number}") for number in range(options.jobs)]
            callers = record_callers(copies[0], self.tests, _recording(workspace), progress)
            for copy in copies:
                copy.warm_up(self.tests)
            try_all(copies, missing, callers, known, progress, options.budget_s)
            for copy in copies:
                copy.remove()
        ids = {mutant.id for mutant in every}
        stale = [mutant for mutant in excused if mutant.startswith(f"{self.package}/") and mutant not in ids]
        return judge(self.name, chosen, known.by_id, len(every), stale)


def _recording(workspace: Path) -> Path:
    """Where who calls what is kept: beside the workspaces of a revision, for it is the same whichever mutants are asked for."""
    return workspace.with_name(f"{workspace.name.rpartition('-')[0]}-callers.json")


def record_callers(copy: CopyOfTree, tests: Sequence[str], file: Path, progress: Progress) -> Callers:
    """Which test enters what, from ``file`` when it was recorded before.

    Raises:
        RuntimeError: nothing could be recorded.
    """
    if not file.exists():
        progress(f"recording which of {', '.join(tests)} call what")
        code, printed = copy.pytest(
            ["-p", "tests.proof.mutation.callers", *tests], _RECORDING_S, PROOF_CALLERS=str(copy.folder / "callers.json")
        )
        if code not in (0, 1):  # a test that fails unchanged is tried on no mutant
            raise RuntimeError(f"recording ended with {code}:\n{printed[-2000:]}")
        if code == 1:
            progress("some tests fail on the unchanged code and are left out: " + printed.strip().splitlines()[-1])
        (copy.folder / "callers.json").replace(file)
    return Callers(json.loads(file.read_text()))


def try_all(
    copies: Sequence[CopyOfTree], missing: Iterable[Mutant], callers: Callers, known: "_Trials", progress: Progress, budget_s: float = 0.0
) -> None:
    """Try each of ``missing``, as many at a time as there are copies; on tests of ``budget_s`` at most, unless it is 0."""
    free: SimpleQueue[CopyOfTree] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def attempt(mutant: Mutant) -> Trial:
        tests = callers.within(callers.of(mutant.module, mutant.function), budget_s)
        copy = free.get()
        try:
            return copy.try_mutant(
                mutant,
                tests,
                seconds=_START_S + _SLACK * callers.seconds(tests),
                seconds_a_test=max(20.0, _SLACK * callers.slowest(tests)),
            )
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        trials = {pool.submit(attempt, mutant): mutant for mutant in missing}
        for number, trial in enumerate(as_completed(trials), 1):
            mutant = trials[trial]
            known.add(mutant, trial.result())
            progress(f"{number}/{len(trials)} {trial.result().fate}: {mutant.id}")


class _Trials:
    """What was tried, a line each, so that an interrupted run goes on where it stopped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.by_id: dict[str, Trial] = {}
        if file.exists():
            text = file.read_text()
            whole = text[: text.rfind("\n") + 1]  # the last line may have been cut off
            for line in whole.splitlines():
                kept = json.loads(line)
                self.by_id[kept["id"]] = Trial(Fate(kept["fate"]), kept["by"])
            file.write_text(whole)

    def add(self, mutant: Mutant, trial: Trial) -> None:
        """Keep one."""
        self.by_id[mutant.id] = trial
        with self._file.open("a") as file:
            file.write(json.dumps({"id": mutant.id, "fate": trial.fate, "by": trial.by}) + "\n")


def judge(name: str, chosen: Sequence[Mutant], trials: Mapping[str, Trial], generated: int, stale: Sequence[str]) -> Outcome:
    """Count by module, and compare with what is wanted."""
    modules: dict[str, dict[str, int]] = {}
    alive: list[str] = []
    for mutant in chosen:
        fate = trials[mutant.id].fate
        row = modules.setdefault(mutant.module, dict.fromkeys(Fate, 0))
        row[fate] += 1
        if fate in (Fate.SURVIVED, Fate.UNTESTED):
            alive.append(f"{mutant.id} (line {mutant.line}, {fate})")
    noticed = len(chosen) - len(alive)
    share = noticed / len(chosen) if chosen else 0.0
    passed = bool(chosen) and share >= WANTED and not stale
    lines = [f"{name:<38}" + "".join(f"{fate:>10}" for fate in Fate)]
    lines += [f"  {module:<36}" + "".join(f"{row[fate]:>10}" for fate in Fate) for module, row in sorted(modules.items())]
    lines.append(f"  noticed {noticed} of {len(chosen)}, {share:.1%} (wanted {WANTED:.0%}); {generated} mutants in all")
    lines += [f"  not noticed: {mutant}" for mutant in alive]
    lines += [f"  equivalents.toml names no mutant of today: {mutant}" for mutant in stale]
    figures = {"generated": generated, "tried": len(chosen), "noticed": noticed, "share": round(share, 4), "modules": modules}
    figures |= {"not_noticed": alive, "stale_equivalents": list(stale)}
    return Outcome(Verdict.PASS if passed else Verdict.FAIL, figures, "\n".join(lines))
