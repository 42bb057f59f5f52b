"""The simulated Bithumb: its frames are read by the decoder of the real one's, and its books, repeats and trades come as often."""

import json
from collections import Counter
from decimal import Decimal

from arbtui.exchanges.bithumb.rules import krw_market
from arbtui.exchanges.bithumb.wire import BithumbDecoder
from arbtui.simulation.market_simulator import MarketSimulator
from tests.exchanges.told import Told
from tests.simulation.market_worlds import Batch, play

SECONDS = 120


def test_its_frames_its_rhythm_and_its_price_units() -> None:
    sink = Told()
    decoder = BithumbDecoder(sink)
    counts: Counter[str] = Counter()
    last: dict[str, object] = {}

    def look(_: MarketSimulator, batch: Batch) -> None:
        for frame in batch:
            if frame.exchange != "bithumb":
                continue
            decoder.feed(frame.raw)
            told = json.loads(frame.raw, parse_float=Decimal)
            code = told["code"]
            counts[f"{told['type']} {code}"] += 1
            if told["type"] == "trade":
                continue
            units = krw_market(code.removeprefix("KRW-")).price_units
            for unit in told["orderbook_units"]:
                for side in ("bid", "ask"):
                    price, size = Decimal(unit[f"{side}_price"]), Decimal(unit[f"{side}_size"])
                    assert price % units.at(price) == 0
                    assert size == round(size, 4) > 0
            if last.get(code) == told["orderbook_units"]:
                counts[f"again {code}"] += 1
            last[code] = told["orderbook_units"]

    play(["BTC", "XRP", "STX"], SECONDS, look, venues=["bithumb", "binance"])
    assert len(sink.events) == sum(count for what, count in counts.items() if not what.startswith("again"))
    assert {event[0] for event in sink.events} == {"snapshot", "trade"}
    assert 8.0 < counts["orderbook KRW-BTC"] / SECONDS < 11.5  # as counted in 2026
    assert 0.35 < counts["again KRW-BTC"] / counts["orderbook KRW-BTC"] < 0.56
    assert 0.4 < counts["trade KRW-BTC"] / SECONDS < 1.2
    assert counts["orderbook KRW-USDT"] > SECONDS  # there it has a rate of its own


def test_an_empty_book_has_its_levels_at_nothing_and_is_not_repeated() -> None:
    frames: list[bytes] = []

    def look(sim: MarketSimulator, batch: Batch) -> None:
        frames.extend(frame.raw for frame in batch if frame.exchange == "bithumb" and b'"KRW-XRP"' in frame.raw)
        if len(frames) == 20:
            sim.book("bithumb", "KRW-XRP").halt(empty=True)

    play(["XRP"], 30, look, venues=["bithumb", "binance"])
    sink = Told()
    BithumbDecoder(sink).feed(frames[-1])
    assert sink.events[0][2:4] == ([], [])
    assert len(frames) <= 23
