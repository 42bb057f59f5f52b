"""Binance's market streams (Spot API, "WebSocket Streams"): raw and combined, subscribed by URL or by message."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import WSCloseCode

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.fanout import Form
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, ping_frame, text_frame
from arbtui.sandbox.sockets import Sockets

MOST_STREAMS = 1024  #: per connection
MESSAGES_A_SECOND = 5
PING_S, PONG_WITHIN_S = 20.0, 60.0
_DATA = b'"data":'


class BinanceSockets(Sockets[Form]):
    """What the streams and the WebSocket API have in common: the venue's pings, and the end of a socket after a day."""

    message_limits = ((MESSAGES_A_SECOND, 1.0),)
    counts_pings = True

    def __init__(self, clock: Clock, encode: Callable[[bytes, Form], bytes], cut_after_s: float) -> None:
        super().__init__(clock, encode)
        self._cut_after_s = cut_after_s
        self._last_ping = clock.monotonic()
        self._ending: dict[Peer, asyncio.Task[bool]] = {}

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        await peer.response.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")

    def housekeep(self) -> None:
        """Once a second: ping, and close sockets that do not answer or are a day old."""
        now = self._clock.monotonic()
        ping = now - self._last_ping >= PING_S
        if ping:
            self._last_ping = now
        for peer in list(self.peers):
            if now - peer.opened >= self._cut_after_s or (now - peer.last_pong > PING_S + PONG_WITHIN_S):
                self._end(peer)
            elif ping and peer.is_open:
                peer.send(ping_frame(str(self._clock.time_ms()).encode()))

    def _end(self, peer: Peer) -> None:
        """Close a socket in a task of its own: a client that does not answer must not hold up the others."""
        if peer not in self._ending:
            self._ending[peer] = asyncio.create_task(peer.response.close(code=WSCloseCode.GOING_AWAY, drain=False))
            self._ending[peer].add_done_callback(lambda _: self._ending.pop(peer, None))

    def announce_end(self, event: dict[str, Any], after_s: float) -> None:
        """Tell every client of now that the server is about to end, and break those sockets ``after_s`` seconds later."""
        for peer in list(self.peers):
            peer.send(text_frame(encode(self.notice(peer, event))))
            asyncio.get_running_loop().call_later(after_s, peer.cut)

    @abstractmethod
    def notice(self, peer: Peer, event: dict[str, Any]) -> Any:
        """``event`` in the envelope that ``peer`` gets it in."""


class Streams(BinanceSockets[bool]):
    """The public streams. A stream that is not simulated is accepted and silent, as an unknown symbol's is at the venue."""

    def __init__(self, clock: Clock, cut_after_s: float, faults: WireFaults) -> None:
        super().__init__(clock, _framed, cut_after_s)  # form: combined?
        self._faults = faults
        self._combined: dict[Peer, bool] = {}

    def begin(self, peer: Peer, path: str, query: str) -> None:
        """Subscribe to what the URL names: ``/ws/a/b``, ``/stream?streams=a/b``, or nothing yet."""
        self._combined[peer] = path.startswith("/stream")
        if path.startswith("/stream"):
            names = "/".join(parse_qs(query).get("streams", [])).split("/")
        else:
            names = path.removeprefix("/ws").strip("/").split("/")
        for name in names:
            if "@" in name:
                self.fanout.want(peer, ("", name), self._combined[peer])

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._combined.pop(peer, None)

    def notice(self, peer: Peer, event: dict[str, Any]) -> Any:
        """See :meth:`BinanceSockets.notice`."""
        return {"stream": "!serverShutdown", "data": event} if self._combined.get(peer) else event

    async def read(self, peer: Peer, raw: bytes) -> None:
        """SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY."""
        try:
            message = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            peer.send(_error(3, f"Invalid JSON: {error}", None))
            return
        number, method, params = message.get("id"), message.get("method"), message.get("params", [])
        do: Callable[[Peer, Any], Any] | None = {
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "LIST_SUBSCRIPTIONS": lambda one, _: [name for _, name in self.fanout.of(one)],
            "SET_PROPERTY": self._set,
            "GET_PROPERTY": lambda one, _: self._combined[one],
        }.get(str(method))
        if do is None:
            peer.send(_error(2, f"Invalid request: unknown variant `{method}`", number))
            return
        if method == "SUBSCRIBE" and (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream="public")) is not None:
            peer.send(_error(int(fault.error or 0), fault.words or "scripted", number))
            return
        if not isinstance(params, list):
            peer.send(_error(2, "Invalid request: params must be an array", number))
            return
        try:
            result = do(peer, params)
        except ValueError as error:
            peer.send(_error(2, f"Invalid request: {error}", number))
            return
        peer.send(text_frame(encode({"result": result, "id": number})))

    def _subscribe(self, peer: Peer, names: list[Any]) -> None:
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("stream names must be strings")
        have = set(self.fanout.of(peer))
        if len(have | {("", name) for name in names}) > MOST_STREAMS:
            raise ValueError(f"a connection can listen to a maximum of {MOST_STREAMS} streams")
        for name in names:
            self.fanout.want(peer, ("", name), self._combined[peer])

    def _unsubscribe(self, peer: Peer, names: list[Any]) -> None:
        for name in names:
            self.fanout.forget(peer, ("", str(name)))

    def _set(self, peer: Peer, params: list[Any]) -> None:
        if len(params) != 2 or params[0] != "combined" or not isinstance(params[1], bool):
            raise ValueError("expected combined and a boolean")
        self._combined[peer] = params[1]
        for key in self.fanout.of(peer):
            self.fanout.want(peer, key, params[1])


def _framed(payload: bytes, combined: bool) -> bytes:
    return text_frame(payload if combined else payload[payload.index(_DATA) + len(_DATA) : -1])


def _error(code: int, message: str, number: Any) -> bytes:
    return text_frame(encode({"error": {"code": code, "msg": message}, "id": number}))
