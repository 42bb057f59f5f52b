"""The local Binance: joins its calls, streams, WebSocket API, keys and limits behind one port."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import parse_qsl

from aiohttp import web

from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.binance import notices
from arbtui.sandbox.binance.auth import BinanceAuth
from arbtui.sandbox.binance.bodies import account_position, balance_update, execution_report
from arbtui.sandbox.binance.derived import DerivedStreams
from arbtui.sandbox.binance.endpoints import MESSAGES, endpoints
from arbtui.sandbox.binance.limits import BinanceLimits, banned, throttled
from arbtui.sandbox.binance.market_data import BinanceMarketData
from arbtui.sandbox.binance.refusals import mandatory, refused_by_core
from arbtui.sandbox.binance.rewriting import rewritten
from arbtui.sandbox.binance.stream import Streams
from arbtui.sandbox.binance.trading import BinanceTrading
from arbtui.sandbox.binance.ws_api import WsApi
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import Part, Stream, WireFaultKind
from arbtui.sandbox.keys import NO_KEY
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.sandbox.venue import Premises, Venue

WS_API = "/ws-api/v3"


class BinanceVenue(Venue):
    """See :class:`Venue`."""

    name = "binance"
    errors_have_codes = True
    error_pattern = r"-\d{1,6}"
    error_example = "-2010"
    announces_shutdown = True
    answers_depth = True
    timestamps = re.compile(rb'"([ET])":(\d{13})')

    def __init__(
        self,
        premises: Premises,
    ) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        cut_after_s = premises.cut_after_s
        tape = Tape(BinanceDecoder, book_of, clock.time_ms)
        self.numbers = TradeNumbers(account.log.fills(), account.log.rolled_up())
        self._limits = BinanceLimits(clock, enforced=premises.limits)
        self._auth = BinanceAuth(premises.keys, faults, clock)
        data = BinanceMarketData(account.markets, book_of, tape, faults, self.is_halted, clock.time_ms)
        self._trading = BinanceTrading(account, book_of, self.numbers, self._limits, faults, self.is_halted, clock)
        self._endpoints = endpoints(data, self._trading)
        self._streams = Streams(clock, cut_after_s, faults)
        methods = {name: self._endpoints[path] for name, path in MESSAGES.items()}
        self._ws_api = WsApi(methods, self._auth, self._limits, clock, cut_after_s, faults)
        super().__init__(premises, tape, self._streams, self._ws_api)
        self._notices = self._sockets["notices"] = notices.NoticeSockets(clock, notices.framed, cut_after_s)
        self._derived = DerivedStreams(self._streams.fanout, data)
        self._reports = 0

    @classmethod
    def urls(cls, address: str) -> dict[str, str]:
        """See :class:`Venue`."""
        return {"rest": f"http://{address}", "stream": f"ws://{address}/stream", "private": f"ws://{address}{WS_API}"}

    def trade_ids(self) -> Iterator[str]:
        """See :class:`Venue`: the number with its symbol, as each symbol has a trade 1."""
        for market, fills in self.account.log.rolled_up().items():
            for number in range(1, fills + 1):
                yield f"{market}:{number}"
        for fill in self.account.log.fills():
            yield f"{fill.market}:{self.numbers.of(fill)}"

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`."""
        return rewritten(raw, prices, empty)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._endpoints.get((call.method, call.path))
        return ("public", None) if known is None else (known.part, _params(call).get("symbol"))

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        known = self._endpoints.get((call.method, call.path))
        if known is None:
            return Answer(b"", 404)
        params = _params(call)
        refusal = self._limits.take(known.weigh(params), known.orders)
        if refusal is not None:
            return refusal
        key = self._auth.check(call, params) if known.signed else NO_KEY
        try:
            body = await known.ask(key, params)
        except ValueError:  # a number that is none, deep in a parameter
            raise mandatory("parameter") from None
        return Answer(encode(body), 200, self._limits.headers(orders=known.orders > 0))

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`."""
        if status == 418:
            return banned(self._clock.time_ms() + retry_after_s * 1000, retry_after_s)
        return throttled(retry_after_s)

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return refused_by_core("DUPLICATE_CLIENT_ID").answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`."""
        return Answer(encode({"code": int(code), "msg": words}), status)

    def is_socket(self, path: str) -> bool:
        """See :class:`Venue`."""
        return path in (WS_API, notices.PATH) or path.split("/")[1] in ("ws", "stream")

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        refusal = self._limits.connect()
        if refusal is not None:
            return response_of(refusal)
        if request.path == notices.PATH:
            try:
                self._auth.check_socket(request.headers.get("X-MBX-APIKEY"), request.query_string)
            except Refusal as no:
                return response_of(no.answer())
        peer = await self.accept(request)
        if request.path == notices.PATH:
            self._notices.begin(peer)
            await self._notices.serve(peer)
        elif request.path == WS_API:
            self._limits.take(2)
            await self._ws_api.serve(peer)
        else:
            self._streams.begin(peer, request.path, request.query_string)
            await self._streams.serve(peer)
        return peer.response

    def announce(self, notice: PlayedNotice) -> str:
        """See :class:`Venue`: each is published once, under no id."""
        notice, first_ms, _ = self.board.publish(notice, self._clock.time_ms())
        if not self.is_down:
            self._notices.publish(notice, first_ms)
        return notice.id

    def shut_down(self, stream: Stream, after_s: float) -> None:
        """See :class:`Venue`."""
        event = {"e": "serverShutdown", "E": self._clock.time_ms()}
        for name, sockets in (("public", self._streams), ("private", self._ws_api)):
            if stream in ("any", name):
                sockets.announce_end(event, after_s)

    def housekeep(self) -> None:
        """See :class:`Venue`: pings, cuts, and the streams with a message every second."""
        self._streams.housekeep()
        self._ws_api.housekeep()
        self._notices.housekeep()
        self._derived.every_second()
        self._streams.fanout.flush()

    def on_frames(self, frames: Sequence[bytes]) -> None:
        """See :class:`Venue`."""
        fanout, faults, derived = self._streams.fanout, self._public_faults, self._derived
        for raw in frames:
            name = raw[11 : raw.index(b'"', 11)].decode()
            code, _, kind = name.partition("@")
            if kind == "trade":
                self._tape.feed(raw)
            if fanout.is_wanted(("", name)):
                depth = kind == "depth@100ms"
                for frame in faults.sent(name, code.upper(), raw, ladder=depth, book=depth or kind == "bookTicker"):
                    fanout.put(("", name), self.skewed(frame))
            if derived.are_wanted and self._faults.find(WireFaultKind.FREEZE, symbol=code.upper(), stream="public") is None:
                derived.on_frame(code, kind, self.skewed(raw))
        fanout.flush()

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        now = self._clock.time_ms()
        self._events.send("", "balanceUpdate", encode(balance_update(asset, change, now)))
        self._send_position((asset,), "", now)

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        order = event.order
        if event.what is What.DONE:  # the last TRADE event has reported it
            return
        self._reports += 1
        cancel_id = self._trading.cancel_ids.get(order.number, "")
        report = execution_report(event, self._trading.order_type(order), self.numbers, self._reports, cancel_id)
        self._events.send(order.code, "executionReport", encode(report))
        market = self.account.markets[order.code]
        self._send_position((market.base, market.quote), order.code, event.ts_ms)

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if not self.is_down:
            self._ws_api.send_event(payload)

    def _send_position(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        balances = self.account.balances()
        changed = {asset: balances[asset] for asset in assets if asset in balances}
        self._events.send(code, "outboundAccountPosition", encode(account_position(changed, ts_ms)))


def _params(call: Call) -> dict[str, str]:
    body = call.body.decode(errors="replace")
    return dict(parse_qsl(call.query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))


DOOR = BinanceVenue
