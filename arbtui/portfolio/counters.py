"""The running totals from which PnL follows, and the moments that it is counted from."""

from decimal import Decimal

from msgspec import Struct, field

from arbtui.model.money import ZERO


class Counters(Struct):
    """Running totals from which PnL between two moments follows, in the PnL currency at the marks of each event.

    ``trading``, ``fees``: of cycles; those of reverse trades are in ``rotation``. ``qty``: held of each asset over all exchanges.
    ``booked``: value of an asset's flows by trades, ``external``: of those from outside and by transfers. ``unvalued_*``: quantities that
    moved before the asset had any mark; they count at its first one. ``open_fx``: of ``qty``, what trades left open of a settlement
    currency other than the PnL's, in units. ``converted`` and ``conversion_cost``: by that currency, what was traded of it for another
    settlement currency, and what that cost, fees included.
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
    open_fx: dict[str, Decimal] = field(default_factory=dict)
    converted: dict[str, Decimal] = field(default_factory=dict)
    conversion_cost: dict[str, Decimal] = field(default_factory=dict)
    unvalued_rotated: dict[str, Decimal] = field(default_factory=dict)
    unvalued_retargeted: dict[str, Decimal] = field(default_factory=dict)

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
            dict(self.open_fx),
            dict(self.converted),
            dict(self.conversion_cost),
            dict(self.unvalued_rotated),
            dict(self.unvalued_retargeted),
        )

    def trade(self, asset: str, change: Decimal, mark: Decimal | None) -> Decimal:
        """Book a flow of trading, in units; its value at ``mark``, or zero while the asset has none."""
        self.qty[asset] = self.qty.get(asset, ZERO) + change
        if mark is None:
            self.unvalued_trading[asset] = self.unvalued_trading.get(asset, ZERO) + change
            return ZERO
        self.trading += change * mark
        self.booked[asset] = self.booked.get(asset, ZERO) + change * mark
        return change * mark

    def pay(self, asset: str, fee: Decimal, mark: Decimal | None) -> Decimal:
        """Book a fee, in units; its value at ``mark``, or zero while the asset has none."""
        self.qty[asset] = self.qty.get(asset, ZERO) - fee
        if mark is None:
            self.unvalued_fees[asset] = self.unvalued_fees.get(asset, ZERO) + fee
            return ZERO
        self.fees += fee * mark
        self.booked[asset] = self.booked.get(asset, ZERO) - fee * mark
        return fee * mark

    def leave_open(self, asset: str, change: Decimal) -> Decimal:
        """Trading moved a settlement currency by ``change`` units: what it leaves open of it from then on."""
        left = self.open_fx[asset] = self.open_fx.get(asset, ZERO) + change
        return left

    def convert(self, asset: str, turnover: Decimal, cost: Decimal) -> None:
        """Book that ``asset`` was traded for another settlement currency, both in the PnL currency."""
        self.converted[asset] = self.converted.get(asset, ZERO) + turnover
        self.conversion_cost[asset] = self.conversion_cost.get(asset, ZERO) + cost

    def open(self, asset: str, total: Decimal, mark: Decimal | None) -> None:
        """Book what was there when the journal began, in units."""
        self._come(asset, total, mark, self.unvalued_opening)

    def adjust(self, asset: str, change: Decimal, mark: Decimal | None) -> None:
        """Book what came from outside, or went there, in units."""
        self.adjustments += self._come(asset, change, mark, self.unvalued_adjusted)

    def trade_back(self, asset: str, change: Decimal, mark: Decimal | None) -> Decimal:
        """Book a flow or a fee of a reverse trade, in units: as :meth:`trade`, but it is rotation."""
        self.qty[asset] = self.qty.get(asset, ZERO) + change
        if mark is None:
            self.unvalued_rotated[asset] = self.unvalued_rotated.get(asset, ZERO) + change
            return ZERO
        self.rotation += change * mark
        self.booked[asset] = self.booked.get(asset, ZERO) + change * mark
        return change * mark

    def rotate(self, asset: str, change: Decimal, mark: Decimal | None) -> None:
        """Book what a transfer changed, in units."""
        self.rotation += self._come(asset, change, mark, self.unvalued_rotated)

    def retarget(self, asset: str, change: Decimal, mark: Decimal | None) -> None:
        """The stock of a settlement currency is to be ``change`` units more: so much less of what is held is open, from now on."""
        self.leave_open(asset, -change)
        if mark is None:
            self.unvalued_retargeted[asset] = self.unvalued_retargeted.get(asset, ZERO) + change
            return
        moved = change * mark
        self.booked[asset] = self.booked.get(asset, ZERO) - moved
        self.external[asset] = self.external.get(asset, ZERO) + moved

    def first_mark(self, asset: str, mark: Decimal) -> None:
        """Value what moved before ``asset`` had a mark at its first one."""
        traded = self.unvalued_trading.pop(asset, ZERO) * mark
        paid = self.unvalued_fees.pop(asset, ZERO) * mark
        adjusted = self.unvalued_adjusted.pop(asset, ZERO) * mark
        opening = self.unvalued_opening.pop(asset, ZERO) * mark
        rotated = self.unvalued_rotated.pop(asset, ZERO) * mark
        retargeted = self.unvalued_retargeted.pop(asset, ZERO) * mark
        self.trading += traded
        self.fees += paid
        self.adjustments += adjusted
        self.rotation += rotated
        if traded or paid or rotated or retargeted:
            self.booked[asset] = self.booked.get(asset, ZERO) + traded - paid + rotated - retargeted
        if adjusted or opening or retargeted:
            self.external[asset] = self.external.get(asset, ZERO) + adjusted + opening + retargeted

    def _come(self, asset: str, change: Decimal, mark: Decimal | None, unvalued: dict[str, Decimal]) -> Decimal:
        self.qty[asset] = self.qty.get(asset, ZERO) + change
        if mark is None:
            unvalued[asset] = unvalued.get(asset, ZERO) + change
            return ZERO
        self.external[asset] = self.external.get(asset, ZERO) + change * mark
        return change * mark


class Baseline(Struct):
    """Where a span of time began: the counters then, and the prices that its PnL is counted from.

    An asset that had no mark at that moment is priced at its first one after it.
    """

    name: str  #: a run's id, or a day of the desk
    ts_ms: int
    counters: Counters
    marks: dict[str, Decimal]
    rebalance_spent: Decimal = ZERO  #: what reverse trades had cost by then
    residual: Decimal = ZERO  #: what the positions of cycles had gained or lost by then
