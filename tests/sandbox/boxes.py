"""What the sandbox's tests share: a sandbox on free ports, and clients that sign by hand or are ccxt itself."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import aiohttp
from yarl import URL

from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import DEFAULT_KEYS, Key
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox

#: s that anything may take which happens at all, on a busy machine: only a hang takes longer.
DEADLINE_S = 150.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> Any:
        """Upbit's name, or Binance's code, of a refusal."""
        body = self.body
        return body["error"]["name"] if "error" in body else body["code"]


def jwt(key: Key, claims: Mapping[str, Any], algorithm: str = "HS512") -> str:
    def part(value: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    mac = hmac.new(key.secret.encode(), text.encode(), digest).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


class UpbitCaller:
    """Signs as docs.upbit.com tells, without ccxt."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], key: Key = DEFAULT_KEYS["upbit"]) -> None:
        self.session = session
        self.urls = urls
        self.key = key

    def claims(self, query: str = "") -> dict[str, Any]:
        told: dict[str, Any] = {"access_key": self.key.key, "nonce": str(uuid.uuid4())}
        if query:
            told |= {"query_hash": hashlib.sha512(query.encode()).hexdigest(), "query_hash_alg": "SHA512"}
        return told

    async def call(self, method: str, path: str, params: Mapping[str, Any] | None = None, claims: dict[str, Any] | None = None) -> Reply:
        query = unquote(urlencode(dict(params or {}), doseq=True))
        token = jwt(self.key, claims or self.claims(query))
        url = f"{self.urls['rest']}/v1/{path}"
        body = json.dumps(params).encode() if method == "POST" else None
        if query and method != "POST":
            url += f"?{urlencode(dict(params or {}), doseq=True)}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with self.session.request(method, url, data=body, headers=headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def ask(self, path: str) -> Reply:
        async with self.session.get(f"{self.urls['rest']}/v1/{path}") as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, qty: str = "1", price: str | None = None, *, code: str = "KRW-XRP", tif: str | None = "ioc", **more: Any) -> Reply:
        """A limit order to buy, by default at a price that fills at once."""
        order: dict[str, Any] = {"market": code, "side": "bid", "ord_type": "limit", "volume": qty, "price": price or await self.dear(code)}
        return await self.call("POST", "orders", order | ({"time_in_force": tif} if tif else {}) | more)

    async def dear(self, code: str) -> str:
        """A price on the grid, 2 % above the best ask."""
        book = (await self.ask(f"orderbook?markets={code}")).body[0]["orderbook_units"]
        unit = (await self.ask(f"orderbook/instruments?markets={code}")).body[0]["tick_size"]
        return f"{int(book[0]['ask_price'] * 1.02 / unit) * unit:f}"


class BinanceCaller:
    """Signs as developers.binance.com tells, without ccxt."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], key: Key = DEFAULT_KEYS["binance"]) -> None:
        self.session = session
        self.urls = urls
        self.key = key

    def signed(self, params: Mapping[str, Any], *, at_ms: int | None = None) -> str:
        query = urlencode({**params, "timestamp": int(time.time() * 1000) if at_ms is None else at_ms})
        return f"{query}&signature={hmac.new(self.key.secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"

    async def call(self, method: str, path: str, params: Mapping[str, Any] | None = None, query: str | None = None) -> Reply:
        signed = query if query is not None else self.signed(params or {})
        return await self.send(method, f"{path}?{signed}")

    async def send(self, method: str, path: str) -> Reply:
        url = path if path.startswith("/sapi") else f"/api/v3/{path}"
        exactly = URL(self.urls["rest"] + url, encoded=True)  # as it was signed
        async with self.session.request(method, exactly, headers={"X-MBX-APIKEY": self.key.key}) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def ask(self, path: str) -> Reply:
        async with self.session.get(f"{self.urls['rest']}/api/v3/{path}") as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, qty: str = "10", price: str | None = None, *, code: str = "XRPUSDT", tif: str = "IOC", **more: Any) -> Reply:
        """A limit order to buy, by default at a price that fills at once."""
        order = {"symbol": code, "side": "BUY", "type": "LIMIT", "timeInForce": tif, "quantity": qty}
        return await self.call("POST", "order", {**order, "price": price or await self.dear(code), **more})

    async def dear(self, code: str) -> str:
        """A price on the grid, 2 % above the best ask."""
        book = (await self.ask(f"ticker/bookTicker?symbol={code}")).body
        return f"{Decimal(book['askPrice']) * Decimal('1.02'):.2f}"


@asynccontextmanager
async def box(symbols: int | Sequence[str] = 3, *, state_dir: Path | None = None, **options: Any) -> AsyncIterator[Sandbox]:
    """A sandbox on free ports, whose every market has opened."""
    async with sandbox(SandboxOptions(port=0, symbols=symbols, state_dir=state_dir, **options)) as running:
        yield running


@dataclass
class Bench:
    """A sandbox with a caller for each of its venues."""

    box: Sandbox
    session: aiohttp.ClientSession
    upbit: UpbitCaller
    binance: BinanceCaller

    def fault(self, venue: str, kind: WireFaultKind, **told: Any) -> None:
        self.box.fault(WireFault(venue, kind, **told))

    async def control(self, method: str, path: str, body: Any = None) -> Reply:
        async with self.session.request(method, self.box.control_url + path, json=body) as answer:
            return Reply(answer.status, answer.headers, await answer.read())


@asynccontextmanager
async def bench(symbols: int = 3, *, state_dir: Path | None = None, **options: Any) -> AsyncIterator[Bench]:
    async with box(symbols, state_dir=state_dir, **options) as running, aiohttp.ClientSession() as session:
        yield Bench(running, session, UpbitCaller(session, running.urls["upbit"]), BinanceCaller(session, running.urls["binance"]))


class Socket:
    """A client's WebSocket: everything received, decoded, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.kinds: list[aiohttp.WSMsgType] = []

    async def send(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def next(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message that is ``wanted``; others are passed over."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.socket.receive()
                assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), f"the socket ended: {message}"
                self.kinds.append(message.type)
                told = json.loads(message.data, parse_float=Decimal)
                if wanted(told):
                    return told

    async def ended(self) -> Any:
        """Wait for the end of the socket; the last message."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.socket.receive()
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    return message


@asynccontextmanager
async def upbit_socket(on: Bench, *subscriptions: Any, private: bool = False, form: str = "DEFAULT") -> AsyncIterator[Socket]:
    headers = {"Authorization": f"Bearer {jwt(on.upbit.key, on.upbit.claims())}"} if private else {}
    async with on.session.ws_connect(on.upbit.urls["private" if private else "stream"], headers=headers) as socket:
        client = Socket(socket)
        if subscriptions:
            await client.send([{"ticket": "t"}, *subscriptions, {"format": form}])
        yield client


@asynccontextmanager
async def binance_socket(on: Bench, *streams: str, path: str = "") -> AsyncIterator[Socket]:
    async with on.session.ws_connect(on.binance.urls["stream"].removesuffix("/stream") + (path or "/stream")) as socket:
        client = Socket(socket)
        if streams:
            await client.send({"method": "SUBSCRIBE", "params": list(streams), "id": 1})
            assert await client.next(lambda told: "result" in told) == {"result": None, "id": 1}
        yield client


@asynccontextmanager
async def user_data(on: Bench) -> AsyncIterator[Socket]:
    """A socket of Binance's WebSocket API with the account's events subscribed."""
    async with on.session.ws_connect(on.binance.urls["private"]) as socket:
        client = Socket(socket)
        await client.send(message("userDataStream.subscribe.signature", on.binance.key))
        told = await client.next()
        assert told["result"] == {"subscriptionId": 0}
        yield client


def message(method: str, key: Key, **params: Any) -> dict[str, Any]:
    """A signed request of Binance's WebSocket API."""
    told = {**params, "apiKey": key.key, "timestamp": int(time.time() * 1000)}
    text = "&".join(f"{name}={told[name]}" for name in sorted(told))
    return {
        "id": "1",
        "method": method,
        "params": {**told, "signature": hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()},
    }


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one test's coroutine, bounded."""

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await scenario()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            held = condition()
            if await held if isinstance(held, Awaitable) else held:
                return
            await asyncio.sleep(0.01)
