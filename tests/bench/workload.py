"""The same seeded market for both sides of the comparison. Standard library only: the peer's environment has nothing of ours.

``symbols`` assets, each with a book at a won venue (0) and at a dollar venue (1). Every update changes four levels of one
15-level book: two bids and two asks get another size, or the whole book moves by one tick. Prices and sizes are whole
numbers of ticks and lots, so that each side turns them into its own numbers and nobody's rounding decides. Prices wander
about a fair one; on one or two of a hundred updates a route pays.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

LEVELS = 15
WON, DOLLAR = 0, 1
RATE = 1400  #: won for a dollar; both sides of the rate's book, so that the spread of the rate is nobody's business
RATE_FEE = 0.0005
PRICE_DECIMALS = (0, 4)  #: of a tick: 1 won, 0.0001 dollars
LOT_DECIMALS = 1  #: of the sizes in the books, and of the coarser of the two markets' lots
TAKER = (0.0005, 0.001)  #: the won venue takes it in won on top, the dollar venue out of the coin bought
MIN_EDGE_BPS = 3.0
ORDER_VALUE = {"top": 1_000.0, "snap": 10_000.0, "diff": 10_000.0, "wire": 1_000.0, "wire-l2": 10_000.0}  #: dollars, by mode
_WANDER_BPS = (13.0, 13.0)

Rows = list[tuple[int, int]]  #: (ticks, lots)


class Update(NamedTuple):
    """One change of one book: what the mode sends. ``number`` counts the book's own updates; the opening is 1."""

    symbol: int
    venue: int
    number: int
    bids: Rows
    asks: Rows


class Decision(NamedTuple):
    """What either side says of an update: sold at ``venue`` (bought at the other one), with the net edge and the coins sold."""

    seq: int
    symbol: int
    venue: int
    edge_bps: float
    qty: float


@dataclass
class _Ladder:
    """One book: best bid first, best ask first, both without holes."""

    best_bid: int
    fair: int
    wander: int
    bids: list[int]
    asks: list[int]
    spread: int
    number: int = 1

    def rows(self, levels: int) -> tuple[Rows, Rows]:
        ask = self.best_bid + self.spread
        return [(self.best_bid - i, self.bids[i]) for i in range(levels)], [(ask + i, self.asks[i]) for i in range(levels)]


class Workload:
    """An endless market.

    Args:
        mode: ``top`` and ``wire`` send the touch, ``snap`` the whole ladder, ``diff`` the four changes, ``wire-l2`` the ladder at
            the won venue and the changes at the dollar venue.
    """

    def __init__(self, mode: str, symbols: int, seed: int) -> None:
        self.mode = mode
        self.symbols = symbols
        self._chance = random.Random(f"{seed} {symbols}")
        self._books = [self._new_pair() for _ in range(symbols)]

    def opening(self) -> Iterator[Update]:
        """Every book whole, once, before anything else."""
        for symbol, pair in enumerate(self._books):
            for venue, book in enumerate(pair):
                yield Update(symbol, venue, book.number, *book.rows(1 if self.mode in ("top", "wire") else LEVELS))

    def updates(self, count: int) -> list[Update]:
        """The next ``count`` updates."""
        return [self._next() for _ in range(count)]

    def sends_whole(self, venue: int) -> bool:
        """Whether the venue sends whole 15-level books in this mode."""
        return self.mode == "snap" or (self.mode == "wire-l2" and venue == WON)

    def _new_pair(self) -> tuple[_Ladder, _Ladder]:
        dollars = self._chance.uniform(1.7, 3.3)
        return self._new(WON, round(dollars * RATE), 1), self._new(DOLLAR, round(dollars * 10_000), 2)

    def _new(self, venue: int, fair: int, spread: int) -> _Ladder:
        wander = max(1, round(fair * _WANDER_BPS[venue] / 1e4))
        sizes = [[self._size() for _ in range(LEVELS)] for _ in range(2)]
        return _Ladder(fair + self._chance.randint(-wander, wander), fair, wander, sizes[0], sizes[1], spread)

    def _size(self) -> int:
        return self._chance.randint(2_000, 12_000)  # 200 to 1,200 coins, some 500 to 3,000 dollars

    def _next(self) -> Update:
        chance = self._chance
        symbol, venue = chance.randrange(self.symbols), chance.randrange(2)
        book = self._books[symbol][venue]
        book.number += 1
        if chance.random() < 0.5:
            bids, asks = self._resize(book)
        else:
            off = book.best_bid - book.fair
            bids, asks = self._move(book, up=off <= -book.wander or (off < book.wander and chance.random() < 0.5))
        if self.sends_whole(venue):
            bids, asks = book.rows(LEVELS)
        elif self.mode in ("top", "wire"):
            bids, asks = book.rows(1)
        return Update(symbol, venue, book.number, bids, asks)

    def _resize(self, book: _Ladder) -> tuple[Rows, Rows]:
        places = self._chance.sample(range(LEVELS), 2)
        for place in places:
            book.bids[place], book.asks[place] = self._size(), self._size()
        ask = book.best_bid + book.spread
        return [(book.best_bid - i, book.bids[i]) for i in places], [(ask + i, book.asks[i]) for i in places]

    def _move(self, book: _Ladder, *, up: bool) -> tuple[Rows, Rows]:
        bid, ask = book.best_bid, book.best_bid + book.spread
        if up:
            bids = [(bid - LEVELS + 1, 0), (bid + 1, self._size())]
            asks = [(ask, 0), (ask + LEVELS, self._size())]
            book.bids.insert(0, bids[1][1])
            book.asks.append(asks[1][1])
            del book.bids[-1], book.asks[0]
            book.best_bid += 1
        else:
            bids = [(bid, 0), (bid - LEVELS, self._size())]
            asks = [(ask + LEVELS - 1, 0), (ask - 1, self._size())]
            book.bids.append(bids[1][1])
            book.asks.insert(0, asks[1][1])
            del book.bids[0], book.asks[-1]
            book.best_bid -= 1
        return bids, asks


def text(whole: int, decimals: int) -> str:
    """``whole`` units of the last decimal, written out."""
    if not decimals:
        return str(whole)
    return f"{whole // 10**decimals}.{whole % 10**decimals:0{decimals}d}"


def coin(symbol: int) -> str:
    """An asset's code."""
    return f"C{symbol:04d}"


def frame(workload: Workload, update: Update) -> bytes:
    """An update as the venue's own WebSocket message: Upbit's ``orderbook``, Binance's ``bookTicker`` or ``depthUpdate``."""
    name = coin(update.symbol)
    stamp = 1_767_225_600_000 + update.number
    bids = [(text(ticks, PRICE_DECIMALS[update.venue]), text(lots, LOT_DECIMALS)) for ticks, lots in update.bids]
    asks = [(text(ticks, PRICE_DECIMALS[update.venue]), text(lots, LOT_DECIMALS)) for ticks, lots in update.asks]
    if update.venue == WON:
        units = ",".join(
            f'{{"ask_price":{ask[0]},"bid_price":{bid[0]},"ask_size":{ask[1]},"bid_size":{bid[1]}}}'
            for bid, ask in zip(bids, asks, strict=True)
        )
        totals = '"total_ask_size":123456.7,"total_bid_size":123456.7'
        head = f'{{"type":"orderbook","code":"KRW-{name}","timestamp":{stamp},{totals}'
        return f'{head},"orderbook_units":[{units}],"stream_type":"REALTIME","level":0}}'.encode()
    if workload.mode == "wire":
        (bid,), (ask,) = bids, asks
        touch = f'"b":"{bid[0]}","B":"{bid[1]}","a":"{ask[0]}","A":"{ask[1]}"'
        return f'{{"stream":"{name.lower()}usdt@bookTicker","data":{{"u":{update.number},"s":"{name}USDT",{touch}}}}}'.encode()
    rows = [",".join(f'["{price}","{size}"]' for price, size in side) for side in (bids, asks)]
    ids = f'"U":{update.number},"u":{update.number}'
    data = f'{{"e":"depthUpdate","E":{stamp},"s":"{name}USDT",{ids},"b":[{rows[0]}],"a":[{rows[1]}]}}'
    return f'{{"stream":"{name.lower()}usdt@depth@100ms","data":{data}}}'.encode()
