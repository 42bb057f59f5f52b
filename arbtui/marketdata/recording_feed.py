"""RecordingFeed: replays recordings as a live feed."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from math import ceil
from pathlib import Path

from arbtui.exchanges.feed import Deliver, Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.batch_times import TURN_NS
from arbtui.marketdata.formats.seals import RecordingNotes
from arbtui.marketdata.recording import open_recordings
from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError

_TURN = 256  # batches delivered in one turn before the loop's other tasks run


class RecordingFeed:
    """A MarketDataFeed from recordings.

    A frame is delivered on the millisecond at or after its time, never before it; frames of one receive time together, all others
    one by one and in order. Between two batches the loop runs its other work, as when they were received, except within one
    turn. As fast as possible is the same code in a virtual-time loop.

    Args:
        paths: the recordings, opened at once.
        clock: the clock of the loop that :meth:`run` runs in.
        exchanges: the profile's exchanges.
        speed: how many times faster than recorded.

    Raises:
        UsageError: a file cannot be replayed with this profile.
    """

    def __init__(self, paths: Sequence[Path], clock: Clock, exchanges: Collection[str] | None = None, speed: float = 1.0) -> None:
        if not speed > 0.0:
            raise UsageError(f"--speed {speed}: must be above 0, or max")
        self.notes = RecordingNotes()  #: what seals and receipts say of what was read so far
        self._batches = _batches(open_recordings(paths, exchanges, self.notes))
        self._clock = clock
        self._ns_per_ms = 1e6 * speed
        self._aggregator: OrderbookAggregator | None = None

    def attach(self, aggregator: OrderbookAggregator) -> None:
        """Whose books these frames keep: told when each batch was received, whatever the speed."""
        self._aggregator = aggregator

    async def run(self, deliver: Deliver) -> None:
        """Deliver everything and return; raises UsageError where a file is damaged, after everything before that."""
        clock = self._clock
        start = clock.monotonic()
        first: int | None = None
        before = 0
        unslept = 0
        for ts_ns, frames in self._batches:
            if first is None:
                first = ts_ns
            wait = start + ceil((ts_ns - first) / self._ns_per_ms) / 1000 - clock.monotonic()
            if wait > 1e-6:
                await asyncio.sleep(wait)
                unslept = 0
            elif ts_ns - before >= TURN_NS or (unslept := unslept + 1) % _TURN == 0:
                await asyncio.sleep(0)
            before = ts_ns
            if self._aggregator is not None:
                self._aggregator.recorded_at(ts_ns / 1e9)
            deliver(frames)

    def request_snapshot(self, exchange: str, code: str) -> None:
        """Does nothing: the snapshots in a recording come at their own time."""


def _batches(messages: Iterator[tuple[int, Frame]]) -> Iterator[tuple[int, list[Frame]]]:
    """Group frames of equal time; collected frames are yielded before an error is raised."""
    batch: list[Frame] = []
    batch_ts = 0
    try:
        for ts_ns, frame in messages:
            if batch and ts_ns != batch_ts:
                yield batch_ts, batch
                batch = []
            batch_ts = ts_ns
            batch.append(frame)
    except UsageError:
        if batch:
            yield batch_ts, batch
        raise
    if batch:
        yield batch_ts, batch
