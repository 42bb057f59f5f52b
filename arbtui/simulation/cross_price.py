"""The price of one coin in another at one venue: what the venue's own two markets say, and what sets this one apart from them.

The deviation reverts to zero. It is measured in what going round the three markets costs, so that a gap that pays opens many times a
minute where prices swing, and now and then where they do not.
"""

from random import Random

from arbtui.simulation.paths import FAST_BASIS_BPS, SLOW_BASIS_BPS, Apart, Swing, VenuePrice

_BASIS_BPS = (SLOW_BASIS_BPS**2 + FAST_BASIS_BPS**2) ** 0.5  #: standard deviation of a basis whose share is 1


def deviation(stream: Random, swing: Swing | None, deviation_bps: float) -> Apart:
    """A deviation with that standard deviation, that swings where prices do."""
    made = Apart(stream, swing, deviation_bps / _BASIS_BPS)
    made.deviation_bps = deviation_bps
    return made


class CrossPrice:
    """The fair price of ``base`` in ``quote``, both at one venue and in its currency."""

    __slots__ = ("_apart", "_base", "_quote", "fair", "spike")

    def __init__(self, base: VenuePrice, quote: VenuePrice, apart: Apart) -> None:
        self._base = base
        self._quote = quote
        self._apart = apart
        self.spike = 1.0  #: a factor on the price: 1 except while a gap is planted
        self.fair = base.fair / quote.fair

    @property
    def per_usdt(self) -> float:
        """Units of the quote for one USDT."""
        return self._quote.per_usdt / self._quote.fair

    def stand_apart(self, factor: float) -> None:
        """Put the price at ``factor`` of what it were otherwise; 1 ends that."""
        self.spike = factor

    def advance(self, tick: int) -> None:
        """Advance to ``tick``: both prices, then what sets this one apart."""
        self._base.advance(tick)
        self._quote.advance(tick)
        self.fair = self._base.fair / self._quote.fair * self._apart.factor(tick) * self.spike
