from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.simulation.fees import booked_fee, exact_fee, fee_currency
from arbtui.simulation.matching import ConsumedDepth, Execution
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, HandBook


def _take(depth: ConsumedDepth, book: HandBook, side: Side, qty: str, limit: str) -> list[tuple[str, str]]:
    executions = depth.match(BINANCE_XRP, side, Decimal(qty), Decimal(limit), book)
    return [(str(e.price), str(e.qty)) for e in executions]


def test_one_execution_a_level_best_first_up_to_the_limit() -> None:
    book = HandBook(ask_levels=[(2.14, 40.0), (2.1401, 60.0), (2.1402, 500.0)])
    assert _take(ConsumedDepth(), book, Side.BUY, "120", "2.1401") == [("2.14", "40.0"), ("2.1401", "60.0")]


def test_selling_takes_bids_down_to_the_limit() -> None:
    book = HandBook(bid_levels=[(2.1399, 100.0), (2.1398, 50.0)])
    assert _take(ConsumedDepth(), book, Side.SELL, "120", "2.1398") == [("2.1399", "100.0"), ("2.1398", "20.0")]
    assert _take(ConsumedDepth(), book, Side.SELL, "120", "2.14") == []


def test_what_was_taken_stays_taken_until_the_level_shows_another_quantity() -> None:
    book = HandBook(ask_levels=[(2.14, 40.0), (2.1401, 60.0)])
    depth = ConsumedDepth()
    assert _take(depth, book, Side.BUY, "30", "2.14") == [("2.14", "30")]
    assert _take(depth, book, Side.BUY, "30", "2.14") == [("2.14", "10.0")]
    assert _take(depth, book, Side.BUY, "30", "2.14") == []
    assert _take(depth, book, Side.BUY, "30", "2.1401") == [("2.1401", "30")]
    book.ask_levels[0] = (2.14, 41.0)
    assert _take(depth, book, Side.BUY, "100", "2.14") == [("2.14", "41.0")]


def test_a_level_that_the_market_passed_comes_back_as_a_new_one() -> None:
    depth = ConsumedDepth()
    low, both = HandBook(ask_levels=[(2.14, 40.0)]), HandBook(ask_levels=[(2.14, 40.0), (2.15, 40.0)])
    assert _take(depth, low, Side.BUY, "40", "2.14") == [("2.14", "40")]
    assert _take(depth, both, Side.BUY, "40", "2.15") == [("2.15", "40")]
    assert _take(depth, both, Side.BUY, "40", "2.15") == []
    _take(depth, HandBook(ask_levels=[(2.16, 40.0)]), Side.BUY, "1", "2.16")  # neither is shown any more
    assert _take(depth, both, Side.BUY, "80", "2.15") == [("2.14", "40.0"), ("2.15", "40.0")]


def test_the_other_side_is_not_touched_by_what_we_took() -> None:
    book = HandBook([(2.14, 40.0)], [(2.14, 40.0)])
    depth = ConsumedDepth()
    _take(depth, book, Side.BUY, "40", "2.14")
    assert _take(depth, book, Side.SELL, "40", "2.14") == [("2.14", "40")]


@pytest.mark.parametrize("side", list(Side))
def test_of_the_levels_behind_the_last_one_taken_only_those_stay_remembered_that_still_stand(side: Side) -> None:
    def book(*levels: tuple[float, float]) -> HandBook:
        return HandBook(ask_levels=list(levels)) if side is Side.BUY else HandBook([(4.0 - price, qty) for price, qty in levels])

    def take(book: HandBook, qty: str) -> list[tuple[str, str]]:
        return _take(depth, book, side, qty, "9" if side is Side.BUY else "0.1")

    depth = ConsumedDepth()
    assert len(take(book((2.1, 1.0), (2.2, 2.0), (2.3, 3.0), (2.4, 4.0), (2.5, 5.0)), "15")) == 5
    take(book((2.0, 1.0), (2.1, 1.0), (2.3, 3.5), (2.4, 4.0)), "1")  # 2.2 is gone, 2.3 another quantity, 2.5 out of sight
    remembered = {round(price if side is Side.BUY else 4.0 - price, 9) for price in depth._taken[side]}
    assert remembered == {2.0, 2.1, 2.4, 2.5}
    assert len(take(book((2.1, 1.0), (2.2, 2.0), (2.4, 4.0), (2.5, 5.0)), "20")) == 1


def test_memory_of_taken_levels_is_bounded() -> None:
    depth = ConsumedDepth()
    for i in range(1000):
        _take(depth, HandBook(ask_levels=[(2.0 + i / 10000, 40.0)]), Side.BUY, "1", "9")
    assert max(len(memory) for memory in depth._taken.values()) <= 64


@given(
    levels=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 900)), min_size=1, max_size=8),
    orders=st.lists(st.tuples(st.integers(1, 500), st.integers(1, 60)), min_size=1, max_size=12),
)
def test_an_unchanging_book_never_gives_more_than_it_shows(levels: list[tuple[int, int]], orders: list[tuple[int, int]]) -> None:
    """However orders come, the sum taken of each level stays within it, and no price is worse than its order's limit."""
    shown = dict(sorted({price / 10: qty / 10 for price, qty in levels}.items()))
    book, depth = HandBook(ask_levels=list(shown.items())), ConsumedDepth()
    taken: dict[Decimal, Decimal] = {}
    for tenths, limit_tenths in orders:
        qty, limit = Decimal(tenths) / 10, Decimal(limit_tenths) / 10
        executions = depth.match(BINANCE_XRP, Side.BUY, qty, limit, book)
        assert sum(e.qty for e in executions) <= qty
        assert all(e.price <= limit for e in executions)
        for e in executions:
            taken[e.price] = taken.get(e.price, Decimal(0)) + e.qty
    assert all(total <= Decimal(str(shown[float(price)])) for price, total in taken.items())


def test_fees_in_the_venue_s_currency_rounded_up_where_the_venue_rounds() -> None:
    def fee(market: Market, side: Side, execution: Execution) -> tuple[Decimal, str]:
        return booked_fee(market, exact_fee(market, side, execution, maker=False)), fee_currency(market, side)

    bought = Execution(Decimal("2.1401"), Decimal("0.3"))
    assert fee(BINANCE_XRP, Side.BUY, bought) == (Decimal("0.0003"), "XRP")
    assert fee(BINANCE_XRP, Side.SELL, bought) == (Decimal("0.00064203"), "USDT")
    odd = Execution(Decimal(3001), Decimal("0.00000001"))
    assert fee(UPBIT_XRP, Side.BUY, odd) == (Decimal("0.000000015005"), "KRW")
    assert fee(UPBIT_XRP, Side.SELL, odd) == (Decimal("0.000000015005"), "KRW")
