"""The share of the mutation check that CI runs: a fixed list of mutants, each with the tests that must notice it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.proof.check import Options, Outcome, Progress, Verdict
from tests.proof.mutation.copy_of_tree import CopyOfTree, Fate
from tests.proof.mutation.mutants import Mutant, mutants

FILE = Path(__file__).with_name("fixed.toml")
#: s for one mutant, and for one of its tests.
_MUTANT_S, _TEST_S = 180.0, 60.0


def fixed_mutants(file: Path = FILE) -> list[tuple[Mutant, str]]:
    """The list: mutants, each with a file of tests.

    Raises:
        ValueError: an entry that names no mutant of today's code; put another one in its place.
    """
    found = []
    for entry in tomllib.loads(file.read_text())["mutant"]:
        module = entry["id"].partition(" ")[0]
        path = REPOSITORY / "arbtui" / module
        by_id = {mutant.id: mutant for mutant in mutants(module, path.read_text())} if path.is_file() else {}
        if entry["id"] not in by_id:
            raise ValueError(f"{file.name}: no mutant of today's code is {entry['id']!r}; put another of its kind in its place")
        found.append((by_id[entry["id"]], entry["tests"]))
    return found


@dataclass(frozen=True)
class FixedMutants:
    """Every mutant of the list must be noticed."""

    name: str = "mutation-fixed"
    summary: str = "a fixed list of mutants, one or more of each kind, every one noticed"
    in_ci: bool = True

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """None: the list is part of the commit."""
        return {}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Try each; short enough to begin anew when it was interrupted."""
        copy = CopyOfTree(REPOSITORY, workspace / "copy")
        fates: dict[str, str] = {}
        for mutant, tests in fixed_mutants():
            trial = copy.try_mutant(mutant, [tests], seconds=_MUTANT_S, seconds_a_test=_TEST_S)
            fates[mutant.id] = trial.fate
            progress(f"{trial.fate}: {mutant.id}")
        copy.remove()
        alive = [mutant for mutant, fate in fates.items() if fate not in (Fate.KILLED, Fate.TIMEOUT)]
        table = f"{self.name}: noticed {len(fates) - len(alive)} of {len(fates)}" + "".join(
            f"\n  not noticed: {mutant}" for mutant in alive
        )
        return Outcome(Verdict.FAIL if alive else Verdict.PASS, {"fates": fates}, table)
