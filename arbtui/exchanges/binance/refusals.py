"""Binance spot: every documented error, by code and, where one code has many messages, by message.

Source: binance/binance-spot-api-docs, errors.md of 2026-07-21 (commit a5e0bc3), "Error codes", "Messages for -1010, -2010,
-2011 and -2038" and "Filter failures"; HTTP return codes: rest-api.md of the same commit. -1004, -1099, -1131, -2008, -2009 and -2012
are in earlier editions of the same list.
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import (
    EARLIER_COPY,
    FUNDS,
    MADE_WRONG,
    OPEN,
    OTHER_INTERFACE,
    PRICE_BAND,
    PRICE_UNIT,
    THROTTLED,
    Meaning,
    Refusal,
    Retry,
    Scope,
    of_key,
    of_order,
    of_symbol,
    rows,
)

_SUPPORT = "Binance has disabled this for the account: contact its support"


_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue does not know the order")
_ACCOUNT = Refusal(Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE, _SUPPORT)
_VENUE = Refusal(Scope.VENUE, Meaning.VENUE, Retry.PROBE, "Binance takes no orders there now: wait, and read its notices")
_NO_ANSWER = OPEN
#: The codes whose message says what was refused; one of them with a message that no list has is a no to an unknown extent.
_SPOKEN = Refusal(Scope.ACCOUNT, Meaning.REFUSED, Retry.PROBE, "Binance's message is in no list: ask its support", is_listed=False)

CODES: Mapping[str, Refusal] = {
    "-1000": _NO_ANSWER,
    "-1001": _NO_ANSWER,
    "-1002": of_key("check the key's permissions at Binance"),
    "-1003": THROTTLED,
    "-1004": _NO_ANSWER,
    "-1006": _NO_ANSWER,
    "-1007": _NO_ANSWER,
    "-1008": _NO_ANSWER,
    "-1010": _SPOKEN,
    "-1013": _SPOKEN,
    "-1014": OTHER_INTERFACE,
    "-1015": Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many orders: the next ones wait for the venue's window"),
    "-1016": _VENUE,
    "-1020": OTHER_INTERFACE,
    "-1021": Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set this machine's clock (chrony or ntpd)"),
    "-1022": of_key("the secret does not belong to the key, or was cut in copying: enter both anew"),
    "-1033": OTHER_INTERFACE,
    "-1034": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "too many connections from this address: look for other programs there"),
    "-1035": OTHER_INTERFACE,
    **rows(
        "-1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1114 -1115 -1116 -1117 -1118 -1119 -1120 -1122 -1125 -1127 -1128 -1130 -1131",
        MADE_WRONG,
    ),
    **rows("-1135 -1139 -1151 -1194", MADE_WRONG),
    "-1099": of_key("Binance finds nothing that this key may see: check it at Binance"),
    "-1111": of_order("price or quantity have too many decimals: the market's rules have changed; start anew to read them"),
    "-1112": of_symbol("nobody trades this market now"),
    "-1121": of_symbol("Binance does not list this market any more", "UNKNOWN_MARKET"),
    "-1220": of_symbol("the market has another status than it was asked for", "MARKET_CLOSED"),
    **rows(
        "-1134 -1145 -1152 -1153 -1155 -1158 -1160 -1161 -1165 -1166 -1168 -1169 -1170 -1171 -1172 -1173 -1174 -1175 -1176 -1177 -1178",
        OTHER_INTERFACE,
    ),
    **rows(
        "-1179 -1180 -1182 -1183 -1184 -1185 -1186 -1187 -1188 -1189 -1190 -1191 -1196 -1197 -1198 -1199 -1210 -1211 -1221 -1222 -1223",
        OTHER_INTERFACE,
    ),
    **rows("-1224 -1225", OTHER_INTERFACE),
    "-1181": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "too many messages on one connection"),
    "-2008": of_key("Binance does not know this key: make a new one"),
    "-2009": of_key("Binance refuses the key's description: make a new one"),
    "-2010": _SPOKEN,
    "-2011": _SPOKEN,
    "-2012": of_order("not every order could be cancelled: look at the open orders at Binance"),
    "-2013": _GONE,
    "-2014": of_key("the key is not one of Binance's: enter it anew"),
    "-2015": of_key("the key is unknown, its address list lacks this machine's, or it lacks the right: check all three at Binance"),
    "-2016": of_symbol("there is no trading window for this market"),
    "-2021": Refusal(Scope.ORDER, Meaning.UNKNOWN, Retry.NEVER, "one half of a cancel-replace failed; the order is looked up"),
    "-2022": OTHER_INTERFACE,
    "-2026": Refusal(Scope.ORDER, Meaning.ARCHIVED, Retry.NEVER, "the order ended without a fill more than 90 days ago"),
    "-2035": MADE_WRONG,
    "-2036": MADE_WRONG,
    "-2038": _SPOKEN,
    "-2039": of_order("client id and order id name two orders: report it with this line"),
    "-2042": MADE_WRONG,
    "-2043": of_symbol("the market has no reference price"),
}

#: Messages of -1010, -1013, -2010, -2011 and -2038, in lower case and without the full stop; a message begins with one of them.
MESSAGES: Mapping[str, Refusal] = {
    "unknown order sent": _GONE,
    "duplicate order sent": EARLIER_COPY,
    "market is closed": of_symbol("Binance does not trade this market now", "MARKET_CLOSED"),
    "account has insufficient balance for requested action": FUNDS,
    "price * qty is zero or less": of_order("the order's value is nothing", "MIN_COST"),
    "this action is disabled on this account": _ACCOUNT,
    "this account may not place or cancel orders": _ACCOUNT,
    "this symbol is not permitted for this account": of_symbol("the account may not trade this market"),
    "this symbol is restricted for this account": of_symbol("the account may not trade this market"),
    "rest api trading is not enabled": _VENUE,
    "websocket api trading is not enabled": _VENUE,
    "fix api trading is not enabled": _VENUE,
    "cancel order is invalid. check origclordid and orderid": MADE_WRONG,
    "order was not canceled due to cancel restrictions": of_order("the order stands: its state is another than was asked for"),
    "the requested action would change no state; rejecting": of_order("nothing would change"),
    **dict.fromkeys(
        (
            "market orders are not supported for this symbol",
            "iceberg orders are not supported for this symbol",
            "stop loss orders are not supported for this symbol",
            "stop loss limit orders are not supported for this symbol",
            "take profit orders are not supported for this symbol",
            "take profit limit orders are not supported for this symbol",
            "order amend is not supported for this symbol",
            "oco orders are not supported for this symbol",
            "quote order qty market orders are not support for this symbol",
            "trailing stop orders are not supported for this symbol",
            "order cancel-replace is not supported for this symbol",
            "pegged orders are not supported for this symbol",
            "opo orders are not supported for this symbol",
        ),
        of_symbol("the market does not take this kind of order"),
    ),
    **dict.fromkeys(
        (
            "icebergqty exceeds qty",
            "unsupported order combination",
            "order would trigger immediately",
            "order would immediately match and take",
            "the relationship of the prices for the orders is not correct",
            "order amend (quantity increase) is not supported",
            "order amend (pending opo order) is not supported",
            "this order type may not use pegged price",
            "this price peg cannot be used with this order type",
        ),
        OTHER_INTERFACE,
    ),
    **dict.fromkeys(
        (
            "order book liquidity is less than `lot_size` filter minimum quantity",
            "order book liquidity is less than `market_lot_size` filter minimum quantity",
            "order book liquidity is less than symbol minimum quantity",
            "order book liquidity is too low for this pegged order",
        ),
        of_symbol("too little is on offer in this market"),
    ),
    "filter failure: price_filter": PRICE_UNIT,
    "filter failure: percent_price": PRICE_BAND,
    "filter failure: lot_size": of_symbol("the lot has changed; start anew to read the rules", "LOT_SIZE"),
    "filter failure: min_notional": of_symbol("the least value has changed; start anew to read the rules", "MIN_COST"),
    "filter failure: notional": of_symbol("the least or most value has changed; start anew to read the rules", "MIN_COST"),
    "filter failure: market_lot_size": of_symbol("the lot has changed; start anew to read the rules", "LOT_SIZE"),
    "filter failure: max_position": of_symbol("the account holds as much of it as it may"),
    "filter failure: max_num_orders": of_symbol("too many open orders of this market: cancel some"),
    **dict.fromkeys(
        tuple(
            f"filter failure: {name}"
            for name in (
                "iceberg_parts", "max_num_algo_orders", "max_num_iceberg_orders", "max_num_order_amends", "max_num_order_lists",
                "trailing_delta",
            )
        ),
        OTHER_INTERFACE,
    ),
    **dict.fromkeys(
        tuple(
            f"filter failure: {name}"
            for name in (
                "exchange_max_num_orders", "exchange_max_num_algo_orders", "exchange_max_num_iceberg_orders",
                "exchange_max_num_order_lists",
            )
        ),
        Refusal(Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE, "the account has as many open orders as it may: cancel some"),
    ),
    # A filter that the documents do not have yet is a rule of its market all the same.
    "filter failure: ": of_symbol("a rule of the market that is not documented; start anew to read the rules"),
}  # fmt: skip
_BY_LENGTH = sorted(MESSAGES, key=len, reverse=True)


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none."""
    row = CODES.get(code)
    if row is not _SPOKEN:
        return row
    said = message.strip().lower()
    return next((MESSAGES[start] for start in _BY_LENGTH if said.startswith(start)), row)
