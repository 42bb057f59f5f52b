"""Notices what a recorder does not get to see, and writes receipts for it."""

from collections.abc import Mapping, Sequence

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.formats.own import RecordingWriter
from arbtui.marketdata.formats.seals import Gap, Why


class GapWatch:
    """Receipts for lost connections and merged frames. Times in ns since the epoch.

    Args:
        counts: by exchange, of the aggregator beside the recording: they tell how many frames were merged.
    """

    def __init__(self, writer: RecordingWriter, counts: Mapping[str, ExchangeCounts]) -> None:
        self._writer = writer
        self._counts = counts
        self._last: dict[str, int] = {}  # time of the newest frame, by exchange
        self._lost: dict[tuple[str, tuple[str, ...]], int] = {}  # connections that are away, and since when nothing is known of them
        self._merged = {name: one.merged_raw for name, one in counts.items()}
        self._looked_ns = 0

    def frames(self, ts_ns: int, frames: Sequence[Frame]) -> None:
        """A batch was recorded."""
        self._looked_ns = self._looked_ns or ts_ns
        for frame in frames:
            self._last[frame.exchange] = ts_ns

    def connection(self, exchange: str, codes: Sequence[str], up: bool, now_ns: int) -> None:
        """The connection that carries ``codes`` was opened, or lost; raises as :meth:`RecordingWriter.gap`."""
        key = (exchange, tuple(codes))
        if not up:
            self._lost.setdefault(key, self._last.get(exchange, now_ns))
        elif key in self._lost:
            self._writer.gap(Gap(exchange, self._lost.pop(key), now_ns, Why.RECONNECT, key[1]))

    def look(self, now_ns: int) -> None:
        """Once a second: frames that were merged since the last look; raises as :meth:`RecordingWriter.gap`."""
        for exchange, counts in self._counts.items():
            missing = counts.merged_raw - self._merged.get(exchange, 0)
            if missing > 0:
                self._writer.gap(Gap(exchange, self._looked_ns or now_ns, now_ns, Why.OVERLOAD, frames=missing))
            self._merged[exchange] = counts.merged_raw
        self._looked_ns = now_ns

    def close(self, now_ns: int) -> None:
        """The recording ends: what is away now has not come back; raises as :meth:`RecordingWriter.gap`."""
        self.look(now_ns)
        for (exchange, codes), since in self._lost.items():
            self._writer.gap(Gap(exchange, since, now_ns, Why.RECONNECT, codes))
        self._lost.clear()
