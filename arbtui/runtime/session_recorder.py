"""SessionRecorder: records what a run's engine is fed, batch by batch, beside the run."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arbtui.exchanges.feed import Deliver, Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.batch_times import BatchTimes
from arbtui.marketdata.formats.own import RecordingFailed, RecordingWriter
from arbtui.marketdata.gap_watch import GapWatch
from arbtui.model.clock import Clock

log = logging.getLogger("arbtui")

#: Collected lines are written out so often: a process that is killed loses no more than this, in seconds.
_FLUSH_S = 1.0


class SessionRecorder:
    """A recording of one run. A disk that fails ends the recording and never the run.

    Args:
        path: the file to make.
        exchanges: whose frames will come.
        clock: the run's.

    Raises:
        UsageError: the file is there already, or cannot be made.
    """

    def __init__(self, path: Path, exchanges: Sequence[str], clock: Clock) -> None:
        self._writer = RecordingWriter(path, exchanges)
        self._path = path
        self._clock = clock
        self._times = BatchTimes(clock)
        self._flushed = clock.monotonic()
        self._gaps: GapWatch | None = None
        self.failure: RecordingFailed | None = None

    def watch(self, aggregator: OrderbookAggregator) -> None:
        """Write receipts for connections that ``aggregator`` is told of, and for frames that were merged before they reached it."""
        self._gaps = GapWatch(self._writer, aggregator.counts)
        aggregator.on_connection = self._on_connection

    def _on_connection(self, exchange: str, codes: Sequence[str], up: bool) -> None:
        if self._gaps is None or self.failure is not None:
            return
        try:
            self._gaps.connection(exchange, codes, up, self._times.now())
        except RecordingFailed as failure:
            self._fail(failure)

    def around(self, deliver: Deliver) -> Deliver:
        """``deliver``, with every batch written down before it is acted on."""

        def tapped(frames: Sequence[Frame]) -> None:
            if self.failure is None:
                self._write(frames)
            deliver(frames)

        return tapped

    def close(self) -> None:
        """Write out what is left."""
        try:
            if self._gaps is not None and self.failure is None:
                self._gaps.close(self._times.now())
                self._gaps = None
            self._writer.close()
        except RecordingFailed as failure:
            self._fail(failure)

    def summary(self) -> dict[str, Any]:
        """For the ``--json`` summary."""
        return {"file": str(self._path), "frames": self._writer.written, "bytes": self._writer.size, "gap_receipts": self._writer.gaps}

    def _write(self, frames: Sequence[Frame]) -> None:
        try:
            ts_ns = self._times.next()
            for frame in frames:
                self._writer.write(ts_ns, frame)
            if self._gaps is not None:
                self._gaps.frames(ts_ns, frames)
            now = self._clock.monotonic()
            if now - self._flushed >= _FLUSH_S:
                self._flushed = now
                if self._gaps is not None:
                    self._gaps.look(ts_ns)
                self._writer.flush()
        except RecordingFailed as failure:
            self._fail(failure)

    def _fail(self, failure: RecordingFailed) -> None:
        if self.failure is None:
            self.failure = failure
            log.error("the recording ended, the run goes on: %s", failure)
