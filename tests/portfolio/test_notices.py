"""What the fold keeps of venues' notices: which steps are done, and which are to be done again."""

import pytest

from arbtui.journal.events import NoticeActed, NoticeRead, NoticeStep
from arbtui.portfolio.notices import Notices, id_of_flags

DONE_MS = 5_000


def _read(at_ms: int) -> NoticeRead:
    step = NoticeStep("hold", "symbol.ENA", at_ms, "halted")
    return NoticeRead("upbit:1", "upbit", "ENA: end of support", "", "d", 0, ("delisting",), ("ENA",), steps=(step,))


@pytest.mark.parametrize(
    ("first_ms", "then_ms", "is_again"),
    [
        (4_000, 9_000, True),  # moved to a time after it was done
        (4_000, 3_000, False),  # moved to one before: it holds already
        (4_000, 4_000, False),
        (9_000, 9_000, False),  # done before its time, as a drain is, and read again unchanged
    ],
)
def test_a_step_is_to_be_done_again_where_a_notice_moves_it_behind_the_moment_at_which_it_was_done(
    first_ms: int, then_ms: int, is_again: bool
) -> None:
    notices = Notices()
    notices.take_read(_read(first_ms), 1_000)
    (step,) = notices.by_id["upbit:1"].pending
    notices.take_acted(NoticeActed("upbit:1", step.key, "done"), DONE_MS)
    assert not notices.by_id["upbit:1"].pending
    notices.take_read(_read(then_ms), 6_000)
    record = notices.by_id["upbit:1"]
    assert bool(record.pending) is is_again
    assert bool(record.done_ms) is not is_again


def notice(name: str, *steps: NoticeStep, new_coins: tuple[str, ...] = (), digest: str = "d") -> NoticeRead:
    return NoticeRead(f"upbit:{name}", "upbit", "title", "", digest, 0, (), (), steps=steps, new_coins=new_coins)


def flag(code: str, digest: str = "d") -> NoticeRead:
    return NoticeRead(id_of_flags("upbit", code), "upbit", "title", "", digest, 0, (), ())


HOLD = NoticeStep("hold", "symbol.ENA", 4_000, "HALTED")
DEEPER = NoticeStep("hold", "symbol.ENA", 2_000, "REDUCING")
OPEN = NoticeStep("open", "symbol.ENA", 9_000)


def test_what_is_due_comes_by_its_time_over_all_notices_and_what_is_done_does_not() -> None:
    notices = Notices()
    notices.take_read(notice("1", OPEN, HOLD), 1_000)
    notices.take_read(notice("2", DEEPER, NoticeStep("rules", "exchange.upbit", 4_000)), 1_000)
    keys = [(record.read.notice_id, step.key) for record, step in notices.due()]
    assert keys == [("upbit:2", DEEPER.key), ("upbit:1", HOLD.key), ("upbit:2", "rules exchange.upbit"), ("upbit:1", OPEN.key)]
    notices.take_acted(NoticeActed("upbit:1", HOLD.key, "held"), 4_001)
    notices.take_acted(NoticeActed("upbit:9", HOLD.key, "of no notice"), 4_001)
    assert [step.key for step in notices.by_id["upbit:1"].pending] == [OPEN.key]
    assert (notices.by_id["upbit:1"].done, notices.by_id["upbit:1"].done_ms) == ({HOLD.key: "held"}, {HOLD.key: 4_001})
    assert list(notices.by_id) == ["upbit:1", "upbit:2"]
    notices.take_read(notice("1", OPEN, HOLD), 7_000)
    assert (list(notices.by_id), notices.by_id["upbit:1"].ts_ms) == (["upbit:2", "upbit:1"], 7_000), "read last, remembered longest"


@pytest.mark.parametrize(("at_ms", "again"), [(5_000, False), (5_001, True)])
def test_a_step_that_is_moved_to_the_very_moment_at_which_it_was_done_is_done(at_ms: int, again: bool) -> None:
    notices = Notices()
    notices.take_read(notice("1", HOLD, OPEN), 1_000)
    for step in (HOLD, OPEN):
        notices.take_acted(NoticeActed("upbit:1", step.key, step.verb), DONE_MS)
    notices.take_read(notice("1", NoticeStep("hold", "symbol.ENA", at_ms, "HALTED"), OPEN), 6_000)
    record = notices.by_id["upbit:1"]
    assert [step.key for step in record.pending] == ([HOLD.key] if again else [])
    left = {OPEN.key: "open"} if again else {HOLD.key: "hold", OPEN.key: "open"}
    assert (record.done, record.done_ms) == (left, dict.fromkeys(left, DONE_MS)), "the other one is not to be done again"


@pytest.mark.parametrize(("lifted_ms", "holds"), [(None, True), (4_999, True), (5_000, False), (5_001, False)])
def test_a_notice_holds_what_it_has_halted_until_that_is_taken_away(lifted_ms: int | None, holds: bool) -> None:
    notices = Notices()
    notices.take_read(notice("1", HOLD, OPEN), 1_000)
    record = notices.by_id["upbit:1"]
    assert not notices.holds(record, "symbol.ENA"), "not done yet"
    notices.take_acted(NoticeActed("upbit:1", OPEN.key, "opened"), DONE_MS)
    assert not notices.holds(record, "symbol.ENA"), "what opens holds nothing"
    notices.take_acted(NoticeActed("upbit:1", HOLD.key, "held"), DONE_MS)
    if lifted_ms is not None:
        notices.take_lifted("symbol.ENA", lifted_ms)
    notices.take_lifted("symbol.XRP", 6_000)
    assert notices.lifted == ({} if lifted_ms is None else {"symbol.ENA": lifted_ms}), "of scopes that a notice names"
    assert notices.holds(record, "symbol.ENA") is holds
    assert not notices.holds(record, "symbol.XRP")


def test_a_halt_of_the_moment_at_which_time_began_holds() -> None:
    notices = Notices()
    notices.take_read(notice("1", HOLD), 0)
    notices.take_acted(NoticeActed("upbit:1", HOLD.key, "held"), 0)
    assert notices.holds(notices.by_id["upbit:1"], "symbol.ENA")
    notices.take_lifted("symbol.ENA", 0)
    assert not notices.holds(notices.by_id["upbit:1"], "symbol.ENA")


def test_new_coins_are_remembered_with_the_first_notice_of_them_the_newest_thousand() -> None:
    notices = Notices()
    notices.take_read(notice("1", new_coins=("A", "B")), 0)
    notices.take_read(notice("2", new_coins=("B", "C")), 0)
    assert notices.new_coins == {"A": "upbit:1", "B": "upbit:1", "C": "upbit:2"}
    notices.take_read(notice("3", new_coins=tuple(f"N{number}" for number in range(997))), 0)
    assert (len(notices.new_coins), next(iter(notices.new_coins))) == (1000, "A")
    notices.take_read(notice("4", new_coins=("D", "E")), 0)
    assert (len(notices.new_coins), next(iter(notices.new_coins))) == (1000, "C")


def test_the_oldest_of_more_than_five_hundred_is_forgotten_but_none_that_still_means_something() -> None:
    """What is to come, what stands, and what flags a market; and of what was lifted only what some notice names."""
    notices = Notices()
    notices.take_read(notice("pending", OPEN), 0)
    notices.take_read(notice("holds", HOLD), 0)
    notices.take_acted(NoticeActed("upbit:holds", HOLD.key, "held"), DONE_MS)
    gone = NoticeStep("hold", "symbol.XRP", 1, "HALTED")
    notices.take_read(notice("lifted", gone), 0)
    notices.take_acted(NoticeActed("upbit:lifted", gone.key, "held"), 1)
    notices.take_lifted("symbol.XRP", 2)
    notices.take_read(flag("KRW-A"), 0)
    notices.take_read(flag("KRW-B", digest=""), 0)  # flags that were taken away
    for number in range(496):
        notices.take_read(notice(str(number)), 0)
    assert (len(notices.by_id), notices.lifted) == (501, {"symbol.XRP": 2}), "five hundred, and one for a flag"
    notices.take_read(notice("one more"), 0)
    assert (len(notices.by_id), "upbit:lifted" in notices.by_id, notices.lifted) == (501, False, {})
    notices.take_read(notice("and one"), 0)
    first = ["upbit:pending", "upbit:holds", id_of_flags("upbit", "KRW-A"), "upbit:0"]
    assert (len(notices.by_id), list(notices.by_id)[:4]) == (501, first), "after the flags that are gone"
    for number in range(600):
        notices.take_read(flag(f"KRW-{number}"), 0)
    assert (len(notices.by_id), list(notices.by_id)[:4]) == (1101, first), "flags forget no notice"


def test_all_that_still_mean_something_are_kept_however_many() -> None:
    notices = Notices()
    for number in range(502):
        notices.take_read(notice(str(number), OPEN), 0)
    assert len(notices.by_id) == 502
    assert [one.is_flag for one in notices.by_id.values()] == [False] * 502
