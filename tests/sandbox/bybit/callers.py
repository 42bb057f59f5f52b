"""A sandbox with Bybit, and clients of it that sign by hand."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox
from tests.sandbox.boxes import Reply, Socket, box


class BybitCaller:
    """Signs as bybit-exchange.github.io/docs/v5/guide tells, without ccxt."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], key: Key) -> None:
        self.session = session
        self.urls = urls
        self.key = key

    def headers(self, told: str, *, at_ms: int | None = None, window_ms: int = 5000) -> dict[str, str]:
        """Those of a request with the query or body ``told``."""
        at = str(int(time.time() * 1000) if at_ms is None else at_ms)
        return {
            "X-BAPI-API-KEY": self.key.key,
            "X-BAPI-TIMESTAMP": at,
            "X-BAPI-RECV-WINDOW": str(window_ms),
            "X-BAPI-SIGN": _mac(self.key, f"{at}{self.key.key}{window_ms}{told}"),
        }

    async def get(self, path: str, headers: Mapping[str, str] | None = None, /, **params: str) -> Reply:
        query = urlencode({"category": "spot", **params})
        return await self.send("GET", f"{path}?{query}", None, self.headers(query) if headers is None else headers)

    async def post(self, path: str, **params: Any) -> Reply:
        body = json.dumps({"category": "spot", **params})
        return await self.send("POST", path, body, self.headers(body))

    async def ask(self, path: str, **params: str) -> Reply:
        """A call without a signature."""
        return await self.get(path, {}, **params)

    async def send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Reply:
        url = URL(f"{self.urls['rest']}/v5/{path}", encoded=True)  # as it was signed
        async with self.session.request(method, url, data=body, headers={"Content-Type": "application/json", **headers}) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, name: str, qty: str = "10", price: str | None = None, *, tif: str = "IOC") -> Reply:
        """A limit order to buy XRP, by default at a price that fills at once."""
        order = {"symbol": "XRPUSDT", "side": "Buy", "orderType": "Limit", "timeInForce": tif, "qty": qty, "orderLinkId": name}
        return await self.post("order/create", **order, price=price or await self.dear())

    async def dear(self) -> str:
        """A price 2 % above the best ask."""
        book = (await self.ask("market/orderbook", symbol="XRPUSDT")).body["result"]
        return f"{Decimal(book['a'][0][0]) * Decimal('1.02'):.2f}"


@dataclass
class BybitBench:
    """A sandbox with a caller of its Bybit."""

    box: Sandbox
    session: aiohttp.ClientSession
    bybit: BybitCaller

    def fault(self, kind: WireFaultKind, **told: Any) -> None:
        self.box.fault(WireFault("bybit", kind, **told))

    @asynccontextmanager
    async def socket(self, *topics: str, private: bool = False) -> AsyncIterator[Socket]:
        """A socket with ``topics`` confirmed, after a login where it is ``private``."""
        async with self.session.ws_connect(self.bybit.urls["private" if private else "stream"]) as raw:
            socket = Socket(raw)
            if private:
                await socket.send(login(self.bybit.key))
                assert (await socket.next())["success"]
            if topics:
                await socket.send({"op": "subscribe", "req_id": "1", "args": list(topics)})
                assert (await socket.next(lambda told: told.get("op") == "subscribe"))["success"]
            yield socket


@asynccontextmanager
async def bybit_bench(**options: Any) -> AsyncIterator[BybitBench]:
    async with box(venues=("upbit", "bybit"), **options) as running, aiohttp.ClientSession() as session:
        yield BybitBench(running, session, BybitCaller(session, running.urls["bybit"], running.keys["bybit"]))


def login(key: Key, expires_ms: int | None = None) -> dict[str, Any]:
    """The login of a private socket."""
    until = int(time.time() * 1000) + 10_000 if expires_ms is None else expires_ms
    return {"op": "auth", "req_id": "0", "args": [key.key, until, _mac(key, f"GET/realtime{until}")]}


def _mac(key: Key, text: str) -> str:
    return hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
