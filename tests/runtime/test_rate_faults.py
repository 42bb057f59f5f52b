"""A wrong rate under a whole session: what is traded is worth it at the true rate, and a real drift is traded through."""

from pathlib import Path

import pytest

from arbtui.marketdata.rate_watch import RateWatch
from tests.runtime.rate_faults import Lie, creeping, frozen, one_sided, play, times

pytestmark = pytest.mark.slow

#: USDT that the cycles of a fault may cost at the true rate.
LEAST_CASH = -0.2


@pytest.mark.parametrize("lie", [times(1.015), times(0.985), times(1.009)], ids=["up", "down", "under the live limit of an edge"])
def test_a_rate_that_jumps_alone_opens_nothing_from_that_update_on(tmp_path: Path, lie: Lie) -> None:
    seen = play(tmp_path, lie)
    assert seen.before > 20
    assert (seen.cycles, seen.cash) == (0, 0.0)
    assert seen.first_doubt_s is not None
    assert seen.first_doubt_s < 1.0  # its first update
    assert seen.breaches["RATE_DOUBTED"] >= 1


@pytest.mark.parametrize(
    "lie",
    [times(1.0025), times(0.9975), frozen, one_sided, creeping(5.0), creeping(-1.0)],
    ids=["small up", "small down", "frozen", "one-sided", "creeping up", "creeping down slowly"],
)
def test_what_is_opened_at_a_rate_that_is_a_little_wrong_pays_at_the_true_one(tmp_path: Path, lie: Lie) -> None:
    assert play(tmp_path, lie).cash >= LEAST_CASH


def test_nobody_watching_the_same_fault_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateWatch, "on_rate", lambda self: None)
    monkeypatch.setattr(RateWatch, "look", lambda self, now: None)
    seen = play(tmp_path, times(1.009))
    assert seen.cycles > 0
    assert seen.cash < LEAST_CASH


@pytest.mark.parametrize("bps_per_s", [5.0, -5.0])
def test_a_real_drift_is_not_blocked(tmp_path: Path, bps_per_s: float) -> None:
    seen = play(tmp_path, drift_bps_per_s=bps_per_s)  # 2 % in 40 s, every coin with it
    assert seen.doubted_s == 0.0
    assert seen.cycles > seen.before / 2
    assert seen.cash > 0.0
