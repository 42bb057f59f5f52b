"""Bybit spot in a unified trading account: orders and account.

Quirks, with the page of bybit-exchange/docs, v5, that states each:
- The answer to an order or a cancel states that it was taken, not its outcome (Place Order, Cancel Order): an immediate order is looked up
  at once for its outcome.
- An ``orderLinkId`` is unique for good (Place Order). Open orders and the newest 500 ended ones are in ``order/realtime``; after a restart
  of the venue's service ended ones are only in ``order/history`` (Get Open & Closed Orders): both are asked before an order is not known.
- A spot order cannot be tested (Pre Check Order: linear, inverse, option).
- ``isLeverage`` 0: nothing is ever borrowed for an order (Place Order).
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import aiohttp
import msgspec

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import fee_rate, last_price, read
from arbtui.exchanges.bybit import orders
from arbtui.exchanges.bybit.networks import Coins, networks_of
from arbtui.exchanges.bybit.refusals import refusal
from arbtui.exchanges.bybit.rules import FEE_COIN, Instruments, flags_of, markets_of
from arbtui.exchanges.bybit.subscriptions import KEEPALIVE
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.order_outcome import OrderOutcomes
from arbtui.exchanges.private_stream import PrivateStream, confirmed
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed, VenueRefused, WireError
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, Order, OrderState, Side, TimeInForce

log = logging.getLogger("arbtui")

T = TypeVar("T")

_SPOT = {"category": "spot"}
#: Pauses before the look-ups of an immediate order just accepted, in s. Order lists allow 50 requests a second.
_LOOK_AFTER_S = (0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.4, 0.4)
_ORDERS_A_PAGE = 50
_FILLS_A_PAGE = 100
#: ms that one query for executions may span, and how far back they are queried at all.
_WINDOW_MS = 7 * 86_400_000
_HISTORY_MS = 90 * 86_400_000
#: ms that the venue's clock may be ahead of ours.
_AHEAD_MS = 60_000
#: Pages of one list that are followed; more of them means a cursor that leads in a circle.
_MOST_PAGES = 1000
_CLASSIC = 1
_TOPICS = ("order.spot", "execution.spot", "wallet")
_TIFS = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.GTC: "GTC"}


class _Ticker(msgspec.Struct):
    symbol: str
    lastPrice: Decimal


class BybitAdapter(CcxtAdapter):
    """Bybit spot through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"http": 1, "create": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = {"http": 1, "orders": 1}  # noqa: RUF012
    look_up = ("GET", "order/realtime")
    cancel_order = ("POST", "order/cancel")
    keepalive = KEEPALIVE

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._outcomes = OrderOutcomes(self.fetch_order, _LOOK_AFTER_S)

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            markets = await self._listed(None)
            answer = await self.query("public", "GET", "market/tickers", _SPOT, costs={"http": 1})
            rows = orders.result_of(answer, orders.Page, "tickers").list
        except WireError as error:
            raise unreadable(self.name, error) from error
        last_prices = {}
        for row in rows:
            with suppress(WireError):  # a market that has never traded has no price
                ticker = read(row, _Ticker, "tickers")
                last_prices[ticker.symbol] = ticker.lastPrice
        self.tell_odd(before)
        return {code: Listing(market, last_price(last_prices.get(code, ZERO))) for code, market in markets.items()}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        rows = await self._instruments()
        markets, flags = markets_of(rows, self.odd), flags_of(rows)
        return {code: flags.get(code) for code in codes if code in markets}

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`; a key that can move money is refused (``/v5/user/query-api``)."""
        await self.measure_clock()
        try:
            await self.check_keys()
            await self.check_account()
            before = len(self.odd)
            self.markets = await self._rules(codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        return await self._with_fees(await self._listed(codes))

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: ``/v5/user/query-api`` states what a key may do."""
        answer = await self.query("private", "GET", "user/query-api", costs={"http": 1, "key": 1})
        may = orders.result_of(answer, orders.KeyInfo, "query-api")
        self.account_names = (f"uid {may.userID}",)
        if moves := may.may_move_money:
            raise VenueRefused(f"bybit: this key may move money ({moves}); make one that can only read and trade, then delete this one")
        if may.readOnly:
            raise VenueRefused("bybit: this key can only read; make one with the right to trade spot")
        if "SpotTrade" not in may.permissions.Spot:
            raise VenueRefused("bybit: this key may not trade; allow 'SPOT, Trade' for it")
        if not may.uta:
            raise VenueRefused("bybit: this account is no unified trading account; upgrade it at Bybit")
        if may.works_everywhere:
            log.warning("bybit: this key works from every address; restrict it to this machine's (else it ends after three months)")
        return f"may read and trade, cannot withdraw; works from {'every address' if may.works_everywhere else 'listed addresses only'}"

    async def check_account(self) -> None:
        """See :meth:`CcxtAdapter.check_account`."""
        answer = await self.query("private", "GET", "account/info", costs={"http": 1, "account": 1})
        with self.reading():
            account = orders.result_of(answer, orders.AccountInfo, "account/info")
        if account.unifiedMarginStatus == _CLASSIC:
            raise VenueRefused("bybit: this account is no unified trading account; upgrade it at Bybit")

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {**_SPOT, "symbol": market.code, "orderLinkId": client_order_id}

    async def _venue_time_ms(self) -> int:
        answer = await self.query("public", "GET", "market/time", costs={"http": 1}, lane=Lane.HEDGE)
        theirs = answer.get("time") if isinstance(answer, dict) else None
        if not isinstance(theirs, int):
            raise VenueFailed("bybit: /v5/market/time has no time")
        return theirs

    async def _listed(self, codes: Sequence[str] | None) -> dict[str, Market]:
        """The markets of ``codes`` that trade."""
        markets = markets_of(await self._instruments(), self.odd)
        return markets if codes is None else {code: markets[code] for code in codes if code in markets}

    async def _instruments(self) -> list[Any]:
        """A row of each market; one question for all of spot, which has no pages."""
        answer = await self.query("public", "GET", "market/instruments-info", _SPOT, costs={"http": 1})
        return orders.result_of(answer, Instruments, "instruments-info").list

    async def _with_fees(self, markets: Mapping[str, Market]) -> dict[str, Market]:
        """``markets`` with the account's own rates, and the asset that fees are taken in, which is a switch of the account."""
        answer = await self.query("private", "GET", "account/fee-rate", _SPOT, costs={"http": 1, "fee-rate": 1})
        fees_of: dict[str, tuple[Decimal, Decimal]] = {}
        for row in orders.result_of(answer, orders.Page, "fee-rate").list:
            with suppress(WireError):  # a market whose rate is missing is named below
                rate = read(row, orders.FeeRow, "fee-rate")
                fees_of[rate.symbol] = fee_rate(rate.takerFeeRate, "takerFeeRate"), fee_rate(rate.makerFeeRate, "makerFeeRate")
        answer = await self.query("private", "GET", "account/user-setting-config", costs={"http": 1, "account": 1})
        is_paid_in_coin = orders.result_of(answer, orders.TradeConfig, "user-setting-config").smsef
        if is_paid_in_coin:  # nothing is taken out of the coin bought; the undiscounted rate errs on the safe side
            log.info("bybit: fees are paid in %s while there is some; order sizes assume that", FEE_COIN)
        made = {}
        for code, market in markets.items():
            if code not in fees_of:
                self.odd[code] = "its fee rate is not told"
                continue
            taker, maker = fees_of[code]
            fees = replace(market.fees, taker=taker, maker=maker)
            if is_paid_in_coin:
                fees = replace(fees, taken_in=FeeTakenIn.COIN, coin=FEE_COIN)
            made[code] = replace(market, fees=fees)
        return made

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        params = {
            **_SPOT,
            "symbol": order.market.code,
            "side": "Buy" if order.side is Side.BUY else "Sell",
            "orderType": "Limit",
            "qty": plain(order.qty),
            "price": plain(order.price),
            "timeInForce": _TIFS[order.tif],
            "orderLinkId": order.client_order_id,
            "isLeverage": 0,
        }
        return await self._client.request("private", "POST", "order/create", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        placed = orders.result_of(answer, orders.Placed, "order/create")
        if placed.orderLinkId not in ("", order.client_order_id):
            raise WireError("order", f"the answer is of another order, {placed.orderLinkId}")
        accepted = OrderReport(self.name, order.client_order_id, placed.orderId, OrderState.ACCEPTED, ZERO)
        return await self._outcomes.of(order, accepted)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self._cancel(code, client_order_id, {"orderLinkId": client_order_id})

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self._cancel(order.code, order.client_order_id, {"orderId": order.venue_order_id})

    async def _cancel(self, code: str, client_order_id: str, name: Mapping[str, str]) -> None:
        await self.cancel_one(code, client_order_id, {**_SPOT, "symbol": code, **name}, costs={"http": 1, "cancel": 1})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`; one request for all orders of a kind, and we make but one kind."""
        done = await self._cancel_kind("Order")
        others = {row.filter for row in await self._open_rows(Lane.CANCEL)} - {"Order"}
        for kind in sorted(others):
            done += await self._cancel_kind(kind)
        return done

    async def _cancel_kind(self, kind: str) -> int:
        costs = {"http": 1, "cancel-all": 1}
        answer = await self.query("private", "POST", "order/cancel-all", {**_SPOT, "orderFilter": kind}, costs=costs, lane=Lane.CANCEL)
        with self.reading():
            return len(orders.result_of(answer, orders.Page, "cancel-all").list)

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        return [StandingOrder(row.symbol, row.orderLinkId, row.orderId) for row in await self._open_rows(Lane.CANCEL)]

    async def _open_rows(self, lane: Lane) -> list[orders.OrderRow]:
        params = {**_SPOT, "openOnly": 0, "limit": _ORDERS_A_PAGE}
        with self.reading():
            return await self._pages("order/realtime", params, orders.OrderRow, costs={"http": 1, "orders": 1}, lane=lane)

    async def _pages(self, path: str, params: Mapping[str, Any], kind: type[T], *, costs: Costs, lane: Lane) -> list[T]:
        """All rows of a list, page by page."""
        rows: list[T] = []
        asked: dict[str, Any] = dict(params)
        for _ in range(_MOST_PAGES):
            page = orders.result_of(await self.query("private", "GET", path, asked, costs=costs, lane=lane), orders.Page, path)
            rows += read(page.list, list[kind], path)  # type: ignore[valid-type]
            if not page.nextPageCursor or len(page.list) < params["limit"]:
                return rows
            asked = {**params, "cursor": page.nextPageCursor}
        raise WireError(path, f"more than {_MOST_PAGES} pages")

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        params = {**_SPOT, "orderLinkId": client_order_id}
        with self.reading():
            row = await self._row("order/realtime", params, {"http": 1, "orders": 1}, lane)
            if row is None:
                row = await self._row("order/history", params, {"http": 1, "history": 1}, lane)
            if row is None:
                return None
            report = orders.report_of(row)
            if not report.filled_qty:
                return report
            fills = await self._executions({**_SPOT, "orderId": row.orderId, "limit": _FILLS_A_PAGE}, lane)
            mine = (replace(orders.fill_of(fill, market), client_order_id=client_order_id) for fill in fills if fill.orderId == row.orderId)
            return replace(report, fills=tuple(mine))

    async def _row(self, path: str, params: Mapping[str, Any], costs: Costs, lane: Lane) -> orders.OrderRow | None:
        answer = await self.find("GET", path, params, costs=costs, lane=lane)
        if answer is None:
            return None
        rows = read(orders.result_of(answer, orders.Page, path).list, list[orders.OrderRow], path)
        if not rows:
            return None
        if len(rows) > 1 or rows[0].orderLinkId != params["orderLinkId"]:
            raise WireError(path, f"asked for {params['orderLinkId']}, got {', '.join(row.orderLinkId for row in rows)}")
        return rows[0]

    async def _executions(self, params: Mapping[str, Any], lane: Lane) -> list[orders.ExecutionRow]:
        """Trades, oldest first: the list begins with the newest."""
        rows = await self._pages("execution/list", params, orders.ExecutionRow, costs={"http": 1, "executions": 1}, lane=lane)
        return [row for row in reversed(rows) if row.execType == "Trade"]

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        with self.reading():
            return [orders.report_of(row) for row in await self._open_rows(lane)]

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`, window by window: a query spans 7 days. Nothing older than 90 days is queried."""
        fills: dict[str, Fill] = {}
        now_ms = self._clock.time_ms()
        start_ms = max(since_ms, now_ms - _HISTORY_MS)
        with self.reading():
            while start_ms <= now_ms + _AHEAD_MS:
                window = {"startTime": start_ms, "endTime": start_ms + _WINDOW_MS, "limit": _FILLS_A_PAGE}
                for row in await self._executions({**_SPOT, **window}, lane):
                    if row.symbol in self.markets:
                        fill = orders.fill_of(row, self.markets[row.symbol])
                        fills[fill.trade_id] = fill
                start_ms += _WINDOW_MS
        return sorted((fill for fill in fills.values() if fill.ts_event >= since_ms), key=lambda fill: fill.ts_event)

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        params = {"accountType": "UNIFIED"}
        answer = await self.query("private", "GET", "account/wallet-balance", params, costs={"http": 1, "balances": 1}, lane=lane)
        with self.reading():
            return orders.balances_of(orders.result_of(answer, orders.Wallets, "wallet-balance").list)

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`."""
        answer = await self.ask_aside("private", "asset/coin/query-info", costs={"http": 1, "coins": 1})
        with self.reading():
            return networks_of(orders.result_of(answer, Coins, "coin/query-info").rows, assets)

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """The topics ``order``, ``execution`` and ``wallet``, all over one connection; fills come with ``execution`` only."""
        kind, data = orders.event_of(frame)
        if kind == "order":
            for row in orders.orders_of_event(data):
                report = orders.report_of(row)
                account.on_order(report)
                self._outcomes.on_report(report)
        elif kind == "execution":
            for report in orders.report_of_executions(orders.executions_of_event(data), self.markets):
                account.on_order(report)
        elif kind == "wallet":
            account.on_balances(self.name, orders.balances_of_event(data))

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """The message ``auth``, then one for all topics; each is answered (Connect)."""
        await socket.send_str(json.dumps(self._client.signing.stream_login(), separators=(",", ":")))
        await confirmed(socket, take, lambda frame: orders.event_of(frame)[0] == "answer auth")
        await socket.send_str(json.dumps({"op": "subscribe", "args": _TOPICS}, separators=(",", ":")))
        await confirmed(socket, take, lambda frame: orders.event_of(frame)[0] == "answer subscribe")
