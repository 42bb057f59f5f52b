"""The running totals from which PnL follows, and the moments that it is counted from."""

from decimal import Decimal

from msgspec import Struct, field

from arbtui.model.money import ZERO


class Counters(Struct):
    """Running totals from which PnL between two moments follows, in the PnL currency at the marks of each event.

    ``qty``: held of each asset over all exchanges. ``booked`` and ``external``: value of an asset's flows by trading and
    from outside. ``unvalued_*``: quantities that moved before the asset had any mark; they count at its first one.
    """

    qty: dict[str, Decimal] = field(default_factory=dict)
    trading: Decimal = ZERO
    fees: Decimal = ZERO
    adjustments: Decimal = ZERO
    rotation: Decimal = ZERO
    booked: dict[str, Decimal] = field(default_factory=dict)
    external: dict[str, Decimal] = field(default_factory=dict)
    unvalued_trading: dict[str, Decimal] = field(default_factory=dict)
    unvalued_fees: dict[str, Decimal] = field(default_factory=dict)
    unvalued_opening: dict[str, Decimal] = field(default_factory=dict)
    unvalued_adjusted: dict[str, Decimal] = field(default_factory=dict)

    def copy(self) -> "Counters":
        """A copy that the original no longer changes."""
        return Counters(
            dict(self.qty),
            self.trading,
            self.fees,
            self.adjustments,
            self.rotation,
            dict(self.booked),
            dict(self.external),
            dict(self.unvalued_trading),
            dict(self.unvalued_fees),
            dict(self.unvalued_opening),
            dict(self.unvalued_adjusted),
        )


class Baseline(Struct):
    """Where a span of time began: the counters then, and the prices that its PnL is counted from.

    An asset that had no mark at that moment is priced at its first one after it.
    """

    name: str  #: a run's id, or a day of the desk
    ts_ms: int
    counters: Counters
    marks: dict[str, Decimal]
    residual: Decimal = ZERO  #: what the positions of cycles had gained or lost by then
