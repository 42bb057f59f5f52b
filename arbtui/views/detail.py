"""The read model of one route: both books, the way from gross to net edge, its last minute and its last decisions."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

HISTORY_S = 60
"""Seconds of edge history, one sample each."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a book. ``ours``: base quantity of our orders that stand or are under way up to this price; 0 when none."""

    price: float
    qty: float
    ours: float = 0.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """One book, best levels first. Prices in ``currency``, quantities in ``base``; ``mid`` and ``spread_bps`` 0 without both sides."""

    exchange: str
    currency: str
    acts: str  #: ``buy`` or ``sell``: what the route does here
    asks: Sequence[Level]
    bids: Sequence[Level]
    mid: float
    spread_bps: float
    age_ms: float
    state: str  #: LIVE, or why the book is not to be believed
    base: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the waterfall, in bps, signed."""

    name: str
    bps: float


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision on the route, or a run of ``count`` equal ones; time and edge are the newest's."""

    ts_ms: int
    word: str
    edge_bps: float
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class DrainedStock:
    """Stock that a route uses up: its share of the target (NaN without one), and how long it lasts.

    The figures are those of :class:`arbtui.views.StockCell`.
    """

    asset: str
    exchange: str
    share: float
    hours: float
    drain_hours: float
    refill_first: float


@dataclass(frozen=True, slots=True)
class HeldTime:
    """For how many seconds one reason kept us from a gap, and how often it began to; an order that the gate refused has no time."""

    seconds: float
    times: int


@dataclass(frozen=True, slots=True)
class DenialLine:
    """One reason of not trading, over three spans that end now."""

    reason: str
    minute: HeldTime
    hour: HeldTime
    day: HeldTime


@dataclass(frozen=True, slots=True)
class SizePoint:
    """What a route earns at one size, both in the PnL currency; the edge in bps, net."""

    value: float
    edge_bps: float
    profit: float


@dataclass(frozen=True, slots=True)
class CapacityView:
    """What a route earns by size, books and rates walked. ``best``: the size of the greatest profit, None where no size earns any.

    ``points`` are those of the usual sizes that the books reach; at ``end`` the first book ends. ``profits`` are told at equal steps of
    size up to ``shown``, for a picture.
    """

    currency: str
    sizes: Sequence[float]
    points: Sequence[SizePoint]
    best: SizePoint | None
    end: SizePoint
    profits: Sequence[float]
    shown: float


@dataclass(frozen=True, slots=True)
class FactorView:
    """One input of a health score, 0 to 1; NaN where it is not measured, and then it counts for nothing."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class HealthView:
    """How much of what a route promises may be expected, and from what. ``latency_ms``: of its orders, NaN before the first answer."""

    score: float
    factors: Sequence[FactorView]
    latency_ms: float
    gaps: float  #: that survival is taken of, the newest counted most


@dataclass(frozen=True, slots=True)
class SlippageView:
    """What a route's fills have cost beyond the expected prices, in bps; ``applied``: how much of it is taken off its edge now."""

    learned_bps: float
    cycles: int
    applied_bps: float


@dataclass(frozen=True, slots=True)
class RouteDetail:
    """Everything about one route, as of now."""

    id: str
    symbol: str
    ladders: Sequence[Ladder]  #: of each trade, in order
    state: str  #: as in :class:`arbtui.views.RouteRow`
    steps: Sequence[Step]  #: gross edge first, then its costs; they add up to ``net_bps``. Empty when a price is missing
    net_bps: float
    threshold_bps: float
    history: Sequence[float]  #: net edge at the touch of the last 60 s, oldest first; NaN where none was sampled
    decisions: Sequence[DecisionLine]  #: newest first
    drains: Sequence[DrainedStock] = ()  #: what it sells, then what it pays with
    why_not: Sequence[DenialLine] = ()  #: longest in the last day first
    shape: str = ""  #: two_leg, triangular, ...
    value: float = 0.0  #: the size that the steps are told for, in the PnL currency; 0 where it would not trade
    capacity: CapacityView | None = None  #: None while its books or rate are not to be believed
    health: HealthView | None = None
    slippage: SlippageView | None = None
    ways: Sequence[str] = ()  #: of what a person moves between its trades: network, fee, time and risk, a line each; what cannot be moved


class EdgeHistory:
    """One figure a second over the last minute; seconds without a sample stay empty."""

    __slots__ = ("_at", "_samples")

    def __init__(self) -> None:
        self._samples = array("d")
        self._at = 0

    def add(self, second: int, value: float) -> None:
        """Sample ``value`` in ``second`` (whole monotonic seconds); the first sample of a second counts."""
        samples = self._samples
        if second == self._at and samples:
            return
        if samples:
            missed = min(second - self._at - 1, HISTORY_S)
            samples.extend([nan] * missed)
        samples.append(value if isfinite(value) else nan)
        del samples[:-HISTORY_S]
        self._at = second

    def until(self, second: int) -> Sequence[float]:
        """The samples up to ``second``, oldest first."""
        late = min(max(0, second - self._at), HISTORY_S)
        return [*self._samples, *([nan] * late)][-HISTORY_S:] if self._samples else []
