"""The simulated Coinone: its frames are read by the decoder of the real one's, and its books and trades come as often as was counted."""

import json
from collections import Counter
from decimal import Decimal

from arbtui.exchanges.coinone.rules import code_of, krw_market
from arbtui.exchanges.coinone.wire import CoinoneDecoder
from arbtui.simulation.market_simulator import MarketSimulator
from tests.exchanges.told import Told
from tests.simulation.market_worlds import Batch, play

SECONDS = 120


def test_its_frames_its_rhythm_and_its_price_units() -> None:
    sink = Told()
    decoder = CoinoneDecoder(sink)
    counts: Counter[str] = Counter()
    last_id = 0

    def look(_: MarketSimulator, batch: Batch) -> None:
        nonlocal last_id
        for frame in batch:
            if frame.exchange != "coinone":
                continue
            decoder.feed(frame.raw)
            told = json.loads(frame.raw)
            data = told["data"]
            code = code_of(data["quote_currency"], data["target_currency"])
            counts[f"{told['channel']} {code}"] += 1
            if told["channel"] == "TRADE":
                continue
            units = krw_market(data["target_currency"]).price_units
            for side in ("bids", "asks"):  # the asks worst first
                prices = [Decimal(row["price"]) for row in data[side]]
                assert len(prices) == 16
                assert prices == sorted(prices, reverse=True)
                assert all(price % units.at(price) == 0 for price in prices)
                assert all(Decimal(row["qty"]) > 0 for row in data[side])
            if code == "KRW-BTC":
                assert int(data["id"]) > last_id
                last_id = int(data["id"])

    play(["BTC", "XRP", "STX"], SECONDS, look, venues=["coinone", "binance"])
    assert len(sink.events) == counts.total()
    assert {event[0] for event in sink.events} == {"snapshot", "trade"}
    assert 2.5 < counts["ORDERBOOK KRW-BTC"] / SECONDS < 5.5  # as probed in 2026
    assert 0.3 < counts["TRADE KRW-BTC"] / SECONDS < 1.9


def test_an_empty_book_has_no_levels() -> None:
    frames: list[bytes] = []

    def look(sim: MarketSimulator, batch: Batch) -> None:
        frames.extend(frame.raw for frame in batch if frame.exchange == "coinone" and b'"XRP"' in frame.raw and b'"asks"' in frame.raw)
        if len(frames) == 10:
            sim.book("coinone", "KRW-XRP").halt(empty=True)

    play(["XRP"], 30, look, venues=["coinone", "binance"])
    sink = Told()
    CoinoneDecoder(sink).feed(frames[-1])
    assert sink.events[0][2:4] == ([], [])
    assert len(frames) <= 13
