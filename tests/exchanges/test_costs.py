"""What each request counts for in its venue's limits, as the documents cited in each ``limits.py`` say: too little is a ban."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.sandbox.doors import door_names
from tests.exchanges.contract.venues import run
from tests.exchanges.test_odd_markets import GOOD, ODD, code_of, opened

#: By venue, what is counted (units of each group), and the requests that count for that. Where each is published:
#:
#: - upbit: docs.upbit.com/kr/reference/rate-limits (groups quotation, default, order-test, order-cancel-all)
#: - bithumb: apidocs.bithumb.com; coinone: docs.coinone.co.kr, "Rate limit" (public, private, private order)
#: - binance: developers.binance.com, Spot REST API, "Weight" of each endpoint (ticker/price 2 of one symbol, 4 of all; openOrders 6 of
#:   one, 80 of all; order 4; account, myTrades, exchangeInfo, account/commission 20; order/test 1 without commissions), and Wallet
#:   ("All Coins' Information" 10, "API Key Permission" 1)
#: - bybit: v5, "Rate Limit Rules" (by endpoint, and 600 in 5 s an address)
#: - okx: docs-v5, and bitget: api-doc, "Rate limit" of each endpoint; bitget 6,000 a minute an address besides
COSTS: dict[str, dict[str, str]] = {
    "upbit": {
        "quotation 1": "GET market/all, GET orderbook/instruments, GET ticker",
        "default 1": "GET api_keys, GET orders/chance, GET accounts, GET orders/open, GET orders/closed, GET order, GET status/wallet,"
        " GET withdraws/coin_addresses, GET withdraws/chance, DELETE order",
        "order-test 1": "POST orders/test",
        "order-cancel-all 1": "DELETE orders/open",
    },
    "bithumb": {
        "quotation 1": "GET v1/market/all, GET v1/ticker",
        "default 1": "GET v1/api_keys, GET v1/orders/chance, GET v1/accounts, GET v2/orders/pending, GET v2/orders/history, GET v1/order,"
        " GET v1/status/wallet, GET v1/withdraws/coin_addresses, GET v1/withdraws/chance",
        "order-cancel 1": "DELETE v2/order",
    },
    "coinone": {
        "public 1": "GET public/v2/markets/KRW, GET public/v2/ticker_new/KRW, GET public/v2/range_units/KRW/XRP,"
        " GET public/v2/range_units/KRW/ADA, GET public/v2/currencies",
        "query 1": "POST v2.1/account/balance/all, POST v2.1/account/trade_fee, POST v2.1/order/active_orders,"
        " POST v2.1/order/completed_orders/all, POST v2.1/order/detail",
        "order 1": "POST v2.1/order/cancel",
    },
    "binance": {
        "weight 1": "GET time, GET account/apiRestrictions, DELETE order, POST order/test",
        "weight 2": "GET ticker/price",  # of one market
        "weight 4": "GET ticker/price, GET order",  # of all
        "weight 10": "GET capital/config/getall",
        "weight 20": "GET exchangeInfo, GET account, GET account/commission, GET myTrades",
        "weight 80": "GET openOrders",  # of all markets
    },
    "bybit": {
        "http 1": "GET market/instruments-info, GET market/tickers, GET market/time",
        "http 1, key 1": "GET user/query-api",
        "account 1, http 1": "GET account/info, GET account/user-setting-config",
        "fee-rate 1, http 1": "GET account/fee-rate",
        "balances 1, http 1": "GET account/wallet-balance",
        "http 1, orders 1": "GET order/realtime",
        "executions 1, http 1": "GET execution/list",
        "history 1, http 1": "GET order/history",
        "coins 1, http 1": "GET asset/coin/query-info",
        "cancel 1, http 1": "POST order/cancel",
        "cancel-all 1, http 1": "POST order/cancel-all",
    },
    "okx": {
        "instruments 1": "GET public/instruments, GET account/instruments",
        "ticker 1": "GET market/tickers",
        "time 1": "GET public/time",
        "config 1": "GET account/config",
        "trade-fee 1": "GET account/trade-fee",
        "balance 1": "GET account/balance",
        "orders-pending 1": "GET trade/orders-pending",
        "fills-history 1": "GET trade/fills-history",
        "order-query 1": "GET trade/order",
        "currencies 1": "GET asset/currencies",
        "cancel 1": "POST trade/cancel-order",
    },
    "bitget": {
        "address 1, market 1": "GET v2/spot/public/symbols, GET v2/spot/market/tickers, GET v2/public/time",
        "account-info 1, address 1": "GET v2/spot/account/info",
        "address 1, deduct-info 1": "GET v2/spot/account/deduct-info",
        "address 1, trade-rate 1": "GET v2/common/trade-rate",
        "address 1, assets 1": "GET v2/spot/account/assets",
        "address 1, open-orders 1": "GET v2/spot/trade/unfilled-orders",
        "address 1, fills 1": "GET v2/spot/trade/fills",
        "address 1, order-info 1": "GET v2/spot/trade/orderInfo",
        "address 1, history 1": "GET v2/spot/trade/history-orders",
        "address 1, coins 1": "GET v2/spot/public/coins",
        "address 1, cancel 1": "POST v2/spot/trade/cancel-order",
    },
}


def questions(adapter: CcxtAdapter, code: str, other: str) -> list[Callable[[], Awaitable[object]]]:
    """All that an adapter may be asked without an order that stands."""
    unknown = adapter.unused_id()
    asked: list[Callable[[], Awaitable[object]]] = [
        adapter.listed,
        lambda: adapter.connect([code, other]),
        adapter.fetch_balances,
        adapter.fetch_open_orders,
        lambda: adapter.fetch_fills(0),
        lambda: adapter.fetch_order(code, unknown),
        lambda: adapter.fetch_trading([code]),
        lambda: adapter.fetch_rules([code]),
        lambda: adapter.fetch_networks([GOOD]),
        adapter.list_standing,
        lambda: adapter.cancel(code, unknown),
        adapter.cancel_all,
    ]
    return [*asked, adapter.test_order] if adapter.capabilities.test_orders else asked


@pytest.mark.parametrize("exchange", door_names())
def test_each_request_counts_for_what_the_venue_counts(exchange: str, tmp_path: Path) -> None:
    counted: dict[str, set[str]] = {}

    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            send = adapter.client.request

            async def request(section: str, method: str, path: str, params: Any = None, *, costs: Mapping[str, float], **how: Any) -> Any:
                words = ", ".join(f"{group} {units:g}" for group, units in sorted(costs.items()))
                counted.setdefault(words, set()).add(f"{method} {path}")
                return await send(section, method, path, params, costs=costs, **how)

            adapter.client.request = request  # type: ignore[method-assign]
            for ask in questions(adapter, code_of(box, exchange, GOOD), code_of(box, exchange, ODD)):
                await ask()

    run(main)
    assert counted == {words: set(requests.split(", ")) for words, requests in COSTS[exchange].items()}
