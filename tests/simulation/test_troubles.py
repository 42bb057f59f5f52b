"""The troubles of scenario `crash` as the wire and the venue's own book show them, and what `calm` is."""

import json
import math
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.model.errors import OrderRejected, OrderUnknown
from arbtui.model.order import OrderState, Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.event_scheduler import EventScheduler
from arbtui.simulation.frame_sink import FrameSink, VenueLine
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.played_venue import played_venue
from arbtui.simulation.scenario import SCENARIOS, rates
from arbtui.simulation.troubles import Incident, Trouble
from tests.simulation.market_worlds import Batch, play, record
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order, world

SECONDS = 300.0


def _incidents(sim: MarketSimulator, *kinds: Trouble) -> list[Incident]:
    assert sim.troubles is not None
    return [incident for incident in sim.troubles.history if incident.kind in kinds]


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_same_seed_gives_the_same_bytes_in_every_scenario(scenario: str) -> None:
    first = record(4, 60, scenario=scenario)
    assert first == record(4, 60, scenario=scenario)
    assert first != record(4, 60, scenario=scenario, seed=2)


def test_every_kind_of_trouble_comes_within_155_seconds_and_again_in_the_next_round() -> None:
    for seed in range(1, 6):
        sim = play(3, 300, lambda *_: None, scenario="crash", seed=seed)
        assert sim.troubles is not None
        for earliest, latest in ((1_500, 15_500), (15_500, 29_500)):
            kinds = [incident.kind for incident in sim.troubles.history if earliest < incident.start <= latest]
            assert set(kinds) == set(Trouble)
        ends = [(incident.start, incident.end) for incident in sim.troubles.history if incident.kind is not Trouble.GAP]
        assert all(earlier[1] < later[0] for earlier, later in pairwise(ends)), "one at a time"


def test_no_other_scenario_makes_trouble() -> None:
    assert [name for name in SCENARIOS if play(1, 0.1, lambda *_: None, scenario=name).troubles is not None] == ["crash"]


def test_nothing_is_sent_by_what_is_silent_and_nothing_but_what_is_frozen_is_silent() -> None:
    sent: list[tuple[int, Frame]] = []
    sim = play(4, SECONDS, lambda sim, batch: sent.extend((sim._scheduler.tick, frame) for frame in batch), scenario="crash")
    for incident in _incidents(sim, Trouble.VENUE_FROZEN, Trouble.VENUE_DEAD, Trouble.MARKET_FROZEN):
        during = [frame for tick, frame in sent if incident.start < tick < incident.end]
        theirs = [frame for frame in during if frame.exchange == incident.exchange]
        assert [frame for frame in during if frame.exchange != incident.exchange]
        if incident.code:
            assert [frame for frame in theirs if f'"{incident.code}"'.encode() not in frame.raw]
            theirs = [frame for frame in theirs if f'"{incident.code}"'.encode() in frame.raw]
        assert theirs == [], incident


def test_a_line_that_lags_delivers_all_of_it_late_and_in_order() -> None:
    stage, line = EventScheduler(0, ("upbit",)), VenueLine()
    sink = FrameSink(stage, "upbit", line)
    arrived: list[tuple[int, bytes]] = []
    for tick in range(1, 60):
        stage.act(tick, tick * 10)
        line.lag = 20 if 10 <= tick < 30 else 0
        if tick < 40:
            sink.send(str(tick).encode())
        arrived += [(tick, frame.raw) for frame in stage.frames]
        stage.frames = []
    assert [raw for _, raw in arrived] == [str(tick).encode() for tick in range(1, 40)]
    late = {int(raw): tick - int(raw) for tick, raw in arrived}
    assert {late[tick] for tick in range(1, 10)} == {0}
    assert {late[tick] for tick in range(10, 30)} == {20}
    assert [late[tick] for tick in (30, 35, 39)] == [19, 14, 10], "nothing overtakes what is still on its way"


def test_a_gap_is_a_hole_in_the_numbers_of_the_diffs() -> None:
    last: dict[str, int] = {}
    holes: Counter[str] = Counter()

    def look(_: MarketSimulator, batch: Batch) -> None:
        for frame in batch:
            if b"@depth" in frame.raw:
                data = json.loads(frame.raw)["data"]
                if data["s"] in last and data["U"] != last[data["s"]] + 1:
                    holes[data["s"]] += 1
                last[data["s"]] = data["u"]

    sim = play(4, SECONDS, look, scenario="crash")
    assert {incident.code for incident in _incidents(sim, Trouble.GAP)} <= set(holes)
    assert play(4, SECONDS, lambda *_: None, scenario="busy").troubles is None


def test_a_halted_book_stands_still_or_is_empty_at_the_venue_and_on_the_wire() -> None:
    """Of one symbol, so that each halt is its own; the books are rebuilt from the wire as the engine does it."""
    told: dict[str, list[tuple[int, float, float]]] = {}
    made: list[OrderbookAggregator] = []

    def look(sim: MarketSimulator, batch: Batch) -> None:
        if not made:
            keys = [(exchange, code) for exchange, markets in sim.markets.items() for code in markets]
            made.append(OrderbookAggregator(sim._clock, MarketDataConfig(), keys, lambda _: None, sim.request_snapshot))
        made[0].deliver(batch)
        for (_, code), book in made[0].books.items():
            told.setdefault(code, []).append((sim._scheduler.tick, book.bid, book.ask))

    sim = play(["XRP"], 900, look, scenario="crash")
    halts = _incidents(sim, Trouble.HALT)
    assert {"its book is empty", "its book stands still"} == {incident.detail for incident in halts}
    assert {incident.exchange for incident in halts} == {"upbit", "binance"}
    for incident in halts:
        during = {(bid, ask) for tick, bid, ask in told[incident.code] if incident.start + 50 < tick < incident.end}
        after = {(bid, ask) for tick, bid, ask in told[incident.code] if incident.end + 50 < tick < incident.end + 500}
        assert len(during) == 1
        assert (during == {(0.0, math.inf)}) == ("empty" in incident.detail)
        assert len(after) > 3
        assert (0.0, math.inf) not in after


def test_a_spike_moves_one_asset_on_one_venue_by_a_few_per_cent_and_takes_it_back() -> None:
    mids: dict[str, list[tuple[int, float]]] = {}

    def look(sim: MarketSimulator, _: Batch) -> None:
        for exchange, markets in sim.markets.items():
            for code in markets:
                book = sim.book(exchange, code)
                bid, ask = next(book.bids(), None), next(book.asks(), None)
                if bid and ask:
                    mids.setdefault(code, []).append((sim._scheduler.tick, (bid[0] + ask[0]) / 2))

    sim = play(3, SECONDS, look, scenario="crash")
    spikes = _incidents(sim, Trouble.SPIKE)
    assert spikes
    for incident in spikes:
        base = [mid for tick, mid in mids[incident.code] if tick <= incident.start][-1]
        extreme = max(abs(mid / base - 1) for tick, mid in mids[incident.code] if incident.start < tick < incident.end)
        after = next(mid for tick, mid in mids[incident.code] if tick > incident.end + 50)
        assert 0.015 < extreme < 0.075
        assert abs(after / base - 1) < 0.012
        symbol = incident.code.removeprefix("KRW-").removesuffix("USDT")
        other = f"{symbol}USDT" if incident.exchange == "upbit" else f"KRW-{symbol}"
        there = [mid for tick, mid in mids[other] if incident.start <= tick <= incident.end]
        assert max(there) / min(there) - 1 < 0.012


def test_an_order_that_arrives_at_a_dead_venue_is_lost_and_one_whose_answer_meets_the_outage_stands(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            core = w.upbit.core
            core.on_outage(True)
            with pytest.raises(OrderUnknown, match="no answer to a1"):
                await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), lambda: None)
            with pytest.raises(OrderUnknown):
                await w.upbit.fetch_order("KRW-XRP", "a1")
            with pytest.raises(OrderUnknown):
                await w.upbit.fetch_balances()
            with pytest.raises(OrderUnknown):
                await w.upbit.cancel_all()
            core.on_outage(False)
            assert await w.upbit.fetch_order("KRW-XRP", "a1") is None
            core.on_report = lambda _: core.on_outage(True)  # it dies with the answer under way
            with pytest.raises(OrderUnknown):
                await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000", "a2"), lambda: None)
            core.on_outage(False)
            report = await w.upbit.fetch_order("KRW-XRP", "a2")
            assert report is not None
            assert report.state is OrderState.FILLED

    run_virtual(main())


def test_a_halted_market_refuses_orders_and_still_takes_cancels(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            core = w.binance.core
            await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.1", tif=TimeInForce.GTC), lambda: None)
            core.on_halt("XRPUSDT", True)
            with pytest.raises(OrderRejected, match="MARKET_HALTED"):
                await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.14", "a2"), lambda: None)
            await w.binance.cancel("XRPUSDT", "a1")
            assert core.open_orders() == ()
            core.on_halt("XRPUSDT", False)
            report = await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.14", "a3"), lambda: None)
            assert report.state is OrderState.FILLED

    run_virtual(main())


def test_calm_is_calm() -> None:
    """Fewer messages, one price unit between bid and ask, and prices that move a third as much."""
    spreads: Counter[int] = Counter()
    prices: dict[str, list[dict[str, float]]] = {"calm": [], "normal": []}

    def look(sim: MarketSimulator, _: Batch) -> None:
        name = sim.config.scenario
        if sim._scheduler.tick // 1000 >= len(prices[name]):
            prices[name].append(sim.prices())
        if name == "calm":
            for exchange, markets in sim.markets.items():
                for code, market in markets.items():
                    low, high = next(sim.book(exchange, code).bids())[0], next(sim.book(exchange, code).asks())[0]
                    spreads[round((high - low) / float(market.price_units.at(market.price_down(Decimal(repr(low))))))] += 1

    def moves(name: str) -> float:
        """Root of the mean square of all assets' moves over ten seconds."""
        squares = [math.log(after[symbol] / before[symbol]) ** 2 for before, after in pairwise(prices[name]) for symbol in before]
        return math.sqrt(sum(squares) / len(squares))

    calm = play(12, 120, look, scenario="calm")
    normal = play(12, 120, look, scenario="normal")
    assert calm.messages == pytest.approx(0.4 * normal.messages, rel=0.15)
    assert spreads[1] > 0.99 * spreads.total()
    assert moves("calm") == pytest.approx(0.3 * moves("normal"), rel=0.3)
    assert played_venue("upbit").rhythm(SCENARIOS["calm"], 1).books == pytest.approx(0.4 * rates(1).books)
