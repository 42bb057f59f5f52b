"""Our resting orders at one venue: by client id, and in the queue of their market."""

from collections.abc import Mapping

from arbtui.model.market import Market
from arbtui.simulation.order_queue import OrderQueue
from arbtui.simulation.venue_order import VenueOrder


class RestingOrders:
    """Our resting orders, by client id and by market. A market has a queue only while an order rests in it."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self._markets = markets
        self._by_client_id: dict[str, VenueOrder] = {}  # both rules of client ids keep them unique among open orders
        self._queues: dict[str, OrderQueue] = {}

    def __contains__(self, client_order_id: str) -> bool:
        return client_order_id in self._by_client_id

    @property
    def client_ids(self) -> list[str]:
        """The client ids of all resting orders."""
        return list(self._by_client_id)

    def get(self, client_order_id: str) -> VenueOrder | None:
        """The resting order of a client id."""
        return self._by_client_id.get(client_order_id)

    def queue(self, code: str) -> OrderQueue | None:
        """The queue of a market; None where no order rests."""
        return self._queues.get(code)

    def add(self, order: VenueOrder) -> None:
        """Add a resting order. One of a market that is no longer listed can be found and cancelled, but never fills."""
        self._by_client_id[order.client_order_id] = order
        market = self._markets.get(order.code)
        if market is not None:
            self._queues.setdefault(order.code, OrderQueue(market)).add(order)

    def remove(self, order: VenueOrder) -> None:
        """Remove an order that is final."""
        del self._by_client_id[order.client_order_id]
        queue = self._queues.get(order.code)
        if queue is not None:
            queue.remove(order)
            if not len(queue):
                del self._queues[order.code]
