"""Coinone's KRW markets, orders and account, by version 2.1 of its private interface.

Quirks, with the document that states each (docs.coinone.co.kr, reference):
- No limit order is immediate or cancelled (place-order: types LIMIT, MARKET and STOP_LIMIT). A market order with ``limit_price`` would be
  for a sale; for a purchase it takes an amount of won instead of a quantity, and may buy more than was meant: neither is used.
- The answer to an order is its id (place-order); what became of it is reported by the stream, or by a look-up.
- An order is looked up and cancelled by ``user_order_id`` or ``order_id``, never both (order-detail, cancel-order), and by its market.
- Lists of open orders and of fills name Coinone's own ids only (find-active-orders, find-completed-orders): see :class:`OrderIds`.
- Fills are no part of an order (order-detail): they are listed by market and time (find-completed-orders), in whole pages of 100.
- A repeated ``user_order_id`` is refused for ever (place-order).
- There is no test of an order, nothing states what a key may do, and a signed request holds a nonce instead of a time.
- A private stream ends half an hour after the last ``PING`` of its own kind (private-websocket-1): one goes with each ping.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import fee_rate, read
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.coinone import orders
from arbtui.exchanges.coinone.market_list import MarketList
from arbtui.exchanges.coinone.networks import Currencies, networks_of
from arbtui.exchanges.coinone.order_ids import OrderIds
from arbtui.exchanges.coinone.refusals import refusal
from arbtui.exchanges.coinone.rules import QUOTE, code_of, pair_of
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.private_stream import PrivateStream, StreamRefused, next_frame
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import Clock
from arbtui.model.errors import OrderAbandoned, OrderRejected, VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, Side, TimeInForce

log = logging.getLogger("arbtui")

T = TypeVar("T")

_QUERY: Costs = {"query": 1}
_FILLS_A_PAGE = 100
#: ms that one query for fills may span, and how far back they are queried at all.
_WINDOW_MS = 90 * 86_400_000
#: ms by which times of orders, which are in whole seconds, may lie before their fills'.
_SECOND_MS = 1_000
#: Who asks for price units at the same time, at most.
_AT_ONCE = 10

_PING = '{"request_type":"PING"}'
_CHANNELS = ("MYORDER", "MYASSET")
#: What a private socket is closed with where the venue refuses it (private-websocket-1).
_CLOSED = {4280: "the key was refused", 4290: "too many connections"}


class CoinoneAdapter(CcxtAdapter):
    """See :class:`ExchangeAdapter`. Orders of ours that the venue lists are named by what this process has learned of their ids."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = _QUERY
    look_up = ("POST", "v2.1/order/detail")
    cancel_order = ("POST", "v2.1/order/cancel")

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._market_list = MarketList(self)
        self._ids = OrderIds()
        self._socket: aiohttp.ClientWebSocketResponse | None = None  #: the private stream's newest

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`. Price units are those of the common table."""
        before = len(self.odd)
        try:
            markets, prices = await asyncio.gather(self._market_list.markets(), self._market_list.prices())
        except WireError as error:
            raise unreadable(self.name, error) from error
        self.tell_odd(before)
        return {code: Listing(market, float(prices.get(code, 0))) for code, market in markets.items()}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        return untold(await self._market_list.markets())

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`. Price units are queried for each market."""
        try:
            await self.check_keys()
            log.warning("coinone: Coinone does not state what a key may do; make sure that this one cannot withdraw")
            before = len(self.odd)
            self.markets = await self._rules(codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        at_once = asyncio.Semaphore(_AT_ONCE)
        listed = await self._market_list.markets()
        rates = await self._fee_rates()

        async def made(market: Market) -> Market | None:
            async with at_once:
                return await self._market_of(market, rates)

        wanted = [market for code, market in listed.items() if codes is None or code in codes]
        found = await asyncio.gather(*map(made, wanted))
        return {market.code: market for market in found if market is not None}

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: Coinone states only that they are accepted."""
        await self.fetch_balances()
        return "is accepted; Coinone does not state its permissions: make sure that it cannot withdraw"

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {**pair_of(market.code), "user_order_id": client_order_id}

    async def ping(self) -> None:
        """See :meth:`CcxtAdapter.ping`: whether the keys are still accepted; the private stream gets its own."""
        if self._socket is not None and not self._socket.closed:
            with suppress(ConnectionError, RuntimeError):  # it has broken: its reader learns that, and opens another one
                await self._socket.send_str(_PING)
        await self.check_keys()

    async def _fee_rates(self) -> Mapping[str, Any]:
        """The rows of the account's fees, by market, as they came."""
        answer = await self.query("private", "POST", "v2.1/account/trade_fee", costs=_QUERY)
        rows = [row for row in read(answer, orders.FeeRates, "trade_fee").fee_rates if isinstance(row, dict)]
        return {code_of(str(row.get("quote_currency", "?")), str(row.get("target_currency", "?"))): row for row in rows}

    async def _market_of(self, market: Market, rates: Mapping[str, Any]) -> Market | None:
        """``market`` with its own price units and the account's fees; None, named in :attr:`odd`, where they make no sense."""
        try:
            units = await self._market_list.units(market)
            if units is None:
                return None
            if market.code not in rates:
                return replace(market, price_units=units)
            row = read(rates[market.code], orders.FeeRow, "trade_fee")
            fees = replace(market.fees, taker=fee_rate(row.taker, "taker"), maker=fee_rate(row.maker, "maker"))
            return replace(market, price_units=units, fees=fees)
        except WireError as error:
            self.odd[market.code] = str(error)
            return None

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        if order.tif is not TimeInForce.GTC:
            raise OrderRejected("TIME_IN_FORCE Coinone takes no immediate orders, and the order was not sent")
        params = {
            **pair_of(order.market.code),
            "side": "BUY" if order.side is Side.BUY else "SELL",
            "type": "LIMIT",
            "price": plain(order.price),
            "qty": plain(order.qty),
            "post_only": False,
            "user_order_id": order.client_order_id,
        }
        self._ids.sent(order.client_order_id, order.market.code)
        return await self._client.request("private", "POST", "v2.1/order", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """See :meth:`ExchangeAdapter.place`: the report of an order that was taken, before anything of it is filled."""
        try:
            return await super().place(order, admit)
        except (OrderAbandoned, OrderRejected):
            self._ids.never_arrived(order.client_order_id)
            raise

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        taken = read(answer, orders.Taken, "order")
        self._ids.learn(taken.order_id, order.client_order_id, order.qty)
        return orders.report_of_taken(taken, order.client_order_id)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self._cancel(code, client_order_id, {"user_order_id": client_order_id})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`: one by one, as Coinone's own request is for one market, and tells no ids."""
        standing = await self.list_standing()
        ends = await asyncio.gather(*(self.cancel_standing(order) for order in standing), return_exceptions=True)
        failed = [f"{order.venue_order_id} of {order.code}: {end}" for order, end in zip(standing, ends, strict=True) if end is not None]
        if failed:
            raise VenueFailed(f"coinone: {len(failed)} orders could not be cancelled: {', '.join(failed)}")
        return len(standing)

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`. Of our orders without an answer Coinone is asked what their ids are."""
        rows = await self._active(Lane.CANCEL)
        for client_order_id, code in self._ids.unanswered(row.order_id for row in rows):
            await self._detail(code, client_order_id, Lane.CANCEL)
        return [StandingOrder(row.code, self._ids.client_id(row.order_id), row.order_id) for row in rows]

    def expect(self, code: str, client_order_id: str, venue_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.expect`."""
        if venue_order_id:
            self._ids.learn(venue_order_id, client_order_id)
        else:
            self._ids.sent(client_order_id, code)

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self._cancel(order.code, order.client_order_id, {"order_id": order.venue_order_id})

    async def _cancel(self, code: str, client_order_id: str, named: Mapping[str, str]) -> None:
        await self.cancel_one(code, client_order_id, {**pair_of(code), **named}, costs={"order": 1})

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`. Its fills are asked for apart: they may be behind what the order says is filled."""
        market = self.market(code)
        row = await self._detail(code, client_order_id, lane)
        if row is None:
            return None
        with self.reading():
            fills = await self._fills_of(row, market, client_order_id, lane) if row.filled else ()
            return orders.report_of(row, client_order_id, fills)

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        rows = await self._active(lane)
        with self.reading():
            return [orders.report_of(row, self._ids.client_id(row.order_id)) for row in rows]

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`.

        Nothing older than 90 days is queried. Fills of orders that this process has not learned of have no client id. The documents'
        times are whole seconds, so ``since_ms`` is rounded down to one.
        """
        now_ms = self._clock.time_ms()
        since_ms = max(since_ms - since_ms % _SECOND_MS, now_ms - _WINDOW_MS + _SECOND_MS)
        if since_ms > now_ms:
            return []
        rows = await self._trades("v2.1/order/completed_orders/all", {}, since_ms, now_ms, lane)
        with self.reading():
            fills = [
                orders.fill_of(row, self.markets[row.code], self._ids.client_id(row.order_id)) for row in rows if row.code in self.markets
            ]
        return sorted((fill for fill in fills if fill.ts_event >= since_ms), key=lambda fill: fill.ts_event)

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        answer = await self.query("private", "POST", "v2.1/account/balance/all", costs=_QUERY, lane=lane)
        with self.reading():
            return orders.balances_of(read(answer, orders.Balances, "balance").balances)

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`."""
        answer = await self.ask_aside("public", "public/v2/currencies", costs={"public": 1})
        with self.reading():
            return networks_of(read(answer, Currencies, "currencies").currencies, assets)

    async def _detail(self, code: str, client_order_id: str, lane: Lane) -> orders.OrderRow | None:
        """What Coinone tells of an order; None where it does not know it."""
        named = {**pair_of(code), "user_order_id": client_order_id}
        answer = await self.find(*self.look_up, named, costs=_QUERY, lane=lane)
        if answer is None:
            return None
        with self.reading():
            row = read(answer, orders.Detail, "order").order
            if row.code != code or row.user_order_id not in (None, client_order_id):
                raise WireError("order", f"asked for {client_order_id} of {code}, got {row.user_order_id} of {row.code}")
        self._ids.learn(row.order_id, client_order_id, row.original_qty)
        return row

    async def _active(self, lane: Lane) -> list[orders.OrderRow]:
        """Open orders in any market, those that wait for a price too: one answer has them all."""
        answer = await self.query("private", "POST", "v2.1/order/active_orders", costs=_QUERY, lane=lane)
        with self.reading():
            rows = read(answer, orders.ActiveOrders, "active_orders").active_orders
        for row in rows:
            self._ids.learn(row.order_id, row.user_order_id or "", row.original_qty)
        return rows

    async def _fills_of(self, row: orders.OrderRow, market: Market, client_order_id: str, lane: Lane) -> list[Fill]:
        """An order's fills, oldest first: those of its market from its making on. Our clock may be behind Coinone's."""
        until_ms = max(self._clock.time_ms(), row.updated_at + _SECOND_MS - 1)
        since_ms = max(row.ordered_at - _SECOND_MS, until_ms - _WINDOW_MS)
        rows = await self._trades("v2.1/order/completed_orders", pair_of(market.code), since_ms, until_ms, lane, row)
        mine = [orders.fill_of(one, market, client_order_id) for one in rows if one.order_id == row.order_id]
        return sorted(mine, key=lambda fill: (fill.ts_event, fill.trade_id))

    async def _trades(
        self, path: str, where: Mapping[str, str], since_ms: int, until_ms: int, lane: Lane, of: orders.OrderRow | None = None
    ) -> list[orders.TradeRow]:
        """The fills of a time, page by page; of one order no more of them than it has."""
        found: dict[str, orders.TradeRow] = {}
        params: dict[str, Any] = {**where, "size": _FILLS_A_PAGE, "from_ts": since_ms, "to_ts": until_ms}
        while True:
            answer = await self.query("private", "POST", path, params, costs=_QUERY, lane=lane)
            with self.reading():
                page = read(answer, orders.Trades, path).completed_orders
            before = len(found)
            found |= {row.trade_id: row for row in page}
            if len(page) < _FILLS_A_PAGE or len(found) == before:
                return list(found.values())
            if of is not None and sum(row.qty for row in found.values() if row.order_id == of.order_id) >= of.filled:
                return list(found.values())
            params["to_trade_id"] = page[-1].trade_id

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """``MYORDER`` and ``MYASSET``, both over one connection."""
        kind = orders.kind_of(frame)
        if kind.type != "DATA":
            return
        if kind.channel == "MYORDER":
            report = orders.report_of_event(frame, self.markets, self._ids)
            if report is not None:
                account.on_order(report)
        elif kind.channel == "MYASSET":
            account.on_balances(self.name, orders.balances_of_event(frame))

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """One message a channel, each confirmed. Orders are asked for market by market: what no topic would mean is in no document."""
        topic = [pair_of(code) for code in self.markets] or [pair_of(f"{QUOTE}-BTC")]
        await socket.send_str(json.dumps({"request_type": "SUBSCRIBE", "channel": "MYORDER", "topic": topic}))
        await socket.send_str(json.dumps({"request_type": "SUBSCRIBE", "channel": "MYASSET"}))
        missing = set(_CHANNELS)
        while missing:
            try:
                frame = await next_frame(socket)
            except WireError:
                if (code := socket.close_code) in _CLOSED:
                    raise StreamRefused(str(code), _CLOSED[code]) from None
                raise
            kind = orders.kind_of(frame)
            if kind.type == "SUBSCRIBED":
                missing.discard(kind.channel)
            else:
                take(frame)
        self._socket = socket
