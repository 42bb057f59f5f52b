"""A book over OKX's frames: each change names the one before it; the examples of "Sequence ID" (okx.com/docs-v5, order book channel)."""

import json
from typing import Any

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.model.book import BookState, OrderBook
from tests.marketdata.frames import HandClock

CODE = "BTC-USDT"
_BOOK = {"asks": [["101", "1", "0", "1"], ["102", "2", "0", "1"]], "bids": [["100", "1", "0", "1"], ["99", "2", "0", "1"]]}


class Books:
    """One OKX market behind an aggregator, and what it asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.aggregator = OrderbookAggregator(
            HandClock(1000.0), MarketDataConfig(), [("okx", CODE)], lambda books: None, lambda *market: self.asked.append(market)
        )
        self.book: OrderBook = self.aggregator.books["okx", CODE]

    def feed(self, channel: str, seq: int, before: int | None = None, **sides: list[list[str]]) -> None:
        row: dict[str, Any] = {"asks": [], "bids": [], **sides, "ts": "1597026383085", "seqId": seq}
        message: dict[str, Any] = {"arg": {"channel": channel, "instId": CODE}, "data": [row]}
        if before is not None:
            message["action"] = "snapshot" if before == -1 else "update"
            row["prevSeqId"] = before
        self.aggregator.deliver([Frame("okx", json.dumps(message, separators=(",", ":")).encode())])

    def snapshot(self, seq: int) -> None:
        self.feed("books", seq, -1, **_BOOK)

    @property
    def best(self) -> tuple[float, float]:
        return self.book.bid, self.book.ask


def test_the_documents_example_of_a_sequence() -> None:
    books = Books()
    books.snapshot(10)
    books.feed("books", 15, 10, bids=[["100.5", "1", "0", "1"]])
    books.feed("books", 15, 15)
    assert (books.book.state, books.best) == (BookState.LIVE, (100.5, 101.0))
    books.feed("books", 3, 15, bids=[["100.5", "0", "0", "0"]])
    assert (books.book.state, books.best, books.book.update_id) == (BookState.LIVE, (100.0, 101.0), 3)
    books.feed("books", 5, 3, asks=[["100.9", "1", "0", "1"]])
    assert (books.book.state, books.best) == (BookState.LIVE, (100.0, 100.9))
    assert books.asked == []
    assert books.aggregator.counts["okx"].gaps == 0


def test_a_lost_change_clears_the_book_until_it_comes_whole_again() -> None:
    books = Books()
    books.snapshot(10)
    books.feed("books", 20, 15, bids=[["100.5", "1", "0", "1"]])
    assert books.book.state is BookState.GAPPED
    assert books.asked == [("okx", CODE)]
    books.feed("books", 21, 20)
    assert (books.book.state, len(books.asked)) == (BookState.GAPPED, 1), "it is not asked for again at once"
    books.snapshot(30)
    assert (books.book.state, books.best) == (BookState.LIVE, (100.0, 101.0))


def test_best_prices_run_ahead_of_the_ladder_and_are_overtaken_by_it() -> None:
    books = Books()
    books.snapshot(10)
    books.feed("bbo-tbt", 14, bids=[["100.4", "3", "0", "1"]], asks=[["100.8", "3", "0", "1"]])
    assert books.best == (100.4, 100.8)
    books.feed("books", 12, 10, bids=[["100.2", "1", "0", "1"]])
    assert books.best == (100.4, 100.8), "an older change does not bring older prices back"
    books.feed("bbo-tbt", 11, bids=[["100.1", "3", "0", "1"]], asks=[["100.9", "3", "0", "1"]])
    assert books.best == (100.4, 100.8)
    books.feed("books", 16, 12, bids=[["100.2", "0", "0", "1"], ["100.3", "1", "0", "1"]])
    assert books.best == (100.3, 101.0)


def test_after_numbers_began_anew_best_prices_count_again() -> None:
    books = Books()
    books.snapshot(10)
    books.feed("bbo-tbt", 15, bids=[["100.4", "3", "0", "1"]], asks=[["100.8", "3", "0", "1"]])
    books.feed("books", 3, 10)
    books.feed("bbo-tbt", 4, bids=[["100.1", "3", "0", "1"]], asks=[["100.9", "3", "0", "1"]])
    assert books.best == (100.1, 100.9)


def test_a_second_sockets_first_book_does_not_take_a_newer_one_back() -> None:
    """The set of ids is the same over several connections."""
    books = Books()
    books.snapshot(10)
    books.feed("books", 15, 10, bids=[["100.5", "1", "0", "1"]])
    books.snapshot(12)
    books.feed("books", 15, 12, bids=[["100.5", "1", "0", "1"]])
    books.feed("books", 17, 15, bids=[["100.6", "1", "0", "1"]])
    assert (books.book.state, books.best, books.asked) == (BookState.LIVE, (100.6, 101.0), [])
