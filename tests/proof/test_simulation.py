"""The checks of the simulation say FAIL where they must; every planted bug still has its place."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.proof import simulation
from tests.proof.check import Options, Verdict
from tests.proof.simulation import Bug, Stories, judge, judge_bugs, planted_bugs


def _row(seed: int, broken: dict[str, str] | None = None, crashes: int = 2) -> dict[str, Any]:
    fired = {"crash": crashes, "outage": 1}
    return {"seed": seed, "broken": broken, "fired": fired, "checked": {"I1": 5}, "virtual_s": 60.0, "crashes": crashes, "fills": 9}


def test_stories_that_hold_pass_and_one_that_breaks_fails() -> None:
    outcome = judge("simulate", [_row(1), _row(2)])
    assert outcome.verdict is Verdict.PASS
    assert "2 stories, 2 virtual minutes, 4 crashes, 18 fills" in outcome.table
    assert "crash 4, outage 2" in outcome.table
    failed = judge("simulate", [_row(1), _row(2, {"invariant": "I3 x", "detail": "trade 7"})])
    assert failed.verdict is Verdict.FAIL
    assert "seed 2 breaks I3 x: trade 7" in failed.table


def test_stories_without_a_crash_prove_nothing() -> None:
    assert judge("simulate", [_row(1, crashes=0)]).verdict is Verdict.FAIL


def test_a_bug_that_is_not_found_fails() -> None:
    found = {"seeds": 12, "invariant": "I1 x", "detail": ""}
    assert judge_bugs("planted", {"a": found}).verdict is Verdict.PASS
    assert "  12  I1 x" in judge_bugs("planted", {"a": found}).table
    assert judge_bugs("planted", {"a": found, "b": None}).verdict is Verdict.FAIL
    assert judge_bugs("planted", {}).verdict is Verdict.FAIL


@pytest.mark.parametrize("bug", planted_bugs(), ids=lambda bug: bug.name)
def test_every_planted_bug_has_its_place(bug: Bug, tmp_path: Path) -> None:
    target = tmp_path / bug.file
    target.parent.mkdir(parents=True)
    target.write_text((REPOSITORY / "arbtui" / bug.file).read_text())
    bug.plant(tmp_path)
    planted = target.read_text()
    compile(planted, bug.file, "exec")
    assert planted != (REPOSITORY / "arbtui" / bug.file).read_text()
    target.write_text("")
    with pytest.raises(ValueError, match="stands 0 times; plant it anew"):
        bug.plant(tmp_path)


def test_what_an_interrupted_check_has_played_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []

    def here(folder: Path, seeds: range, minutes: float, jobs: int, *more: str) -> dict[str, Any]:
        played.extend(seeds)
        return {"seeds": [_row(seed) for seed in seeds]}

    monkeypatch.setattr(simulation, "simulate", here)
    check = Stories("simulate", "", 6, 1.0)
    assert check.run(Options(), tmp_path, lambda _: None).verdict is Verdict.PASS
    assert played == [1, 2, 3, 4, 5, 6]
    kept = tmp_path / "stories.jsonl"
    kept.write_text(kept.read_text()[:-20])  # the last line was cut off
    assert check.run(Options(), tmp_path, lambda _: None).verdict is Verdict.PASS
    assert played[6:] == [6]
