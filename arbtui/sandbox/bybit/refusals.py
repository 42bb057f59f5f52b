"""Bybit's error bodies (v5, "Error Codes"): ``{"retCode", "retMsg", ...}`` under status 200."""

from arbtui.sandbox.answer import Refusal

_WORDS = {
    10001: "Request parameter error.",
    10002: "invalid request, please check your server timestamp or recv_window param.",
    10003: "API key is invalid.",
    10004: "Error sign, please check your signature generation algorithm.",
    10005: "Permission denied, please check your API key permissions.",
    10006: "Too many visits!",
    170115: "Invalid timeInForce.",
    170116: "Invalid orderType.",
    170117: "Invalid side.",
    170121: "Invalid symbol.",
    170130: "Data sent for paramter is not valid.",
    170131: "Balance insufficient",
    170134: "Order price decimal too long.",
    170136: "Order quantity lower than the minimum.",
    170137: "Order volume decimal too long",
    170140: "Order value exceeded lower limit",
    170141: "Duplicate clientOrderId",
    170151: "The trading pair is not open yet",
    170210: "New order rejected.",
    170213: "Order does not exist.",
}

#: The venue core's first word of a refusal -> Bybit's code.
_OF_CORE = {
    "PRICE_UNIT": 170134,
    "LOT_STEP": 170137,
    "LOT_SIZE": 170136,
    "MIN_COST": 170140,
    "INSUFFICIENT_FUNDS": 170131,
    "DUPLICATE_CLIENT_ID": 170141,
    "UNKNOWN_MARKET": 170121,
    "MARKET_HALTED": 170151,
}


def refused(code: int, message: str = "", status: int = 200) -> Refusal:
    """The refusal of that code; the venue adds the time."""
    return Refusal(status, {"retCode": code, "retMsg": message or _WORDS[code], "result": {}, "retExtInfo": {}})


def refused_by_core(reason: str) -> Refusal:
    """The venue core's ``reason`` as Bybit's error."""
    return refused(_OF_CORE.get(reason.partition(" ")[0], 170210))
