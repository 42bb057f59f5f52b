"""The simulated Bybit: its frames are read by the decoder of the real one's, follow by one, and lie on the venue's units."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from arbtui.exchanges.bybit.wire import BybitDecoder
from arbtui.simulation.market_simulator import MarketSimulator
from tests.exchanges.told import Told
from tests.simulation.market_worlds import Batch, play

SECONDS = 120


def test_its_frames_its_numbers_its_rhythm_and_its_units() -> None:
    sink = Told()
    decoder = BybitDecoder(sink)
    counts: Counter[str] = Counter()
    numbers: dict[str, int] = {}

    def look(sim: MarketSimulator, batch: Batch) -> None:
        for frame in batch:
            if frame.exchange != "bybit":
                continue
            decoder.feed(frame.raw)
            told = json.loads(frame.raw)
            kind, _, code = told["topic"].rpartition(".")
            market = sim.markets["bybit"][code]
            if kind == "publicTrade":
                counts[f"{kind} {code}"] += 1
                levels = [[trade["p"], trade["v"]] for trade in told["data"]]
            else:
                counts[f"{told['type']} {code}"] += 1
                number = told["data"]["u"]
                assert told["type"] == ("delta" if code in numbers else "snapshot")
                assert number == numbers.get(code, number - 1) + 1
                numbers[code] = number
                levels = told["data"]["b"] + told["data"]["a"]
            for price, qty in levels:
                assert Decimal(price) % market.price_units.at(Decimal(price)) == 0
                assert Decimal(qty) % market.lot_step == 0

    play(["BTC", "XRP", "STX"], SECONDS, look, venues=["upbit", "bybit"])
    assert len(sink.events) == sum(counts.values())
    assert {event[0] for event in sink.events} == {"snapshot", "diff", "trade"}
    assert 5.5 < counts["delta BTCUSDT"] / SECONDS < 8.0, "6 to 7 in the recording of 2026-08-09"
    assert counts["publicTrade BTCUSDT"] / SECONDS > 0.3


def test_a_book_that_is_emptied_is_told_as_one_change_that_takes_every_level_away() -> None:
    frames: list[dict[str, Any]] = []

    def look(sim: MarketSimulator, batch: Batch) -> None:
        told = [json.loads(frame.raw) for frame in batch if frame.exchange == "bybit" and b'"orderbook.50.XRPUSDT"' in frame.raw]
        frames.extend(told)
        if len(frames) == 20:
            sim.book("bybit", "XRPUSDT").halt(empty=True)

    play(["XRP"], 30, look, venues=["upbit", "bybit"])
    held: dict[str, set[str]] = {"b": set(), "a": set()}
    for frame in frames:
        for side, prices in held.items():
            for price, qty in frame["data"][side]:
                prices.add(price) if qty != "0" else prices.discard(price)
    assert len(frames) == 21
    assert held == {"b": set(), "a": set()}
