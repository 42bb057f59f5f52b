"""A TCP line between a session and a venue that can be slow, broken or dead, whatever the venue does."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from urllib.parse import urlsplit, urlunsplit

from arbtui.settings.load import load_profile
from tests.faults.desk import Desk

#: Bytes of each piece that go out one by one where a line is sliced; the rest follows at once, or nothing would get through.
SLICED = 24
_TURNS = 10


class Line:
    """Passes bytes both ways to ``port`` of this machine. Its attributes may be changed while it runs."""

    def __init__(self, port: int) -> None:
        self.port = 0  #: where it listens
        self.latency_s = 0.0  #: of each piece, in both directions
        self.resets = 0.0  #: share of pieces at which the connection is reset
        self.is_sliced = False
        self.is_dead = False  #: nothing passes, nothing is closed, and connections are still taken: half-open
        self.connections = 0
        self.passed = 0  #: pieces
        self.broken = 0  #: connections reset
        self._to = port
        self._chance = Random(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            except OSError:
                return
            self._writers.add(far_writer)
            born_dead = self.is_dead
            ways = [self._pass(reader, far_writer, born_dead), self._pass(far_reader, writer, born_dead)]
            running = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in running:
                    way.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                self._writers.discard(far_writer)
                far_writer.transport.abort()
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: bool) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, piece = await waiting.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if self.resets and self._chance.random() < self.resets:
                    self.broken += 1
                    writer.transport.abort()
                    return
                if self.is_sliced:
                    for place in range(min(SLICED, len(piece))):
                        writer.write(piece[place : place + 1])
                        await asyncio.sleep(0)
                    piece = piece[SLICED:]
                writer.write(piece)
                self.passed += 1

        delivering = asyncio.create_task(deliver())
        try:
            while not delivering.done():
                piece = await reader.read(65_536)
                if not piece:
                    break
                dead = dead or self.is_dead  # what was dead once stays so: only a new connection helps
                if not dead:
                    waiting.put_nowait((loop.time() + self.latency_s, piece))
        except OSError:
            pass
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)


@asynccontextmanager
async def lines(d: Desk, *, host: str = "127.0.0.1") -> AsyncIterator[Mapping[str, Line]]:
    """A line before each venue of a desk that has not started; its session goes through them, and calls them ``host``."""
    made, servers = {name: Line(front.port) for name, front in d.box.fronts.items()}, []
    for line in made.values():
        server = await asyncio.start_server(line._serve, "127.0.0.1", 0)
        servers.append(server)
        line.port = server.sockets[0].getsockname()[1]
    told = d.settings.model_dump(exclude={"path"}, by_alias=True)
    for name, urls in d.box.urls.items():
        told["exchanges"][name]["urls"] = {what: _through(url, host, made[name].port) for what, url in urls.items()}
    d.settings = load_profile("upbit-binance", told)
    try:
        yield made
    finally:
        for server in servers:
            server.close()
        for _ in range(_TURNS):  # a connection that was just taken begins to be served some turns later
            for line in made.values():
                line.cut()
                if line._tasks:
                    await asyncio.wait(line._tasks, timeout=10)
            await asyncio.sleep(0)


def _through(url: str, host: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))
