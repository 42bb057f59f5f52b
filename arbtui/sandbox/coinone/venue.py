"""The local Coinone: joins its calls, sockets, keys and limits behind one port."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from arbtui.exchanges.coinone.rules import code_of
from arbtui.exchanges.coinone.wire import CoinoneDecoder
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.coinone.auth import CoinoneAuth
from arbtui.sandbox.coinone.bodies import change_of, my_asset, my_order, transfer_of
from arbtui.sandbox.coinone.exchange import CoinoneExchange
from arbtui.sandbox.coinone.limits import CoinoneLimits, refusal
from arbtui.sandbox.coinone.names import order_id, trade_id
from arbtui.sandbox.coinone.quotation import CoinoneQuotation
from arbtui.sandbox.coinone.refusals import error_body, refused
from arbtui.sandbox.coinone.rewriting import rewritten
from arbtui.sandbox.coinone.stream import EVERY, PRIVATE, PUBLIC, Subscriptions
from arbtui.sandbox.faults import Part
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises, Venue
from arbtui.simulation.coinone.market import STALE_MS

_REFUSED_KEY = 4280  #: the code that a private socket is closed with
_PUBLIC = "/public/v2/"

_Open = Callable[[list[str], Mapping[str, str]], Awaitable[dict[str, Any]]]
_Signed = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]

_KIND = re.compile(
    rb'\{"response_type":"DATA","channel":"(ORDERBOOK|TRADE)","data":\{"quote_currency":"([^"]+)","target_currency":"([^"]+)"'
)
_TIMES = re.compile(rb'"(timestamp":|id":")(\d{13})')


class CoinoneVenue(Venue):
    """See :class:`Venue`."""

    name = "coinone"
    public_path = "/"
    private_path = "/v1/private"
    ladders = books = frozenset({"ORDERBOOK"})
    timestamps = _TIMES
    error_pattern = r"\d{1,6}"
    error_example = "103"

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(CoinoneDecoder, book_of, clock.time_ms)
        self._public = Subscriptions(PUBLIC, account.markets, clock, faults, self._snapshot)
        self._private = Subscriptions(PRIVATE, account.markets, clock, faults)
        super().__init__(premises, tape, self._public, self._private)
        self._limits = CoinoneLimits(clock.monotonic, enforced=premises.limits)
        self._auth = CoinoneAuth(premises.keys, faults)
        quotation = CoinoneQuotation(account.markets, book_of, tape, self.is_halted, clock.time_ms)
        exchange = CoinoneExchange(account, faults, self.is_halted, clock)
        self._last_books: dict[str, bytes] = {}
        self._open: dict[str, _Open] = {
            "markets": quotation.markets,
            "range_units": quotation.range_units,
            "ticker_new": quotation.tickers,
            "orderbook": quotation.orderbook,
            "trades": quotation.trades,
            "currencies": quotation.currencies,
        }
        self._signed: dict[str, tuple[str, Part, _Signed]] = {
            "/v2.1/order": ("order", "order", exchange.place),
            "/v2.1/order/cancel": ("order", "cancel", exchange.cancel),
            "/v2.1/order/detail": ("query", "query", exchange.detail),
            "/v2.1/order/active_orders": ("query", "query", exchange.active),
            "/v2.1/order/completed_orders": ("query", "query", exchange.completed),
            "/v2.1/order/completed_orders/all": ("query", "query", exchange.all_completed),
            "/v2.1/account/balance/all": ("query", "account", exchange.balances),
            "/v2.1/account/trade_fee": ("query", "account", exchange.trade_fees),
        }

    def trade_id(self, number: int | str) -> str:
        """See :class:`Venue`."""
        return trade_id(number)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`Venue`."""
        return order_id(order.number)

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """See :class:`Venue`."""
        return rewritten(raw, prices, empty)

    def skewed(self, raw: bytes) -> bytes:
        """See :class:`Venue`; an id begins with its time."""
        skew = self._clock.skew_ms
        return raw if not skew else _TIMES.sub(lambda found: b'"%s%d' % (found[1], int(found[2]) + skew), raw)

    @property
    def is_ready(self) -> bool:
        """See :class:`Venue`: every market has opened."""
        return len(self._last_books) == len(self.account.markets)

    def part(self, call: Call) -> tuple[Part, str | None]:
        """See :class:`Venue`."""
        known = self._signed.get(call.path) if call.method == "POST" else None
        if known is None:
            return ("wallet" if call.path == f"{_PUBLIC}currencies" else "public"), None
        try:
            asked = json.loads(call.body)
            symbol = code_of(str(asked["quote_currency"]), str(asked["target_currency"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            symbol = None
        return known[1], symbol

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        if call.method == "GET" and call.path.startswith(_PUBLIC):
            name, *parts = call.path.removeprefix(_PUBLIC).split("/")
            ask, group = self._open.get(name), "public"
            if ask is None:
                raise refused("20")
            return self._limits.take(group) or self._told(group, await ask(parts, dict(parse_qsl(call.query))))
        known = self._signed.get(call.path) if call.method == "POST" else None
        if known is None:
            raise refused("20")
        group, part, handle = known
        throttled = self._limits.take(group)
        if throttled is not None:
            return throttled
        key, params = self._auth.check(call)
        if part in ("order", "cancel") and not key.can_trade:
            raise refused("40")
        return self._told(group, await handle(params))

    def _told(self, group: str, body: dict[str, Any]) -> Answer:
        return Answer(encode({"result": "success", "error_code": "0", **body}), 200, self._limits.headers(group))

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`Venue`: how long it lasts is not told."""
        return refusal(status)

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return refused("312").answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`."""
        return Answer(encode(error_body(code, words)), status)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`: a key that is refused closes a private socket that was opened."""
        is_private = request.path == self.private_path
        peer = await self.accept(request)
        try:
            if is_private:
                self._auth.check_socket(request.headers)
        except Refusal:
            await peer.response.close(code=_REFUSED_KEY)
            return peer.response
        await (self._private if is_private else self._public).serve(peer)
        return peer.response

    def what(self, raw: bytes) -> tuple[str, str]:
        """See :class:`Venue`: channel and market."""
        found = _KIND.match(raw)
        if found is None:
            raise ValueError(f"the simulator has sent {raw[:60]!r}")
        return found[1].decode(), code_of(found[2].decode(), found[3].decode())

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """See :class:`Venue`."""
        if kind == "ORDERBOOK":
            self._last_books[code] = raw
        else:
            self._tape.feed(raw)
        return raw

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_assets((asset,), "", transfer_of(change), self._clock.time_ms())

    def _snapshot(self, channel: str, code: str) -> bytes | None:
        """The last book, with a time that is older than its id says; of trades none is repeated."""
        last = self._last_books.get(code) if channel == "ORDERBOOK" else None
        if last is None:
            return None
        id_ms = re.search(rb'"id":"(\d{13})', last)
        aged = last if id_ms is None else re.sub(rb'"timestamp":\d+', b'"timestamp":%d' % (int(id_ms[1]) - STALE_MS), last, count=1)
        return self.skewed(aged)

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        market = self.account.markets[event.order.code]
        self._events.send(event.order.code, "MYORDER", _data("MYORDER", my_order(event)))
        if event.what is not What.NEW or not event.order.state.is_final:
            self._send_assets((market.base, market.quote), event.order.code, change_of(event), event.ts_ms)

    def _send_assets(self, assets: Sequence[str], code: str, change: str, ts_ms: int) -> None:
        balances = self.account.balances()
        changed = {asset: balances[asset] for asset in assets if asset in balances}
        self._events.send(code, "MYASSET", _data("MYASSET", my_asset(changed, change, ts_ms)))

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if self.is_down:
            return
        fanout = self._private.fanout
        if kind == "MYORDER" and code != EVERY:
            fanout.put((kind, code), payload)
        fanout.put((kind, EVERY), payload)
        fanout.flush()


def _data(channel: str, data: dict[str, Any]) -> bytes:
    return encode({"response_type": "DATA", "channel": channel, "data": data})


DOOR = CoinoneVenue
