"""Bybit's two WebSockets (v5, "Connect"): logins, topics, pings, and what is sent on them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.bybit.auth import BybitAuth
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.sockets import Sockets

#: Seconds without anything in either direction after which a socket is closed.
IDLE_S = 600.0
#: Topics of one message to the public socket of spot.
MOST_TOPICS = 10
BOOK = "orderbook.50"
PRIVATE_TOPICS = ("order", "execution", "wallet")
_PUBLIC = re.compile(r"(orderbook\.(?:1|50|200|1000)|publicTrade|tickers|kline\.\w+)\.(\w+)")
_PRIVATE = re.compile(r"(order|execution)(\.spot)?|wallet")


class BybitSockets(Sockets[None]):
    """What both have in common: messages, topics and the end of idle connections."""

    message_limits = ()  # none are documented
    counts_pings = False
    idle_s = IDLE_S
    stream: Stream

    def __init__(self, clock: Clock, faults: WireFaults) -> None:
        super().__init__(clock, lambda payload, _: text_frame(payload))
        self._faults = faults
        self._opened = 0
        self._ids: dict[Peer, str] = {}

    async def end_over_limit(self, peer: Peer) -> None:
        """Never called: there is no limit."""

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._ids.pop(peer, None)

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`."""
        try:
            message = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message = {}
        op, args = message.get("op"), message.get("args", [])
        if op == "ping":
            self._say(peer, message, self.pong(message))
        elif op not in ("subscribe", "unsubscribe", "auth") or not isinstance(args, list):
            self._say(peer, message, {"success": False, "ret_msg": "error:invalid op", "request": {"op": op or "", "args": None}})
        elif op != "unsubscribe" and (fault := self._fault(str(op))) is not None:
            self._refuse(peer, message, f"{fault.error} {fault.words or 'scripted'}")
        else:
            self.obey(peer, message, str(op), args)

    def pong(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a ping."""
        return {"success": True, "ret_msg": "pong", "op": "ping"}

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, args: Sequence[Any]) -> None:
        """Do what a message asks."""
        raise NotImplementedError

    def _fault(self, op: str) -> Any:
        return self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=self.stream) if op == "subscribe" else None

    def _refuse(self, peer: Peer, message: Mapping[str, Any], words: str) -> None:
        self._say(peer, message, {"success": False, "ret_msg": words, "op": message.get("op", "")})

    def _confirm(self, peer: Peer, message: Mapping[str, Any], words: str) -> None:
        self._say(peer, message, {"success": True, "ret_msg": words, "op": message["op"]})

    def _say(self, peer: Peer, message: Mapping[str, Any], body: dict[str, Any]) -> None:
        if peer not in self._ids:
            self._opened += 1
            self._ids[peer] = f"5a2db0c5-{self._opened:012x}"
        answer = body | {"conn_id": self._ids[peer]}
        if "req_id" in message:
            answer["req_id"] = str(message["req_id"])
        peer.send(text_frame(encode(answer)))


class PublicSockets(BybitSockets):
    """Market data. Topics that are not simulated are accepted and silent.

    Args:
        snapshot: the whole book of a market now, in the frames to send.
    """

    stream = "public"

    def __init__(self, clock: Clock, faults: WireFaults, codes: Mapping[str, object], snapshot: Callable[[str], Sequence[bytes]]) -> None:
        super().__init__(clock, faults)
        self._codes = codes
        self._snapshot = snapshot

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, args: Sequence[Any]) -> None:
        """See :class:`BybitSockets`: one bad topic, and none of the message is taken."""
        keys = []
        have = set(self.fanout.of(peer))
        for topic in args:
            found = _PUBLIC.fullmatch(str(topic))
            if op == "auth" or found is None:
                return self._refuse(peer, message, f"error:handler not found,topic:{topic}")
            if found[2] not in self._codes:
                return self._refuse(peer, message, f"Invalid symbol :[{topic}]")
            key = (found[1], found[2])
            if op == "subscribe" and key in have:
                return self._refuse(peer, message, f"error:already subscribed,topic:{topic}")
            keys.append(key)
        if len(keys) > MOST_TOPICS:
            return self._refuse(peer, message, "args size >10")
        self._confirm(peer, message, "subscribe" if op == "subscribe" else "")
        for key in keys:
            if op == "unsubscribe":
                self.fanout.forget(peer, key)
                continue
            self.fanout.want(peer, key, None)
            if key[0] == BOOK:
                peer.pending += [text_frame(frame) for frame in self._snapshot(key[1])]
        peer.flush()
        return None


class PrivateSockets(BybitSockets):
    """One account's events, after a login."""

    stream = "private"

    def __init__(self, clock: Clock, faults: WireFaults, auth: BybitAuth) -> None:
        super().__init__(clock, faults)
        self._auth = auth
        self._known: set[Peer] = set()

    def pong(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """See :class:`BybitSockets`: another one than the public socket's."""
        return {"op": "pong", "args": [str(self._clock.time_ms())]}

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._known.discard(peer)

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, args: Sequence[Any]) -> None:
        """See :class:`BybitSockets`."""
        if op == "auth":
            if not self._auth.logs_in(args):
                return self._refuse(peer, message, "error:USVC1111")
            self._known.add(peer)
            return self._confirm(peer, message, "")
        if peer not in self._known:
            return self._refuse(peer, message, "Request not authorized")
        if bad := [topic for topic in args if _PRIVATE.fullmatch(str(topic)) is None]:
            return self._refuse(peer, message, f"error:handler not found,topic:{bad[0]}")
        for topic in args:
            if op == "subscribe":
                self.fanout.want(peer, ("", str(topic)), None)
            else:
                self.fanout.forget(peer, ("", str(topic)))
        return self._confirm(peer, message, "")

    def send_event(self, topic: str, payload: bytes) -> None:
        """An event to every subscriber; ``topic`` without the category, which a subscriber may name or not."""
        for name in (topic, f"{topic}.spot"):
            self.fanout.put(("", name), payload.replace(b'"topic":"%b"' % topic.encode(), b'"topic":"%b"' % name.encode(), 1))
        self.flush()
