"""Upbit's KRW and BTC markets, orders and account.

Quirks, with the document that states each:
- The answer to an order states that it was accepted, not its outcome (docs.upbit.com, new-order): an immediate order is
  looked up at once for its outcome.
- An ``identifier`` can never be used again. With both ``uuid`` and it, ``uuid`` decides (docs.upbit.com,
  get-order); ccxt's ``fetch_order`` sends an empty one and finds nothing, so look-ups here name the identifier alone.
- Requests carry no time: nothing bounds how late one may be executed (docs.upbit.com, auth).
- Upbit does not state what a key may do (``/v1/api_keys``: key and end of validity only).
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from arbtui.exchanges.adapter import OrderReport, StandingOrder
from arbtui.exchanges.amounts import amount, read
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.ccxt_adapter import Listing, smallest_order
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.private_stream import StreamRefused, next_frame
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit import announcements, orders
from arbtui.exchanges.upbit.market_list import QUOTES, MarketList
from arbtui.exchanges.upbit.refusals import refusal
from arbtui.exchanges.upbit.rules import market_of, with_unit
from arbtui.exchanges.won import orders as won
from arbtui.exchanges.won.adapter import HISTORY_MS, WINDOW_MS, WonAdapter
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Order

log = logging.getLogger("arbtui")


#: Pauses before the look-ups of an immediate order just accepted, in s. `default` allows 30 requests a second.
_LOOK_AFTER_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
_ORDERS_A_PAGE = 1000
_OPEN_A_PAGE = 100
_CANCELS_A_REQUEST = 300
#: What the private stream subscribes to.
_PRIVATE_TYPES = ("myOrder", "myAsset")
#: Errors (docs.upbit.com, WebSocket guide) that a type which is not offered, or not to this account, is answered with.
_REFUSES_NOTICES = frozenset({"INVALID_PARAM", "WRONG_FORMAT", "NO_TYPE", "NO_CODES"})


class UpbitAdapter(WonAdapter[orders.OrderRow]):
    """Upbit through ccxt. See :class:`ExchangeAdapter`."""

    title = "Upbit"
    order_row = orders.OrderRow
    own_id = "identifier"
    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock, _LOOK_AFTER_S)
        self._market_list = MarketList(self)
        self._asks_for_notices = True

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            units = await self._market_list.units(list(await self._market_list.markets(self.quotes)))
        except WireError as error:
            raise unreadable(self.name, error) from error
        self.tell_odd(before)
        return {code: Listing(with_unit(market_of(code), price, unit), float(price)) for code, (price, unit) in units.items()}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        return await self._market_list.markets(QUOTES)

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`. Fees, minimum and state are queried for each market (30 a second)."""
        try:
            await self.check_keys()
            log.warning("upbit: Upbit does not state what a key may do; make sure that this one cannot withdraw")
            before = len(self.odd)
            self.markets = await self._rules(codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        listed = await self._market_list.markets(self.quotes if codes is None else QUOTES)
        wanted = list(listed) if codes is None else [code for code in codes if code in listed]
        units = await self._market_list.units(wanted)
        made = await asyncio.gather(*(self._market_of(code, *units[code]) for code in wanted if code in units))
        return {market.code: market for market in made if market is not None}

    async def test_order(self) -> None:
        """See :meth:`CcxtAdapter.test_order`: ``POST /v1/orders/test`` (docs.upbit.com, order-test; since 2025-10-27)."""
        market = self.any_market()
        units = await self._market_list.units([market.code])
        if market.code not in units:
            raise WireError("ticker", f"nothing of {market.code}")
        qty, price = smallest_order(market, units[market.code][0])
        params = {
            "market": market.code,
            "side": "bid",
            "ord_type": "limit",
            "volume": plain(qty),
            "price": plain(price),
            "time_in_force": "ioc",
        }
        await self._client.request("private", "POST", "orders/test", params, lane=Lane.HEDGE, costs={"order-test": 1})

    async def _market_of(self, code: str, price: Decimal, unit: Decimal) -> Market | None:
        """A market by the account's own rules; None where it does not trade, or, named in :attr:`odd`, where they make no sense."""
        documented = market_of(code)
        market = with_unit(documented, price, unit)
        made = await self._with_account_rules(market)
        if made is not None and market is not documented:
            log.warning("upbit %s: price unit %s at %s is not the documented one; the venue's own is used", code, unit, price)
        return made

    def _least(self, chance: won.Chance, market: Market) -> Decimal:
        return max(amount(chance.market.bid.min_total, "min_total"), amount(chance.market.ask.min_total, "min_total"))

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        params = {**self._order_fields(order), "ord_type": "limit"}
        return await self._client.request("private", "POST", "orders", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        row = read(answer, orders.OrderRow, "order")
        if row.client_order_id is not None and row.client_order_id != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {row.client_order_id}")
        accepted = replace(won.report_of(row, order.market), client_order_id=order.client_order_id)
        return await self._outcomes.of(order, accepted)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self.cancel_one(code, client_order_id, {"identifier": client_order_id}, costs={"default": 1})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`; 300 orders a request (docs.upbit.com, batch-cancel-orders)."""
        done = 0
        while True:
            params = {"cancel_side": "all", "count": _CANCELS_A_REQUEST}
            answer = await self.query("private", "DELETE", "orders/open", params, costs={"order-cancel-all": 1}, lane=Lane.CANCEL)
            with self.reading():
                batch = read(answer, _Cancelled, "orders/open")
            done += batch.success.count
            if batch.failed.count:
                await self._require_ended(batch.failed)
            if batch.success.count < _CANCELS_A_REQUEST:
                return done

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self.cancel_one(order.code, order.client_order_id, {"uuid": order.venue_order_id}, costs={"default": 1})

    async def _require_ended(self, failed: "_Batch") -> None:
        """Of orders that were not cancelled, know that each has ended by itself.

        Raises:
            VenueFailed: one stands, or nobody knows.
        """
        standing = []
        for row in failed.orders:
            answer = await self.query("private", "GET", "order", {"uuid": row.uuid}, costs={"default": 1}, lane=Lane.CANCEL)
            with self.reading():
                order = read(answer, orders.OrderRow, "order")
                ended = order.our_state.is_final
            if not ended:
                standing.append(f"{row.uuid} of {order.market}")
        if standing or len(failed.orders) < failed.count:
            raise VenueFailed(f"upbit: {failed.count} orders could not be cancelled: {', '.join(standing) or 'it does not tell which'}")

    async def _open_rows(self, lane: Lane) -> list[orders.OrderRow]:
        rows: list[orders.OrderRow] = []
        while True:
            params = {"limit": _OPEN_A_PAGE, "page": len(rows) // _OPEN_A_PAGE + 1}
            answer = await self.query("private", "GET", "orders/open", params, costs={"default": 1}, lane=lane)
            page = read(answer, list[orders.OrderRow], "orders/open")
            rows += page
            if len(page) < _OPEN_A_PAGE:
                return rows

    async def _closed_rows(self, since_ms: int, lane: Lane) -> list[orders.OrderRow]:
        """Closed orders created since then, window by window: a query spans 7 days at most (docs.upbit.com, list-closed-orders)."""
        rows: dict[str, orders.OrderRow] = {}
        now_ms = self._clock.time_ms()
        start_ms = max(since_ms, now_ms - HISTORY_MS)
        while start_ms <= now_ms:
            end_ms = start_ms + WINDOW_MS
            params = {"start_time": _iso(start_ms), "end_time": _iso(end_ms), "limit": _ORDERS_A_PAGE, "order_by": "asc"}
            answer = await self.query("private", "GET", "orders/closed", params, costs={"default": 1}, lane=lane)
            page = read(answer, list[orders.OrderRow], "orders/closed")
            before = len(rows)
            rows |= {row.order_id: row for row in page}
            is_full = len(page) >= _ORDERS_A_PAGE and len(rows) > before
            start_ms = (won.ms_of(page[-1].created_at) or end_ms) if is_full else end_ms
        return list(rows.values())

    def _kind_of(self, frame: bytes) -> str:
        return orders.kind_of(frame)

    def _event_of(self, frame: bytes) -> won.OrderEvent:
        return orders.event_of(frame)

    def _announcement_of(self, frame: bytes) -> Announcement:
        return announcements.announcement_of(frame)

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """One message for all types, which is not answered, and the question what is subscribed, which is (list-subscriptions).

        Orders and balances are heard also where the venue refuses its notices: they are asked for alone from then on.
        """
        ticket = {"ticket": "arbtui-private"}
        types = [*({"type": kind} for kind in _PRIVATE_TYPES), *([announcements.SUBSCRIPTION] if self._asks_for_notices else [])]
        await socket.send_str(json.dumps([ticket, *types]))
        await socket.send_str(json.dumps([ticket, {"method": "LIST_SUBSCRIPTIONS"}]))
        while True:
            frame = await next_frame(socket)
            try:
                listed = orders.subscribed(frame)
            except StreamRefused as error:
                if not self._asks_for_notices or error.code not in _REFUSES_NOTICES:
                    raise
                self._asks_for_notices = False
                log.warning("upbit: its notices are not to be had over this connection (%s); read them at the venue", error)
                raise WireError("subscribe", "asked for again, without notices") from error
            if listed is None:
                take(frame)
            elif missing := [kind for kind in _PRIVATE_TYPES if kind not in listed]:
                raise WireError("subscribe", f"the venue does not list {', '.join(missing)} among what is subscribed")
            else:
                return


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Named(msgspec.Struct):
    uuid: str


class _Batch(msgspec.Struct):
    count: int
    orders: list[_Named] = []


class _Cancelled(msgspec.Struct):
    success: _Batch
    failed: _Batch
