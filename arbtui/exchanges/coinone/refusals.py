"""Coinone: every documented error of the REST interface and of the WebSockets.

Sources: docs.coinone.co.kr/docs/error-code (as transcribed in 1XP-AI/coinone-skill, skill/ERROR_CODES.md @ cf6828bf, 2026) and
reference/private-websocket-1. The codes of 202 and of 3001 on are of withdrawals, which arbtui never makes.
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    FUNDS,
    MADE_WRONG,
    OPEN,
    PRICE_UNIT,
    Meaning,
    Refusal,
    Retry,
    Scope,
    of_account,
    of_key,
    of_order,
    of_symbol,
)

#: Its words are "blocked user access", and it is also what comes over a rate limit; each limit is counted alone.
_THROTTLED = Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "nothing of that kind is sent for a while; if it stays, ask Coinone")
_NOT_OURS = of_order("of a withdrawal, which arbtui never makes: look who else uses the key")
_TOKEN = of_key("Coinone does not know this key: make a new one there, for API version 2.1, and enter it")
_SECRET = of_key("the secret does not belong to the key, or was cut in copying: enter both anew")
_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue does not know the order, or it has ended")
_IDENTITY = of_account("the account lacks its identity check or its real-name bank account: complete it at Coinone")
_RANGE = of_order("Coinone takes no order so far from the last price", "PRICE_RANGE")
_LOT = of_symbol("the quantity has more digits than Coinone takes, or is out of its bounds; start anew to read the rules", "LOT_SIZE")
_NO_MARKET = of_symbol("Coinone does not list this market any more", "UNKNOWN_MARKET")

CODES: Mapping[str, Refusal] = {
    "4": _THROTTLED,
    "8": _TOKEN,
    "10": of_key("this machine's address is not in the key's list: add it at Coinone, under Open API", Scope.IP),
    "11": _TOKEN,
    "12": _TOKEN,
    "20": MADE_WRONG,
    "21": of_account("the account is not registered for the API: do so at Coinone, under Open API"),
    "22": of_account("Coinone has not approved the API for this account: look there, under Open API"),
    "23": _SECRET,
    "24": _TOKEN,
    "25": _TOKEN,
    "26": _TOKEN,
    "27": _TOKEN,
    "28": _TOKEN,
    "29": _TOKEN,
    "40": of_key("the key lacks this right: make one at Coinone that may order and read balances, orders and fees, then delete this one"),
    "50": _IDENTITY,
    "51": MADE_WRONG,
    "52": _IDENTITY,
    "53": of_account("Coinone's market surveillance refuses this account's orders: ask its support"),
    "101": MADE_WRONG,
    "103": FUNDS,
    "104": _GONE,
    "105": PRICE_UNIT,
    "107": MADE_WRONG,
    "108": _NO_MARKET,
    "109": _NO_MARKET,
    "111": _RANGE,
    "116": _GONE,
    "117": _GONE,
    "118": EARLIER_COPY,
    "120": MADE_WRONG,
    "121": MADE_WRONG,
    "122": MADE_WRONG,
    "123": _SECRET,
    "130": MADE_WRONG,
    "131": MADE_WRONG,
    "132": EARLIER_COPY,  # a nonce is used once
    "133": MADE_WRONG,
    "151": _TOKEN,
    **dict.fromkeys(map(str, (*range(152, 157), *range(158, 161), 202)), _NOT_OURS),
    "157": FUNDS,
    **dict.fromkeys(map(str, range(161, 168)), MADE_WRONG),
    "300": of_order("Coinone finds the order invalid"),
    "305": _LOT,
    "306": of_symbol("the least value or quantity has changed; start anew to read the rules", "MIN_COST"),
    "307": of_order("the order is over Coinone's most", "MAX_COST"),
    "308": _RANGE,
    "309": _LOT,
    "310": PRICE_UNIT,
    "312": EARLIER_COPY,
    "313": MADE_WRONG,
    "314": MADE_WRONG,
    "315": of_key("the key is of a portfolio, for which Coinone has no such request: make one of the main account"),
    "316": MADE_WRONG,
    "317": MADE_WRONG,
    "405": OPEN,
    "1201": MADE_WRONG,
    "1202": MADE_WRONG,
    "1206": of_account("Coinone does not find this account's user: ask its support"),
    **dict.fromkeys(map(str, (*range(3001, 3008), 3009, 3010, *range(3012, 3019))), _NOT_OURS),
    # WebSockets: what is asked for, and as close codes
    "160010": MADE_WRONG,
    "160011": MADE_WRONG,
    "160012": MADE_WRONG,
    "4280": of_key("Coinone refuses the key for its private stream: check the key and this machine's clock"),
    "4290": of_account("twenty private streams of this account are open already: end other programs"),
}


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none."""
    return CODES.get(code)
