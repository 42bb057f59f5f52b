"""hftbacktest's raw captures: lines of ``<local receive time, ns> <JSON as received>`` (nkaz001/hftbacktest). Read are Binance's.

A file holds one market. Which of the venues it is of is told by the first depth update, or, without any, by the first bookTicker
(:attr:`arbtui.exchanges.venue.Captures.hftbacktest`). A line that begins with ``lastUpdateId`` is a REST depth answer for that market.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.venues import VENUES
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import Message, bad_line
from arbtui.model.errors import UsageError

_LINE = re.compile(rb"(\d{16,19}) (.+)$", re.DOTALL)


class HftbacktestRecording:
    """Reads such a capture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._exchange, self._code = self._sniff()
        self.exchanges = [self._exchange]

    @staticmethod
    def begins_with(line: bytes) -> bool:
        """True when ``line`` can be the first of such a capture."""
        return bool(_LINE.match(line))

    def messages(self) -> Iterator[Message]:
        """Every frame in the order of the file."""
        for number, line in read_lines(self._path):
            ts, space, raw = line.partition(b" ")
            if not (space and raw and ts.isdigit() and 16 <= len(ts) <= 19):
                raise bad_line(self._path, number, "`<receive time in ns> <message>`")
            snapshot_of = self._code if raw.startswith(b'{"lastUpdateId"') else ""
            yield Message(int(ts), number, Frame(self._exchange, raw, snapshot_of))

    def _sniff(self) -> tuple[str, str]:
        """The exchange and the market code, from the first message that shows them."""
        ticker: dict[str, Any] | None = None
        try:
            for _, line in read_lines(self._path):
                if b'"depthUpdate"' in line and (depth := _payload(line)):
                    if "ps" in depth:
                        raise UsageError(f"{self._path}: no decoder for Binance COIN-M futures")
                    return self._venue_of(depth), str(depth.get("s", ""))
                if ticker is None and b'@bookTicker"' in line:
                    ticker = _payload(line)
        except UsageError:
            if ticker is None:  # else the intact part can be replayed; the same error ends it
                raise
        if ticker is None:
            raise UsageError(f"{self._path}: holds neither a depth update nor a bookTicker, so its venue is unknown")
        return self._venue_of(ticker), str(ticker.get("s", ""))

    def _venue_of(self, message: Mapping[str, Any]) -> str:
        """The venue whose message it is."""
        for name, venue in VENUES.items():
            if venue.captures.hftbacktest is not None and venue.captures.hftbacktest(message):
                return name
        raise UsageError(f"{self._path}: of no venue that there is a decoder for")


def _payload(line: bytes) -> dict[str, Any] | None:
    try:
        message = msgspec.json.decode(line.partition(b" ")[2])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    data = message.get("data", message) if isinstance(message, dict) else None
    return data if isinstance(data, dict) else None
