"""Bitget's frames of books with other prices, which are text."""

import json
from typing import Any

from arbtui.sandbox.book_corruptor import Prices


def rewritten(raw: bytes, prices: Prices, empty: bool) -> bytes:
    """See :meth:`~arbtui.sandbox.venue.Venue.rewritten`; each level is changed as if it were the best of its side."""
    frame: dict[str, Any] = json.loads(raw)
    book = frame["data"][0]
    best = [(float(bid[0]), float(ask[0])) for bid, ask in zip(book["bids"], book["asks"], strict=False)]
    changed = [prices(bid, ask) for bid, ask in best]
    book["bids"] = [[_text(bid), level[1]] for (bid, _), level in zip(changed, book["bids"], strict=False)]
    book["asks"] = [[_text(ask), "0" if empty else level[1]] for (_, ask), level in zip(changed, book["asks"], strict=False)]
    return json.dumps(frame, separators=(",", ":")).encode()


def _text(price: float) -> str:
    return f"{price:.12f}"
