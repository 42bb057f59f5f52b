"""The running totals: what is booked at a mark, and what is booked before there is one and valued at the first."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.model.money import ZERO
from arbtui.portfolio.counters import Counters

Booking = Callable[[Counters, Decimal, Decimal | None], object]
BOOKINGS: dict[str, Booking] = {
    "trade": lambda counters, amount, mark: counters.trade("X", amount, mark),
    "pay": lambda counters, amount, mark: counters.pay("X", amount, mark),
    "trade back": lambda counters, amount, mark: counters.trade_back("X", amount, mark),
    "rotate": lambda counters, amount, mark: counters.rotate("X", amount, mark),
    "adjust": lambda counters, amount, mark: counters.adjust("X", amount, mark),
    "open": lambda counters, amount, mark: counters.open("X", amount, mark),
    "retarget": lambda counters, amount, mark: counters.retarget("X", amount, mark),
}
AMOUNTS = st.integers(-500, 500).map(lambda number: Decimal(number) / 100)
#: Amounts, and the mark that each is booked at: none at first, and from then on one that is known.
HISTORY = st.lists(
    st.tuples(st.sampled_from(sorted(BOOKINGS)), AMOUNTS, st.integers(1, 300).map(lambda number: Decimal(number) / 100)), max_size=12
)


def agree(unmarked: list[tuple[str, Decimal, Decimal]], marked: list[tuple[str, Decimal, Decimal]], first: Decimal) -> None:
    """Totals are the sums of what was booked at its mark, or at the first."""
    counters = Counters()
    told = [(kind, amount, None) for kind, amount, _ in unmarked]
    for kind, amount, mark in told:
        assert BOOKINGS[kind](counters, amount, mark) in (None, ZERO)  # what it is worth is not known yet
    assert (counters.trading, counters.fees, counters.rotation, counters.adjustments) == (ZERO,) * 4
    assert (counters.booked, counters.external) == ({}, {})
    counters.first_mark("X", first)
    for kind, amount, mark in marked:
        assert BOOKINGS[kind](counters, amount, mark) in (None, amount * mark)

    def qty(*kinds: str) -> Fraction:
        return sum((Fraction(amount) for kind, amount, _ in (*unmarked, *marked) if kind in kinds), Fraction(0))

    def worth(*kinds: str) -> Fraction:
        before = sum((Fraction(amount) * Fraction(first) for kind, amount, _ in unmarked if kind in kinds), Fraction(0))
        return before + sum((Fraction(amount) * Fraction(mark) for kind, amount, mark in marked if kind in kinds), Fraction(0))

    held = qty("trade", "trade back", "rotate", "adjust", "open") - qty("pay")
    assert Fraction(counters.qty.get("X", ZERO)) == held
    assert Fraction(counters.trading) == worth("trade")
    assert Fraction(counters.fees) == worth("pay")
    assert Fraction(counters.rotation) == worth("trade back", "rotate")
    assert Fraction(counters.adjustments) == worth("adjust")
    assert Fraction(counters.open_fx.get("X", ZERO)) == -qty("retarget")
    booked, external = Fraction(counters.booked.get("X", ZERO)), Fraction(counters.external.get("X", ZERO))
    known = worth("trade", "trade back", "rotate", "adjust", "open") - worth("pay")
    assert booked + external == known
    if not any(kind == "rotate" for kind, _, _ in unmarked):
        assert booked == worth("trade", "trade back") - worth("pay", "retarget")
        assert external == worth("rotate", "adjust", "open", "retarget")
    assert not any(getattr(counters, name) for name in Counters.__struct_fields__ if name.startswith("unvalued_"))


@settings(max_examples=30)
@given(unmarked=HISTORY, marked=HISTORY, first=st.integers(1, 300).map(lambda number: Decimal(number) / 100))
def test_totals_are_the_sums_of_what_was_booked_at_its_mark_or_at_the_first(
    unmarked: list[tuple[str, Decimal, Decimal]], marked: list[tuple[str, Decimal, Decimal]], first: Decimal
) -> None:
    agree(unmarked, marked, first)


def test_a_history_of_each_kind_and_of_all() -> None:
    told = [(kind, Decimal(number + 1) / 4, Decimal(number + 2)) for number, kind in enumerate(BOOKINGS)]
    without = [one for one in told if one[0] != "rotate"]
    for history in ([], *([one] for one in told), *([one, one] for one in told), told, without):
        for later in ([], told, told * 2):
            agree(history, later, Decimal(3))


@pytest.mark.parametrize("kind", [kind for kind in BOOKINGS if kind not in ("open", "retarget", "rotate", "adjust")])
def test_what_a_booking_is_worth_is_told(kind: str) -> None:
    assert BOOKINGS[kind](Counters(), Decimal("1.5"), Decimal(4)) == 6
    assert BOOKINGS[kind](Counters(), Decimal("1.5"), None) == 0


def test_what_moved_before_a_first_mark_is_booked_at_it_each_kind_in_its_part() -> None:
    """Each kind once, 1, 2, 4, ... units, so that every sum tells what is in it; at 10 a unit."""
    kinds = ("trade", "pay", "trade back", "rotate", "adjust", "open", "retarget")
    counters = Counters()
    for number, kind in enumerate(kinds):
        BOOKINGS[kind](counters, Decimal(2**number), None)
    assert (counters.qty, counters.open_fx) == ({"X": Decimal(1 - 2 + 4 + 8 + 16 + 32)}, {"X": Decimal(-64)})
    counters.first_mark("X", Decimal(10))
    assert (counters.trading, counters.fees, counters.rotation, counters.adjustments) == (
        Decimal(10),
        Decimal(20),
        Decimal(120),
        Decimal(160),
    )
    assert counters.booked == {"X": Decimal(10 - 20 + 120 - 640)}
    assert counters.external == {"X": Decimal(160 + 320 + 640)}
    before = counters.copy()
    counters.first_mark("X", Decimal(99))
    assert counters == before


def test_nothing_is_valued_twice_and_an_asset_that_nothing_moved_of_stays_out() -> None:
    counters = Counters()
    counters.trade("X", Decimal(2), None)
    counters.first_mark("X", Decimal(3))
    counters.first_mark("X", Decimal(5))
    counters.first_mark("Y", Decimal(5))
    assert (counters.trading, counters.booked, counters.external) == (Decimal(6), {"X": Decimal(6)}, {})
    counters.open("Z", Decimal(2), None)
    counters.first_mark("Z", Decimal(4))
    assert (counters.booked, counters.external) == ({"X": Decimal(6)}, {"Z": Decimal(8)})


def test_what_is_changed_for_other_money_and_left_open_adds_up() -> None:
    counters = Counters()
    for turnover, cost in ((Decimal(10), Decimal(1)), (Decimal(5), Decimal("-0.5"))):
        counters.convert("KRW", turnover, cost)
    assert (counters.converted, counters.conversion_cost) == ({"KRW": Decimal(15)}, {"KRW": Decimal("0.5")})
    assert [counters.leave_open("KRW", Decimal(change)) for change in (3, -5)] == [3, -2]
    assert counters.open_fx == {"KRW": Decimal(-2)}


def test_a_copy_is_equal_and_shares_nothing() -> None:
    counters = Counters(trading=Decimal(1), fees=Decimal(2), adjustments=Decimal(3), rotation=Decimal(4))
    dicts = [name for name in Counters.__struct_fields__ if isinstance(getattr(counters, name), dict)]
    for number, name in enumerate(dicts):
        getattr(counters, name)["X"] = Decimal(number)
    copy = counters.copy()
    assert copy == counters
    for name in dicts:
        assert getattr(copy, name) is not getattr(counters, name)
        getattr(counters, name)["X"] += 100
    assert [getattr(copy, name)["X"] for name in dicts] == list(range(len(dicts)))
