"""No floor from the routes up to the views knows how many legs a cycle has, or which currencies a venue quotes."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FLOORS = ("engine", "execution", "risk", "portfolio", "routes", "views")
#: What only code for two legs, or for won against dollars, says.
TWO_LEGS = re.compile(
    r"""legs\[[01]\] | \broute\.buy\b | \broute\.sell\b | \bbuy_book\b | \bsell_book\b | \bbuy_at\b | \bsell_at\b
      | "KRW" | "USDT" | len\(exchanges\)\s*!=\s*2""",
    re.VERBOSE,
)


@pytest.mark.parametrize("floor", FLOORS)
def test_nothing_there_is_written_for_two_legs_or_two_currencies(floor: str) -> None:
    said = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in sorted(Path(REPOSITORY / "arbtui" / floor).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if TWO_LEGS.search(line)
    ]
    assert said == []


def test_the_pattern_finds_what_it_is_for() -> None:
    for line in ("legs[0]", "cycle.plan.legs[1].price", "route.buy.market", "if len(exchanges) != 2:", 'quote = "KRW"', "row.sell_at"):
        assert TWO_LEGS.search(line), line
    for line in ("legs[number]", "route.bought", '"KRWX"', "orderbook"):
        assert not TWO_LEGS.search(line), line
