"""Frames as venues send them go the quick way; numbers may be in quotes; fields that may be missing are; odd sides of every bound."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.exchanges.bitget.wire import BitgetDecoder
from arbtui.exchanges.bithumb.wire import BithumbDecoder
from arbtui.exchanges.bybit.wire import BybitDecoder
from arbtui.exchanges.coinone.wire import CoinoneDecoder
from arbtui.exchanges.okx.wire import OkxDecoder
from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.exchanges.wire import WireDecoder
from arbtui.exchanges.won.wire import ms_of
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges import test_binance_wire as binance
from tests.exchanges import test_bitget_wire as bitget
from tests.exchanges import test_bithumb_wire as bithumb
from tests.exchanges import test_coinone_wire as coinone
from tests.exchanges import test_upbit_wire as upbit
from tests.exchanges.bybit import wires as bybit
from tests.exchanges.okx import test_wire as okx
from tests.exchanges.told import Event, Told


def usdm(sink: Told) -> BinanceDecoder:
    return BinanceDecoder(sink, usdm=True)


def raw(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()


def told(decoder: Callable[[Told], WireDecoder], message: Any) -> list[Event]:
    sink = Told()
    decoder(sink).feed(raw(message))
    return sink.events


QUICK: list[tuple[Callable[[Told], WireDecoder], Any]] = [
    *((BinanceDecoder, binance.combined(event)) for event in (binance.DEPTH, binance.TICKER, binance.TRADE)),
    *((usdm, binance.combined(event)) for event in (binance.USDM_DEPTH, binance.USDM_TICKER, binance.TRADE)),
    (BinanceDecoder, {"stream": "btcusdt@depth", "data": binance.DEPTH}),
    *((BitgetDecoder, frame) for frame in (bitget.BOOK, bitget.TOUCH)),
    *((BithumbDecoder, frame) for frame in (bithumb.BOOK, bithumb.TRADE)),
    *((UpbitDecoder, frame) for frame in (upbit.BOOK, upbit.SHORT_BOOK, upbit.TRADE, upbit.SHORT_TRADE)),
    *((CoinoneDecoder, frame) for frame in (coinone.BOOK, coinone.TRADE)),
    *((BybitDecoder, frame) for frame in (bybit.SNAPSHOT, bybit.DELTA, bybit.TRADE)),
    *((OkxDecoder, frame) for frame in (okx.SNAPSHOT, okx.UPDATE, okx.TOUCH, okx.TRADE)),
]


def in_quotes(frame: Any) -> bytes:
    """Every number of it in quotes."""
    return re.sub(rb"([:\[,])(-?\d[\d.eE+-]*)(?=[,\]}])", rb'\1"\2"', raw(frame))


@pytest.mark.parametrize(("decoder", "frame"), QUICK)
def test_a_frame_as_the_venue_sends_it_is_read_once(
    decoder: Callable[[Told], WireDecoder], frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by parsing it whole first, which costs twice as much; and so are numbers in quotes, which the slow way reads as well."""
    expected = told(decoder, frame)
    assert len(expected) == 1
    assert expected[0][0] != "other"
    assert told(decoder, in_quotes(frame)) == expected
    kind = type(decoder(Told()))

    def slowly(self: object, raw: bytes) -> None:
        raise AssertionError("the slow way")

    monkeypatch.setattr(kind, "_slowly", slowly)
    assert told(decoder, frame) == expected
    assert told(decoder, in_quotes(frame)) == expected


def test_the_slow_way_of_binance_reads_numbers_in_quotes_as_well() -> None:
    for event in (binance.DEPTH, binance.TICKER, binance.TRADE, binance.AGGREGATE):
        assert told(BinanceDecoder, in_quotes(event)) == told(BinanceDecoder, event)
    for frame in (bitget.BOOK, bitget.TOUCH, bitget.TRADE):
        turned = dict(reversed(json.loads(frame).items()))
        assert told(BitgetDecoder, in_quotes(turned)) == told(BitgetDecoder, frame)
    quoted = in_quotes({"lastUpdateId": 155, "E": 7, "bids": [], "asks": []})
    sink = Told()
    BinanceDecoder(sink).feed_snapshot("X", quoted)
    assert sink.events == [("snapshot", "X", [], [], 7, 155)]


# fields that may be missing


def without(frame: Any, *names: str) -> bytes:
    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(one) for name, one in value.items() if name not in names}
        return [bare(one) for one in value] if isinstance(value, list) else value

    return raw(bare(json.loads(raw(frame))))


@pytest.mark.parametrize(
    ("decoder", "frame", "names", "place", "value"),
    [
        (BinanceDecoder, binance.DEPTH, ("E",), -1, 0),
        (BinanceDecoder, binance.combined(binance.DEPTH), ("E",), -1, 0),
        (usdm, binance.combined(binance.USDM_TICKER), ("E",), -1, 0),
        (BinanceDecoder, binance.combined(binance.TRADE), ("T",), -1, 0),
        (BinanceDecoder, binance.AGGREGATE, ("T",), -1, 0),
        (BitgetDecoder, bitget.BOOK, ("ts",), -2, 0),
        (BitgetDecoder, bitget.BOOK, ("seq",), -1, 0),
        (BitgetDecoder, bitget.TOUCH, ("ts",), -1, 0),
        (BitgetDecoder, bitget.TOUCH, ("seq",), 2, 0),
        (BitgetDecoder, bitget.TRADE, ("ts",), -1, 0),
        (BithumbDecoder, bithumb.BOOK, ("timestamp",), -2, 0),
        (BithumbDecoder, bithumb.TRADE, ("trade_timestamp",), -1, 0),
        (UpbitDecoder, upbit.BOOK, ("timestamp",), -2, 0),
        (UpbitDecoder, upbit.SHORT_BOOK, ("tms",), -2, 0),
        (UpbitDecoder, upbit.TRADE, ("trade_timestamp",), -1, 0),
        (UpbitDecoder, upbit.SHORT_TRADE, ("ttms",), -1, 0),
        (BybitDecoder, bybit.SNAPSHOT, ("ts", "cts"), -2, 0),
        (BybitDecoder, bybit.SNAPSHOT, ("cts",), -2, 1672304484978),
        (BybitDecoder, bybit.TRADE, ("T",), -1, 0),
        (BybitDecoder, bybit.TRADE, ("BT",), 0, "trade"),
    ],
)
def test_what_a_frame_leaves_out(
    decoder: Callable[[Told], WireDecoder], frame: Any, names: tuple[str, ...], place: int, value: Any
) -> None:
    (whole,), (bare,) = told(decoder, frame), told(decoder, without(frame, *names))
    assert bare[place] == value
    assert [one for at, one in enumerate(bare) if at != place % len(bare)] == [
        one for at, one in enumerate(whole) if at != place % len(whole)
    ]


def test_the_engines_time_of_a_bybit_book_counts_before_that_of_sending() -> None:
    assert told(BybitDecoder, bybit.DELTA)[0][-1] == 1687940967464
    (event,) = told(BybitDecoder, bybit.DELTA)
    assert event[2:5] == (177400507, 177400507, -1)


# bounds


@pytest.mark.parametrize(("price", "qty", "kind"), [("0", "1", "other"), ("1", "0", "other"), ("0.5", "0.5", "trade"), ("0", "0", "other")])
def test_a_trade_of_binance_without_a_price_or_a_quantity_is_none(price: str, qty: str, kind: str) -> None:
    for event in ({**binance.TRADE, "p": price, "q": qty}, binance.combined({**binance.TRADE, "p": price, "q": qty})):
        assert told(BinanceDecoder, event)[0][0] == kind


@pytest.mark.parametrize(("first", "last", "is_read"), [(157, 160, True), (160, 160, True), (161, 160, False)])
def test_an_update_of_binance_does_not_end_before_it_begins(first: int, last: int, is_read: bool) -> None:
    event = {**binance.DEPTH, "U": first, "u": last}
    if is_read:
        assert told(BinanceDecoder, event)[0][2:4] == (first, last)
    else:
        with pytest.raises(WireError, match=f"U {first} is above u {last}"):
            told(BinanceDecoder, event)


@pytest.mark.parametrize("at", [0, 1])
def test_a_frame_of_futures_is_told_by_fields_of_theirs_even_where_they_are_0(at: int) -> None:
    depth, ticker = {**binance.DEPTH, "pu": at}, {**binance.TICKER, "T": at}
    for event in (depth, ticker, binance.combined(depth), binance.combined(ticker)):
        assert told(usdm, event)[0][0] in ("diff", "touch")
        with pytest.raises(WireError, match="wrong market"):
            told(BinanceDecoder, event)


def unit(ask: float, bid: float, ask_qty: float, bid_qty: float) -> dict[str, float]:
    return {"ask_price": ask, "bid_price": bid, "ask_size": ask_qty, "bid_size": bid_qty}


def test_padding_of_won_books_is_no_level() -> None:
    units = [
        unit(0.5, 0.25, 0.5, 0.25),
        unit(0.0, 0.2, 1.0, 1.0),
        unit(0.6, 0.0, 1.0, 1.0),
        unit(0.7, 0.1, 0.0, 1.0),
        unit(0.8, 0.05, 1.0, 0.0),
    ]
    frame = {"type": "orderbook", "code": "KRW-X", "orderbook_units": units, "timestamp": 7}
    assert told(UpbitDecoder, frame) == [
        ("snapshot", "KRW-X", [(0.25, 0.25), (0.2, 1.0), (0.1, 1.0), (0.05, 0.0)], [(0.5, 0.5), (0.6, 1.0), (0.7, 0.0), (0.8, 1.0)], 7, 0)
    ]
    assert told(BithumbDecoder, frame) == [
        ("snapshot", "KRW-X", [(0.25, 0.25), (0.2, 1.0), (0.1, 1.0)], [(0.5, 0.5), (0.6, 1.0), (0.8, 1.0)], 7, 0)
    ]


def test_times_in_microseconds_from_the_year_5138_on() -> None:
    assert [ms_of(at) for at in (0, 10**14 - 1, 10**14, 1_618_678_262_640_123)] == [0, 10**14 - 1, 10**11, 1_618_678_262_640]


@pytest.mark.parametrize(
    ("asks", "expected"),
    [
        ([("3", "1"), ("2", "1")], [(2.0, 1.0), (3.0, 1.0)]),
        ([("2", "1"), ("3", "1")], [(2.0, 1.0), (3.0, 1.0)]),
        ([("4", "1"), ("2", "1"), ("3", "1")], [(3.0, 1.0), (2.0, 1.0), (4.0, 1.0)]),
        ([("2", "1"), ("3", "1"), ("2", "4")], [(2.0, 1.0), (3.0, 1.0), (2.0, 4.0)]),
        ([("2", "0.5")], [(2.0, 0.5)]),
        ([("3", "0"), ("2", "1")], [(2.0, 1.0)]),
        ([], []),
    ],
)
def test_asks_of_coinone_come_the_other_way_round(asks: list[tuple[str, str]], expected: list[tuple[float, float]]) -> None:
    levels = [{"price": price, "qty": qty} for price, qty in asks]
    data = {"quote_currency": "KRW", "target_currency": "X", "id": "1790134177753999", "asks": levels, "bids": []}
    frame = {"response_type": "DATA", "channel": "ORDERBOOK", "data": data}
    assert told(CoinoneDecoder, frame) == [("snapshot", "KRW-X", [], expected, 1790134177753, 0)]


@pytest.mark.parametrize(("seller_made", "taker"), [(True, Side.BUY), (False, Side.SELL)])
def test_the_taker_of_a_trade_of_coinone(seller_made: bool, taker: Side) -> None:
    frame = json.loads(coinone.TRADE)
    frame["data"] |= {"is_seller_maker": seller_made, "id": "1790134177835999"}
    assert told(CoinoneDecoder, frame) == [("trade", "KRW-BTC", "1790134177835999", 116460000.0, 0.00483595, taker, 1790134177835)]


@pytest.mark.parametrize("kind", [b"books1", b"books15"])
def test_a_frame_of_bitget_with_two_books_or_none_is_none(kind: bytes) -> None:
    frame = json.loads(bitget.BOOK.replace(b"books15", kind))
    odds: list[list[Any]] = [[], frame["data"] * 2]
    for rows in odds:
        with pytest.raises(WireError) as odd:
            told(BitgetDecoder, {**frame, "data": rows})
        assert odd.value.kind == kind.decode()


def test_best_prices_of_bitget_with_an_empty_side() -> None:
    frame = json.loads(bitget.TOUCH)
    frame["data"][0] |= {"bids": [], "asks": []}
    assert told(BitgetDecoder, frame) == [("touch", "BTCUSDT", 124, 0.0, 0.0, 0.0, 0.0, 1695710946304)]
    frame["data"][0] |= {"bids": [["2", "0.5"], ["1", "1"]]}
    assert told(BitgetDecoder, frame) == [("touch", "BTCUSDT", 124, 2.0, 0.5, 0.0, 0.0, 1695710946304)]


def test_trades_of_bitget_are_told_in_their_order_and_a_quantity_of_nothing_is_none() -> None:
    frame = json.loads(bitget.TRADES)
    rows = [{"ts": ts, "price": "1", "size": "0.5", "side": "sell", "tradeId": trade} for ts, trade in (("2", "9"), ("1", "8"), ("1", "7"))]
    assert [event[2] for event in told(BitgetDecoder, {**frame, "data": rows})] == ["7", "8", "9"]
    assert told(BitgetDecoder, {**frame, "data": []}) == [("other", "no trade")]
    assert told(BitgetDecoder, {**frame, "action": "snapshot"}) == [("other", "trades before")]
    with pytest.raises(WireError, match="a quantity of nothing"):
        told(BitgetDecoder, {**frame, "data": [{**rows[0], "size": "0"}]})


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"event": "subscribe", "arg": {}}, "subscribe"),
        ({"arg": {"instType": "USDT-FUTURES", "channel": "books15", "instId": "X"}, "data": []}, "USDT-FUTURES books15"),
        ({"arg": {"instType": "spot", "topic": "books"}, "data": []}, "spot books"),
        ({"arg": {"instType": "SPOT", "channel": "ticker", "instId": "X"}, "data": []}, "ticker"),
        (b"pong", "pong"),
    ],
)
def test_other_frames_of_bitget_are_named(message: Any, kind: str) -> None:
    assert told(BitgetDecoder, message) == [("other", kind)]


@pytest.mark.parametrize(
    "message",
    [
        {}, [], {"event": "", "arg": {}}, {"arg": {}, "data": []}, {"arg": {"channel": "books15"}, "data": []},
        {"arg": {"instType": "SPOT"}, "data": []}, {"arg": {"instType": "SPOT", "channel": ""}, "data": []},
        {"arg": {"instType": "SPOT", "channel": "trade"}}, {"arg": {"topic": "x"}, "data": []}, {"arg": 7, "data": []},
    ],
)  # fmt: skip
def test_what_bitget_never_sends_is_refused(message: Any) -> None:
    with pytest.raises(WireError) as odd:
        told(BitgetDecoder, message)
    assert odd.value.kind == "unknown"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"topic": "tickers.BTCUSDT", "data": {}}, "tickers"),
        ({"topic": "orderbook", "data": {}}, "orderbook"),
        ({"op": "ping", "success": True}, "ping"),
        ({"success": False}, "error"),
        (bybit.ONE_LEVEL, "orderbook.1"),
        ({**bybit.TRADE, "data": [{**bybit.TRADE["data"][0], "BT": True}]}, "block trade"),
        ({**bybit.TRADE, "data": []}, "block trade"),
    ],
)
def test_other_frames_of_bybit_are_named(message: Any, kind: str) -> None:
    assert told(BybitDecoder, message) == [("other", kind)]


def test_block_trades_of_bybit_are_left_out() -> None:
    trade = bybit.TRADE["data"][0]
    frame = {**bybit.TRADE, "data": [{**trade, "BT": True}, {**trade, "S": "Sell"}]}
    assert [event[5] for event in told(BybitDecoder, frame)] == [Side.SELL]


@pytest.mark.parametrize(
    ("changed", "action", "kind"),
    [
        ({"prevSeqId": -1}, "snapshot", "snapshot"),
        ({"prevSeqId": -1}, "", "snapshot"),
        ({"prevSeqId": 5}, "update", "diff"),
        ({"prevSeqId": 5}, "", "diff"),
        ({"prevSeqId": 0}, "update", "diff"),
        ({"prevSeqId": 5}, "snapshot", None),
        ({"prevSeqId": -1}, "update", None),
        ({"prevSeqId": None}, "update", None),
        ({"seqId": None}, "update", None),
        ({"seqId": None, "prevSeqId": None}, "update", "other"),
    ],
)
def test_whether_a_book_of_okx_is_whole(changed: dict[str, Any], action: str, kind: str | None) -> None:
    frame = {**okx.SNAPSHOT, "action": action, "data": [{**okx.SNAPSHOT["data"][0], "prevSeqId": 123, **changed}]}
    if kind is None:
        with pytest.raises(WireError) as odd:
            told(OkxDecoder, frame)
        assert odd.value.kind == "books"
    else:
        assert told(OkxDecoder, frame)[0][0] == kind


def test_best_prices_of_okx_with_an_empty_side() -> None:
    for side, expected in (("bids", (0.0, 0.0, 111.06, 55154.0)), ("asks", (111.05, 57745.0, 0.0, 0.0))):
        frame = {**okx.TOUCH, "data": [{**okx.TOUCH["data"][0], side: []}]}
        assert told(OkxDecoder, frame) == [("touch", "BCH-USDT", 363996337, *expected, 1670324386802)]


@pytest.mark.parametrize("frame", [okx.SNAPSHOT, okx.TOUCH, okx.TRADE])
def test_a_frame_of_okx_without_a_market_is_none(frame: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="no instId"):
        told(OkxDecoder, {**frame, "arg": {"channel": frame["arg"]["channel"]}})


@pytest.mark.parametrize("decoder", [UpbitDecoder, BithumbDecoder, CoinoneDecoder, BitgetDecoder, BybitDecoder, OkxDecoder])
def test_no_book_is_asked_for_where_the_stream_brings_it_whole(decoder: Callable[[Told], WireDecoder]) -> None:
    with pytest.raises(WireError) as odd:
        decoder(Told()).feed_snapshot("X", b"{}")
    assert odd.value.kind == "rest snapshot"
