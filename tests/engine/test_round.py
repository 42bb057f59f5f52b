"""A round comes by each that is there, once, whoever comes and goes meanwhile, and keeps few of those that have gone."""

from hypothesis import given
from hypothesis import strategies as st

from arbtui.engine.round import Round


def _never(_: int) -> bool:
    return False


def test_it_takes_a_few_at_a_time_those_first_that_waited_longest() -> None:
    going = Round(_never)
    going.add(0)
    going.begin()
    for one in range(1, 7):
        going.add(one)  # while a round goes on, they come last
    going.begin()
    assert (going.take(3), going.left) == ([0, 1, 2], 4)
    going.begin()
    assert (going.take(5), going.take(5), going.take(5)) == ([3, 4, 5, 6, 0], [1, 2], [])


@given(st.lists(st.one_of(st.sampled_from(["begin", "take", "come", "go"])), max_size=80))
def test_each_comes_once_after_the_last_beginning(steps: list[str]) -> None:
    over: set[int] = set()
    going = Round(over.__contains__)
    there: list[int] = []
    due: set[int] = set()
    for number, step in enumerate(steps):
        if step == "begin":
            going.begin()
            due = set(there)
        elif step == "take":
            taken = going.take(2)
            assert not over & set(taken)
            due -= set(taken)
        elif step == "come":
            there.append(number)
            going.add(number)
        elif there:
            gone = there.pop(number % len(there))
            over.add(gone)
            due.discard(gone)
        assert len(due) <= going.left
    while going.left:
        due -= set(going.take(2))
    assert not due


def test_those_that_have_gone_are_not_kept() -> None:
    over: set[int] = set()
    going = Round(over.__contains__)
    for one in range(20_000):  # ten at a time
        going.add(one)
        over.add(one - 10)
    assert len(going) <= 40
