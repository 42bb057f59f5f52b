"""Networks of these venues: wallet states, and where the key may see them the fee, the least amount and the registered addresses.

``GET /v1/status/wallet`` (minutes late, "reference only", says Upbit), ``GET /v1/withdraws/chance`` and
``GET /v1/withdraws/coin_addresses`` (docs.upbit.com; apidocs.bithumb.com: 입출금 현황, 출금 가능 정보,
출금 허용 주소 리스트 조회). The last two need the right to *view* withdrawals, which is not the right to make one; without it their
parts are not known. A fee is a fixed amount, or at Bithumb a rate with a least and a most: of a rate nothing is reported here.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from arbtui.exchanges.networks import NetworkTerms, network_key


class Wallet(msgspec.Struct):
    """One row of ``GET /v1/status/wallet``."""

    currency: str
    wallet_state: str
    net_type: str | None = None
    network_name: str | None = None
    block_state: str | None = None
    block_elapsed_minutes: int | None = None


class _Currency(msgspec.Struct):
    withdraw_fee: Decimal | None = None


class _Limit(msgspec.Struct):
    minimum: Decimal | None = None
    fixed: int | None = None


class WithdrawChance(msgspec.Struct):
    """``GET /v1/withdraws/chance``."""

    currency: _Currency
    withdraw_limit: _Limit


class Address(msgspec.Struct):
    """One row of ``GET /v1/withdraws/coin_addresses``."""

    currency: str
    net_type: str | None = None
    exchange_name: str | None = None


def terms_of(wallet: Wallet, chance: WithdrawChance | None, addresses: Sequence[Address] | None) -> NetworkTerms:
    """The terms of one wallet."""
    state = wallet.wallet_state
    late = wallet.block_state not in (None, "normal")
    known = None
    if addresses is not None:
        key = network_key(wallet.net_type or wallet.currency)
        mine = [row for row in addresses if row.currency == wallet.currency and network_key(row.net_type or row.currency) == key]
        known = tuple(dict.fromkeys((row.exchange_name or "a wallet").lower() for row in mine))
    said = [] if state == "working" else [state]
    if late:
        minutes = wallet.block_elapsed_minutes
        said.append(f"blocks {wallet.block_state}" + ("" if minutes is None else f", last one {minutes} min ago"))
    step = None
    if chance is not None and chance.withdraw_limit.fixed is not None:
        step = Decimal(1).scaleb(-chance.withdraw_limit.fixed)
    return NetworkTerms(
        wallet.currency,
        wallet.net_type or wallet.network_name or wallet.currency,
        deposits=state in ("working", "deposit_only"),
        withdrawals=state in ("working", "withdraw_only"),
        fee=None if chance is None else chance.currency.withdraw_fee,
        least=None if chance is None else chance.withdraw_limit.minimum,
        step=step,
        is_busy=late,
        known_to=known,
        words=", ".join(said),
    )


def by_asset(found: Sequence[NetworkTerms]) -> Mapping[str, Sequence[NetworkTerms]]:
    """``found`` by asset."""
    rows: dict[str, list[NetworkTerms]] = {}
    for terms in found:
        rows.setdefault(terms.asset, []).append(terms)
    return rows
