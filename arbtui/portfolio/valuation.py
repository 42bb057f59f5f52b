"""What a portfolio is worth, and the one split of profit and loss that adds up.

For each asset: quantity x mark = what trading booked + what came from outside + what prices did since. Summed over all
assets, and between any two moments::

    trading - fees + fx_open + fx_stock + inventory + rotation = equity(end) - equity(start) - adjustments

Pure functions of counters and marks: who asks, and how often, changes nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from arbtui.model.money import ZERO, plain
from arbtui.portfolio.counters import Counters

_LEDGER_DIGITS = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Pnl:
    """Profit and loss between two moments, in one currency. ``fees`` is what was paid, a positive number.

    ``trading``: flows of fills at the marks at which they were booked. ``fx_open``: what rates did to settlement currencies that
    trades left open; ``fx_stock``: what they did to the rest of them, the stock; ``inventory``: what prices did to coins held.
    ``rotation``: of bringing stock back, by transfers and by reverse trades, whose flows and fees are in no other part.
    ``adjustments``: what came from outside; no part of the profit.
    """

    trading: Decimal = ZERO
    fees: Decimal = ZERO
    fx_open: Decimal = ZERO
    fx_stock: Decimal = ZERO
    inventory: Decimal = ZERO
    rotation: Decimal = ZERO
    adjustments: Decimal = ZERO
    unpriced: tuple[str, ...] = ()  #: assets held or moved that have no mark: the figures are without them

    @property
    def total(self) -> Decimal:
        """All parts together."""
        return self.trading - self.fees + self.fx_open + self.fx_stock + self.inventory + self.rotation

    @property
    def realised(self) -> Decimal:
        """What trading earned, net of fees."""
        return self.trading - self.fees

    def payload(self, currency: str) -> dict[str, str]:
        """As ledgers print it: ``currency``, ``total`` and every part, to eight decimals; the total is that of the rounded parts."""
        parts = {item.name: getattr(self, item.name).quantize(_LEDGER_DIGITS) for item in fields(self) if item.name != "unpriced"}
        total = Pnl(**parts).total
        return {"currency": currency, "total": plain(total), **{name: plain(part) for name, part in parts.items()}}


@dataclass(frozen=True, slots=True)
class Valuation:
    """A portfolio at one moment: ``equity`` and its history so far, in the PnL currency."""

    equity: Decimal
    so_far: Pnl

    def since(self, start: "Valuation") -> Pnl:
        """The PnL from ``start`` to this moment."""
        end, begin = self.so_far, start.so_far
        return Pnl(
            trading=end.trading - begin.trading,
            fees=end.fees - begin.fees,
            fx_open=end.fx_open - begin.fx_open,
            fx_stock=end.fx_stock - begin.fx_stock,
            inventory=end.inventory - begin.inventory,
            rotation=end.rotation - begin.rotation,
            adjustments=end.adjustments - begin.adjustments,
            unpriced=end.unpriced,
        )


def value(counters: Counters, marks: Mapping[str, Decimal], currency: str, settlement: Collection[str]) -> Valuation:
    """Price ``counters`` at ``marks`` (PnL currency for one unit); an asset without a mark is named, not counted as nothing."""
    equity = fx_open = fx_stock = inventory = ZERO
    trading, fees, adjustments, rotation = counters.trading, counters.fees, counters.adjustments, counters.rotation
    unpriced = []
    for asset, qty in counters.qty.items():
        mark = marks.get(asset)
        if mark is None:
            if qty or any(asset in moved for moved in (counters.unvalued_trading, counters.unvalued_fees, counters.unvalued_rotated)):
                unpriced.append(asset)
            continue
        worth = qty * mark
        equity += worth
        traded = counters.unvalued_trading.get(asset, ZERO) * mark
        paid = counters.unvalued_fees.get(asset, ZERO) * mark
        adjusted = counters.unvalued_adjusted.get(asset, ZERO) * mark
        opening = counters.unvalued_opening.get(asset, ZERO) * mark
        rotated = counters.unvalued_rotated.get(asset, ZERO) * mark
        trading += traded
        fees += paid
        adjustments += adjusted
        rotation += rotated
        known = counters.booked.get(asset, ZERO) + traded - paid + counters.external.get(asset, ZERO) + adjusted + opening + rotated
        if asset == currency:
            continue
        if asset in settlement:
            retargeted = counters.unvalued_retargeted.get(asset, ZERO) * mark
            booked = counters.booked.get(asset, ZERO) + traded - paid + rotated - retargeted
            revalued = counters.open_fx.get(asset, ZERO) * mark - booked
            fx_open += revalued
            fx_stock += worth - known - revalued
        else:
            inventory += worth - known
    so_far = Pnl(trading, fees, fx_open, fx_stock, inventory, rotation, adjustments, tuple(sorted(unpriced)))
    return Valuation(equity, so_far)
