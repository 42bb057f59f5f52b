import json
from typing import Any

import pytest

from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.told import Event, Told

BOOK = (
    b'{"type":"orderbook","code":"KRW-BTC","timestamp":1618678262640,"total_ask_size":3.0,"total_bid_size":2.0,"orderbook_units":'
    b'[{"ask_price":1.16539E8,"bid_price":116530000.0,"ask_size":0.5,"bid_size":1.25},'
    b'{"ask_price":116540000,"bid_price":0.0,"ask_size":2.5,"bid_size":0.0}],"stream_type":"REALTIME","level":0}'
)
SHORT_BOOK = (
    b'{"ty":"orderbook","cd":"KRW-LAMB","tms":1618678262640123,"tas":1.0,"tbs":1.0,'
    b'"obu":[{"ap":127.0,"bp":126.0,"as":280460.37885666,"bs":688682.44561413}],"st":"REALTIME"}'
)
TRADE = (
    b'{"type":"trade","code":"KRW-BTC","timestamp":1618678262712,"trade_date":"2021-04-17","trade_time":"16:51:02","trade_timestamp":'
    b'1618678262000,"trade_price":127.0,"trade_volume":46.5,"ask_bid":"ASK","prev_closing_price":123.0,"change":"RISE",'
    b'"change_price":4.0,"sequential_id":1618678262000003,"stream_type":"REALTIME"}'
)
SHORT_TRADE = (
    b'{"ty":"trade","cd":"KRW-LAMB","tms":1618678262712,"td":"2021-04-17","ttm":"16:51:02","ttms":1618678262000,"tp":127.0,'
    b'"tv":46.48838371,"ab":"BID","pcp":123.00000000,"c":"RISE","cp":4.00000000,"sid":1618678262000003,"st":"REALTIME"}'
)


def told(raw: bytes) -> list[Event]:
    sink = Told()
    UpbitDecoder(sink).feed(raw)
    return sink.events


def test_an_order_book_comes_whole_with_exponents_read_and_padding_dropped() -> None:
    assert told(BOOK) == [("snapshot", "KRW-BTC", [(116530000.0, 1.25)], [(116539000.0, 0.5), (116540000.0, 2.5)], 1618678262640, 0)]


def test_the_simple_format_and_microseconds_are_read() -> None:
    assert told(SHORT_BOOK) == [("snapshot", "KRW-LAMB", [(126.0, 688682.44561413)], [(127.0, 280460.37885666)], 1618678262640, 0)]


def test_trades_of_both_formats_tell_the_takers_side() -> None:
    assert told(TRADE) == [("trade", "KRW-BTC", "1618678262000003", 127.0, 46.5, Side.SELL, 1618678262000)]
    assert told(SHORT_TRADE) == [("trade", "KRW-LAMB", "1618678262000003", 127.0, 46.48838371, Side.BUY, 1618678262000)]


@pytest.mark.parametrize("raw", [BOOK, SHORT_BOOK, TRADE, SHORT_TRADE])
def test_the_order_of_keys_and_white_space_do_not_matter(raw: bytes) -> None:
    message = json.loads(raw)
    shuffled = json.dumps(dict(reversed(message.items())), indent=1).encode()
    assert told(shuffled) == told(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"type":"ticker","code":"KRW-BTC","trade_price":1.0}', "ticker"),
        (b'{"ty":"candle.1s","cd":"KRW-BTC"}', "candle.1s"),
        (b'{"status":"UP"}', "status"),
        (b'{"error":{"name":"WRONG_FORMAT","message":"x"}}', "error"),
    ],
)
def test_other_types_are_named(raw: bytes, kind: str) -> None:
    assert told(raw) == [("other", kind)]


def changed(raw: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(raw), **fields}).encode()


def unit(**fields: Any) -> bytes:
    message = json.loads(BOOK)
    message["orderbook_units"][0].update(fields)
    return json.dumps(message).encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "json"),
        (b"PONG", "json"),
        (BOOK[:-20], "json"),
        (b"\xff\xfe" + BOOK, "json"),
        (b"[" * 100_000, "json"),
        (b"[]", "unknown"),
        (b'{"type":7}', "unknown"),
        (unit(ask_price="NaN"), "orderbook"),
        (unit(ask_price=-1.0), "orderbook"),
        (unit(bid_size=-0.5), "orderbook"),
        (unit(bid_size=1e300), "orderbook"),
        (unit(bid_price=None), "orderbook"),
        (changed(BOOK, timestamp=-5), "orderbook"),
        (changed(BOOK, code=None), "orderbook"),
        (changed(BOOK, orderbook_units={}), "orderbook"),
        (changed(TRADE, trade_price=0), "trade"),
        (changed(TRADE, ask_bid="NEITHER"), "trade"),
    ],
)
def test_malformed_frames_are_refused_by_kind_and_tell_nothing(raw: bytes, kind: str) -> None:
    sink = Told()
    with pytest.raises(WireError) as caught:
        UpbitDecoder(sink).feed(raw)
    assert caught.value.kind == kind
    assert sink.events == []


def test_a_rest_snapshot_is_refused() -> None:
    with pytest.raises(WireError):
        UpbitDecoder(Told()).feed_snapshot("KRW-BTC", BOOK)
