"""The terms of a network, field by field, as each venue tells them: all of them, and no more than it must; and paths from them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.binance import networks as binance
from arbtui.exchanges.bitget import networks as bitget
from arbtui.exchanges.bybit import networks as bybit
from arbtui.exchanges.coinone import networks as coinone
from arbtui.exchanges.networks import NetworkPath, NetworkTerms, network_paths
from arbtui.exchanges.okx import networks as okx
from arbtui.exchanges.won.networks import Address, Wallet, WithdrawChance, by_asset, terms_of
from arbtui.model.errors import WireError

Row = Mapping[str, Any]
MILLIONTH = Decimal("0.000001")


def of_binance(row: Row) -> NetworkTerms:
    coins = read([{"coin": "XRP", "networkList": [row]}, {"coin": "ADA", "networkList": []}], list[binance.Coin], "coins")
    ((terms,),) = binance.networks_of(coins, ["XRP"]).values()
    return terms


def of_bitget(row: Row) -> NetworkTerms:
    coins = read([{"coin": "XRP", "chains": [row]}, {"coin": "ADA", "chains": []}], list[bitget.Coin], "coins")
    ((terms,),) = bitget.networks_of(coins, ["XRP"]).values()
    return terms


def of_bybit(row: Row) -> NetworkTerms:
    coins = read([{"coin": "XRP", "chains": [row]}, {"coin": "ADA", "chains": []}], list[bybit.Coin], "coins")
    ((terms,),) = bybit.networks_of(coins, ["XRP"]).values()
    return terms


def of_okx(row: Row) -> NetworkTerms:
    rows = read([{"ccy": "XRP", **row}, {"ccy": "ADA", **row}], list[okx.Currency], "currencies")
    ((terms,),) = okx.networks_of(rows, ["XRP"]).values()
    return terms


def of_coinone(row: Row) -> NetworkTerms:
    rows = read([{"symbol": "xrp", **row}, {"symbol": "ada", **row}], list[coinone.Currency], "currencies")
    ((terms,),) = coinone.networks_of(rows, ["XRP"]).values()
    return terms


@pytest.mark.parametrize(
    ("terms_of", "row", "expected"),
    [
        (
            of_binance,
            {
                "network": "BSC", "depositEnable": True, "withdrawEnable": False, "withdrawFee": "0.2", "withdrawMin": "2",
                "withdrawIntegerMultiple": "0.000001", "estimatedArrivalTime": 3.5, "busy": True, "depositDesc": " late ",
                "withdrawDesc": "off", "contractAddress": "0x1",
            },
            NetworkTerms("XRP", "BSC", True, False, Decimal("0.2"), Decimal(2), MILLIONTH, 3.5, True, None, "0x1", "late off"),
        ),
        (
            of_binance,
            {"network": "XRP", "depositEnable": False, "withdrawEnable": True, "withdrawFee": "0", "withdrawMin": "2"},
            NetworkTerms("XRP", "XRP", False, True, Decimal(0), Decimal(2)),
        ),
        (
            of_bitget,
            {
                "chain": "BEP20", "withdrawable": "true", "rechargeable": "false", "withdrawFee": "0.2", "minWithdrawAmount": "2",
                "extraWithdrawFee": "0.1", "withdrawStep": "0.5", "withdrawMinScale": "8", "contractAddress": "0x1",
                "congestion": "congested",
            },
            NetworkTerms(
                "XRP", "BEP20", False, True, Decimal("0.2"), Decimal(2), Decimal("0.5"), None, True, None, "0x1",
                "10.0 % more is burnt on the way",
            ),
        ),
        (
            of_bitget,
            {"chain": "XRP", "withdrawable": "false", "rechargeable": "true", "withdrawFee": "0.2", "minWithdrawAmount": "2"},
            NetworkTerms("XRP", "XRP", True, False, Decimal("0.2"), Decimal(2)),
        ),
        (
            of_bybit,
            {
                "chain": "BSC", "chainDeposit": "0", "chainWithdraw": "1", "withdrawFee": "0.2", "withdrawMin": "2", "minAccuracy": "6",
                "withdrawPercentageFee": "0.022", "contractAddress": "0x1",
            },
            NetworkTerms(
                "XRP", "BSC", False, True, Decimal("0.2"), Decimal(2), MILLIONTH, None, False, None, "0x1", "and 2.200 % of the amount"
            ),
        ),
        (of_bybit, {"chain": "XRP", "chainDeposit": "1", "chainWithdraw": "1"}, NetworkTerms("XRP", "XRP", True, False)),
        (
            of_bybit,
            {"chain": "XRP", "chainDeposit": "1", "chainWithdraw": "0", "withdrawFee": "0", "withdrawMin": "-1"},
            NetworkTerms("XRP", "XRP", True, False, Decimal(0)),
        ),
        (
            of_bybit,
            {"chain": "XRP", "chainDeposit": "1", "chainWithdraw": "1", "withdrawFee": "Infinity", "withdrawMin": "0"},
            NetworkTerms("XRP", "XRP", True, False, None, Decimal(0)),
        ),
        (
            of_okx,
            {
                "chain": "XRP-BEP20", "canDep": True, "canWd": False, "fee": "0.2", "minFee": "0.1", "minWd": "2", "wdTickSz": "6",
                "burningFeeRate": "0.05", "ctAddr": "0x1",
            },
            NetworkTerms(
                "XRP", "BEP20", True, False, Decimal("0.2"), Decimal(2), MILLIONTH, None, False, None, "0x1",
                "burns 5.00 % of what is sent",
            ),
        ),
        (of_okx, {"chain": "XRP-", "canDep": False, "canWd": True}, NetworkTerms("XRP", "XRP", False, True)),
        (of_okx, {"chain": "XRP", "canDep": True, "canWd": True, "minFee": "0.1"}, NetworkTerms("XRP", "XRP", True, True, Decimal("0.1"))),
        (
            of_coinone,
            {"deposit_status": "suspended", "withdraw_status": "normal", "withdrawal_min_amount": "2", "withdrawal_fee": "0.2"},
            NetworkTerms(
                "XRP", "XRP", False, True, Decimal("0.2"), Decimal(2), words="deposits suspended, Coinone does not tell which network"
            ),
        ),
        (
            of_coinone,
            {"deposit_status": "normal", "withdraw_status": "suspended"},
            NetworkTerms("XRP", "XRP", True, False, words="withdrawals suspended, Coinone does not tell which network"),
        ),
        (
            of_coinone,
            {"deposit_status": "normal", "withdraw_status": "normal"},
            NetworkTerms("XRP", "XRP", True, True, words="Coinone does not tell which network"),
        ),
    ],
)  # fmt: skip
def test_every_field_of_a_venues_network(terms_of: Callable[[Row], NetworkTerms], row: Row, expected: NetworkTerms) -> None:
    assert terms_of(row) == expected


def test_what_a_venue_says_is_kept_up_to_200_letters() -> None:
    row = {
        "network": "XRP",
        "depositEnable": True,
        "withdrawEnable": True,
        "withdrawFee": "0",
        "withdrawMin": "2",
        "depositDesc": "x" * 201,
    }
    assert of_binance(row).words == "x" * 200
    assert of_binance({**row, "depositDesc": "off", "withdrawDesc": "off "}).words == "off"


@pytest.mark.parametrize("field", ["fee", "minWd", "wdTickSz", "burningFeeRate"])
def test_a_number_of_okx_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(WireError):
        of_okx({"chain": "XRP", "canDep": True, "canWd": True, field: "x"})


# won venues


def wallet(**fields: Any) -> Wallet:
    return read({"currency": "XRP", "wallet_state": "working", **fields}, Wallet, "wallet")


CHANCE = read({"currency": {"withdraw_fee": "1.5"}, "withdraw_limit": {"minimum": "20", "fixed": 6}}, WithdrawChance, "chance")
BARE = read({"currency": {}, "withdraw_limit": {}}, WithdrawChance, "chance")


def address(**fields: Any) -> Address:
    return read({"currency": "XRP", **fields}, Address, "address")


@pytest.mark.parametrize(
    ("state", "deposits", "withdrawals", "words"),
    [
        ("working", True, True, ""),
        ("deposit_only", True, False, "deposit_only"),
        ("withdraw_only", False, True, "withdraw_only"),
        ("paused", False, False, "paused"),
    ],
)
def test_what_a_won_venues_wallet_does(state: str, deposits: bool, withdrawals: bool, words: str) -> None:
    assert terms_of(wallet(wallet_state=state), None, None) == NetworkTerms("XRP", "XRP", deposits, withdrawals, words=words)


@pytest.mark.parametrize(
    ("fields", "is_busy", "words"),
    [
        ({}, False, ""),
        ({"block_state": "normal", "block_elapsed_minutes": 44}, False, ""),
        ({"block_state": "delayed"}, True, "blocks delayed"),
        ({"block_state": "delayed", "block_elapsed_minutes": 44}, True, "blocks delayed, last one 44 min ago"),
        ({"block_state": "inactive", "wallet_state": "paused"}, True, "paused, blocks inactive"),
    ],
)
def test_blocks_that_are_late_are_told(fields: dict[str, Any], is_busy: bool, words: str) -> None:
    terms = terms_of(wallet(**fields), None, None)
    assert (terms.is_busy, terms.words) == (is_busy, words)


@pytest.mark.parametrize(
    ("fields", "network"),
    [({"net_type": "A", "network_name": "B"}, "A"), ({"network_name": "B"}, "B"), ({}, "XRP")],
)
def test_a_wallets_network_is_its_type_else_its_name_else_the_assets(fields: dict[str, str], network: str) -> None:
    assert terms_of(wallet(**fields), None, None).network == network


def test_fees_and_addresses_are_known_where_the_key_may_view_them() -> None:
    whole = terms_of(wallet(net_type="BSC"), CHANCE, [address(net_type="BEP20", exchange_name="Binance")])
    assert whole == NetworkTerms("XRP", "BSC", True, True, Decimal("1.5"), Decimal(20), MILLIONTH, None, False, ("binance",))
    assert terms_of(wallet(), BARE, []) == NetworkTerms("XRP", "XRP", True, True, known_to=())
    several = [
        address(exchange_name="Binance"), address(net_type="XRP"), address(exchange_name="BINANCE"),
        address(net_type="BSC", exchange_name="x"),
        read({"currency": "ADA", "net_type": "XRP", "exchange_name": "y"}, Address, "address"),
    ]  # fmt: skip
    assert terms_of(wallet(), None, several).known_to == ("binance", "a wallet")


def test_terms_are_told_by_asset_in_the_venues_order() -> None:
    xrp, ada, other = (NetworkTerms(asset, network, True, True) for asset, network in (("XRP", "A"), ("ADA", "B"), ("XRP", "C")))
    assert by_asset([xrp, ada, other]) == {"XRP": [xrp, other], "ADA": [ada]}


# paths


def sends(network: str = "XRP", fee: str | None = "1", *, on: bool = True, minutes: float | None = None, **fields: Any) -> NetworkTerms:
    return NetworkTerms("XRP", network, True, on, None if fee is None else Decimal(fee), Decimal(20), MILLIONTH, minutes, **fields)


def takes(network: str = "XRP", *, on: bool = True, minutes: float | None = None, **fields: Any) -> NetworkTerms:
    return NetworkTerms("XRP", network, on, True, Decimal(7), Decimal(8), Decimal(9), minutes, **fields)


def path(here: NetworkTerms, *there: NetworkTerms) -> NetworkPath:
    (found,) = network_paths("XRP", "upbit", "binance", [here], there)
    return found


def test_a_path_costs_what_the_sender_takes_and_lasts_as_long_as_the_slower_of_the_two_says() -> None:
    assert path(sends(minutes=2.0), takes(minutes=5.0)) == NetworkPath("XRP", Decimal(1), Decimal(20), MILLIONTH, 5.0, "", None, "")
    assert path(sends(minutes=6.0), takes(minutes=5.0)).minutes == 6.0
    assert path(sends(), takes(minutes=5.0)).minutes == 5.0
    assert path(sends(minutes=2.0), takes()).minutes == 2.0
    assert path(sends(), takes()).minutes is None


@pytest.mark.parametrize(("fee", "minutes", "is_known"), [("0", 0.0, True), ("1", 2.0, True), (None, 2.0, False), ("1", None, False)])
def test_a_path_is_known_with_its_cost_and_its_time(fee: str | None, minutes: float | None, is_known: bool) -> None:
    assert path(sends(fee=fee, minutes=minutes), takes()).is_known is is_known


@pytest.mark.parametrize(
    ("here", "there", "why_not", "whitelisted"),
    [
        (sends(), takes(), "", None),
        (sends(known_to=("binance",)), takes(), "", True),
        (sends(known_to=()), takes(), "no address of the receiver is registered at the sender", False),
        (sends(on=False), takes(), "withdrawals are off at the sender", None),
        (sends(on=False, words="late"), takes(), "withdrawals are off at the sender: late", None),
        (sends(), takes(on=False), "deposits are off at the receiver", None),
        (sends(), takes(on=False, words="late"), "deposits are off at the receiver: late", None),
        (sends(on=False, known_to=()), takes(on=False), "withdrawals are off at the sender", False),
        (sends("BSC"), takes(), "binance takes no deposits on BSC", None),
        (sends("BSC", known_to=("binance",)), takes(), "binance takes no deposits on BSC", True),
    ],
)
def test_why_a_path_is_closed(here: NetworkTerms, there: NetworkTerms, why_not: str, whitelisted: bool | None) -> None:
    found = path(here, there)
    assert (found.why_not, found.whitelisted) == (why_not, whitelisted)


def test_what_both_say_of_a_path_is_told_once() -> None:
    assert path(sends(words="late", is_busy=True), takes(words="late", is_busy=True)).words == "late; busy"
    assert path(sends(words="a"), takes(words="b", is_busy=True)).words == "a; b; busy"
    assert path(sends("BSC", words="a"), takes(words="b")).words == "a"


def test_open_paths_come_first_then_the_cheapest_then_the_fastest_and_other_assets_never() -> None:
    here = [
        sends("A", None), sends("B", "2"), sends("C", "1", minutes=9.0), sends("D", "1", minutes=3.0), sends("E", "0", on=False),
        NetworkTerms("ADA", "F", True, True, Decimal(0)), sends("ERC20", "3"),
    ]  # fmt: skip
    there = [
        *(takes(name) for name in "ABCDE"),
        NetworkTerms("ADA", "F", True, True),
        takes("Ethereum"),
        NetworkTerms("ADA", "A", False, True),
    ]
    assert [one.network for one in network_paths("XRP", "upbit", "binance", here, there)] == ["D", "C", "B", "ERC20", "A", "E"]


def test_of_two_that_cost_the_same_one_whose_time_is_not_told_is_not_the_faster() -> None:
    here, there = [sends("A"), sends("B", minutes=9.0)], [takes("A"), takes("B")]
    assert [(one.network, one.minutes) for one in network_paths("XRP", "upbit", "binance", here, there)] == [("B", 9.0), ("A", None)]


def test_a_free_network_comes_before_one_that_costs_little() -> None:
    here = [sends(network="A", fee="0.5"), sends(network="B", fee="0")]
    assert [one.network for one in network_paths("XRP", "upbit", "binance", here, [takes("A"), takes("B")])] == ["B", "A"]
