"""The made-up venue behind its port: one public socket, orders by GET, keys with a passphrase."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from arbtui.model.order import Side
from arbtui.sandbox.account import AccountEvent
from arbtui.sandbox.answer import Answer, Refusal, encode
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import Part
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.sockets import Sockets
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises, Venue
from arbtui.simulation.order_request import OrderRequest


class LunarSockets(Sockets[bool]):
    """Every book to everybody."""

    message_limits = ((100, 1.0),)
    counts_pings = False

    async def read(self, peer: Peer, raw: bytes) -> None:
        self.fanout.want(peer, ("all", ""), True)

    async def end_over_limit(self, peer: Peer) -> None:
        peer.cut()


class _NoTrades:
    def __init__(self, sink: object) -> None: ...

    def feed(self, raw: bytes) -> None: ...

    def feed_snapshot(self, code: str, raw: bytes) -> None: ...


class LunarVenue(Venue):
    name = "lunar"
    timestamps = re.compile(rb'"(t)": (\d{13})')
    wants_passphrase = True

    def __init__(self, premises: Premises) -> None:
        self._public = LunarSockets(premises.clock, lambda raw, _: text_frame(raw))
        self._key = next(iter(premises.keys.values()))
        tape = Tape(_NoTrades, premises.book_of, premises.clock.time_ms)
        super().__init__(premises, tape, self._public, LunarSockets(premises.clock, lambda raw, _: text_frame(raw)))

    @classmethod
    def urls(cls, address: str) -> dict[str, str]:
        return {"rest": f"http://{address}", "stream": f"ws://{address}/feed", "private": f"ws://{address}/mine"}

    def trade_ids(self) -> Iterator[str]:
        return (f"lunar-{fill.trade_id}" for fill in self.account.log.fills())

    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        return raw

    def part(self, call: Call) -> tuple[Part, str | None]:
        return ("order" if call.path == "/buy" else "public"), None

    async def answer(self, call: Call) -> Answer:
        if call.path != "/buy":
            return Answer(b"{}", 404)
        if call.headers.get("Passphrase") != self._key.passphrase:
            raise Refusal(401, {"error": "passphrase"})
        asked: dict[str, Any] = dict(parse_qsl(call.query))
        request = OrderRequest(asked["id"], asked["code"], Side.BUY, Decimal(asked["qty"]), Decimal(asked["price"]))
        order = await self.account.place(request)
        return Answer(encode({"order": self.order_id(order), "filled": str(order.filled_qty)}))

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        return Answer(b"{}", status)

    def duplicate(self) -> Answer:
        return Answer(b"{}", 400)

    def error(self, code: str, words: str, status: int) -> Answer:
        return Answer(json.dumps({"error": code, "words": words}).encode(), status)

    def is_socket(self, path: str) -> bool:
        return path in ("/feed", "/mine")

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = await self.accept(request)
        await self._public.serve(peer)
        return peer.response

    def housekeep(self) -> None: ...

    def on_frames(self, frames: Sequence[bytes]) -> None:
        for raw in frames:
            self._public.fanout.put(("all", ""), self.skewed(raw))
        self._public.fanout.flush()

    def on_deposit(self, asset: str, change: Decimal) -> None: ...

    def on_account(self, event: AccountEvent) -> None: ...

    def send_private(self, code: str, kind: str, payload: bytes) -> None: ...


DOOR = LunarVenue
