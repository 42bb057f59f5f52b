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
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Costs, Listing, pause_until, smallest_order, unreadable
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.private_stream import PrivateStream, next_frame
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusals import OPEN, UNREACHABLE, Meaning, Scope
from arbtui.exchanges.upbit import orders
from arbtui.exchanges.upbit.market_list import QUOTES, MarketList
from arbtui.exchanges.upbit.networks import Address, Chance, Wallet, by_asset, terms_of
from arbtui.exchanges.upbit.refusals import refusal
from arbtui.exchanges.upbit.rules import market_of, with_unit
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, Side, TimeInForce

log = logging.getLogger("arbtui")


#: Between two questions about withdrawals, in seconds.
_PACE_S = 0.1

#: Pauses before the look-ups of an immediate order just accepted, in s. `default` allows 30 requests a second.
_LOOK_AFTER_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
#: Pauses before a market's rules are asked for again at a start, in s.
_ASKED_AGAIN_AFTER_S = (0.5, 2.0)
_ORDERS_A_PAGE = 1000
_OPEN_A_PAGE = 100
_CANCELS_A_REQUEST = 300
#: ms by which older orders are queried too: closed orders are listed by creation time, and a resting one fills later.
_RESTING_MS = 3_600_000
#: ms after which an immediate order has certainly ended; it has no fills later than that.
_IMMEDIATE_MS = 5_000
#: How many ended orders' fills are kept, so that the next list of fills need not query each of them again.
_SETTLED = 10_000
#: What the private stream subscribes to.
_PRIVATE_TYPES = ("myOrder", "myAsset")
#: ms that one query for closed orders may span, and how far back they are queried at all.
_WINDOW_MS = 7 * 86_400_000
_HISTORY_MS = 90 * 86_400_000


class UpbitAdapter(CcxtAdapter):
    """Upbit through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = {"default": 1}  # noqa: RUF012

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._market_list = MarketList(self)
        self._settled: dict[str, tuple[Fill, ...]] = {}  # fills of ended orders by uuid, newest last
        self._awaited: dict[str, asyncio.Event] = {}  # immediate orders being looked up; set when the stream reports their end

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            units = await self._market_list.units(list(await self._market_list.codes(self.quotes)))
        except WireError as error:
            raise unreadable(self.name, error) from error
        self.tell_odd(before)
        return {code: Listing(with_unit(market_of(code), price, unit), float(price)) for code, (price, unit) in units.items()}

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`. Fees, minimum and state are queried for each market (30 a second)."""
        try:
            await self.check_keys()
            log.warning("upbit: Upbit does not state what a key may do; make sure that this one cannot withdraw")
            listed = await self._market_list.codes(self.quotes if codes is None else QUOTES)
            wanted = list(listed) if codes is None else [code for code in codes if code in listed]
            units = await self._market_list.units(wanted)
            before = len(self.odd)
            made = await asyncio.gather(*(self._market_of(code, *units[code]) for code in wanted if code in units))
            self.tell_odd(before)
            self.markets = {market.code: market for market in made if market is not None}
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: Upbit states only that they are accepted (``GET /v1/api_keys``)."""
        answer = await self.query("private", "GET", "api_keys", costs={"default": 1})
        with suppress(WireError):  # that they are accepted is what was asked
            self.account_names = tuple(f"key {row.access_key}" for row in read(answer, list[orders.KeyRow], "api_keys"))
        return "is accepted; Upbit does not state its permissions: make sure that it cannot withdraw"

    async def check_account(self) -> None:
        """See :meth:`CcxtAdapter.check_account`: Upbit tells nothing of the kind."""

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {"identifier": client_order_id}

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

    async def ping(self) -> None:
        """See :meth:`CcxtAdapter.ping`: whether the keys are still accepted."""
        await self.check_keys()

    async def _market_of(self, code: str, price: Decimal, unit: Decimal) -> Market | None:
        """A market by the account's own rules; None where it does not trade, or, named in :attr:`odd`, where they make no sense."""
        try:
            chance = await self._account_rules(code)
        except RequestFailed as error:
            if error.refusal.scope not in (Scope.SYMBOL, Scope.ORDER) and error.answer.status != 404:
                self.standing.refused(error)
                raise error.of_query() from None
            self.odd[code] = str(error)
            return None
        except WireError as error:
            self.odd[code] = str(error)
            return None
        if chance.market.state != "active":
            return None
        documented = market_of(code)
        market = with_unit(documented, price, unit)
        if market is not documented:
            log.warning("upbit %s: price unit %s at %s is not the documented one; the venue's own is used", code, unit, price)
        fees = replace(
            market.fees,
            taker=max(chance.bid_fee, chance.ask_fee),
            maker=max(chance.maker_bid_fee, chance.maker_ask_fee),
        )
        return replace(market, min_cost=max(chance.market.bid.min_total, chance.market.ask.min_total), fees=fees)

    async def _account_rules(self, code: str) -> orders.Chance:
        """Fees, minimum and state of a market; asked again without a usable answer: one lost of a thousand must not end a start."""
        for pause in (*_ASKED_AGAIN_AFTER_S, None):
            try:
                answer = await self._client.request(
                    "private", "GET", "orders/chance", {"market": code}, lane=Lane.DATA, costs={"default": 1}
                )
                return read(answer, orders.Chance, "chance")
            except RequestFailed as error:
                # A ban for too many requests is waited out in the limiter's queue, by this one and by all that wait there.
                if pause is None or not (error.refusal in (OPEN, UNREACHABLE) or error.meaning is Meaning.RATE_LIMITED):
                    raise
                log.warning("%s; asked again in %g s", error, pause)
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        params = {
            "market": order.market.code,
            "side": "bid" if order.side is Side.BUY else "ask",
            "ord_type": "limit",
            "volume": plain(order.qty),
            "price": plain(order.price),
            "identifier": order.client_order_id,
        }
        if order.tif is not TimeInForce.GTC:  # an order without it stays open until it is cancelled
            params["time_in_force"] = order.tif.value
        return await self._client.request("private", "POST", "orders", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        row = read(answer, orders.OrderRow, "order")
        if row.identifier is not None and row.identifier != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {row.identifier}")
        report = replace(orders.report_of(row, order.market), client_order_id=order.client_order_id)
        if order.tif is TimeInForce.GTC:
            return report
        ended = self._awaited[order.client_order_id] = asyncio.Event()
        try:
            for pause in _LOOK_AFTER_S:
                await pause_until(ended, pause)
                ended.clear()
                try:
                    found = await self.fetch_order(order.market.code, order.client_order_id)
                except ArbtuiError:
                    continue  # a failed query is no information
                if found is not None:
                    report = found
                    if _is_whole(found):
                        break
        finally:
            del self._awaited[order.client_order_id]
        return report

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self.cancel_one(code, client_order_id, {"identifier": client_order_id}, costs={"default": 1})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`; 300 orders a request (docs.upbit.com, batch-cancel-orders)."""
        done = 0
        while True:
            params = {"cancel_side": "all", "count": _CANCELS_A_REQUEST}
            answer = await self.query("private", "DELETE", "orders/open", params, costs={"order-cancel-all": 1}, lane=Lane.CANCEL)
            try:
                batch = read(answer, _Cancelled, "orders/open")
            except WireError as error:
                raise unreadable(self.name, error) from error
            done += batch.success.count
            if batch.failed.count:
                await self._require_ended(batch.failed)
            if batch.success.count < _CANCELS_A_REQUEST:
                return done

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        try:
            return [StandingOrder(row.market, row.identifier or "", row.uuid) for row in await self._open_rows(Lane.CANCEL)]
        except WireError as error:
            raise unreadable(self.name, error) from error

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
            try:
                order = read(answer, orders.OrderRow, "order")
                ended = orders.state_of(order.state, order.time_in_force, order.executed_volume).is_final
            except WireError as error:
                raise unreadable(self.name, error) from error
            if not ended:
                standing.append(f"{row.uuid} of {order.market}")
        if standing or len(failed.orders) < failed.count:
            raise VenueFailed(f"upbit: {failed.count} orders could not be cancelled: {', '.join(standing) or 'it does not tell which'}")

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        answer = await self.find("GET", "order", {"identifier": client_order_id}, costs={"default": 1}, lane=lane)
        if answer is None:
            return None
        try:
            row = read(answer, orders.OrderRow, "order")
            if row.identifier != client_order_id or row.market != code:
                raise WireError("order", f"asked for {client_order_id}, got {row.identifier} in {row.market}")
            report = self._timed(orders.report_of(row, market))
        except WireError as error:
            raise unreadable(self.name, error) from error
        self._remember(report)
        return report

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        try:
            return [orders.state_report_of(row) for row in await self._open_rows(lane)]
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _open_rows(self, lane: Lane) -> list[orders.OrderRow]:
        rows: list[orders.OrderRow] = []
        while True:
            params = {"limit": _OPEN_A_PAGE, "page": len(rows) // _OPEN_A_PAGE + 1}
            answer = await self.query("private", "GET", "orders/open", params, costs={"default": 1}, lane=lane)
            page = read(answer, list[orders.OrderRow], "orders/open")
            rows += page
            if len(page) < _OPEN_A_PAGE:
                return rows

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`.

        Upbit lists closed orders by creation time, so orders up to an hour older are checked too; one that rested
        longer, and closed since, is missed here and found by its client id. Nothing older than 90 days is queried. Fills
        have times in whole seconds, so ``since_ms`` is rounded down to one.
        """
        since_ms -= since_ms % 1000
        fills: list[Fill] = []
        try:
            rows = [*await self._closed_rows(since_ms - _RESTING_MS, lane), *await self._open_rows(lane)]
            for row in rows:
                over = row.time_in_force in orders.IMMEDIATE and 0 < orders.ms_of(row.created_at) < since_ms - _IMMEDIATE_MS
                if row.executed_volume and row.market in self.markets and not over:
                    fills += await self._fills_of(row, lane)
        except WireError as error:
            raise unreadable(self.name, error) from error
        once = {fill.trade_id: fill for fill in fills if fill.ts_event >= since_ms}
        return sorted(once.values(), key=lambda fill: fill.ts_event)

    async def _fills_of(self, row: orders.OrderRow, lane: Lane) -> Sequence[Fill]:
        """An order's fills; those of an ended order are queried once."""
        if row.uuid not in self._settled:
            answer = await self.query("private", "GET", "order", {"uuid": row.uuid}, costs={"default": 1}, lane=lane)
            report = self._timed(orders.report_of(read(answer, orders.OrderRow, "order"), self.markets[row.market]))
            self._remember(report)
            return report.fills
        return self._settled[row.uuid]

    def _remember(self, report: OrderReport) -> None:
        """Keep the fills of an ended order."""
        if _is_whole(report):
            self._settled[report.venue_order_id] = report.fills
            if len(self._settled) > _SETTLED:
                del self._settled[next(iter(self._settled))]

    async def _closed_rows(self, since_ms: int, lane: Lane) -> list[orders.OrderRow]:
        """Closed orders created since then, window by window: a query spans 7 days at most (docs.upbit.com, list-closed-orders)."""
        rows: dict[str, orders.OrderRow] = {}
        now_ms = self._clock.time_ms()
        start_ms = max(since_ms, now_ms - _HISTORY_MS)
        while start_ms <= now_ms:
            end_ms = start_ms + _WINDOW_MS
            params = {"start_time": _iso(start_ms), "end_time": _iso(end_ms), "limit": _ORDERS_A_PAGE, "order_by": "asc"}
            answer = await self.query("private", "GET", "orders/closed", params, costs={"default": 1}, lane=lane)
            page = read(answer, list[orders.OrderRow], "orders/closed")
            before = len(rows)
            rows |= {row.uuid: row for row in page}
            is_full = len(page) >= _ORDERS_A_PAGE and len(rows) > before
            start_ms = (orders.ms_of(page[-1].created_at) or end_ms) if is_full else end_ms
        return list(rows.values())

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        answer = await self.query("private", "GET", "accounts", costs={"default": 1}, lane=lane)
        try:
            return orders.balances_of(read(answer, list[orders.AccountRow], "accounts"))
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`; fees and addresses only where the key may view them."""
        wallets = self.read_aside(await self.ask_aside("private", "status/wallet", costs={"default": 1}), list[Wallet], "status/wallet")
        addresses = await self.viewed("withdraws/coin_addresses", {}, list[Address])
        found = []
        for wallet in wallets:
            if wallet.currency in assets:
                chance = None
                if addresses is not None:
                    await asyncio.sleep(_PACE_S)  # a question for each asset: a third of the group's limit, never a burst of it
                    params = {"currency": wallet.currency, "net_type": wallet.net_type or wallet.currency}
                    chance = await self.viewed("withdraws/chance", params, Chance)
                found.append(terms_of(wallet, chance, addresses))
        return by_asset(found)

    def _timed(self, report: OrderReport) -> OrderReport:
        """``report`` with the time of its receipt for fills whose own time is not told."""
        if all(fill.ts_event for fill in report.fills):
            return report
        now_ms = self._clock.time_ms()
        return replace(report, fills=tuple(fill if fill.ts_event else replace(fill, ts_event=now_ms) for fill in report.fills))

    def _stream_headers(self) -> Mapping[str, str]:
        return self._client.signing.stream_headers()

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """``myOrder`` and ``myAsset``, both over one connection."""
        kind = orders.kind_of(frame)
        if kind == "myOrder":
            report = orders.report_of_event(frame, self.markets)
            if report.state.is_final and report.client_order_id in self._awaited:
                self._awaited[report.client_order_id].set()
            account.on_order(self._timed(report))
        elif kind == "myAsset":
            account.on_balances(self.name, orders.balances_of_event(frame))

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """One message for both types, which is not answered, and the question what is subscribed, which is (list-subscriptions)."""
        ticket = {"ticket": "arbtui-private"}
        await socket.send_str(json.dumps([ticket, *({"type": kind} for kind in _PRIVATE_TYPES)]))
        await socket.send_str(json.dumps([ticket, {"method": "LIST_SUBSCRIPTIONS"}]))
        while True:
            frame = await next_frame(socket)
            listed = orders.subscribed(frame)
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


def _is_whole(report: OrderReport) -> bool:
    """True for an ended order whose fills are all known."""
    return report.state.is_final and sum(fill.qty for fill in report.fills) >= report.filled_qty
