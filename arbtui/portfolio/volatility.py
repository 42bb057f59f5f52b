"""How much a price moves: the variance of its logarithm a second, from the marks that were taken, forgotten like a flow."""

from math import exp, log, sqrt

from msgspec import Struct

from arbtui.portfolio.flow import TIME_CONSTANT_S

#: Seconds between two samples: closer ones measure the price unit more than the price.
_LEAST_S = 30.0
#: A gap over this, in seconds, is no sample: nobody looked meanwhile.
_MOST_S = 3600.0


class Volatility(Struct):
    """Sums of squared changes and of the seconds that they took, both forgotten; the last sample."""

    squares: float = 0.0
    seconds: float = 0.0
    price: float = 0.0
    at_ms: int = 0

    def add(self, price: float, ts_ms: int) -> None:
        """A mark was taken."""
        passed = (ts_ms - self.at_ms) / 1000
        if price <= 0.0 or (self.price > 0.0 and 0.0 <= passed < _LEAST_S):
            return
        if self.price > 0.0 and 0.0 < passed <= _MOST_S:
            kept = exp(-passed / TIME_CONSTANT_S)
            self.squares = self.squares * kept + log(price / self.price) ** 2
            self.seconds = self.seconds * kept + passed
        self.price, self.at_ms = price, ts_ms

    def over(self, minutes: float) -> float | None:
        """The standard deviation of the price's change over ``minutes``, as a share of the price; None before two samples."""
        if self.seconds <= 0.0:
            return None
        return sqrt(self.squares / self.seconds * 60.0 * max(0.0, minutes))
