"""Two contract addresses on one network are two assets, whatever the table or a signature says; one venue's silence proves nothing."""

from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.assets import AssetRegistry, Quarantine, SignOff
from arbtui.exchanges.assets.contracts import contradiction
from arbtui.exchanges.binance import networks as binance
from arbtui.exchanges.bitget import networks as bitget
from arbtui.exchanges.bybit import networks as bybit
from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.exchanges.okx import networks as okx
from arbtui.exchanges.venues import VENUES

ONE = "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984"
OTHER = "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599"
SOLANA = "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN"


def at(network: str, contract: str = "", asset: str = "UNI") -> NetworkTerms:
    return NetworkTerms(asset, network, deposits=True, withdrawals=True, contract=contract)


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ([at("ETH", ONE)], [at("ERC20", ONE)], False),
        ([at("ETH", ONE)], [at("ERC20", ONE.lower())], False),
        ([at("ETH", ONE)], [at("ERC20", OTHER)], True),
        ([at("ETH", ONE), at("BSC", OTHER)], [at("ERC20", ONE), at("BEP20", ONE)], True),  # one network is enough
        ([at("ETH", ONE)], [at("BEP20", OTHER)], False),  # no network in common
        ([at("ETH", ONE)], [at("ERC20")], False),  # one venue names none
        ([at("ETH")], [at("ERC20", OTHER)], False),
        ([at("ETH", ONE)], [at("ERC20", ONE[-6:])], False),  # shortened, as OKX does
        ([at("ETH", ONE[-6:].lower())], [at("ERC20", OTHER)], True),
        ([at("SOL", SOLANA)], [at("SOL", SOLANA)], False),
        ([at("SOL", SOLANA)], [at("SOL", SOLANA.lower())], True),  # there each letter counts
        ([], [at("ETH", ONE)], False),
    ],
)
def test_what_two_venues_publish_of_an_asset(first: list[NetworkTerms], second: list[NetworkTerms], differs: bool) -> None:
    found = contradiction("binance", first, "okx", second)
    assert (found is not None) is differs
    assert (contradiction("okx", second, "binance", first) is not None) is differs


def test_both_addresses_are_named_with_their_venues() -> None:
    found = contradiction("bybit", [at("ETH", ONE)], "okx", [at("ERC20", OTHER)])
    assert found == f"on ETH its contract is {ONE} at bybit and {OTHER} at okx"


@pytest.mark.parametrize("symbol", ["UNI", "MNT"], ids=["of the table", "signed"])
def test_two_addresses_are_quarantined_with_that_reason_and_no_signature_outweighs_them(symbol: str) -> None:
    registry = AssetRegistry.shipped()
    signed = {"MNT": SignOff("MNT", "ann", 0, "same contract at both")}
    listed = {"binance": [symbol, "BTC"], "bybit": ["BTC", symbol]}
    here: dict[str, Networks] = {"binance": {symbol: [at("ETH", ONE, symbol)]}, "bybit": {symbol: [at("ETH", OTHER, symbol)]}}
    pairing = registry.pair(listed, signed, None, here)
    assert [asset.symbol for asset in pairing.tradable] == ["BTC"]
    assert [(one.symbol, one.reason) for one in pairing.quarantined] == [(symbol, Quarantine.CONTRACT)]
    assert ONE in pairing.quarantined[0].detail
    assert OTHER in pairing.quarantined[0].detail
    for same in ({**here, "bybit": here["binance"]}, {"binance": here["binance"]}, {}, None):
        assert [asset.symbol for asset in registry.pair(listed, signed, None, same).tradable] == [symbol, "BTC"]


def test_an_address_does_not_make_known_what_nobody_signed() -> None:
    same: dict[str, Networks] = {name: {"NEWCOIN": [at("ETH", ONE, "NEWCOIN")]} for name in ("binance", "bybit")}
    pairing = AssetRegistry.shipped().pair({"binance": ["NEWCOIN"], "bybit": ["NEWCOIN"]}, {}, None, same)
    assert [one.reason for one in pairing.quarantined] == [Quarantine.UNKNOWN]


# Of Binance "All Coins' Information", Bybit "Get Coin Info", OKX "Get currencies" and Bitget "Get Coin Info".
BINANCE: dict[str, Any] = {
    "coin": "UNI",
    "networkList": [
        {"network": "ETH", "depositEnable": True, "withdrawEnable": True, "withdrawFee": "1", "withdrawMin": "2", "contractAddress": ONE}
    ],
}
BYBIT: dict[str, Any] = {"coin": "UNI", "chains": [{"chain": "ETH", "chainDeposit": "1", "chainWithdraw": "1", "contractAddress": ONE}]}
OKX: dict[str, Any] = {"ccy": "UNI", "chain": "UNI-ERC20", "canDep": True, "canWd": True, "ctAddr": ONE}
BITGET: dict[str, Any] = {
    "coin": "UNI",
    "chains": [
        {
            "chain": "ERC20",
            "withdrawable": "true",
            "rechargeable": "true",
            "withdrawFee": "1",
            "minWithdrawAmount": "2",
            "contractAddress": ONE,
        }
    ],
}


def read_by(name: str) -> Networks:
    """The networks of UNI as ``name``'s adapter reads them."""
    if name == "binance":
        return binance.networks_of([read(BINANCE, binance.Coin, "coin")], {"UNI"})
    if name == "bybit":
        return bybit.networks_of([read(BYBIT, bybit.Coin, "coin")], {"UNI"})
    if name == "okx":
        return okx.networks_of([read(OKX, okx.Currency, "currency")], {"UNI"})
    return bitget.networks_of([read(BITGET, bitget.Coin, "coin")], {"UNI"})


def test_every_venue_that_says_so_publishes_them_and_they_agree() -> None:
    names = [name for name, venue in VENUES.items() if venue.capabilities.publishes_contracts]
    assert set(names) >= {"binance", "bybit", "okx", "bitget"}
    found = {name: read_by(name)["UNI"] for name in ("binance", "bybit", "okx", "bitget")}
    assert {terms.contract for rows in found.values() for terms in rows} == {ONE}
    assert all(contradiction(one, found[one], two, found[two]) is None for one in found for two in found)
    assert found["bitget"][0].least == Decimal(2)
