"""Adding up what cycles say they made, currency by currency."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from arbtui.model.money import ZERO, plain

#: Currency to part (``total``, ``trading``, ``fx``, ``fees``, ...) to amount.
Totals = dict[str, dict[str, Decimal]]


def add_pnl(totals: Totals, pnl: Mapping[str, str]) -> None:
    """Add one cycle's ``pnl`` (its ``currency``, and parts as strings) to ``totals``; words beside the amounts are left out."""
    parts = totals.setdefault(pnl.get("currency", ""), {})
    for part, text in pnl.items():
        if part == "currency":
            continue
        try:
            amount = Decimal(text)
        except InvalidOperation:
            continue
        parts[part] = parts.get(part, ZERO) + amount


def pnl_json(totals: Totals) -> dict[str, object]:
    """``totals`` as a ledger prints them: flat, with its ``currency``; under ``by_currency`` when there are several."""
    plainly = {currency: {part: plain(amount) for part, amount in parts.items()} for currency, parts in totals.items() if parts}
    if len(plainly) > 1:
        return {"currency": "", "by_currency": plainly}
    for currency, parts in plainly.items():
        return {"currency": currency, **parts}
    return {"currency": "", "total": "0"}
