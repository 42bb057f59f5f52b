"""Rewrites whole frames to invalid books, for the faults ``bad_book`` and ``price``."""

from collections.abc import Callable
from typing import Literal

How = Literal["crossed", "locked", "empty", "nan", "zero", "negative", "tiny"]

Prices = Callable[[float, float], tuple[float, float]]  #: real (bid, ask) -> (bid, ask) as sent
Rewrite = Callable[[bytes, Prices, bool], bytes]  #: :meth:`~arbtui.sandbox.venue.Venue.rewritten` of a venue

_WAYS: dict[How, Prices] = {
    "crossed": lambda bid, ask: (ask * 1.01, bid * 0.99),
    "locked": lambda bid, ask: (ask, ask),
    "empty": lambda bid, ask: (bid, 0.0),
    "nan": lambda bid, ask: (float("nan"), ask),
    "zero": lambda bid, ask: (0.0, 0.0),
    "negative": lambda bid, ask: (-bid, -ask),
    "tiny": lambda bid, ask: (1e-12, 1e-12),
}


def corrupted(raw: bytes, how: How, rewrite: Rewrite) -> bytes:
    """A frame of a book whose prices are bad in one way; where a side is ``empty``, its quantities are 0 too."""
    return rewrite(raw, _WAYS[how], how == "empty")


def multiplied(raw: bytes, factor: float, rewrite: Rewrite) -> bytes:
    """A frame of a book with every price ``factor`` times as high."""
    return rewrite(raw, lambda bid, ask: (bid * factor, ask * factor), False)
