"""The short form of frequent events: values in the order of their fields, and fields that were added at the end since."""

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import pytest
from msgspec import Struct

from arbtui.journal.compact import Compact
from arbtui.model.order import Side


@dataclass(frozen=True)
class Part:
    name: str
    side: Side
    amount: Decimal = Decimal(7)


class Whole(Struct, frozen=True):
    number: int
    part: Part
    parts: tuple[Part, ...]
    pair: tuple[str, Decimal]
    word: str = "none"
    amount: Decimal = Decimal(3)
    held: dict[str, Decimal] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Longer:
    """What a later program could make of :class:`Whole`'s first field."""

    number: int
    words: tuple[str, ...] = field(default_factory=lambda: ("a", "b"))


WHOLE = Whole(1, Part("p", Side.BUY, Decimal("0.10")), (Part("q", Side.SELL), Part("r", Side.BUY)), ("x", Decimal("1E-8")))


def test_every_value_stands_where_its_field_does_without_a_name() -> None:
    short = Compact(Whole)
    assert short.encode(WHOLE).decode() == (
        '[1,["p","buy","0.10"],[["q","sell","7"],["r","buy","7"]],["x","1E-8"],"none","3",{}]'
    )  # fmt: skip
    full = Whole(2, WHOLE.part, (), WHOLE.pair, "w", Decimal("0.5"), {"a": Decimal(1)})
    assert short.encode(full).decode() == '[2,["p","buy","0.10"],[],["x","1E-8"],"w","0.5",{"a":"1"}]'
    for event in (WHOLE, full):
        assert short.decode(short.encode(event).decode()) == event


def test_what_was_stored_before_a_field_was_added_has_its_default() -> None:
    short = Compact(Whole)
    assert short.decode('[1,["p","buy","0.10"],[["q","sell"],["r","buy"]],["x","1E-8"]]') == WHOLE
    assert Compact(Longer).decode("[4]") == Longer(4, ("a", "b"))
    assert Compact(Longer).decode('[4,["c"]]') == Longer(4, ("c",))


@pytest.mark.parametrize(
    "payload", ["{}", "[]", "[1]", '[1,["p"],[],["x","1"]]', '["1",["p","buy"],[],["x","1"]]', '[1,["p","up"],[],["x","1"]]']
)
def test_what_lacks_a_value_or_holds_another_kind_of_it_is_no_event(payload: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        Compact(Whole).decode(payload)
