"""OKX spot, orders and account.

Quirks, with the document (okx.com/docs-v5) that states each:
- Most refusals come with HTTP 200 (Error Code); what an order or a cancel met is its ``sCode`` (Place order).
- The answer to an order states that it was taken, not its outcome (Place order): an immediate order is looked up at once.
- A client id is unique among *open* orders only (Place order): a repeated IOC fills twice. Nothing here resends; "Client order ID already
  exists" means that an earlier copy was accepted. A look-up by it finds the newest order that had it (Order details).
- An order request that comes after the ``expTime`` in its header is not executed (Transaction Timeouts); each one here has one.
- An order that was cancelled without a fill is kept for two hours only (Order history): later "not found" is its end, without a fill.
- A trade's number is unique within its market only (Order channel).
- A spot order may borrow in the two margin modes, and in Spot mode where borrowing is switched on (Account configuration): such
  accounts are refused.
- There is no test order: "Order precheck" answers the margin modes only.
- There is no cancel of all spot orders: each is cancelled by itself.
- Money in the funding account is not seen, and cannot be traded with, until it is moved to the trading account.
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import last_price, number, read
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.okx import orders
from arbtui.exchanges.okx.networks import Currency, networks_of
from arbtui.exchanges.okx.refusals import refusal
from arbtui.exchanges.okx.rules import FeeRates, markets_of, with_fees
from arbtui.exchanges.okx.subscriptions import KEEPALIVE
from arbtui.exchanges.order_outcome import OrderOutcomes
from arbtui.exchanges.private_stream import PrivateStream, StreamEnded, confirmed
from arbtui.exchanges.queries import Costs, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed, VenueRefused, WireError
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, Order

log = logging.getLogger("arbtui")

#: Pauses before the look-ups of an immediate order just taken, in s.
_LOOK_AFTER_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
_ROWS_A_PAGE = 100
#: ms for which ``trade/fills`` keeps a fill; older ones are in ``trade/fills-history``, for three months.
_RECENT_MS = 3 * 86_400_000
#: Account modes in which a spot order spends what is there and nothing else: Spot mode and Futures mode.
_CASH_MODES = ("1", "2")
_PRIVATE_CHANNELS = ({"channel": "orders", "instType": "SPOT"}, {"channel": "account", "extraParams": '{"updateInterval": "0"}'})
_SPOT = {"instType": "SPOT"}


class _Ticker(msgspec.Struct, rename="camel"):
    inst_id: str
    last: str


class _Time(msgspec.Struct):
    ts: str


class OkxAdapter(CcxtAdapter):
    """OKX spot through ccxt. See :class:`ExchangeAdapter`."""

    refusals = staticmethod(refusal)
    order_costs: Costs = {"order": 1}  # noqa: RUF012  a constant of the venue, typed as a Mapping
    query_costs: Costs = {"order-query": 1}  # noqa: RUF012
    look_up = ("GET", "trade/order")
    cancel_order = ("POST", "trade/cancel-order")
    keepalive = KEEPALIVE

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, private_url, clock)
        self._outcomes = OrderOutcomes(self.fetch_order, _LOOK_AFTER_S)

    async def listed(self) -> Mapping[str, Listing]:
        """See :meth:`CcxtAdapter.listed`."""
        before = len(self.odd)
        try:
            markets = await self._listed()
            rows = orders.rows_of(await self.query("public", "GET", "market/tickers", _SPOT, costs={"ticker": 1}), Any, "tickers")
        except WireError as error:
            raise unreadable(self.name, error) from error
        last_prices: dict[str, float] = {}
        for row in rows:
            with suppress(WireError):  # a market that has never traded has no price
                ticker = read(row, _Ticker, "tickers")
                last_prices[ticker.inst_id] = last_price(number(ticker.last, "last") or ZERO)
        self.tell_odd(before)
        return {code: Listing(market, last_prices.get(code, 0.0)) for code, market in markets.items()}

    async def _listed(self) -> dict[str, Market]:
        """Every spot market that trades, with the documented fees."""
        answer = await self.query("public", "GET", "public/instruments", _SPOT, costs={"instruments": 1})
        return markets_of(orders.rows_of(answer, Any, "instruments"), self.odd)

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        return untold(await self._listed())

    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """See :meth:`CcxtAdapter.connect`; a key that can withdraw is refused, and an account that may borrow."""
        await self.measure_clock()
        try:
            config = await self._config()
            self._check(config)
            if not config.ip:
                log.warning("okx: this key works from every address; restrict it to this machine's")
            before = len(self.odd)
            self.markets = await self._rules_under(config, codes)
            self.tell_odd(before)
        except WireError as error:
            raise unreadable(self.name, error) from error

    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        return await self._rules_under(await self._config(), codes)

    async def _rules_under(self, config: orders.Config, codes: Sequence[str] | None) -> dict[str, Market]:
        """See :meth:`CcxtAdapter._rules`; how fees are taken is a setting of the account."""
        answer = await self.query("private", "GET", "account/instruments", _SPOT, costs={"instruments": 1})
        groups, leaving = {}, {}  # type: dict[str, str], dict[str, str]
        listed = markets_of(orders.rows_of(answer, Any, "instruments"), self.odd, groups, leaving)
        wanted = listed if codes is None else {code: listed[code] for code in codes if code in listed}
        for code in sorted(leaving.keys() & wanted.keys()):
            log.warning("okx: %s leaves the venue (expTime %s)", code, leaving[code])
        answer = await self.query("private", "GET", "account/trade-fee", _SPOT, costs={"trade-fee": 1})
        taken_in = FeeTakenIn.QUOTE if config.fee_type == "1" else FeeTakenIn.RECEIVED
        return with_fees(wanted, orders.row_of(answer, FeeRates, "trade-fee"), groups, taken_in, self.odd)

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: ``account/config`` states what a key may do."""
        config = await self._config()
        self._check(config)
        return f"may read and trade, cannot withdraw; works from {'listed addresses only' if config.ip else 'every address'}"

    async def check_account(self) -> None:
        """See :meth:`CcxtAdapter.check_account`."""
        with self.reading():
            self._check(await self._config())

    async def _config(self) -> orders.Config:
        answer = await self.query("private", "GET", "account/config", costs={"config": 1})
        config = orders.row_of(answer, orders.Config, "account/config")
        self.account_names = (f"uid {config.uid}",)
        return config

    def _check(self, config: orders.Config) -> None:
        rights = {right.strip() for right in config.perm.split(",")}
        if "withdraw" in rights:
            raise VenueRefused("okx: this key may withdraw; make one that can only read and trade, then delete this one")
        if "trade" not in rights:
            raise VenueRefused("okx: this key may not trade; allow Trade for it")
        if config.acct_lv not in _CASH_MODES:
            raise VenueRefused("okx: in this account's mode a spot order may borrow; choose Spot mode or Futures mode at OKX")
        if config.enable_spot_borrow:
            raise VenueRefused("okx: this account may borrow for spot orders; switch borrowing off at OKX")

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {"instId": market.code, "clOrdId": client_order_id}

    async def _venue_time_ms(self) -> int:
        answer = await self.query("public", "GET", "public/time", costs={"time": 1}, lane=Lane.HEDGE)
        with self.reading():
            theirs = orders.ms_of(orders.row_of(answer, _Time, "public/time").ts, "ts")
        if not theirs:
            raise VenueFailed("okx: public/time tells no time")
        return theirs

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        params = {
            "instId": order.market.code,
            "tdMode": "cash",
            "side": order.side.value,
            "ordType": orders.ORDER_TYPES[order.tif],
            "sz": plain(order.qty),
            "px": plain(order.price),
            "clOrdId": order.client_order_id,
        }
        return await self._client.request("private", "POST", "trade/order", params, lane=lane, costs=self.costs_of(order), admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        placed = orders.row_of(answer, orders.Placed, "order")
        if placed.cl_ord_id != order.client_order_id or placed.s_code != "0":
            raise WireError("order", f"the answer is of another order, {placed.cl_ord_id}, or no yes: {placed.s_code}")
        accepted = OrderReport(self.name, order.client_order_id, placed.ord_id, orders.state_of("live", ""), Decimal(0))
        return await self._outcomes.of(order, accepted)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`. OKX's yes says that the cancel was taken; the stream and look-ups report its end."""
        await self.cancel_one(code, client_order_id, {"instId": code, "clOrdId": client_order_id}, costs={"cancel": 1})

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        return [StandingOrder(row.inst_id, row.cl_ord_id, row.ord_id) for row in await self._open_rows(Lane.CANCEL)]

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        params = {"instId": order.code, "ordId": order.venue_order_id}
        await self.cancel_one(order.code, order.client_order_id, params, costs={"cancel": 1})

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        method, path = self.look_up
        answer = await self.find(method, path, {"instId": code, "clOrdId": client_order_id}, costs={"order-query": 1}, lane=lane)
        if answer is None:
            return None
        with self.reading():
            row = orders.row_of(answer, orders.OrderRow, "order")
            if row.cl_ord_id != client_order_id or row.inst_id != code:
                raise WireError("order", f"asked for {client_order_id}, got {row.cl_ord_id} in {row.inst_id}")
            report = orders.report_of(row)
            if not report.filled_qty:
                return report
            since_ms = orders.ms_of(row.u_time, "uTime")
            rows = await self._fill_rows({"instId": code, "ordId": row.ord_id}, since_ms or None, lane)
            fills = [replace(orders.fill_of(fill, market), client_order_id=client_order_id) for fill in rows if fill.ord_id == row.ord_id]
            return replace(report, fills=tuple(sorted(fills, key=lambda fill: fill.ts_event)))

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        with self.reading():
            return [orders.report_of(row) for row in await self._open_rows(lane)]

    async def _open_rows(self, lane: Lane) -> list[orders.OrderRow]:
        async def page(after: str | None) -> list[orders.OrderRow]:
            params = {**_SPOT, "limit": _ROWS_A_PAGE, **({} if after is None else {"after": after})}
            answer = await self.query("private", "GET", "trade/orders-pending", params, costs={"orders-pending": 1}, lane=lane)
            with self.reading():
                return orders.rows_of(answer, orders.OrderRow, "orders-pending")

        return await self.pages(page, lambda row: row.ord_id, _ROWS_A_PAGE)

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`: the last three months."""
        with self.reading():
            rows = await self._fill_rows({"begin": since_ms}, since_ms, lane)
            fills = [orders.fill_of(row, self.markets[row.inst_id]) for row in rows if row.inst_id in self.markets]
        return sorted((fill for fill in fills if fill.ts_event >= since_ms), key=lambda fill: fill.ts_event)

    async def _fill_rows(self, params: Mapping[str, Any], since_ms: int | None, lane: Lane) -> list[orders.FillRow]:
        """The account's fills that ``params`` choose, newest first; the long list where some may be older than the short one keeps."""
        is_old = since_ms is not None and since_ms < self._clock.time_ms() - _RECENT_MS
        path, costs = ("trade/fills-history", {"fills-history": 1.0}) if is_old else ("trade/fills", {"fills": 1.0})

        async def page(after: str | None) -> list[orders.FillRow]:
            asked = {**_SPOT, **params, "limit": _ROWS_A_PAGE, **({} if after is None else {"after": after})}
            return orders.rows_of(await self.query("private", "GET", path, asked, costs=costs, lane=lane), orders.FillRow, path)

        return await self.pages(page, lambda row: row.bill_id, _ROWS_A_PAGE)

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`: the trading account's."""
        answer = await self.query("private", "GET", "account/balance", costs={"balance": 1}, lane=lane)
        with self.reading():
            return orders.balances_of(orders.row_of(answer, orders.AccountRow, "balance"))

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`."""
        answer = await self.ask_aside("private", "asset/currencies", costs={"currencies": 1})
        with self.reading():
            return networks_of(orders.rows_of(answer, Currency, "asset/currencies"), assets)

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """The channels ``orders`` and ``account``, both over one connection."""
        pushed = orders.pushed_of(frame)
        if pushed.event:
            if pushed.event == "notice" and pushed.code == orders.UPGRADE:
                stream.renew()
            elif pushed.event == "channel-conn-count-error":
                raise StreamEnded("channel-conn-count-error", "too many connections subscribe to this channel")
            return
        for row in pushed.rows:
            if pushed.channel == "orders":
                report = orders.report_of_push(row, self.markets)
                if report is None:
                    continue
                self._outcomes.on_report(report)
                account.on_order(report)
            elif pushed.channel == "account":
                account.on_balances(self.name, orders.balances_of_push(row))

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """Log in, then subscribe: each is confirmed (docs-v5, "Login", "Subscribe")."""
        await socket.send_str(json.dumps({"op": "login", "args": [self._client.signing.stream_login()]}))
        await confirmed(socket, take, lambda frame: orders.pushed_of(frame).event == "login")
        await socket.send_str(json.dumps({"op": "subscribe", "args": _PRIVATE_CHANNELS}))
        await confirmed(socket, take, lambda frame: orders.pushed_of(frame).event == "subscribe", len(_PRIVATE_CHANNELS))
