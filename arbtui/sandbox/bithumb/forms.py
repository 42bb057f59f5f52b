"""The forms of Bithumb's public frames that can be requested: DEFAULT or SIMPLE keys, and fewer levels (``CODE.N``)."""

from typing import Any, NamedTuple

import msgspec

from arbtui.sandbox.answer import encode
from arbtui.sandbox.peer import binary_frame

_SIMPLE = {
    "type": "ty", "code": "cd", "total_ask_size": "tas", "total_bid_size": "tbs", "orderbook_units": "obu", "level": "lv",
    "timestamp": "tms", "stream_type": "st", "trade_price": "tp", "trade_volume": "tv", "ask_bid": "ab", "trade_date": "td",
    "trade_time": "ttm", "trade_timestamp": "ttms", "sequential_id": "sid",
}  # fmt: skip
_UNIT = {"ask_price": "ap", "bid_price": "bp", "ask_size": "as", "bid_size": "bs"}

FORMATS = ("DEFAULT", "SIMPLE")


class Form(NamedTuple):
    """``levels`` of a book, 0 for all."""

    format: str
    levels: int


PLAIN = Form("DEFAULT", 0)


def framed(payload: bytes, form: Form) -> bytes:
    """A payload in DEFAULT form as a binary WebSocket message in ``form``."""
    if form == PLAIN:
        return binary_frame(payload)
    message: dict[str, Any] = msgspec.json.decode(payload)
    units = message.get("orderbook_units")
    if units is not None and 0 < form.levels < len(units):
        message["orderbook_units"] = units[: form.levels]
    if form.format == "SIMPLE":
        message = {_SIMPLE.get(name, name): value for name, value in message.items()}
        if "obu" in message:
            message["obu"] = [{_UNIT[name]: value for name, value in unit.items()} for unit in message["obu"]]
    return binary_frame(encode(message))
