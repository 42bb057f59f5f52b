"""Parts of answers and events about orders and money, written exactly from the ledger's decimals: no digit is lost."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Side
from arbtui.sandbox.order_log import OrderRecord

KST = timezone(timedelta(hours=9))


def kst(ts_ms: int) -> str:
    """``created_at``: Korean time to the second."""
    return datetime.fromtimestamp(ts_ms // 1000, KST).isoformat()


def utc(ts_ms: int) -> datetime:
    """``ts_ms`` as a UTC time."""
    return datetime.fromtimestamp(ts_ms / 1000, UTC)


def side_of(side: Side) -> str:
    """``bid`` buys, ``ask`` sells."""
    return "bid" if side is Side.BUY else "ask"


def number(value: Decimal) -> msgspec.Raw:
    """An amount as a JSON number, exactly."""
    return msgspec.Raw(plain(value).encode())


class OrderMoney:
    """What an order still locks of the balance, and of its fee."""

    def __init__(self, order: OrderRecord, market: Market) -> None:
        buys, is_open = order.side is Side.BUY, not order.state.is_final
        self.reserved_fee = order.qty * order.price * market.fees.taker if buys else ZERO
        self.remaining_fee = max(self.reserved_fee - order.fee, ZERO) if is_open else ZERO
        reckoned = order.leaves_qty * order.price + self.remaining_fee if buys else order.leaves_qty
        self.locked = (order.locked or reckoned) if is_open else ZERO


def account_body(asset: str, balance: Balance, *, modified: bool) -> dict[str, Any]:
    """One asset of ``GET /v1/accounts``. Its average cost is not known here."""
    return {
        "currency": asset,
        "balance": plain(balance.free),
        "locked": plain(balance.locked),
        "avg_buy_price": "0",
        "avg_buy_price_modified": modified,
        "unit_currency": "KRW",
    }


def chance_body(
    market: Market,
    accounts: Mapping[str, Mapping[str, Any]],
    state: str,
    types: Mapping[str, list[str]],
    side: Mapping[str, str],
    most: str,
) -> dict[str, Any]:
    """``GET /v1/orders/chance``: fees, minimum and free balances.

    Args:
        market: the market.
        accounts: ``bid_account`` and ``ask_account``.
        state: whether it trades, in the venue's word.
        types: kinds of orders, by the venue's keys.
        side: what each side has beside its currency and minimum.
        most: the greatest value of an order.
    """
    taker, maker, least = plain(market.fees.taker), plain(market.fees.maker), {**side, "min_total": plain(market.min_cost)}
    return {
        "bid_fee": taker,
        "ask_fee": taker,
        "maker_bid_fee": maker,
        "maker_ask_fee": maker,
        "market": {
            "id": market.code,
            "name": f"{market.base}/{market.quote}",
            "order_types": types["order_types"],
            "order_sides": ["ask", "bid"],
            "bid_types": types["bid_types"],
            "ask_types": types["ask_types"],
            "bid": {"currency": market.quote, **least},
            "ask": {"currency": market.base, **least},
            "max_total": most,
            "state": state,
        },
        **accounts,
    }
