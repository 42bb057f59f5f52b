"""Fair prices: a jumping mid per asset, a walking rate per currency, and a basis between the venues.

All are advanced on demand to a tick (10 ms), from one random stream each, so that a symbol's path does not depend on
which other symbols run.
"""

import math
import random
from functools import cache
from statistics import NormalDist

TICK_S = 0.01  #: the simulator's time step, in seconds
BPS = 1e-4

#: Jumps a second: with it the mid rests in nine of ten steps of 0.1 s, and kurtosis falls from 0.1 s to 10 s as recorded.
JUMP_RATE = 0.8
#: One jump in ten is 2.5 times as large; the divisor keeps the variance at one.
LARGE_SHARE, LARGE_FACTOR = 0.1, 2.5
_JUMP_SCALE = 1.0 / math.sqrt(JUMP_RATE * (1.0 - LARGE_SHARE + LARGE_SHARE * LARGE_FACTOR**2))
#: Prices revert to their start with this time constant, so that they stay plausible over days of running.
ANCHOR_S = 12 * 3600.0

RATE_WALK_BPS = 3.7 / math.sqrt(300.0)  #: of the KRW/USDT rate, a square root of a second
SLOW_BASIS_BPS, SLOW_BASIS_HALF_LIFE_S = 7.0, 660.0
FAST_BASIS_BPS, FAST_BASIS_HALF_LIFE_S = 3.0, 15.0

#: Quantiles of the normal distribution: drawing one costs a tenth of ``random.gauss``.
_QUANTILES = 4096
_NORMAL = tuple(NormalDist().inv_cdf((i + 0.5) / _QUANTILES) for i in range(_QUANTILES))


class RatePath:
    """Units of one currency per USDT; ``drift_bps``: how far it moves one way in an hour, beside its walk."""

    __slots__ = ("_anchor", "_drift", "_random", "_tick", "fair", "log_rate")

    def __init__(self, stream: random.Random, anchor: float, log_rate: float | None, drift_bps: float = 0.0) -> None:
        self._drift = drift_bps * BPS / 3600.0
        self._random = stream.random
        self._anchor = math.log(anchor)
        self._tick = 0
        self.log_rate = self._anchor if log_rate is None else log_rate
        self.fair = math.exp(self.log_rate)

    @property
    def per_usdt(self) -> float:
        """The rate itself: USDT is priced like any other asset."""
        return self.fair

    def advance(self, tick: int) -> None:
        """Walk to ``tick``."""
        elapsed = (tick - self._tick) * TICK_S
        self._tick = tick
        step = RATE_WALK_BPS * BPS * math.sqrt(elapsed) * _NORMAL[int(self._random() * _QUANTILES)]
        self._anchor += self._drift * elapsed
        self.log_rate += step + self._drift * elapsed + (self._anchor - self.log_rate) * elapsed / ANCHOR_S
        self.fair = math.exp(self.log_rate)


class Apart:
    """How far a further venue's price stands from that of the first venue of its currency: a basis of its own, mean zero.

    With ``swing`` it swings by :attr:`deviation_bps`; without, it is ``share`` of the basis between the currencies. ``of_mid``: it swings
    around the asset's mid and not around the first venue's price, so that its gaps do not add up with that one's.
    """

    __slots__ = ("_fast_bps", "_random", "_slow_bps", "_swing", "_tick", "basis", "deviation_bps", "of_mid")

    def __init__(self, stream: random.Random, swing: "Swing | None", share: float, *, of_mid: bool = False) -> None:
        self.of_mid = of_mid
        self._random = stream.random
        self._swing = swing
        self._slow_bps, self._fast_bps = SLOW_BASIS_BPS * share, FAST_BASIS_BPS * share
        self._tick = 0
        self.deviation_bps = 0.0
        #: Two numbers in standard deviations, as those of :class:`AssetPath`.
        self.basis = (_NORMAL[int(self._random() * _QUANTILES)], _NORMAL[int(self._random() * _QUANTILES)])

    def factor(self, tick: int) -> float:
        """The factor on the price at ``tick``."""
        steps, self._tick = tick - self._tick, tick
        position, second = self.basis
        if steps > 0:
            draw = self._random
            noise, more_noise = _NORMAL[int(draw() * _QUANTILES)], _NORMAL[int(draw() * _QUANTILES)]
            if self._swing is not None:
                position, second = self.basis = self._swing.step(position, second, steps, noise, more_noise)
            else:
                keep_slow, new_slow, keep_fast, new_fast = _decays(steps)
                position, second = self.basis = position * keep_slow + new_slow * noise, second * keep_fast + new_fast * more_noise
        if self._swing is not None:
            return math.exp(self.deviation_bps * BPS * position)
        return 1.0 + (self._slow_bps * position + self._fast_bps * second) * BPS


class CashPrice:
    """The price of one currency in another at one venue: ``rate``, or (``inverse``) one over it, and what sets the venue apart."""

    __slots__ = ("_apart", "_inverse", "_rate", "fair")

    def __init__(self, rate: RatePath, apart: Apart | None, *, inverse: bool) -> None:
        self._rate = rate
        self._apart = apart
        self._inverse = inverse
        self.fair = 1.0 / rate.fair if inverse else rate.fair

    @property
    def per_usdt(self) -> float:
        """Units of the quote currency for one USDT."""
        return 1.0 if self._inverse else self._rate.fair

    def advance(self, tick: int) -> None:
        """Advance to ``tick``."""
        self._rate.advance(tick)
        fair = 1.0 / self._rate.fair if self._inverse else self._rate.fair
        self.fair = fair if self._apart is None else fair * self._apart.factor(tick)


class AssetPath:
    """The mid of one asset, in USDT, and its basis between venues of other currencies and those of USDT."""

    __slots__ = (
        "_anchor",
        "_random",
        "_sigma",
        "_tick",
        "basis",
        "basis_bps",
        "demand",
        "lean_bps",
        "log_mid",
        "mid",
        "swing",
        "swing_bps",
    )

    def __init__(self, stream: random.Random, price: float, sigma_bps: float, swing: "Swing | None", basis_factor: float = 1.0) -> None:
        self._random = stream.random
        self._anchor = math.log(price)
        self._sigma = sigma_bps * BPS
        self.swing = swing
        self.swing_bps = self.lean_bps = 0.0  #: of one: standard deviation and mean of the swing
        self.basis_bps = SLOW_BASIS_BPS * basis_factor, FAST_BASIS_BPS * basis_factor
        self.demand = 1.0  #: a factor on its prices at venues that lead: 1 but while it is wanted there
        self._tick = 0
        self.log_mid = self._anchor
        self.mid = math.exp(self.log_mid)  #: in USDT
        #: Two numbers in standard deviations: swing and its velocity, or the slow and the fast part of the basis.
        self.basis = (self._normal(), self._normal())

    def set_swing(self, deviation_bps: float, mean_bps: float = 0.0) -> None:
        """Set standard deviation and mean of the basis swing, from the next :meth:`advance` on."""
        self.swing_bps, self.lean_bps = deviation_bps * BPS, mean_bps * BPS

    def restore(self, log_mid: float, basis: tuple[float, float]) -> None:
        """Continue from where an earlier run stopped."""
        self.log_mid, self.mid, self.basis = log_mid, math.exp(log_mid), basis

    def advance(self, tick: int) -> None:
        """Advance to ``tick``."""
        steps = tick - self._tick
        if steps > 0:
            self._tick = tick
            self._jump(steps * TICK_S)
            draw = self._random
            noise, more_noise = _NORMAL[int(draw() * _QUANTILES)], _NORMAL[int(draw() * _QUANTILES)]
            position, second = self.basis
            if self.swing is not None:
                self.basis = self.swing.step(position, second, steps, noise, more_noise)
            else:
                keep_slow, new_slow, keep_fast, new_fast = _decays(steps)
                self.basis = position * keep_slow + new_slow * noise, second * keep_fast + new_fast * more_noise

    def _jump(self, elapsed: float) -> None:
        expected = JUMP_RATE * elapsed
        if expected < 0.5:
            chance = self._random()
            if chance >= expected:
                return
            size = self._sigma * _JUMP_SCALE * self._normal()
            if chance < expected * LARGE_SHARE:
                size *= LARGE_FACTOR
        else:
            size = self._sigma * math.sqrt(elapsed) * self._normal()
        # Reverts only at a jump: between jumps the price must not move.
        self.log_mid += size + (self._anchor - self.log_mid) * max(elapsed, 1.0 / JUMP_RATE) / ANCHOR_S
        self.mid = math.exp(self.log_mid)

    def _normal(self) -> float:
        return _NORMAL[int(self._random() * _QUANTILES)]


class VenuePrice:
    """The fair price of one asset at one venue, in the venue's currency.

    ``rate`` is that of the venue's currency, None for USDT. The basis lies between the venues that lead, those of other currencies
    than dollars, and the rest. ``apart`` sets the venue apart from the first of its kind (:class:`Apart`).
    """

    __slots__ = ("_apart", "_leads", "_path", "_rate", "fair", "spike")

    def __init__(self, path: AssetPath, rate: RatePath | None, apart: Apart | None, *, leads: bool) -> None:
        self._path = path
        self._rate = rate
        self._apart = apart
        self._leads = leads
        self.spike = 1.0  #: a factor on the price: 1 except during a price spike, or while a gap is planted
        self.advance(0)

    @property
    def per_usdt(self) -> float:
        """Units of the venue's currency for one USDT."""
        return 1.0 if self._rate is None else self._rate.fair

    def stand_apart(self, factor: float) -> None:
        """Put the price at ``factor`` of what it were otherwise; 1 ends that."""
        self.spike = factor

    def advance(self, tick: int) -> None:
        """Advance to ``tick``; :attr:`fair` is of that instant then."""
        path, rate, apart = self._path, self._rate, self._apart
        path.advance(tick)
        price = path.mid
        if path.swing is not None:
            swing_bps = 0.0 if apart is not None and apart.of_mid else path.swing_bps * path.basis[0]
            factor = math.exp(0.5 * (path.lean_bps + swing_bps))
            price = price * factor * path.demand if self._leads else price / factor
        elif self._leads:
            slow_bps, fast_bps = path.basis_bps
            position, second = path.basis
            price *= 1.0 + (slow_bps * position + fast_bps * second) * BPS
        if rate is not None:
            price *= rate.fair
        if apart is not None:
            price *= apart.factor(tick)
        self.fair = price * self.spike


@cache
def _decays(steps: int) -> tuple[float, float, float, float]:
    """Weights of the old value and of the noise after ``steps`` ticks: of the slow part, then of the fast part."""
    slow, fast = (0.5 ** (steps * TICK_S / half_life) for half_life in (SLOW_BASIS_HALF_LIFE_S, FAST_BASIS_HALF_LIFE_S))
    return slow, math.sqrt(1.0 - slow * slow), fast, math.sqrt(1.0 - fast * fast)


class Swing:
    """A damped oscillator driven by noise: symmetric, mean zero, smooth, and it visits both sides in turn.

    Position and velocity (over the angular frequency) have variance one when stationary; steps are exact for any
    length. By Rice's formula a level of c standard deviations is passed upwards exp(-c^2/2) / period times a second.
    """

    def __init__(self, period_s: float, damping: float) -> None:
        self._omega = 2.0 * math.pi / period_s
        self._damping = damping
        self._cache: dict[int, tuple[float, ...]] = {}

    def step(self, position: float, velocity: float, steps: int, noise: float, more_noise: float) -> tuple[float, float]:
        """Position and velocity ``steps`` ticks later, given two standard normal draws."""
        xx, xv, vx, vv, l11, l21, l22 = self._cache.get(steps) or self._transition(steps)
        return (
            xx * position + xv * velocity + l11 * noise,
            vx * position + vv * velocity + l21 * noise + l22 * more_noise,
        )

    def _transition(self, steps: int) -> tuple[float, ...]:
        seconds, omega, zeta = steps * TICK_S, self._omega, self._damping
        damped = omega * math.sqrt(1.0 - zeta * zeta)
        decay = math.exp(-zeta * omega * seconds)
        cos, sin = decay * math.cos(damped * seconds), decay * math.sin(damped * seconds)
        ratio = omega / damped
        xx, xv, vx, vv = cos + zeta * ratio * sin, ratio * sin, -ratio * sin, cos - zeta * ratio * sin
        # The noise restores the stationary covariance, the identity: its covariance is 1 - M M', here as a Cholesky factor.
        cxx, cxv, cvv = 1.0 - xx * xx - xv * xv, -xx * vx - xv * vv, 1.0 - vx * vx - vv * vv
        l11 = math.sqrt(max(cxx, 0.0))
        l21 = cxv / l11 if l11 > 0.0 else 0.0
        result = (xx, xv, vx, vv, l11, l21, math.sqrt(max(cvv - l21 * l21, 0.0)))
        if len(self._cache) < 10_000:
            self._cache[steps] = result
        return result
