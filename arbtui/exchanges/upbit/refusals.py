"""Upbit: every documented error name of the REST interface and of the WebSocket.

Sources: docs.upbit.com, "REST API 사용 및 에러 안내" (kr/v1.6.4/reference/rest-api-guide, and the older "API 주요 에러 코드 목록"),
"WebSocket 사용 및 에러 안내" (kr/v1.6.4/reference/websocket-guide), and the examples of the order reference. Names that the documents
lack and that clients report are marked so. ``withdraw_address_not_registerd`` is spelled as Upbit spells it, both ways.
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    FUNDS,
    MADE_WRONG,
    OPEN,
    PRICE_UNIT,
    THROTTLED,
    Meaning,
    Refusal,
    Retry,
    Scope,
    of_account,
    of_key,
    of_order,
    of_symbol,
)

_NOT_OURS = of_order("of a transfer, which arbtui never makes: look who else uses the key")
_SECRET = of_key("the secret does not belong to the key, or was cut in copying: enter both anew")
_ADDRESS = of_key("this machine's address is not in the key's list: add it at Upbit, under Open API", Scope.IP)
_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue does not know the order")
_MINIMUM = of_symbol("the least value has changed; start anew to read the rules", "MIN_COST")
_MAXIMUM = of_order("the order's value is over Upbit's most", "MAX_COST")
_LOT = of_symbol("the quantity has more digits than Upbit takes", "LOT_SIZE")
_NO_MARKET = of_symbol("Upbit does not list this market any more", "UNKNOWN_MARKET")
_CLOSED = of_symbol("Upbit does not trade this market now", "MARKET_CLOSED")

NAMES: Mapping[str, Refusal] = {
    # 400
    "create_ask_error": MADE_WRONG,
    "create_bid_error": MADE_WRONG,
    "insufficient_funds_ask": FUNDS,
    "insufficient_funds_bid": FUNDS,
    "insufficient_funds": FUNDS,  # reported
    "under_min_total_ask": _MINIMUM,
    "under_min_total_bid": _MINIMUM,
    "over_max_total_ask": _MAXIMUM,  # reported, and the next four
    "over_max_total_bid": _MAXIMUM,
    "over_max_total_price_bid": _MAXIMUM,
    "volume_too_large": _MAXIMUM,
    "out_of_capacity": _MAXIMUM,
    "under_price_limit_ask": PRICE_UNIT,
    "under_price_limit_bid": PRICE_UNIT,
    "invalid_price": PRICE_UNIT,
    "invalid_price_ask": PRICE_UNIT,
    "invalid_price_bid": PRICE_UNIT,
    "invalid_volume": _LOT,
    "invalid_volume_ask": _LOT,
    "invalid_volume_bid": _LOT,
    "invalid_funds": FUNDS,
    "not_supported_ord_type": of_symbol("the market does not take this kind of order"),
    "cross_trading": of_order("it would trade with an order of our own"),
    "invalid_parameter": MADE_WRONG,
    "validation_error": MADE_WRONG,
    "duplicated_identifier": EARLIER_COPY,
    "market_offline": _CLOSED,
    "market_not_found": _NO_MARKET,
    "market_does_not_exist": _NO_MARKET,
    "notfoundmarket": _NO_MARKET,
    "thirdparty_agreement_required": of_symbol("the account must agree to this market's terms at Upbit first"),
    "two_factor_auth_required": of_account("the account lacks its second factor: set it up at Upbit"),
    "bank_account_required": of_account("the account lacks its verified bank account: register it at Upbit"),
    **dict.fromkeys(
        (
            "withdraw_address_not_registerd", "withdraw_address_not_registered", "withdraw_insufficient_balance", "coin_address_not_found",
            "deposit_not_found", "withdraw_not_found", "deposit_address_not_found", "invalid_network_type",
        ),
        _NOT_OURS,
    ),
    # 401 and 403
    "invalid_query_payload": _SECRET,
    "jwt_verification": _SECRET,
    "invalid_secret_key": _SECRET,
    "no_authorization_token": of_key("no key was sent: enter one (arbtui keys set upbit)"),
    "authorization_missing": of_key("no key was sent: enter one (arbtui keys set upbit)"),
    "invalid_access_key": of_key("Upbit does not know this key: make a new one"),
    "expired_access_key": of_key("the key is over a year old: make a new one at Upbit"),
    "expired_jwt": of_key("Upbit calls the token expired: set this machine's clock, and check the key"),
    "nonce_used": EARLIER_COPY,
    "no_authorization_i_p": _ADDRESS,
    "no_authorization_ip": _ADDRESS,
    "out_of_scope": of_key("the key lacks this right: tick it at Upbit, under Open API, or make a key that has it"),
    "forbidden": of_key("the key or this machine's address may not: check both at Upbit"),
    # 404; where Upbit's name is the number, a market or path is not there
    "order_not_found": _GONE,
    "404": _NO_MARKET,
    # 418, 429, 500
    "too_many_requests": THROTTLED,
    "too_many_request": THROTTLED,
    "request_throttling": THROTTLED,  # reported
    "server_error": OPEN,
    "internal_server_error": OPEN,
    "order_not_ready": OPEN,  # being taken: how it ends is looked up
    # WebSocket
    "INVALID_AUTH": of_key("Upbit does not take the key for its private stream: check it"),
    "WRONG_FORMAT": MADE_WRONG,
    "NO_TICKET": MADE_WRONG,
    "NO_TYPE": MADE_WRONG,
    "NO_CODES": MADE_WRONG,
    "INVALID_PARAM": MADE_WRONG,
    "TOO_MANY_REQUESTS": THROTTLED,
}  # fmt: skip

#: A name for a parameter that is wrong, and a message that says which: a client id that was used before.
_PARAMETER = frozenset({"invalid_parameter", "validation_error", "create_ask_error", "create_bid_error"})
_USED_BEFORE = ("identifier", "중복", "이미 사용")


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none."""
    row = NAMES.get(code)
    if (row is None or code in _PARAMETER) and any(part in f"{code} {message}".lower() for part in _USED_BEFORE):
        return EARLIER_COPY
    return row
