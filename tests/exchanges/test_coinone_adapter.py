"""What Coinone's adapter asks and makes of answers, on the wire. Shapes: tests/exchanges/test_coinone_orders.py, from the documents."""

import asyncio
import base64
import hmac
import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.model.errors import OrderAbandoned, OrderRejected, OrderUnknown, VenueFailed, VenueRefused
from arbtui.model.order import Balance, Order, OrderState, Side, TimeInForce
from arbtui.model.reason import Reason
from tests.exchanges.scripted_venue import SECRET, Asked, Reply, ScriptedVenue, Stream, adapter_of, order_of, scripted, value
from tests.exchanges.test_answers_on_the_wire import OPEN
from tests.exchanges.test_coinone_orders import DETAIL, EVENT, TRADE

Main = Callable[[ScriptedVenue, CcxtAdapter], Coroutine[Any, Any, None]]
PLACE, LOOK_UP, CANCEL = "/v2.1/order", "/v2.1/order/detail", "/v2.1/order/cancel"
ACTIVE, FILLS, ALL_FILLS = "/v2.1/order/active_orders", "/v2.1/order/completed_orders", "/v2.1/order/completed_orders/all"
BALANCES = "/v2.1/account/balance/all"
PAIR = {"quote_currency": "KRW", "target_currency": "XRP"}
#: As a row of the list of open orders: no client id in it.
STANDS = {**{name: DETAIL[name] for name in DETAIL if name != "status"}, **PAIR, "order_id": "C1", "original_qty": "10", "remain_qty": "10"}


def told(**fields: Any) -> Reply:
    return value({"result": "success", "error_code": "0", **fields})


def refused(code: str, status: int = 200) -> Reply:
    return value({"result": "error", "error_code": code, "error_msg": "x"}, status)


def detail(**fields: Any) -> Reply:
    return told(order={**DETAIL, **PAIR, "order_id": "C1", "original_qty": "10", "canceled_qty": "0", **fields})


def trade(trade_id: str = "T1", qty: str = "4.5", order_id: str = "C1", **fields: Any) -> dict[str, Any]:
    return {**TRADE, "order_id": order_id, "trade_id": trade_id, "is_ask": False, "qty": qty, "price": "3000", "fee": "27", **fields}


def order(tif: TimeInForce = TimeInForce.GTC, client_order_id: str = "a1") -> Order:
    made = order_of("coinone", client_order_id=client_order_id)
    made.tif = tif
    return made


def admit() -> None:
    """The gate says yes."""


def asked_in(one: Asked) -> dict[str, Any]:
    """A request's parameters, whose signature and access are checked."""
    payload = one.headers["X-COINONE-PAYLOAD"]
    assert hmac.digest(SECRET.encode(), payload.encode(), "sha512").hex() == one.headers["X-COINONE-SIGNATURE"]
    assert base64.b64decode(payload).decode() == one.body
    params = json.loads(one.body)
    assert params.pop("access_token") == "k3y-of-a-test"
    assert uuid.UUID(params.pop("nonce")).version == 4
    assert isinstance(params, dict)
    return params


def run(main: Main) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), scripted() as venue, adapter_of(venue, "coinone") as adapter:
            await main(venue, adapter)

    asyncio.run(bounded())


def test_an_order_is_sent_as_documented_and_reported_as_taken() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, told(order_id="C1"))
        report = await adapter.place(order(), admit)
        assert (report.state, report.filled_qty, report.venue_order_id, report.client_order_id) == (
            OrderState.ACCEPTED,
            Decimal(0),
            "C1",
            "a1",
        )
        (sent,) = venue.of("POST", PLACE)
        assert asked_in(sent) == {
            **PAIR, "side": "BUY", "type": "LIMIT", "price": "3000", "qty": "10", "post_only": False, "user_order_id": "a1",
        }  # fmt: skip

    run(main)


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_immediate_order_is_not_sent(tif: TimeInForce) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        with pytest.raises(OrderRejected, match=r"^TIME_IN_FORCE"):
            await adapter.place(order(tif), admit)
        assert venue.asked == []

    run(main)


@pytest.mark.parametrize("reply", OPEN, ids=range(len(OPEN)))
def test_whatever_says_nothing_leaves_the_order_unknown_and_it_is_sent_once(reply: Reply) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, reply)
        with pytest.raises(OrderUnknown):
            await adapter.place(order(), admit)
        assert len(venue.of("POST", PLACE)) == 1

    run(main)


@pytest.mark.parametrize("code", ["312", "132", "118", "405", "99999"])
def test_errors_after_which_an_order_may_stand_leave_it_unknown(code: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, refused(code))
        with pytest.raises(OrderUnknown):
            await adapter.place(order(), admit)

    run(main)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("code", "word"),
    [("103", "INSUFFICIENT_FUNDS"), ("306", "MIN_COST"), ("310", "PRICE_UNIT"), ("109", "UNKNOWN_MARKET"), ("4", "RATE_LIMITED")],
)
def test_a_definite_no_is_rejected_with_its_word_first(code: str, word: str, status: int) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, refused(code, status))
        with pytest.raises(OrderRejected, match=f"^{word}"):
            await adapter.place(order(), admit)

    run(main)


def test_a_look_up_names_the_client_id_and_brings_the_orders_own_fills() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", LOOK_UP, detail(status="PARTIALLY_FILLED", executed_qty="7", remain_qty="3"))
        rows = [trade("T2", "2.5", timestamp=1680055490001), trade("TX", "9", order_id="C7"), trade("T1", "4.5", timestamp=1680055490000)]
        venue.on("POST", FILLS, told(completed_orders=rows))
        report = await adapter.fetch_order("KRW-XRP", "a1")
        assert report is not None
        assert (report.state, report.filled_qty, report.client_order_id) == (OrderState.PARTIALLY_FILLED, Decimal(7), "a1")
        assert [(fill.trade_id, fill.qty, fill.fee, fill.client_order_id) for fill in report.fills] == [
            ("T1", Decimal("4.5"), Decimal(27), "a1"),
            ("T2", Decimal("2.5"), Decimal(27), "a1"),
        ]
        assert asked_in(venue.of("POST", LOOK_UP)[0]) == {**PAIR, "user_order_id": "a1"}
        params = asked_in(venue.of("POST", FILLS)[0])
        assert (params["size"], params["target_currency"]) == (100, "XRP")
        assert params["from_ts"] <= DETAIL["ordered_at"] or params["to_ts"] - params["from_ts"] == 90 * 86_400_000

    run(main)


def test_an_order_without_fills_is_looked_up_in_one_question() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", LOOK_UP, detail(status="LIVE", remain_qty="10"))
        report = await adapter.fetch_order("KRW-XRP", "a1")
        assert report is not None
        assert (report.state, report.fills) == (OrderState.ACCEPTED, ())
        assert venue.of("POST", FILLS) == []

    run(main)


def test_fills_beyond_a_page_are_asked_for_by_the_last_ones_id() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", LOOK_UP, detail(status="FILLED", executed_qty="7"))
        first = [trade("T9", "4.5"), *(trade(f"X{number}", "1", order_id="C7") for number in range(99))]
        venue.on("POST", FILLS, told(completed_orders=first), told(completed_orders=[trade("T1", "2.5")]))
        report = await adapter.fetch_order("KRW-XRP", "a1")
        assert report is not None
        assert {fill.trade_id for fill in report.fills} == {"T9", "T1"}
        assert [asked_in(one).get("to_trade_id") for one in venue.of("POST", FILLS)] == [None, "X98"]

    run(main)


@pytest.mark.parametrize("changed", [{"target_currency": "ADA"}, {"user_order_id": "b2"}], ids=str)
def test_a_look_up_that_answers_of_another_order_is_refused(changed: dict[str, str]) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", LOOK_UP, detail(**changed))
        with pytest.raises(VenueFailed, match="asked for a1"):
            await adapter.fetch_order("KRW-XRP", "a1")

    run(main)


def test_an_order_that_is_not_there_is_none() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", LOOK_UP, refused("104"))
        assert await adapter.fetch_order("KRW-XRP", "a1") is None

    run(main)


@pytest.mark.parametrize("code", ["104", "116", "117"])
def test_a_cancel_names_the_client_id_and_one_that_has_ended_is_done(code: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", CANCEL, told(order_id="C1"), refused(code))
        await adapter.cancel("KRW-XRP", "a1")
        await adapter.cancel("KRW-XRP", "a1")
        assert [asked_in(one) for one in venue.of("POST", CANCEL)] == [{**PAIR, "user_order_id": "a1"}] * 2

    run(main)


def test_orders_that_stand_are_named_by_what_was_learned_of_them() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, told(order_id="C1"))
        await adapter.place(order(), admit)
        venue.on("POST", ACTIVE, told(active_orders=[STANDS, {**STANDS, "order_id": "C9"}]))
        venue.on("POST", CANCEL, told(order_id="C1"))
        ours, others = await adapter.list_standing()
        assert (ours, others) == (StandingOrder("KRW-XRP", "a1", "C1"), StandingOrder("KRW-XRP", "", "C9"))
        assert [report.client_order_id for report in await adapter.fetch_open_orders()] == ["a1", ""]
        await adapter.cancel_standing(ours)
        assert asked_in(venue.of("POST", CANCEL)[-1]) == {**PAIR, "order_id": "C1"}
        assert await adapter.cancel_all() == 2
        assert asked_in(venue.of("POST", ACTIVE)[0]) == {}

    run(main)


def test_an_order_whose_answer_was_lost_is_found_among_those_that_stand() -> None:
    """The list does not name it, so a kill would pass it over as somebody else's: it is looked up by its own id."""

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, OPEN[0])
        with pytest.raises(OrderUnknown):
            await adapter.place(order(), admit)
        venue.on("POST", ACTIVE, told(active_orders=[STANDS]))
        venue.on("POST", LOOK_UP, detail(status="LIVE", remain_qty="10"))
        assert await adapter.list_standing() == [StandingOrder("KRW-XRP", "a1", "C1")]
        await adapter.list_standing()
        assert len(venue.of("POST", LOOK_UP)) == 1  # learned once

    run(main)


def test_what_another_process_has_sent_is_named_once_it_is_told_of() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter.expect("KRW-XRP", "a1", "C1")
        adapter.expect("KRW-XRP", "a2", "")
        venue.on("POST", ACTIVE, told(active_orders=[STANDS, {**STANDS, "order_id": "C2"}]))
        venue.on("POST", LOOK_UP, detail(status="LIVE", remain_qty="10", order_id="C2"))
        assert [one.client_order_id for one in await adapter.list_standing()] == ["a1", "a2"]
        assert [asked_in(one)["user_order_id"] for one in venue.of("POST", LOOK_UP)] == ["a2"]

    run(main)


def test_an_order_that_never_left_is_not_asked_for_again() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        def refuse() -> None:
            raise OrderAbandoned(Reason.HALTED)

        with pytest.raises(OrderAbandoned):
            await adapter.place(order(), refuse)
        venue.on("POST", PLACE, refused("103"))
        with pytest.raises(OrderRejected):
            await adapter.place(order(client_order_id="a2"), admit)
        venue.on("POST", ACTIVE, told(active_orders=[STANDS]))
        assert await adapter.list_standing() == [StandingOrder("KRW-XRP", "", "C1")]
        assert venue.of("POST", LOOK_UP) == []

    run(main)


def test_an_order_that_cannot_be_cancelled_is_named() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", ACTIVE, told(active_orders=[STANDS]))
        venue.on("POST", CANCEL, refused("40"))
        venue.on("POST", LOOK_UP, refused("104"))
        with pytest.raises(VenueFailed, match="C1 of KRW-XRP"):
            await adapter.cancel_all()

    run(main)


def test_fills_are_listed_oldest_first_with_the_ids_that_were_learned() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", PLACE, told(order_id="C1"))
        await adapter.place(order(), admit)
        now = adapter._clock.time_ms()
        rows = [
            trade("T3", target_currency="ADA", timestamp=now),
            trade("T2", order_id="C9", timestamp=now - 1_000),
            trade("T1", timestamp=now - 2_000),
            trade("T0", timestamp=now - 9_000),
        ]
        venue.on("POST", ALL_FILLS, told(completed_orders=rows))
        fills = await adapter.fetch_fills(now - 5_000)
        assert [(fill.trade_id, fill.client_order_id, fill.venue_order_id) for fill in fills] == [("T1", "a1", "C1"), ("T2", "", "C9")]
        assert await adapter.fetch_fills(now + 3_600_000) == []
        assert len(venue.of("POST", ALL_FILLS)) == 1

    run(main)


def test_rules_come_from_three_lists_and_each_markets_own_units(caplog: pytest.LogCaptureFixture) -> None:
    def market(base: str, **fields: Any) -> dict[str, Any]:
        row = {
            "quote_currency": "KRW", "target_currency": base, "price_unit": "1.0", "qty_unit": "0.0001", "max_order_amount": "1000000000.0",
            "min_order_amount": "5000.0", "max_price": "1e15", "min_price": "0.0001", "max_qty": "1000000.0", "min_qty": "0.0001",
            "order_book_units": ["0.0"], "maintenance_status": 0, "trade_status": 1, "order_types": ["limit", "market", "stop_limit"],
        }  # fmt: skip
        return {**row, **fields}

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows = [market("XRP"), market("ADA", trade_status=2), market("SOL", maintenance_status=1), market("BAD", qty_unit=None)]
        venue.on("GET", "/public/v2/markets/KRW", told(markets=[*rows, market("ETH", qty_unit="0.00000001")]))
        venue.on("POST", BALANCES, told(balances=[]))
        venue.on("POST", "/v2.1/account/trade_fee", told(fee_rates=[{**PAIR, "maker": "0.0001", "taker": "0.0004"}]))
        bands = [
            {"range_min": 0, "next_range_min": 1000, "price_unit": 0.1},
            {"range_min": 1000, "next_range_min": 10**10, "price_unit": 1},
        ]
        venue.on("GET", "/public/v2/range_units/KRW/XRP", told(range_price_units=bands))
        venue.on("GET", "/public/v2/range_units/KRW/ETH", told(range_price_units=[]))
        await adapter.connect()
        (xrp,) = adapter.markets.values()
        assert (xrp.code, xrp.lot_step, xrp.min_cost, xrp.max_qty) == ("KRW-XRP", Decimal("0.0001"), Decimal(5000), Decimal(1_000_000))
        assert (xrp.fees.taker, xrp.fees.maker) == (Decimal("0.0004"), Decimal("0.0001"))
        assert [xrp.price_units.at(Decimal(price)) for price in ("999.9", "3000")] == [Decimal("0.1"), Decimal(1)]
        assert set(adapter.odd) == {"KRW-BAD", "KRW-ETH"}
        assert "make sure that this one cannot withdraw" in caplog.text
        tickers = [{"quote_currency": "krw", "target_currency": "xrp", "last": "3001"}]
        venue.on("GET", "/public/v2/ticker_new/KRW", told(tickers=tickers))
        listed = await adapter.listed()
        assert {code: listing.price for code, listing in listed.items()} == {"KRW-XRP": 3001.0, "KRW-ETH": 0.0}

    run(main)


def test_keys_that_are_refused_end_a_start() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", BALANCES, refused("12"))
        with pytest.raises(VenueRefused, match="make a new one"):
            await adapter.connect()

    run(main)


def test_balances_are_read_from_one_list() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        row = {"available": "1000998.5", "limit": "5000", "average_price": "0", "currency": "KRW"}
        venue.on("POST", BALANCES, told(balances=[row]))
        assert await adapter.fetch_balances() == {"KRW": Balance(Decimal("1000998.5"), Decimal(5000))}

    run(main)


class Account(AccountEvents):
    """Whoever listens."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[OrderReport] = asyncio.Queue()
        self.balances: asyncio.Queue[Mapping[str, Balance]] = asyncio.Queue()
        self.opened: asyncio.Queue[str] = asyncio.Queue()

    def on_order(self, report: OrderReport) -> None:
        self.reports.put_nowait(report)

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.balances.put_nowait(balances)

    def on_reconnected(self, exchange: str) -> None:
        self.opened.put_nowait(exchange)

    def on_disconnected(self, exchange: str) -> None:
        """A connection ended."""


def streaming(main: Callable[[Stream, Account, CcxtAdapter, ScriptedVenue], Coroutine[Any, Any, None]]) -> None:
    async def listening(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        account = Account()
        venue.on("POST", BALANCES, told(balances=[]))
        task = asyncio.create_task(adapter.run(account))
        try:
            await main(await venue.stream(), account, adapter, venue)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(listening)


def test_the_private_stream_is_open_when_both_channels_are_confirmed_and_tells_orders_and_balances() -> None:
    async def main(stream: Stream, account: Account, adapter: CcxtAdapter, venue: ScriptedVenue) -> None:
        assert stream.request.path == "/v1/private"
        payload = stream.headers["X-COINONE-PAYLOAD"]
        assert hmac.digest(SECRET.encode(), payload.encode(), "sha512").hex() == stream.headers["X-COINONE-SIGNATURE"]
        assert set(json.loads(base64.b64decode(payload))) == {"access_token", "nonce", "timestamp"}
        await stream.send('{"response_type":"CONNECTED","data":{"session_id":"x"}}')
        assert await stream.heard() == {"request_type": "SUBSCRIBE", "channel": "MYORDER", "topic": [PAIR]}
        assert await stream.heard() == {"request_type": "SUBSCRIBE", "channel": "MYASSET"}
        await stream.send(json.dumps({"response_type": "SUBSCRIBED", "channel": "MYORDER", "data": [PAIR]}))
        waits = {**EVENT, "status": "wait", "order_qty": "10", "trade_id": None, "executed_qty": None, "remain_qty": None}
        await stream.send(json.dumps({"response_type": "DATA", "channel": "MYORDER", "data": waits}))
        assert (await account.reports.get()).state is OrderState.ACCEPTED
        assert account.opened.empty()
        await stream.send('{"response_type":"SUBSCRIBED","channel":"MYASSET"}')
        assert await account.opened.get() == "coinone"
        await stream.send(json.dumps({"response_type": "DATA", "channel": "MYORDER", "data": {**EVENT, "user_order_id": None}}))
        report = await account.reports.get()
        assert (report.state, report.filled_qty, report.client_order_id) == (OrderState.PARTIALLY_FILLED, Decimal("4.5"), "a1")
        (fill,) = report.fills
        assert (fill.trade_id, fill.side, fill.qty, fill.fee) == ("T1", Side.BUY, Decimal("4.5"), Decimal(27))
        assets = {"assets": [{"currency": "KRW", "available": "2061832.35", "limit": "38.3"}], "type": "order", "timestamp": 1760939843}
        await stream.send(json.dumps({"response_type": "DATA", "channel": "MYASSET", "data": assets}))
        assert await account.balances.get() == {"KRW": Balance(Decimal("2061832.35"), Decimal("38.3"))}
        await adapter.ping()  # Coinone counts half an hour from the last PING of its own kind
        assert await stream.heard() == {"request_type": "PING"}
        await stream.send('{"response_type":"PONG"}')
        cancelled = {**EVENT, "status": "cancel", "trade_id": None, "executed_qty": "5.5", "remain_qty": "0"}
        await stream.send(json.dumps({"response_type": "DATA", "channel": "MYORDER", "data": cancelled}))
        end = await account.reports.get()
        assert (end.state, end.filled_qty) == (OrderState.CANCELED, Decimal("4.5"))

    streaming(main)


def test_an_error_in_answer_to_it_is_no_open_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def main(stream: Stream, account: Account, adapter: CcxtAdapter, venue: ScriptedVenue) -> None:
        await stream.send('{"response_type":"ERROR","error_code":160012,"message":"Invalid Topic"}')
        await venue.stream()  # it tries again
        assert "160012 Invalid Topic" in caplog.text
        assert account.opened.empty()

    streaming(main)
