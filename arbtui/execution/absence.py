"""``AbsenceProof``: when an order that nobody can find may be called not placed. One rule for a running engine and a restart.

"Not found" is not "not placed": a venue lists an order late, and a replica that lags says no. So it takes several look-ups
by client id, spread over the venue's visibility delay, and then the venue's fills, its open orders and its balances, none
of which may show the order. A question that was not answered proves nothing.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, MarketUnknown
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Side
from arbtui.portfolio.portfolio import Portfolio

#: So many look-ups in a row must find nothing.
_LOOK_UPS = 3
#: How long one question may take, in seconds: a venue that hangs is asked again.
_ANSWER_S = 5.0
#: ms before the sending from which fills are asked for: clocks differ.
_CLOCKS_DIFFER_MS = 10_000


class _Market(Protocol):
    """Where an order was sent."""

    @property
    def code(self) -> str: ...
    @property
    def base(self) -> str: ...
    @property
    def quote(self) -> str: ...


class _Order(Protocol):
    """What the proof needs to know of an order."""

    @property
    def client_order_id(self) -> str: ...
    @property
    def side(self) -> Side: ...


class AbsenceProof:
    """Gathers the proof for one order, a :meth:`look` at a time.

    Args:
        portfolio: what the venue should hold without the order.
        since_ms: when the order was sent, our clock. How long that is ago is read once, here, and counted on by the monotonic clock: a
            step of the wall clock makes no order older.
        ahead_ms: how far our clock is ahead now, and was not when the order was sent.
    """

    def __init__(
        self, adapter: ExchangeAdapter, clock: Clock, portfolio: Portfolio, market: _Market, order: _Order, since_ms: int, ahead_ms: int = 0
    ) -> None:
        self._adapter = adapter
        self._clock = clock
        self._portfolio = portfolio
        self._market = market
        self._order = order
        self._since_ms = since_ms
        self._sent_at = clock.monotonic() - max(0, clock.time_ms() - ahead_ms - since_ms) / 1000
        self._absent = 0
        self.is_proved = False  #: the order never came
        self.is_answered = False  #: the last look-up itself
        self.why_not = "not asked yet"  #: what is missing, for the operator

    async def look(self) -> OrderReport | None:
        """Ask once: the venue's report, or None; see :attr:`is_proved` then.

        Raises:
            MarketUnknown: this venue cannot be asked about that market; asking again is no use.
        """
        try:
            async with asyncio.timeout(_ANSWER_S):
                report = await self._adapter.fetch_order(self._market.code, self._order.client_order_id)
            self.is_answered = True
        except MarketUnknown:
            raise
        except (ArbtuiError, TimeoutError) as error:
            self.is_answered = False
            self.why_not = f"the venue does not answer: {str(error) or 'no answer in time'}"
            return None
        if report is not None:
            self._absent = 0
            return report
        self._absent += 1
        waited_s = self._clock.monotonic() - self._sent_at
        if self._absent < _LOOK_UPS or waited_s < self._adapter.absence_proof_s:
            self.why_not = f"not found {self._absent} times in {waited_s:.0f} s; a venue may list an order late"
            return None
        try:
            async with asyncio.timeout(3 * _ANSWER_S):
                self.why_not = await self._trace()
        except (ArbtuiError, TimeoutError) as error:
            self.why_not = f"the venue does not answer: {str(error) or 'no answer in time'}"
            return None
        self.is_proved = not self.why_not
        return None

    async def _trace(self) -> str:
        """What shows that the order came all the same; empty when nothing does."""
        wanted = self._order.client_order_id
        fills = await self._adapter.fetch_fills(self._since_ms - _CLOCKS_DIFFER_MS)
        if any(fill.client_order_id == wanted for fill in fills):
            return "the venue's list of fills names it"
        if any(order.client_order_id == wanted for order in await self._adapter.fetch_open_orders()):
            return "the venue's list of open orders names it"
        if self._others_are_open():
            return ""  # balances are moving: they say nothing of this order
        balances = await self._adapter.fetch_balances()
        moved, paid = self._moved(balances, self._market.base), self._moved(balances, self._market.quote)
        # A fill moves both: where the quote is what we hold to the last digit, somebody has paid the base in, or taken it out.
        if paid and ((moved > ZERO) if self._order.side is Side.BUY else (moved < ZERO)):
            return f"the venue's balance of {self._market.base} has moved by {moved}, as if it had filled"
        return ""

    def _moved(self, balances: Mapping[str, Balance], asset: str) -> Decimal:
        theirs = balances[asset].total if asset in balances else ZERO
        return theirs - self._portfolio.total(self._adapter.name, asset)

    def _others_are_open(self) -> bool:
        return any(
            record.intent.base == self._market.base
            and record.intent.exchange == self._adapter.name
            and record.intent.client_order_id != self._order.client_order_id
            for record in self._portfolio.open_orders
        )
