"""Bitget's two WebSockets (bitget.com/api-doc, common, "Websocket API"): logins, channels, their answers and limits."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode

from arbtui.sandbox.answer import Refusal, encode
from arbtui.sandbox.bitget.auth import BitgetAuth
from arbtui.sandbox.bitget.refusals import words_of
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.sockets import Sockets

#: Seconds without a text ``ping`` after which Bitget closes a socket.
UNHEARD_S = 120.0
MOST_CHANNELS = 1000  #: of a connection
MESSAGE_BYTES = 4096
#: Messages with a subscription that a connection may send in an hour.
SUBSCRIPTIONS_AN_HOUR = 240

PUBLIC = ("books15", "books1", "trade")
PRIVATE = {"orders": "instId", "account": "coin"}  #: and what each is told by
#: What a private channel is subscribed with here: everything of it.
EVERY = "default"
_PONG = text_frame(b"pong")


class BitgetSockets(Sockets[bool]):
    """What both sockets have in common: pings in text, subscriptions that are confirmed one by one, and the end after a day.

    Args:
        first_of: what a new subscriber of a channel is sent at once.
    """

    message_limits = ((10, 1.0),)
    counts_pings = False
    stream: Stream

    def __init__(
        self, clock: VenueClock, faults: WireFaults, cut_after_s: float, first_of: Callable[[tuple[str, str]], bytes | None]
    ) -> None:
        super().__init__(clock, lambda payload, _: text_frame(payload))
        self._first_of = first_of
        self._faults = faults
        self._cut_after_s = cut_after_s
        self._heard: dict[Peer, float] = {}
        self._subscriptions: dict[Peer, int] = {}

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`Sockets`: an error that says so, then the close."""
        peer.send(_error("30007"))
        await peer.response.close(code=WSCloseCode.POLICY_VIOLATION)

    def gone(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        super().gone(peer)
        self._heard.pop(peer, None)
        self._subscriptions.pop(peer, None)

    def housekeep(self) -> None:
        """Break the sockets that sent no ping for too long, or are a day old."""
        now = self._clock.monotonic()
        for peer in list(self.peers):
            if now - self._heard.get(peer, peer.opened) >= UNHEARD_S or now - peer.opened >= self._cut_after_s:
                peer.cut()

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: a ping in text, or an operation."""
        if raw == b"ping":
            self._heard[peer] = self._clock.monotonic()
            peer.send(_PONG)
            return
        try:
            message = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message = None
        if len(raw) > MESSAGE_BYTES or not isinstance(message, dict):
            peer.send(_error("30002"))
            return
        op, args = message.get("op"), message.get("args")
        if not isinstance(args, list) or not args or not all(isinstance(arg, dict) for arg in args):
            peer.send(_error("30016"))
        elif op == "subscribe":
            self._subscribe(peer, args)
        elif op == "unsubscribe":
            for arg in args:
                key = self.key_of(arg)
                if key is not None:
                    self.fanout.forget(peer, key)
                peer.send(_answer("unsubscribe", arg))
        else:
            self.do(peer, str(op), args)

    def do(self, peer: Peer, op: str, args: list[dict[str, Any]]) -> None:
        """Any other operation."""
        peer.send(_error("30003"))

    @abstractmethod
    def key_of(self, arg: Mapping[str, Any]) -> tuple[str, str] | None:
        """The stream that ``arg`` names; None where there is none of that name."""

    def may(self, peer: Peer) -> bool:
        """Whether ``peer`` may subscribe."""
        return True

    def _subscribe(self, peer: Peer, args: list[dict[str, Any]]) -> None:
        if (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=self.stream)) is not None:
            peer.send(_error(fault.error or "", fault.words or "scripted", args[0]))
            return
        if not self.may(peer):
            peer.send(_error("30004", arg=args[0]))
            return
        self._subscriptions[peer] = self._subscriptions.get(peer, 0) + 1
        if self._subscriptions[peer] > SUBSCRIPTIONS_AN_HOUR:
            peer.send(_error("30006", arg=args[0]))
            return
        for arg in args:
            key = self.key_of(arg)
            if key is None or len(self.fanout.of(peer)) >= MOST_CHANNELS:
                named = ",".join(f"{name}:{value}" for name, value in arg.items())
                peer.send(_error("30001", words_of("30001", named), arg))
                continue
            self.fanout.want(peer, key, True)
            peer.pending.append(_answer("subscribe", arg))
            first = self._first_of(key)
            if first is not None:
                peer.pending.append(text_frame(first))
            peer.flush()


class PublicSockets(BitgetSockets):
    """The sockets of market data."""

    stream = "public"

    def __init__(
        self,
        codes: Mapping[str, object],
        clock: VenueClock,
        faults: WireFaults,
        cut_after_s: float,
        first_of: Callable[[tuple[str, str]], bytes | None],
    ) -> None:
        super().__init__(clock, faults, cut_after_s, first_of)
        self._codes = codes

    def key_of(self, arg: Mapping[str, Any]) -> tuple[str, str] | None:
        """See :class:`BitgetSockets`."""
        channel, code = str(arg.get("channel")), str(arg.get("instId"))
        return (channel, code) if arg.get("instType") == "SPOT" and channel in PUBLIC and code in self._codes else None


class PrivateSockets(BitgetSockets):
    """The sockets of one account's events."""

    stream = "private"

    def __init__(
        self,
        auth: BitgetAuth,
        clock: VenueClock,
        faults: WireFaults,
        cut_after_s: float,
        first_of: Callable[[tuple[str, str]], bytes | None],
    ) -> None:
        super().__init__(clock, faults, cut_after_s, first_of)
        self._auth = auth
        self._logged_in: set[Peer] = set()

    def gone(self, peer: Peer) -> None:
        """See :class:`BitgetSockets`."""
        super().gone(peer)
        self._logged_in.discard(peer)

    def do(self, peer: Peer, op: str, args: list[dict[str, Any]]) -> None:
        """See :class:`BitgetSockets`: a login."""
        if op != "login":
            super().do(peer, op, args)
            return
        try:
            self._auth.check_login(args[0])
        except Refusal as no:
            peer.send(_error(str(no.body["code"])))
            return
        self._logged_in.add(peer)
        peer.send(text_frame(encode({"event": "login", "code": 0, "msg": ""})))

    def key_of(self, arg: Mapping[str, Any]) -> tuple[str, str] | None:
        """See :class:`BitgetSockets`."""
        channel = str(arg.get("channel"))
        named = PRIVATE.get(channel)
        return (channel, EVERY) if named is not None and arg.get("instType") == "SPOT" and arg.get(named) == EVERY else None

    def may(self, peer: Peer) -> bool:
        """See :class:`BitgetSockets`."""
        return peer in self._logged_in


def _answer(event: str, arg: Mapping[str, Any]) -> bytes:
    return text_frame(encode({"event": event, "arg": dict(arg)}))


def _error(code: str, words: str | None = None, arg: Mapping[str, Any] | None = None) -> bytes:
    told: dict[str, Any] = {"event": "error", "code": int(code) if code.isdecimal() else code, "msg": words or words_of(code)}
    return text_frame(encode(told if arg is None else {**told, "arg": dict(arg), "op": "subscribe"}))
