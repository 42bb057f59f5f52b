"""The local Bithumb: joins its calls, sockets, keys and limits behind one port."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from arbtui.exchanges.bithumb.wire import BithumbDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.bithumb.auth import BithumbAuth
from arbtui.sandbox.bithumb.bodies import my_asset, my_order
from arbtui.sandbox.bithumb.exchange import BithumbExchange
from arbtui.sandbox.bithumb.limits import BithumbLimits, refusal
from arbtui.sandbox.bithumb.names import order_id, trade_id
from arbtui.sandbox.bithumb.parameters import parse_query
from arbtui.sandbox.bithumb.quotation import BithumbQuotation
from arbtui.sandbox.bithumb.refusals import no_route, refused
from arbtui.sandbox.bithumb.rewriting import rewritten
from arbtui.sandbox.bithumb.stream import EVERY, PRIVATE, PUBLIC, Subscriptions
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import Part
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises, Venue

STREAM, PRIVATE_STREAM = "/websocket/v1", "/websocket/v2/private"

_Open = Callable[[Mapping[str, Any]], Awaitable[Any]]
_Signed = Callable[[Key, Mapping[str, Any]], Awaitable[Any]]

_KIND = re.compile(rb'\{"type":"(orderbook|trade)","code":"([^"]+)"')


class BithumbVenue(Venue):
    """See :class:`Venue`."""

    name = "bithumb"
    timestamps = re.compile(rb'"((?:trade_)?timestamp)":(\d{13})')  # of a book's microseconds the first digits, which are ms

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(BithumbDecoder, book_of, clock.time_ms)
        self._public = Subscriptions(PUBLIC, account.markets, clock, faults, self._snapshot)
        self._private = Subscriptions(PRIVATE, account.markets, clock, faults)
        super().__init__(premises, tape, self._public, self._private)
        self._limits = BithumbLimits(clock.monotonic, enforced=premises.limits)
        self._auth = BithumbAuth(premises.keys, faults, clock.time_ms)
        quotation = BithumbQuotation(account.markets, book_of, tape, clock.time_ms)
        self._exchange = exchange = BithumbExchange(account, faults, self.is_halted, clock)
        self._last_books: dict[str, bytes] = {}
        self._last_trades: dict[str, bytes] = {}
        self._open: dict[str, tuple[str, _Open]] = {
            "/v1/market/all": ("market", quotation.market_all),
            "/v1/orderbook": ("orderbook", quotation.orderbook),
            "/v1/ticker": ("ticker", quotation.tickers),
            "/v1/trades/ticks": ("trades", quotation.ticks),
        }
        self._signed: dict[tuple[str, str], tuple[str, Part, _Signed]] = {
            ("POST", "/v2/orders"): ("order", "order", exchange.place),
            ("DELETE", "/v2/order"): ("cancel", "cancel", exchange.cancel),
            ("POST", "/v2/orders/cancel"): ("batch", "cancel", exchange.cancel_many),
            ("GET", "/v1/order"): ("default", "query", exchange.order),
            ("GET", "/v2/orders/pending"): ("default", "query", exchange.pending),
            ("GET", "/v2/orders/history"): ("default", "query", exchange.history),
            ("GET", "/v1/orders/chance"): ("default", "account", exchange.chance),
            ("GET", "/v1/accounts"): ("default", "account", exchange.accounts),
            ("GET", "/v1/status/wallet"): ("default", "wallet", exchange.wallet_status),
            ("GET", "/v1/withdraws/chance"): ("default", "wallet", exchange.withdraw_chance),
            ("GET", "/v1/withdraws/coin_addresses"): ("default", "wallet", exchange.withdraw_addresses),
            ("GET", "/v1/api_keys"): ("default", "account", exchange.api_keys),
        }

    @classmethod
    def urls(cls, address: str) -> dict[str, str]:
        """See :class:`Venue`."""
        return {"rest": f"http://{address}", "stream": f"ws://{address}{STREAM}", "private": f"ws://{address}{PRIVATE_STREAM}"}

    def trade_ids(self) -> Iterator[str]:
        """See :class:`Venue`."""
        for number in range(1, sum(self.account.log.rolled_up().values()) + 1):
            yield trade_id(number)
        for fill in self.account.log.fills():
            yield trade_id(fill.trade_id)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`."""
        return order_id(order.number)

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`."""
        return rewritten(raw, prices, empty)

    @property
    def is_ready(self) -> bool:
        """See :class:`Venue`: every market has opened."""
        return len(self._last_books) == len(self.account.markets)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._signed.get((call.method, call.path))
        if known is None:
            return "public", None
        try:
            symbol = (msgspec.json.decode(call.body) if call.body else parse_query(call.query)).get("market")
        except (msgspec.MsgspecError, AttributeError):
            symbol = None
        return known[1], symbol

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        public = self._open.get(call.path) if call.method == "GET" else None
        try:
            if public is not None:
                group, ask = public
                return self._limits.take(group) or Answer(encode(await ask(parse_query(call.query))), 200, self._limits.headers(group))
            return await self._answer_signed(call)
        except (ValueError, TypeError):  # an invalid number or type inside a parameter
            raise refused("invalid_parameter") from None

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`: how long it lasts is not told."""
        return refusal(status)

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return refused("duplicate_client_order_id").answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`."""
        return Answer(encode({"error": {"name": code, "message": words}}), status)

    def is_socket(self, path: str) -> bool:
        """See :class:`Venue`."""
        return path in (STREAM, PRIVATE_STREAM)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        throttled = self._limits.take("websocket-connect")
        if throttled is not None:
            return response_of(throttled)
        sockets = self._public
        if request.path == PRIVATE_STREAM:
            sockets = self._private
            try:
                self._auth.check_socket(request.headers)
            except Refusal as no:
                return response_of(no.answer())
        peer = await self.accept(request)
        await sockets.serve(peer)
        return peer.response

    def housekeep(self) -> None:
        """See :class:`Venue`: answer pings, close what is idle."""
        self._public.housekeep()
        self._private.housekeep()

    def on_frames(self, frames: Sequence[bytes]) -> None:
        """See :class:`Venue`."""
        fanout, faults, books = self._public.fanout, self._public_faults, self._last_books
        for raw in frames:
            kind, code = _what(raw)
            if kind == "trade":
                self._last_trades[code] = raw
                self._tape.feed(raw)
            else:
                books[code] = raw
            if fanout.is_wanted((kind, code)):
                for frame in faults.sent(f"{kind} {code}", code, raw, ladder=kind == "orderbook", book=kind == "orderbook"):
                    fanout.put((kind, code), self.skewed(frame))
        self._public.flush()

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_assets((asset,), "", self._clock.time_ms())

    async def _answer_signed(self, call: Call) -> Answer:
        known = self._signed.get((call.method, call.path))
        if known is None:
            raise no_route()
        group, part, ask = known
        throttled = self._limits.take(group)
        if throttled is not None:
            return throttled
        params: Mapping[str, Any]
        if call.method == "POST":
            try:
                params = msgspec.json.decode(call.body, type=dict[str, Any])
            except msgspec.MsgspecError:
                raise refused("invalid_parameter") from None
            key = self._auth.check(call, params)
        else:
            params = parse_query(call.query)
            key = self._auth.check(call, None)
        if part in ("order", "cancel"):
            if not key.can_trade:
                raise refused("out_of_scope")
            code = str(params.get("market", "")) if part == "order" else self._exchange.code_of(params)
            throttled = self._limits.take_of_asset(group, code) if code else None
            if throttled is not None:
                return throttled
        return Answer(encode(await ask(key, params)), 201 if part == "order" else 200)

    def _snapshot(self, kind: str, code: str) -> bytes | None:
        last = (self._last_books if kind == "orderbook" else self._last_trades).get(code)
        return None if last is None else self.skewed(last.replace(b'"stream_type":"REALTIME"', b'"stream_type":"SNAPSHOT"'))

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        market = self.account.markets[event.order.code]
        self._events.send(event.order.code, "myOrder", encode(my_order(event, market)))
        if event.what is not What.NEW or not event.order.state.is_final:
            self._send_assets((market.base, market.quote), event.order.code, event.ts_ms)

    def _send_assets(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        balances = self.account.balances()
        changed = {asset: balances[asset] for asset in assets if asset in balances}
        self._events.send(code, "myAsset", encode(my_asset(changed, ts_ms)))

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if self.is_down:
            return
        self._private.fanout.put((kind, code), payload)
        self._private.fanout.put((kind, EVERY), payload)
        self._private.flush()


def _what(raw: bytes) -> tuple[str, str]:
    """Type and code of a frame as the simulator writes it."""
    found = _KIND.match(raw)
    if found is None:
        raise ValueError(f"the simulator has sent {raw[:60]!r}")
    return found[1].decode(), found[2].decode()


DOOR = BithumbVenue
