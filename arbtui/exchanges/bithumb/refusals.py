"""Bithumb: every documented error name of the REST interface and of the WebSocket.

Sources: apidocs.bithumb.com, docs/api-주요-에러-코드 (2026-10-27) and reference/웹소켓-에러 (2026-06-30). The list calls itself the main
ones: names that it lacks and that clients report, or that the same interface has at Upbit, are marked so. A question that cannot be
answered (no such market, a parameter missing) comes with HTTP 200 and a number for its name (probed on 2026-09-23:
nemanull/arbitrage-observatory, docs/venues/bithumb/rest.md @ 2cbe7062).
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    FUNDS,
    MADE_WRONG,
    OPEN,
    OPEN_ORDERS,
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
_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue does not know the order")
_MINIMUM = of_symbol("the least value has changed; start anew to read the rules", "MIN_COST")
_MAXIMUM = of_order("the order's value is over Bithumb's most", "MAX_COST")
_UNIT = of_symbol("the price unit has changed; look for a newer version of arbtui, which knows Bithumb's table", "PRICE_UNIT")
_LOT = of_symbol("the quantity has more digits than Bithumb takes", "LOT_SIZE")
_NO_MARKET = of_symbol("Bithumb does not list this market any more", "UNKNOWN_MARKET")

NAMES: Mapping[str, Refusal] = {
    # 400
    "invalid_parameter": MADE_WRONG,
    "invalid_price": _UNIT,
    "invalid_price_ask": _UNIT,
    "invalid_price_bid": _UNIT,
    "under_price_limit_ask": _UNIT,
    "under_price_limit_bid": _UNIT,
    "bank_account_required": of_account("the account lacks its verified bank account: register it at Bithumb"),
    "two_factor_auth_required": of_account("the account lacks its second factor: set it up at Bithumb"),
    "currency does not have a valid value": _NO_MARKET,
    "cross_trading": of_order("it would trade with an order of our own"),
    "withdraw_insufficient_balance": _NOT_OURS,
    "insufficient_funds_ask": FUNDS,  # as at Upbit, and the next ones up to invalid_volume_bid
    "insufficient_funds_bid": FUNDS,
    "insufficient_funds": FUNDS,
    "under_min_total_ask": _MINIMUM,
    "under_min_total_bid": _MINIMUM,
    "over_max_total_ask": _MAXIMUM,
    "over_max_total_bid": _MAXIMUM,
    "invalid_volume": _LOT,
    "invalid_volume_ask": _LOT,
    "invalid_volume_bid": _LOT,
    "under_min_total": _MINIMUM,  # reported, and the next three
    "too_many_orders": OPEN_ORDERS,
    "duplicate_client_order_id": EARLIER_COPY,
    "id_conflict": EARLIER_COPY,
    "400": MADE_WRONG,  # a parameter is missing
    # 401 and 403
    "invalid_query_payload": _SECRET,
    "jwt_verification": _SECRET,
    "expired_jwt": of_key("Bithumb calls the token expired: set this machine's clock, and check the key"),
    "notallowip": of_key("this machine's address is not in the key's list: add it at Bithumb, under API management", Scope.IP),
    "out_of_scope": of_key("the key lacks this right: make one at Bithumb that has it, then delete this one"),
    "invalid_access_key": of_key("Bithumb does not know this key: make a new one"),  # reported
    "blocked_member_id": of_account("Bithumb has restricted this account: ask its support"),
    # 404; where Bithumb's name is the number, a market is not there
    "order_not_found": _GONE,
    "deposit_not_found": _NOT_OURS,
    "withdraw_not_found": _NOT_OURS,
    "404": _NO_MARKET,
    "not_found": MADE_WRONG,  # no such path
    # 422, 429, 500
    "order_not_ready": OPEN,  # being taken: how it ends is looked up
    "too_many_requests": THROTTLED,  # reported
    "server_error": OPEN,
    # WebSocket
    "wrong_format": MADE_WRONG,
    "no_ticket": MADE_WRONG,
    "no_type": MADE_WRONG,
    "no_codes": MADE_WRONG,
    "invalid_param": MADE_WRONG,
}

#: A message that says a client id was used before: which name comes with it is in no document.
_USED_BEFORE = ("client_order_id", "중복", "이미 사용")
_PARAMETER = frozenset({"invalid_parameter"})


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none. Bithumb writes names in either case."""
    name = code.lower()
    row = NAMES.get(name)
    if (row is None or name in _PARAMETER) and any(part in f"{name} {message}".lower() for part in _USED_BEFORE):
        return EARLIER_COPY
    return row
