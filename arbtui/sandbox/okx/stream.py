"""OKX's two WebSockets (okx.com/docs-v5, "Connect", "Login", "Subscribe", "Notification"): logins, channels, pings, what they send."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.okx.auth import OkxAuth
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.sockets import Sockets
from arbtui.sandbox.windows import RollingWindow

#: Seconds without anything in either direction after which a socket is closed.
IDLE_S = 30.0
#: Subscriptions, their ends and logins of one socket in an hour.
REQUESTS_AN_HOUR = 480
PUBLIC, PRIVATE = ("books", "bbo-tbt", "trades"), ("orders", "account")
_PONG = text_frame(b"pong")


class OkxSockets(Sockets[None]):
    """What both have in common: messages, channels and the end of idle connections."""

    message_limits = ()  # what counts is in an hour, and pings do not
    counts_pings = False
    idle_s = IDLE_S
    stream: Stream

    def __init__(self, clock: Clock, faults: WireFaults) -> None:
        super().__init__(clock, lambda payload, _: text_frame(payload))
        self._faults = faults
        self._opened = 0
        self._ids: dict[Peer, str] = {}
        self._requests: dict[Peer, RollingWindow] = {}

    async def end_over_limit(self, peer: Peer) -> None:
        """Never called: what is over the limit is refused, and the socket stays."""

    def announce_end(self, after_s: float) -> None:
        """Tell every client of now that its connection will be closed for an upgrade, and break it ``after_s`` seconds later."""
        words = "The connection will soon be closed for a service upgrade. Please reconnect."
        for peer in list(self.peers):
            self._say(peer, {"event": "notice", "code": "64008", "msg": words})
            asyncio.get_running_loop().call_later(after_s, peer.cut)

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._ids.pop(peer, None)
        self._requests.pop(peer, None)

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: each argument of a message is answered by itself."""
        if raw == b"ping":
            peer.send(_PONG)
            return
        try:
            message = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message = {}
        op, args = message.get("op"), message.get("args")
        if op not in ("subscribe", "unsubscribe", "login") or not isinstance(args, list) or not all(isinstance(arg, dict) for arg in args):
            self._refuse(peer, message, "60012", f"Invalid request: {raw[:200].decode(errors='replace')}")
        elif not self._requests.setdefault(peer, RollingWindow(REQUESTS_AN_HOUR, 3600.0)).take(self._clock.monotonic()):
            self._refuse(peer, message, "60014", "Requests too frequent")
        elif op == "subscribe" and (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=self.stream)) is not None:
            self._refuse(peer, message, fault.error or "60012", fault.words or "scripted")
        elif op == "login":
            self.log_in(peer, message, args)
        else:
            for arg in args:
                self.obey(peer, message, str(op), arg)
            peer.flush()

    def log_in(self, peer: Peer, message: Mapping[str, Any], args: Sequence[Mapping[str, Any]]) -> None:
        """A login, which the public socket does not have."""
        self._refuse(peer, message, "60018", "Wrong URL or channel: login doesn't exist. Please use the correct URL.")

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, arg: Mapping[str, Any]) -> None:
        """Begin or end one channel."""
        raise NotImplementedError

    def confirm(self, peer: Peer, message: Mapping[str, Any], op: str, arg: Mapping[str, Any]) -> None:
        """Tell that a channel was begun or ended."""
        self._say(peer, {**_id_of(message), "event": op, "arg": arg})

    def refuse_channel(self, peer: Peer, message: Mapping[str, Any], arg: Mapping[str, Any]) -> None:
        """Tell that there is no such channel here."""
        named = ",".join(f"{name}:{value}" for name, value in arg.items())
        words = f"Wrong URL or {named} doesn't exist. Please use the correct URL, channel and parameters referring to API document."
        self._refuse(peer, message, "60018", words)

    def _refuse(self, peer: Peer, message: Mapping[str, Any], code: str, words: str) -> None:
        self._say(peer, {**_id_of(message), "event": "error", "code": code, "msg": words})

    def _say(self, peer: Peer, body: dict[str, Any]) -> None:
        if peer not in self._ids:
            self._opened += 1
            self._ids[peer] = f"{0xA4D30000 + self._opened:08x}"
        peer.send(text_frame(encode({**body, "connId": self._ids[peer]})))


class PublicSockets(OkxSockets):
    """Market data.

    Args:
        first: the frames that a channel (its name, and the market) begins with.
    """

    stream = "public"

    def __init__(self, clock: Clock, faults: WireFaults, codes: Mapping[str, object], first: Callable[[str, str], Sequence[bytes]]) -> None:
        super().__init__(clock, faults)
        self._codes = codes
        self._first = first

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, arg: Mapping[str, Any]) -> None:
        """See :class:`OkxSockets`."""
        key = (str(arg.get("channel")), str(arg.get("instId")))
        if key[0] not in PUBLIC or key[1] not in self._codes:
            return self.refuse_channel(peer, message, arg)
        self.confirm(peer, message, op, arg)
        if op == "unsubscribe":
            return self.fanout.forget(peer, key)
        self.fanout.want(peer, key, None)
        peer.pending += [text_frame(frame) for frame in self._first(*key)]
        return None


class PrivateSockets(OkxSockets):
    """One account's pushes, after a login.

    Args:
        first: the frame that a channel begins with, where it has one.
    """

    stream = "private"

    def __init__(self, clock: Clock, faults: WireFaults, auth: OkxAuth, first: Callable[[str], bytes | None]) -> None:
        super().__init__(clock, faults)
        self._auth = auth
        self._first = first
        self._known: set[Peer] = set()

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._known.discard(peer)

    def log_in(self, peer: Peer, message: Mapping[str, Any], args: Sequence[Mapping[str, Any]]) -> None:
        """See :class:`OkxSockets`."""
        code, words = self._auth.logs_in(args[0]) if len(args) == 1 else ("60012", "Invalid request")
        if code:
            self._refuse(peer, message, code, words)
            return
        self._known.add(peer)
        self._say(peer, {"event": "login", "code": "0", "msg": ""})

    def obey(self, peer: Peer, message: Mapping[str, Any], op: str, arg: Mapping[str, Any]) -> None:
        """See :class:`OkxSockets`; a channel of all spot markets, with the count of connections that have it."""
        channel = str(arg.get("channel"))
        if peer not in self._known:
            return self._refuse(peer, message, "60011", "Please log in")
        if channel not in PRIVATE or (channel == "orders" and arg.get("instType") not in ("SPOT", "ANY")):
            return self.refuse_channel(peer, message, arg)
        self.confirm(peer, message, op, arg)
        if op == "unsubscribe":
            return self.fanout.forget(peer, ("", channel))
        self.fanout.want(peer, ("", channel), None)
        count = sum(("", channel) in self.fanout.of(one) for one in self.peers)
        self._say(peer, {"event": "channel-conn-count", "channel": channel, "connCount": str(count)})
        first = self._first(channel)
        if first is not None:
            peer.pending.append(text_frame(first))
        return None

    def send_event(self, channel: str, payload: bytes) -> None:
        """A push to every subscriber."""
        self.fanout.put(("", channel), payload)
        self.flush()


def _id_of(message: Mapping[str, Any]) -> dict[str, str]:
    return {"id": str(message["id"])} if "id" in message else {}
