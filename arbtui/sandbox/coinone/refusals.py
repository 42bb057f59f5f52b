"""Coinone's errors: ``result``, ``error_code`` and ``error_msg`` (docs.coinone.co.kr/docs/error-code).

The documents name no HTTP status; those that were probed on 2026-09-23 came with 200 (nemanull/arbitrage-observatory,
docs/venues/coinone/rest.md, section 6), and so do all here.
"""

from typing import Any

from arbtui.sandbox.answer import Refusal

_WORDS = {
    "4": "Blocked user access",
    "12": "Invalid access token",
    "20": "This service does not exist",
    "40": "Invalid API permission",
    "103": "Lack of Balance",
    "104": "Order id does not exist",
    "105": "Price is not correct",
    "107": "Parameter value is wrong",
    "108": "Unknown CryptoCurrency",
    "109": "Unknown cryptocurrency pair",
    "116": "Already Traded",
    "117": "Already Canceled",
    "120": "V2 API payload is missing",
    "121": "V2 API signature is missing",
    "122": "V2 API nonce is missing",
    "123": "V2 API signature is not correct",
    "132": "Nonce already used",
    "133": "Nonce must be in UUID format",
    "161": "price is required for LIMIT or STOP_LIMIT order",
    "162": "qty is required for LIMIT, STOP_LIMIT or MARKET(SELL) order",
    "163": "post_only is required for LIMIT order",
    "166": "Not Supported Order Type",
    "300": "Invalid order information",
    "305": "Invalid quantity",
    "306": "Cannot process orders below minimum amount",
    "310": "Unavailable price unit",
    "312": "Duplicated user_order_id",
    "313": "user_order_id and order_id cannot be requested together",
    "314": "Invalid user_order_id",
    "316": "Invalid range",
    "317": "Invalid size",
}

#: The venue core's first word of a refusal -> Coinone's code. For a market that does not trade the documents have none.
_OF_CORE = {
    "PRICE_UNIT": "310",
    "LOT_STEP": "305",
    "LOT_SIZE": "305",
    "MIN_COST": "306",
    "INSUFFICIENT_FUNDS": "103",
    "DUPLICATE_CLIENT_ID": "312",
    "UNKNOWN_MARKET": "109",
}


def error_body(code: str, words: str) -> dict[str, Any]:
    """An error as an answer's body."""
    return {"result": "error", "error_code": code, "error_msg": words}


def refused(code: str) -> Refusal:
    """The refusal of that code."""
    return Refusal(200, error_body(code, _WORDS[code]))


def refused_by_core(reason: str) -> Refusal:
    """The venue core's ``reason`` as Coinone's error."""
    return refused(_OF_CORE.get(reason.partition(" ")[0], "300"))
