"""A sandbox with OKX, and clients of it that sign by hand."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox
from tests.sandbox.boxes import Reply, Socket, box

PRIVATE: tuple[dict[str, str], ...] = ({"channel": "orders", "instType": "SPOT"}, {"channel": "account"})


class OkxCaller:
    """Signs as okx.com/docs-v5 tells ("Making Requests"), without ccxt."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], key: Key) -> None:
        self.session = session
        self.urls = urls
        self.key = key

    def headers(self, told: str, *, at_ms: int | None = None) -> dict[str, str]:
        """Those of a request; ``told`` is method, path with query, and body."""
        now = time.time() if at_ms is None else at_ms / 1000
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "OK-ACCESS-KEY": self.key.key,
            "OK-ACCESS-PASSPHRASE": self.key.passphrase,
            "OK-ACCESS-SIGN": _mac(self.key, at + told),
            "OK-ACCESS-TIMESTAMP": at,
        }

    async def get(self, path: str, headers: Mapping[str, str] | None = None, /, **params: str) -> Reply:
        asked = f"/api/v5/{path}" + (f"?{urlencode(params)}" if params else "")
        return await self.send("GET", asked, None, self.headers(f"GET{asked}") if headers is None else headers)

    async def post(self, path: str, more: Mapping[str, str] | None = None, /, **params: Any) -> Reply:
        asked, body = f"/api/v5/{path}", json.dumps(params)
        return await self.send("POST", asked, body, {**self.headers(f"POST{asked}{body}"), **(more or {})})

    async def ask(self, path: str, **params: str) -> Reply:
        """A call without a signature."""
        return await self.get(path, {}, **params)

    async def send(self, method: str, asked: str, body: str | None, headers: Mapping[str, str]) -> Reply:
        url = URL(self.urls["rest"] + asked, encoded=True)  # as it was signed
        async with self.session.request(method, url, data=body, headers={"Content-Type": "application/json", **headers}) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, name: str, qty: str = "10", price: str | None = None, *, kind: str = "ioc", **more: str) -> Reply:
        """A limit order to buy XRP, by default at a price that fills at once."""
        order = {"instId": "XRP-USDT", "tdMode": "cash", "side": "buy", "ordType": kind, "sz": qty, "clOrdId": name}
        return await self.post("trade/order", **{**order, "px": price or await self.dear(), **more})

    async def code(self, name: str, **how: Any) -> str:
        """The code that an order meets."""
        body = (await self.buy(name, **how)).body
        return str(body["data"][0]["sCode"] if body["data"] else body["code"])

    async def dear(self) -> str:
        """A price 2 % above the best ask."""
        book = (await self.ask("market/books", instId="XRP-USDT")).body["data"][0]
        return f"{Decimal(book['asks'][0][0]) * Decimal('1.02'):.2f}"


@dataclass
class OkxBench:
    """A sandbox with a caller of its OKX."""

    box: Sandbox
    session: aiohttp.ClientSession
    okx: OkxCaller

    def fault(self, kind: WireFaultKind, **told: Any) -> None:
        self.box.fault(WireFault("okx", kind, **told))

    @asynccontextmanager
    async def socket(self, *args: Mapping[str, str], private: bool = False) -> AsyncIterator[Socket]:
        """A socket with the channels ``args`` confirmed, after a login where it is ``private``."""
        async with self.session.ws_connect(self.okx.urls["private" if private else "stream"]) as raw:
            socket = Socket(raw)
            if private:
                await socket.send(login(self.okx.key))
                assert (await socket.next())["code"] == "0"
            if args:
                await socket.send({"op": "subscribe", "args": args})
            for arg in args:
                told = await socket.next(lambda told: "event" in told and told["event"] != "channel-conn-count")
                assert (told["event"], told["arg"]) == ("subscribe", arg)
            yield socket


@asynccontextmanager
async def okx_bench(**options: Any) -> AsyncIterator[OkxBench]:
    async with box(venues=("upbit", "okx"), **options) as running, aiohttp.ClientSession() as session:
        yield OkxBench(running, session, OkxCaller(session, running.urls["okx"], running.keys["okx"]))


def login(key: Key, at_s: int | None = None) -> dict[str, Any]:
    """The login of a private socket."""
    at = str(int(time.time()) if at_s is None else at_s)
    told = {"apiKey": key.key, "passphrase": key.passphrase, "timestamp": at, "sign": _mac(key, f"{at}GET/users/self/verify")}
    return {"op": "login", "args": [told]}


def _mac(key: Key, text: str) -> str:
    return base64.b64encode(hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
