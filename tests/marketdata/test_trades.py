import random
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from arbtui.marketdata.trades import WINDOW_S, TradeTape
from arbtui.model.order import Side
from tests.marketdata.frames import SPOT, Bench, trade


def test_a_tape_of_the_last_minute() -> None:
    bench = Bench(SPOT)
    tape = bench.aggregator.trades.tapes[SPOT]
    assert (tape.volume(100.0), tape.imbalance(100.0)) == (0.0, 0.0)
    bench.feed(trade(99.0, 3.0))
    bench.clock.now += 30
    bench.feed(trade(98.0, 1.0))
    now = bench.clock.now
    assert tape.volume(now) == 4.0
    assert tape.imbalance(now) == 1.0
    assert tape.volume(now + 30) == 1.0, "the first trade left the window"
    assert tape.volume(now + 1000) == 0.0


def test_a_trade_that_is_told_twice_counts_once() -> None:
    bench = Bench(SPOT)
    tape = bench.aggregator.trades.tapes[SPOT]
    bench.feed(trade(99.0, 3.0, number=500), trade(98.0, 1.0, number=501), trade(99.0, 3.0, number=500), trade(98.0, 1.0, number=501))
    assert tape.volume(bench.clock.now) == 4.0
    assert bench.aggregator.counts["binance"].old == 2


def test_ids_that_begin_anew_are_new_trades() -> None:
    bench = Bench(SPOT)
    bench.feed(trade(99.0, 3.0, number=10**12), trade(98.0, 1.0, number=7))
    assert bench.aggregator.trades.tapes[SPOT].volume(bench.clock.now) == 4.0


def test_imbalance_weighs_takers() -> None:
    tape = TradeTape()
    tape.add(3.0, Side.BUY, 5.0)
    tape.add(1.0, Side.SELL, 5.5)
    assert tape.imbalance(6.0) == 0.5


@given(st.integers(0, 2**32))
def test_any_sequence_equals_the_sum_over_the_last_whole_seconds(seed: int) -> None:
    rng = random.Random(seed)
    tape, kept, now = TradeTape(), deque[tuple[int, float]](), rng.uniform(0, 100)
    for _ in range(60):
        now += rng.choice([0.0, 0.01, 0.7, 3.0, 25.0, 61.0, 500.0])
        qty = rng.randrange(1, 100) / 4  # sums of quarters are exact
        tape.add(qty, rng.choice([Side.BUY, Side.SELL]), now)
        kept.append((int(now), qty))
        now += rng.choice([0.0, 0.5, 10.0])
        assert tape.volume(now) == sum(q for second, q in kept if second > int(now) - WINDOW_S)
