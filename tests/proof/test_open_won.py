"""The comparison of results with and without netting says FAIL where it must, and goes on where it was interrupted."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.proof import open_won
from tests.proof.check import Options, Verdict
from tests.proof.open_won import OpenWon, Run, judge

OFF = [Run(seed, False, result, result, 5000.0, 100, 0, 0.0, 0.0, 0.0) for seed, result in ((1, -30.0), (2, 10.0), (3, 20.0))]
ON = [Run(seed, True, result, 0.1, 400.0, 100, 50, 10_000.0, 6.8, 6.79) for seed, result in ((1, -4.0), (2, 1.0), (3, 2.0))]


def test_a_variance_that_is_gone_at_the_predicted_cost_passes() -> None:
    outcome = judge("open-won", [*OFF, *ON])
    assert outcome.verdict is Verdict.PASS
    assert outcome.figures["cut"] == pytest.approx(0.98524, abs=1e-5)
    assert "98.5% less" in outcome.table
    assert "cost of netting 20.40 on 30,000 (6.80 bps), predicted 20.37: +0.1%" in outcome.table


def test_a_variance_that_stays_or_a_cost_that_nobody_predicted_fails() -> None:
    assert judge("x", [*OFF, *(replace(run, result=run.result * 4.0) for run in ON)]).verdict is Verdict.FAIL
    assert judge("x", [*OFF, *(replace(run, cost=run.cost * 1.06) for run in ON)]).verdict is Verdict.FAIL
    assert judge("x", [*OFF, *(replace(run, cost=0.0, predicted=0.0, converted=0.0) for run in ON)]).verdict is Verdict.FAIL


def test_what_an_interrupted_check_has_played_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[tuple[int, bool]] = []

    class Here:
        """Plays in this process."""

        def __init__(self, jobs: int) -> None:
            pass

        def __enter__(self) -> "Here":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def map(self, what: object, *arguments: tuple[object, ...]) -> list[Run]:
            keys = list(zip(*arguments, strict=True))
            runs = {run.key: run for run in (*OFF, *ON)}
            found = []
            for seed, netting, _ in keys:
                assert isinstance(seed, int)
                assert isinstance(netting, bool)
                played.append((seed, netting))
                found.append(runs[seed, netting])
            return found

    monkeypatch.setattr(open_won, "ProcessPoolExecutor", Here)
    check = OpenWon("open-won", "", 3, 1.0)
    first = check.run(Options(), tmp_path, lambda _: None)
    assert (first.verdict, len(played)) == (Verdict.PASS, 6)
    kept = tmp_path / "runs.jsonl"
    kept.write_text(kept.read_text()[:-20])  # the last line was cut off
    assert check.run(Options(), tmp_path, lambda _: None).figures == first.figures
    assert played[6:] == [(3, True)]
    assert check.arguments(Options(sample=7)) == {"seeds": 7, "seconds": 1.0}
