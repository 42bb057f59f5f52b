"""The forms of Upbit's public frames that can be requested: DEFAULT or SIMPLE keys, as an object or in a list, fewer levels."""

from typing import Any

from arbtui.sandbox.won.forms import framer

_SIMPLE = {
    "orderbook": {
        "type": "ty", "code": "cd", "timestamp": "tms", "total_ask_size": "tas", "total_bid_size": "tbs", "orderbook_units": "obu",
        "stream_type": "st", "level": "lv",
    },
    "trade": {
        "type": "ty", "code": "cd", "timestamp": "tms", "trade_date": "td", "trade_time": "ttm", "trade_timestamp": "ttms",
        "trade_price": "tp", "trade_volume": "tv", "ask_bid": "ab", "prev_closing_price": "pcp", "change": "c", "change_price": "cp",
        "sequential_id": "sid", "best_ask_price": "bap", "best_ask_size": "bas", "best_bid_price": "bbp", "best_bid_size": "bbs",
        "stream_type": "st",
    },
    "ticker": {
        "type": "ty", "code": "cd", "opening_price": "op", "high_price": "hp", "low_price": "lp", "trade_price": "tp",
        "prev_closing_price": "pcp", "acc_trade_price": "atp", "change": "c", "change_price": "cp", "signed_change_price": "scp",
        "change_rate": "cr", "signed_change_rate": "scr", "ask_bid": "ab", "trade_volume": "tv", "acc_trade_volume": "atv",
        "trade_date": "tdt", "trade_time": "ttm", "trade_timestamp": "ttms", "acc_ask_volume": "aav", "acc_bid_volume": "abv",
        "highest_52_week_price": "h52wp", "highest_52_week_date": "h52wdt", "lowest_52_week_price": "l52wp",
        "lowest_52_week_date": "l52wdt", "market_state": "ms", "is_trading_suspended": "its", "delisting_date": "dd",
        "market_warning": "mw", "timestamp": "tms", "acc_trade_price_24h": "atp24h", "acc_trade_volume_24h": "atv24h",
        "stream_type": "st",
    },
    "myOrder": {
        "type": "ty", "code": "cd", "uuid": "uid", "ask_bid": "ab", "order_type": "ot", "state": "s", "trade_uuid": "tuid", "price": "p",
        "avg_price": "ap", "volume": "v", "remaining_volume": "rv", "executed_volume": "ev", "trades_count": "tc",
        "reserved_fee": "rsf", "remaining_fee": "rmf", "paid_fee": "pf", "locked": "l", "executed_funds": "ef", "time_in_force": "tif",
        "trade_fee": "tf", "is_maker": "im", "identifier": "id", "smp_type": "smpt", "prevented_volume": "pv", "prevented_locked": "pl",
        "trade_timestamp": "ttms", "order_timestamp": "otms", "timestamp": "tms", "stream_type": "st",
    },
    "myAsset": {
        "type": "ty", "asset_uuid": "astuid", "assets": "ast", "asset_timestamp": "asttms", "timestamp": "tms", "stream_type": "st",
    },
}  # fmt: skip
_UNIT = {"ask_price": "ap", "bid_price": "bp", "ask_size": "as", "bid_size": "bs"}
_ASSET = {"currency": "cu", "balance": "b", "locked": "l"}

FORMATS = ("DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST")


def _simple(message: dict[str, Any]) -> dict[str, Any]:
    names = _SIMPLE[message["type"]]
    short = {names.get(name, name): value for name, value in message.items()}
    for rows, table in (("obu", _UNIT), ("ast", _ASSET)):
        if rows in short:
            short[rows] = [{table[name]: value for name, value in row.items()} for row in short[rows]]
    return short


framed = framer(_simple)
