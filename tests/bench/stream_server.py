"""The venues' public side for `tests.bench.stream`: frames as fast as asked, each with the time it was due in a quantity.

python -m tests.bench.stream_server SYMBOLS steady|burst RATE: prints its port, sends to whoever has subscribed, ends with its input.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

from aiohttp import WSMsgType, web

TICK_S = 0.005
LEVELS = 15


def framed(payload: bytes) -> bytes:
    """A WebSocket text frame of ``payload``."""
    size = len(payload)
    return bytes((0x81, size)) + payload if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big") + payload


class Server:
    def __init__(self, symbols: int, mode: str, rate: float) -> None:
        self.codes = [f"C{number:04d}" for number in range(symbols)]
        self.mode = mode
        self.rate = rate  #: frames a second, all venues together
        self.ids = dict.fromkeys(self.codes, 1000)
        self.sockets: dict[str, list[web.BaseRequest]] = {"upbit": [], "binance": []}
        self.wanted: dict[int, set[str]] = {}

    async def run(self) -> None:
        app = web.Application()
        app.router.add_get("/stream", self._binance)
        app.router.add_get("/websocket/v1", self._upbit)
        app.router.add_get("/api/v3/depth", self._depth)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        sending = asyncio.create_task(self._send())
        await asyncio.to_thread(sys.stdin.read)
        sending.cancel()

    async def _depth(self, request: web.Request) -> web.Response:
        bids, asks = ([[f"{100 + sign * (level + 1) / 100:.2f}", "1.0"] for level in range(50)] for sign in (-1, 1))
        return web.json_response({"lastUpdateId": self.ids[request.query["symbol"].removesuffix("USDT")], "bids": bids, "asks": asks})

    async def _binance(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets["binance"].append(request)
        wanted = self.wanted[id(request)] = set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                wanted.update(name.partition("@")[0].removesuffix("usdt").upper() for name in json.loads(message.data)["params"])
        self.sockets["binance"].remove(request)
        return socket

    async def _upbit(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        wanted = self.wanted[id(request)] = set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                codes = [code for part in json.loads(message.data) for code in part.get("codes", ())]
                wanted.update(code.removeprefix("KRW-").partition(".")[0] for code in codes)
                if request not in self.sockets["upbit"]:
                    self.sockets["upbit"].append(request)
        self.sockets["upbit"].remove(request)
        return socket

    async def _send(self) -> None:
        makers: list[tuple[str, Callable[[str, float], bytes]]] = [("binance", self._ticker)]
        if self.mode == "steady":
            makers = [("upbit", self._whole), ("binance", self._diff)]
        due, owed, at = time.monotonic(), 0.0, 0
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            owed += self.rate * TICK_S / len(makers)
            count, owed = int(owed), owed % 1
            codes = [self.codes[(at + n) % len(self.codes)] for n in range(count)]
            at += count
            for exchange, make in makers:
                made = [(code, make(code, due)) for code in codes] if self.sockets[exchange] else []
                for request in self.sockets[exchange]:
                    wanted, transport = self.wanted[id(request)], request.transport
                    if transport is not None and not transport.is_closing():
                        transport.write(b"".join(frame for code, frame in made if code in wanted))

    def _ticker(self, code: str, due: float) -> bytes:
        self.ids[code] += 1
        name = code.lower()
        return framed(
            b'{"stream":"%busdt@bookTicker","data":{"u":%d,"s":"%bUSDT","b":"99.99000000","B":"%.6f","a":"100.01000000","A":"5.00000000"}}'
            % (name.encode(), self.ids[code], code.encode(), due)
        )

    def _diff(self, code: str, due: float) -> bytes:
        self.ids[code] += 1
        number = self.ids[code]
        return framed(
            b'{"stream":"%busdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"%bUSDT","U":%d,"u":%d,'
            b'"b":[["99.99000000","%.6f"],["99.9%d000000","%d.00000000"]],"a":[["100.01000000","7.00000000"],["100.0%d000000","3.00000000"]]}}'
            % (code.lower().encode(), code.encode(), number, number, due, number % 9, number % 5, 2 + number % 7)
        )

    def _whole(self, code: str, due: float) -> bytes:
        rows = b",".join(
            b'{"ask_price":%d,"bid_price":%d,"ask_size":%.8f,"bid_size":%.6f}' % (140_100 + n * 10, 140_000 - n * 10, 1.5 + n, due)
            for n in range(LEVELS)
        )
        return framed(
            b'{"type":"orderbook","code":"KRW-%b","timestamp":1700000000000,"total_ask_size":12.5,"total_bid_size":11.25,'
            b'"orderbook_units":[%b],"stream_type":"REALTIME","level":0}' % (code.encode(), rows)
        )


if __name__ == "__main__":
    asyncio.run(Server(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])).run())
