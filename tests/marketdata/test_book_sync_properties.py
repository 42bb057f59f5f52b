"""Streams with lost, repeated and reordered messages and late snapshots: a LIVE book is never a wrong one."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.exchanges.feed import Frame
from arbtui.model.book import BookState
from tests.marketdata.frames import SPOT, USDM, Bench, snapshot, spot_diff, ticker, usdm_diff

Sides = tuple[dict[float, float], dict[float, float]]


class Venue:
    """A venue with one market: it remembers its book at every update id, so that every claim about it can be checked."""

    def __init__(self, rng: random.Random, *, usdm: bool) -> None:
        self.rng = rng
        self.usdm = usdm
        self.exchange = "binanceusdm" if usdm else "binance"
        self.now = 1000
        self.sent = 1000  # last id of the last diff
        self.changes: list[tuple[int, float]] = []  # (0 bid or 1 ask, price) since the last diff
        self.history: dict[int, Sides] = {self.now: ({96.0 + i: 1.0 for i in range(4)}, {101.0 + i: 1.0 for i in range(4)})}

    def change(self) -> None:
        """One change of one level, under the next id; USD-M ids skip, since other markets share them."""
        bids, asks = self.history[self.now]
        bids, asks = dict(bids), dict(asks)
        which = self.rng.randrange(2)
        side, price = (bids, asks)[which], float((90, 101)[which] + self.rng.randrange(10))
        self.changes.append((which, price))
        if price in side and len(side) > 1 and self.rng.random() < 0.5:
            del side[price]
        else:
            side[price] = self.rng.randrange(1, 9) / 2
        step = self.rng.randrange(1, 4) if self.usdm else 1
        for update_id in range(self.now + 1, self.now + step):
            self.history[update_id] = self.history[self.now]
        self.now += step
        self.history[self.now] = (bids, asks)

    def diff(self) -> Frame:
        """Every level touched since the last diff, with what it holds now (also one that is as it was, as venues do)."""
        after, changes, self.changes = self.history[self.now], self.changes, []
        bids = [(price, after[0].get(price, 0.0)) for which, price in changes if which == 0]
        asks = [(price, after[1].get(price, 0.0)) for which, price in changes if which == 1]
        first, previous, self.sent = self.sent + 1, self.sent, self.now
        return usdm_diff(first, self.now, previous, bids, asks) if self.usdm else spot_diff(first, self.now, bids, asks)

    def ticker(self) -> Frame:
        bids, asks = self.history[self.now]
        return ticker(self.now, max(bids.items()), min(asks.items()), self.exchange)

    def snapshot(self, update_id: int) -> Frame:
        bids, asks = self.history[update_id]
        return snapshot(update_id, sorted(bids.items(), reverse=True), sorted(asks.items()), self.exchange)


def ticker_id(frame: Frame) -> int:
    return int(json.loads(frame.raw)["data"]["u"]) if b"bookTicker" in frame.raw else 0


def check(bench: Bench, venue: Venue, market: tuple[str, str], newest_ticker: int) -> None:
    book = bench.book(market)
    if book.state is not BookState.LIVE:
        assert list(book.bids()) == list(book.asks()) == [], "a book out of step holds no level"
        return
    bids, asks = venue.history[book.update_id]
    assert dict(zip(book.bid_px, book.bid_sz, strict=True)) == bids
    assert {-key: qty for key, qty in zip(book.ask_key, book.ask_sz, strict=True)} == asks
    best_bids, best_asks = venue.history[max(book.update_id, newest_ticker)]
    assert (book.bid, book.bid_qty) == max(best_bids.items())
    assert (book.ask, book.ask_qty) == min(best_asks.items())
    seen_bids, seen_asks = [p for p, _ in book.bids()], [p for p, _ in book.asks()]
    assert seen_bids == sorted(set(seen_bids), reverse=True)
    assert seen_asks == sorted(set(seen_asks))
    assert seen_bids[0] < seen_asks[0]


@pytest.mark.parametrize("usdm", [False, True])
@given(seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.05, 0.3]), disorder=st.sampled_from([0.0, 0.05, 0.3]))
def test_a_live_book_is_the_venues_book(usdm: bool, seed: int, loss: float, disorder: float) -> None:
    rng = random.Random(seed)
    venue, market = Venue(rng, usdm=usdm), USDM if usdm else SPOT
    bench = Bench(market, buffer_limit=15)
    newest_ticker = answered = 0
    held: list[Frame] = []  # overtaken by what comes after
    for _ in range(80):
        for _ in range(rng.randrange(1, 4)):
            venue.change()
        frames = [venue.ticker(), venue.diff()] if rng.random() < 0.5 else [venue.diff()]
        if rng.random() < loss:
            frames.pop()
        if frames and rng.random() < disorder:
            frames = [*frames, frames[-1]] if rng.random() < 0.5 else []
        if held and rng.random() < 0.5:
            frames += held
            held = []
        elif frames and rng.random() < disorder:
            held.append(frames.pop())
        for frame in frames:
            newest_ticker = max(newest_ticker, ticker_id(frame))
            bench.feed(frame)
            check(bench, venue, market, newest_ticker)
        if answered < len(bench.asked) and rng.random() < 0.5:
            answered += 1
            old = rng.choice([0, 0, 0, 3, 10])
            bench.feed(venue.snapshot(max(1000, venue.now - old)))
            check(bench, venue, market, newest_ticker)
    for frame in held:
        newest_ticker = max(newest_ticker, ticker_id(frame))
        bench.feed(frame)
        check(bench, venue, market, newest_ticker)

    # However bad it was: an undisturbed stream and the snapshots asked for bring the book back.
    for _ in range(4):
        venue.change()
        bench.feed(venue.diff())
        if bench.state(market) is not BookState.LIVE:
            bench.feed(venue.snapshot(venue.now))
        check(bench, venue, market, newest_ticker)
    assert bench.state(market) is BookState.LIVE
    assert bench.book(market).update_id == venue.now
