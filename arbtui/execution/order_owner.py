"""What orders are sent for: a cycle, or the settlement of what a cycle left."""

from typing import Protocol

from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import CycleAccount


class OrderOwner(Protocol):
    """Whose orders the gate looks at and the tracker follows; they and their fills carry the cycle's id."""

    @property
    def id(self) -> str:
        """The cycle's."""
        ...

    @property
    def account(self) -> CycleAccount:
        """What the portfolio knows of the cycle."""
        ...

    @property
    def orders(self) -> list[Order]:
        """Those that were sent for it, oldest first."""
        ...

    @property
    def is_over(self) -> bool:
        """No further order of it will be sent: a fill that comes now is late."""
        ...

    def book_of(self, market: Market) -> OrderBook:
        """The live book of a market that it trades on."""
        ...

    def take(self, fill: Fill) -> None:
        """Keep a fill of one of its orders, just before it is booked."""
        ...

    def on_fill(self, now: float) -> None:
        """A fill of it was booked at ``now`` (monotonic s)."""
        ...

    def fills_of(self, client_order_id: str) -> list[Fill]:
        """The fills of one of its orders."""
        ...
