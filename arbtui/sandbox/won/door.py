"""WonVenue: joins calls, sockets, keys and limits of one venue behind one port; its subclass has the tables and the venue's words."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.endpoint import Endpoint, Open
from arbtui.sandbox.faults import Part
from arbtui.sandbox.keys import Key
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises, Venue
from arbtui.sandbox.won.auth import TokenAuth
from arbtui.sandbox.won.parameters import parse_query
from arbtui.sandbox.won.rewriting import rewritten
from arbtui.sandbox.won.stream import EVERY, Subscriptions

_KIND = re.compile(rb'\{"type":"(orderbook|trade)","code":"([^"]+)"')


class WonVenue(Venue):
    """See :class:`Venue`.

    ``invalid``: the venue's name for a parameter that makes no sense. ``used_before``: and for a client id that was used before.
    """

    ladders = books = frozenset({"orderbook"})
    timestamps = re.compile(rb'"((?:trade_)?timestamp)":(\d{13})')  #: of microseconds the first digits, which are ms
    invalid: ClassVar[str]
    used_before: ClassVar[str]

    def __init__(
        self,
        premises: Premises,
        tape: Tape,
        public: Subscriptions,
        private: Subscriptions,
        auth: TokenAuth,
        calls: Mapping[str, tuple[str, Open]],
        signed_calls: Mapping[tuple[str, str], Endpoint],
    ) -> None:
        super().__init__(premises, tape, public, private)
        self._public = public
        self._private = private
        self._auth = auth
        self._open = calls
        self._signed = signed_calls
        self._last_books: dict[str, bytes] = {}
        self._last_trades: dict[str, bytes] = {}

    @abstractmethod
    def refused(self, name: str) -> Refusal:
        """The venue's refusal of that name."""

    @abstractmethod
    def no_path(self) -> Refusal:
        """The venue's refusal of a path that is not there."""

    @abstractmethod
    def take(self, group: str) -> Answer | None:
        """Count one request of a limits' group; the refusal when it exceeds the limit."""

    @abstractmethod
    def headers(self, group: str) -> dict[str, str]:
        """What an answer reports of its group's use."""

    @abstractmethod
    def my_order(self, event: AccountEvent) -> dict[str, Any]:
        """The event ``myOrder``."""

    @abstractmethod
    def my_asset(self, assets: Sequence[str], ts_ms: int) -> dict[str, Any]:
        """The event ``myAsset`` of those of ``assets`` that the account has."""

    async def answer_signed(self, call: Call, key: Key, params: Mapping[str, Any]) -> Answer:
        """Answer a signed call that the limits let pass, and whose signature was checked.

        Raises:
            Refusal: the venue refuses.
        """
        known = self._signed[call.method, call.path]
        return Answer(encode(await known.ask(key, params)), 201 if call.method == "POST" else 200, self.headers(known.group))

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
        return known.part, symbol

    async def answer(self, call: Call) -> Answer:
        """See :class:`Venue`."""
        public = self._open.get(call.path) if call.method == "GET" else None
        try:
            if public is not None:
                group, ask = public
                return self.take(group) or Answer(encode(await ask(parse_query(call.query))), 200, self.headers(group))
            return await self._answer_signed(call)
        except (ValueError, TypeError):  # an invalid number or type inside a parameter
            raise self.refused(self.invalid) from None

    async def _answer_signed(self, call: Call) -> Answer:
        known = self._signed.get((call.method, call.path))
        if known is None:
            raise self.no_path()
        throttled = self.take(known.group)
        if throttled is not None:
            return throttled
        params: Mapping[str, Any]
        if call.method == "POST":
            try:
                params = msgspec.json.decode(call.body, type=dict[str, Any])
            except msgspec.MsgspecError:
                raise self.refused(self.invalid) from None
            key = self._auth.check(call, params)
        else:
            params = parse_query(call.query)
            key = self._auth.check(call, None)
        return await self.answer_signed(call, key, params)

    def duplicate(self) -> Answer:
        """See :class:`Venue`."""
        return self.refused(self.used_before).answer()

    def error(self, code: str, words: str, status: int) -> Answer:
        """See :class:`Venue`."""
        return Answer(encode({"error": {"name": code, "message": words}}), status)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """See :class:`Venue`."""
        throttled = self.take("websocket-connect")
        if throttled is not None:
            return response_of(throttled)
        sockets = self._public
        if request.path == self.private_path:
            sockets = self._private
            try:
                self._auth.check_socket(request.headers)
            except Refusal as no:
                return response_of(no.answer())
        peer = await self.accept(request)
        await sockets.serve(peer)
        return peer.response

    def what(self, raw: bytes) -> tuple[str, str]:
        """See :class:`Venue`."""
        found = _KIND.match(raw)
        if found is None:
            raise ValueError(f"the simulator has sent {raw[:60]!r}")
        return found[1].decode(), found[2].decode()

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """See :class:`Venue`."""
        if kind == "trade":
            raw = self.enriched(raw, code)
            self._last_trades[code] = raw
            self._tape.feed(raw)
        else:
            self._last_books[code] = raw
        return raw

    def enriched(self, raw: bytes, code: str) -> bytes:
        """The simulator's trade with what the venue sends beside it."""
        return raw

    def snapshot(self, kind: str, code: str) -> bytes | None:
        """What a subscription of that type is answered with; None where there is nothing yet."""
        last = (self._last_books if kind == "orderbook" else self._last_trades).get(code)
        return None if last is None else self.skewed(last.replace(b'"stream_type":"REALTIME"', b'"stream_type":"SNAPSHOT"'))

    def on_deposit(self, asset: str, change: Decimal) -> None:
        """See :class:`Venue`."""
        self._send_assets((asset,), "", self._clock.time_ms())

    def on_account(self, event: AccountEvent) -> None:
        """See :class:`Venue`."""
        market = self.account.markets[event.order.code]
        self._events.send(event.order.code, "myOrder", encode(self.my_order(event)))
        if event.what is not What.NEW or not event.order.state.is_final:
            self._send_assets((market.base, market.quote), event.order.code, event.ts_ms)

    def _send_assets(self, assets: Sequence[str], code: str, ts_ms: int) -> None:
        self._events.send(code, "myAsset", encode(self.my_asset(assets, ts_ms)))

    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """See :class:`Venue`."""
        if self.is_down:
            return
        for key in dict.fromkeys((code, EVERY)):
            self._private.fanout.put((kind, key), payload)
        self._private.flush()
