"""Bybit spot: every documented error of the interfaces that are used, by code.

Source: bybit-exchange/docs, docs/v5/error.mdx of 2026-07-24 (commit 072c197): "HTTP Code", "WS OE General code", "UTA" (what can concern
spot and the account; the rest of it is of contracts, loans and account changes, and is one row), "Spot Trade", "Spot Margin Trade".
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    FUNDS,
    MADE_WRONG,
    OPEN,
    OPEN_ORDERS,
    OTHER_INTERFACE,
    PRICE_BAND,
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
    rows,
)

_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the order does not exist, or has ended")
_LOT = of_symbol("the lot has changed; start anew to read the rules", "LOT_SIZE")
_CLOSED = of_symbol("Bybit does not trade this market now", "MARKET_CLOSED")
_NOT_FOR_US = of_symbol("the account may not trade this market")
_TOO_MANY = Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many requests: the next ones wait for the venue's second")
_SUPPORT = of_account("Bybit has restricted the account: contact its support")
_UNIFIED = of_account("the account is no unified trading account: upgrade it at Bybit")
_MARGIN = of_account("margin or a loan stands in the way: this program trades spot, without borrowing; settle it at Bybit")
_ELSEWHERE = of_account("Bybit does not serve this place or this account here: read its notices")

CODES: Mapping[str, Refusal] = {
    # HTTP
    "401": of_key("the key is not accepted: check it at Bybit"),
    "403": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "nothing is sent for ten minutes; or Bybit does not serve this address"),
    "429": OPEN,
    # Trade by WebSocket, which is not used, and the private stream
    **rows("10404 20006", OTHER_INTERFACE),
    **rows("10429 20003", THROTTLED),
    "10019": OPEN,
    # Unified account
    "-1": Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set this machine's clock (chrony or ntpd)"),
    "-2015": of_key("the key has expired: make a new one"),
    "33004": of_key("the key has expired: make a new one"),
    "10000": OPEN,
    "10001": MADE_WRONG,
    "10002": Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set this machine's clock (chrony or ntpd)"),
    "10003": of_key("Bybit does not know this key: check it, and that it is of the real exchange and not of a test one"),
    "10004": of_key("the secret does not belong to the key, or was cut in copying: enter both anew"),
    "10005": of_key("the key lacks the right: allow it to trade spot at Bybit"),
    "10006": _TOO_MANY,
    "10007": of_key("Bybit does not accept this key: check it"),
    "10008": _SUPPORT,
    "10009": _ELSEWHERE,
    "10010": Refusal(Scope.IP, Meaning.KEYS, Retry.PROBE, "the key's address list lacks this machine's: add it at Bybit"),
    "10014": EARLIER_COPY,
    "10016": OPEN,
    "10017": MADE_WRONG,
    "10018": THROTTLED,
    "10024": _SUPPORT,
    "10027": _SUPPORT,
    "10028": _UNIFIED,
    "10029": _NOT_FOR_US,
    "100028": OTHER_INTERFACE,
    "110001": _GONE,
    "110003": PRICE_BAND,
    **rows("110004 110006 110007 110012 110014 110044 110045 110051 110052 110053", FUNDS),
    **rows("110008 110010", _GONE),
    "110017": _LOT,
    **rows("110018 110019 110032", MADE_WRONG),
    "110020": OPEN_ORDERS,
    "110066": _CLOSED,
    "110067": _UNIFIED,
    "110072": EARLIER_COPY,
    "110079": OPEN,
    "110088": _UNIFIED,
    "110094": of_symbol("the least value has changed; start anew to read the rules", "MIN_COST"),
    **rows("110120 110121", PRICE_BAND),
    "110123": of_account("Bybit's trading terms are to be agreed to: do so at Bybit"),
    "110124": of_account("trading rests in a cooling-off period: read Bybit's notice"),
    "110125": _NOT_FOR_US,
    "110132": _NOT_FOR_US,
    "30208": PRICE_BAND,
    "30209": PRICE_BAND,
    **rows("30256 110080 110131", _MARGIN),
    "170346": _NOT_FOR_US,
    "170360": _NOT_FOR_US,
    "3100197": of_account("the account is being upgraded: wait"),
    "500011": _UNIFIED,
    **rows(
        "30035 30133 30134 30135 30136 30228 40004 110005 110009 110011 110013 110015 110021 110022 110023 110024 110025 110026 110027"
        " 110028 110029 110031 110033 110034 110035 110036 110037 110038 110039 110040 110041 110042 110043 110046 110047 110048 110049"
        " 110050 110054 110055 110056 110057 110058 110059 110060 110061 110062 110063 110064 110065 110068 110069 110070 110071 110073"
        " 110074 110076 110077 110078 110082 110083 110085 110086 110087 110089 110090 110092 110093 110095 110096 110097 110098 110099"
        " 110100 110101 110102 110103 110104 110105 110106 110107 110108 110109 110110 110111 110112 110113 110114 110115 110116 110117"
        " 110118 110119 110135 110136 110137 181017 182100 182101 182102 182103 182108 182110 182111 182112 182011 3100181 3200316"
        " 3200317 3100326 3200403 3200419 3200425 3200320 3200641 3400208 3400209 3400210 3400211 3400212 3400213 3400052 3400053 3400054"
        " 3400214 3400071 3401010 3400139 34040 500010 110016 110030 110075",
        OTHER_INTERFACE,
    ),
    # Spot
    "170001": OPEN,
    "170005": _TOO_MANY,
    "170007": OPEN,
    **rows("170010 170011 170019", _NOT_FOR_US),
    "170031": Refusal(Scope.VENUE, Meaning.VENUE, Retry.PROBE, "Bybit has suspended this: wait, and read its notices"),
    "170032": OPEN,
    **rows("170033 170034", _MARGIN),
    "170035": OPEN,
    **rows("170036 170037", OTHER_INTERFACE),
    **rows("170105 170115 170116 170117 170130", MADE_WRONG),
    "170121": of_symbol("Bybit does not list this market any more", "UNKNOWN_MARKET"),
    **rows(
        "170124 170381 170382 170341 170197 170198 170199 170200 170228 170229", of_symbol("the order is larger than the market allows")
    ),
    "170131": FUNDS,
    **rows("170132 170133 170371 170372 170192 170193 170194 170195 170196", PRICE_BAND),
    "170134": PRICE_UNIT,
    **rows("170136 170137", _LOT),
    **rows("170139 170142 170143 170190 170213", _GONE),
    "170140": of_symbol("the least value has changed; start anew to read the rules", "MIN_COST"),
    "170141": EARLIER_COPY,
    **rows("170144 170191 170212", of_order("the order cannot be cancelled at this moment; it is looked up")),
    "170145": OTHER_INTERFACE,
    **rows("170146 170147", OPEN),
    "170148": OTHER_INTERFACE,
    **rows("170149 170150", OPEN),
    **rows("170151 170157", _CLOSED),
    "170159": OTHER_INTERFACE,
    **rows("170201 170202 170203 170204 170206", OTHER_INTERFACE),
    "170207": _MARGIN,
    "170209": _NOT_FOR_US,
    "170210": of_symbol("Bybit refuses the order and does not say why"),
    **rows("170215 170216 170220 170223 170226 170230", _MARGIN),
    "170217": of_symbol("this market takes only orders that rest in the book now"),
    "170218": OTHER_INTERFACE,
    "170219": _NOT_FOR_US,
    "170221": of_symbol("Bybit does not list this coin any more", "UNKNOWN_MARKET"),
    "170222": _TOO_MANY,
    "170224": _NOT_FOR_US,
    "170227": OTHER_INTERFACE,
    "170234": OPEN,
    "170241": of_symbol("Bybit's risk disclosure for this coin is to be confirmed: do so at Bybit"),
    **rows("170310 170311 170312 170313", OTHER_INTERFACE),
    "170344": OTHER_INTERFACE,
    "170348": _ELSEWHERE,
    **rows("170355 170358 170359", OTHER_INTERFACE),
    "170709": _NOT_FOR_US,
    "170810": OPEN_ORDERS,
    # Spot margin, which is not used: an answer of it means that margin stands in the way
    **rows(
        "176002 176003 176004 176005 176006 176007 176008 176009 176010 176011 176012 176013 176014 176015 176016 176017 176018 176019"
        " 176020 176021 176022 176023 176024 176025 176026 176027 176028 176029 176030 176031 176034 176035 176036 176037 176038 176039"
        " 176040 176132 176133 176134 176135 176136 176137 176138 176139 176201 182021 182104 182105 182106 182107",
        _MARGIN,
    ),
}


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none."""
    return CODES.get(code)
