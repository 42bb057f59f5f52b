"""Bitget's error bodies (bitget.com/api-doc, spot, "Error Code"): ``{"code", "msg", "requestTime", "data"}``, numbers of WebSockets too."""

from arbtui.sandbox.answer import Refusal

#: Code -> words; ``{}`` is filled in.
_WORDS = {
    "429": "Too Many Requests",
    "40001": "ACCESS_KEY cannot be empty",
    "40002": "ACCESS_SIGN cannot be empty",
    "40005": "Invalid ACCESS_TIMESTAMP",
    "40006": "Invalid ACCESS_KEY",
    "40008": "Request timestamp expired",
    "40009": "sign signature error",
    "40011": "ACCESS_PASSPHRASE cannot be empty",
    "40012": "apikey/password is incorrect",
    "40014": "Incorrect permissions, need {} permissions",
    "40017": "Parameter verification failed {}",
    "40019": "Parameter {} cannot be empty",
    "40020": "Parameter {} error",
    "40034": "Parameter {} does not exist",
    "40078": "Timestamp for this request is outside of the ME receiveWindow.",
    "40079": "receiveWindow timestamp must be less than 60s",
    "40304": "clientOid or clientOrderId length cannot greater than 50",
    "40404": "Request URL NOT FOUND",
    "40808": "Parameter verification exception {}",
    "41114": "The current trading pair is under maintenance, please refer to the official announcement for the opening time",
    "43001": "The order does not exist",
    "43012": "Insufficient balance",
    "43118": "clientOrderId duplicate",
    "45110": "less than the minimum amount {} USDT",
    "45111": "less than the minimum order quantity",
    "45112": "more than the maximum order quantity",
    "30001": "{} doesn't exist",
    "30002": "illegal request",
    "30003": "invalid op",
    "30004": "user needs to log in",
    "30005": "login failed",
    "30006": "request too many",
    "30007": "request over limit, connection close",
    "30011": "invalid ACCESS_KEY",
    "30012": "invalid ACCESS_PASSPHRASE",
    "30013": "invalid ACCESS_TIMESTAMP",
    "30014": "request timestamp expired",
    "30015": "invalid signature",
    "30016": "Param error",
}  # fmt: skip
_STATUS = {"429": 429, "40404": 404}

#: The venue core's first word of a refusal -> code and what its words are filled with.
_OF_CORE = {
    "PRICE_UNIT": ("40808", "price checkBDScale error"),
    "LOT_STEP": ("40808", "size checkBDScale error"),
    "LOT_SIZE": ("45111", ""),
    "MIN_COST": ("45110", "5"),
    "INSUFFICIENT_FUNDS": ("43012", ""),
    "DUPLICATE_CLIENT_ID": ("43118", ""),
    "UNKNOWN_MARKET": ("40034", "symbol"),
    "MARKET_HALTED": ("41114", ""),
}


def words_of(code: str, what: str = "") -> str:
    """The message of a code."""
    return _WORDS[code].format(what)


def refused(code: str, what: str = "") -> Refusal:
    """The refusal of that code, with its status and message; the door puts its time in."""
    return Refusal(_STATUS.get(code, 400), body_of(code, words_of(code, what)))


def refused_by_core(reason: str) -> Refusal:
    """The venue core's ``reason`` as Bitget's error."""
    return refused(*_OF_CORE.get(reason.partition(" ")[0], ("40017", reason)))


def body_of(code: str, words: str) -> dict[str, object]:
    """The body of an error."""
    return {"code": code, "msg": words, "requestTime": 0, "data": None}
