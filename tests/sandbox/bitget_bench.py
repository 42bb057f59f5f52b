"""A sandbox with Bitget in it, and a client that signs as bitget.com/api-doc tells, without ccxt."""

import base64
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

from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key, play_key
from arbtui.sandbox.sandbox import Sandbox
from tests.sandbox.boxes import Reply, Socket, box

KEY = play_key("bitget", passphrase=True)
PRIVATE = [{"instType": "SPOT", "channel": "orders", "instId": "default"}, {"instType": "SPOT", "channel": "account", "coin": "default"}]


def channel(name: str, code: str = "XRPUSDT") -> dict[str, str]:
    return {"instType": "SPOT", "channel": name, "instId": code}


def signature(key: Key, text: str) -> str:
    return base64.b64encode(hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def login(key: Key = KEY, **told: str) -> dict[str, Any]:
    stamp = told.pop("timestamp", str(int(time.time())))
    signed = signature(key, f"{stamp}GET/user/verify")
    return {"op": "login", "args": [{"apiKey": key.key, "passphrase": key.passphrase, "timestamp": stamp, "sign": signed, **told}]}


@dataclass
class BitgetBench:
    box: Sandbox
    session: aiohttp.ClientSession
    key: Key = KEY

    @property
    def urls(self) -> Mapping[str, str]:
        return self.box.urls["bitget"]

    def fault(self, kind: WireFaultKind, **told: Any) -> None:
        self.box.fault(WireFault("bitget", kind, **told))

    def executed(self, client_order_id: str) -> bool:
        return self.box.venues["bitget"].account.log.by_client_id(client_order_id) is not None

    async def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: Key | None = None,
    ) -> Reply:
        signs = key or self.key
        query, body = "", ""
        if params and method == "GET":
            query = f"?{urlencode(params)}"
        elif params:
            body = json.dumps(params)
        stamp = str(int(time.time() * 1000))
        told = {
            "ACCESS-KEY": signs.key,
            "ACCESS-SIGN": signature(signs, f"{stamp}{method}/api/v2/{path}{query}{body}"),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": signs.passphrase,
            "Content-Type": "application/json",
            **(headers or {}),
        }
        async with self.session.request(method, f"{self.urls['rest']}/api/v2/{path}{query}", data=body or None, headers=told) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def ask(self, path: str) -> Reply:
        async with self.session.get(f"{self.urls['rest']}/api/v2/{path}") as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, qty: str = "10", price: str | None = None, *, force: str = "ioc", **more: Any) -> Reply:
        """A limit order to buy, by default at a price that fills at once."""
        order = {"symbol": "XRPUSDT", "side": "buy", "orderType": "limit", "force": force, "size": qty, "price": price or await self.dear()}
        return await self.call("POST", "spot/trade/place-order", {**order, **more})

    async def dear(self) -> str:
        """A price on the grid, 2 % above the best ask."""
        book = (await self.ask("spot/market/orderbook?symbol=XRPUSDT&limit=1")).body["data"]
        return f"{Decimal(book['asks'][0][0]) * Decimal('1.02'):.2f}"


@asynccontextmanager
async def bitget_bench(**options: Any) -> AsyncIterator[BitgetBench]:
    async with box(["XRP"], venues=("upbit", "bitget"), **options) as running, aiohttp.ClientSession() as session:
        yield BitgetBench(running, session)


@asynccontextmanager
async def public(on: BitgetBench, *channels: Mapping[str, str]) -> AsyncIterator[Socket]:
    async with on.session.ws_connect(on.urls["stream"]) as socket:
        client = Socket(socket)
        if channels:
            await client.send({"op": "subscribe", "args": list(channels)})
        yield client


@asynccontextmanager
async def private(on: BitgetBench) -> AsyncIterator[Socket]:
    """Logged in, with both channels confirmed."""
    async with on.session.ws_connect(on.urls["private"]) as socket:
        client = Socket(socket)
        await client.send(login())
        assert await client.next() == {"event": "login", "code": 0, "msg": ""}
        await client.send({"op": "subscribe", "args": PRIVATE})
        for arg in PRIVATE:
            assert await client.next(lambda told: "event" in told) == {"event": "subscribe", "arg": arg}
        yield client
