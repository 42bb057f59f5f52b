import asyncio
import json
from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.model.clock import VIRTUAL_EPOCH_MS, LoopClock
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.market_simulator import MAX_CATCH_UP_TICKS, TICKS_A_TURN, MarketSimulator
from arbtui.simulation.scenario import rates
from tests.simulation.market_worlds import Batch, Reader, play, record

SCENARIOS = ("busy", "normal")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert record(5, 20) == record(5, 20)
    assert record(5, 20, seed=2) != record(5, 20)


def test_a_symbol_s_bytes_do_not_depend_on_its_company() -> None:
    def of_sol(frames: list[Frame]) -> list[str]:
        return [frame.raw.decode() for frame in frames if b"SOLUSDT" in frame.raw or b"KRW-SOL" in frame.raw]

    assert of_sol(record(["SOL"], 20)) == of_sol(record(5, 20))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_wire_rebuilds_exactly_the_venue_s_books(scenario: str) -> None:
    """Decoded as live frames are: gap-free ids, never crossed, best = last best price at each depth event, and the same levels."""
    reader = Reader()

    def check(sim: MarketSimulator, batch: Batch) -> None:
        reader.take(batch)
        for exchange, markets in sim.markets.items():
            for code in markets:
                if code in reader.books:
                    truth, seen = sim.book(exchange, code), reader.books[code]
                    assert next(truth.bids()) == (seen.bid, seen.bid_qty)
                    assert next(truth.asks()) == (seen.ask, seen.ask_qty)
                    if exchange == "upbit":
                        assert list(truth.bids()) == list(seen.bids())
                        assert list(truth.asks()) == list(seen.asks())

    play(["BTC", "XRP", "DOGE", "SHIB", "XEC", "S0500", "S1000"], 60, check, scenario=scenario)
    assert reader.checked > 1000
    assert len(reader.trades) > 100
    assert len(reader.books) == 15


def test_after_a_depth_event_the_whole_ladder_is_known() -> None:
    reader = Reader()

    def check(sim: MarketSimulator, batch: Batch) -> None:
        reader.take(batch)
        if b"@depth" in batch[-1].raw:
            assert list(sim.book("binance", "XRPUSDT").bids()) == list(reader.books["XRPUSDT"].bids())
            assert list(sim.book("binance", "XRPUSDT").asks()) == list(reader.books["XRPUSDT"].asks())

    play(["XRP"], 60, check)
    assert reader.checked > 300


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_prices_lie_on_the_price_unit_and_sizes_on_the_lot(scenario: str) -> None:
    reader = Reader()
    sim = play(40, 30, lambda _, batch: reader.take(batch), scenario=scenario)
    for exchange, markets in sim.markets.items():
        for code, market in markets.items():
            levels = [*sim.book(exchange, code).bids(), *sim.book(exchange, code).asks()]
            assert len(levels) == (30 if exchange == "upbit" else 40)
            for price, qty in levels:
                exact = Decimal(repr(price))
                assert market.price_down(exact) == exact, (code, price)
                assert market.qty_down(Decimal(repr(qty))) == Decimal(repr(qty)) > 0


def test_upbit_sends_whole_books_on_a_100_ms_grid_only_when_changed() -> None:
    last: dict[str, Any] = {}
    times: dict[str, list[int]] = {}
    for frame in record(10, 30):
        if frame.exchange == "upbit" and frame.raw.startswith(b'{"type":"orderbook"'):
            book = json.loads(frame.raw)
            units = book["orderbook_units"]
            assert len(units) == 15
            assert units != last.get(book["code"])
            assert book["total_bid_size"] == pytest.approx(sum(unit["bid_size"] for unit in units))
            last[book["code"]] = units
            times.setdefault(book["code"], []).append(book["timestamp"])
    assert len(times) == 11
    for stamps in times.values():
        assert len({stamp % 100 for stamp in stamps}) == 1
        assert len(set(stamps)) == len(stamps)


def test_depth_events_keep_a_100_ms_grid_and_best_prices_come_in_bursts() -> None:
    stamps: list[int] = []
    batches: list[int] = []

    def look(_: MarketSimulator, batch: Batch) -> None:
        touches = sum(b"@bookTicker" in frame.raw for frame in batch)
        if touches:
            batches.append(touches)
        stamps.extend(json.loads(frame.raw)["data"]["E"] for frame in batch if b"@depth" in frame.raw)

    play(["BTC"], 120, look, scenario="normal")
    assert len({stamp % 100 for stamp in stamps}) == 1
    batches.sort()
    assert batches[int(0.99 * len(batches))] >= 8 * batches[len(batches) // 2]


def test_rates_are_those_of_the_rank_in_every_company() -> None:
    """Poisson-like counts over 100 s: within five per cent in sum, and by kind for the first symbol."""
    counts: Counter[str] = Counter()

    def count(_: MarketSimulator, batch: Batch) -> None:
        counts["all"] += sum(b"KRW-USDT" not in frame.raw and not frame.snapshot_of for frame in batch)
        counts["touches"] += sum(b'"btcusdt@bookTicker"' in frame.raw for frame in batch)
        counts["books"] += sum(b'"orderbook","code":"KRW-BTC"' in frame.raw for frame in batch)
        counts["depths"] += sum(b'"btcusdt@depth' in frame.raw for frame in batch)

    play(50, 100, count)
    expected = [rates(rank) for rank in range(1, 51)]
    total = sum(rate.total for rate in expected)
    assert 900 < total < 1100
    assert counts["all"] / 100 == pytest.approx(total, rel=0.05)
    assert counts["books"] / 100 == pytest.approx(expected[0].books, rel=0.05)
    assert counts["depths"] / 100 == pytest.approx(expected[0].books, rel=0.05)
    assert counts["touches"] / 100 == pytest.approx(expected[0].touches, rel=0.2)


def test_a_thousand_symbols_send_five_thousand_messages_a_second() -> None:
    expected = [rates(rank) for rank in range(1, 1001)]
    assert sum(rate.total for rate in expected) == pytest.approx(5000, rel=0.05)
    assert all(min(rate.books, rate.touches) > 0.5 for rate in expected)
    sim = play(1000, 5, lambda *_: None)
    assert sim.messages / 5 == pytest.approx(5000, rel=0.1)


def test_the_rate_market_is_always_there_with_its_half_won_unit() -> None:
    frames = record(["S1000"], 30)
    books = [json.loads(frame.raw) for frame in frames if b'"orderbook","code":"KRW-USDT"' in frame.raw]
    assert 60 < len(books) < 200
    best = books[-1]["orderbook_units"][0]
    assert best["ask_price"] - best["bid_price"] == 0.5
    assert 1300 < best["bid_price"] < 1500


def test_prices_and_ids_go_on_after_a_restart_with_fresh_chance() -> None:
    reader = Reader()
    first = play(3, 30, lambda _, batch: reader.take(batch))
    state = json.loads(json.dumps(first.state()))
    again = Reader()
    second = play(2, 0.5, lambda _, batch: again.take(batch), state=state)
    for code in ("BTCUSDT", "ETHUSDT"):
        assert again.books[code].mid == pytest.approx(reader.books[code].mid, rel=2e-3)
        assert again.last_ids[code] >= max(reader.last_ids[code], reader.touches[code][0])
    assert set(second.state()["assets"]) == {"BTC", "ETH", "XRP"}  # what is not run now is not forgotten
    assert record(2, 5, state=state) == record(2, 5, state=state)
    assert record(2, 5, state=state) != record(2, 5, state=second.state())


def test_a_requested_snapshot_joins_the_running_stream() -> None:
    async def main() -> list[Frame]:
        sim = MarketSimulator(SimulatorConfig(), 2, Rng(1), LoopClock(asyncio.get_running_loop()))
        frames: list[Frame] = []
        running = asyncio.create_task(sim.run(frames.extend))
        await asyncio.sleep(3.003)
        frames.append(Frame("mark", b""))
        sim.request_snapshot("binance", "ETHUSDT")
        sim.request_snapshot("binance", "ETHUSDT")
        sim.request_snapshot("upbit", "KRW-ETH")
        await asyncio.sleep(2)
        running.cancel()
        return frames

    frames = run_virtual(main())
    mark = next(i for i, frame in enumerate(frames) if frame.exchange == "mark")
    answers = [frame for frame in frames[mark:] if frame.snapshot_of]
    assert [frame.snapshot_of for frame in answers] == ["ETHUSDT"]
    assert any(b'"SNAPSHOT"' in frame.raw and b"KRW-ETH" in frame.raw for frame in frames[mark + 1 : mark + 20])
    seen = json.loads(answers[0].raw)["lastUpdateId"]
    depths = [json.loads(frame.raw)["data"] for frame in frames[mark:] if b"ethusdt@depth" in frame.raw]
    joined = next(depth for depth in depths if depth["u"] > seen)
    assert joined["U"] <= seen + 1 <= joined["u"]


class _StallingClock(LoopClock):
    """A clock on which the process was once stopped for a while."""

    stalled = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.stalled

    def time_ms(self) -> int:
        return super().time_ms() + round(self.stalled * 1000)


def test_after_a_stall_a_bounded_part_is_made_up_for_and_time_goes_on() -> None:
    async def main() -> tuple[list[int], list[int]]:
        clock = _StallingClock(asyncio.get_running_loop())
        sim = MarketSimulator(SimulatorConfig(), 20, Rng(1), clock)
        sizes: list[int] = []
        stamps: list[int] = []

        def deliver(batch: Batch) -> None:
            sizes.append(len(batch))
            stamps.extend(json.loads(frame.raw)["timestamp"] for frame in batch if frame.exchange == "upbit")

        running = asyncio.create_task(sim.run(deliver))
        await asyncio.sleep(5)
        sizes.clear()
        clock.stalled = 30.0
        await asyncio.sleep(5)
        running.cancel()
        return sizes, stamps

    sizes, stamps = run_virtual(main())
    turns = MAX_CATCH_UP_TICKS // TICKS_A_TURN
    usual = sum(sizes[turns:]) / len(sizes[turns:])
    assert sum(sizes[:turns]) < 2.5 * MAX_CATCH_UP_TICKS * usual
    assert sum(sizes[:turns]) > 10 * usual
    assert stamps == sorted(stamps)
    assert stamps[-1] == pytest.approx(VIRTUAL_EPOCH_MS + 40_000, abs=100)


def test_after_a_stall_other_work_has_its_turns_while_the_market_catches_up() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        clock = _StallingClock(loop)
        sim = MarketSimulator(SimulatorConfig(), 20, Rng(1), clock)
        turns: list[str] = []

        def deliver(batch: Batch) -> None:
            turns.append(f"{loop.time():.3f}")
            loop.call_soon(turns.append, "other work")

        running = asyncio.create_task(sim.run(deliver))
        await asyncio.sleep(2.005)
        turns.clear()
        clock.stalled = MAX_CATCH_UP_TICKS * 0.01
        await asyncio.sleep(0.1)
        running.cancel()
        return turns

    turns = run_virtual(main())
    assert turns[:10] == [turns[0], "other work"] * 5, "half a second of market, in five parts at one moment"


def test_a_batch_is_delivered_every_10_ms_at_most() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        sim = MarketSimulator(SimulatorConfig(), 50, Rng(1), LoopClock(loop))
        running = asyncio.create_task(sim.run(lambda _: times.append(loop.time())))
        await asyncio.sleep(3)
        running.cancel()
        return times

    times = run_virtual(main())
    assert len(times) > 250
    assert all(time == pytest.approx(round(time * 100) / 100, abs=1e-6) for time in times)
    assert all(later - earlier > 0.009 for earlier, later in zip(times, islice(times, 1, None), strict=False))


def test_a_price_that_walks_through_a_band_of_the_unit_table_keeps_to_it() -> None:
    """XRP is put just under 1,000 KRW and pushed over 5,000 by restarts: every level stays on its unit."""
    sim = play(["XRP"], 1, lambda *_: None)
    for price in (0.709, 0.7149, 0.7151, 3.55, 3.5713, 3.58, 7.142, 0.0714):
        state = sim.state()
        state["assets"]["XRP"][0] = Decimal(price).ln().__float__()
        later = play(["XRP"], 20, lambda *_: None, state=state)
        market = later.markets["upbit"]["KRW-XRP"]
        book = later.book("upbit", "KRW-XRP")
        for level, _ in [*book.bids(), *book.asks()]:
            assert market.price_down(Decimal(repr(level))) == Decimal(repr(level))
