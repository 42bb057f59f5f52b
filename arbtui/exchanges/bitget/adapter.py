"""Bitget spot (classic account, v2), orders and account.

Quirks, with the document that states each (bitget.com/api-doc, 2025-11):
- The answer to an order states that it was accepted, not its outcome ("Place Order"): an immediate order is looked up at once.
- An order is found by its ``clientOid`` for two hours only (changelog, 2025-03-20), an earlier edition says only while it is open:
  the orders of this run are asked for by the venue's id, and what is not found so is searched for in the lists of open and of ended
  orders, which name both ids.
- Neither an order nor a fill in a REST answer names the time in force; a fill does not name the client id ("Get Order Info", "Get Fills").
- ``cancel-symbol-order`` is executed after its answer ("Cancel Order by Symbol"): here each order is cancelled by itself.
- A request is refused when it comes later than ``receiveWindow`` after its time ("Place Order").
- There is no test order.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

import aiohttp

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import fee_rate, last_price, read
from arbtui.exchanges.bitget import orders
from arbtui.exchanges.bitget.limits import cost
from arbtui.exchanges.bitget.networks import Coin, networks_of
from arbtui.exchanges.bitget.orders import data_of
from arbtui.exchanges.bitget.refusals import refusal
from arbtui.exchanges.bitget.rules import CROSS, DOLLARS, FEE_COIN, markets_of
from arbtui.exchanges.bitget.subscriptions import KEEPALIVE
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.order_outcome import OrderOutcomes
from arbtui.exchanges.private_stream import PrivateStream, confirmed
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.signing import RECV_WINDOW_MS
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed, VenueRefused, WireError
from arbtui.model.market import Fees, FeeTakenIn, Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, OrderState

log = logging.getLogger("arbtui")

_PLACE = "v2/spot/trade/place-order"
_CANCEL = "v2/spot/trade/cancel-order"
_ORDER = "v2/spot/trade/orderInfo"

#: Pauses before the look-ups of an immediate order just accepted, in s; 20 a second are allowed.
_LOOK_AFTER_S = (0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
#: Up to this many markets, fees are asked for one by one (10 a second); beyond it the documented default of each is used.
_ASKED_ONE_BY_ONE = 50
#: Rows of one page of every list.
_A_PAGE = 100
#: Pages of ended orders of one market that are searched for a client id.
_PAGES_SEARCHED = 30
#: Ids that are remembered.
_REMEMBERED = 10_000
#: How far back fills are asked for, in ms ("Get Fills").
_HISTORY_MS = 90 * 86_400_000
#: ms before the sending from which an order is searched for: clocks differ.
_CLOCKS_DIFFER_MS = 10_000
#: What the private stream subscribes to.
_PRIVATE_CHANNELS = (
    {"instType": "SPOT", "channel": "orders", "instId": "default"},
    {"instType": "SPOT", "channel": "account", "coin": "default"},
)
#: Rights of a key ("Get Account Information", ``authorities``; the words of its example beside today's).
_TRADES = frozenset({"stow", "trade"})
_WITHDRAWS = frozenset({"wwow", "withdraw"})
_TRANSFERS = frozenset({"wtow", "transfer"})


class BitgetAdapter(CcxtAdapter):
    """Bitget spot through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = cost("order")
    query_costs: Costs = cost("order-info")
    look_up = ("GET", _ORDER)
    cancel_order = ("POST", _CANCEL)
    keepalive = KEEPALIVE

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._ids: dict[str, str] = {}  # client id -> venue id, newest last, bounded
        self._client_ids: dict[str, str] = {}  # venue id -> client id, the same
        self._sent: dict[str, tuple[str, int]] = {}  # client id of orders of this run -> time in force and time sent (ms)
        self._outcomes = OrderOutcomes(self.fetch_order, _LOOK_AFTER_S)

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            markets = await self._listed(await self._worth(self.quotes))
            rows = data_of(await self._public("v2/spot/market/tickers"), list[Any], "tickers")
        except WireError as error:
            raise unreadable(self.name, error) from error
        prices = {}
        for row in rows:
            code = str(row.get("symbol", "?")) if isinstance(row, dict) else "?"
            try:
                prices[code] = last_price(read(row, orders.Ticker, "tickers").lastPr)
            except WireError as error:
                if code in markets:
                    self.odd[code] = error.detail
        self.tell_odd(before)
        return {code: Listing(market, prices.get(code, 0.0)) for code, market in markets.items() if code not in self.odd}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        return untold(await self._listed(await self._worth(_crosses(codes))))

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`; a key that can withdraw is refused (``account/info``)."""
        await self.measure_clock()
        try:
            await self.check_keys()
            before = len(self.odd)
            self.markets = await self._rules(codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        listed = await self._listed(await self._worth(self.quotes if codes is None else _crosses(codes)))
        return await self._with_fees(listed if codes is None else {code: listed[code] for code in codes if code in listed})

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: ``account/info`` states what a key may do."""
        answer = await self.query("private", "GET", "v2/spot/account/info", costs=cost("account-info"))
        info = data_of(answer, orders.AccountInfo, "account/info")
        may = frozenset(info.authorities)
        if may & (_WITHDRAWS | _TRANSFERS):
            what = "withdraw" if may & _WITHDRAWS else "transfer between accounts"
            raise VenueRefused(f"bitget: this key may {what}; make one that can only read and trade, then delete this one")
        if not may & _TRADES:
            raise VenueRefused("bitget: this key may not trade spot; allow it to read and write there")
        self.account_names = (f"uid {info.userId}",)
        listed = bool((info.ips or "").strip())
        if not listed:
            log.warning("bitget: this key works from every address; restrict it to this machine's")
        return f"may read and trade, cannot withdraw; works from {'listed addresses only' if listed else 'every address'}"

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {"symbol": market.code, "clientOid": client_order_id}

    async def ask(self, method: str, path: str, params: Mapping[str, Any]) -> None:
        """See :meth:`CcxtAdapter.ask`; a query of an order does not name its market."""
        asked, costs = (params, cost("cancel")) if path == _CANCEL else ({"clientOid": params["clientOid"]}, self.query_costs)
        await self._client.request("private", method, path, asked, lane=Lane.HEDGE, costs=costs)

    async def _venue_time_ms(self) -> int:
        answer = await self.query("public", "GET", "v2/public/time", costs=cost("market"), lane=Lane.HEDGE)
        try:
            return int(data_of(answer, dict[str, Any], "time")["serverTime"])
        except (WireError, KeyError, TypeError, ValueError):
            raise VenueFailed("bitget: /api/v2/public/time has no serverTime") from None

    async def _public(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return await self.query("public", "GET", path, params, costs=cost("market"))

    async def _listed(self, worth: Mapping[str, Decimal]) -> dict[str, Market]:
        return markets_of(data_of(await self._public("v2/spot/public/symbols"), list[Any], "symbols"), self.odd, worth)

    async def _worth(self, quotes: Sequence[str]) -> dict[str, Decimal]:
        """What one of each of ``quotes`` that is no dollar is worth in dollars now; without a price it is left out, with its markets."""
        found = {}
        for quote in quotes:
            if quote not in DOLLARS:
                answer = await self._public("v2/spot/market/tickers", {"symbol": f"{quote}USDT"})
                for ticker in data_of(answer, list[orders.Ticker], "tickers"):
                    if last_price(ticker.lastPr):
                        found[quote] = ticker.lastPr
        return found

    async def _with_fees(self, markets: Mapping[str, Market]) -> dict[str, Market]:
        """``markets`` with the account's rates, and the asset that fees are taken in: that switch is the account's."""
        answer = await self.query("private", "GET", "v2/spot/account/deduct-info", costs=cost("deduct-info"))
        in_coin = data_of(answer, orders.Deduct, "deduct-info").deduct == "on"
        if in_coin:  # nothing is taken out of the coin bought; the undiscounted rate errs on the safe side
            log.info("bitget: fees are paid in %s while there is some; order sizes assume that", FEE_COIN)
        rates = {code: market.fees for code, market in markets.items()}
        if len(markets) <= _ASKED_ONE_BY_ONE:
            asked = await asyncio.gather(*map(self._rate, markets.values()))
            rates = {code: fees for code, fees in zip(markets, asked, strict=True) if fees is not None}
        made = {}
        for code, fees in rates.items():
            if in_coin:
                fees = replace(fees, taken_in=FeeTakenIn.COIN, coin=FEE_COIN)
            made[code] = replace(markets[code], fees=fees)
        return made

    async def _rate(self, market: Market) -> Fees | None:
        """The account's fees in ``market``; None, named in :attr:`odd`, where it tells none that make sense."""
        params = {"symbol": market.code, "businessType": "spot"}
        answer = await self.query_of_market(market.code, "private", "v2/common/trade-rate", params, costs=cost("trade-rate"))
        if answer is None:
            return None
        try:
            told = data_of(answer, orders.TradeRate, "trade-rate")
            return replace(
                market.fees, taker=fee_rate(told.takerFeeRate, "takerFeeRate"), maker=fee_rate(told.makerFeeRate, "makerFeeRate")
            )
        except WireError as error:
            self.odd[market.code] = str(error)
            return None

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        self._sent[order.client_order_id] = (order.tif.value, self._clock.time_ms())
        _bound(self._sent)
        params = {
            "symbol": order.market.code,
            "side": order.side.value,
            "orderType": "limit",
            "force": order.tif.value,
            "price": plain(order.price),
            "size": plain(order.qty),
            "clientOid": order.client_order_id,
            "receiveWindow": str(RECV_WINDOW_MS),
        }
        return await self._client.request("private", "POST", _PLACE, params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        placed = data_of(answer, orders.Placed, "order")
        if placed.clientOid and placed.clientOid != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {placed.clientOid}")
        self._learn(placed.orderId, order.client_order_id)
        accepted = OrderReport(self.name, order.client_order_id, placed.orderId, OrderState.ACCEPTED, order.filled_qty)
        return await self._outcomes.of(order, accepted)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self.cancel_one(code, client_order_id, {"symbol": code, "clientOid": client_order_id}, costs=cost("cancel"))

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        with self.reading():
            return [StandingOrder(row.code, row.clientOid or "", row.orderId) for row in await self._open_rows(Lane.CANCEL)]

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        named = {"symbol": order.code, "orderId": order.venue_order_id}
        await self.cancel_one(order.code, order.client_order_id, named, costs=cost("cancel"))

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        with self.reading():
            row = await self._row_of(code, client_order_id, lane)
            if row is None:
                return None
            self._learn(row.orderId, client_order_id)
            fills: tuple[Fill, ...] = ()
            if row.baseVolume:
                found = await self._fill_rows({"symbol": code, "orderId": row.orderId}, lane)
                fills = tuple(orders.fill_of_row(one, market, client_order_id) for one in reversed(found) if one.orderId == row.orderId)
            return orders.report_of(row, fills, self._sent.get(client_order_id, ("", 0))[0])

    async def _row_of(self, code: str, client_order_id: str, lane: Lane) -> orders.OrderRow | None:
        """The order of that id, wherever the venue keeps it."""
        known = self._ids.get(client_order_id)
        row = await self._info({"clientOid": client_order_id} if known is None else {"orderId": known}, lane)
        if row is None:
            row = await self._search(code, client_order_id, lane)
        if row is not None and (row.clientOid != client_order_id or row.code != code):
            raise WireError("order", f"asked for {client_order_id}, got {row.clientOid} in {row.code}")
        return row

    async def _info(self, params: Mapping[str, str], lane: Lane) -> orders.OrderRow | None:
        answer = await self.find(*self.look_up, params, costs=cost("order-info"), lane=lane)
        if answer is None:
            return None
        rows = data_of(answer, list[orders.OrderRow], "orderInfo")
        return rows[0] if rows else None

    async def _search(self, code: str, client_order_id: str, lane: Lane) -> orders.OrderRow | None:
        """An order that is not found by its client id any more: among the open ones of its market, then among those that have ended."""
        _, sent_ms = self._sent.get(client_order_id, ("", 0))
        params = {"symbol": code, "limit": str(_A_PAGE)}
        for row in await self._open_rows(lane, {"symbol": code}):
            if row.clientOid == client_order_id:
                return row
        if sent_ms:
            params["startTime"] = str(sent_ms - _CLOCKS_DIFFER_MS)
        for _ in range(_PAGES_SEARCHED):
            answer = await self.query("private", "GET", "v2/spot/trade/history-orders", params, costs=cost("history"), lane=lane)
            rows = data_of(answer, list[orders.OrderRow], "history-orders")
            for row in rows:
                if row.clientOid == client_order_id:
                    return row
            if len(rows) < _A_PAGE:
                return None
            params["idLessThan"] = rows[-1].orderId
        raise VenueFailed(
            f"bitget: {client_order_id} is not among the newest {_PAGES_SEARCHED * _A_PAGE} ended orders of {code}, and Bitget finds "
            "a client id for two hours only: look it up there"
        )

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        with self.reading():
            return [orders.report_of(row) for row in await self._open_rows(lane)]

    async def _open_rows(self, lane: Lane, of: Mapping[str, str] | None = None) -> list[orders.OrderRow]:
        async def page(after: str | None) -> list[orders.OrderRow]:
            params = _page(of or {}, after)
            answer = await self.query("private", "GET", "v2/spot/trade/unfilled-orders", params, costs=cost("open-orders"), lane=lane)
            return data_of(answer, list[orders.OrderRow], "unfilled-orders")

        rows = await self.pages(page, lambda row: row.orderId, _A_PAGE)
        for row in rows:
            if row.clientOid:
                self._learn(row.orderId, row.clientOid)
        return rows

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`. Nothing older than 90 days is told."""
        fills: list[Fill] = []
        with self.reading():
            for row in await self._fill_rows({"startTime": str(max(since_ms, self._clock.time_ms() - _HISTORY_MS))}, lane):
                market = self.markets.get(row.symbol.upper())
                if market is not None and row.ts_ms >= since_ms:
                    fills.append(orders.fill_of_row(row, market, await self._client_id(row.orderId, lane)))
        return sorted(fills, key=lambda fill: fill.ts_event)

    async def _fill_rows(self, params: Mapping[str, str], lane: Lane) -> list[orders.FillRow]:
        async def page(after: str | None) -> list[orders.FillRow]:
            asked = _page(params, after)
            answer = await self.query("private", "GET", "v2/spot/trade/fills", asked, costs=cost("fills"), lane=lane)
            return data_of(answer, list[orders.FillRow], "fills")

        return await self.pages(page, lambda row: row.tradeId, _A_PAGE)

    async def _client_id(self, order_id: str, lane: Lane) -> str:
        known = self._client_ids.get(order_id)
        if known is None:
            row = await self._info({"orderId": order_id}, lane)
            known = "" if row is None else row.clientOid or ""
            self._learn(order_id, known)
        return known

    def _learn(self, order_id: str, client_order_id: str) -> None:
        self._client_ids[order_id] = client_order_id
        _bound(self._client_ids)
        if client_order_id:
            self._ids[client_order_id] = order_id
            _bound(self._ids)

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        answer = await self.query("private", "GET", "v2/spot/account/assets", costs=cost("assets"), lane=lane)
        with self.reading():
            return orders.balances_of(data_of(answer, list[orders.AssetRow], "assets"))

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`; public."""
        answer = await self.ask_aside("public", "v2/spot/public/coins", costs=cost("coins"))
        with self.reading():
            rows = data_of(answer, list[Any], "coins")
            wanted = [row for row in rows if isinstance(row, dict) and row.get("coin") in assets]
            return networks_of(read(wanted, list[Coin], "coins"), assets)

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """``orders`` and ``account``, both over one connection."""
        kind, channel, data = orders.event_of(frame)
        if kind == "data" and channel == "orders":
            for report in orders.reports_of_event(data, self.markets):
                if report.client_order_id:
                    self._learn(report.venue_order_id, report.client_order_id)
                self._outcomes.on_report(report)
                account.on_order(report)
        elif kind == "data" and channel == "account":
            account.on_balances(self.name, orders.balances_of_event(data))

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """``login``, then one message for both channels; each is confirmed by an answer of its own ("Websocket API")."""
        await socket.send_json({"op": "login", "args": [self._client.signing.stream_login()]})
        await confirmed(socket, take, lambda frame: orders.event_of(frame)[0] == "login")
        await socket.send_json({"op": "subscribe", "args": _PRIVATE_CHANNELS})
        await confirmed(socket, take, lambda frame: orders.event_of(frame)[0] == "subscribe", len(_PRIVATE_CHANNELS))


def _page(params: Mapping[str, str], after: str | None) -> dict[str, str]:
    """``params`` of a list's first page, or of the one behind ``after``."""
    asked = {**params, "limit": str(_A_PAGE)}
    return asked if after is None else {**asked, "idLessThan": after}


def _bound(ids: dict[str, Any]) -> None:
    """Forget the oldest."""
    for key in list(islice(ids, max(len(ids) - _REMEMBERED, 0))):
        del ids[key]


def _crosses(codes: Sequence[str]) -> Sequence[str]:
    """The coins that any of the markets ``codes`` is priced in."""
    return [CROSS] if any(code.endswith(CROSS) for code in codes) else []
