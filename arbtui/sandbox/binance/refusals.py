"""Binance's error bodies (Spot API, "Errors"): ``{"code", "msg"}``."""

from arbtui.sandbox.answer import Answer, Refusal, encode

#: code -> (HTTP status, words)
_WORDS = {
    -1000: (400, "An unknown error occurred while processing the request."),
    -1020: (400, "This operation is not supported."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -1022: (400, "Signature for this request is not valid."),
    -1100: (400, "Illegal characters found in a parameter."),
    -1102: (400, "Mandatory parameter was not sent, was empty/null, or malformed."),
    -1106: (400, "Parameter 'price' sent when not required."),
    -1115: (400, "Invalid timeInForce."),
    -1116: (400, "Invalid orderType."),
    -1117: (400, "Invalid side."),
    -1121: (400, "Invalid symbol."),
    -1131: (400, "recvWindow must be less than 60000."),
    -2010: (400, "Account has insufficient balance for requested action."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
    -2014: (401, "API-key format invalid."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
    -4056: (400, "HMAC_SHA256 API key is not supported."),
}

#: The venue core's first word of a refusal -> code and words.
_OF_CORE = {
    "PRICE_UNIT": (-1013, "Filter failure: PRICE_FILTER"),
    "LOT_STEP": (-1013, "Filter failure: LOT_SIZE"),
    "LOT_SIZE": (-1013, "Filter failure: LOT_SIZE"),
    "MIN_COST": (-1013, "Filter failure: NOTIONAL"),
    "INSUFFICIENT_FUNDS": (-2010, "Account has insufficient balance for requested action."),
    "DUPLICATE_CLIENT_ID": (-2010, "Duplicate order sent."),
    "UNKNOWN_MARKET": (-1121, "Invalid symbol."),
    "MARKET_HALTED": (-1013, "Market is closed."),
}


def refused(code: int, message: str = "") -> Refusal:
    """The refusal of that code, with its status and message."""
    status, words = _WORDS.get(code, (400, ""))
    return Refusal(status, {"code": code, "msg": message or words})


def mandatory(name: str) -> Refusal:
    """A parameter is missing or malformed."""
    return refused(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def refused_by_core(reason: str) -> Refusal:
    """The venue core's ``reason`` as Binance's error."""
    code, words = _OF_CORE.get(reason.partition(" ")[0], (-2010, reason))
    return refused(code, words)


def closed_market() -> Refusal:
    """The symbol does not trade."""
    return refused(-1013, "Market is closed.")


def too_many(status: int, message: str, retry_after_s: int, code: int = -1003) -> Answer:
    """429 (slow down) or 418 (banned), with Retry-After in seconds."""
    return Answer(encode({"code": code, "msg": message}), status, {"Retry-After": str(retry_after_s)})
