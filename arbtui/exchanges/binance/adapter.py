"""Binance spot, orders and account.

Quirks, with the document that states each:
- A client id is unique among *open* orders only (developers.binance.com, Spot, New order): a repeated IOC fills twice.
  Nothing here resends; "Duplicate order sent" means that an earlier copy was accepted.
- ``myTrades`` takes one symbol and names orders by the venue's id only.
- 5xx, -1006 and -1007: "execution status unknown" (General API information, HTTP return codes; Error codes).
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from math import inf
from typing import Any

import aiohttp
import msgspec

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import fee_rate, last_price, read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.binance import announcements, orders
from arbtui.exchanges.binance.networks import Coin, networks_of
from arbtui.exchanges.binance.refusals import refusal
from arbtui.exchanges.binance.rules import FEE_COIN, markets_of
from arbtui.exchanges.binance.signing import BinanceSigning
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing, smallest_order
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.private_stream import PrivateStream, StreamEnded, confirmed
from arbtui.exchanges.queries import ARCHIVED, Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed, VenueRefused, WireError
from arbtui.model.market import Fees, FeeTakenIn, Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, Order, OrderState

log = logging.getLogger("arbtui")

#: Up to this many symbols, commission and fills are queried per symbol (weight 20 of 6,000 a minute each); beyond
#: it, the account's common rates are used, and fills are queried for symbols traded since the start, and some more, only.
_ASKED_ONE_BY_ONE = 50
#: s before a symbol that Binance did not know is asked for again.
_UNKNOWN_FOR_S = 600.0
#: s between two attempts to hear notices, at most, where this account or this address may not.
_NOTICES_REFUSED_S = 600.0
#: So many markets whose commission cannot be read, one after another, are no oddity of a market.
_ODD_AT_MOST = 5
_SYMBOLS_A_REQUEST = 100
_TRADES_A_PAGE = 1000


class _Price(msgspec.Struct):
    symbol: str
    price: Decimal


class BinanceAdapter(CcxtAdapter):
    """Binance spot through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"weight": 1, "orders": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = {"weight": 4}  # noqa: RUF012

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._traded: dict[str, None] = {}  # symbols whose fills are asked for, however many are connected
        self._expected: dict[str, None] = {}  # and those whose fills are asked for once
        self._client_ids: dict[tuple[str, int], str] = {}  # (symbol, venue id) -> client id, newest last, bounded
        self._unknown: dict[str, float] = {}  # symbols that Binance does not know, and when it said so, in monotonic s

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            markets = await self._listed(None)
            rows = read(await self.query("public", "GET", "ticker/price", costs={"weight": 4}), list[Any], "ticker/price")
        except WireError as error:
            raise unreadable(self.name, error) from error
        last_prices = {}
        for row in rows:
            try:
                price = read(row, _Price, "ticker/price")
            except WireError as error:
                code = str(row.get("symbol", "?")) if isinstance(row, dict) else "?"
                if code in markets:
                    self.odd[code] = error.detail
            else:
                last_prices[price.symbol] = price.price
        self.tell_odd(before)
        markets = {code: market for code, market in markets.items() if code not in self.odd}
        return {code: Listing(market, last_price(last_prices.get(code, ZERO))) for code, market in markets.items()}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        trading: dict[str, Market] = {}
        for start in range(0, len(codes), _SYMBOLS_A_REQUEST):
            trading |= await self._listed(codes[start : start + _SYMBOLS_A_REQUEST])
        return untold(trading)

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`; a key that can withdraw is refused (``/sapi/v1/account/apiRestrictions``)."""
        await self.measure_clock()
        try:
            await self.check_keys()
            account = await self._account()
            if not account.canTrade:
                raise VenueRefused("binance: this account may not trade (account.canTrade is false)")
            before = len(self.odd)
            self.markets = await self._with_commissions(await self._listed(codes), account)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        account = await self._account()
        return await self._with_commissions(await self._listed(codes), account)

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: ``/sapi/v1/account/apiRestrictions`` states what a key may do."""
        answer = await self.query("sapi", "GET", "account/apiRestrictions", costs={"weight": 1})
        may = read(answer, orders.KeyRestrictions, "apiRestrictions")
        if may.enableWithdrawals or may.enableInternalTransfer:
            what = "withdraw" if may.enableWithdrawals else "transfer between accounts"
            raise VenueRefused(f"binance: this key may {what}; make one that can only read and trade, then delete this one")
        if not may.enableSpotAndMarginTrading:
            raise VenueRefused("binance: this key may not trade; allow 'Spot & Margin Trading' for it")
        if not may.ipRestrict:
            log.warning("binance: this key works from every address; restrict it to this machine's")
        return f"may read and trade, cannot withdraw; works from {'listed addresses only' if may.ipRestrict else 'every address'}"

    async def check_account(self) -> None:
        """See :meth:`CcxtAdapter.check_account`."""
        with self.reading():
            account = await self._account()
        if not account.canTrade:
            raise VenueRefused("binance: this account may not trade (account.canTrade is false); ask Binance's support")

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {"symbol": market.code, "origClientOrderId": client_order_id}

    async def test_order(self) -> None:
        """See :meth:`CcxtAdapter.test_order`: ``POST /api/v3/order/test``. It does not reach the matching engine."""
        market = self.any_market()
        told = read(await self.query("public", "GET", "ticker/price", {"symbol": market.code}, costs={"weight": 2}), _Price, "ticker/price")
        qty, price = smallest_order(market, told.price)
        params = {
            "symbol": market.code,
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "IOC",
            "quantity": plain(qty),
            "price": plain(price),
        }
        await self._client.request("private", "POST", "order/test", params, lane=Lane.HEDGE, costs={"weight": 1})

    async def _account(self, lane: Lane = Lane.DATA) -> orders.Account:
        answer = await self.query("private", "GET", "account", {"omitZeroBalances": "true"}, costs={"weight": 20}, lane=lane)
        account = read(answer, orders.Account, "account")
        if account.uid is not None:
            self.account_names = (f"uid {account.uid}",)
        return account

    async def _listed(self, codes: Sequence[str] | None) -> dict[str, Market]:
        """The markets of ``codes`` that trade; those of a long list are picked from all."""
        if codes is not None and len(codes) <= _SYMBOLS_A_REQUEST:
            now = self._clock.monotonic()
            return await self._named([code for code in codes if now - self._unknown.get(code, -inf) >= _UNKNOWN_FOR_S])
        listed = markets_of(await self.query("public", "GET", "exchangeInfo", {"permissions": "SPOT"}, costs={"weight": 20}), self.odd)
        return listed if codes is None else {code: listed[code] for code in codes if code in listed}

    async def _named(self, codes: Sequence[str]) -> dict[str, Market]:
        """The markets of ``codes`` that trade. One name that is not known fails a whole list: it is found by halves, and remembered."""
        if not codes:
            return {}
        names = {"symbols": json.dumps(list(codes), separators=(",", ":"))}
        try:
            answer = await self._client.request("public", "GET", "exchangeInfo", names, lane=Lane.DATA, costs={"weight": 20})
        except RequestFailed as error:
            if error.answer.code != "-1121":
                raise error.of_query() from None
            if len(codes) == 1:
                self._unknown[codes[0]] = self._clock.monotonic()
                log.warning("binance: it does not know %s (-1121); asked again in %g min", codes[0], _UNKNOWN_FOR_S / 60)
                return {}
            half = len(codes) // 2
            return {**await self._named(codes[:half]), **await self._named(codes[half:])}
        return markets_of(answer, self.odd)

    async def _with_commissions(self, markets: Mapping[str, Market], account: orders.Account) -> dict[str, Market]:
        """The rates of ``markets``, and the asset that fees are taken in: that switch is the account's, so one market tells it."""
        if len(markets) > _ASKED_ONE_BY_ONE:
            common = account.commissionRates
            taker, maker = fee_rate(common.taker, "commissionRates"), fee_rate(common.maker, "commissionRates")
            fees = replace(await self._first_fees(markets), taker=taker, maker=maker)
            return {code: replace(market, fees=fees) for code, market in markets.items() if code not in self.odd}
        made = await asyncio.gather(*(self._with_commission(market) for market in markets.values()))
        return {market.code: market for market in made if market is not None}

    async def _first_fees(self, markets: Mapping[str, Market]) -> Fees:
        """The fees of the first of ``markets`` whose commission can be read.

        Raises:
            WireError: it cannot be read of several.
        """
        before = len(self.odd)
        for market in islice(markets.values(), _ODD_AT_MOST):
            made = await self._with_commission(market)
            if made is not None:
                return made.fees
        raise WireError("commission", f"it cannot be read: {'; '.join(list(self.odd.values())[before:])}")

    async def _with_commission(self, market: Market) -> Market | None:
        """``market`` with the account's own fees; None, and named, where the venue tells none that make sense."""
        named = {"symbol": market.code}
        answer = await self.query_of_market(market.code, "private", "account/commission", named, costs={"weight": 20})
        if answer is None:
            return None
        try:
            commission = read(answer, orders.Commission, "commission")
            fees = replace(market.fees, taker=commission.taker, maker=commission.maker)
        except WireError as error:
            self.odd[market.code] = str(error)
            return None
        if commission.is_paid_in_bnb:  # nothing is taken out of the coin bought; the undiscounted rate errs on the safe side
            log.info("binance %s: fees are paid in %s while there is some; order sizes assume that", market.code, FEE_COIN)
            fees = replace(fees, taken_in=FeeTakenIn.COIN, coin=FEE_COIN)
        return replace(market, fees=fees)

    async def _venue_time_ms(self) -> int:
        answer = await self.query("public", "GET", "time", costs={"weight": 1}, lane=Lane.HEDGE)
        theirs = answer.get("serverTime") if isinstance(answer, dict) else None
        if not isinstance(theirs, int):
            raise VenueFailed("binance: /api/v3/time has no serverTime")
        return theirs

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        self._traded[order.market.code] = None
        params = {
            "symbol": order.market.code,
            "side": order.side.value.upper(),
            "type": "LIMIT",
            "timeInForce": order.tif.value.upper(),
            "quantity": plain(order.qty),
            "price": plain(order.price),
            "newClientOrderId": order.client_order_id,
            "newOrderRespType": "FULL",
        }
        return await self._client.request("private", "POST", "order", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        report = orders.report_of_answer(answer, order.market, self._clock.time_ms())
        if report.client_order_id != order.client_order_id:
            raise WireError("order", f"the answer is of another order, {report.client_order_id}")
        self._learn(order.market.code, int(report.venue_order_id), report.client_order_id)
        return report

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        params = {"symbol": code, "origClientOrderId": client_order_id}
        await self.cancel_one(code, client_order_id, params, costs={"weight": 1})

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`; one request lists the open orders, then one for each symbol cancels them."""
        rows = await self._open_rows(Lane.CANCEL)
        symbols = dict.fromkeys(row.symbol for row in rows)
        done = await asyncio.gather(*(self._cancel_symbol(symbol) for symbol in symbols), return_exceptions=True)
        for result in done:  # every symbol is tried before the first refusal is told
            if isinstance(result, BaseException):
                raise result
        return sum(count for count in done if isinstance(count, int))

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        return [StandingOrder(row.symbol, row.clientOrderId, str(row.orderId)) for row in await self._open_rows(Lane.CANCEL)]

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        params = {"symbol": order.code, "orderId": order.venue_order_id}
        await self.cancel_one(order.code, order.client_order_id, params, costs={"weight": 1})

    async def _cancel_symbol(self, symbol: str) -> int:
        answer = await self.find("DELETE", "openOrders", {"symbol": symbol}, costs={"weight": 1}, lane=Lane.CANCEL)
        return len(answer) if isinstance(answer, list) else 0

    async def _open_rows(self, lane: Lane) -> list[orders.OrderRow]:
        answer = await self.query("private", "GET", "openOrders", costs={"weight": 80}, lane=lane)
        with self.reading():
            return read(answer, list[orders.OrderRow], "openOrders")

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        self._traded[code] = None  # also of an earlier run's: its fills are a part of what proves it absent
        params = {"symbol": code, "origClientOrderId": client_order_id}
        answer = await self.find("GET", "order", params, costs={"weight": 4}, lane=lane)
        if answer is None:
            return None
        if answer is ARCHIVED:
            return OrderReport(self.name, client_order_id, "", OrderState.EXPIRED, ZERO, (), "ORDER_ARCHIVED")
        with self.reading():
            row = read(answer, orders.OrderRow, "order")
            if row.clientOrderId != client_order_id:
                raise WireError("order", f"asked for {client_order_id}, got {row.clientOrderId}")
            self._learn(code, row.orderId, client_order_id)
            trades: list[orders.TradeRow] = []
            if row.executedQty:
                fills = await self.query(
                    "private", "GET", "myTrades", {"symbol": code, "orderId": row.orderId}, costs={"weight": 5}, lane=lane
                )
                trades = [one for one in read(fills, list[orders.TradeRow], "myTrades") if one.orderId == row.orderId]
            return orders.report_of(row, tuple(orders.fill_of_trade(trade, market, client_order_id) for trade in trades))

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        with self.reading():
            return [orders.report_of(row) for row in await self._open_rows(lane)]

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`, with one limitation: Binance lists fills by symbol only.

        Queried are all connected symbols while there are 50 or fewer, else those that orders were sent to or looked up in since the start,
        and those of :meth:`expect_fills`.
        """
        codes = self.markets if len(self.markets) <= _ASKED_ONE_BY_ONE else {**self._traded, **self._expected}
        fills: list[Fill] = []
        with self.reading():
            for code in list(codes):
                market = self.market(code)
                for row in await self._trades_since(code, since_ms, lane):
                    client_order_id = await self._client_id(code, row.orderId, lane)
                    fills.append(orders.fill_of_trade(row, market, client_order_id))
        self._expected = {}
        return sorted(fills, key=lambda fill: fill.ts_event)

    def expect_fills(self, assets: Collection[str]) -> None:
        """See :meth:`ExchangeAdapter.expect_fills`: a fill moves its symbol's base. Of more than 50 symbols the first 50 are listed."""
        codes = (code for code, market in self.markets.items() if market.base in assets)
        self._expected = dict.fromkeys(islice(codes, _ASKED_ONE_BY_ONE))

    async def _trades_since(self, code: str, since_ms: int, lane: Lane) -> list[orders.TradeRow]:
        params: dict[str, Any] = {"symbol": code, "startTime": since_ms, "limit": _TRADES_A_PAGE}
        rows: list[orders.TradeRow] = []
        while True:
            answer = await self.query("private", "GET", "myTrades", params, costs={"weight": 20}, lane=lane)
            page = read(answer, list[orders.TradeRow], "myTrades")
            rows += page
            if len(page) < _TRADES_A_PAGE:
                return rows
            params = {"symbol": code, "fromId": max(row.id for row in page) + 1, "limit": _TRADES_A_PAGE}

    async def _client_id(self, code: str, order_id: int, lane: Lane) -> str:
        known = self._client_ids.get((code, order_id))
        if known is None:
            answer = await self.query("private", "GET", "order", {"symbol": code, "orderId": order_id}, costs={"weight": 4}, lane=lane)
            known = read(answer, orders.OrderRow, "order").clientOrderId
            self._learn(code, order_id, known)
        return known

    def _learn(self, code: str, order_id: int, client_order_id: str) -> None:
        self._client_ids[code, order_id] = client_order_id
        if len(self._client_ids) > 10_000:
            del self._client_ids[next(iter(self._client_ids))]

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        with self.reading():
            return orders.balances_of(await self._account(lane))

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`."""
        answer = await self.ask_aside("sapi", "capital/config/getall", costs={"weight": 10})
        with self.reading():
            return networks_of(read(answer, list[Coin], "capital/config/getall"), assets)

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """The user data stream of the ws-api."""
        kind, event = orders.event_of(frame)
        if kind == "executionReport":
            report = orders.report_of_event(event, self.markets)
            self._learn_of(report)
            account.on_order(report)
        elif kind == "outboundAccountPosition":
            account.on_balances(self.name, orders.balances_of_event(event))
        elif kind == "eventStreamTerminated":
            raise StreamEnded("eventStreamTerminated")
        elif kind == "serverShutdown":  # the server is about to end: a new connection before the cut (WebSocket API, Connection events)
            stream.renew()

    async def watch_notices(self, account: AccountEvents) -> None:
        """See :meth:`CcxtAdapter.watch_notices`: a socket of their own, whose failures touch nothing else."""

        def on_frame(frame: bytes) -> None:
            try:
                said = announcements.announcement_of(frame)
            except WireError as error:
                log.error("binance: a notice cannot be read (%s); read it at the venue", error)
                return
            if said is not None:
                account.on_announcement(said)

        async def heard(*_: Any) -> None:
            """The handshake names the topic: nothing is sent."""

        signing = self._client.signing
        assert isinstance(signing, BinanceSigning)
        await PrivateStream(
            self.name,
            signing.notices_url,
            headers=signing.notices_headers,
            query=signing.notices_query,
            subscribe=heard,
            on_frame=on_frame,
            on_open=lambda: log.info("binance: its notices are heard"),
            on_close=lambda: None,
            on_refused=lambda _: None,
            limits=self._client.limits,
            health=None,
            refused_pause_s=_NOTICES_REFUSED_S,
            what="notices",
        ).run()

    def _learn_of(self, report: OrderReport) -> None:
        for fill in report.fills:
            self._traded[fill.market] = None
            self._learn(fill.market, int(report.venue_order_id), report.client_order_id)

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """``userDataStream.subscribe.signature``; listenKeys are not used for spot any more (Spot, User Data Stream requests)."""
        await socket.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": self._client.signing.stream_login()})
        await confirmed(socket, take, lambda frame: orders.event_of(frame)[0] == "answer")
