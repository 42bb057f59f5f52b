"""What the fold keeps of venues' notices: which steps are done, and which are to be done again."""

import pytest

from arbtui.journal.events import NoticeActed, NoticeRead, NoticeStep
from arbtui.portfolio.notices import Notices

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
