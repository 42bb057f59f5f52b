"""Bybit's networks: ``GET /v5/asset/coin/query-info`` (v5, "Get Coin Info"), a key that reads.

Which addresses an account has registered is shown only to keys that can withdraw, so it is not known here.
"""

from collections.abc import Collection
from decimal import Decimal, InvalidOperation

import msgspec

from arbtui.exchanges.networks import Networks, NetworkTerms


class _Chain(msgspec.Struct):
    chain: str
    chainDeposit: str
    chainWithdraw: str
    withdrawFee: str = ""
    withdrawMin: str = ""
    minAccuracy: str = ""
    withdrawPercentageFee: str = ""
    chainType: str = ""
    contractAddress: str | None = None


class Coin(msgspec.Struct):
    """One asset, of the fields that are used."""

    coin: str
    chains: list[_Chain]


class Coins(msgspec.Struct):
    """``result`` of the query."""

    rows: list[Coin]


def networks_of(coins: Collection[Coin], assets: Collection[str]) -> Networks:
    """The networks of ``assets``."""
    return {coin.coin: tuple(_terms(coin.coin, one) for one in coin.chains) for coin in coins if coin.coin in assets}


def _terms(asset: str, one: _Chain) -> NetworkTerms:
    """A network. Without a fee nothing can be withdrawn over it; a share of the amount beside the fee is put in words."""
    fee, share = _amount(one.withdrawFee), _amount(one.withdrawPercentageFee)
    digits = int(one.minAccuracy) if one.minAccuracy.isdigit() else None
    return NetworkTerms(
        asset,
        one.chain,
        deposits=one.chainDeposit == "1",
        withdrawals=one.chainWithdraw == "1" and fee is not None,
        fee=fee,
        least=_amount(one.withdrawMin),
        step=None if digits is None else Decimal(1).scaleb(-digits),
        contract=one.contractAddress or "",
        words=f"and {share * 100:f} % of the amount" if share else "",
    )


def _amount(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None
