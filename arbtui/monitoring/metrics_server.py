"""Serves metrics on the engine's own loop, in small pieces, so that no look at them keeps an order waiting.

A thread would have to read the engine's state while the loop changes it, and would take the interpreter's lock from the loop for whole
time slices. So everything is read on the loop, a slice at a time, and put into words a family at a time, and each millisecond the loop
has its turn. It speaks as much of HTTP/1.1 (RFC 9112) as a scrape needs: one request a connection.
"""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from arbtui.model.turns import Turns
from arbtui.monitoring.config import MetricsConfig

log = logging.getLogger("arbtui")

#: A request that is not there, or an answer that is not taken, after so many seconds is given up.
_PATIENCE_S = 5.0
#: Bytes of a request at most.
_LONGEST_REQUEST = 8192
#: Requests that are served at once; more are sent away.
_AT_ONCE = 8
#: What was read is told again to whoever asks within so many seconds: two scrapers, or a careless one, cost no more than one.
_AGAIN_S = 0.5

#: Of the loop: an accepted socket is a connection, and a closed one is gone, within three.
_TURNS = 10

Families = Callable[[], Awaitable[Iterable[Metric]]]


class MetricsServer:
    """An HTTP server for ``GET /metrics``. ``async with`` it.

    Args:
        read: gives the families, each made when it is asked for.
    """

    def __init__(self, config: MetricsConfig, read: Families) -> None:
        self._config = config
        self._read = read
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._told = b""
        self._told_at = float("-inf")

    @property
    def url(self) -> str:
        """Where metrics are; empty while nothing is served."""
        if self._server is None:
            return ""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"

    async def open(self) -> str:
        """Begin to listen; why that cannot be, or nothing: a run goes on without metrics."""
        host, port = self._config.host, self._config.port
        try:
            self._server = await asyncio.start_server(self._on_connection, host, port, limit=_LONGEST_REQUEST)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"metrics: port {port} at {host} is taken, perhaps by another engine: this run serves none; "
                    "give it one of its own, metrics.port in the profile or ARBTUI_METRICS__PORT"
                )
            return f"metrics: {host}:{port} cannot be listened at ({error.strerror or error}): this run serves none; see metrics.host"
        return ""

    async def close(self) -> None:
        """Stop listening, and cut off who is served now."""
        if self._server is None:
            return
        self._server.close()
        for _ in range(_TURNS):
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)
            await asyncio.sleep(0)
        self._server = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._busy) >= _AT_ONCE:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer), name="metrics request")
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
            answer = await self._answer(head)
            async with asyncio.timeout(_PATIENCE_S):
                writer.write(answer)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, or does not speak HTTP
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        except Exception:  # a figure that cannot be told must not end a run
            log.exception("metrics could not be told")
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", b"GET /metrics\n", "text/plain")
        if path != b"/metrics":
            return _response("404 Not Found", b"metrics are at /metrics\n", "text/plain")
        return _response("200 OK", await self._text(), CONTENT_TYPE_PLAIN_0_0_4, is_head=method == b"HEAD")

    async def _text(self) -> bytes:
        async with self._lock:
            now = asyncio.get_running_loop().time
            if now() - self._told_at >= _AGAIN_S:
                parts, found = [], await self._read()
                turns = Turns()
                for family in found:
                    parts.append(generate_latest(_One(family)))
                    await turns.pause()
                self._told, self._told_at = b"".join(parts), now()
            return self._told


class _One(Collector):
    """Gives one family, which is what the library puts into words."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)


def _response(status: str, body: bytes, kind: str, *, is_head: bool = False) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + (b"" if is_head else body)
