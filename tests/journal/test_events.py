"""Events go into JSON and come back equal; what a newer program wrote is refused, not guessed."""

from decimal import Decimal

import pytest
from hypothesis import given

from arbtui.journal.events import VERSIONS, Adjusted, Event, FillRecorded, decode, encode
from arbtui.model.errors import UsageError
from tests.journal.sequences import any_event
from tests.journal.synthetic import SyntheticRun


@given(any_event())
def test_every_event_comes_back_equal(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_amounts_keep_every_digit_and_enums_their_words() -> None:
    fill = SyntheticRun().fill(1, 0)[0]
    kind, version, payload = encode(fill)
    assert (kind, version) == ("FillRecorded", 2)
    assert '"qty":"0.30"' in payload
    assert '"side":"buy"' in payload
    assert isinstance(fill, FillRecorded)
    exact = Adjusted("upbit", "ABC", Decimal("0.123456789012345678901234567890"), "", "operator")
    assert decode(*encode(exact)) == exact


@pytest.mark.parametrize("kind", list(VERSIONS))
def test_a_newer_version_is_refused_by_name(kind: type[object]) -> None:
    newer = VERSIONS[kind] + 1
    with pytest.raises(UsageError, match=f"{kind.__name__} version {newer}: written by a newer version"):
        decode(kind.__name__, newer, "{}")


@pytest.mark.parametrize("kind", [kind for kind, version in VERSIONS.items() if version > 1])
def test_an_earlier_version_is_refused_by_name(kind: type[object]) -> None:
    with pytest.raises(UsageError, match=f"{kind.__name__} version 1: written by an earlier version"):
        decode(kind.__name__, 1, "{}")


@pytest.mark.parametrize(("kind", "payload"), [("Teleported", "{}"), ("Killed", "{}"), ("Killed", "{"), ("Killed", "[]")])
def test_what_cannot_be_read_is_an_error_that_says_which(kind: str, payload: str) -> None:
    with pytest.raises(UsageError, match=kind):
        decode(kind, 1, payload)
