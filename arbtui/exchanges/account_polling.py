"""AccountPolling: at a venue without a private stream, asks for what such a stream would report."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from math import inf
from typing import Protocol

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, RateLimited
from arbtui.model.order import Balance, Order

log = logging.getLogger("arbtui")

#: s between two looks at the orders that have not ended; balances are asked for at every tenth, and when an order has ended.
_EVERY_S = 0.5
_BALANCES_EVERY = 10
#: s without an answer from which nothing is known of the account any more: twice the time between two questions for balances.
_SILENCE_S = 2 * _EVERY_S * _BALANCES_EVERY


class _Polled(Protocol):
    """What is asked: an adapter. Its methods are :class:`arbtui.exchanges.adapter.ExchangeAdapter`'s."""

    name: str
    absence_proof_s: float

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See there."""
        ...

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See there."""
        ...


class AccountPolling:
    """The orders of one venue that were sent and have not ended, and its balances.

    The account counts as connected while questions are answered; after a silence it is not, as when a stream has broken.
    """

    def __init__(self, adapter: _Polled, clock: Clock, health: ExchangeHealthMonitor | None) -> None:
        self._adapter = adapter
        self._clock = clock
        self._health = health
        self._open: dict[str, tuple[str, float]] = {}  # client id -> code, and monotonic s from which "not found" ends it
        self._answered_at = -inf
        self._is_connected = False

    def sent(self, order: Order) -> None:
        """An order is about to be sent."""
        self._open[order.client_order_id] = order.market.code, self._clock.monotonic() + self._adapter.absence_proof_s

    async def run(self, account: AccountEvents) -> None:
        """Ask until cancelled."""
        looks, is_due = 0, True  # is_due: balances have changed, or were not answered
        while True:
            for client_order_id in list(self._open):
                is_due = await self._ask(self._look(account, client_order_id)) or is_due
            if is_due or looks % _BALANCES_EVERY == 0:
                is_due = not await self._ask(self._read_balances(account))
            looks += 1
            self._tell(account)
            await (asyncio.sleep(_EVERY_S) if self._health is None else self._health.sleep(_EVERY_S))

    async def _ask(self, question: Awaitable[bool]) -> bool:
        """What ``question`` found; False where it was not answered."""
        try:
            found = await question
        except RateLimited:
            return False  # it was not asked
        except ArbtuiError as error:
            log.warning("%s: what becomes of the account could not be asked: %s", self._adapter.name, error)
            return False
        self._answered_at = self._clock.monotonic()
        return found

    async def _look(self, account: AccountEvents, client_order_id: str) -> bool:
        """Ask what became of an order; whether it has ended."""
        code, given_up_at = self._open[client_order_id]
        report = await self._adapter.fetch_order(code, client_order_id)
        if report is None:
            has_ended = self._clock.monotonic() >= given_up_at
        else:
            account.on_order(report)
            has_ended = report.is_complete
        if has_ended:
            self._open.pop(client_order_id, None)
        return has_ended

    async def _read_balances(self, account: AccountEvents) -> bool:
        account.on_balances(self._adapter.name, await self._adapter.fetch_balances())
        return True

    def _tell(self, account: AccountEvents) -> None:
        """Tell whether the account is heard of."""
        is_connected = self._clock.monotonic() - self._answered_at < _SILENCE_S
        if is_connected is not self._is_connected:
            self._is_connected = is_connected
            (account.on_reconnected if is_connected else account.on_disconnected)(self._adapter.name)
