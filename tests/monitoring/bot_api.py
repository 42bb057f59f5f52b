"""A Bot API server on a loopback socket, in a thread of its own: it takes messages, holds updates, and misbehaves as told."""

import asyncio
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from arbtui.sandbox.http_server import shut

TOKEN = "987654:CANARY-abcdefghijklmnopqrstuvwxyz"
LONGEST_TEXT = 4096  #: UTF-16 units (sendMessage)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Taken:
    """A message that the server took. ``at``: monotonic seconds; ``monospaced``: all of it; ``picture``: the file, where it is one."""

    chat_id: int
    text: str
    at: float
    monospaced: bool = False
    picture: bytes = b""


TAKEN = web.RequestKey("taken", Taken)


@dataclass
class BotApi:
    """The server. ``next_sends`` and ``next_polls`` answer the next requests; ``every_send`` all of them."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    asked: int = 0
    polls: list[int | None] = field(default_factory=list)  #: the offset of each getUpdates
    conflicts: int = 0  #: getUpdates that were ended since another one came
    _polling: asyncio.Event | None = None  #: set when the getUpdates that waits now is to be ended
    pending: list[dict[str, Any]] = field(default_factory=list)
    next_sends: deque[Answer] = field(default_factory=deque)
    next_polls: deque[Answer] = field(default_factory=deque)
    every_send: Callable[[Taken], Answer | None] = lambda taken: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def texts(self, chat_id: int | None = None) -> list[str]:
        """What was taken of text, in order."""
        return [one.text for one in list(self.taken) if not one.picture and (chat_id is None or one.chat_id == chat_id)]

    def up(self) -> Self:
        """Listen, on the same port as before."""
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def down(self) -> None:
        """Stop: connections are cut, and new ones are refused."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main(started))
        self._loop.close()

    async def _main(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_post("/bot{token}/sendMessage", self._send)
        app.router.add_post("/bot{token}/sendPhoto", self._send)
        app.router.add_post("/bot{token}/getUpdates", self._updates)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self.port))
            self.port = listening.getsockname()[1]
            await web.SockSite(runner, listening).start()
            started.set()
            await self._stop.wait()
            await shut(runner)
        left = asyncio.all_tasks() - {asyncio.current_task()}  # answers that were never meant to come
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if request.match_info["token"] != TOKEN:
            return refusal(401, "Unauthorized")
        body = await request.json() if request.content_type == "application/json" else await request.post()  # either is in its documents
        text = str(body.get("text", ""))
        whole = [{"type": "pre", "offset": 0, "length": len(text.encode("utf-16-le")) // 2}]
        entities = json.loads(str(body.get("entities", "[]")))
        assert entities in ([], whole), "entities of a part, or beyond the text"
        photo = body.get("photo")
        picture = photo.file.read() if isinstance(photo, web.FileField) else b""
        assert bool(text) is not bool(picture), "a message has a text, a photo its file"
        assert len(text.encode("utf-16-le")) <= 2 * LONGEST_TEXT
        taken = Taken(int(str(body["chat_id"])), text, time.monotonic(), bool(entities), picture)
        request[TAKEN] = taken
        answer = self.next_sends.popleft() if self.next_sends else self.every_send(taken)
        if answer is not None:
            return await answer(request)
        return self.take(taken)

    def take(self, taken: Taken) -> web.Response:
        """Deliver, as Telegram would."""
        self.taken.append(taken)
        chat = {"id": taken.chat_id, "type": "private" if taken.chat_id > 0 else "group"}
        return web.json_response({"ok": True, "result": {"message_id": len(self.taken), "date": 0, "chat": chat, "text": taken.text}})

    async def _updates(self, request: web.Request) -> web.StreamResponse:
        body = await request.post()
        offset = int(str(body["offset"])) if "offset" in body else None
        self.polls.append(offset)
        if self.next_polls:
            return await self.next_polls.popleft()(request)
        if offset is not None:
            self.pending = [update for update in self.pending if update.get("update_id", offset) >= offset]
        if self._polling is not None:
            self._polling.set()
        mine = self._polling = asyncio.Event()
        for _ in range(int(float(str(body["timeout"])) * 100)):
            if self.pending or self._stop.is_set() or mine.is_set():
                break
            await asyncio.sleep(0.01)
        if mine.is_set():  # as Telegram does: the one that came first is ended
            self.conflicts += 1
            return refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
        self._polling = None
        return web.json_response({"ok": True, "result": self.pending[:100]})


@contextmanager
def bot_api() -> Iterator[BotApi]:
    """A server that runs."""
    server = BotApi().up()
    try:
        yield server
    finally:
        if server._thread.is_alive():
            server.down()


def refusal(code: int, description: str, **parameters: Any) -> web.Response:
    """An error as the Bot API words it."""
    told: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        told["parameters"] = parameters
    return web.Response(status=code, text=json.dumps(told), content_type="application/json")


def refuses(code: int, description: str, **parameters: Any) -> Answer:
    """Answers so."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return refusal(code, description.replace("<path>", request.path), **parameters)

    return answer


def says(text: str, code: int = 200) -> Answer:
    """Answers with any bytes at all."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=text.replace("<path>", request.path))

    return answer


async def never(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(3600)
    raise AssertionError


async def cuts(request: web.Request) -> web.StreamResponse:
    """Cuts the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def loses_the_reply(server: BotApi) -> Answer:
    """Delivers, then cuts the connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        server.take(request[TAKEN])
        return await cuts(request)

    return answer


def message(
    update_id: int, text: str | None, *, user: int = 42, chat: int | None = None, kind: str = "private", **more: Any
) -> dict[str, Any]:
    """An update with a message typed just now; ``more`` goes into the message."""
    content = {
        "message_id": update_id,
        "date": int(time.time()),
        "from": {"id": user, "is_bot": False, "first_name": "A"},
        "chat": {"id": user if chat is None else chat, "type": kind},
        "text": text,
    }
    return {"update_id": update_id, "message": content | more}
