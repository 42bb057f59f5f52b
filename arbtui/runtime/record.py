"""`arbtui record`: live public streams of a profile to a recording that `arbtui replay` plays."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.streams import require_decoders
from arbtui.exchanges.venues import documented_limits
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.batch_times import BatchTimes
from arbtui.marketdata.formats.own import RecordingFailed, RecordingWriter
from arbtui.marketdata.gap_watch import GapWatch
from arbtui.marketdata.stream import MarketDataStream, VenueSource
from arbtui.model.book import BookState
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.rng import Rng
from arbtui.runtime.record_progress import Progress, progress
from arbtui.runtime.stop import Stop
from arbtui.runtime.venues import simulated_assets
from arbtui.settings.options import RecordOptions
from arbtui.settings.output import say
from arbtui.settings.state import keep_private
from arbtui.simulation.played_venue import played_names, simulated_markets

#: Collected lines are written out so often: a process that is killed loses no more than this.
_FLUSH_S = 1.0


def run_record(options: RecordOptions) -> int:
    """Record; 0 when every venue sent something, 1 when one did not or the disk failed, 128 + n when signal n ended it.

    Raises:
        UsageError: the file cannot be made, or the profile names a venue that cannot be recorded.
    """
    keep_private()
    settings = options.settings
    require_decoders(settings.exchanges, f"profile {settings.name}: cannot be recorded")
    played = played_names()
    if stray := [name for name in settings.exchanges if name not in played]:
        raise UsageError(f"profile {settings.name}: {stray[0]} cannot be recorded yet; {', '.join(played)} can")
    listed = simulated_markets(
        [asset.symbol for asset in simulated_assets(settings)], list(settings.exchanges), settings.cross_quotes, settings.quotes
    )
    codes = {name: list(listed[name]) for name in settings.exchanges}
    logging.getLogger("arbtui").addHandler(logging.NullHandler())  # what went wrong is told at the end, not between the bar's lines
    logging.getLogger("arbtui").propagate = False
    with RecordingWriter(options.output, list(codes), go_on=options.append) as writer:
        recorder = _Recorder(options, codes, writer)
        with asyncio.Runner() as runner:
            runner.run(recorder.run())
    return recorder.end()


class _Recorder:
    """Keeps books beside the recording: they know which snapshots are needed, and whether the recording is good for anything."""

    def __init__(self, options: RecordOptions, codes: dict[str, list[str]], writer: RecordingWriter) -> None:
        self._options = options
        self._codes = codes
        self._writer = writer
        self._clock = SystemClock()
        self._times = BatchTimes(self._clock)
        self._stop = Stop()
        self._frames = dict.fromkeys(codes, 0)
        self._began = self._ended = 0.0
        settings = options.settings
        sources = [
            VenueSource(name, settings.exchanges[name].urls, listed, RateLimitManager(name, self._clock, documented_limits(name)))
            for name, listed in codes.items()
        ]
        self._stream = MarketDataStream(sources, settings.marketdata, self._clock, Rng(settings.simulator.seed))
        self._aggregator = OrderbookAggregator(
            self._clock,
            settings.marketdata,
            [(name, code) for name, listed in codes.items() for code in listed],
            lambda books: None,
            self._stream.request_snapshot,
        )
        self._stream.attach(self._aggregator)
        self._gaps = GapWatch(writer, self._aggregator.counts)
        self._aggregator.on_connection = self._on_connection

    async def run(self) -> None:
        """Until the time is up, a signal comes or the disk fails."""
        self._stop.on_signals(asyncio.get_running_loop())
        self._began = self._clock.monotonic()
        work = [asyncio.create_task(self._stream.run(self._deliver))]
        with progress(self._options.duration_s) as bar:
            work.append(asyncio.create_task(self._keep_going(bar)))
            ended = asyncio.create_task(self._stop.wait())
            await asyncio.wait([*work, ended], timeout=self._options.duration_s, return_when=asyncio.FIRST_COMPLETED)
        self._ended = self._clock.monotonic()
        if self._stop.error is None:
            try:
                self._gaps.close(self._times.now())
            except RecordingFailed as error:
                self._stop.fail(error)
        for task in [*work, ended]:
            task.cancel()
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, Exception):
                self._stop.fail(result)
        self._stop.ask("max_runtime")

    def end(self) -> int:
        """Say how it went; the exit code."""
        stop, silent = self._stop, [name for name, count in self._frames.items() if not count]
        code = stop.code
        if stop.error is not None:
            if not isinstance(stop.error, ArbtuiError):
                raise stop.error
            say(str(stop.error))
        for name in silent:
            why = next((one.why for one in self._stream.status() if one.why and one.name.startswith(name)), "it sent nothing")
            say(f"nothing of {name} was recorded: {why}")
        if silent and stop.reason == "max_runtime":
            code = 1
        if self._options.json is not None:
            self._options.json.write(self._summary())
        elif not silent:
            frames = ", ".join(f"{name} {count:,}" for name, count in self._frames.items())
            say(f"{self._options.output}: {frames} frames in {self._ended - self._began:.1f} s, {self._writer.size / 1e6:.1f} MB")
        return code

    def _deliver(self, frames: Sequence[Frame]) -> None:
        if self._stop.error is not None:
            return
        ts_ns = self._times.next()
        try:
            for frame in frames:
                self._writer.write(ts_ns, frame)
                self._frames[frame.exchange] += not frame.snapshot_of
            self._gaps.frames(ts_ns, frames)
        except RecordingFailed as error:
            self._stop.fail(error)
        self._aggregator.deliver(frames)

    async def _keep_going(self, bar: Progress) -> None:
        flushed = self._began
        while True:
            await asyncio.sleep(0.2)
            now = self._clock.monotonic()
            bar.show(now - self._began, sum(self._frames.values()), self._troubles())
            if now - flushed >= _FLUSH_S:
                flushed = now
                try:
                    self._gaps.look(self._times.now())
                    self._writer.flush()
                except RecordingFailed as error:
                    self._stop.fail(error)

    def _on_connection(self, exchange: str, codes: Sequence[str], up: bool) -> None:
        if self._stop.error is None and not self._ended:
            try:
                self._gaps.connection(exchange, codes, up, self._times.now())
            except RecordingFailed as error:
                self._stop.fail(error)

    def _troubles(self) -> str:
        return next((one.why for one in self._stream.status() if one.why), "")

    def _summary(self) -> dict[str, Any]:
        return {
            "profile": self._options.settings.name,
            "file": str(self._options.output),
            "stop_reason": self._stop.reason,
            "runtime_s": round(self._ended - self._began, 3),
            "bytes": self._writer.size,
            "frames": self._writer.written,
            "gap_receipts": self._writer.gaps,
            "exchanges": {
                name: {
                    "markets": len(self._codes[name]),
                    "books_live": sum(self._aggregator.books[name, code].state is BookState.LIVE for code in self._codes[name]),
                    "frames": self._frames[name],
                    "snapshots": counts.snapshots if name in self._stream.snapshots_asked else 0,
                    "merged": counts.merged_raw,
                    "gaps": counts.gaps,
                    "named": dict(counts.named),
                    "malformed": dict(counts.malformed),
                    "failures": dict(counts.failures),
                }
                for name, counts in self._aggregator.counts.items()
            },
        }
