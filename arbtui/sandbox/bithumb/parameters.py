"""Parameters of Bithumb's calls, from a query string or a body."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from arbtui.sandbox.bithumb.refusals import refused

Body = Mapping[str, Any]


def parse_query(raw: str) -> dict[str, Any]:
    """A query string's parameters; those named ``x[]`` become lists."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        if name.endswith("[]"):
            result.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            result[name] = value
    return result


def many(query: Body, name: str) -> list[str]:
    """A list of texts; empty where it is not there."""
    value = query.get(name)
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else [str(value)]


def number_of(body: Body, name: str) -> Decimal:
    """A finite number.

    Raises:
        Refusal: it is none.
    """
    try:
        value = Decimal(str(body[name]))
    except (KeyError, InvalidOperation):
        raise refused("invalid_parameter") from None
    if not value.is_finite():
        raise refused("invalid_parameter")
    return value
