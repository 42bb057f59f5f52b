"""Binance's networks: ``GET /sapi/v1/capital/config/getall`` (Wallet endpoints, "All Coins' Information"), a key that reads."""

from collections.abc import Collection
from decimal import Decimal

import msgspec

from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.model.money import ZERO


class _Network(msgspec.Struct):
    network: str
    depositEnable: bool
    withdrawEnable: bool
    withdrawFee: Decimal
    withdrawMin: Decimal
    withdrawIntegerMultiple: Decimal = ZERO
    estimatedArrivalTime: float = 0.0
    busy: bool = False
    depositDesc: str = ""
    withdrawDesc: str = ""
    contractAddress: str | None = None


class Coin(msgspec.Struct):
    """One asset, of the fields that are used."""

    coin: str
    networkList: list[_Network]


def networks_of(coins: Collection[Coin], assets: Collection[str]) -> Networks:
    """The networks of ``assets``."""
    return {coin.coin: tuple(_terms(coin.coin, one) for one in coin.networkList) for coin in coins if coin.coin in assets}


def _terms(asset: str, one: _Network) -> NetworkTerms:
    said = " ".join(dict.fromkeys(text.strip() for text in (one.depositDesc, one.withdrawDesc) if text.strip()))
    return NetworkTerms(
        asset,
        one.network,
        deposits=one.depositEnable,
        withdrawals=one.withdrawEnable,
        fee=one.withdrawFee,
        least=one.withdrawMin,
        step=one.withdrawIntegerMultiple or None,
        minutes=one.estimatedArrivalTime or None,
        is_busy=one.busy,
        contract=one.contractAddress or "",
        words=said[:200],
    )
