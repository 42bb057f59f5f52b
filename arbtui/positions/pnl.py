"""Profit and loss, split so that it adds up: trading, fees, currency and stock.

A cycle books its cash flows at the rate of its end (*trading*), its *fees*, and the mark of what it left (*inventory*).
Holdings add what the won did to cash (*fx*) and what prices did to stock (*inventory*). ``total = trading - fees + fx +
inventory`` equals the change of the marked equity, always.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Side
from arbtui.positions.marks import Marks

_CENTI_MICRO = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Pnl:
    """Profit in one currency; ``fees`` is what was paid, a positive number."""

    trading: Decimal = ZERO
    fees: Decimal = ZERO
    fx: Decimal = ZERO
    inventory: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All together."""
        return self.trading - self.fees + self.fx + self.inventory

    def __add__(self, other: "Pnl") -> "Pnl":
        return Pnl(self.trading + other.trading, self.fees + other.fees, self.fx + other.fx, self.inventory + other.inventory)

    def rounded(self) -> "Pnl":
        """To eight decimals, the precision that ledgers keep."""
        return Pnl(*(part.quantize(_CENTI_MICRO) for part in (self.trading, self.fees, self.fx, self.inventory)))


def cycle_pnl(fills: Sequence[Fill], marks: Marks) -> Pnl:
    """What one cycle's fills earned, at the marks of now; an asset without a mark counts as worth nothing."""
    return _exact(fills, _values(fills, marks)).rounded()


def _values(fills: Iterable[Fill], marks: Marks) -> dict[str, Decimal]:
    """The mark of every asset that ``fills`` moved."""
    assets = {asset: None for fill in fills for asset in (fill.base, fill.quote, fill.fee_currency)}
    return {asset: marks.value(asset) or ZERO for asset in assets}


def _exact(fills: Iterable[Fill], values: Mapping[str, Decimal]) -> Pnl:
    trading = fees = inventory = ZERO
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        trading -= sign * fill.cost * values[fill.quote]
        inventory += sign * fill.qty * values[fill.base]
        fees += fill.fee * values[fill.fee_currency]
    return Pnl(trading=trading, fees=fees, inventory=inventory)


class PnlBook:
    """Session totals: what cycles booked, and what marks did to the holdings since each asset's first mark."""

    def __init__(self, marks: Marks, settlement: Iterable[str]) -> None:
        self._marks = marks
        self._settlement = tuple(settlement)
        self.cycles = Pnl()
        self._start: dict[tuple[str, str], Decimal] = {}
        self._first_mark: dict[str, Decimal] = {}
        self._booked: dict[str, Decimal] = {}  # per asset, value of its flows at the marks they were booked at

    def start(self, totals: Mapping[tuple[str, str], Decimal]) -> None:
        """Holdings at the session's start."""
        self._start = dict(totals)

    def book(self, fills: Sequence[Fill]) -> Pnl:
        """Add an ended cycle at the marks of now; its PnL as ledgers keep it. The session's sum is kept unrounded."""
        values = _values(fills, self._marks)
        pnl = _exact(fills, values)
        self.cycles += pnl
        for fill in fills:
            sign = 1 if fill.side is Side.BUY else -1
            for asset, change in ((fill.base, sign * fill.qty), (fill.quote, -sign * fill.cost), (fill.fee_currency, -fill.fee)):
                self._booked[asset] = self._booked.get(asset, ZERO) + change * values[asset]
        return pnl.rounded()

    def total(self, totals: Mapping[tuple[str, str], Decimal]) -> Pnl:
        """The session's PnL with holdings ``totals``, marked now."""
        fx = inventory = ZERO
        held: dict[str, list[Decimal]] = {}
        for source, place in ((self._start, 0), (totals, 1)):
            for (_, asset), amount in source.items():
                held.setdefault(asset, [ZERO, ZERO])[place] += amount
        for asset, (before, after) in held.items():
            mark = self._marks.value(asset)
            if mark is None:
                continue
            first = self._first_mark.setdefault(asset, mark)
            change = after * mark - before * first - self._booked.get(asset, ZERO)
            if asset in self._settlement:
                fx += change
            else:
                inventory += change
        return (self.cycles + Pnl(fx=fx, inventory=inventory)).rounded()
