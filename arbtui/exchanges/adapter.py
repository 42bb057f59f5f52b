"""The interface of every venue's orders and balances, the same for paper and live."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.capabilities import EVERYTHING, Capabilities
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.market import Market
from arbtui.model.order import Balance, Fill, Order, OrderState


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One order as a venue reports it. ``fills`` are those known with this answer; each is applied once, by trade id."""

    exchange: str
    client_order_id: str
    venue_order_id: str
    state: OrderState
    filled_qty: Decimal
    fills: tuple[Fill, ...] = ()
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        """True for an ended order whose fills are all here."""
        return self.state.is_final and sum(fill.qty for fill in self.fills) >= self.filled_qty


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An open order as the venue lists it. ``code``: its market, connected here or not; ``client_order_id`` may be empty."""

    code: str
    client_order_id: str
    venue_order_id: str


class AccountEvents(Protocol):
    """Receives the events of a venue's private stream. Plain calls: each returns before the next frame is read."""

    def on_order(self, report: OrderReport) -> None:
        """An order changed or filled; ``report.fills`` holds the fills of this message only, often one or none."""
        ...

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        """These balances changed; assets that are not listed did not."""
        ...

    def on_announcement(self, announcement: Announcement) -> None:
        """The venue has published a notice, or repeats one."""
        return

    def on_reconnected(self, exchange: str) -> None:
        """The stream is open, for the first time or again: events missed in between must be fetched."""
        ...

    def on_disconnected(self, exchange: str) -> None:
        """The stream is disconnected: until it is open again, changes are learned by queries only."""
        ...


class ExchangeAdapter(Protocol):
    """Orders and balances of one venue."""

    name: str
    markets: Mapping[str, Market]  #: by the venue's market code
    absence_proof_s: float  #: seconds after sending from which an unknown client id proves that the order never arrived
    #: What identifies the account, known once connected: its number, or the ids of its keys; empty when the venue gives neither.
    account_names: tuple[str, ...] = ()
    capabilities: Capabilities = EVERYTHING  #: of the venue

    @property
    def clock_skew_ms(self) -> int | None:
        """How far our clock is ahead of the venue's; None where that is not known."""
        return None

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """Send ``order`` and wait for the venue's answer; an IOC's answer is final.

        ``admit`` is the gate's second check: it is called immediately before the request is sent, with nothing awaited
        in between, and raises OrderAbandoned to stop it.

        Raises:
            OrderAbandoned: ``admit`` refused; nothing was sent.
            OrderRejected: the venue refused for good.
            OrderUnknown: no usable answer. Never resend; look up with :meth:`fetch_order`.
        """
        ...

    async def cancel(self, code: str, client_order_id: str) -> None:
        """Cancel one open order; an order that is no longer open is not an error."""
        ...

    async def cancel_all(self) -> int:
        """Cancel every open order of this account; how many were cancelled."""
        ...

    async def list_standing(self) -> Sequence[StandingOrder]:
        """Every open order of this account, in any market, with the rate limits' share that is kept for cancels."""
        ...

    def expect(self, code: str, client_order_id: str, venue_order_id: str) -> None:
        """An order of ours of market ``code`` that an earlier run, or another process, has sent; ``venue_order_id`` is empty where unknown.

        For a venue whose lists do not name our ids: without it the order would count as somebody else's.
        """
        return

    async def cancel_standing(self, order: StandingOrder) -> None:
        """Cancel one order of :meth:`list_standing`; an order that is no longer open is not an error."""
        ...

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """Look an order up by client id, with its fills; None when the venue does not know it *now*, which proves nothing yet.

        ``lane``, here and below: the priority of its requests; :attr:`Lane.CHECK` for what can wait.
        """
        ...

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """Every open order of this account."""
        ...

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """Every fill of this account with ``ts_event >= since_ms``, oldest first."""
        ...

    def expect_fills(self, assets: Collection[str]) -> None:
        """Fills of ``assets`` may have been missed: a venue that lists fills market by market lists theirs the next time, too."""
        return

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """Balances by asset; assets never held may be absent."""
        ...

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """How ``assets`` can be moved from here and to here by a person, and what the wallets do now. Reads only.

        Raises:
            ArbtuiError: no usable answer, so nothing is known.
        """
        ...

    async def fetch_rules(self, codes: Collection[str]) -> Mapping[str, Market] | None:
        """The rules of the markets ``codes`` as they would be read at a start now, the account's fees and least orders included.

        One that does not trade, or whose rules cannot be read, is left out; None where no venue tells any, as at a played one. Nothing here
        is traded by: markets are made once, at a start. Price units are told only where :attr:`Capabilities.tells_price_units`.

        Raises:
            ArbtuiError: no usable answer.
        """
        return None

    async def fetch_trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        """Which of the markets ``codes`` the venue lists and lets trade now, with what it warns of there; others may be among the answer.

        A venue whose list tells no halts (``Capabilities.lists_tell_halts``) leaves out only what it has delisted. Reads only.

        Raises:
            ArbtuiError: no usable answer, so nothing is known.
        """
        ...

    def throttled(self) -> str | None:
        """Why the venue's rate limits leave no room for an entry's order now; None when they do. Consumes nothing and does not wait."""
        ...

    def reserve_orders(self, cycle_id: str, entries: int) -> str | None:
        """Take the rate limits' share of a cycle's ``entries`` entry orders and of one hedge order; why that is not to be had, or None."""
        ...

    def release_orders(self, cycle_id: str) -> None:
        """That cycle has ended, or did not open: nothing is kept for it any more."""
        ...

    async def run(self, account: AccountEvents) -> None:
        """Pass private events to ``account`` as they arrive, reconnecting as needed; runs until cancelled."""
        ...

    async def close(self) -> None:
        """Release what the adapter holds."""
        ...
