"""Binance's WebSocket API (Spot API, "WebSocket API"): requests by message, and the user data stream."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from arbtui.sandbox.answer import Answer, Refusal, encode
from arbtui.sandbox.binance.auth import BinanceAuth
from arbtui.sandbox.binance.endpoints import Endpoint
from arbtui.sandbox.binance.limits import BinanceLimits, banned
from arbtui.sandbox.binance.refusals import refused
from arbtui.sandbox.binance.stream import BinanceSockets
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import NO_KEY
from arbtui.sandbox.peer import Peer, text_frame

_USER = ("user", "")


class WsApi(BinanceSockets[int]):
    """One account's requests, and its events to every socket that asked for them."""

    def __init__(
        self,
        methods: Mapping[str, Endpoint],
        auth: BinanceAuth,
        limits: BinanceLimits,
        clock: VenueClock,
        cut_after_s: float,
        faults: WireFaults,
    ) -> None:
        super().__init__(clock, _framed, cut_after_s)  # form: subscription id
        self._methods = methods
        self._auth = auth
        self._limits = limits
        self._faults = faults
        self._venue_clock = clock
        self._next_subscription: dict[Peer, int] = {}

    def send_event(self, event: Mapping[str, Any] | bytes) -> None:
        """An event to every subscriber, wrapped in its subscription's id."""
        self.fanout.put(_USER, event if isinstance(event, bytes) else encode(event))
        self.fanout.flush()

    def gone(self, peer: Peer) -> None:
        """See :meth:`Sockets.gone`."""
        super().gone(peer)
        self._next_subscription.pop(peer, None)

    async def read(self, peer: Peer, raw: bytes) -> None:
        """One request; its answer carries its id."""
        number: Any = None
        orders = False
        wants_limits = True
        try:
            request = msgspec.json.decode(raw, type=dict[str, Any])
            number, method = request.get("id"), str(request.get("method", ""))
            params = request.get("params") or {}
            if not isinstance(params, dict):
                raise refused(-1102, "Mandatory parameter 'params' was not sent, was empty/null, or malformed.")
            wants_limits = params.get("returnRateLimits", True) is not False
            orders = method == "order.place"
            result = await self._answer(peer, method, params)
            answer: dict[str, Any] = {"id": number, "status": 200, "result": result}
        except Refusal as no:
            answer = {"id": number, "status": no.status, "error": no.body}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            answer = {"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON"}}
        except ValueError:  # an invalid number inside a parameter
            answer = {"id": number, "status": 400, "error": refused(-1102).body}
        if wants_limits:
            answer["rateLimits"] = self._limits.rows(orders=orders)
        peer.send(text_frame(encode(answer)))

    def notice(self, peer: Peer, event: dict[str, Any]) -> Any:
        """See :meth:`BinanceSockets.notice`."""
        return {"event": event}

    def _scripted(self, method: str) -> None:
        """Refuse what a fault says: a ban meets every message, an error the next subscription."""
        ban = self._faults.take(WireFaultKind.BAN)
        if ban is not None and ban.until is not None:
            raise _as_refusal(banned(self._until_ms(ban.until - self._clock.monotonic()), 1), self._venue_clock.time_ms())
        if method.startswith("userDataStream.subscribe"):
            fault = self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream="private")
            if fault is not None:
                status = fault.status or 400
                data = {"serverTime": self._venue_clock.time_ms(), "retryAfter": self._until_ms(fault.retry_after_s)}
                body: dict[str, Any] = {"code": int(fault.error or 0), "msg": fault.words or "scripted"}
                raise Refusal(status, body | ({"data": data} if status in (418, 429) else {}))

    def _until_ms(self, seconds: float) -> int:
        return self._venue_clock.time_ms() + round(seconds * 1000)

    async def _answer(self, peer: Peer, method: str, params: Mapping[str, Any]) -> Any:
        self._scripted(method)
        if method == "userDataStream.subscribe.signature":
            self._count(2)
            self._auth.check_message(params)
            return self._subscribe(peer)
        if method == "userDataStream.unsubscribe":
            self._count(2)
            self._unsubscribe(peer)
            return {}
        if method == "session.status":
            self._count(2)
            return {
                "apiKey": None,
                "authorizedSince": None,
                "connectedSince": self._venue_clock.time_ms() - round((self._clock.monotonic() - peer.opened) * 1000),
                "returnRateLimits": True,
                "serverTime": self._venue_clock.time_ms(),
                "userDataStream": bool(self.fanout.of(peer)),
            }
        if method == "session.logon":
            self._count(2)
            self._auth.check_message(params)
            raise refused(-4056)  # Binance logs on with Ed25519 keys only, and the play keys are HMAC keys
        if method == "userDataStream.subscribe":
            raise refused(-2014, "Session is not authenticated.")
        known = self._methods.get(method)
        if known is None:
            raise refused(-1000, f"Method '{method}' is not supported.")
        texts = {name: value if isinstance(value, str) else encode(value).decode() for name, value in params.items()}
        self._count(known.weigh(texts), known.orders)
        return await known.ask(self._auth.check_message(params) if known.signed else NO_KEY, texts)

    def _subscribe(self, peer: Peer) -> dict[str, int]:
        if self.fanout.of(peer):
            raise refused(-2035, "Subscription already active.")
        number = self._next_subscription.get(peer, 0)
        self._next_subscription[peer] = number + 1
        self.fanout.want(peer, _USER, number)
        return {"subscriptionId": number}

    def _unsubscribe(self, peer: Peer) -> None:
        if not self.fanout.of(peer):
            raise refused(-2036, "No active subscription.")
        number = self._next_subscription[peer] - 1
        self.fanout.forget(peer, _USER)
        peer.send(_framed(encode({"e": "eventStreamTerminated", "E": self._venue_clock.time_ms()}), number))

    def _count(self, weight: int, orders: int = 0) -> None:
        throttled = self._limits.take(weight, orders)
        if throttled is not None:
            raise _as_refusal(throttled, self._venue_clock.time_ms())


def _framed(event: bytes, subscription: int) -> bytes:
    return text_frame(b'{"subscriptionId":%d,"event":%b}' % (subscription, event))


def _as_refusal(answer: Answer, now_ms: int) -> Refusal:
    """A 429 or 418 as the WebSocket API tells it: with ``data.retryAfter``, in ms since the epoch."""
    body = msgspec.json.decode(answer.body, type=dict[str, Any])
    found = re.search(r"banned until (\d+)", str(body.get("msg", "")))
    until = int(found[1]) if found is not None else now_ms + int(answer.headers.get("Retry-After", 1)) * 1000
    return Refusal(answer.status, body | {"data": {"serverTime": now_ms, "retryAfter": until}}, answer.headers)
