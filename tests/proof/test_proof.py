"""The runner itself: results that are kept, runs that are taken up, and a mutation check of a package of three functions."""

import io
import json
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.proof.__main__ import main, run_check
from tests.proof.check import Options, Outcome, Progress, Verdict
from tests.proof.checks import CHECKS
from tests.proof.mutation.package import PackageMutation
from tests.proof.pytest_check import PytestCheck
from tests.proof.results import ResultFiles


@dataclass
class Counting:
    """A check that counts how often it ran, and keeps something of an unfinished run."""

    name: str = "counting"
    summary: str = "counts"
    in_ci: bool = False
    verdict: Verdict = Verdict.PASS
    ran: list[int] = field(default_factory=list)

    def arguments(self, options: Options) -> Mapping[str, Any]:
        return {"sample": options.sample}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        kept = len(list(workspace.iterdir()))
        self.ran.append(kept)
        (workspace / f"{kept}").touch()
        if self.verdict is Verdict.FAIL and kept == 0:
            raise KeyboardInterrupt
        return Outcome(self.verdict, {"kept": kept})


def _run(check: Counting, folder: Path, of: str = "c1", sample: int = 0, fresh: bool = False) -> dict[str, Any]:
    result = run_check(check, Options(sample=sample), ResultFiles(folder), of, fresh=fresh, progress=io.StringIO())
    file = ResultFiles(folder).path("counting", of, {"sample": sample})
    told: dict[str, Any] = json.loads(file.read_text())
    assert (told["name"], told["revision"], told["verdict"], told["figures"]) == ("counting", of, result.verdict, result.figures)
    assert told["started"].endswith("+00:00")
    assert told["seconds"] >= 0
    return told


def test_a_result_is_kept_for_its_commit_and_arguments_and_no_others(tmp_path: Path) -> None:
    check = Counting()
    assert _run(check, tmp_path) == _run(check, tmp_path)
    assert len(check.ran) == 1
    _run(check, tmp_path, of="c2")
    _run(check, tmp_path, sample=5)
    assert len(check.ran) == 3
    assert _run(check, tmp_path, fresh=True)["figures"] == {"kept": 0}
    assert len(check.ran) == 4


def test_an_interrupted_run_is_taken_up_and_a_damaged_result_is_none(tmp_path: Path) -> None:
    check = Counting(verdict=Verdict.FAIL)
    with pytest.raises(KeyboardInterrupt):
        _run(check, tmp_path)
    assert _run(check, tmp_path)["figures"] == {"kept": 1}
    ResultFiles(tmp_path).path("counting", "c1", {"sample": 0}).write_text('{"name": "counting"')
    assert _run(check, tmp_path)["figures"] == {"kept": 2}
    _run(check, tmp_path)
    assert check.ran == [0, 1, 2]


def test_checks_are_listed_and_a_name_that_none_has_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--list"], tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [check.name for check in CHECKS]
    assert main(["--list", "--ci"], tmp_path) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "mutation-fixed",
        "open-won-ci",
        "bit-flips-ci",
        "simulate-ci",
    ]
    assert main(["mutation-everything"], tmp_path) == 2
    assert "no check is named mutation-everything; there are mutation-fixed" in capsys.readouterr().err


def test_a_machine_gets_the_steps_that_were_asked_for(tmp_path: Path) -> None:
    check = PytestCheck("m", "m", f"{tmp_path / 'test_it.py'}::test_it", "PROOF_STEPS", 20_000, 60.0)
    (tmp_path / "test_it.py").write_text(
        "from tests.proof.steps import machine_settings\n\ndef test_it():\n    told = machine_settings(5, 7)\n"
        "    assert (told.max_examples, told.stateful_step_count) == (3, 100)\n"
    )
    outcome = check.run(Options(steps=300), tmp_path, lambda _: None)
    assert (outcome.verdict, outcome.figures["steps"]) == (Verdict.PASS, 300), outcome
    assert check.run(Options(), tmp_path, lambda _: None).verdict is Verdict.FAIL
    assert check.arguments(Options()) == {"steps": 20_000}


MODULE = """
from decimal import Decimal
from threading import Event

RATE = Decimal("0.05")

def called_at_import():
    return 2

TWICE = called_at_import()

def given(a=3):
    return a

class Pile:
    def __init__(self, items):
        self.items = items

    @property
    def largest(self):
        return max(abs(item - 1) for item in self.items)

def kept(a, b):
    return a + b

def unnoticed(a):
    return abs(a) if a < 0 else a

def untested(a):
    return a - 1

def endless():
    event = Event()
    event.set()
    event.wait()
"""
TESTS = """
from decimal import Decimal

from arbtui.small.m import RATE, TWICE, Pile, endless, given, kept, unnoticed

def test_what_is_loaded_once():
    assert (RATE, TWICE, given()) == (Decimal("0.05"), 2, 3)

def test_property():
    assert Pile([1, 5, 0]).largest == 4

def test_kept():
    assert kept(2, 3) == 5

def test_unnoticed():
    assert unnoticed(-2) == unnoticed(2) == 2

def test_endless():
    endless()

def test_that_fails():
    assert kept(1, 1) == 3
"""


@pytest.mark.slow
def test_a_package_of_a_few_functions(tmp_path: Path) -> None:
    """Some are tested, one has a mutant that changes nothing, one is not tested, and one hangs when it is changed."""
    repository = tmp_path / "repository"
    for name in ("arbtui/small", "arbtui/model", "tests/small", "profiles", "docs"):
        (repository / name).mkdir(parents=True)
    for name in ("arbtui/__init__.py", "arbtui/small/__init__.py", "tests/__init__.py", "README.md"):
        (repository / name).touch()
    (repository / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (repository / "arbtui/model/__init__.py").touch()
    (repository / "arbtui/model/money.py").write_text("DIGITS = 60\n")  # of which tests/conftest.py asks
    (repository / "arbtui/small/m.py").write_text(textwrap.dedent(MODULE))
    (repository / "tests/small/test_m.py").write_text(TESTS)
    shutil.copy(REPOSITORY / "tests" / "conftest.py", repository / "tests")
    shutil.copytree(REPOSITORY / "tests" / "proof", repository / "tests" / "proof", ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    check = PackageMutation("small", ("tests/small",), repository=repository)
    workspace = tmp_path / "mutation-small-revision-arguments"
    workspace.mkdir()
    said: list[str] = []
    outcome = check.run(Options(match="m.py"), workspace, said.append)
    fates = {trial["id"]: trial["fate"] for trial in map(json.loads, (workspace / "trials.jsonl").read_text().splitlines())}
    assert fates["small/m.py kept: a + b -> a - b"] == "killed"
    assert fates["small/m.py Pile.largest: max -> min"] == "killed"
    assert fates["small/m.py Pile.largest: item - 1 -> item + 1"] == "killed"
    # What loading has met is seen in a process of its own.
    assert fates["small/m.py (module): Decimal('0.05') -> Decimal('0.10')"] == "killed"
    assert fates["small/m.py called_at_import: 2 -> 3"] == "killed"
    assert fates["small/m.py given: 3 -> 4"] == "killed"
    assert fates["small/m.py unnoticed: a < 0 -> a <= 0"] == "survived"
    assert fates["small/m.py untested: a - 1 -> a + 1"] == "untested"
    assert fates["small/m.py endless: event.set() -> pass"] == "timeout"  # and waits: a loop would keep a core busy
    assert outcome.verdict is Verdict.FAIL
    assert any("not noticed: small/m.py untested: a - 1 -> a + 1" in line for line in outcome.table.splitlines())
    assert any("1 failed" in line for line in said)  # it is told, and notices nothing
    # Taken up: what is known is not tried again, a line that was cut off is.
    trials = workspace / "trials.jsonl"
    trials.write_text(trials.read_text()[:-10])
    said.clear()
    assert check.run(Options(match="m.py"), workspace, said.append).figures == outcome.figures
    assert said[0].endswith("1 to try")
    # With other arguments it is the same revision: who calls what is not recorded again.
    other = tmp_path / "mutation-small-revision-others"
    other.mkdir()
    said.clear()
    check.run(Options(match="Pile.largest: max"), other, said.append)
    assert not any("recording" in line for line in said)
    assert json.loads((other / "trials.jsonl").read_text())["fate"] == "killed"
