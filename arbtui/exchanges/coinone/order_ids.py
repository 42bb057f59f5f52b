"""Our ids of orders by Coinone's: its lists of orders and of trades name its own id only (reference/find-active-orders and others)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

#: Orders that are remembered; older ones have ended.
_MEMORY = 20_000


@dataclass(slots=True)
class KnownOrder:
    """An order that this process has sent, looked up or heard of.

    ``qty``: None where it was not told. ``last_trade``: the id of the fill that the stream told last.
    """

    client_order_id: str
    qty: Decimal | None
    last_trade: str = ""


class OrderIds:
    """What was learned of orders, the newest last, and which of ours were sent whose id at Coinone is not known."""

    def __init__(self) -> None:
        self._known: dict[str, KnownOrder] = {}
        self._unanswered: dict[str, str] = {}

    def sent(self, client_order_id: str, code: str) -> None:
        """An order is about to be sent; that it will be answered is not certain."""
        self._unanswered[client_order_id] = code
        _bound(self._unanswered)

    def learn(self, venue_order_id: str, client_order_id: str, qty: Decimal | None = None) -> None:
        """``venue_order_id`` is Coinone's id of an order, of ours or not (then ``client_order_id`` is empty)."""
        self._unanswered.pop(client_order_id, None)
        known = self._known.setdefault(venue_order_id, KnownOrder(client_order_id, qty))
        known.client_order_id = known.client_order_id or client_order_id
        known.qty = qty if known.qty is None else known.qty
        _bound(self._known)

    def never_arrived(self, client_order_id: str) -> None:
        """An order was refused, or not sent."""
        self._unanswered.pop(client_order_id, None)

    def of(self, venue_order_id: str) -> KnownOrder:
        """What is known of an order; an empty id where nothing is."""
        return self._known.get(venue_order_id) or KnownOrder("", None)

    def client_id(self, venue_order_id: str) -> str:
        """Our id of an order; empty where it is not known, or has none."""
        return self.of(venue_order_id).client_order_id

    def unanswered(self, among: Iterable[str]) -> list[tuple[str, str]]:
        """Our ids, and markets, of orders without a known id, where one of the listed ids ``among`` may be one of theirs."""
        return list(self._unanswered.items()) if any(not self.client_id(one) for one in among) else []


def _bound(memory: dict[str, KnownOrder] | dict[str, str]) -> None:
    if len(memory) > _MEMORY:
        del memory[next(iter(memory))]
