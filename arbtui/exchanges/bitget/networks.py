"""Bitget's networks: ``GET /api/v2/spot/public/coins`` (bitget.com/api-doc, spot, "Get Coin Info"), public."""

from collections.abc import Collection
from decimal import Decimal
from typing import Literal

import msgspec

from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.model.money import ZERO

_Switch = Literal["true", "false"]


class _Chain(msgspec.Struct):
    chain: str
    withdrawable: _Switch
    rechargeable: _Switch
    withdrawFee: Decimal
    minWithdrawAmount: Decimal
    extraWithdrawFee: Decimal = ZERO
    withdrawStep: Decimal = ZERO
    withdrawMinScale: Decimal | None = None
    contractAddress: str | None = None
    congestion: str = "normal"


class Coin(msgspec.Struct):
    """One asset, of the fields that are used."""

    coin: str
    chains: list[_Chain]


def networks_of(coins: Collection[Coin], assets: Collection[str]) -> Networks:
    """The networks of ``assets``."""
    return {coin.coin: tuple(_terms(coin.coin, one) for one in coin.chains) for coin in coins if coin.coin in assets}


def _terms(asset: str, one: _Chain) -> NetworkTerms:
    step = one.withdrawStep or (None if one.withdrawMinScale is None else Decimal(1).scaleb(-int(one.withdrawMinScale)))
    said = f"{one.extraWithdrawFee * 100:f} % more is burnt on the way" if one.extraWithdrawFee else ""
    return NetworkTerms(
        asset,
        one.chain,
        deposits=one.rechargeable == "true",
        withdrawals=one.withdrawable == "true",
        fee=one.withdrawFee,
        least=one.minWithdrawAmount,
        step=step,
        is_busy=one.congestion == "congested",
        contract=one.contractAddress or "",
        words=said,
    )
