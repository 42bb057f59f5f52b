"""OKX's networks: ``GET /api/v5/asset/currencies`` (okx.com/docs-v5, "Get currencies"), a key that reads."""

from collections.abc import Collection
from decimal import Decimal

import msgspec

from arbtui.exchanges.amounts import number
from arbtui.exchanges.networks import Networks, NetworkTerms


class Currency(msgspec.Struct, rename="camel"):
    """One network of one asset, of the fields that are used."""

    ccy: str
    chain: str
    can_dep: bool
    can_wd: bool
    fee: str = ""
    min_fee: str = ""
    min_wd: str = ""
    wd_tick_sz: str = ""
    burning_fee_rate: str = ""
    ct_addr: str = ""


def networks_of(rows: Collection[Currency], assets: Collection[str]) -> Networks:
    """The networks of ``assets``. ``chain`` begins with the asset's name: ``USDT-TRC20``."""
    found: dict[str, list[NetworkTerms]] = {}
    for row in rows:
        if row.ccy in assets:
            found.setdefault(row.ccy, []).append(_terms(row))
    return found


def _terms(row: Currency) -> NetworkTerms:
    digits = number(row.wd_tick_sz, "wdTickSz")
    burnt = number(row.burning_fee_rate, "burningFeeRate")
    return NetworkTerms(
        row.ccy,
        row.chain.removeprefix(f"{row.ccy}-") or row.ccy,
        deposits=row.can_dep,
        withdrawals=row.can_wd,
        fee=number(row.fee or row.min_fee, "fee"),
        least=number(row.min_wd, "minWd"),
        step=None if digits is None else Decimal(1).scaleb(-int(digits)),
        contract=row.ct_addr,
        words=f"burns {burnt * 100:f} % of what is sent" if burnt else "",
    )
