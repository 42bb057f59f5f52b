"""A gap that is planted: one market's price stands apart from all others for a while, so that what it opens can be shown on request."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"(\w+):(\S+) ([+-]?\d+(?:\.\d+)?) bps at (\d+(?:\.\d+)?) s for (\d+(?:\.\d+)?) s")
_MOST_BPS = 5_000.0
_MOST_S = 86_400.0


@dataclass(frozen=True, slots=True)
class PlantedGap:
    """The price of market ``code`` at ``exchange`` is ``bps`` higher (negative: lower) for ``for_s`` seconds, ``at_s`` seconds from now."""

    exchange: str
    code: str
    bps: float
    for_s: float
    at_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; raises ValueError."""
        if not 0.0 < abs(self.bps) <= _MOST_BPS:
            raise ValueError(f"{self.bps:g} bps is no gap from -{_MOST_BPS:g} to {_MOST_BPS:g}")
        if not (0.0 <= self.at_s <= _MOST_S and 0.01 <= self.for_s <= _MOST_S):
            raise ValueError(f"at {self.at_s:g} s for {self.for_s:g} s is not within {_MOST_S:g} s, or shorter than 0.01 s")

    @classmethod
    def read(cls, text: str) -> "PlantedGap":
        """The gap of ``upbit:BTC-ETH +80 bps at 30 s for 5 s``.

        Raises:
            ValueError: another text, or a number out of range.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no gap; expected such as 'upbit:BTC-ETH +80 bps at 30 s for 5 s'")
        exchange, code, bps, at_s, for_s = found.groups()
        return cls(exchange, code, float(bps), float(for_s), float(at_s))
