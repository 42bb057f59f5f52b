"""How the simulated market behaves: rates, spreads and depth by rank, and the five scenarios.

docs/simulator.md compares the figures with recorded ones. ``rank`` counts from 1; bps are of the price.
"""

import math
from dataclasses import dataclass

#: Messages a second of the first symbol over both venues, and how they fall with rank: about 1,000 over the first 50
#: symbols and 5,000 over the first 1,000.
RATE_OF_FIRST = 65.7
RATE_EXPONENT = -0.463

MAJORS = 10  #: ranks of the calmest mids and the tightest books

#: Shares of all messages that trades are, of both venues.
_TRADE_SHARES = 0.02, 0.06

#: The threshold that the engine adds to what a cycle costs.
THRESHOLD_BPS = 3.0

#: How far the basis of two venues swings where there are more, as a share of what it does with two alone, and at most in bps: gaps come
#: at eight pairs then, and all of them together are to be no more than the limits of a desk let it take; and no gap may be so
#: wide that a coin or a rate is doubted where nothing is wrong.
SWING_OF_MANY, WIDEST_OF_MANY_BPS = 0.4, 25.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Expected messages a second of one symbol; a venue's own shares are of these."""

    total: float  #: of all kinds, over a venue of whole books and one of depth events and best prices
    books: float  #: at each of the two: whole books, or depth events
    touches: float  #: best prices


def rates(rank: int) -> Rates:
    """Message rates of the symbol of ``rank``: books approach their venue's 10 a second, best prices take the rest."""
    total = RATE_OF_FIRST * math.pow(rank, RATE_EXPONENT)
    books = 10.0 * (1.0 - math.exp(-0.03 * total - 0.0003 * total * total))
    return Rates(total, books, total * (1.0 - _TRADE_SHARES[0] - _TRADE_SHARES[1]) - 2.0 * books)


def volatility_bps(rank: int) -> float:
    """Standard deviation of the mid's change over one second."""
    return 1.2 if rank <= MAJORS else 2.5 if rank <= 60 else 4.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """The parameters of one scenario."""

    name: str
    widest_spread_bps: float  #: no book is quoted wider, unless one price unit is wider
    swing: bool  #: each asset's basis swings over its costs, symmetrically, the mean exactly zero where nothing leans
    swing_period_s: float = 6.0
    swing_damping: float = 0.4
    swing_over_costs: float = 1.1  #: standard deviation of the swing, as a multiple of a cycle's costs with the threshold
    demand_bps: float = 0.0  #: how high a coin's premium in won rises where it is wanted, with more than two venues (``demand.py``)
    lean_bps: float = 0.0  #: how far the won prices stand above the others in the swing's mean
    least_move_bps: float = 0.3  #: quotes follow the fair price when it is at least this far away
    rate_factor: float = 1.0  #: messages a second, as a multiple of the rank's
    volatility_factor: float = 1.0  #: the mid's moves likewise
    basis_factor: float = 1.0  #: the basis likewise, where there is no swing
    cross_over_costs: float = 0.45  #: standard deviation of a coin's price in another coin, as a multiple of the way round three markets
    troubled: bool = False  #: streams, venues and markets fail on a schedule

    def spread_bps(self, major_bps: float, rank: int, tick_bps: float) -> float:
        """Median quoted spread at a venue where that of majors is ``major_bps``, and at least one price unit."""
        wanted = major_bps if rank <= MAJORS else 7.0 * math.pow(rank / 40, 0.6)
        return max(tick_bps, min(wanted, self.widest_spread_bps))

    def swing_bps(self, fees_bps: float, spreads_bps: float, rate_spread_bps: float) -> tuple[float, float]:
        """Standard deviation and mean of the swing for a symbol; 0 without a swing.

        ``fees_bps``: of one cycle; ``spreads_bps``: of its two markets in sum; ``rate_spread_bps``: of the market that trades the rate.
        """
        if not self.swing:
            return 0.0, 0.0
        costs_bps = fees_bps + THRESHOLD_BPS + (spreads_bps + rate_spread_bps) / 2
        return self.swing_over_costs * costs_bps, self.lean_bps


#: Calibrated to the recordings; basis: common walk, slow and fast Ornstein-Uhlenbeck parts.
NORMAL = Scenario("normal", widest_spread_bps=150.0, swing=False)
#: Every symbol clears its costs several times a minute in both directions.
BUSY = Scenario("busy", widest_spread_bps=8.0, swing=True, least_move_bps=1.0, cross_over_costs=0.8, demand_bps=120.0)

#: A quiet night: small moves, a spread of one price unit, and edges seldom above their costs.
CALM = Scenario(
    "calm", widest_spread_bps=0.0, swing=False, rate_factor=0.4, volatility_factor=0.3, basis_factor=0.85, cross_over_costs=0.35
)
#: As ``busy``, more volatile, and with every kind of trouble.
CRASH = Scenario(
    "crash", widest_spread_bps=16.0, swing=True, least_move_bps=1.0, volatility_factor=2.5, cross_over_costs=0.8, troubled=True
)

#: A premium that stays: all coins are dear against won, by half of what a cycle costs. Trading drains stock until it is brought back.
PREMIUM = Scenario("premium", widest_spread_bps=8.0, swing=True, swing_over_costs=0.45, lean_bps=12.0, least_move_bps=1.0)

SCENARIOS = {scenario.name: scenario for scenario in (BUSY, NORMAL, CALM, CRASH, PREMIUM)}
