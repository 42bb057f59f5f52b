"""The simulated OKX: its frames rebuild its books without a gap, over a lost change too, and keep its price units and lots."""

import asyncio
import json
from decimal import Decimal

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.model.book import BookState
from arbtui.model.clock import LoopClock
from arbtui.simulation.market_simulator import MarketSimulator
from tests.simulation.market_worlds import Batch, play

SYMBOLS = ["BTC", "XRP", "SHIB"]


class Desk:
    """Books that are kept from the simulator's frames; ``lost``: how many changes of a book never arrive."""

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.checked = 0
        self.asked: list[str] = []
        self.aggregator: OrderbookAggregator | None = None

    def take(self, sim: MarketSimulator, batch: Batch) -> None:
        if self.aggregator is None:
            keys = [("okx", code) for code in sim.markets["okx"]]
            clock = LoopClock(asyncio.get_running_loop())

            def request(exchange: str, code: str) -> None:
                self.asked.append(code)
                sim.request_snapshot(exchange, code)

            self.aggregator = OrderbookAggregator(clock, MarketDataConfig(), keys, lambda _: None, request)
            self.aggregator.connected("okx", list(sim.markets["okx"]), True)
        self.aggregator.deliver([frame for frame in batch if not self._is_lost(frame)])
        for (_, code), book in self.aggregator.books.items():
            if book.state is BookState.LIVE:
                truth = sim.book("okx", code)
                assert (next(truth.bids()), next(truth.asks())) == ((book.bid, book.bid_qty), (book.ask, book.ask_qty))
                self.checked += 1

    def _is_lost(self, frame: Frame) -> bool:
        if not self.lost or b'"action":"update"' not in frame.raw:
            return False
        self.lost -= 1
        return True


def test_the_frames_rebuild_exactly_the_venue_s_books() -> None:
    desk = Desk()
    sim = play(SYMBOLS, 30, desk.take, venues=["okx"])
    assert desk.checked > 1000
    assert desk.asked == []
    assert desk.aggregator is not None
    assert desk.aggregator.counts["okx"].malformed == {}
    assert {code for _, code in desk.aggregator.books} == {f"{symbol}-USDT" for symbol in SYMBOLS} == set(sim.markets["okx"])


def test_a_lost_change_is_seen_and_a_whole_book_asked_for() -> None:
    desk = Desk(lost=3)
    play(SYMBOLS, 30, desk.take, venues=["okx"])
    assert 1 <= len(desk.asked) <= 3
    assert desk.checked > 1000
    assert desk.aggregator is not None
    assert {book.state for book in desk.aggregator.books.values()} == {BookState.LIVE}


def test_prices_lie_on_its_own_price_units_and_each_change_names_the_one_before() -> None:
    frames: list[Frame] = []
    sim = play(SYMBOLS, 10, lambda _, batch: frames.extend(batch), venues=["okx"])
    last: dict[str, int] = {}
    for frame in frames:
        told = json.loads(frame.raw)
        (data,), code = told["data"], told["arg"]["instId"]
        market = sim.markets["okx"][code]
        for price, qty, *_ in data.get("bids", []) + data.get("asks", []):
            assert market.price_down(Decimal(price)) == Decimal(price)
            assert Decimal(qty) % market.lot_step == 0
        if told["arg"]["channel"] == "books":
            assert data["prevSeqId"] == last.get(code, -1)
            last[code] = data["seqId"]
    assert set(last) == set(sim.markets["okx"])
