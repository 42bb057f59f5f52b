"""Events go into JSON and come back equal; what a newer program wrote is refused, not guessed."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from arbtui.journal.events import COMPACT_SINCE, VERSIONS, Adjusted, CycleEnded, CycleOpened, Event, FillRecorded, decode, encode
from arbtui.model.errors import UsageError
from tests.journal.sequences import any_event
from tests.journal.synthetic import SyntheticRun


@given(any_event())
def test_every_event_comes_back_equal(event: Event) -> None:
    assert decode(*encode(event)) == event


def test_amounts_keep_every_digit_and_enums_their_words() -> None:
    fill = SyntheticRun().fill(1, 0)[0]
    kind, version, payload = encode(fill)
    assert (kind, version) == ("FillRecorded", 3)
    assert '"buy","0.30","20.05"' in payload
    assert isinstance(fill, FillRecorded)
    exact = Adjusted("upbit", "ABC", Decimal("0.123456789012345678901234567890"), "", "operator")
    assert decode(*encode(exact)) == exact


@pytest.mark.parametrize("kind", list(VERSIONS))
def test_a_newer_version_is_refused_by_name(kind: type[object]) -> None:
    newer = VERSIONS[kind] + 1
    with pytest.raises(UsageError, match=f"{kind.__name__} version {newer}: written by a newer version"):
        decode(kind.__name__, newer, "{}")


@given(any_event())
def test_those_that_every_order_makes_are_short_and_their_named_form_is_still_read(event: Event) -> None:
    kind, version, payload = encode(event)
    if type(event) not in COMPACT_SINCE:
        return
    named = msgspec.json.encode(event).decode()
    assert payload.startswith("[")
    assert len(payload) < len(named)
    assert decode(kind, version - 1, named) == event


@pytest.mark.parametrize("kind", [CycleOpened, FillRecorded, CycleEnded, Adjusted])
def test_an_earlier_version_is_refused_by_name(kind: type[object]) -> None:
    with pytest.raises(UsageError, match=f"{kind.__name__} version 1: written by an earlier version"):
        decode(kind.__name__, 1, "{}")


@pytest.mark.parametrize(("kind", "payload"), [("Teleported", "{}"), ("Killed", "{}"), ("Killed", "{"), ("Killed", "[]")])
def test_what_cannot_be_read_is_an_error_that_says_which(kind: str, payload: str) -> None:
    with pytest.raises(UsageError, match=kind):
        decode(kind, 1, payload)
