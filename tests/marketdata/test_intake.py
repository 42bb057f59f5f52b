"""What waits in a burst: the newest book of each market, every diff and trade in order, and never more than that."""

import asyncio
import random
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.marketdata.intake import FULL, Intake
from arbtui.model.clock import SystemClock
from tests.marketdata.frames import spot_diff, ticker, trade, upbit_book

FRAMINGS = {name: PUBLIC_STREAMS[name].framing for name in ("upbit", "binance")}


class SlowClock(SystemClock):
    """Every look at it, ``step`` seconds have passed: each slice ends after so many batches, whatever the machine."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self._step = step

    def monotonic(self) -> float:
        self.now += self._step
        return self.now


def book(code: str, price: float) -> Frame:
    return upbit_book([(price, 1.0)], [(price + 1.0, 1.0)], code=code)


def through(frames: Sequence[Frame], bursts: Callable[[], int], step: float = 0.002) -> tuple[list[list[Frame]], Intake]:
    """Put ``frames`` in, so many in each turn of the loop; what was delivered, batch by batch."""
    batches: list[list[Frame]] = []

    async def run() -> Intake:
        intake = Intake(FRAMINGS, SlowClock(step), lambda batch: batches.append(list(batch)))
        at = 0
        while at < len(frames):
            count = bursts()
            for frame in frames[at : at + count]:
                intake.put(frame)
            at += count
            await asyncio.sleep(0)
        while intake.waiting:  # noqa: ASYNC110  turns of the loop are what is waited for
            await asyncio.sleep(0)
        assert not intake.broken.done()
        return intake

    return batches, asyncio.run(run())


def test_what_came_in_one_turn_is_one_batch_and_untouched() -> None:
    frames = [book("KRW-A", 1.0), book("KRW-A", 2.0), spot_diff(1, 2), ticker(3, (1.0, 1.0), (2.0, 1.0))]
    batches, intake = through(frames, lambda: 4)
    assert batches == [frames]
    assert intake.merged == {"upbit": 0, "binance": 0}


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_burst_keeps_the_newest_of_each_and_everything_that_counts_in_order(seed: int) -> None:
    rng = random.Random(seed)
    frames: list[Frame] = []
    for number in range(1, rng.randrange(200, 3000)):
        kind = rng.randrange(6)
        code = rng.choice(["A", "B", "C", "D1", "D"])
        if kind < 2:
            frames.append(book(f"KRW-{code}", float(number)))
        elif kind < 4:
            frames.append(ticker(number, (float(number), 1.0), (number + 1.0, 1.0), code=f"{code}USDT"))
        elif kind == 4:
            frames.append(spot_diff(number, number, code=f"{code}USDT"))
        else:
            frames.append(trade(1.0, 1.0, code=f"{code}USDT"))
    batches, intake = through(frames, lambda: rng.randrange(1, 1000))
    delivered = [frame for batch in batches for frame in batch]
    key = {id(frame): FRAMINGS[frame.exchange].merge_key(frame.raw) for frame in frames}
    counting = [frame for frame in frames if key[id(frame)] is None]
    assert [frame for frame in delivered if FRAMINGS[frame.exchange].merge_key(frame.raw) is None] == counting
    last_in, last_out = ({FRAMINGS[one.exchange].merge_key(one.raw): one for one in side} for side in (frames, delivered))
    assert last_in == last_out, "the newest of every market and kind arrives last"
    assert len(delivered) + sum(intake.merged.values()) == len(frames)
    positions = {id(frame): place for place, frame in enumerate(frames)}
    for market in last_in:
        if market is not None:
            order = [positions[id(one)] for one in delivered if key[id(one)] == market]
            assert order == sorted(order), "a newer book never comes before an older one"


def test_a_burst_is_bounded_by_the_markets_not_by_its_length() -> None:
    codes = [f"KRW-{number}" for number in range(1000)]
    frames = [book(code, float(turn)) for turn in range(1, 60) for code in codes]
    batches, intake = through(frames, lambda: 2000, step=0.01)
    assert intake.most <= 2000 + len(codes)
    assert intake.merged["upbit"] > len(frames) * 0.8
    assert sum(map(len, batches)) + intake.merged["upbit"] == len(frames)
    assert intake.slices > 5, "the loop's other work got its turns"
    assert max(map(len, batches)) <= 128


def test_sockets_wait_while_what_may_not_be_dropped_is_too_much() -> None:
    async def run() -> None:
        intake = Intake(FRAMINGS, SlowClock(0.01), lambda batch: None)
        diff = spot_diff(1, 2)
        for _ in range(FULL + 1000):
            intake.put(diff)
        room = asyncio.create_task(intake.room())
        await asyncio.sleep(0)
        assert not room.done()
        async with asyncio.timeout(30):
            await room
        assert intake.waiting <= FULL // 2

    asyncio.run(run())


def test_a_mistake_of_whoever_takes_the_frames_is_not_swallowed() -> None:
    def fail(batch: Sequence[Frame]) -> None:
        raise RuntimeError("a bug")

    async def run() -> None:
        intake = Intake(FRAMINGS, SystemClock(), fail)
        intake.put(spot_diff(1, 2))
        await asyncio.sleep(0)
        assert str(intake.broken.exception()) == "a bug"

    asyncio.run(run())
