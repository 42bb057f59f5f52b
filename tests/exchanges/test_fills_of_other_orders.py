"""A look-up of an order asks for its fills apart: what else is among them is not its, and all of them carry its client id."""

from typing import Any

import pytest

from tests.exchanges.bybit.test_orders import EXECUTION
from tests.exchanges.bybit.test_orders import ROW as BYBIT_ROW
from tests.exchanges.scripted_venue import adapter_of, scripted, value
from tests.exchanges.test_fills import BINANCE_ORDER, BINANCE_TRADE
from tests.exchanges.test_requests_at_other_venues import BITGET_ROW, BITGET_TRADE, OKX_ROW, OKX_TRADE, data, page, told
from tests.exchanges.test_venue_words import run

#: The look-up's answer, the list of fills, a fill of the order, and one of another order.
LOOK_UPS: dict[str, tuple[tuple[str, Any], str, Any, dict[str, Any], dict[str, Any]]] = {
    "binance": (("/api/v3/order", BINANCE_ORDER), "/api/v3/myTrades", lambda *rows: list(rows), BINANCE_TRADE, {"orderId": 29, "id": 57}),
    "bybit": (("/v5/order/realtime", page(BYBIT_ROW)), "/v5/execution/list", page, EXECUTION, {"orderId": "another", "execId": "x2"}),
    "bitget": (
        ("/api/v2/spot/trade/orderInfo", told([BITGET_ROW])),
        "/api/v2/spot/trade/fills",
        lambda *rows: told(list(rows)),
        BITGET_TRADE,
        {"orderId": "another", "tradeId": "t2"},
    ),
    "okx": (("/api/v5/trade/order", data(OKX_ROW)), "/api/v5/trade/fills-history", data, OKX_TRADE, {"ordId": "another", "tradeId": "2"}),
}


@pytest.mark.parametrize("exchange", LOOK_UPS)
def test_a_fill_of_another_order_is_not_taken_for_its(exchange: str) -> None:
    (path, row), list_path, listed, fill, other = LOOK_UPS[exchange]

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("GET", path, value(row))
            venue.on("GET", list_path, value(listed(fill | other, fill)))
            report = await adapter.fetch_order(next(iter(adapter.markets)), "a1")
            assert report is not None
            (booked,) = report.fills
            assert (booked.client_order_id, booked.venue_order_id) == ("a1", report.venue_order_id)

    run(main)


@pytest.mark.parametrize(("exchange", "own_id"), [("bybit", "orderLinkId"), ("okx", "clOrdId")])
def test_a_fill_that_does_not_name_our_id_is_the_order_s_all_the_same(exchange: str, own_id: str) -> None:
    (path, row), list_path, listed, fill, _ = LOOK_UPS[exchange]

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("GET", path, value(row))
            venue.on("GET", list_path, value(listed(fill | {own_id: ""})))
            report = await adapter.fetch_order(next(iter(adapter.markets)), "a1")
            assert report is not None
            assert [one.client_order_id for one in report.fills] == ["a1"]

    run(main)
