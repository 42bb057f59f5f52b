"""Coinone's wallets: what they do now, the fee and the least amount (``GET /public/v2/currencies``, reference/currencies).

One row an asset: which network it is, is not published, so an asset's name stands for it, and matches only a network of the same name
elsewhere.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec

from arbtui.exchanges.networks import Networks, NetworkTerms

_WORKING = "normal"


class Currency(msgspec.Struct):
    """An asset. A status is ``normal`` or ``suspended``."""

    symbol: str
    deposit_status: str
    withdraw_status: str
    withdrawal_min_amount: Decimal | None = None
    withdrawal_fee: Decimal | None = None


class Currencies(msgspec.Struct):
    """``GET /public/v2/currencies``."""

    currencies: list[Currency]


def networks_of(rows: Sequence[Currency], assets: Collection[str]) -> Networks:
    """The terms of ``assets``."""
    return {row.symbol.upper(): (_terms_of(row),) for row in rows if row.symbol.upper() in assets}


def _terms_of(row: Currency) -> NetworkTerms:
    said = [f"deposits {row.deposit_status}"] if row.deposit_status != _WORKING else []
    said += [f"withdrawals {row.withdraw_status}"] if row.withdraw_status != _WORKING else []
    return NetworkTerms(
        row.symbol.upper(),
        row.symbol.upper(),
        deposits=row.deposit_status == _WORKING,
        withdrawals=row.withdraw_status == _WORKING,
        fee=row.withdrawal_fee,
        least=row.withdrawal_min_amount,
        words=", ".join([*said, "Coinone does not tell which network"]),
    )
