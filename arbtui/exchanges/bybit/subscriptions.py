"""What to send over Bybit's public spot streams (bybit-exchange/docs, v5: "Connect", "Orderbook", "Trade", "Rate Limit Rules", 2026-07).

Limits: 10 topics a message on spot, 21,000 characters of topics a connection, 500 connections per 5 minutes and address, 1,000 open ones.
No pace of messages is documented. A connection should send ``{"op":"ping"}`` every 20 s. Of a message with one bad topic nothing is taken
(not documented; users report it: "Invalid symbol :[orderbook.50.X]", "error:handler not found,topic:..."), so each market has its own.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Keepalive, Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.wire import not_json
from arbtui.model.errors import WireError

DEPTH = 50  #: levels a side, every 20 ms; 200 levels come every 100 ms, and no cycle reaches that deep
MARKETS_A_SOCKET = 60  #: 120 topics: a lost connection affects few markets, and sixty messages open it in 3 s

KEEPALIVE = Keepalive('{"op":"ping"}', 20.0)

_UNLISTED = re.compile(rf"(?:Invalid symbol|handler not found).*\b(?:orderbook\.{DEPTH}|publicTrade)\.(\w+)")
_DATA_STARTS = (b'{"topic":"orderbook.', b'{"topic":"publicTrade.')


class _Depth(msgspec.Struct, gc=False):
    bids: list[tuple[Price, Quantity]] = msgspec.field(name="b")
    asks: list[tuple[Price, Quantity]] = msgspec.field(name="a")


class _Answer(msgspec.Struct, gc=False):
    code: int = msgspec.field(name="retCode")
    words: str = msgspec.field(name="retMsg", default="")
    result: msgspec.Raw = msgspec.Raw()


_answer = msgspec.json.Decoder(_Answer).decode
_depth = msgspec.json.Decoder(_Depth, strict=False).decode


class BybitFraming:
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 0
    message_gap_s = 0.05
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 86_400.0  # none is documented; a new socket a day costs nothing

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        return raw.startswith(_DATA_STARTS)

    def notice(self, raw: bytes) -> Notice | None:
        """Answers to SUBSCRIBE; pongs and answers to UNSUBSCRIBE say nothing of the connection."""
        try:
            told = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        if told.get("success") is False:
            words = str(told.get("ret_msg", ""))
            unlisted = _UNLISTED.search(words)
            return Notice(NoticeKind.REFUSED, words) if unlisted is None else Notice(NoticeKind.UNLISTED, unlisted[1])
        return Notice(NoticeKind.CONFIRMED) if told.get("op") == "subscribe" and told.get("success") is True else None

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """Sockets of up to :data:`MARKETS_A_SOCKET` markets: the book and the trades of each."""
        markets = share(len(codes), MARKETS_A_SOCKET, sockets)
        return [_subscription(codes[at : at + markets]) for at in range(0, len(codes), markets)]

    def resubscription(self, code: str) -> Sequence[bytes]:
        """The topic anew: its first message is a whole book."""
        topic = f"orderbook.{DEPTH}.{code}"
        return _message("unsubscribe", [topic]), _message("subscribe", [topic])

    def snapshot(self, code: str) -> RestCall | None:
        """None: whole books come over the stream."""
        return None

    def probe(self, code: str) -> RestCall:
        """``GET /v5/market/orderbook`` of one level. Like the stream, it leaves out orders for retail users (RPI)."""
        return RestCall(f"/v5/market/orderbook?category=spot&symbol={code}&limit=1", {"http": 1})

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            answer = _answer(raw)
            if answer.code:
                raise WireError("orderbook", f"{answer.code} {answer.words}")
            depth = _depth(answer.result)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(raw, error) from None
        return depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """None: whole books start a chain of changes, which need them all."""
        return None


def _subscription(codes: Sequence[str]) -> Subscription:
    messages = tuple(_message("subscribe", (f"orderbook.{DEPTH}.{code}", f"publicTrade.{code}")) for code in codes)
    return Subscription(tuple(codes), messages, 2 * len(codes))


def _message(op: str, topics: Sequence[str]) -> bytes:
    return json.dumps({"op": op, "args": list(topics)}, separators=(",", ":")).encode()
