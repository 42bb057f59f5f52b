"""Bitget's answers and private frames, as its documents and other people's fixtures have them, decoded to the last digit."""

import json
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.bitget import orders
from arbtui.exchanges.bitget.errors import error_of
from arbtui.exchanges.bitget.rules import spot_market
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.order import Balance, OrderState, Side

BTC = spot_market("BTC", "USDT", Decimal("0.01"), Decimal("0.000001"))
#: "Order Channel".
EVENT: dict[str, Any] = {
    "instId": "BTCUSDT", "orderId": "1", "clientOid": "a1", "size": "8.0000", "newSize": "500.0000", "notional": "8.000000",
    "orderType": "limit", "force": "ioc", "side": "buy", "fillPrice": "26256.0", "tradeId": "1", "baseVolume": "0.0003",
    "fillTime": "1695797773286", "fillFee": "-0.00000018", "fillFeeCoin": "BTC", "tradeScope": "T", "accBaseVolume": "0.0003",
    "priceAvg": "26256.0", "status": "partially_filled", "cTime": "1695797773257", "uTime": "1695797773326", "stpMode": "cancel_taker",
    "feeDetail": [{"feeCoin": "BTC", "fee": "-0.00000018"}], "enterPointSource": "WEB",
}  # fmt: skip
#: "Get Fills".
FILL: dict[str, Any] = {
    "userId": "**********", "symbol": "BTCUSDT", "orderId": "12345678910", "tradeId": "12345678910", "orderType": "market", "side": "buy",
    "priceAvg": "13000", "size": "0.0007", "amount": "9.1",
    "feeDetail": {"deduction": "no", "feeCoin": "BTC", "totalDeductionFee": "", "totalFee": "-0.0000007"},
    "tradeScope": "taker", "cTime": "1695865232579", "uTime": "1695865233027",
}  # fmt: skip


def event(**fields: Any) -> OrderReport:
    frame = {"action": "snapshot", "arg": {"instType": "SPOT", "channel": "orders", "instId": "default"}, "data": [{**EVENT, **fields}]}
    kind, channel, data = orders.event_of(json.dumps(frame).encode())
    assert (kind, channel) == ("data", "orders")
    (report,) = orders.reports_of_event(data, {"BTCUSDT": BTC})
    return report


def fill(**fields: Any) -> Any:
    (row,) = orders.data_of({"code": "00000", "data": [{**FILL, **fields}]}, list[orders.FillRow], "fills")
    return orders.fill_of_row(row, BTC, "a1")


def test_an_order_event_tells_its_state_and_its_latest_fill() -> None:
    report = event()
    assert (report.client_order_id, report.venue_order_id, report.state, report.filled_qty) == (
        "a1",
        "1",
        OrderState.PARTIALLY_FILLED,
        Decimal("0.0003"),
    )
    (one,) = report.fills
    assert (one.trade_id, one.qty, one.price, one.cost) == ("1", Decimal("0.0003"), Decimal(26256), Decimal("7.8768"))
    assert (one.fee, one.fee_currency, one.liquidity, one.ts_event) == (Decimal("0.00000018"), "BTC", "taker", 1695797773286)


@pytest.mark.parametrize("fields", [{"tradeId": "", "baseVolume": "", "fillPrice": ""}, {"tradeId": None}, {"baseVolume": "0"}])
def test_an_event_without_a_fill_tells_none(fields: dict[str, Any]) -> None:
    report = event(status="live", accBaseVolume="0", **fields)
    assert (report.state, report.filled_qty, report.fills) == (OrderState.ACCEPTED, Decimal(0), ())


def test_what_an_immediate_order_left_expires_and_any_other_is_cancelled() -> None:
    assert event(status="cancelled").state is OrderState.EXPIRED
    assert event(status="cancelled", force="fok").state is OrderState.EXPIRED
    assert event(status="cancelled", force="gtc").state is OrderState.CANCELED


def test_a_fee_that_is_not_told_is_not_a_fee_of_zero() -> None:
    (one,) = event(fillFee="", fillFeeCoin="").fills
    assert (one.fee, one.fee_currency) == (Decimal("0.0003") * BTC.fees.taker, "BTC")
    assert fill(feeDetail=None, side="sell").fee == Decimal("9.1") * BTC.fees.taker


def test_fees_are_paid_in_what_was_received_or_in_the_coin() -> None:
    assert (fill().fee, fill().fee_currency) == (Decimal("0.0000007"), "BTC")
    paid = fill(feeDetail={"deduction": "yes", "feeCoin": "BGB", "totalDeductionFee": "-0.017", "totalFee": "-0.017118519726"})
    assert (paid.fee, paid.fee_currency) == (Decimal("0.017118519726"), "BGB")


def test_a_listed_fill_has_the_venues_time_and_the_client_id_it_was_asked_for_with() -> None:
    one = fill()
    assert (one.ts_event, one.client_order_id, one.venue_order_id, one.side) == (1695865232579, "a1", "12345678910", Side.BUY)


@pytest.mark.parametrize(
    "fields",
    [{"status": "lost"}, {"side": "both"}, {"baseVolume": "NaN"}, {"fillPrice": "x"}, {"fillFee": "inf"}, {"accBaseVolume": "-1"}],
)
def test_events_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        event(**fields)


def test_balances_lock_what_orders_and_everything_else_hold() -> None:
    frame = {
        "action": "snapshot",
        "arg": {"instType": "SPOT", "channel": "account", "coin": "default"},
        "data": [{"coin": "usdt", "available": "100000", "frozen": "1.5", "locked": "2", "limitAvailable": "0", "uTime": "1697092295506"}],
    }
    _, channel, data = orders.event_of(json.dumps(frame).encode())
    assert channel == "account"
    assert orders.balances_of_event(data) == {"USDT": Balance(Decimal(100000), Decimal("3.5"))}


def test_answers_of_the_private_stream_are_told_apart() -> None:
    assert orders.event_of(b"pong")[0] == "pong"
    assert orders.event_of(b'{"event":"login","code":"0","msg":""}')[0] == "login"
    assert orders.event_of(b'{"event":"login","code":0}')[0] == "login"
    assert orders.event_of(b'{"event":"subscribe","arg":{"instType":"SPOT","channel":"account","coin":"default"}}')[:2] == (
        "subscribe",
        "account",
    )
    with pytest.raises(StreamRefused) as caught:
        orders.event_of(b'{"event":"error","code":30005,"msg":"error"}')
    assert caught.value.code == "30005"
    with pytest.raises(WireError):
        orders.event_of(b"{}")


def test_success_is_no_error_and_every_other_code_is() -> None:
    assert error_of({"code": "00000", "msg": "success", "data": []}) is None
    error = error_of({"code": "43012", "msg": "Insufficient balance", "data": None})
    assert error is not None
    assert error[:2] == ("43012", "Insufficient balance")
    assert error_of([]) is None


def test_other_peoples_fixtures_are_read(shared_data: Path) -> None:
    """Answers and pushes of jkorf/Bitget.Net's tests: which were read, by name."""
    kinds: dict[str, Any] = {
        "Trading/GetOrder": list[orders.OrderRow],
        "Trading/GetOpenOrders": list[orders.OrderRow],
        "Trading/GetClosedOrders": list[orders.OrderRow],
        "Trading/GetUserTrades": list[orders.FillRow],
        "Trading/PlaceOrder": orders.Placed,
        "Trading/CancelOrder": orders.Placed,
        "Account/GetSpotBalances": list[orders.AssetRow],
        "Account/GetAccountInfo": orders.AccountInfo,
        "Account/GetTradeFee": orders.TradeRate,
        "Account/GetBgbDeductEnabled": orders.Deduct,
        "ExchangeData/GetTickers": list[orders.Ticker],
    }
    done = set()
    with tarfile.open(shared_data / "fixtures" / "jkorf-Bitget.Net.tar.gz") as files:
        for name, kind in kinds.items():
            file = files.extractfile(f"./Bitget.Net.UnitTests/Endpoints/Spot/{name}.txt")
            assert file is not None
            body = file.read().decode("utf-8-sig").split("\n", 3)[3]
            rows = orders.data_of(json.loads(body), kind, name)
            for row in rows if isinstance(rows, list) else [rows]:
                if isinstance(row, orders.OrderRow):
                    orders.report_of(row)
                elif isinstance(row, orders.FillRow):
                    orders.fill_of_row(row, BTC, "")
            done.add(name)
        for name in ("Order", "Balance"):
            file = files.extractfile(f"./Bitget.Net.UnitTests/Subscriptions/Spot/{name}.txt")
            assert file is not None
            frame = file.read().decode("utf-8-sig").split("\n= ", 1)[1].strip()
            _, channel, data = orders.event_of(frame.encode())
            assert orders.balances_of_event(data) if channel == "account" else orders.reports_of_event(data, {"BTCUSDT": BTC})
            done.add(name)
    assert len(done) == 13
