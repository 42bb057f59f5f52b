"""OKX v5: every documented error that a spot order, its cancel, a query or a socket can meet, and the rest by its class.

Sources: okx.com/docs-v5, "Error Code" (REST: General, API and Trade class, as of 2026-07-20; WebSocket: Public, as of 2026-07-20), and the
table of ccxt 4.5.90 (``okx.py``, ``exceptions``) for codes that were dropped since. Most refusals come with HTTP 200; what an order or
a cancel met is its ``sCode``, some with a sub-code behind ``_`` (``51008_1000``), which says the same more finely.
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    MADE_WRONG,
    OPEN,
    OPEN_ORDERS,
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
)

_SUPPORT = "OKX has restricted the account: read its mails and contact its support"


def _rows(codes: str, row: Refusal) -> dict[str, Refusal]:
    """``row`` for each of ``codes``: numbers, and spans of them (``51250-51280``)."""
    rows = {}
    for part in codes.split():
        first, _, last = part.partition("-")
        for code in range(int(first), int(last or first) + 1):
            rows[str(code)] = row
    return rows


_NOT_OURS = of_order("of a product or an interface that arbtui does not use: report it with this line")
_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue has no such order open")
_FUNDS = of_order(
    "fewer funds than thought: compare balances; only the trading account counts, not the funding account", "INSUFFICIENT_FUNDS"
)
_LATE = Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set this machine's clock (chrony or ntpd), and look at the network's delay")
_BUSY = Refusal(
    Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many requests of this kind: the next ones wait for the venue's window"
)
_VENUE = Refusal(Scope.VENUE, Meaning.VENUE, Retry.PROBE, "OKX does not take that now: wait, and read its notices")
_RESTRICTED = of_account(_SUPPORT)
_MODE = of_account("the account's mode does not take such an order: choose Spot mode or Futures mode at OKX")
_KEY = of_key("OKX does not take this key, its secret or its passphrase: enter all three anew (arbtui keys set okx)")
_ENVIRONMENT = of_key("the key belongs to demo trading, or the address does: make a key for the real venue")
_ADDRESS = of_key("this machine's address is not in the key's list: add it at OKX, under API", Scope.IP)
_LOT = of_symbol("the lot or the least quantity has changed; start anew to read the rules", "LOT_SIZE")
_LEAST = of_symbol("less than OKX's least order of this market; start anew to read the rules", "MIN_COST")
_MAXIMUM = of_order("the order's size or value is over OKX's most", "MAX_COST")
_CLOSED = of_symbol("OKX does not trade this market now", "MARKET_CLOSED")
_NO_MARKET = of_symbol("OKX does not list this market any more", "UNKNOWN_MARKET")
_FORBIDDEN = of_symbol("the account may not trade this market")

CODES: Mapping[str, Refusal] = {
    # of another product's or interface's; later rows overrule
    **_rows("50017 50020 50023 50044 50045 50047-50050 50055-50058 50063 50064 50067 50069 50072 50075-50077", _NOT_OURS),
    **_rows("50108 50109 50116 50118", _NOT_OURS),
    **_rows("51002 51004 51007 51012 51014 51017-51019 51023 51026 51031 51032 51034-51053 51055 51057-51059 51065 51066", _NOT_OURS),
    **_rows("51068-51086 51088-51108 51111-51119 51125 51126 51128-51130 51132-51136 51139-51148 51152-51154", _NOT_OURS),
    **_rows("51156-51173 51175-51182 51186-51197 51205-51399 51413-51416 51500-51599 51604-51630 51735-51774 51820-51829", _NOT_OURS),
    **_rows("52000 54000-54094", _NOT_OURS),
    # general
    **_rows("1 2", OPEN),  # an operation's own code is its sCode; without one nothing is known
    "4088": of_account("OKX wants the identity verified again: see its web page"),
    **_rows("50000 50002 50006 50014-50016 50024 50025 50039", MADE_WRONG),
    **_rows("50001 50004 50026", OPEN),
    **_rows("50005 50046 50062", _VENUE),
    **_rows("50007-50010 50012 50019 50022 50027-50029 50041 50051 50059 50060", _RESTRICTED),
    "50011": _BUSY,
    "50013": Refusal(Scope.VENUE, Meaning.RATE_LIMITED, Retry.LATER, "OKX is busy: the next ones wait"),
    **_rows("50018 50021 50032 50033 50052", _FORBIDDEN),
    "50030": of_key("the key lacks this right: give it Read and Trade at OKX, under API"),
    "50035": of_key("OKX wants the key bound to an address for that: bind it to this machine's at OKX, under API"),
    **_rows("50036 50037", _LATE),  # came after its expTime: not executed
    **_rows("50038 50053", _ENVIRONMENT),
    **_rows("50040 50061", _BUSY),
    **_rows("50042 50071", EARLIER_COPY),
    # API
    "50100": of_key("OKX has frozen the key: ask its support"),
    "50101": _ENVIRONMENT,
    **_rows("50102 50112", _LATE),
    **_rows("50103-50107 50111 50113 50114 50119", _KEY),
    **_rows("50110 50121", _ADDRESS),
    "50115": MADE_WRONG,
    "50120": of_key("the key lacks this right: give it Read and Trade at OKX, under API"),
    "50122": _LOT,
    # trade
    **_rows("51000 51003 51015 51204 51407-51409 51600-51602", MADE_WRONG),
    **_rows("51001 51087", _NO_MARKET),
    **_rows("51005 51033 51185 51201-51203", _MAXIMUM),
    **_rows("51006 51116 51137 51138", PRICE_BAND),
    **_rows("51008 51119 51127 51131 51736", _FUNDS),
    **_rows("51009 51056", _RESTRICTED),
    "51010": _MODE,
    **_rows("51011 51016", EARLIER_COPY),
    "51020": _LEAST,
    **_rows("51120 51121", _LOT),
    **_rows("51021 51022 51027-51030 51110 51123 51124 51196 51197 54012 54072", _CLOSED),
    "51024": _RESTRICTED,
    "51025": OPEN_ORDERS,
    **_rows("51054 51149 51412", OPEN),
    "51063": _GONE,
    **_rows("51102 51103 51174", of_symbol("too many open orders of this market: cancel some")),
    "51109": of_symbol("too little is on offer in this market"),
    **_rows("51122 51150", PRICE_UNIT),
    **_rows("51155 54007 54073 54094", _FORBIDDEN),
    **_rows("51400-51402 51405 51603", _GONE),
    "51403": of_order("the order's kind cannot be cancelled: cancel it at OKX"),
    "51404": of_symbol("orders of this market cannot be cancelled in this part of its auction"),
    "51406": MADE_WRONG,
    "51410": _GONE,  # it is being cancelled already, which is what was asked for
    "51411": of_key("the key may not cancel: give it the right to trade at OKX, under API"),
    **_rows("51732-51734 59113", _RESTRICTED),
    "54008": of_account("the account's orders are held by a mass cancel: lift it at OKX"),
    # WebSocket
    **_rows("60001-60003 60005 60007 60009 60024 60032", _KEY),
    **_rows("60004 60006", _LATE),
    **_rows("60008 60010-60013 60017-60019 60022 60025-60028 60031 60033 64000-64002 64004", MADE_WRONG),
    **_rows("60014 60023", THROTTLED),
    **_rows("60015 60016 63999 64007 64008", OPEN),
    **_rows("60020 60021 60029 60030 64003", _NOT_OURS),
    # WebSocket, close frames
    **_rows("1009 4002 4003 4008 4009", MADE_WRONG),
    **_rows("4001 4007", _KEY),
    **_rows("4004-4006", OPEN),
}

#: Classes of codes that no spot order, cancel or query of ours belongs to: bots, funding, account settings, block and spread trading.
_OTHER_CLASSES = ("55", "56", "58", "59", "70")


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none."""
    code = code.partition("_")[0]
    if code == "51000" and "tdmode" in message.lower():
        return _MODE
    row = CODES.get(code)
    if row is None and len(code) == 5 and code.startswith(_OTHER_CLASSES):
        return _NOT_OURS
    return row
