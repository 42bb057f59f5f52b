"""Bithumb's KRW and BTC markets, orders and account, by the current generation of its interface.

Quirks, with the document that states each (apidocs.bithumb.com):
- The answer to an order states that it was accepted, and neither its state nor its fills (reference/주문-요청): an immediate order is
  looked up at once for its outcome. One that is still being taken is refused as ``order_not_ready`` (422) until it is there.
- With both ``uuid`` and ``client_order_id``, ``uuid`` decides (reference/개별-주문-조회): look-ups here name the client id alone.
- The answer to a cancel states that it was accepted (reference/주문-취소-접수); the order's end comes over the stream, or by a look-up.
- There is no test of an order, and nothing states what a key may do (``/v1/api_keys``: key and end of validity only).
- Requests carry a time, and there is no question for the venue's clock: a token that is too old is refused (``expired_jwt``).
- The private stream confirms nothing (reference/내-주문-및-체결-myorder, 연결-관리): see :meth:`BithumbAdapter._subscribe`.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import aiohttp

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import amount, read
from arbtui.exchanges.bithumb import announcements, orders
from arbtui.exchanges.bithumb.market_list import QUOTES, MarketList
from arbtui.exchanges.bithumb.refusals import refusal
from arbtui.exchanges.bithumb.rules import market_of
from arbtui.exchanges.ccxt_adapter import Listing
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.private_stream import confirmed
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.won import orders as won
from arbtui.exchanges.won.adapter import HISTORY_MS, WINDOW_MS, WonAdapter
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.order import Order

log = logging.getLogger("arbtui")


#: Pauses before the look-ups of an immediate order just accepted, in s. `default` allows 140 requests a second.
_LOOK_AFTER_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
_ORDERS_A_PAGE = 1000
_OPEN_A_PAGE = 100
#: reference/다건-주문-취소-접수 takes 30 in one request; 20 is what a second allows of one asset.
_CANCELS_A_REQUEST = 20
#: s without an error after which a private subscription counts as taken, where the answer to a PING does not come before.
_QUIET_S = 3.0
#: s between two questions for the newest notices. More than twenty within that time are not published.
_NOTICES_EVERY_S = 20.0


class BithumbAdapter(WonAdapter[orders.ListedOrder]):
    """Bithumb through ccxt. See :class:`ExchangeAdapter`."""

    title = "Bithumb"
    order_row = orders.OrderRow
    version = "v1/"
    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    look_up = ("GET", "v1/order")
    cancel_order = ("DELETE", "v2/order")

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock, _LOOK_AFTER_S)
        self._market_list = MarketList(self)

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            prices = await self._market_list.prices(list(await self._market_list.markets(self.quotes)))
        except WireError as error:
            raise unreadable(self.name, error) from error
        self.tell_odd(before)
        return {code: Listing(market_of(code), float(price)) for code, price in prices.items()}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        return {code: one.flags for code, one in (await self._market_list.markets(QUOTES)).items()}

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`. Fees, minimum and state are queried for each market."""
        try:
            await self.check_keys()
            log.warning("bithumb: Bithumb does not state what a key may do; make sure that this one cannot withdraw")
            before = len(self.odd)
            self.markets = await self._rules(codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        listed = await self._market_list.markets(self.quotes if codes is None else QUOTES)
        wanted = [one for code, one in listed.items() if codes is None or code in codes]
        made = await asyncio.gather(*(self._market_of(one.code) for one in wanted))
        markets = {market.code: market for market in made if market is not None}
        for one in wanted:
            if one.flags and one.code in markets:
                words = ", ".join(flag.word for flag in one.flags)
                log.warning("bithumb %s: Bithumb has designated this market for caution (%s); read its notices", one.code, words)
        return markets

    async def _market_of(self, code: str) -> Market | None:
        """A market by the account's own rules; None where it does not trade, or, named in :attr:`odd`, where they make no sense."""
        return await self._with_account_rules(market_of(code))

    def _least(self, chance: won.Chance, market: Market) -> Decimal:
        # `ask.min_total` has been seen in base: the won's own counts.
        return max(amount(chance.market.bid.min_total, "min_total"), market.min_cost)

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        params = {**self._order_fields(order), "order_type": "limit"}
        return await self._client.request("private", "POST", "v2/orders", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        taken = read(answer, orders.OrderTaken, "order")
        if taken.client_order_id is not None and taken.client_order_id != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {taken.client_order_id}")
        accepted = orders.report_of_taken(taken, order.client_order_id)
        return await self._outcomes.of(order, accepted)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self._cancel(code, client_order_id, {"client_order_id": client_order_id})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`: the open orders are listed, and cancelled by twenties (reference/다건-주문-취소-접수)."""
        with self.reading():
            rows = await self._open_rows(Lane.CANCEL)
        done = 0
        standing: list[str] = []
        for start in range(0, len(rows), _CANCELS_A_REQUEST):
            batch = {row.order_id: row for row in rows[start : start + _CANCELS_A_REQUEST]}
            answer = await self.query(
                "private", "POST", "v2/orders/cancel", {"order_ids": list(batch)}, costs={"order-cancel-all": 1}, lane=Lane.CANCEL
            )
            with self.reading():
                told = read(answer, orders.CancelBatch, "orders/cancel")
            cancelled = {one.order_id for one in told.success}
            done += len(cancelled)
            standing += [
                f"{row.order_id} of {row.market}" for row in batch.values() if row.order_id not in cancelled and await self._stands(row)
            ]
        if standing:
            raise VenueFailed(f"bithumb: {len(standing)} orders could not be cancelled: {', '.join(standing)}")
        return done

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self._cancel(order.code, order.client_order_id, {"order_id": order.venue_order_id})

    async def _cancel(self, code: str, client_order_id: str, params: Mapping[str, Any]) -> None:
        await self.cancel_one(code, client_order_id, params, costs={"order-cancel": 1})

    async def _stands(self, row: orders.ListedOrder) -> bool:
        """Whether an order that was not cancelled is still open: it may have ended by itself."""
        answer = await self.find(*self.look_up, {"uuid": row.order_id}, costs={"default": 1}, lane=Lane.CANCEL)
        if answer is None:
            return False
        with self.reading():
            order = read(answer, orders.OrderRow, "order")
            return not order.our_state.is_final

    async def _open_rows(self, lane: Lane) -> list[orders.ListedOrder]:
        """Open orders in any market, those that wait for a condition too."""
        return [
            *await self._pages("v2/orders/pending", {"state": "wait", "limit": _OPEN_A_PAGE}, lane),
            *await self._pages("v2/orders/pending", {"state": "watch", "limit": _OPEN_A_PAGE}, lane),
        ]

    async def _closed_rows(self, since_ms: int, lane: Lane) -> list[orders.ListedOrder]:
        """Closed orders created since then, window by window: a query spans 7 days at most (reference/종료-주문-목록-조회)."""
        rows: dict[str, orders.ListedOrder] = {}
        now_ms = self._clock.time_ms()
        start_ms = max(since_ms, now_ms - HISTORY_MS)
        while start_ms <= now_ms:
            end_ms = start_ms + WINDOW_MS
            params = {"states": ["done", "cancel"], "start_time": start_ms, "end_time": end_ms, "limit": _ORDERS_A_PAGE, "order_by": "asc"}
            rows |= {row.order_id: row for row in await self._pages("v2/orders/history", params, lane)}
            start_ms = end_ms
        return list(rows.values())

    async def _pages(self, path: str, params: Mapping[str, Any], lane: Lane) -> list[orders.ListedOrder]:
        """All pages of a list of orders; each names the next one by a key."""
        rows: list[orders.ListedOrder] = []
        key: str | None = None
        while True:
            asked = dict(params) if key is None else {**params, "next_key": key}
            page = read(await self.query("private", "GET", path, asked, costs={"default": 1}, lane=lane), orders.OrderPage, path)
            rows += page.data
            if not page.has_next or not page.next_key or page.next_key == key:
                return rows
            key = page.next_key

    async def watch_notices(self, account: AccountEvents) -> None:
        """See :meth:`CcxtAdapter.watch_notices`: the list of the newest, asked for again and again."""
        unread, unheard = dict[str, str](), ""  # rows of the last answer that cannot be read; why the list was not to be had
        while True:
            try:
                answer = await self.ask_aside("public", announcements.PATH, {"count": announcements.COUNT}, costs={"quotation": 1})
                odd: dict[str, str] = {}
                for one in announcements.announcements_of(answer, odd):
                    account.on_announcement(one)
            except ArbtuiError as error:
                log.log(logging.INFO if str(error) == unheard else logging.WARNING, "bithumb: its notices are not known: %s", error)
                unheard = str(error)
            else:
                for row in [row for row in odd if row not in unread]:
                    log.error("bithumb: a notice cannot be read (%s); read it at the venue: %s", odd[row], row)
                unread, unheard = odd, ""
            await asyncio.sleep(_NOTICES_EVERY_S)

    def _kind_of(self, frame: bytes) -> str:
        return orders.kind_of(frame)

    def _event_of(self, frame: bytes) -> won.OrderEvent:
        return orders.event_of(frame)

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """One message for both types. Bithumb does not confirm it: it is taken when a PING is answered without an error before it.

        That answer comes at the venue's next tick of ten seconds (reference/연결-관리). An error comes at once and ends the connection, so
        some seconds without one are as good; an error later still does end it.
        """
        await socket.send_str(json.dumps([{"ticket": "arbtui-private"}, {"type": "myOrder"}, {"type": "myAsset"}]))
        await socket.send_str("PING")
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                await confirmed(socket, take, lambda frame: orders.kind_of(frame) == "status")
