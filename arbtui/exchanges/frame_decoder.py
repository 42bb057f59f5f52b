"""FrameDecoder: reads public frames by their first bytes where those show what a frame is, else by its parsed JSON."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from arbtui.exchanges.wire import UNREADABLE, MarketDataSink, not_json
from arbtui.model.errors import WireError

Reading = tuple[Callable[[bytes], Any], Callable[[Any], None]]
"""How a kind of frame is decoded, and what takes it then: both raise for a frame that is malformed."""


class FrameDecoder(ABC):
    """A :class:`arbtui.exchanges.wire.WireDecoder` of a stream that brings whole books itself.

    Args:
        sink: receives the decoded data.
        by_start: how frames are read that begin so, the most frequent first. A beginning is only a hint: a frame that does not fit takes
            the slow way.
    """

    __slots__ = ("_by_start", "_sink")

    def __init__(self, sink: MarketDataSink, by_start: tuple[tuple[bytes, Reading], ...]) -> None:
        self._sink = sink
        self._by_start = tuple((start, decode, take) for start, (decode, take) in by_start)

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        for start, decode, take in self._by_start:
            if raw.startswith(start):
                try:
                    frame = decode(raw)
                except UNREADABLE:
                    break
                take(frame)
                return
        self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Always raises WireError: whole books come over the stream, so the REST interface is never queried for one."""
        raise WireError("rest snapshot", f"the stream brings whole books, got one for {code}")

    def _slowly(self, raw: bytes) -> None:
        """The slow way: other kinds, keys in another order, answers to our messages, and everything malformed."""
        try:
            message = msgspec.json.decode(raw)
        except UNREADABLE as error:
            raise not_json(raw, error) from None
        kind, reading = self._reading_of(message)
        if reading is None:
            self._sink.on_other(kind)
            return
        decode, take = reading
        try:
            frame = decode(raw)
        except UNREADABLE as error:
            raise WireError(kind, str(error)) from None
        take(frame)

    @abstractmethod
    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        """What a parsed frame is, and how it is read; None for one that is no market data in use.

        Raises:
            WireError: it is nothing that the venue sends.
        """
        ...
