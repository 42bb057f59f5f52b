"""Amounts as venues write them: exact decimals, from strings or JSON numbers, never through a float."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.model.errors import WireError
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
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the latter where it is no UTF-8
            raise WireError(what, str(error)) from error

    return parsed


def amount(value: Decimal, what: str) -> Decimal:
    """``value``, checked to be a finite number that is not negative.

    Raises:
        WireError: NaN, infinite or negative.
    """
    if not value.is_finite() or value < 0:
        raise WireError(what, f"{value} is not an amount")
    return value


def charge(value: Decimal, what: str) -> Decimal:
    """``value``, checked to be a finite number: a fee, negative where a venue pays its makers.

    Raises:
        WireError: NaN or infinite.
    """
    if not value.is_finite():
        raise WireError(what, f"{value} is not a fee")
    return value


def number(text: str | None, what: str) -> Decimal | None:
    """The number that ``text`` is, of either sign; None where a venue leaves it out or writes nothing.

    Raises:
        WireError: it is none, or not finite.
    """
    if not text:
        return None
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite():
        raise WireError(what, f"{text!r} is not a number")
    return value


def side_of(word: str, buy: str, sell: str) -> Side:
    """Our side for a venue's word, which is ``buy`` or ``sell``; raises WireError for any other."""
    if word not in (buy, sell):
        raise WireError("side", f"{word!r} is neither {buy} nor {sell}")
    return Side.BUY if word == buy else Side.SELL


def fee_rate(value: Decimal, what: str) -> Decimal:
    """``value``, checked to be a fee as a share of what is traded: below all of it. Negative where a venue pays its makers.

    Raises:
        WireError: NaN, infinite, or 1 and more either way.
    """
    if not value.is_finite() or not -1 < value < 1:
        raise WireError(what, f"{value} is not a fee's rate")
    return value


def last_price(value: Decimal) -> float:
    """``value`` as a listing tells it: 0.0, which is no price, where it is not a finite number above zero."""
    return float(value) if value.is_finite() and value > 0 else 0.0
