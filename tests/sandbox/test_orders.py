"""Orders as each venue rules them: client ids, times in force, look-ups, cancels, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.boxes import bench, run, upbit_socket, user_data

XRP = {"symbol": "XRPUSDT"}


def test_upbit_s_identifier_is_spent_for_good_also_by_a_refused_order() -> None:
    async def scenario() -> None:
        async with bench() as on:
            assert (await on.upbit.buy("10", "5000", identifier="a")).status == 201
            assert (await on.upbit.buy("10", "5000", identifier="a")).error == "duplicated_identifier"
            assert (await on.upbit.buy("1", "5000", identifier="b")).status == 201
            assert (await on.upbit.buy("0.1", "5000", identifier="c")).error == "under_min_total_bid"
            assert (await on.upbit.buy("10", "5000", identifier="c")).error == "duplicated_identifier"
            missing = await on.upbit.call("GET", "order", {"identifier": "c"})
            assert (missing.status, missing.error) == (404, "order_not_found")  # a refused order never was one
            assert (await on.upbit.buy("10", "5000")).status == 201
            unnamed = (await on.upbit.buy("10", "5000")).body
            assert "identifier" not in unnamed
            assert (await on.upbit.call("GET", "order", {"uuid": unnamed["uuid"]})).body["state"] == "done"

    run(scenario)


def test_binance_s_client_id_is_free_again_when_its_order_is_final() -> None:
    async def scenario() -> None:
        async with bench() as on:
            first = (await on.binance.buy("20", "0.5", tif="GTC", newClientOrderId="a")).body
            again = await on.binance.buy("20", "0.5", tif="GTC", newClientOrderId="a")
            assert again.body == {"code": -2010, "msg": "Duplicate order sent."}
            await on.binance.call("DELETE", "order", {**XRP, "origClientOrderId": "a"})
            second = (await on.binance.buy("20", "4", newClientOrderId="a")).body
            assert second["orderId"] != first["orderId"]
            assert (await on.binance.call("GET", "order", {**XRP, "origClientOrderId": "a"})).body["orderId"] == second["orderId"]
            assert (await on.binance.buy(newClientOrderId="not allowed!")).error == -1100
            assert (await on.binance.call("GET", "order", {**XRP, "origClientOrderId": "z"})).error == -2013
            assert (await on.binance.call("DELETE", "order", {**XRP, "origClientOrderId": "z"})).error == -2011
            assert (await on.binance.call("DELETE", "order", {**XRP, "orderId": second["orderId"]})).error == -2011  # it has filled

    run(scenario)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"ord_type": "limit", "volume": "10", "price": "3000.5"}, "invalid_price_bid"),
        ({"ord_type": "limit", "volume": "0.000000001", "price": "3000"}, "invalid_volume_bid"),
        ({"ord_type": "limit", "volume": "1000000", "price": "3000"}, "insufficient_funds_bid"),
        ({"ord_type": "limit", "volume": "ten", "price": "3000"}, "validation_error"),
        ({"ord_type": "limit", "volume": "10"}, "validation_error"),
        ({"ord_type": "limit", "volume": "10", "price": "3000", "side": "long"}, "validation_error"),
        ({"ord_type": "limit", "volume": "10", "price": "3000", "market": "KRW-NIX"}, "market_not_found"),
        ({"ord_type": "best", "price": "10000"}, "create_bid_error"),
        ({"ord_type": "market", "volume": "10"}, "create_bid_error"),
        ({"ord_type": "limit", "volume": "10", "price": "3000", "time_in_force": "gtd"}, "validation_error"),
    ],
)
def test_upbit_refuses(order: dict[str, str], error: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            assert (await on.upbit.call("POST", "orders", {"market": "KRW-XRP", "side": "bid", **order})).error == error

    run(scenario)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"price": "2.00001"}, "Filter failure: PRICE_FILTER"),
        ({"quantity": "10.01"}, "Filter failure: LOT_SIZE"),
        ({"quantity": "1", "price": "2"}, "Filter failure: NOTIONAL"),
        ({"quantity": "100000", "price": "2"}, "Account has insufficient balance for requested action."),
        ({"symbol": "NIXUSDT"}, "Invalid symbol."),
        ({"side": "LONG"}, "Invalid side."),
        ({"type": "STOP"}, "Invalid orderType."),
        ({"timeInForce": "GTD"}, "Invalid timeInForce."),
        ({"quantity": ""}, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
    ],
)
def test_binance_refuses(order: dict[str, str], error: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            good = {**XRP, "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "10", "price": "2"}
            reply = await on.binance.call("POST", "order", good | order)
            assert (reply.status, reply.body["msg"]) == (400, error)

    run(scenario)


def test_upbit_answers_before_it_matches_and_tells_the_end_by_look_up_and_stream() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on, {"type": "myOrder"}, {"type": "myAsset"}, private=True) as events:
            await events.send("PING")
            await events.next(lambda told: told == {"status": "UP"})
            placed = (await on.upbit.buy("100", "5000", identifier="x")).body
            assert (placed["state"], placed["executed_volume"], placed["time_in_force"]) == ("wait", "0", "ioc")
            found = (await on.upbit.call("GET", "order", {"identifier": "x"})).body
            assert (found["state"], found["uuid"], found["executed_volume"]) == ("done", placed["uuid"], "100")
            funds = sum(Decimal(trade["funds"]) for trade in found["trades"])
            assert Decimal(found["paid_fee"]) == funds * Decimal("0.0005")
            trades: dict[str, Any] = {}
            while True:
                told = await events.next(lambda told: told["type"] == "myOrder")
                if told["state"] == "trade":
                    trades[told["trade_uuid"]] = told
                elif told["state"] == "done":
                    break
            assert set(trades) == {trade["uuid"] for trade in found["trades"]}
            assert told["identifier"] == "x"
            asset = await events.next(lambda told: told["type"] == "myAsset")
            assert {row["currency"] for row in asset["assets"]} == {"XRP", "KRW"}

    run(scenario)


def test_binance_tells_new_then_each_fill_then_the_end_of_what_did_not_fill() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on) as events:
            book = (await on.binance.ask("depth?symbol=XRPUSDT&limit=20")).body
            more = str(int(Decimal(book["asks"][0][1])) + 5000)
            placed = (await on.binance.buy(more, book["asks"][0][0], newClientOrderId="x")).body
            assert placed["status"] == "EXPIRED"
            kinds, filled = [], Decimal(0)
            while True:
                report = (await events.next(lambda told: told["event"]["e"] == "executionReport"))["event"]
                kinds.append(report["x"])
                filled += Decimal(report["l"])
                if report["X"] == "EXPIRED":
                    break
            assert kinds[0] == "NEW"
            assert set(kinds[1:-1]) <= {"TRADE"}
            assert (kinds[-1], str(filled)) == ("EXPIRED", str(Decimal(placed["executedQty"])))

    run(scenario)


def test_a_resting_order_locks_its_money_until_it_is_cancelled() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on) as events:
            rests = (await on.upbit.buy("100", "1000", tif=None, identifier="r")).body
            assert rests["locked"] == "100050"
            krw = next(row for row in (await on.upbit.call("GET", "accounts")).body if row["currency"] == "KRW")
            assert (krw["balance"], krw["locked"]) == ("79899950", "100050")
            cancelled = (await on.upbit.call("DELETE", "order", {"identifier": "r"})).body
            assert cancelled["uuid"] == rests["uuid"]
            assert (await on.upbit.call("GET", "order", {"identifier": "r"})).body["state"] == "cancel"
            krw = next(row for row in (await on.upbit.call("GET", "accounts")).body if row["currency"] == "KRW")
            assert (krw["balance"], krw["locked"]) == ("80000000", "0")
            assert (await on.upbit.call("DELETE", "order", {"identifier": "r"})).error == "order_not_found"

            await on.binance.buy("100", "0.5", tif="GTC", newClientOrderId="r")
            usdt = next(row for row in (await on.binance.call("GET", "account")).body["balances"] if row["asset"] == "USDT")
            assert (usdt["free"], usdt["locked"]) == ("69950.00000000", "50.00000000")
            ended = (await on.binance.call("DELETE", "order", {**XRP, "origClientOrderId": "r", "newClientOrderId": "cancel-r"})).body
            assert (ended["origClientOrderId"], ended["clientOrderId"], ended["status"]) == ("r", "cancel-r", "CANCELED")
            report = (await events.next(lambda told: told["event"].get("x") == "CANCELED"))["event"]
            assert (report["c"], report["C"]) == ("cancel-r", "r")

    run(scenario)


def test_cancel_all_of_each_venue() -> None:
    async def scenario() -> None:
        async with bench() as on:
            for count in range(3):
                await on.upbit.buy("100", "1000", tif=None, identifier=f"r{count}")
                await on.binance.buy("100", "0.5", tif="GTC", newClientOrderId=f"r{count}")
            assert len((await on.upbit.call("GET", "orders/open")).body) == 3
            assert (await on.upbit.call("DELETE", "orders/open", {"cancel_side": "all", "count": "300"})).body["success"]["count"] == 3
            assert (await on.upbit.call("GET", "orders/open")).body == []
            assert [row["state"] for row in (await on.upbit.call("GET", "orders/closed")).body] == ["cancel"] * 3
            assert len((await on.binance.call("DELETE", "openOrders", XRP)).body) == 3
            assert (await on.binance.call("GET", "openOrders")).body == []
            assert (await on.binance.call("DELETE", "openOrders", XRP)).error == -2011

    run(scenario)


def test_fok_all_or_nothing_and_orders_without_a_limit() -> None:
    async def scenario() -> None:
        async with bench() as on:
            assert (await on.binance.buy("1000000", "0.05", tif="FOK")).body["status"] == "EXPIRED"
            assert (await on.binance.buy("10", "4", tif="FOK")).body["status"] == "FILLED"
            taken = await on.binance.call("POST", "order", {**XRP, "side": "SELL", "type": "MARKET", "quantity": "10"})
            assert (taken.body["status"], taken.body["type"], taken.body["price"]) == ("FILLED", "MARKET", "0.00000000")
            spent = await on.binance.call("POST", "order", {**XRP, "side": "BUY", "type": "MARKET", "quoteOrderQty": "50"})
            assert Decimal(45) < Decimal(spent.body["cummulativeQuoteQty"]) <= Decimal(50)
            best = {"market": "KRW-XRP", "side": "bid", "ord_type": "best", "price": "20000", "time_in_force": "ioc", "identifier": "b"}
            assert (await on.upbit.call("POST", "orders", best)).body["ord_type"] == "best"
            found = (await on.upbit.call("GET", "order", {"identifier": "b"})).body
            assert Decimal(19_900) < Decimal(found["executed_funds"]) <= Decimal(20_000)
            tested = await on.upbit.call(
                "POST", "orders/test", {"market": "KRW-XRP", "side": "bid", "ord_type": "limit", "volume": "10", "price": "3000"}
            )
            assert tested.status == 201
            assert len((await on.control("GET", "/orders")).body) == 5

    run(scenario)
