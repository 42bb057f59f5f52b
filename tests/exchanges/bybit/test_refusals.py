"""Every documented refusal that a spot account can meet has a row that says whom it concerns."""

from pathlib import Path

import pytest

from arbtui.exchanges.answers import Answer, refusal_of
from arbtui.exchanges.bybit.refusals import CODES, refusal
from arbtui.exchanges.refusals import Meaning, Retry, Scope

DOCUMENTED = Path(__file__).parent.parent / "documented" / "bybit_codes.txt"


def test_every_code_of_the_list_has_a_row() -> None:
    codes = [line.split()[0] for line in DOCUMENTED.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert len(codes) > 340
    assert [code for code in codes if code not in CODES] == []


@pytest.mark.parametrize(
    ("status", "code", "scope", "meaning"),
    [
        (200, "170131", Scope.ORDER, Meaning.REFUSED),
        (200, "170213", Scope.ORDER, Meaning.NOT_FOUND),
        (200, "170141", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        (200, "10002", Scope.ORDER, Meaning.CLOCK),
        (200, "10003", Scope.KEY, Meaning.KEYS),
        (200, "10010", Scope.IP, Meaning.KEYS),
        (200, "10005", Scope.KEY, Meaning.KEYS),
        (200, "10006", Scope.ACCOUNT, Meaning.RATE_LIMITED),
        (200, "10016", Scope.VENUE, Meaning.UNKNOWN),
        (200, "170007", Scope.VENUE, Meaning.UNKNOWN),
        (200, "170146", Scope.VENUE, Meaning.UNKNOWN),
        (200, "10027", Scope.ACCOUNT, Meaning.ACCOUNT),
        (200, "170151", Scope.SYMBOL, Meaning.REFUSED),
        (200, "170031", Scope.VENUE, Meaning.VENUE),
        (403, "403", Scope.IP, Meaning.RATE_LIMITED),
        (401, "401", Scope.KEY, Meaning.KEYS),
        (429, "", Scope.IP, Meaning.RATE_LIMITED),
        (404, "", Scope.VENUE, Meaning.UNKNOWN),
        (503, "170131", Scope.VENUE, Meaning.UNKNOWN),
        (200, "", Scope.VENUE, Meaning.UNKNOWN),
        (200, "999999", Scope.ACCOUNT, Meaning.UNKNOWN),
    ],
)
def test_whom_a_refusal_concerns(status: int, code: str, scope: Scope, meaning: Meaning) -> None:
    row = refusal_of(Answer(status, code, "", sent=True), refusal)
    assert (row.scope, row.meaning) == (scope, meaning)
    assert row.say
    assert row.stops_entries is (row.retry is Retry.PROBE)


def test_what_leaves_an_order_open_is_never_told_as_a_no() -> None:
    """A timeout or an error of the venue's own does not say whether the order was taken."""
    for code in ("10000", "10016", "170001", "170007", "170032", "170035", "170146", "170149", "170234"):
        assert CODES[code].meaning is Meaning.UNKNOWN
