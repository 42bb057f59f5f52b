"""Frames of books with other prices: the n-th best bid stands beside the n-th best ask, as numbers."""

import json
from typing import Any

from arbtui.sandbox.book_corruptor import Prices


def rewritten(raw: bytes, prices: Prices, empty: bool) -> bytes:
    """See :meth:`~arbtui.sandbox.venue.Venue.rewritten`."""
    frame: dict[str, Any] = json.loads(raw)
    for unit in frame["orderbook_units"]:
        unit["bid_price"], unit["ask_price"] = prices(unit["bid_price"], unit["ask_price"])
        if unit["bid_price"] != unit["bid_price"]:
            unit["bid_price"] = "NaN"  # a bare NaN is not JSON, and would not pass the first parser
        if empty:
            unit["ask_size"] = 0.0
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
