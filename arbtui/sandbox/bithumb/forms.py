"""The forms of Bithumb's public frames that can be requested: DEFAULT or SIMPLE keys, and fewer levels (``CODE.N``)."""

from typing import Any

from arbtui.sandbox.won.forms import framer

_SIMPLE = {
    "type": "ty", "code": "cd", "total_ask_size": "tas", "total_bid_size": "tbs", "orderbook_units": "obu", "level": "lv",
    "timestamp": "tms", "stream_type": "st", "trade_price": "tp", "trade_volume": "tv", "ask_bid": "ab", "trade_date": "td",
    "trade_time": "ttm", "trade_timestamp": "ttms", "sequential_id": "sid",
}  # fmt: skip
_UNIT = {"ask_price": "ap", "bid_price": "bp", "ask_size": "as", "bid_size": "bs"}

FORMATS = ("DEFAULT", "SIMPLE")


def _simple(message: dict[str, Any]) -> dict[str, Any]:
    short = {_SIMPLE.get(name, name): value for name, value in message.items()}
    if "obu" in short:
        short["obu"] = [{_UNIT[name]: value for name, value in unit.items()} for unit in short["obu"]]
    return short


framed = framer(_simple)
