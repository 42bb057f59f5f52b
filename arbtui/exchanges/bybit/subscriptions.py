"""What to send over Bybit's public spot streams (bybit-exchange/docs, v5: "Connect", "Orderbook", "Trade", "Rate Limit Rules", 2026-07).

Limits: 10 topics a message on spot, 21,000 characters of topics a connection, 500 connections per 5 minutes and address, 1,000 open ones.
No pace of messages is documented. A connection should send ``{"op":"ping"}`` every 20 s. Of a message with one bad topic nothing is taken
(not documented; users report it: "Invalid symbol :[orderbook.50.X]", "error:handler not found,topic:..."), so each market has its own.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from arbtui.exchanges.framing import Framing
from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Keepalive, Notice, NoticeKind, RestCall, Subscription
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


class BybitFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    message_gap_s = 0.05
    data_starts = _DATA_STARTS
    markets_a_socket = MARKETS_A_SOCKET

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Answers to SUBSCRIBE; pongs and answers to UNSUBSCRIBE say nothing of the connection."""
        if message.get("success") is False:
            words = str(message.get("ret_msg", ""))
            unlisted = _UNLISTED.search(words)
            return Notice(NoticeKind.REFUSED, words) if unlisted is None else Notice(NoticeKind.UNLISTED, unlisted[1])
        return Notice(NoticeKind.CONFIRMED) if message.get("op") == "subscribe" and message.get("success") is True else None

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`MARKETS_A_SOCKET` markets: the book and the trades of each."""
        messages = tuple(_message("subscribe", (f"orderbook.{DEPTH}.{code}", f"publicTrade.{code}")) for code in codes)
        return Subscription(tuple(codes), messages, 2 * len(codes))

    def resubscription(self, code: str) -> Sequence[bytes]:
        """The topic anew: its first message is a whole book."""
        topic = f"orderbook.{DEPTH}.{code}"
        return _message("unsubscribe", [topic]), _message("subscribe", [topic])

    def probe(self, code: str) -> RestCall:
        """``GET /v5/market/orderbook`` of one level. Like the stream, it leaves out orders for retail users (RPI)."""
        return RestCall(f"/v5/market/orderbook?category=spot&symbol={code}&limit=1", {"http": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        answer = _answer(raw)
        if answer.code:
            raise WireError("orderbook", f"{answer.code} {answer.words}")
        depth = _depth(answer.result)
        return depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else inf


def _message(op: str, topics: Sequence[str]) -> bytes:
    return json.dumps({"op": op, "args": list(topics)}, separators=(",", ":")).encode()
