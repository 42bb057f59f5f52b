"""Coinone's frames of books with other prices: bids best first, asks worst first, as strings."""

import json
from typing import Any

from arbtui.sandbox.book_corruptor import Prices


def rewritten(raw: bytes, prices: Prices, empty: bool) -> bytes:
    """See :meth:`~arbtui.sandbox.venue.Venue.rewritten`."""
    frame: dict[str, Any] = json.loads(raw)
    data = frame["data"]
    for bid, ask in zip(data["bids"], reversed(data["asks"]), strict=True):
        bid["price"], ask["price"] = (str(price) for price in prices(float(bid["price"]), float(ask["price"])))
        if empty:
            ask["qty"] = "0"
    return json.dumps(frame, separators=(",", ":")).encode()
