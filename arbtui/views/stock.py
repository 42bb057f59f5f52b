"""The read model of stock: what each venue holds of each asset against its target, and how long it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from arbtui.portfolio.inventory import AssetStock, InventoryLedger, Stock

if TYPE_CHECKING:  # `status` reads this package without an engine
    from arbtui.engine.engine import Engine

DRY, LOW = 0.05, 0.35
"""Shares of the target under which stock is called dry, or low."""


@dataclass(frozen=True, slots=True)
class StockCell:
    """One asset at one venue, in units; see :class:`arbtui.portfolio.inventory.Stock`. Rates in units an hour."""

    exchange: str
    total: float
    free: float
    locked: float
    reserved: float
    target: float
    share: float  #: of the target; NaN without one
    hours: float = inf  #: until it is dry at the net flow
    drain_hours: float = inf  #: if nothing refilled it
    refill_first: float = nan  #: chance that a refilling cycle comes before that
    out_per_hour: float = 0.0
    in_per_hour: float = 0.0
    leaving: float = 0.0  #: of ``reserved``: to leave by a transfer
    coming: float = 0.0  #: under way by transfers, fees apart

    @property
    def word(self) -> str:
        """``DRY``, ``LOW`` or ``ok``; empty without a target."""
        if not isfinite(self.share):
            return ""
        return "DRY" if self.share < DRY else "LOW" if self.share < LOW else "ok"


@dataclass(slots=True)
class StockRow:
    """One asset. ``cells``: one for each venue that holds it or should, in the profile's order; ``value`` in the PnL currency."""

    asset: str
    cells: tuple[StockCell, ...] = ()
    value: float = nan
    imbalance: float = nan  #: 0 (every venue holds its part) to 1 (one holds nothing); NaN with fewer than two targets
    version: int = 0  #: rises when anything shown changed

    @property
    def share(self) -> float:
        """The least share of a venue; NaN where no venue has a target."""
        return min((cell.share for cell in self.cells if isfinite(cell.share)), default=nan)

    @property
    def emptiest(self) -> str:
        """The venue with the least share; empty where none has a target."""
        known = [cell for cell in self.cells if isfinite(cell.share)]
        return min(known, key=lambda cell: cell.share).exchange if known else ""

    @property
    def hours(self) -> float:
        """Until the first venue is dry."""
        return min((cell.hours for cell in self.cells), default=inf)

    @property
    def word(self) -> str:
        """The word of the emptiest venue."""
        words = [cell.word for cell in self.cells]
        return next((word for word in ("DRY", "LOW", "ok") if word in words), "")


class StockReader:
    """The stock of ``engine``, a row an asset; never writes to it."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._ledger = InventoryLedger(engine.portfolio)
        self._rows: dict[str, StockRow] = {}
        self._read_at = -1  # sum of assets known to the portfolio when the rows were listed last

    def rows(self) -> Sequence[StockRow]:
        """A row for every asset that is held or should be; the same objects every time."""
        state = self._engine.portfolio.state
        known = sum(len(held) for amounts in (state.balances, state.targets) for held in amounts.values())
        if known != self._read_at:
            self._read_at = known
            for asset in self._ledger.assets():
                self._rows.setdefault(asset, StockRow(asset))
        return list(self._rows.values())

    def refresh(self, rows: Sequence[StockRow]) -> None:
        """Bring ``rows`` up to date in place."""
        parts = self._engine.components
        prices = parts.marks.prices(row.asset for row in rows)
        found = self._ledger.read([row.asset for row in rows], prices, parts.clock.time_ms())
        for row, stock in zip(rows, found, strict=True):
            shown = (self.cells(stock), _or_nan(stock.value), _or_nan(stock.imbalance))
            if shown != (row.cells, row.value, row.imbalance):
                row.cells, row.value, row.imbalance = shown
                row.version += 1

    def cells(self, stock: AssetStock) -> tuple[StockCell, ...]:
        """The venues of ``stock``, in the profile's order."""
        order = list(self._engine.components.adapters)
        places = sorted(stock.places, key=lambda one: order.index(one.exchange) if one.exchange in order else len(order))
        return tuple(_cell(place) for place in places)

    def cell(self, exchange: str, asset: str) -> StockCell | None:
        """One asset at one venue; None where it holds none and should not."""
        (stock,) = self._ledger.read((asset,), {}, self._engine.components.clock.time_ms())
        return next((_cell(place) for place in stock.places if place.exchange == exchange), None)


def _cell(place: Stock) -> StockCell:
    lasts = place.runway
    return StockCell(
        exchange=place.exchange.upper(),
        total=float(place.total),
        free=float(place.free),
        locked=float(place.locked),
        reserved=float(place.reserved),
        target=float(place.target),
        share=_or_nan(place.share),
        hours=_two_digits(lasts.hours),
        drain_hours=_two_digits(lasts.drain_hours),
        refill_first=nan if lasts.refill_first is None else round(lasts.refill_first, 2),
        out_per_hour=_two_digits(lasts.out_per_hour),
        in_per_hour=_two_digits(lasts.in_per_hour),
        leaving=float(place.leaving),
        coming=float(place.coming),
    )


def _or_nan(value: Decimal | float | None) -> float:
    """``value``; :data:`math.nan` itself where there is none, so that two missing ones count as equal inside a tuple."""
    return nan if value is None else float(value)


def _two_digits(value: float) -> float:
    """What moves with every second is not painted with every second."""
    return float(f"{value:.2g}") if isfinite(value) else value
