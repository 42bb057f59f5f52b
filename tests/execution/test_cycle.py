"""What a cycle's fills leave, and what that is worth."""

from collections.abc import Mapping
from decimal import Decimal
from math import inf

import pytest
from arbtui.positions.marks import Marks

from arbtui.execution.cycle import is_dust, left_value, net_base, outcome
from arbtui.journal.events import CycleState
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import BookState
from arbtui.model.market import Market
from arbtui.model.order import Fill, Side
from tests.execution.test_hedging import DOLLAR_COIN_FEE, WON, fill
from tests.routes.pairs import rate_book

LOT = Decimal("0.1")


def marks(prices: Mapping[str, str], rates: RateBook | None = None) -> Marks:
    """Last known prices in USDT, no books; a rate only when given."""
    known = Marks("USDT", rates or RateBook(None, "KRW", "USDT", 5.0, 0.0), [])
    known.restore({asset: Decimal(price) for asset, price in prices.items()})
    return known


def bought(qty: str, price: str, of: Market = DOLLAR_COIN_FEE, trade_id: str = "b") -> Fill:
    return fill(of, Side.BUY, qty, Decimal(price), trade_id)


def sold(qty: str, price: str, of: Market = WON, trade_id: str = "s") -> Fill:
    return fill(of, Side.SELL, qty, Decimal(price), trade_id)


def test_what_is_left_counts_the_fee_that_was_taken_in_the_coin_and_no_other() -> None:
    assert net_base([]) == 0
    assert net_base([bought("100", "2.14")]) == Decimal("99.9")
    assert net_base([bought("100", "3000", WON)]) == 100
    assert net_base([bought("100", "2.14"), sold("60", "3000")]) == Decimal("39.9")
    assert net_base([sold("100", "3000"), bought("60", "2.14")]) == Decimal("-40.06")


@pytest.mark.parametrize(
    ("net", "largest", "dust"),
    [
        ("0", "0.1", True),
        ("0.0999", "100", True),
        ("-0.0999", "100", True),
        ("0.1", "100", False),  # a whole lot can be traded
        ("-0.1", "100", False),
        ("0.02", "1", True),  # a fiftieth of the fill
        ("0.0201", "1", False),
        ("-0.0201", "1", False),
    ],
)
def test_dust_is_under_a_lot_and_under_a_fiftieth_of_the_largest_fill(net: str, largest: str, dust: bool) -> None:
    fills = [bought("0.01", "2.14"), sold(largest, "3000"), bought("0.01", "2.14", trade_id="b2")]
    assert is_dust(Decimal(net), fills, LOT) is dust


def test_without_a_fill_only_nothing_is_dust() -> None:
    assert is_dust(Decimal(0), [], LOT)
    assert not is_dust(Decimal("0.0001"), [], LOT)


def test_how_a_cycle_ends_follows_from_its_fills() -> None:
    flat = [bought("100", "3000", WON), sold("100", "3000")]
    assert outcome(flat, False, LOT) is CycleState.HEDGED
    assert outcome(flat, True, LOT) is CycleState.UNWOUND
    assert outcome([], False, LOT) is CycleState.UNWOUND
    assert outcome(flat[:1], False, LOT) is outcome(flat[:1], True, LOT) is CycleState.RESIDUAL


def test_what_is_left_is_worth_the_coins_mark_whichever_way_it_stands() -> None:
    known = marks({"XRP": "2.5", "KRW": "0.0007"})
    assert left_value([bought("100", "2.14")], known) == pytest.approx(99.9 * 2.5)
    assert left_value([sold("100", "3000")], known) == pytest.approx(100 * 2.5)
    assert left_value([bought("100", "2.14"), sold("60", "3000")], known) == pytest.approx(39.9 * 2.5)
    assert left_value([bought("100", "3000", WON), sold("100", "3000")], known) == 0.0
    assert left_value([], known) == 0.0


def test_a_coin_without_a_mark_is_worth_the_dearest_price_it_was_traded_at() -> None:
    without = marks({"KRW": "0.0008"})
    assert left_value([bought("100", "2.14")], without) == pytest.approx(99.9 * 2.14)
    assert left_value([sold("100", "3000")], without) == pytest.approx(100 * 3000 * 0.0008)
    fills = [bought("100", "2.14"), sold("60", "3000")]
    assert left_value(fills, without) == left_value(fills[::-1], without) == pytest.approx(39.9 * 3000 * 0.0008)
    dearer = [bought("100", "2.5"), sold("60", "3000")]
    assert left_value(dearer, without) == pytest.approx(39.9 * 2.5)


def test_a_price_in_a_currency_without_a_mark_is_no_price() -> None:
    fills = [bought("100", "2.14"), sold("60", "3000")]
    assert left_value(fills, marks({})) == pytest.approx(39.9 * 2.14)  # of the dollars alone
    assert left_value(fills[1:], marks({})) == inf  # an unknown exposure is no small one
    assert left_value([bought("100", "3000", WON), sold("100", "3000")], marks({})) == 0.0


def test_without_the_rate_a_wons_last_known_value_is_taken() -> None:
    rates = rate_book(1400.0, 1400.5)
    known = marks({}, rates)
    sale = [sold("100", "3000")]
    before = left_value(sale, known)
    assert before == pytest.approx(100 * 3000 / 1400.25)
    assert rates.book is not None
    rates.book.clear(BookState.GAPPED)
    assert left_value(sale, known) == before
