"""The one ledger of what is held and what is reserved: two routes never spend one balance."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Balance, Fill, Order, Side
from arbtui.routes.hops import Node

Key = tuple[str, str]  #: (exchange, asset)


class InventoryLedger:
    """Totals and reservations by (exchange, asset), exact. Orders here are IOC, so nothing stays locked at a venue at rest.

    Args:
        nodes: the universe's nodes; their float ``available`` follows this ledger.
    """

    def __init__(self, nodes: Mapping[Key, Node]) -> None:
        self._nodes = nodes
        self._total: dict[Key, Decimal] = {}
        self._reserved: dict[Key, Decimal] = {}
        self._orders: dict[str, tuple[Key, Decimal]] = {}  # client order id -> what it may still use
        self.version = 0  #: rises with every change of a total or a reservation

    def start(self, balances: Mapping[Key, Decimal]) -> None:
        """Take the balances that a venue or the journal tells; targets of the nodes' stock become what is held now."""
        for key, total in balances.items():
            self._set_total(key, total)
            node = self._nodes.get(key)
            if node is not None:
                node.target = float(total)

    def total(self, exchange: str, asset: str) -> Decimal:
        """All that is held of ``asset`` at ``exchange``."""
        return self._total.get((exchange, asset), ZERO)

    def available(self, exchange: str, asset: str) -> Decimal:
        """What a new order may use: the total less what is reserved."""
        key = (exchange, asset)
        return self._total.get(key, ZERO) - self._reserved.get(key, ZERO)

    def totals(self) -> dict[Key, Decimal]:
        """A copy of every total."""
        return dict(self._total)

    def reserve(self, order: Order) -> bool:
        """Set aside what ``order`` may use at worst; False, and nothing changed, when it is not there."""
        key, amount = self._needs(order, order.qty)
        if self.available(*key) < amount:
            return False
        self._orders[order.client_order_id] = (key, amount)
        self._change_reserved(key, amount)
        return True

    def holds_reservation(self, order: Order) -> bool:
        """True while something is set aside for ``order``."""
        return order.client_order_id in self._orders

    def release(self, order: Order) -> None:
        """Give back what ``order`` did not use: it is final."""
        key, amount = self._orders.pop(order.client_order_id, (("", ""), ZERO))
        if amount:
            self._change_reserved(key, -amount)

    def apply(self, fill: Fill, order: Order | None) -> list[tuple[str, str, Decimal, Decimal]]:
        """Book one fill and shrink its order's reservation; the changed balances as (exchange, asset, free, locked)."""
        sign = ONE if fill.side is Side.BUY else -ONE
        changed: dict[Key, Decimal] = {}
        for asset, change in ((fill.base, sign * fill.qty), (fill.quote, -sign * fill.cost), (fill.fee_currency, -fill.fee)):
            key = (fill.exchange, asset)
            changed[key] = changed.get(key, ZERO) + change
        for key, change in changed.items():
            self._set_total(key, self._total.get(key, ZERO) + change)
        if order is not None and order.client_order_id in self._orders:
            key, before = self._orders[order.client_order_id]
            _, left = self._needs(order, max(order.leaves_qty, ZERO))
            left = min(left, before)
            self._orders[order.client_order_id] = (key, left)
            self._change_reserved(key, left - before)
        return [(exchange, asset, self._total[exchange, asset], ZERO) for exchange, asset in changed]

    def adjust(self, exchange: str, asset: str, total: Decimal) -> Decimal:
        """Take the venue's word for a total; how much that changed it."""
        change = total - self.total(exchange, asset)
        self._set_total((exchange, asset), total)
        return change

    def differences(self, exchange: str, venue: Mapping[str, Balance]) -> list[tuple[str, Decimal, Decimal]]:
        """(asset, ours, venue's) wherever the venue's total is another than ours."""
        assets = [asset for (name, asset) in self._total if name == exchange]
        assets += [asset for asset in venue if asset not in assets]
        found = []
        for asset in assets:
            theirs = venue[asset].total if asset in venue else ZERO
            if theirs != self.total(exchange, asset):
                found.append((asset, self.total(exchange, asset), theirs))
        return found

    def _needs(self, order: Order, qty: Decimal) -> tuple[Key, Decimal]:
        """What ``qty`` of ``order`` uses at worst, and of which asset."""
        market = order.market
        if order.side is Side.SELL:
            return (market.exchange, market.base), qty
        # A fee taken in the coin costs no quote; reserving it all the same errs on the safe side by the fee.
        return (market.exchange, market.quote), qty * order.price * (ONE + market.fees.taker)

    def _set_total(self, key: Key, total: Decimal) -> None:
        self._total[key] = total
        self._publish((key,))

    def _change_reserved(self, key: Key, change: Decimal) -> None:
        self._reserved[key] = self._reserved.get(key, ZERO) + change
        self._publish((key,))

    def _publish(self, keys: Iterable[Key]) -> None:
        self.version += 1
        for key in keys:
            node = self._nodes.get(key)
            if node is not None:
                node.available = float(self.available(*key))
