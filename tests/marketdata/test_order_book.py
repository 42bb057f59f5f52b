"""The book against a naive one: dictionaries, sorted anew whenever they are looked at."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from arbtui.model.book import BookState, Level, OrderBook

PRICES = st.integers(1, 12).map(float)
QUANTITIES = st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0, 7.25])
LEVELS = st.lists(st.tuples(PRICES, QUANTITIES), max_size=8, unique_by=lambda level: level[0])
SHIFT = 20.0  # asks lie above every bid


class NaiveBook:
    def __init__(self) -> None:
        self.sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
        self.top: tuple[Level, Level] | None = None

    def replace(self, bids: list[Level], asks: list[Level]) -> None:
        self.sides = ({}, {})
        self.apply(bids, asks)

    def apply(self, bids: list[Level], asks: list[Level]) -> None:
        self.top = None
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            for price, qty in levels:
                side[price] = qty
                if qty == 0.0:
                    del side[price]

    def bids(self) -> list[Level]:
        levels = sorted(self.sides[0].items(), reverse=True)
        if self.top is None:
            return levels
        bid, _ = self.top
        return [bid, *(level for level in levels if level[0] < bid[0])] if bid[0] > 0.0 else []

    def asks(self) -> list[Level]:
        levels = sorted(self.sides[1].items())
        if self.top is None:
            return levels
        _, ask = self.top
        return [ask, *(level for level in levels if level[0] > ask[0])] if ask[0] < inf else []


def up(levels: list[Level]) -> list[Level]:
    return [(price + SHIFT, qty) for price, qty in levels]


Step = tuple[str, list[Level], list[Level]]
STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("replace"), LEVELS, LEVELS),
    st.tuples(st.just("apply"), LEVELS, LEVELS),
    st.tuples(
        st.just("touch"),
        st.lists(st.tuples(PRICES, st.just(3.5)), max_size=1),
        st.lists(st.tuples(PRICES, st.just(4.5)), max_size=1),
    ),
    st.tuples(st.just("look"), st.just([]), st.just([])),
)


@given(st.lists(STEP, max_size=20))
def test_any_history_of_books_diffs_and_touches_equals_the_naive_book(steps: list[Step]) -> None:
    book, naive = OrderBook("x", "y"), NaiveBook()
    for kind, bids, asks in steps:
        asks = up(asks)
        if kind == "replace":
            book.replace(bids, asks)
            naive.replace(bids, asks)
        elif kind == "apply":
            book.apply(bids, asks)
            naive.apply(bids, asks)
        elif kind == "touch":
            bid = bids[0] if bids else (0.0, 0.0)
            ask = asks[0] if asks else (inf, 0.0)
            book.touch(*bid, *ask)
            naive.top = (bid, ask)
        else:
            assert list(book.bid_px) == sorted(naive.sides[0])
            assert [-key for key in book.ask_key] == sorted(naive.sides[1], reverse=True)
            assert list(book.bid_sz) == [naive.sides[0][price] for price in book.bid_px]
            assert list(book.ask_sz) == [naive.sides[1][-key] for key in book.ask_key]
        assert list(book.bids()) == naive.bids()
        assert list(book.asks()) == naive.asks()
        assert (book.bid, book.bid_qty) == (naive.bids() or [(0.0, 0.0)])[0]
        assert (book.ask, book.ask_qty) == (naive.asks() or [(inf, 0.0)])[0]
        assert not book.is_crossed


def test_a_whole_book_in_any_order_with_padding_and_repeats_becomes_a_strict_ladder() -> None:
    book = OrderBook("x", "y")
    bids = [(8.0, 1.0), (0.0, 0.0), (9.0, 2.0), (8.0, 1.0), (7.0, 0.0)]
    asks = [(0.0, 0.0), (12.0, 3.0), (11.0, 0.0), (10.0, 1.0), (12.0, 3.0)]
    book.replace(bids, asks)
    assert list(book.bids()) == [(9.0, 2.0), (8.0, 1.0)]
    assert list(book.asks()) == [(10.0, 1.0), (12.0, 3.0)]
    book.apply([(8.0, 0.0)], [(12.0, 0.0)])
    assert list(book.bids()) == [(9.0, 2.0)]
    assert list(book.asks()) == [(10.0, 1.0)]


def test_a_best_level_without_size_is_not_the_touch() -> None:
    book = OrderBook("x", "y")
    book.replace([(9.0, 0.0), (8.0, 1.0)], [(10.0, 0.0), (11.0, 1.0)])
    assert (book.bid, book.ask) == (8.0, 11.0)


def test_the_touch_trims_the_ladder_and_is_forgotten_by_the_next_diff() -> None:
    book = OrderBook("x", "y")
    book.replace([(9.0, 1.0), (8.0, 1.0), (7.0, 1.0)], [(10.0, 1.0), (11.0, 1.0), (12.0, 1.0)])
    book.touch(10.5, 0.25, 11.0, 0.75)
    assert list(book.bids()) == [(10.5, 0.25), (9.0, 1.0), (8.0, 1.0), (7.0, 1.0)]
    assert list(book.asks()) == [(11.0, 0.75), (12.0, 1.0)], "the ask at 10 is gone: it lies under the new best ask"
    book.touch(7.5, 0.5, 8.5, 0.5)
    assert list(book.bids()) == [(7.5, 0.5), (7.0, 1.0)]
    assert next(book.asks()) == (8.5, 0.5)
    book.apply([(7.0, 2.0)], [])
    assert (book.bid, book.ask) == (9.0, 10.0)


def test_crossed_and_empty_books_are_plain_to_see() -> None:
    book = OrderBook("x", "y")
    assert (book.bid, book.ask) == (0.0, inf)
    book.replace([(10.0, 1.0)], [(9.0, 1.0)])
    assert book.is_crossed
    book.replace([(10.0, 1.0)], [])
    assert (book.bid, book.ask, book.ask_qty) == (10.0, inf, 0.0)
    assert list(book.asks()) == []


def test_clearing_leaves_no_ghost_level() -> None:
    book = OrderBook("x", "y")
    book.replace([(10.0, 1.0)], [(11.0, 1.0)])
    book.update_id = 7
    book.clear(BookState.GAPPED)
    assert book.state is BookState.GAPPED
    assert (book.bid, book.ask, book.update_id) == (0.0, inf, 0)
    assert list(book.bids()) == list(book.asks()) == []
    book.apply([(5.0, 1.0)], [])
    assert list(book.bids()) == [(5.0, 1.0)]
