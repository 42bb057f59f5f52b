"""One limit's window against a naive second opinion: a list of everything that was spent, searched moment by moment."""

from itertools import accumulate
from math import floor, inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.rate_limit import Lane, RateLimit, Shares, Window

#: Ten units a second; a step is a hundredth of that, and the jitter a tenth.
LIMIT = RateLimit("x", "x", 10, 1.0, Shares(hedge=0.8, entry=0.7, data=0.5), jitter_s=0.1)


def expiry(spent_at: float) -> float:
    """When a unit spent then counts no more: at the end of its step, a window and the jitter later."""
    return (floor(spent_at / 0.01) + 1) * 0.01 + 1.1


def window(*spent: tuple[float, float]) -> Window:
    made = Window(LIMIT)
    for at, cost in spent:
        made.spend(at, cost)
    return made


def test_several_own_costs_are_given_back_one_after_the_other() -> None:
    made = window((100.0, 3.0), (100.2, 2.0), (100.4, 2.0))
    now = 100.5
    assert made.used(now) == 7.0
    # An entry may fill 7 of 10: two of the three costs must have gone before 5 more fit, the first before 3 do.
    for cost, until in ((0.0, None), (1.0, 100.0), (3.0, 100.0), (3.5, 100.2), (5.0, 100.2), (5.5, 100.4), (7.0, 100.4)):
        expected = now if until is None else pytest.approx(expiry(until))
        assert made.free_at(now, Lane.ENTRY, cost) == expected, cost
    # A hedge may fill 8, a cancel all 10, data 5.
    assert made.free_at(now, Lane.HEDGE, 1.0) == now
    assert made.free_at(now, Lane.CANCEL, 3.0) == now
    assert made.free_at(now, Lane.CANCEL, 3.5) == pytest.approx(expiry(100.0))
    assert made.free_at(now, Lane.DATA, 1.0) == pytest.approx(expiry(100.0))
    assert made.free_at(now, Lane.DATA, 2.0) == pytest.approx(expiry(100.2))
    # Over its share, an empty window takes it all the same, up to the whole limit and no further.
    assert made.free_at(now, Lane.DATA, 10.0) == pytest.approx(expiry(100.4))
    assert made.free_at(now, Lane.CANCEL, 10.5) == inf
    # Asking changes nothing.
    assert made.used(now) == 7.0
    assert made.used(expiry(100.2)) == 2.0


def test_own_costs_and_what_others_spent_go_each_in_their_time() -> None:
    made = window((100.0, 3.0), (100.2, 2.0))
    made.set_venue_count(100.3, 0, 7.0)  # two of them are somebody else's, until 101.4
    assert made.used(100.3) == 7.0
    assert made.free_at(100.3, Lane.ENTRY, 3.0) == pytest.approx(expiry(100.0))
    assert made.free_at(100.3, Lane.ENTRY, 5.0) == pytest.approx(expiry(100.2))
    assert made.free_at(100.3, Lane.ENTRY, 6.0) == pytest.approx(101.4)
    assert made.resets_s(100.3) == pytest.approx(1.1)
    made.spend(100.5, 1.0)
    assert made.free_at(100.5, Lane.ENTRY, 7.0) == pytest.approx(expiry(100.5))
    assert made.resets_s(100.5) == pytest.approx(expiry(100.5) - 100.5)


def test_what_a_venue_counts_by_whole_minutes_is_gone_a_second_after_the_next_one() -> None:
    made = Window(RateLimit("m", "m", 100, 60.0, aligned=True))
    made.set_venue_count(100.0, 600_040_000, 10.0)  # forty seconds into a minute
    assert made.resets_s(100.0) == pytest.approx(21.0)
    made.set_venue_count(119.0, 600_059_000, 12.0)  # two more, in the same minute
    assert made.used(119.0) == 12.0
    assert made.resets_s(119.0) == pytest.approx(2.0)
    assert made.used(121.0) == 0.0


def test_costs_of_one_step_are_given_back_together() -> None:
    made = window((100.001, 3.0), (100.004, 4.0), (100.02, 1.0))
    assert made.free_at(100.05, Lane.ENTRY, 6.0) == pytest.approx(expiry(100.001))
    assert made.used(expiry(100.001)) == 1.0


@settings(max_examples=300)
@given(
    gaps=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), min_size=1, max_size=12),
    wait=st.integers(0, 130),
    lane=st.sampled_from(list(Lane)),
    cost=st.integers(1, 12),
)
def test_the_first_moment_that_is_free_is_the_one_that_a_search_finds(
    gaps: list[tuple[int, int]], wait: int, lane: Lane, cost: int
) -> None:
    made = Window(LIMIT)
    moments = [100.005 + hundredths / 100 for hundredths in accumulate(gap for gap, _ in gaps)]
    for at, (_, spent) in zip(moments, gaps, strict=True):
        made.spend(at, spent)
    now = moments[-1] + wait / 100
    counts = [(expiry(at), spent) for at, (_, spent) in zip(moments, gaps, strict=True)]

    def fits(at: float) -> bool:
        used = sum(spent for expires, spent in counts if expires > at + 1e-9)
        return used + cost <= LIMIT.hard * LIMIT.shares.of(lane) or (used == 0 and cost <= LIMIT.hard)

    expected = next((at for at in [now, *sorted(expires for expires, _ in counts if expires > now)] if fits(at)), inf)
    assert made.free_at(now, lane, cost) == pytest.approx(expected, abs=1e-6)
