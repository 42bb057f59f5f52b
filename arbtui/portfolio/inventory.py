"""``InventoryLedger``: what is held of every asset at every venue, in what state, against its target. Read from the fold, nothing kept."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from arbtui.model.money import ZERO, plain
from arbtui.model.order import Side
from arbtui.portfolio.accounts import Amounts, add_to, amount_at
from arbtui.portfolio.flow import Runway
from arbtui.portfolio.readings import Readings


@dataclass(frozen=True, slots=True)
class Stock:
    """One asset at one venue, in units: ``total`` = ``free`` + ``locked`` + ``reserved``.

    ``locked``: in open orders of ours. ``reserved``: kept by cycles and settlements beyond that. ``target``: the stock that counts
    as full. ``value``: of ``total``, in the PnL currency; None without a mark. ``runway``: of ``free``.
    """

    exchange: str
    asset: str
    total: Decimal
    free: Decimal
    locked: Decimal
    reserved: Decimal
    target: Decimal
    value: Decimal | None
    runway: Runway
    leaving: Decimal = ZERO  #: of ``reserved``: to leave by a transfer
    coming: Decimal = ZERO  #: by transfers, beside ``total``

    @property
    def share(self) -> float | None:
        """``total`` as a share of the target; None where there is no target."""
        return float(self.total / self.target) if self.target > ZERO else None

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it: quantities as strings, shares and the measured flow as numbers; null where there is none."""
        amounts = {name: plain(getattr(self, name)) for name in ("total", "free", "locked", "reserved", "target", "leaving", "coming")}
        worth = None if self.value is None else plain(self.value)
        lasts = self.runway
        flow = {
            "runway_h": _finite(lasts.hours),
            "drain_h": _finite(lasts.drain_hours),
            "runway_cycles": _finite(lasts.cycles),
            "out_per_hour": lasts.out_per_hour,
            "in_per_hour": lasts.in_per_hour,
            "refill_first": lasts.refill_first,
        }
        return {"exchange": self.exchange, **amounts, "share": self.share, "value": worth, **flow}


@dataclass(frozen=True, slots=True)
class AssetStock:
    """One asset over all venues that hold it or should."""

    asset: str
    places: tuple[Stock, ...]

    @property
    def total(self) -> Decimal:
        """All that is held of it."""
        return sum((place.total for place in self.places), ZERO)

    @property
    def target(self) -> Decimal:
        """What counts as full, over all venues."""
        return sum((place.target for place in self.places), ZERO)

    @property
    def value(self) -> Decimal | None:
        """Of :attr:`total`, in the PnL currency; None without a mark."""
        known = [place.value for place in self.places if place.value is not None]
        return sum(known, ZERO) if known else None

    @property
    def imbalance(self) -> float | None:
        """How much of its part the emptiest venue lacks: 0 where all hold the same share of their targets, 1 where one holds nothing.

        None where fewer than two venues have a target.
        """
        shares = [place.share for place in self.places if place.share is not None]
        target = float(self.target)
        if len(shares) < 2 or target <= 0.0:
            return None
        held = sum(float(place.total) for place in self.places if place.share is not None) / target
        return min(1.0, max(0.0, 1.0 - min(shares) / held)) if held > 0.0 else None


class InventoryLedger:
    """The stock of ``portfolio`` as of now. Cheap for one asset; a loop with other work takes many in slices."""

    def __init__(self, portfolio: Readings) -> None:
        self._portfolio = portfolio

    def assets(self) -> list[str]:
        """Every asset that a venue holds, or should hold; settlement currencies last."""
        state = self._portfolio.state
        held = {asset for amounts in (state.balances, state.targets) for by in amounts.values() for asset, qty in by.items() if qty}
        return sorted(held, key=lambda asset: (asset in state.settlement, asset))

    def rows(self, prices: Mapping[str, Decimal] | None = None) -> list[AssetStock]:
        """All of them, at ``prices`` or at the last marks taken."""
        return list(self.read(self.assets(), prices))

    def read(self, assets: Iterable[str], prices: Mapping[str, Decimal] | None = None, ts_ms: int | None = None) -> Iterator[AssetStock]:
        """The stock of ``assets``, at ``prices`` or at the last marks taken; runways as of ``ts_ms``, or of the last event."""
        portfolio = self._portfolio
        known = portfolio.prices() if prices is None else prices
        locked = self._locked()
        places = dict.fromkeys([*portfolio.state.balances, *portfolio.state.targets])
        for asset in assets:
            stocks = (self._stock(exchange, asset, locked, known.get(asset), ts_ms) for exchange in places)
            yield AssetStock(asset, tuple(stock for stock in stocks if stock.total or stock.target or stock.coming))

    def _stock(self, exchange: str, asset: str, locked: Amounts, price: Decimal | None, ts_ms: int | None) -> Stock:
        portfolio = self._portfolio
        total, kept = portfolio.total(exchange, asset), portfolio.reserved(exchange, asset)
        in_orders = min(amount_at(locked, exchange, asset), kept)  # an order past its reservation locks no more than is kept for it
        return Stock(
            exchange=exchange,
            asset=asset,
            total=total,
            free=total - kept,
            locked=in_orders,
            reserved=kept - in_orders,
            target=amount_at(portfolio.state.targets, exchange, asset),
            value=None if price is None else total * price,
            runway=portfolio.runway(exchange, asset, ts_ms),
            leaving=portfolio.leaving(exchange, asset),
            coming=portfolio.coming(exchange, asset),
        )

    def _locked(self) -> Amounts:
        locked: Amounts = {}
        for order in self._portfolio.open_orders:
            intent = order.intent
            asset = intent.base if intent.side is Side.SELL else intent.quote
            add_to(locked, intent.exchange, asset, order.still_uses(intent.exchange, asset))
        return locked


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def stock_facts(portfolio: Readings) -> list[dict[str, Any]]:
    """The whole inventory as JSON can hold it, a row an asset, at the last marks taken."""
    return [
        {
            "asset": row.asset,
            "total": plain(row.total),
            "target": plain(row.target),
            "value": None if row.value is None else plain(row.value),
            "imbalance": row.imbalance,
            "venues": [place.facts() for place in row.places],
        }
        for row in InventoryLedger(portfolio).rows()
    ]
