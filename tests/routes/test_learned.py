"""What routes teach: bounded, decayed, and the same after it was written down."""

import pytest

from arbtui.journal.episodes import LOOKS_MS
from arbtui.routes.learned import HALF_LIFE_MS, MOST_SLIPPAGE_BPS, LearnedRoutes

NOW_MS = 1_767_258_845_000


def test_slippage_settles_at_what_fills_cost_and_follows_a_change() -> None:
    learned = LearnedRoutes()
    for _ in range(5):
        learned.slipped("r", 4.0, NOW_MS)
    known = learned.of("r")
    assert known is not None
    assert known.slippage_at(NOW_MS) == pytest.approx(4.0)
    for _ in range(60):
        learned.slipped("r", 1.0, NOW_MS)
    assert known.slippage_at(NOW_MS) == pytest.approx(1.0, abs=0.02)
    assert learned.of("another") is None


def test_fills_better_than_expected_are_no_bonus_and_outliers_are_bounded() -> None:
    learned = LearnedRoutes()
    assert learned.slipped("better", -9.0, NOW_MS).slippage_at(NOW_MS) == 0.0
    for _ in range(5):
        worse = learned.slipped("worse", 5_000.0, NOW_MS)
    assert worse.slippage_at(NOW_MS) == MOST_SLIPPAGE_BPS


@pytest.mark.parametrize("at", range(5))
def test_one_bad_fill_among_the_first_counts_as_a_fifth(at: int) -> None:
    """A route whose first fill was bad would else open nothing for days, and learn nothing better meanwhile."""
    learned = LearnedRoutes()
    for number in range(at + 1):
        known = learned.slipped("r", 60.0 if number == at else 0.0, NOW_MS)
    assert known.slippage_bps == pytest.approx(60.0 / (at + 1)), "what was measured is told as it is"
    assert known.slippage_at(NOW_MS) == pytest.approx(60.0 / 5)


def test_half_of_it_is_forgotten_in_a_day_that_teaches_nothing() -> None:
    learned = LearnedRoutes()
    for _ in range(5):
        known = learned.slipped("r", 8.0, NOW_MS)
    assert known.slippage_at(NOW_MS + HALF_LIFE_MS) == pytest.approx(4.0)
    assert known.slippage_at(NOW_MS + 2 * HALF_LIFE_MS) == pytest.approx(2.0)
    assert known.slippage_at(NOW_MS - HALF_LIFE_MS) == 8.0, "a clock that was set back makes nothing more of it"


def test_survival_is_the_share_of_gaps_and_the_newest_count_most() -> None:
    learned = LearnedRoutes()
    for n in range(40):
        learned.gap_ended("r", (True, True, n % 2 == 0, False))
    learned.gap_ended("r", (True, True, None, None))
    known = learned.of("r")
    assert known is not None
    assert known.survived == pytest.approx([1.0, 1.0, 0.5, 0.0], abs=0.03)
    assert 15.0 < known.gaps < 20.0
    for _ in range(40):
        learned.gap_ended("r", (False,) * len(LOOKS_MS))
    assert known.survived[0] < 0.15


def test_what_was_written_down_goes_on_where_it_was() -> None:
    learned = LearnedRoutes()
    for n in range(7):
        learned.slipped("r", float(n), NOW_MS + n)
        learned.brought("r", 0.5)
        learned.gap_ended("r", (True, True, False, False))
    learned.brought("s", 0.0)
    rows = learned.take()
    assert [row.route for row in rows] == ["r", "s"]
    assert learned.take() == []
    for n in range(600):
        learned.brought(f"route {n}", 1.0)
    assert [len(learned.take()), len(learned.take(everything=True)), len(learned.take())] == [500, 100, 0]
    again = LearnedRoutes(rows)
    for one in (learned, again):
        one.slipped("r", 3.0, NOW_MS + 100)
        one.gap_ended("r", (True, False, False, False))
        one.brought("r", 1.0)
    assert again.take() == learned.take()
