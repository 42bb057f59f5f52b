"""What the venues' own examples become here: outcomes of orders, look-ups, rules, and the frames of the private streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.market_flags import MarketFlag
from arbtui.model.clock import SystemClock
from arbtui.model.errors import VenueFailed
from arbtui.model.market import FeeTakenIn, FixedUnit
from arbtui.model.order import Balance, OrderState, Side
from tests.exchanges.scripted_venue import Reply, ScriptedVenue, Stream, adapter_of, body, cut, order_of, scripted, value


def _admit() -> None:
    """The gate says yes."""


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


BINANCE_ANSWER = {
    "symbol": "XRPUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": "a1",
    "transactTime": 1507725176595,
    "price": "2.14000000",
    "origQty": "10.00000000",
    "executedQty": "7.00000000",
    "cummulativeQuoteQty": "14.97990000",
    "status": "EXPIRED",
    "timeInForce": "IOC",
    "type": "LIMIT",
    "side": "BUY",
    "fills": [
        {"price": "2.13990000", "qty": "4.00000000", "commission": "0.00400000", "commissionAsset": "XRP", "tradeId": 56},
        {"price": "2.14000000", "qty": "3.00000000", "commission": "0.00000123", "commissionAsset": "BNB", "tradeId": 57},
    ],
}
UPBIT_TAKEN = {
    "uuid": "cdd92199-2897-4e14-9448-f923320408ad",
    "side": "bid",
    "ord_type": "limit",
    "price": "3000",
    "state": "wait",
    "market": "KRW-XRP",
    "created_at": "2026-01-01T09:00:00+09:00",
    "volume": "10.0",
    "remaining_volume": "10.0",
    "reserved_fee": "15.0",
    "remaining_fee": "15.0",
    "paid_fee": "0.0",
    "locked": "30015.0",
    "executed_volume": "0.0",
    "trades_count": 0,
    "time_in_force": "ioc",
    "identifier": "a1",
}
UPBIT_ENDED = UPBIT_TAKEN | {
    "state": "cancel",
    "remaining_volume": "3.0",
    "paid_fee": "10.4983",
    "executed_volume": "7.0",
    "trades_count": 2,
    "trades": [
        {"uuid": "t-1", "price": "2999", "volume": "3.4", "funds": "10196.6", "created_at": "2026-01-01T09:00:00+09:00"},
        {"uuid": "t-2", "price": "3000", "volume": "3.6", "funds": "10800", "created_at": "2026-01-01T09:00:01+09:00"},
    ],
}  # fmt: skip


def test_binances_answer_to_an_order_is_read_to_the_last_digit() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER))
            report = await adapter.place(order_of("binance"), _admit)
            assert (report.state, report.filled_qty, report.venue_order_id) == (OrderState.EXPIRED, Decimal(7), "28")
            assert [fill.trade_id for fill in report.fills] == ["XRPUSDT:56", "XRPUSDT:57"]
            assert [str(fill.fee) for fill in report.fills] == ["0.00400000", "0.00000123"]
            assert [fill.fee_currency for fill in report.fills] == ["XRP", "BNB"]
            assert [fill.cost for fill in report.fills] == [Decimal("8.5596"), Decimal("6.42")]
            assert {fill.ts_event for fill in report.fills} == {1507725176595}
            assert len(venue.asked) == 1

    run(main)


def test_upbits_answer_is_only_that_it_was_taken_so_its_end_is_looked_up() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("POST", "/v1/orders", value(UPBIT_TAKEN, 201))
            missing = body('{"error":{"name":"order_not_found","message":"x"}}', 404)  # it may not be readable yet
            venue.on("GET", "/v1/order", missing, value(UPBIT_TAKEN), value(UPBIT_ENDED))
            report = await adapter.place(order_of("upbit"), _admit)
            assert (report.state, report.filled_qty) == (OrderState.EXPIRED, Decimal(7))
            assert [(fill.trade_id, fill.fee, fill.fee_currency) for fill in report.fills] == [
                ("t-1", Decimal("5.0983"), "KRW"),
                ("t-2", Decimal("5.4"), "KRW"),
            ]
            assert [fill.ts_event for fill in report.fills] == [1767225600000, 1767225601000]
            assert len(venue.of("POST", "/v1/orders")) == 1

    run(main)


def test_upbits_fee_is_split_so_that_its_sum_is_what_was_paid() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/order", value(UPBIT_ENDED | {"paid_fee": "7.77777777"}))
            report = await adapter.fetch_order("KRW-XRP", "a1")
            assert report is not None
            assert sum(fill.fee for fill in report.fills) == Decimal("7.77777777")
            assert all(fill.fee > 3 for fill in report.fills)

    run(main)


def test_binances_fills_are_found_by_the_order_and_named_after_their_symbol() -> None:
    trade = {
        "symbol": "XRPUSDT", "id": 56, "orderId": 28, "orderListId": -1, "price": "2.13990000", "qty": "7.00000000",
        "commission": "0.00700000", "commissionAsset": "XRP", "time": 1499865549590, "isBuyer": True, "isMaker": False, "isBestMatch": True,
    }  # fmt: skip

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/order", value({key: data for key, data in BINANCE_ANSWER.items() if key != "fills"}))
            venue.on("GET", "/api/v3/myTrades", value([trade]))
            report = await adapter.fetch_order("XRPUSDT", "a1")
            assert report is not None
            assert [fill.trade_id for fill in report.fills] == ["XRPUSDT:56"]
            (fill,) = await adapter.fetch_fills(1499865549000)
            assert fill == report.fills[0]
            assert fill.client_order_id == "a1"
            assert venue.of("GET", "/api/v3/myTrades")[1].query["startTime"] == "1499865549000"

    run(main)


@dataclass
class Ear(AccountEvents):
    """Whoever listens to a private stream."""

    reports: list[OrderReport] = field(default_factory=list)
    balances: dict[str, Balance] = field(default_factory=dict)
    opened: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    broken: int = 0

    def on_order(self, report: OrderReport) -> None:
        self.reports.append(report)
        self.told.set()

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.balances.update(balances)
        self.told.set()

    def on_reconnected(self, exchange: str) -> None:
        self.opened.put_nowait(exchange)

    def on_disconnected(self, exchange: str) -> None:
        self.broken += 1

    async def after(self, *frames: str, stream: Stream) -> None:
        """Send ``frames`` and wait until as many things were told."""
        for frame in frames:
            self.told.clear()
            await stream.send(frame)
            async with asyncio.timeout(20):
                await self.told.wait()


async def list_subscribed(stream: Stream) -> None:
    """Upbit's side of a private subscription."""
    assert [part.get("type") for part in await stream.heard()] == [None, "myOrder", "myAsset", "announcement"]
    assert (await stream.heard())[1] == {"method": "LIST_SUBSCRIPTIONS"}
    await stream.send('{"method":"LIST_SUBSCRIPTIONS","result":[{"type":"myOrder","codes":[]},{"type":"myAsset"}],"ticket":"x"}')


@asynccontextmanager
async def listening(venue: ScriptedVenue, adapter: CcxtAdapter) -> AsyncIterator[tuple[Ear, Stream]]:
    ear = Ear()
    task = asyncio.create_task(adapter.run(ear))
    try:
        stream = await venue.stream()
        if adapter.name == "binance":
            asked = await stream.heard()
            assert asked["method"] == "userDataStream.subscribe.signature"
            assert asked["params"]["signature"]
            await stream.send('{"id":"1","status":200,"result":{"subscriptionId":0}}')
        else:
            await list_subscribed(stream)
        async with asyncio.timeout(20):
            assert await ear.opened.get() == adapter.name
        yield ear, stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def execution(**changed: Any) -> str:
    event = {
        "e": "executionReport", "E": 1499405658658, "s": "XRPUSDT", "c": "a1", "S": "BUY", "o": "LIMIT", "f": "IOC", "q": "10.00000000",
        "p": "2.14000000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": "NEW", "X": "NEW", "r": "NONE", "i": 28,
        "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0", "N": None, "T": 1499405658657, "t": -1, "I": 8641984, "w": True,
        "m": False, "M": False, "O": 1499405658657, "Z": "0.00000000", "Q": "0.00000000", "W": 1499405658657, "V": "NONE",
    }  # fmt: skip
    return json.dumps({"subscriptionId": 0, "event": event | changed})


def test_binances_user_data_stream_is_told_fill_by_fill() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter, listening(venue, adapter) as (ear, stream):
            filled = {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "4.0", "L": "2.1399", "z": "4.0", "n": "0.00400000", "N": "XRP", "t": 56}
            cancelled = {"x": "CANCELED", "X": "CANCELED", "c": "web_x", "C": "a1", "z": "4.0"}
            position = {"e": "outboundAccountPosition", "E": 1, "u": 1, "B": [{"a": "XRP", "f": "10.50000000", "l": "1.00000000"}]}
            await ear.after(
                execution(),
                execution(**filled),
                execution(**cancelled),
                json.dumps({"subscriptionId": 0, "event": position}),
                stream=stream,
            )
            assert [report.state for report in ear.reports] == [OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.CANCELED]
            assert {report.client_order_id for report in ear.reports} == {"a1"}  # a cancel has an id of its own; the order keeps its own
            ((fill,),) = [report.fills for report in ear.reports if report.fills]
            assert (fill.trade_id, str(fill.fee), fill.side, fill.liquidity) == ("XRPUSDT:56", "0.00400000", Side.BUY, "taker")
            assert ear.balances == {"XRP": Balance(Decimal("10.5"), Decimal(1))}

    run(main)


UPBIT_TRADE = """{"type":"myOrder","code":"KRW-XRP","uuid":"u1","ask_bid":"BID","order_type":"limit","state":"trade","trade_uuid":"t-1",
"price":2999.0,"avg_price":2999.0,"volume":3.12345678,"remaining_volume":6.87654322,"executed_volume":3.12345678,"trades_count":1,
"reserved_fee":15.0,"remaining_fee":10.3,"paid_fee":4.683623436110000000001,"locked":20639.9,"executed_funds":9367.24,
"time_in_force":"ioc","trade_fee":4.683623436110000000001,"is_maker":false,"identifier":"a1","smp_type":null,"prevented_volume":0,
"prevented_locked":0,"trade_timestamp":1710751590421,"order_timestamp":1710751590000,"timestamp":1710751597500,"stream_type":"REALTIME"}"""


def test_upbits_my_order_is_told_to_the_last_digit_that_a_float_would_lose() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter, listening(venue, adapter) as (ear, stream):
            assert stream.headers["Authorization"].startswith("Bearer ")
            ended = UPBIT_TRADE.replace('"trade"', '"cancel"').replace('"price":2999.0', '"price":3000.0')
            assets = '{"type":"myAsset","assets":[{"currency":"KRW","balance":1386929.37231066771348207123,"locked":10329.5}]}'
            await ear.after(UPBIT_TRADE, ended, assets, stream=stream)
            assert [(report.state, report.client_order_id) for report in ear.reports] == [
                (OrderState.PARTIALLY_FILLED, "a1"),
                (OrderState.EXPIRED, "a1"),
            ]
            ((fill,),) = [report.fills for report in ear.reports if report.fills]
            assert str(fill.fee) == "4.683623436110000000001"
            assert (fill.trade_id, fill.qty, fill.cost) == ("t-1", Decimal("3.12345678"), Decimal("3.12345678") * 2999)
            assert str(ear.balances["KRW"].free) == "1386929.37231066771348207123"

    run(main)


def test_a_broken_stream_is_opened_again_with_a_new_token_and_says_so() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter, listening(venue, adapter) as (ear, stream):
            stream.cut()
            again = await venue.stream()
            assert ear.opened.empty(), "open is what is subscribed"
            await list_subscribed(again)
            async with asyncio.timeout(20):
                assert await ear.opened.get() == "upbit"
            assert ear.broken == 1
            assert again.headers["Authorization"] != stream.headers["Authorization"]
            await ear.after(UPBIT_TRADE, stream=again)

    run(main)


def test_a_frame_that_cannot_be_read_is_asked_for_in_other_ways_and_the_stream_goes_on() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter, listening(venue, adapter) as (ear, stream):
            await stream.send('{"type":"myOrder","code":"KRW-XRP"}')
            async with asyncio.timeout(20):
                assert await ear.opened.get() == "upbit"
            await ear.after(UPBIT_TRADE, stream=stream)
            assert venue.streams.empty()

    run(main)


def test_binance_closes_a_stream_by_a_word_and_it_is_opened_again() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter, listening(venue, adapter) as (_, stream):
            await stream.send('{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1728973001334}}')
            again = await venue.stream()
            assert (await again.heard())["method"] == "userDataStream.subscribe.signature"

    run(main)


INFO = {
    "symbols": [
        {
            "symbol": code, "status": status, "baseAsset": code[:3], "quoteAsset": "USDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.00010000", "maxPrice": "1000", "tickSize": "0.00010000"},
                {"filterType": "LOT_SIZE", "minQty": "0.10000000", "maxQty": "9000000", "stepSize": "0.10000000"},
                {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000"},
            ],
        }
        for code, status in (("XRPUSDT", "TRADING"), ("ADAUSDT", "BREAK"))
    ]
}  # fmt: skip
ACCOUNT = {
    "canTrade": True,
    "balances": [{"asset": "XRP", "free": "1.5", "locked": "0"}],
    "commissionRates": {"maker": "0.001", "taker": "0.001"},
}
COMMISSION = {
    "symbol": "XRPUSDT",
    "standardCommission": {"maker": "0.00100000", "taker": "0.00075000", "buyer": "0.00000000", "seller": "0.00000000"},
    "taxCommission": {"maker": "0.00000000", "taker": "0.00001000", "buyer": "0.00000000", "seller": "0.00000000"},
    "discount": {"enabledForAccount": False, "enabledForSymbol": True, "discountAsset": "BNB", "discount": "0.75000000"},
}


def test_binances_rules_and_rates_come_from_the_venue() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/time", value({"serverTime": SystemClock().time_ms()}))
            venue.on("GET", "/sapi/v1/account/apiRestrictions", value({"enableWithdrawals": False, "enableSpotAndMarginTrading": True}))
            venue.on("GET", "/api/v3/account", value(ACCOUNT))
            venue.on("GET", "/api/v3/exchangeInfo", value({"code": -1121, "msg": "Invalid symbol."}, 400), value(INFO))
            venue.on("GET", "/api/v3/account/commission", value(COMMISSION))
            await adapter.connect(["XRPUSDT", "ADAUSDT", "NONEUSDT"])
            assert list(adapter.markets) == ["XRPUSDT"]  # what does not trade, or is not listed, is left out
            market = adapter.markets["XRPUSDT"]
            assert (market.lot_step, market.min_qty, market.min_cost) == (Decimal("0.1"), Decimal("0.1"), Decimal(5))
            assert market.price_units == FixedUnit(Decimal("0.0001"))
            assert (market.fees.taker, market.fees.maker) == (Decimal("0.00076"), Decimal("0.001"))
            assert market.fees.taken_in is FeeTakenIn.RECEIVED
            paid_in_bnb = COMMISSION | {"discount": {"enabledForAccount": True, "enabledForSymbol": True}}
            venue.on("GET", "/api/v3/account/commission", value(paid_in_bnb))
            await adapter.connect(["XRPUSDT"])
            fees = adapter.markets["XRPUSDT"].fees
            assert (fees.taken_in, fees.coin) == (FeeTakenIn.COIN, "BNB")
            assert await adapter.fetch_balances() == {"XRP": Balance(Decimal("1.5"))}

    run(main)


def chance(code: str, state: str = "active") -> dict[str, Any]:
    market = {
        "id": code,
        "bid": {"currency": "KRW", "min_total": "5000"},
        "ask": {"currency": code[4:], "min_total": "6000"},
        "state": state,
    }
    return {"bid_fee": "0.0005", "ask_fee": "0.0007", "maker_bid_fee": "0.0005", "maker_ask_fee": "0.0005", "market": market}


def list_upbit(venue: ScriptedVenue, *codes: str) -> None:
    """What Upbit says of its markets before an account's own rules are asked for."""
    venue.on("GET", "/v1/api_keys", value([{"access_key": "k", "expire_at": "2027-01-01T00:00:00+09:00"}]))
    venue.on("GET", "/v1/market/all", value([{"market": code} for code in codes]))
    venue.on("GET", "/v1/orderbook/instruments", value([{"market": code, "quote_currency": "KRW", "tick_size": "1"} for code in codes]))
    venue.on("GET", "/v1/ticker", value([{"market": code, "trade_price": 3000.5} for code in codes]))


TOO_MANY = {"error": {"name": "too_many_requests", "message": "slower"}}


@pytest.mark.parametrize(
    "lost", [cut, value({}, 503), body("<html>busy</html>", 502), value(TOO_MANY, 429)], ids=["cut", "503", "a page", "429"]
)
def test_one_lost_answer_about_a_market_does_not_end_a_start(lost: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand markets are a thousand questions at Upbit."""
    monkeypatch.setattr("arbtui.exchanges.won.adapter._ASKED_AGAIN_AFTER_S", (0.01, 0.01))

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            list_upbit(venue, "KRW-XRP")
            venue.on("GET", "/v1/orders/chance", lost, lost, value(chance("KRW-XRP")))
            await adapter.connect(["KRW-XRP"])
            assert list(adapter.markets) == ["KRW-XRP"]
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            list_upbit(venue, "KRW-XRP")
            venue.on("GET", "/v1/orders/chance", *[lost] * 8)
            with pytest.raises(VenueFailed):
                await adapter.connect(["KRW-XRP"])
            assert 3 <= len(venue.of("GET", "/v1/orders/chance")) <= 6  # a broken connection's question is sent twice

    run(main)


def test_upbits_rules_come_from_the_venue_and_another_price_unit_is_believed() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/api_keys", value([{"access_key": "k", "expire_at": "2027-01-01T00:00:00+09:00"}]))
            venue.on("GET", "/v1/market/all", value([{"market": code} for code in ("KRW-XRP", "KRW-ADA", "KRW-OLD", "BTC-XRP")]))
            units = [
                {"market": code, "quote_currency": "KRW", "tick_size": unit}
                for code, unit in (("KRW-XRP", "1"), ("KRW-ADA", "5"), ("KRW-OLD", "1"))
            ]
            venue.on("GET", "/v1/orderbook/instruments", value(units))
            prices = [{"market": code, "trade_price": 3000.5} for code in ("KRW-XRP", "KRW-ADA", "KRW-OLD")]
            venue.on("GET", "/v1/ticker", value(prices))
            venue.on("GET", "/v1/orders/chance", value(chance("KRW-XRP")), value(chance("KRW-ADA")), value(chance("KRW-OLD", "delisted")))
            await adapter.connect(["KRW-XRP", "KRW-ADA", "KRW-OLD", "KRW-NONE"])
            assert list(adapter.markets) == ["KRW-XRP", "KRW-ADA"]
            xrp, ada = adapter.markets.values()
            assert (xrp.price_units.at(Decimal(3000)), xrp.price_units.at(Decimal(20_000))) == (Decimal(1), Decimal(10))
            assert ada.price_units == FixedUnit(Decimal(5))
            assert (xrp.min_cost, xrp.fees.taker) == (Decimal(6000), Decimal("0.0007"))
            assert venue.of("GET", "/v1/orders/chance")[0].query == {"market": "KRW-XRP"}

    run(main)


def test_a_refused_cancel_is_done_when_the_order_turns_out_to_have_ended() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("DELETE", "/v1/order", value({"error": {"name": "a_name_nobody_has_seen", "message": "x"}}, 400))
            venue.on("GET", "/v1/order", value(UPBIT_ENDED), value(UPBIT_TAKEN))
            await adapter.cancel("KRW-XRP", "a1")
            with pytest.raises(VenueFailed):  # it stands: the refusal was one
                await adapter.cancel("KRW-XRP", "a1")

    run(main)


def test_cancel_all_takes_everything_that_is_open() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            row = {key: data for key, data in BINANCE_ANSWER.items() if key != "fills"}
            venue.on("GET", "/api/v3/openOrders", value([row, row | {"symbol": "ADAUSDT"}]))
            gone = value({"code": -2011, "msg": "Unknown order sent."}, 400)  # filled in between
            venue.on("DELETE", "/api/v3/openOrders", value([row]), gone)
            assert await adapter.cancel_all() == 1
            assert sorted(asked.query["symbol"] for asked in venue.of("DELETE", "/api/v3/openOrders")) == ["ADAUSDT", "XRPUSDT"]
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            full = {"success": {"count": 300, "orders": []}, "failed": {"count": 0, "orders": []}}
            failed = {"count": 1, "orders": [{"uuid": UPBIT_ENDED["uuid"], "market": "KRW-XRP"}]}
            venue.on("DELETE", "/v1/orders/open", value(full), value({"success": {"count": 7}, "failed": failed}))
            venue.on("GET", "/v1/order", value(UPBIT_ENDED))  # it had ended by itself
            assert await adapter.cancel_all() == 307
            assert venue.asked[0].query == {"cancel_side": "all", "count": "300"}
            venue.on("GET", "/v1/order", value(UPBIT_TAKEN))  # it stands
            with pytest.raises(VenueFailed, match="could not be cancelled"):
                await adapter.cancel_all()
            venue.on("DELETE", "/v1/orders/open", value({"success": {"count": 7}, "failed": {"count": 1}}))  # and which, is not told
            with pytest.raises(VenueFailed, match="could not be cancelled"):
                await adapter.cancel_all()

    run(main)


EVENT = {"warning": False, "caution": {"PRICE_FLUCTUATIONS": True, "GLOBAL_PRICE_DIFFERENCES": False}}


def test_what_upbit_warns_of_is_told_by_market_and_what_cannot_be_read_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"market": "KRW-XRP", "market_event": EVENT},
        {"market": "KRW-ADA", "market_event": {"warning": True, "caution": {"OF_TOMORROW": True}}},
        {"market": "KRW-OLD"},
        {"market": "BTC-ODD", "market_event": {"warning": "yes"}},
        {"market": "BTC-TWO", "market_event": {"warning": False, "caution": {"two words": True}}},
        {"market": "USDT-XRP", "market_event": EVENT},
    ]

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/market/all", value(rows))
            told = await adapter.fetch_trading(["KRW-XRP"])
            assert told == {
                "KRW-XRP": frozenset({MarketFlag("PRICE_FLUCTUATIONS", is_grave=False)}),
                "KRW-ADA": frozenset({MarketFlag("OF_TOMORROW", is_grave=False), MarketFlag("warning", is_grave=True)}),
                "KRW-OLD": None,
                "BTC-ODD": None,
                "BTC-TWO": None,
            }
            await adapter.fetch_trading(["KRW-XRP"])
            assert caplog.text.count("warns of at its markets cannot be read") == 1

    run(main)


def test_bithumbs_market_stays_listed_where_its_flag_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    words = {"KRW-XRP": "NONE", "KRW-ADA": "CAUTION", "KRW-NULL": None, "KRW-NUM": 1, "KRW-TWO": "TWO WORDS", "KRW-EMPTY": ""}
    rows = [{"market": code, "market_warning": word} for code, word in words.items()]

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "bithumb") as adapter:
            venue.on("GET", "/v1/market/all", value([*rows, {"market": "KRW-OLD"}]))
            told = await adapter.fetch_trading(["KRW-XRP"])
            assert told == {
                **dict.fromkeys([*words, "KRW-OLD"]),
                "KRW-XRP": frozenset(),
                "KRW-ADA": frozenset({MarketFlag("CAUTION", is_grave=True)}),
            }
            await adapter.fetch_trading(["KRW-XRP"])
            assert caplog.text.count("bithumb: what it warns of at its markets cannot be read") == 1

    run(main)
