"""Parameters of calls, from a query string or a body."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from arbtui.sandbox.answer import Refusal

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


def number_of(body: Body, name: str, invalid: Refusal) -> Decimal:
    """A finite number; raises ``invalid`` where it is none."""
    try:
        value = Decimal(str(body[name]))
    except (KeyError, InvalidOperation):
        raise invalid from None
    if not value.is_finite():
        raise invalid
    return value
