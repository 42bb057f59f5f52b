"""A small stand-in for both venues' public side on 127.0.0.1: their framing, their limits counted, and faults on request."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from arbtui.exchanges.config import UrlsConfig
from arbtui.sandbox.http_server import shut


@dataclass(eq=False)
class Client:
    """One socket that somebody opened."""

    socket: web.WebSocketResponse
    request: web.Request
    messages: list[tuple[float, Any]] = field(default_factory=list)  #: when, what
    streams: set[str] = field(default_factory=set)
    sent: dict[str, list[int]] = field(default_factory=dict)  #: update ids by code

    @property
    def is_open(self) -> bool:
        return not self.socket.closed


@dataclass
class Listed:
    """One market: a book of five levels a side around a price."""

    price: float = 100.0
    update_id: int = 1000
    trade_id: int = 1
    trades: int = 0

    def levels(self, sign: int, count: int = 5) -> list[tuple[float, float]]:
        return [(round(self.price + sign * 0.5 * (level + 1), 2), 1.0 + level) for level in range(count)]


class VenueServer:
    """Upbit and Binance spot; a context manager."""

    def __init__(self, upbit: Sequence[str] = (), binance: Sequence[str] = ()) -> None:
        self.markets = {"upbit": {code: Listed() for code in upbit}, "binance": {code: Listed() for code in binance}}
        self.clients: dict[str, list[Client]] = {"upbit": [], "binance": []}
        self.depth_calls: Counter[str] = Counter()
        self.probes: Counter[str] = Counter()
        self.opened: dict[str, list[float]] = {"upbit": [], "binance": []}
        self.frozen: set[str] = set()  #: markets whose stream says nothing
        self.refusal: web.Response | None = None  #: what answers instead of a WebSocket
        self.rest_answers: list[web.Response] = []  #: what answers the next REST questions instead
        self.depth_delay_s = 0.0
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/stream", self._binance)
        app.router.add_get("/api/v3/depth", self._depth)
        app.router.add_get("/websocket/v1", self._upbit)
        app.router.add_get("/v1/orderbook", self._orderbook)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        await self.open()
        return self

    async def open(self) -> None:
        """Listen, at first on any free port and then on the same again."""
        assert self._runner is not None
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._port or self._runner.addresses[0][1]

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for exchange in self.clients:
            self.cut(exchange)
        if self._runner is not None:
            await shut(self._runner)

    def urls(self, exchange: str) -> UrlsConfig:
        path = {"upbit": "/websocket/v1", "binance": "/stream"}[exchange]
        ws = f"ws://127.0.0.1:{self._port}{path}"
        return UrlsConfig(rest=f"http://127.0.0.1:{self._port}", stream=ws, private=ws)

    def live(self, exchange: str) -> list[Client]:
        return [client for client in self.clients[exchange] if client.is_open]

    # what happens at the venue

    async def move(self, exchange: str, code: str, price: float | None = None, *, lost: bool = False) -> None:
        """The book changes: a new price, or one step further. ``lost``: and nobody is told."""
        listed = self.markets[exchange][code]
        before = listed.price
        listed.price = price if price is not None else round(listed.price + 0.5, 2)
        listed.update_id += 1
        if not lost and code not in self.frozen:
            await (self._tell_binance(code, before) if exchange == "binance" else self._tell_upbit(code, "REALTIME"))

    async def trade(self, exchange: str, code: str) -> None:
        """Something trades, and the trade stream says so whatever is frozen."""
        listed = self.markets[exchange][code]
        listed.trade_id += 1
        if exchange == "binance":
            data = {"e": "trade", "E": _ms(), "s": code, "t": listed.trade_id, "p": str(listed.price), "q": "1.0", "T": _ms(), "m": False}
            await self._send(exchange, f"{code.lower()}@trade", {"stream": f"{code.lower()}@trade", "data": data})
        else:
            message = {"type": "trade", "code": code, "timestamp": _ms(), "trade_timestamp": _ms(), "trade_price": listed.price,
                       "trade_volume": 1.0, "ask_bid": "BID", "sequential_id": listed.trade_id, "stream_type": "REALTIME"}  # fmt: skip
            await self._send(exchange, f"{code}@trade", message)

    def cut(self, exchange: str) -> None:
        """Every socket of one venue dies without a word."""
        for client in self.live(exchange):
            transport = client.request.transport
            if transport is not None:
                transport.abort()

    def deafen(self, exchange: str) -> None:
        """The sockets stay open, and nothing on them is heard any more, no ping either."""
        for client in self.live(exchange):
            if isinstance(client.request.transport, asyncio.Transport):
                client.request.transport.pause_reading()

    async def say(self, exchange: str, payload: str | bytes) -> None:
        """Send anything to every socket."""
        for client in self.live(exchange):
            await _send(client, payload)

    # the venues' protocols

    async def _upgrade(self, exchange: str, request: web.Request) -> Client | web.Response:
        self.opened[exchange].append(time.monotonic())
        if self.refusal is not None:
            return web.Response(status=self.refusal.status, headers=self.refusal.headers.copy(), body=self.refusal.body)
        socket = web.WebSocketResponse(compress=True, autoping=True)
        await socket.prepare(request)
        client = Client(socket, request)
        self.clients[exchange].append(client)
        return client

    async def _binance(self, request: web.Request) -> web.StreamResponse:
        client = await self._upgrade("binance", request)
        if isinstance(client, web.Response):
            return client
        async for message in client.socket:
            if message.type is WSMsgType.TEXT:
                told = json.loads(message.data)
                client.messages.append((time.monotonic(), told))
                client.streams.update(told["params"])
                await _send(client, json.dumps({"result": None, "id": told["id"]}))
        return client.socket

    async def _upbit(self, request: web.Request) -> web.StreamResponse:
        client = await self._upgrade("upbit", request)
        if isinstance(client, web.Response):
            return client
        async for message in client.socket:
            if message.type is WSMsgType.TEXT:
                told = json.loads(message.data)
                client.messages.append((time.monotonic(), told))
                if any("method" in part for part in told):
                    rows = [{"type": kind} for kind in sorted({name.partition("@")[2] for name in client.streams})]
                    await _send(client, json.dumps({"method": "LIST_SUBSCRIPTIONS", "result": rows, "ticket": told[0]["ticket"]}))
                    continue
                client.streams = {f"{code.partition('.')[0]}@{part['type']}" for part in told if "type" in part for code in part["codes"]}
                for code in [name.partition("@")[0] for name in sorted(client.streams) if name.endswith("@orderbook")]:
                    if code in self.markets["upbit"] and code not in self.frozen:
                        await self._tell_upbit(code, "SNAPSHOT", client)
        return client.socket

    async def _depth(self, request: web.Request) -> web.Response:
        code, limit = request.query["symbol"], int(request.query["limit"])
        (self.probes if limit <= 5 else self.depth_calls)[code] += 1
        if self.rest_answers:
            return self.rest_answers.pop(0)
        listed = self.markets["binance"].get(code)
        if listed is None:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        body = {"lastUpdateId": listed.update_id, "bids": _strings(listed.levels(-1)), "asks": _strings(listed.levels(1))}
        await asyncio.sleep(self.depth_delay_s)
        return web.json_response(body)

    async def _orderbook(self, request: web.Request) -> web.Response:
        code = request.query["markets"]
        self.probes[code] += 1
        if self.rest_answers:
            return self.rest_answers.pop(0)
        if code not in self.markets["upbit"]:
            return web.json_response({"error": {"name": 404, "message": "Code not found"}}, status=404)
        return web.json_response([{"market": code, "timestamp": _ms(), "orderbook_units": _units(self.markets["upbit"][code])}])

    async def _tell_binance(self, code: str, before: float) -> None:
        listed, name = self.markets["binance"][code], code.lower()
        gone = Listed(before)
        bids = {**{price: 0.0 for price, _ in gone.levels(-1)}, **dict(listed.levels(-1))}
        asks = {**{price: 0.0 for price, _ in gone.levels(1)}, **dict(listed.levels(1))}
        data = {"e": "depthUpdate", "E": _ms(), "s": code, "U": listed.update_id, "u": listed.update_id,
                "b": _strings(bids.items()), "a": _strings(asks.items())}  # fmt: skip
        for client in await self._send("binance", f"{name}@depth@100ms", {"stream": f"{name}@depth@100ms", "data": data}):
            client.sent.setdefault(code, []).append(listed.update_id)
        (bid, bid_qty), (ask, ask_qty) = listed.levels(-1)[0], listed.levels(1)[0]
        touch = {"u": listed.update_id, "s": code, "b": str(bid), "B": str(bid_qty), "a": str(ask), "A": str(ask_qty)}
        await self._send("binance", f"{name}@bookTicker", {"stream": f"{name}@bookTicker", "data": touch})

    async def _tell_upbit(self, code: str, stream_type: str, only: Client | None = None) -> None:
        message = {"type": "orderbook", "code": code, "timestamp": _ms(), "orderbook_units": _units(self.markets["upbit"][code]),
                   "stream_type": stream_type}  # fmt: skip
        payload = json.dumps(message, separators=(",", ":")).encode()  # Upbit sends its JSON as binary
        for client in [only] if only is not None else self.live("upbit"):
            if f"{code}@orderbook" in client.streams:
                await _send(client, payload)

    async def _send(self, exchange: str, stream: str, message: dict[str, Any]) -> list[Client]:
        text = json.dumps(message, separators=(",", ":"))
        told = [client for client in self.live(exchange) if stream in client.streams]
        for client in told:
            await _send(client, text.encode() if exchange == "upbit" else text)
        return told


async def _send(client: Client, payload: str | bytes) -> None:
    with suppress(ConnectionError):  # it was cut a moment ago
        await (client.socket.send_str(payload) if isinstance(payload, str) else client.socket.send_bytes(payload))


def _strings(levels: Any) -> list[list[str]]:
    return [[str(price), str(qty)] for price, qty in levels]


def _units(listed: Listed) -> list[dict[str, float]]:
    return [
        {"ask_price": ask, "bid_price": bid, "ask_size": ask_qty, "bid_size": bid_qty}
        for (bid, bid_qty), (ask, ask_qty) in zip(listed.levels(-1), listed.levels(1), strict=True)
    ]


def _ms() -> int:
    return time.time_ns() // 1_000_000
