"""The local Bybit: joins its calls, sockets, keys and limits behind one port."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from aiohttp import web

from arbtui.exchanges.bybit.wire import BybitDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.bybit.auth import BybitAuth
from arbtui.sandbox.bybit.bodies import event as event_body
from arbtui.sandbox.bybit.bodies import execution_row, order_row, wallet
from arbtui.sandbox.bybit.limits import BybitLimits, forbidden, overloaded
from arbtui.sandbox.bybit.market_data import BybitMarketData
from arbtui.sandbox.bybit.names import execution_id, order_id
from arbtui.sandbox.bybit.refusals import refused
from arbtui.sandbox.bybit.stream import BOOK, PrivateSockets, PublicSockets
from arbtui.sandbox.bybit.trading import BybitTrading
from arbtui.sandbox.call import Call
from arbtui.sandbox.endpoint import Endpoint, Open
from arbtui.sandbox.faults import Part
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.sandbox.venue import Premises, Venue

_NUMBER = re.compile(rb'"u":(\d+)')
_SPOT = {"category": "spot", "isLeverage": "0"}


class BybitVenue(Venue):
    """See :class:`Venue`."""

    name = "bybit"
    public_path = "/v5/public/spot"
    private_path = "/v5/private"
    ladders = books = frozenset({BOOK})
    timestamps = re.compile(rb'"(ts|cts|T)":(\d{13})')

    errors_have_codes = True
    flags = ("stTag",)
    error_pattern = r"-?\d{1,7}"
    error_example = "170131"

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(BybitDecoder, book_of, clock.time_ms)
        self._numbers: dict[str, int] = {}  # of the last update of each book
        self._trades = TradeNumbers(account.log.fills(), account.log.rolled_up())
        self._limits = BybitLimits(clock, enforced=premises.limits)
        self._auth = BybitAuth(premises.keys, faults, clock)
        self._public = PublicSockets(clock, faults, account.markets, self._snapshot)
        self._private = PrivateSockets(clock, faults, self._auth)
        super().__init__(premises, tape, self._public, self._private)
        self._data = data = BybitMarketData(
            account.markets, book_of, lambda code: self._numbers.get(code, 0), tape, faults, self.is_halted, clock.time_ms
        )
        data.flags_of = self.flags_of
        trading = BybitTrading(account, self._trades, faults, self.is_halted, clock)
        self._events_sent = 0
        self._open: dict[str, Open] = {
            "/v5/market/time": data.time,
            "/v5/market/instruments-info": data.instruments,
            "/v5/market/orderbook": data.orderbook,
            "/v5/market/tickers": data.tickers,
            "/v5/market/recent-trade": data.recent_trades,
        }
        self._signed: dict[tuple[str, str], Endpoint] = {
            ("POST", "/v5/order/create"): Endpoint("create", "order", trading.place),
            ("POST", "/v5/order/cancel"): Endpoint("cancel", "cancel", trading.cancel),
            ("POST", "/v5/order/cancel-all"): Endpoint("cancel-all", "cancel", trading.cancel_all),
            ("GET", "/v5/order/realtime"): Endpoint("orders", "query", trading.realtime),
            ("GET", "/v5/order/history"): Endpoint("history", "query", trading.history),
            ("GET", "/v5/execution/list"): Endpoint("executions", "query", trading.executions),
            ("GET", "/v5/account/wallet-balance"): Endpoint("balances", "account", trading.wallet_balance),
            ("GET", "/v5/account/info"): Endpoint("info", "account", trading.info),
            ("GET", "/v5/account/user-setting-config"): Endpoint("config", "account", trading.config),
            ("GET", "/v5/account/fee-rate"): Endpoint("fee-rate", "account", trading.fee_rates),
            ("GET", "/v5/user/query-api"): Endpoint("key", "account", trading.key_info),
            ("GET", "/v5/asset/coin/query-info"): Endpoint("coins", "wallet", trading.coins),
        }

    def trade_ids(self) -> Iterator[str]:
        """See :class:`Venue`: the number with its symbol, as each symbol has a trade 1."""
        for market, fills in self.account.log.rolled_up().items():
            for number in range(1, fills + 1):
                yield f"{market}:{execution_id(number)}"
        for fill in self.account.log.fills():
            yield f"{fill.market}:{execution_id(self._trades.of(fill))}"

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`."""
        return order_id(order.number)

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`; each changed level is sent as if it were the best of its side."""
        frame: dict[str, Any] = json.loads(raw)
        data = frame["data"]
        for key, side in (("b", 0), ("a", 1)):
            data[key] = [[f"{prices(float(price), float(price))[side]:.12f}", qty] for price, qty in data[key]]
        return json.dumps(frame, separators=(",", ":")).encode()

    @property
    def is_ready(self) -> bool:
        """See :class:`Venue`: every market has opened."""
        return len(self._numbers) == len(self.account.markets)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._signed.get((call.method, call.path))
        if known is None:
            return "public", None
        try:
            symbol = call.parameters(refused(10001)).get("symbol")
        except Refusal:
            symbol = None
        return known.part, None if symbol is None else str(symbol)

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        throttled = self._limits.take()
        if throttled is not None:
            return throttled
        public = self._open.get(call.path) if call.method == "GET" else None
        known = self._signed.get((call.method, call.path))
        if public is None and known is None:
            return Answer(b"", 404)
        try:
            params = call.parameters(refused(10001))
            if public is not None:
                return Answer(self._body(await public(params)))
            assert known is not None
            key = self._auth.check(call)
            throttled = self._limits.take_of(known.group)
            if throttled is not None:
                return throttled
            return Answer(self._body(await known.ask(key, params)), 200, self._limits.headers(known.group))
        except Refusal as no:
            return Answer(encode({**no.body, "time": self._clock.time_ms()}), no.status, no.headers)
        except (ValueError, TypeError):  # an invalid number or type inside a parameter
            return refused(10001).answer()

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`: a ban is a 403, which does not say how long it lasts."""
        return forbidden() if status == 418 else overloaded()

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return refused(170141).answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`: Bybit's errors have status 200, where no other is told."""
        return refused(int(code), words, 200 if status == 400 else status).answer()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        throttled = self._limits.connect()
        if throttled is not None:
            return response_of(throttled)
        peer = await self.accept(request)
        await (self._private if request.path == self.private_path else self._public).serve(peer)
        return peer.response

    def what(self, raw: bytes) -> tuple[str, str]:
        """See :class:`Venue`: the topic's parts."""
        kind, _, code = raw[10 : raw.index(b'"', 10)].decode().rpartition(".")
        return kind, code

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """See :class:`Venue`."""
        if kind == BOOK:
            found = _NUMBER.search(raw)
            self._numbers[code] = int(found[1]) if found is not None else 0
        else:
            self._tape.feed(raw)
        return raw

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_wallet((asset,), "", self._clock.time_ms())

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`: a fill is an ``execution``, and each new state of the order an ``order``."""
        order = event.order
        if event.what is What.DONE:  # the last fill has told it
            return
        if event.fill is not None:
            row = {**execution_row(event.fill, order, self._trades.of(event.fill)), **_SPOT, "execPnl": "0"}
            self._send("execution", order.code, event.ts_ms, row)
        self._send("order", order.code, event.ts_ms, {**order_row(order), "category": "spot", "feeCurrency": ""})
        market = self.account.markets[order.code]
        self._send_wallet((market.base, market.quote), order.code, event.ts_ms)

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if not self.is_down:
            self._private.send_event(kind, payload)

    def _send(self, topic: str, code: str, now_ms: int, row: Mapping[str, Any]) -> None:
        self._events_sent += 1
        self._events.send(code, topic, encode(event_body(topic, self._events_sent, now_ms, row)))

    def _send_wallet(self, assets: Sequence[str], code: str, now_ms: int) -> None:
        balances = self.account.balances()
        self._send("wallet", code, now_ms, wallet({asset: balances[asset] for asset in assets if asset in balances}))

    def _snapshot(self, code: str) -> Sequence[bytes]:
        """The whole book now, with the number of the last update: the next one sets what has changed since, whatever stands here."""
        bids, asks = self._data.levels(code, 50)
        now, number = self._clock.time_ms(), self._numbers.get(code, 0)
        data = {"s": code, "b": bids, "a": asks, "u": number, "seq": number}
        raw = encode({"topic": f"{BOOK}.{code}", "ts": now, "type": "snapshot", "data": data, "cts": now})
        return self._public_faults.sent(f"whole {code}", code, raw, ladder=False, book=False)

    def _body(self, result: Any) -> bytes:
        return encode({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self._clock.time_ms()})


DOOR = BybitVenue
