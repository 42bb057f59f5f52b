"""The simulated Bitget: every frame is one of the real venue's, a lost one leaves no gap, and best prices run ahead of whole books."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from arbtui.exchanges.bitget.subscriptions import BitgetFraming
from arbtui.exchanges.bitget.wire import BitgetDecoder
from arbtui.simulation.market_simulator import MarketSimulator
from tests.exchanges.told import Event, Told
from tests.simulation.market_worlds import Batch, play

VENUES = ["upbit", "bitget"]


def events_of(batch: Batch) -> Iterator[Event]:
    sink = Told()
    decoder = BitgetDecoder(sink)
    for frame in batch:
        if frame.exchange == "bitget":
            assert BitgetFraming().is_data(frame.raw)
            decoder.feed(frame.raw)
    yield from sink.events


def test_books_are_whole_and_sorted_and_best_prices_come_more_often() -> None:
    counts: Counter[str] = Counter()

    def look(_: MarketSimulator, batch: Batch) -> None:
        for event in events_of(batch):
            counts[str(event[0])] += 1
            if event[0] == "snapshot":
                bids: Any = event[2]
                asks: Any = event[3]
                assert len(bids) == len(asks) == 15
                assert bids == sorted(bids, reverse=True)
                assert asks == sorted(asks)
                assert bids[0][0] < asks[0][0]

    sim = play(["BTC", "XRP"], 60, look, venues=VENUES)
    assert set(sim.markets["bitget"]) == {"BTCUSDT", "XRPUSDT"}
    assert counts["snapshot"] < 60 * 2 * 5  # at most one in 200 ms
    assert counts["touch"] > counts["snapshot"] > 100
    assert counts["trade"] > 20


@pytest.mark.parametrize("empty", [False, True])
def test_a_halted_market_is_still_and_comes_back(empty: bool) -> None:
    seen: list[Event] = []
    frozen: list[Event] = []
    steps = ["halt", "resume"]

    def look(sim: MarketSimulator, batch: Batch) -> None:
        market, tick = sim.book("bitget", "XRPUSDT"), sim._scheduler.tick
        seen.extend(events_of(batch))
        if steps == ["halt", "resume"] and tick > 500:
            market.halt(empty=empty)
            seen.clear()
            del steps[0]
        elif steps == ["resume"] and tick > 2000:
            frozen.extend(seen)
            seen.clear()
            market.resume()
            del steps[0]

    play(["XRP"], 40, look, venues=VENUES)
    assert not steps
    assert [event[2:4] for event in frozen if event[0] != "trade"] == ([([], [])] if empty else [])
    assert {event[0] for event in seen} >= {"snapshot", "touch"}
