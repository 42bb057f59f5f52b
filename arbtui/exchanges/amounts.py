"""Amounts as venues write them: exact decimals, from strings or JSON numbers, never through a float."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.model.errors import WireError
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side

T = TypeVar("T")


def read(value: Any, kind: type[T], what: str) -> T:
    """``value``, parsed JSON, as ``kind`` (a Struct, or a list of them).

    Raises:
        WireError: a field is missing, null or of another type.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise WireError(what, str(error)) from error


def reader(kind: type[T], what: str) -> Callable[[bytes], T]:
    """A function that reads raw JSON as ``kind``; it raises WireError as :func:`read` does."""
    decode = msgspec.json.Decoder(kind).decode

    def parsed(raw: bytes) -> T:
        try:
            return decode(raw)
        except msgspec.DecodeError as error:
            raise WireError(what, str(error)) from error

    return parsed


def amount(value: Decimal, what: str) -> Decimal:
    """``value``, once it is sure to be a number that is not negative.

    Raises:
        WireError: NaN, infinite or negative.
    """
    if not value.is_finite() or value < 0:
        raise WireError(what, f"{value} is no amount")
    return value


def usual_fee(market: Market, side: Side, qty: Decimal, cost: Decimal) -> tuple[Decimal, str]:
    """The fee of a taker's fill, and its currency, by the market's own rate: for a fill whose fee the venue does not tell (yet).

    An unknown fee is never zero, and a fill without one is a fill all the same.
    """
    if side is Side.BUY and market.fees.taken_in is FeeTakenIn.RECEIVED:
        return qty * market.fees.taker, market.base
    return cost * market.fees.taker, market.quote
