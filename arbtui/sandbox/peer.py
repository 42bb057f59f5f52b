"""One client's WebSocket, seen from the venue: frames are encoded once and written to every socket that wants them."""

import asyncio
import struct
from collections import deque

from aiohttp import WSMessage, web

#: A client that reads slower than this many bytes behind is disconnected, as venues do; otherwise its buffer would grow without bound.
MOST_BUFFERED = 16_000_000

_TEXT, _BINARY, _PING, _PONG = 0x81, 0x82, 0x89, 0x8A


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked text message (RFC 6455, section 5.2), the same for every client."""
    return _frame(_TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """A whole unmasked binary message."""
    return _frame(_BINARY, payload)


def ping_frame(payload: bytes) -> bytes:
    """A ping; ``payload`` (at most 125 bytes) comes back with the pong."""
    return _frame(_PING, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping."""
    return _frame(_PONG, payload)


def _frame(head: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", head, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", head, 126, size) + payload
    return struct.pack("!BBQ", head, 127, size) + payload


class Peer:
    """One open socket. ``opened`` and ``last_activity`` are monotonic seconds."""

    def __init__(self, request: web.BaseRequest, response: web.WebSocketResponse, now: float) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client left during the handshake")
        self.response = response
        self.opened = self.last_activity = self.last_pong = now
        self.pending: list[bytes] = []  #: whole frames that wait for :meth:`flush`
        self.delay_s = 0.0
        self._held: deque[bytes] = deque()  # what is delayed, in order, each with a timer
        self._due = 0.0  # loop time of the last one's timer: what is sent later never comes sooner
        self._transport = transport

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""
        return not self._transport.is_closing() and not self.response.closed

    def send(self, frame: bytes) -> None:
        """Write one whole frame now (or after the scripted delay)."""
        self.pending.append(frame)
        self.flush()

    def flush(self) -> None:
        """Write all pending frames at once."""
        if not self.pending:
            return
        data = b"".join(self.pending)
        self.pending.clear()
        if not self.delay_s and not self._held:
            self._write(data)
            return
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + self.delay_s)
        self._held.append(data)
        loop.call_at(self._due, self._write_held)

    def cut(self) -> None:
        """Abort the connection without a close frame."""
        self._transport.abort()

    async def receive(self) -> WSMessage:
        """The client's next message, pings and pongs among them."""
        return await self.response.receive()

    def _write_held(self) -> None:
        """Write the oldest of what is held: timers of one time fire in any order, and each writes one."""
        self._write(self._held.popleft())

    def _write(self, data: bytes) -> None:
        if not self.is_open:
            return
        if self._transport.get_write_buffer_size() > MOST_BUFFERED:
            self._transport.abort()
            return
        self._transport.write(data)
