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
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import amount, read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.bithumb import orders
from arbtui.exchanges.bithumb.market_list import QUOTES, MarketList
from arbtui.exchanges.bithumb.networks import Address, Wallet, WithdrawChance, by_asset, terms_of
from arbtui.exchanges.bithumb.refusals import refusal
from arbtui.exchanges.bithumb.rules import market_of
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Costs, Listing, pause_until, unreadable
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.private_stream import PrivateStream, next_frame
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusals import OPEN, UNREACHABLE, Meaning, Scope
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, Side, TimeInForce

log = logging.getLogger("arbtui")


#: Between two questions about withdrawals, in seconds.
_PACE_S = 0.1

#: Pauses before the look-ups of an immediate order just accepted, in s. `default` allows 140 requests a second.
_LOOK_AFTER_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
#: Pauses before a market's rules are asked for again at a start, in s.
_ASKED_AGAIN_AFTER_S = (0.5, 2.0)
_ORDERS_A_PAGE = 1000
_OPEN_A_PAGE = 100
#: reference/다건-주문-취소-접수 takes 30 in one request; 20 is what a second allows of one asset.
_CANCELS_A_REQUEST = 20
#: ms by which older orders are queried too: closed orders are listed by creation time, and a resting one fills later.
_RESTING_MS = 3_600_000
#: ms after which an immediate order has certainly ended; it has no fills later than that.
_IMMEDIATE_MS = 5_000
#: How many ended orders' fills are kept, so that the next list of fills need not query each of them again.
_SETTLED = 10_000
#: ms that one query for closed orders may span, and how far back they are queried at all.
_WINDOW_MS = 7 * 86_400_000
_HISTORY_MS = 90 * 86_400_000
#: s without an error after which a private subscription counts as taken, where the answer to a PING does not come before.
_QUIET_S = 3.0


class BithumbAdapter(CcxtAdapter):
    """Bithumb through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = {"default": 1}  # noqa: RUF012
    look_up = ("GET", "v1/order")
    cancel_order = ("DELETE", "v2/order")

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._market_list = MarketList(self)
        self._settled: dict[str, tuple[Fill, ...]] = {}  # fills of ended orders by id, newest last
        self._awaited: dict[str, asyncio.Event] = {}  # immediate orders being looked up; set when the stream reports their end

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            prices = await self._market_list.prices(list(await self._market_list.markets(self.quotes)))
        except WireError as error:
            raise unreadable(self.name, error) from error
        self.tell_odd(before)
        return {code: Listing(market_of(code), float(price)) for code, price in prices.items()}

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`. Fees, minimum and state are queried for each market."""
        try:
            await self.check_keys()
            log.warning("bithumb: Bithumb does not state what a key may do; make sure that this one cannot withdraw")
            listed = await self._market_list.markets(self.quotes if codes is None else QUOTES)
            wanted = [one for code, one in listed.items() if codes is None or code in codes]
            before = len(self.odd)
            made = await asyncio.gather(*(self._market_of(one.code) for one in wanted))
            self.tell_odd(before)
            self.markets = {market.code: market for market in made if market is not None}
            for one in wanted:
                if one.caution and one.code in self.markets:
                    log.warning("bithumb %s: Bithumb has designated this market for caution (%s); read its notices", one.code, one.caution)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: Bithumb states only that they are accepted (``GET /v1/api_keys``)."""
        answer = await self.query("private", "GET", "v1/api_keys", costs={"default": 1})
        with suppress(WireError):  # that they are accepted is what was asked
            self.account_names = tuple(f"key {row.access_key}" for row in read(answer, list[orders.KeyRow], "api_keys"))
        return "is accepted; Bithumb does not state its permissions: make sure that it cannot withdraw"

    async def check_account(self) -> None:
        """See :meth:`CcxtAdapter.check_account`: Bithumb tells nothing of the kind."""

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {"client_order_id": client_order_id}

    async def test_order(self) -> None:
        """See :meth:`CcxtAdapter.test_order`: Bithumb has none, as its capabilities say."""
        raise NotImplementedError

    async def ping(self) -> None:
        """See :meth:`CcxtAdapter.ping`: whether the keys are still accepted."""
        await self.check_keys()

    async def _market_of(self, code: str) -> Market | None:
        """A market by the account's own rules; None where it does not trade, or, named in :attr:`odd`, where they make no sense."""
        try:
            chance = await self._account_rules(code)
            taker = max(amount(chance.bid_fee, "bid_fee"), amount(chance.ask_fee, "ask_fee"))
            told = [fee for fee in (chance.maker_bid_fee, chance.maker_ask_fee) if fee is not None]
            maker = max((amount(fee, "maker_fee") for fee in told), default=taker)
            least = amount(chance.market.bid.min_total, "min_total")
        except RequestFailed as error:
            if error.refusal.scope not in (Scope.SYMBOL, Scope.ORDER) and error.answer.status != 404 and error.answer.code != "404":
                self.standing.refused(error)
                raise error.of_query() from None
            self.odd[code] = str(error)
            return None
        except WireError as error:
            self.odd[code] = str(error)
            return None
        if chance.market.state != "active":
            return None
        market = market_of(code)
        # `ask.min_total` has been seen in base: the quote's own counts.
        return replace(market, min_cost=max(least, market.min_cost), fees=replace(market.fees, taker=taker, maker=maker))

    async def _account_rules(self, code: str) -> orders.Chance:
        """Fees, minimum and state of a market; asked again without a usable answer: one lost of hundreds must not end a start."""
        for pause in (*_ASKED_AGAIN_AFTER_S, None):
            try:
                answer = await self._client.request(
                    "private", "GET", "v1/orders/chance", {"market": code}, lane=Lane.DATA, costs={"default": 1}
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
            "order_type": "limit",
            "volume": plain(order.qty),
            "price": plain(order.price),
            "client_order_id": order.client_order_id,
        }
        if order.tif is not TimeInForce.GTC:  # an order without it stays open until it is cancelled
            params["time_in_force"] = order.tif.value
        return await self._client.request("private", "POST", "v2/orders", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        taken = read(answer, orders.OrderTaken, "order")
        if taken.client_order_id is not None and taken.client_order_id != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {taken.client_order_id}")
        report = orders.report_of_taken(taken, order.client_order_id)
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
        await self._cancel(code, client_order_id, {"client_order_id": client_order_id})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`: the open orders are listed, and cancelled by twenties (reference/다건-주문-취소-접수)."""
        try:
            rows = await self._open_rows(Lane.CANCEL)
        except WireError as error:
            raise unreadable(self.name, error) from error
        done = 0
        standing: list[str] = []
        for start in range(0, len(rows), _CANCELS_A_REQUEST):
            batch = {row.order_id: row for row in rows[start : start + _CANCELS_A_REQUEST]}
            answer = await self.query(
                "private", "POST", "v2/orders/cancel", {"order_ids": list(batch)}, costs={"order-cancel-all": 1}, lane=Lane.CANCEL
            )
            try:
                told = read(answer, orders.CancelBatch, "orders/cancel")
            except WireError as error:
                raise unreadable(self.name, error) from error
            cancelled = {one.order_id for one in told.success}
            done += len(cancelled)
            standing += [
                f"{row.order_id} of {row.market}" for row in batch.values() if row.order_id not in cancelled and await self._stands(row)
            ]
        if standing:
            raise VenueFailed(f"bithumb: {len(standing)} orders could not be cancelled: {', '.join(standing)}")
        return done

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        try:
            return [StandingOrder(row.market, row.client_order_id or "", row.order_id) for row in await self._open_rows(Lane.CANCEL)]
        except WireError as error:
            raise unreadable(self.name, error) from error

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
        try:
            order = read(answer, orders.OrderRow, "order")
            return not orders.state_of(order.state, order.time_in_force, order.executed_volume, order.volume).is_final
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        answer = await self.find(*self.look_up, {"client_order_id": client_order_id}, costs={"default": 1}, lane=lane)
        if answer is None:
            return None
        try:
            row = read(answer, orders.OrderRow, "order")
            if row.client_order_id != client_order_id or row.market != code:
                raise WireError("order", f"asked for {client_order_id}, got {row.client_order_id} in {row.market}")
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

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`.

        Bithumb lists closed orders by creation time, so orders up to an hour older are checked too; one that rested
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

    async def _fills_of(self, row: orders.ListedOrder, lane: Lane) -> Sequence[Fill]:
        """An order's fills; those of an ended order are queried once."""
        if row.order_id not in self._settled:
            answer = await self.query("private", "GET", "v1/order", {"uuid": row.order_id}, costs={"default": 1}, lane=lane)
            report = self._timed(orders.report_of(read(answer, orders.OrderRow, "order"), self.markets[row.market]))
            self._remember(report)
            return report.fills
        return self._settled[row.order_id]

    def _remember(self, report: OrderReport) -> None:
        """Keep the fills of an ended order."""
        if _is_whole(report):
            self._settled[report.venue_order_id] = report.fills
            if len(self._settled) > _SETTLED:
                del self._settled[next(iter(self._settled))]

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
        start_ms = max(since_ms, now_ms - _HISTORY_MS)
        while start_ms <= now_ms:
            end_ms = start_ms + _WINDOW_MS
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

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        answer = await self.query("private", "GET", "v1/accounts", costs={"default": 1}, lane=lane)
        try:
            return orders.balances_of(read(answer, list[orders.AccountRow], "accounts"))
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`; fees and addresses only where the key may view them."""
        answer = await self.ask_aside("private", "v1/status/wallet", costs={"default": 1})
        wallets = self.read_aside(answer, list[Wallet], "v1/status/wallet")
        addresses = await self.viewed("v1/withdraws/coin_addresses", {}, list[Address])
        found = []
        for wallet in wallets:
            if wallet.currency in assets:
                chance = None
                if addresses is not None:
                    await asyncio.sleep(_PACE_S)  # a question for each asset, never a burst of them
                    params = {"currency": wallet.currency, "net_type": wallet.net_type or wallet.currency}
                    chance = await self.viewed("v1/withdraws/chance", params, WithdrawChance)
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
        """One message for both types. Bithumb does not confirm it: it is taken when a PING is answered without an error before it.

        That answer comes at the venue's next tick of ten seconds (reference/연결-관리). An error comes at once and ends the connection, so
        some seconds without one are as good; an error later still does end it.
        """
        await socket.send_str(json.dumps([{"ticket": "arbtui-private"}, {"type": "myOrder"}, {"type": "myAsset"}]))
        await socket.send_str("PING")
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                while True:
                    frame = await next_frame(socket)
                    if orders.kind_of(frame) == "status":
                        return
                    take(frame)


def _is_whole(report: OrderReport) -> bool:
    """True for an ended order whose fills are all known."""
    return report.state.is_final and sum(fill.qty for fill in report.fills) >= report.filled_qty
