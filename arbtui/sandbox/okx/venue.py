"""The local OKX: joins its calls, sockets, keys and limits behind one port."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from aiohttp import web

from arbtui.exchanges.okx.wire import OkxDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.endpoint import Endpoint, Open
from arbtui.sandbox.faults import Part, Stream
from arbtui.sandbox.okx.auth import OkxAuth
from arbtui.sandbox.okx.bodies import UID, balance_push, order_push
from arbtui.sandbox.okx.limits import OkxLimits
from arbtui.sandbox.okx.market_data import MOST_LEVELS, OkxMarketData
from arbtui.sandbox.okx.names import order_id
from arbtui.sandbox.okx.refusals import failed, refused
from arbtui.sandbox.okx.stream import PrivateSockets, PublicSockets
from arbtui.sandbox.okx.trading import OkxTrading
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.sandbox.venue import Premises, Venue

_HEAD = re.compile(rb'\{"arg":\{"channel":"([^"]+)","instId":"([^"]+)"')
_NUMBER = re.compile(rb'"seqId":(\d+)')
#: Codes of orders and cancels, which stand in the operation's own row.
_OF_OPERATIONS = ("51",)


class OkxVenue(Venue):
    """See :class:`Venue`."""

    name = "okx"
    public_path = "/ws/v5/public"
    private_path = "/ws/v5/private"
    ladders = frozenset({"books"})
    books = frozenset({"books", "bbo-tbt"})
    timestamps = re.compile(rb'"(ts)":"(\d{13})"')

    wants_passphrase = True
    errors_have_codes = True
    error_pattern = r"\d{1,5}"
    error_example = "51008"
    announces_shutdown = True

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(OkxDecoder, book_of, clock.time_ms)
        self._seq_ids: dict[str, int] = {}  # of the last change of each book
        self._touches: dict[str, bytes] = {}  # the last best prices
        self._numbers = TradeNumbers(account.log.fills(), account.log.rolled_up())
        self._limits = OkxLimits(clock.monotonic, enforced=premises.limits)
        self._auth = OkxAuth(premises.keys, faults, clock)
        self._public = PublicSockets(clock, faults, account.markets, self._first)
        self._private = PrivateSockets(clock, faults, self._auth, self._first_private)
        super().__init__(premises, tape, self._public, self._private)
        self._data = data = OkxMarketData(
            account.markets, book_of, lambda code: self._seq_ids.get(code, 0), tape, self.is_halted, clock.time_ms
        )
        trading = OkxTrading(account, self._numbers, faults, self.is_halted, clock)
        self._open: dict[str, tuple[str, Open]] = {
            "/api/v5/public/time": ("time", data.time),
            "/api/v5/public/instruments": ("instruments", data.instruments),
            "/api/v5/market/tickers": ("tickers", data.tickers),
            "/api/v5/market/ticker": ("ticker", data.ticker),
            "/api/v5/market/books": ("books", data.books),
        }
        self._signed: dict[tuple[str, str], Endpoint] = {
            ("POST", "/api/v5/trade/order"): Endpoint("order", "order", trading.place),
            ("POST", "/api/v5/trade/cancel-order"): Endpoint("cancel", "cancel", trading.cancel),
            ("GET", "/api/v5/trade/order"): Endpoint("order-query", "query", trading.order),
            ("GET", "/api/v5/trade/orders-pending"): Endpoint("orders-pending", "query", trading.pending),
            ("GET", "/api/v5/trade/fills"): Endpoint("fills", "query", trading.fills),
            ("GET", "/api/v5/trade/fills-history"): Endpoint("fills-history", "query", trading.fills_history),
            ("GET", "/api/v5/account/balance"): Endpoint("balance", "account", trading.balance),
            ("GET", "/api/v5/account/config"): Endpoint("config", "account", trading.config),
            ("GET", "/api/v5/account/trade-fee"): Endpoint("trade-fee", "account", trading.trade_fee),
            ("GET", "/api/v5/account/instruments"): Endpoint("account-instruments", "account", lambda _, params: data.instruments(params)),
            ("GET", "/api/v5/asset/currencies"): Endpoint("currencies", "wallet", trading.currencies),
        }

    def trade_ids(self) -> Iterator[str]:
        """See :class:`Venue`: the number with its market, as each market has a trade 1."""
        for market, fills in self.account.log.rolled_up().items():
            for number in range(1, fills + 1):
                yield f"{market}:{number}"
        for fill in self.account.log.fills():
            yield f"{fill.market}:{self._numbers.of(fill)}"

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`."""
        return order_id(order.number)

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`; of a book, each level as if it were the best of its side."""
        frame: dict[str, Any] = json.loads(raw)
        for book in frame["data"]:
            is_touch = "prevSeqId" not in book and book["bids"] and book["asks"]
            pair = (float(book["bids"][0][0]), float(book["asks"][0][0])) if is_touch else None
            for key, side in (("bids", 0), ("asks", 1)):
                for level in book[key]:
                    level[0] = f"{prices(*(pair or (float(level[0]), float(level[0]))))[side]:.12f}"
                    if empty and side:
                        level[1] = "0"
        return json.dumps(frame, separators=(",", ":")).encode()

    @property
    def is_ready(self) -> bool:
        """See :class:`Venue`: every market has opened."""
        return len(self._seq_ids) == len(self.account.markets)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._signed.get((call.method, call.path))
        if known is None:
            return "public", None
        try:
            code = call.parameters(refused("50002", words="JSON syntax error", status=400)).get("instId")
        except Refusal:
            code = None
        return known.part, None if code is None else str(code)

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        arrived_ms = self._clock.time_ms()
        public = self._open.get(call.path) if call.method == "GET" else None
        known = self._signed.get((call.method, call.path))
        if public is None and known is None:
            return Answer(encode({"msg": "", "code": "404", "data": []}), 404)
        try:
            params = call.parameters(refused("50002", words="JSON syntax error", status=400))
            if public is not None:
                group, ask = public
                return self._limits.take(group) or Answer(encode({"code": "0", "msg": "", "data": await ask(params)}))
            assert known is not None
            key = self._auth.check(call)
            throttled = self._limits.take(known.group, str(params.get("instId", "")))
            if throttled is not None:
                return throttled
            if known.part == "order" and int(call.headers.get("expTime", arrived_ms)) < arrived_ms:
                raise refused("50036")
            body = {"code": "0", "msg": "", "data": await known.ask(key, params)}
        except (ValueError, TypeError):  # an invalid number or type inside a parameter
            raise refused("51000", "value") from None
        times = {"inTime": str(arrived_ms * 1000), "outTime": str(self._clock.time_ms() * 1000)} if call.method == "POST" else {}
        return Answer(encode({**body, **times}))

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`: OKX documents no ban; both are its 429, which does not say how long to wait."""
        return refused("50011").answer()

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return failed("51016").answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`: most of OKX's errors have status 200, where no other is told."""
        if code.startswith(_OF_OPERATIONS):
            return failed(code, words=words).answer()
        return refused(code, words=words, status=0 if status == 400 else status).answer()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        throttled = self._limits.take("connect")
        if throttled is not None:
            return response_of(throttled)
        peer = await self.accept(request)
        await (self._private if request.path == self.private_path else self._public).serve(peer)
        return peer.response

    def shut_down(self, stream: Stream, after_s: float) -> None:
        """See :class:`Venue`: the notice of an upgrade; OKX's own comes 60 seconds before."""
        if stream in ("any", "public"):
            self._public.announce_end(after_s)
        if stream in ("any", "private"):
            self._private.announce_end(after_s)

    def what(self, raw: bytes) -> tuple[str, str]:
        """See :class:`Venue`: channel and market."""
        head = _HEAD.match(raw)
        if head is None:
            raise ValueError(f"no frame of OKX's: {raw[:80]!r}")
        return head[1].decode(), head[2].decode()

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """See :class:`Venue`."""
        if kind == "books":
            self._seq_ids[code] = _seq_id(raw)
        elif kind == "bbo-tbt":
            self._touches[code] = raw
        else:
            self._tape.feed(raw)
        return raw

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_balances((asset,), "", self._clock.time_ms())

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`: each change of an order, a fill among them, and what it left in the account."""
        order = event.order
        if event.what is What.DONE:  # the last fill has told it
            return
        market = self.account.markets[order.code]
        number = None if event.fill is None else self._numbers.of(event.fill)
        arg = {"channel": "orders", "instType": "SPOT", "uid": UID}
        self._events.send(order.code, "orders", encode({"arg": arg, "data": [order_push(event, market, number)]}))
        self._send_balances((market.base, market.quote), order.code, event.ts_ms)

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if not self.is_down:
            self._private.send_event(kind, payload)

    def skewed(self, raw: bytes) -> bytes:
        """See :class:`Venue`: OKX's times are strings."""
        skew = self._clock.skew_ms
        return raw if not skew else self.timestamps.sub(lambda found: b'"%s":"%d"' % (found[1], int(found[2]) + skew), raw)

    def _send_balances(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        balances = self.account.balances()
        changed = {asset: balances[asset] for asset in assets if asset in balances}
        self._events.send(code, "account", encode(balance_push(changed, ts_ms, whole=False)))

    def _first(self, channel: str, code: str) -> Sequence[bytes]:
        """What a public channel begins with: the whole book, or the best prices now."""
        if channel == "bbo-tbt":
            last = self._touches.get(code)
            raw = [] if last is None else self._public_faults.sent(f"first {channel} {code}", code, last, ladder=False, book=True)
            return [self.skewed(frame) for frame in raw]
        if channel != "books" or code not in self._seq_ids:  # a market that opens yet sends its first book by itself
            return ()
        bids, asks = self._data.levels(code, MOST_LEVELS)
        data = {"asks": asks, "bids": bids, "ts": str(self._clock.time_ms()), "checksum": 0, "prevSeqId": -1, "seqId": self._seq_ids[code]}
        whole = encode({"arg": {"channel": channel, "instId": code}, "action": "snapshot", "data": [data]})
        return self._public_faults.sent(f"whole {code}", code, whole, ladder=False, book=True)

    def _first_private(self, channel: str) -> bytes | None:
        if channel != "account":
            return None
        balances = {asset: one for asset, one in self.account.balances().items() if one.total}
        return encode(balance_push(balances, self._clock.time_ms(), whole=True))


def _seq_id(raw: bytes) -> int:
    found = _NUMBER.search(raw)
    if found is None:
        raise ValueError(f"a book of OKX's without an id: {raw[:80]!r}")
    return int(found[1])


DOOR = OkxVenue
