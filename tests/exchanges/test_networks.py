"""How an asset can be moved, as the venues tell it; and that nothing here can move it."""

import asyncio
import inspect
import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.exchanges.binance.adapter import BinanceAdapter
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.networks import network_key
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit.adapter import UpbitAdapter
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import VenueFailed
from arbtui.simulation.paper import PaperExchange
from tests.conftest import REPOSITORY
from tests.exchanges.contract.venues import FACTORIES, Factory
from tests.exchanges.contract.venues import run as run_factory
from tests.exchanges.scripted_venue import adapter_of, scripted, value

BINANCE = [
    {
        "coin": "XRP",
        "networkList": [
            {
                "network": "XRP", "depositEnable": True, "withdrawEnable": True, "withdrawFee": "0.2", "withdrawMin": "2",
                "withdrawIntegerMultiple": "0.000001", "estimatedArrivalTime": 1, "busy": False, "depositDesc": "", "withdrawDesc": "",
            },
            {
                "network": "BSC", "depositEnable": True, "withdrawEnable": False, "withdrawFee": "0.1", "withdrawMin": "1",
                "withdrawIntegerMultiple": "0", "estimatedArrivalTime": 3, "busy": True, "withdrawDesc": "Withdrawal Suspended",
            },
        ],
    },
    {"coin": "DOGE", "networkList": []},
]  # fmt: skip
WALLETS = [
    {"currency": "XRP", "wallet_state": "working", "block_state": "normal", "net_type": "XRP", "network_name": "XRP Ledger"},
    {"currency": "ADA", "wallet_state": "withdraw_only", "block_state": "delayed", "block_elapsed_minutes": 44, "net_type": "ADA"},
]
CHANCE = {"currency": {"code": "XRP", "withdraw_fee": "1.0"}, "withdraw_limit": {"minimum": "20", "fixed": 6}}
ADDRESSES = [{"currency": "XRP", "net_type": "XRP", "network_name": "XRP", "withdraw_address": "r1", "exchange_name": "Binance"}]


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


def test_binance_tells_every_network_with_its_fee_and_what_its_wallet_does() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/sapi/v1/capital/config/getall", value(BINANCE))
            found = await adapter.fetch_networks(["XRP"])
            assert list(found) == ["XRP"]
            own, other = found["XRP"]
            assert (own.network, own.fee, own.least, own.step, own.minutes) == ("XRP", Decimal("0.2"), Decimal(2), Decimal("0.000001"), 1.0)
            assert (own.deposits, own.withdrawals, own.is_busy, own.known_to) == (True, True, False, None)
            assert (other.withdrawals, other.is_busy, other.step) == (False, True, None)
            assert "Withdrawal Suspended" in other.words

    run(main)


def test_upbit_tells_wallet_states_and_where_the_key_may_view_them_fees_and_addresses() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/status/wallet", value(WALLETS))
            venue.on("GET", "/v1/withdraws/coin_addresses", value(ADDRESSES))
            venue.on("GET", "/v1/withdraws/chance", value(CHANCE))
            found = await adapter.fetch_networks(["XRP", "ADA"])
            (xrp,), (ada,) = found["XRP"], found["ADA"]
            assert (xrp.fee, xrp.least, xrp.step, xrp.known_to) == (Decimal(1), Decimal(20), Decimal("0.000001"), ("binance",))
            assert (ada.deposits, ada.withdrawals, ada.is_busy, ada.known_to) == (False, True, True, ())
            assert "44 min ago" in ada.words

    run(main)


def test_a_key_without_the_right_to_view_withdrawals_knows_the_wallets_and_no_fee_and_is_not_blamed_for_it() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            refused = value({"error": {"name": "out_of_scope", "message": "x"}}, 401)
            venue.on("GET", "/v1/status/wallet", value(WALLETS))
            venue.on("GET", "/v1/withdraws/coin_addresses", refused)
            (xrp,) = (await adapter.fetch_networks(["XRP"]))["XRP"]
            assert (xrp.deposits, xrp.withdrawals, xrp.fee, xrp.least, xrp.known_to) == (True, True, None, None, None)
            assert not venue.of("GET", "/v1/withdraws/chance")  # it would be refused as well
            assert adapter.standing.block is None

    run(main)


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_a_refusal_of_these_questions_never_stops_trading(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            refused = value({"error": {"name": "out_of_scope", "message": "x"}, "code": -2015, "msg": "Invalid API-key"}, 401)
            for path in ("/sapi/v1/capital/config/getall", "/v1/status/wallet"):
                venue.on("GET", path, refused)
            with pytest.raises(VenueFailed, match="is not known"):
                await adapter.fetch_networks(["XRP"])
            assert adapter.standing.block is None

    run(main)


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_an_answer_that_makes_no_sense_says_nothing(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            for path in ("/sapi/v1/capital/config/getall", "/v1/status/wallet"):
                venue.on("GET", path, value([{"coin": 5, "currency": None}]))
            with pytest.raises(VenueFailed):
                await adapter.fetch_networks(["XRP"])

    run(main)


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
def test_every_order_side_tells_networks(factory: Factory, tmp_path: Path) -> None:
    async def main() -> None:
        async with factory(tmp_path) as v:
            (terms,) = (await v.adapter.fetch_networks([v.market.base]))[v.market.base]
            assert terms.deposits
            assert terms.withdrawals
            assert terms.fee is not None
            assert terms.fee > 0
            assert terms.least is not None
            assert terms.least > terms.fee

    run_factory(main)


def test_one_network_has_one_key_whatever_a_venue_calls_it() -> None:
    assert network_key("ERC-20") == network_key("Ethereum") == network_key("ETH")
    assert network_key("TRC20") == network_key("TRX") != network_key("ETH")


# nothing here can withdraw


@pytest.mark.parametrize("kind", [ExchangeAdapter, CcxtAdapter, UpbitAdapter, BinanceAdapter, PaperExchange])
def test_no_adapter_has_a_verb_that_moves_money_out(kind: type[object]) -> None:
    verbs = [name for name, _ in inspect.getmembers(kind) if re.search(r"withdraw|transfer|send(?!s)|payout", name, re.IGNORECASE)]
    assert verbs == []


def test_whatever_names_a_withdrawal_in_the_adapters_is_a_question() -> None:
    """Every path below exchanges/ that a venue knows withdrawals by stands in a GET, or in words for people."""
    found = []
    for path in sorted((REPOSITORY / "arbtui" / "exchanges").rglob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"""["'](/?v1/)?(withdraw\w*|capital)/[\w/]+["']""", line):
                found.append((path.name, number, line.strip()))
    assert found
    assert all("ask_aside(" in line or "viewed(" in line or "read(answer" in line for _, _, line in found), found
    for asks in (CcxtAdapter.viewed, CcxtAdapter.ask_aside):
        assert not re.search(r'"(POST|PUT|DELETE)"', inspect.getsource(asks))
    assert '"GET"' in inspect.getsource(CcxtAdapter.ask_aside)


@pytest.mark.parametrize(
    ("section", "method", "path"),
    [
        ("sapi", "POST", "capital/withdraw/apply"),
        ("private", "POST", "withdraws/coin"),
        ("private", "POST", "withdraws/krw"),
        ("sapi", "POST", "asset/transfer"),
        ("sapi", "POST", "order"),
        ("private", "PUT", "order"),
        ("private", "DELETE", "withdraws/coin"),
    ],
)
@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_the_client_writes_orders_and_nothing_else(exchange: str, section: str, method: str, path: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            with pytest.raises(ValueError, match="nothing else is ever written"):
                await adapter.client.request(section, method, path, {}, lane=Lane.DATA, costs={})
            assert venue.asked == []  # nothing reached the venue

    run(main)


def test_the_list_of_writes_holds_orders_alone() -> None:
    for venue in VENUES.values():
        said = " ".join(path.lower() for _, path in venue.rest.writes | venue.rest.questions)
        assert not any(word in said for word in ("withdraw", "transfer", "deposit", "loan", "borrow")), venue.name
        assert all("order" in path.lower() for _, path in venue.rest.writes), venue.name
        assert not venue.rest.orders & venue.rest.tests


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_ccxts_own_verb_is_out_of_reach(exchange: str) -> None:
    async def main() -> None:
        import ccxt  # type: ignore[import-untyped]

        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            with pytest.raises(ccxt.NotSupported):
                await adapter.client._ccxt.withdraw("XRP", 1, "address")
            assert venue.asked == []

    run(main)
