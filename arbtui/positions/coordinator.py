"""The inventory, its marks and its PnL in one place, and the check that the venues agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.positions.inventory import InventoryLedger
from arbtui.positions.marks import Marks
from arbtui.positions.pnl import Pnl, PnlBook


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A balance on which a venue and the journal disagree."""

    exchange: str
    asset: str
    ours: Decimal
    theirs: Decimal


class CrossExchangePositionSync:
    """Compares the inventory with what the venues say, at quiescence only: a fill under way is not a mismatch."""

    def __init__(self, adapters: Mapping[str, ExchangeAdapter], inventory: InventoryLedger) -> None:
        self._adapters = adapters
        self._inventory = inventory

    async def check(self) -> Sequence[Mismatch] | None:
        """Every disagreement; None when the inventory moved while the venues were asked, which says nothing.

        Raises:
            ArbtuiError: a venue's query failed: unknown is not zero.
        """
        version = self._inventory.version
        found: list[Mismatch] = []
        for name, adapter in self._adapters.items():
            balances = await adapter.fetch_balances()
            found += [Mismatch(name, asset, ours, theirs) for asset, ours, theirs in self._inventory.differences(name, balances)]
        return found if version == self._inventory.version else None


class PositionCoordinator:
    """Holdings of all venues. ``inventory`` is the exact ledger, ``marks`` prices it, ``book`` keeps the session's PnL."""

    def __init__(self, inventory: InventoryLedger, marks: Marks, book: PnlBook, sync: CrossExchangePositionSync) -> None:
        self.inventory = inventory
        self.marks = marks
        self.book = book
        self.sync = sync

    def pnl(self) -> Pnl:
        """The session's PnL, marked now."""
        return self.book.total(self.inventory.totals())
