"""The local Bitget: joins its calls, sockets, keys and limits behind one port."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from arbtui.exchanges.bitget.wire import BitgetDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.bitget.auth import BitgetAuth
from arbtui.sandbox.bitget.bodies import asset_body, order_event, pushed
from arbtui.sandbox.bitget.limits import BitgetLimits
from arbtui.sandbox.bitget.market_data import BitgetMarketData
from arbtui.sandbox.bitget.names import order_id, trade_id
from arbtui.sandbox.bitget.refusals import body_of, refused
from arbtui.sandbox.bitget.rewriting import rewritten
from arbtui.sandbox.bitget.stream import EVERY, PrivateSockets, PublicSockets
from arbtui.sandbox.bitget.trading import BitgetTrading
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import Part
from arbtui.sandbox.keys import NO_KEY, Key
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises, Venue

FEE_COIN = "BGB"

_API = "/api/v2"
_CODE = re.compile(rb'"channel":"(\w+)","instId":"(\w+)"')
_ACTION = re.compile(rb'"action":"\w+"')
_TIMES = re.compile(rb'"ts":("?)(\d{13})("?)')


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One REST call: how often a second, which kind of request it is, who answers; ``writes``: needs the right to trade."""

    a_second: int
    part: Part
    ask: Callable[[Key, Mapping[str, Any]], Awaitable[Any]]
    signed: bool = True
    writes: bool = False


class BitgetVenue(Venue):
    """See :class:`Venue`."""

    name = "bitget"
    public_path = "/v2/ws/public"
    private_path = "/v2/ws/private"
    ladders = frozenset({"books15"})
    books = frozenset({"books15", "books1"})
    wants_passphrase = True
    errors_have_codes = True
    error_pattern = r"\d{3,6}"
    error_example = "43012"
    timestamps = re.compile(rb'"(ts)":(\d{13})')

    def __init__(self, premises: Premises) -> None:
        account, faults, clock = premises.account, premises.faults, premises.clock
        tape = Tape(BitgetDecoder, premises.book_of, clock.time_ms)
        auth = BitgetAuth(premises.keys, faults, clock)
        self._public = PublicSockets(account.markets, clock, faults, premises.cut_after_s, self._first)
        self._private = PrivateSockets(auth, clock, faults, premises.cut_after_s, self._first_of_account)
        super().__init__(premises, tape, self._public, self._private)
        self._auth = auth
        self._limits = BitgetLimits(clock.monotonic, enforced=premises.limits)
        self._last: dict[tuple[str, str], bytes] = {}
        self._endpoints = _endpoints(
            BitgetMarketData(account.markets, premises.book_of, tape, self.is_halted, clock.time_ms),
            BitgetTrading(account, faults, self.is_halted, clock, FEE_COIN),
        )

    @property
    def is_ready(self) -> bool:
        """See :class:`Venue`: every market has opened."""
        return sum(channel == "books15" for channel, _ in self._last) == len(self.account.markets)

    def trade_id(self, number: int | str) -> str:
        """See :class:`Venue`."""
        return trade_id(number)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`."""
        return order_id(order.number)

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`."""
        return rewritten(raw, prices, empty)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._endpoints.get((call.method, call.path))
        if known is None:
            return "public", None
        try:
            return known.part, call.parameters(refused("40017")).get("symbol")
        except Refusal:
            return known.part, None

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        try:
            data = await self._data(call)
        except Refusal as no:
            no.body["requestTime"] = self._clock.time_ms()
            raise
        return Answer(encode({"code": "00000", "msg": "success", "requestTime": self._clock.time_ms(), "data": data}))

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`; Bitget tells neither a ban nor for how long."""
        return self._told(refused("429"))

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return self._told(refused("43118"))

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`."""
        return self._told(Refusal(status, body_of(code, words)))

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        if not self._limits.connects():
            return response_of(self._told(refused("429")))
        sockets = self._public if request.path == self.public_path else self._private
        peer = await self.accept(request)
        await sockets.serve(peer)
        return peer.response

    def what(self, raw: bytes) -> tuple[str, str]:
        """See :class:`Venue`: channel and market."""
        found = _CODE.search(raw, 0, 120)
        if found is None:
            raise ValueError(f"no frame of the simulator's: {raw[:120]!r}")
        return found[1].decode(), found[2].decode()

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """See :class:`Venue`."""
        self._last[kind, code] = raw
        if kind == "trade":
            self._tape.feed(raw)
        return raw

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_assets((asset,), "", self._clock.time_ms())

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        if event.what is What.DONE:  # the last fill has told it
            return
        code = event.order.code
        self._events.send(code, "orders", encode(pushed("orders", "instId", [order_event(event)], event.ts_ms)))
        market = self.account.markets[code]
        self._send_assets((market.base, market.quote, FEE_COIN), code, event.ts_ms)

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if not self.is_down:
            self._private.fanout.put((kind, EVERY), payload)
            self._private.fanout.flush()

    def skewed(self, raw: bytes) -> bytes:
        """See :class:`Venue`: some times are texts."""
        skew = self._clock.skew_ms
        return raw if not skew else _TIMES.sub(lambda found: b'"ts":%s%d%s' % (found[1], int(found[2]) + skew, found[3]), raw)

    async def _data(self, call: Call) -> Any:
        known = self._endpoints.get((call.method, call.path))
        if known is None:
            raise refused("40404")
        if not self._limits.passes(call.path, known.a_second):
            raise refused("429")
        key = self._auth.check(call) if known.signed else NO_KEY
        if known.writes and not key.can_trade:
            raise refused("40014", "trade")
        try:
            return await known.ask(key, call.parameters(refused("40017")))
        except (ValueError, TypeError, OverflowError):  # an invalid number or type inside a parameter
            raise refused("40017") from None

    def _told(self, no: Refusal) -> Answer:
        no.body["requestTime"] = self._clock.time_ms()
        return no.answer()

    def _first(self, key: tuple[str, str]) -> bytes | None:
        """The last message of a public channel, as it is sent to a new subscriber."""
        last = self._last.get(key)
        return None if last is None else self.skewed(_ACTION.sub(b'"action":"snapshot"', last, count=1))

    def _first_of_account(self, key: tuple[str, str]) -> bytes | None:
        """All balances, to a new subscriber of them."""
        if key[0] != "account":
            return None
        now = self._clock.time_ms()
        return encode(pushed("account", "coin", [asset_body(coin, one, now) for coin, one in self.account.balances().items()], now))

    def _send_assets(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        balances = self.account.balances()
        rows = [asset_body(asset, balances[asset], ts_ms) for asset in assets if asset in balances]
        self._events.send(code, "account", encode(pushed("account", "coin", rows, ts_ms)))


def _endpoints(data: BitgetMarketData, trading: BitgetTrading) -> dict[tuple[str, str], Endpoint]:
    """Every call, each limit from its own page."""

    def public(a_second: int, ask: Callable[[Mapping[str, str]], Awaitable[Any]]) -> Endpoint:
        return Endpoint(a_second, "public", lambda _, params: ask(params), signed=False)

    calls = {
        ("GET", "public/time"): public(20, data.time),
        ("GET", "spot/public/symbols"): public(20, data.symbols),
        ("GET", "spot/market/tickers"): public(20, data.tickers),
        ("GET", "spot/market/orderbook"): public(20, data.orderbook),
        ("GET", "spot/public/coins"): public(3, data.coins),
        ("GET", "margin/currencies"): public(10, data.margin),
        ("POST", "spot/trade/place-order"): Endpoint(10, "order", trading.place, writes=True),
        ("POST", "spot/trade/cancel-order"): Endpoint(10, "cancel", trading.cancel, writes=True),
        ("GET", "spot/trade/orderInfo"): Endpoint(20, "query", trading.order),
        ("GET", "spot/trade/unfilled-orders"): Endpoint(20, "query", trading.open_orders),
        ("GET", "spot/trade/history-orders"): Endpoint(20, "query", trading.ended_orders),
        ("GET", "spot/trade/fills"): Endpoint(10, "query", trading.fills),
        ("GET", "spot/account/info"): Endpoint(1, "account", trading.info),
        ("GET", "spot/account/assets"): Endpoint(10, "account", trading.assets),
        ("GET", "spot/account/deduct-info"): Endpoint(5, "account", trading.deduct),
        ("GET", "common/trade-rate"): Endpoint(10, "account", trading.rate),
    }
    return {(method, f"{_API}/{path}"): call for (method, path), call in calls.items()}


DOOR = BitgetVenue
