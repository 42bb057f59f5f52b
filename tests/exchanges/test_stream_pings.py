"""A venue that wants to be sent a text of its own regularly gets it, over a real socket."""

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from arbtui.exchanges.private_stream import PrivateStream, Socket
from arbtui.exchanges.subscriptions import Keepalive


def test_the_private_stream_sends_the_venues_own_ping_and_bears_its_answer() -> None:
    async def run() -> None:
        heard: list[str] = []
        frames: list[bytes] = []
        enough = asyncio.Event()

        async def serve(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    heard.append(message.data)
                    await socket.send_str("pong")
            return socket

        async def nothing(socket: Socket, take: Callable[[bytes], None]) -> None:
            pass

        def on_frame(frame: bytes) -> None:
            frames.append(frame)
            if len(frames) == 3:
                enough.set()

        app = web.Application()
        app.router.add_get("/", serve)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        stream = PrivateStream(
            "venue",
            f"ws://{host}:{port}/",
            headers=dict,
            subscribe=nothing,
            on_frame=on_frame,
            on_open=lambda: None,
            on_close=lambda: None,
            on_refused=lambda error: None,
            limits=None,
            health=None,
            keepalive=Keepalive("ping", 0.01),
        )
        running = asyncio.create_task(stream.run())
        async with asyncio.timeout(30):
            await enough.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await runner.cleanup()
        assert set(heard) == {"ping"}
        assert set(frames) == {b"pong"}

    asyncio.run(run())
