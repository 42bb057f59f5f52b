"""The local Upbit: joins its calls, sockets, keys and limits behind one port."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import Part, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import PublicTrade, Tape
from arbtui.sandbox.upbit.auth import UpbitAuth
from arbtui.sandbox.upbit.bodies import my_asset, my_order
from arbtui.sandbox.upbit.exchange import UpbitExchange, parse_query
from arbtui.sandbox.upbit.limits import UpbitLimits, refusal
from arbtui.sandbox.upbit.names import order_uuid, trade_uuid
from arbtui.sandbox.upbit.quotation import UpbitQuotation
from arbtui.sandbox.upbit.refusals import not_found, refused
from arbtui.sandbox.upbit.rewriting import rewritten
from arbtui.sandbox.upbit.stream import EVERY, PRIVATE, PUBLIC, Subscriptions
from arbtui.sandbox.venue import Premises, Venue

STREAM, PRIVATE_STREAM = "/websocket/v1", "/websocket/v1/private"

_Open = Callable[[Mapping[str, Any]], Awaitable[Any]]
_Signed = Callable[[Key, Mapping[str, Any]], Awaitable[Any]]


class UpbitVenue(Venue):
    """See :class:`Venue`."""

    name = "upbit"
    timestamps = re.compile(rb'"((?:trade_)?timestamp)":(\d{13})')

    def __init__(
        self,
        premises: Premises,
    ) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(UpbitDecoder, book_of, clock.time_ms)
        tape.on_trade_of = self._on_trade
        self._public = Subscriptions(PUBLIC, account.markets, clock, faults, self._snapshot)
        self._private = Subscriptions(PRIVATE, account.markets, clock, faults)
        super().__init__(premises, tape, self._public, self._private)
        self._limits = UpbitLimits(clock.monotonic, enforced=premises.limits)
        self._auth = UpbitAuth(premises.keys, faults)
        self._quotation = quotation = UpbitQuotation(account.markets, book_of, tape, self.is_halted, clock.time_ms)
        self._exchange = exchange = UpbitExchange(account, book_of, faults, self.is_halted, clock)
        self._last_books: dict[str, bytes] = {}
        self._last_trades: dict[str, bytes] = {}
        self._asset_events = 0
        self._open: dict[str, tuple[str, _Open]] = {
            "/v1/market/all": ("market", quotation.market_all),
            "/v1/orderbook": ("orderbook", quotation.orderbook),
            "/v1/orderbook/instruments": ("orderbook", quotation.instruments),
            "/v1/ticker": ("ticker", quotation.tickers),
            "/v1/ticker/all": ("ticker", quotation.all_tickers),
            "/v1/trades/ticks": ("trade", quotation.ticks),
        }
        self._signed: dict[tuple[str, str], tuple[str, Part, _Signed]] = {
            ("POST", "/v1/orders"): ("order", "order", exchange.place),
            ("POST", "/v1/orders/test"): ("order-test", "test", exchange.test),
            ("GET", "/v1/order"): ("default", "query", exchange.order),
            ("DELETE", "/v1/order"): ("default", "cancel", exchange.cancel),
            ("GET", "/v1/orders/open"): ("default", "query", exchange.open_orders),
            ("DELETE", "/v1/orders/open"): ("order-cancel-all", "cancel", exchange.cancel_all),
            ("GET", "/v1/orders/closed"): ("default", "query", exchange.closed_orders),
            ("GET", "/v1/orders/uuids"): ("default", "query", exchange.orders_by_id),
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
        """See :class:`Venue`: uuids."""
        for number in range(1, sum(self.account.log.rolled_up().values()) + 1):
            yield trade_uuid(number)
        for fill in self.account.log.fills():
            yield trade_uuid(fill.trade_id)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`: a uuid."""
        return order_uuid(order.number)

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
                return self._limits.take(group) or Answer(encode(await ask(parse_query(call.query))), 200, self._limits.header(group))
            return await self._answer_signed(call)
        except (ValueError, TypeError):  # an invalid number or type inside a parameter
            raise refused("validation_error") from None

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`."""
        return refusal(status, retry_after_s)

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return refused("duplicated_identifier").answer()

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
        """See :class:`Venue`: close what is idle."""
        self._public.close_idle()
        self._private.close_idle()

    def on_frames(self, frames: Sequence[bytes]) -> None:
        """See :class:`Venue`."""
        fanout, faults, books = self._public.fanout, self._public_faults, self._last_books
        for raw in frames:
            kind, code = _what(raw)
            if kind == "trade":
                raw = self._enriched(raw, code)
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
            raise not_found()
        group, part, ask = known
        throttled = self._limits.take(group)
        if throttled is not None:
            return throttled
        params: Mapping[str, Any]
        if call.method == "POST":
            try:
                params = msgspec.json.decode(call.body, type=dict[str, Any])
            except msgspec.MsgspecError:
                raise refused("validation_error") from None
            key = self._auth.check(call, params)
        else:
            params = parse_query(call.query)
            key = self._auth.check(call, None)
        if not key.can_trade and (group in ("order", "order-test") or part == "cancel"):  # one right, "주문하기"
            raise refused("out_of_scope")
        status = 201 if call.method == "POST" else 200
        return Answer(encode(await ask(key, params)), status, self._limits.header(group))

    def _snapshot(self, kind: str, code: str) -> bytes | None:
        if kind == "ticker":
            return encode(self._quotation.ticker_frame(code, "SNAPSHOT"))
        last = (self._last_books if kind == "orderbook" else self._last_trades).get(code)
        return None if last is None else self.skewed(last.replace(b'"stream_type":"REALTIME"', b'"stream_type":"SNAPSHOT"'))

    def _enriched(self, raw: bytes, code: str) -> bytes:
        """The simulator's trade with the best prices beside it, which the venue sends since 2024."""
        book = self._last_books.get(code)
        if book is None:
            return raw
        best = _best(book)
        return raw if best is None else raw.replace(b'"stream_type"', best + b'"stream_type"', 1)

    def _on_trade(self, code: str, trade: PublicTrade) -> None:
        if self._public.fanout.is_wanted(("ticker", code)):
            frozen = self._faults.take(WireFaultKind.FREEZE, symbol=code, stream="public")
            if frozen is None:
                self._public.fanout.put(("ticker", code), encode(self._quotation.ticker_frame(code, "REALTIME")))

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        market = self.account.markets[event.order.code]
        order = encode(my_order(event, market, self._exchange.ord_type(event.order)))
        self._events.send(event.order.code, "myOrder", order)
        if event.what is not What.NEW or not event.order.state.is_final:
            self._send_assets((market.base, market.quote), event.order.code, event.ts_ms)

    def _send_assets(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        balances = self.account.balances()
        self._asset_events += 1
        changed = {asset: balances[asset] for asset in assets if asset in balances}
        self._events.send(code, "myAsset", encode(my_asset(changed, self._asset_events, ts_ms)))

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if self.is_down:
            return
        self._private.fanout.put((kind, code), payload)
        self._private.fanout.put((kind, EVERY), payload)
        self._private.flush()


def _what(raw: bytes) -> tuple[str, str]:
    """Type and code of a frame as the simulator writes it: ``{"type":"orderbook","code":"KRW-BTC",...``."""
    end = raw.index(b'"', 9)
    start = end + 10
    return raw[9:end].decode(), raw[start : raw.index(b'"', start)].decode()


def _best(book: bytes) -> bytes | None:
    """The first unit of a book under the names that a trade has for it; None for an empty book."""
    start = book.find(b'"orderbook_units":[{') + len(b'"orderbook_units":[{')
    if start < len(b'"orderbook_units":[{'):
        return None
    unit = book[start : book.index(b"}", start)]
    for side in (b"ask", b"bid"):
        for what in (b"price", b"size"):
            unit = unit.replace(b'"' + side + b"_" + what, b'"best_' + side + b"_" + what)
    return unit + b","


DOOR = UpbitVenue
