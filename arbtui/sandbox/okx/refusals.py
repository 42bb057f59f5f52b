"""OKX's error bodies (okx.com/docs-v5, "Error Code"): ``{"code", "msg", "data"}``, and an operation's own ``sCode`` in its row."""

from collections.abc import Mapping

from arbtui.sandbox.answer import Refusal

_WORDS = {
    "50011": "Too Many Requests",
    "50014": "Parameter {} can not be empty",
    "50036": "The expTime can't be earlier than the current system time. Please adjust the expTime and try again.",
    "50102": "Timestamp request expired",
    "50103": 'Request header "OK-ACCESS-KEY" can not be empty',
    "50104": 'Request header "OK-ACCESS-PASSPHRASE" can not be empty',
    "50105": 'Request header "OK-ACCESS-PASSPHRASE" incorrect.',
    "50106": 'Request header "OK-ACCESS-SIGN" can not be empty',
    "50107": 'Request header "OK-ACCESS-TIMESTAMP" can not be empty',
    "50111": "Invalid OK-ACCESS-KEY",
    "50112": "Invalid OK-ACCESS-TIMESTAMP",
    "50113": "Invalid signature",
    "50120": "This API key doesn't have permission to use this function",
    "51000": "Parameter {} error",
    "51001": "Instrument ID does not exist.",
    "51008": "Order failed. Insufficient balance in account",
    "51016": "Client order ID already exists.",
    "51020": "Your order should meet or exceed the minimum order amount.",
    "51022": "Contract suspended.",
    "51121": "The number of contracts must be a multiple of the lot size.",
    "51150": "Order price does not meet the tick size requirement.",
    "51400": "Cancellation failed as the order has been filled, canceled or does not exist.",
    "51603": "Order does not exist",
}
#: HTTP statuses of the codes that have another than 200.
_STATUS = {"50011": 429}

#: The venue core's first word of a refusal -> OKX's code.
_OF_CORE = {
    "PRICE_UNIT": "51150",
    "LOT_STEP": "51121",
    "LOT_SIZE": "51020",
    "MIN_COST": "51020",
    "INSUFFICIENT_FUNDS": "51008",
    "DUPLICATE_CLIENT_ID": "51016",
    "UNKNOWN_MARKET": "51001",
    "MARKET_HALTED": "51022",
}
#: What an order refused for another reason gets.
_OTHERWISE = "51000"


def refused(code: str, what: str = "", words: str = "", status: int = 0) -> Refusal:
    """The refusal of a request as a whole; ``what`` is the parameter that it is about."""
    told = words or _WORDS.get(code, "").format(what)
    status = status or _STATUS.get(code, 401 if code.startswith("501") else 200)
    return Refusal(status, {"code": code, "data": [], "msg": told})


def failed(code: str, named: Mapping[str, str] | None = None, what: str = "", words: str = "") -> Refusal:
    """The refusal of an order or a cancel: HTTP 200, and the code in its row. ``named``: ``clOrdId`` and ``ordId``."""
    row = {"clOrdId": "", "ordId": "", **(named or {}), "tag": "", "ts": "", "sCode": code, "sMsg": words or _WORDS[code].format(what)}
    return Refusal(200, {"code": "1", "data": [row], "msg": "All operations failed"})


def failed_by_core(reason: str, named: Mapping[str, str] | None = None) -> Refusal:
    """The venue core's ``reason`` as OKX's refusal of an order."""
    return failed(_OF_CORE.get(reason.partition(" ")[0], _OTHERWISE), named, "order")
