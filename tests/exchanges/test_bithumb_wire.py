import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.bithumb.subscriptions import MARKETS_A_SOCKET, BithumbFraming
from arbtui.exchanges.bithumb.wire import BithumbDecoder
from arbtui.exchanges.subscriptions import NoticeKind
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.told import Event, Told

# Frames as probed on 2026-09-23 (nemanull/arbitrage-observatory, docs/venues/bithumb/websocket.md @ 2cbe7062, cut to three units), which
# have the fields of apidocs.bithumb.com, reference/호가-orderbook and reference/체결-trade.
BOOK = (
    b'{"type":"orderbook","code":"KRW-BTC","total_ask_size":0.7111,"total_bid_size":7.1052,"orderbook_units":['
    b'{"ask_price":116208000,"bid_price":116204000,"ask_size":0.3313,"bid_size":0.0037},'
    b'{"ask_price":116209000,"bid_price":116203000,"ask_size":0.0001,"bid_size":0.0025},'
    b'{"ask_price":116215000,"bid_price":116201000,"ask_size":0,"bid_size":0.0004}],'
    b'"level":1,"timestamp":1790133505564033,"stream_type":"REALTIME"}'
)
FIRST_BOOK = BOOK.replace(b"REALTIME", b"SNAPSHOT")
PADDED = (
    b'{"type":"orderbook","code":"KRW-NFT","orderbook_units":['
    b'{"ask_price":120000000,"bid_price":113000000,"ask_size":15.721,"bid_size":5.5544},'
    b'{"ask_price":0,"bid_price":112000000,"ask_size":0,"bid_size":6.1459}],"level":1,"timestamp":"1783657882348968"}'
)
TRADE = (
    b'{"type":"trade","code":"KRW-BTC","trade_price":116208000,"trade_volume":0.0009,"ask_bid":"BID","trade_date":"2026-09-23",'
    b'"trade_time":"12:18:33","trade_timestamp":1790133513739,"sequential_id":1079953210371761700,"timestamp":1790133514039,'
    b'"stream_type":"REALTIME"}'
)
ERROR = '{"error":{"name":"WRONG_FORMAT","message":"Format 이 맞지 않습니다."}}'.encode()


def told(raw: bytes) -> list[Event]:
    sink = Told()
    BithumbDecoder(sink).feed(raw)
    return sink.events


def test_an_order_book_comes_whole_without_levels_that_are_printed_as_nothing() -> None:
    bids = [(116204000.0, 0.0037), (116203000.0, 0.0025), (116201000.0, 0.0004)]
    asks = [(116208000.0, 0.3313), (116209000.0, 0.0001)]
    assert told(BOOK) == told(FIRST_BOOK) == [("snapshot", "KRW-BTC", bids, asks, 1790133505564, 0)]


def test_a_best_price_of_size_nothing_is_no_best_price() -> None:
    message = json.loads(BOOK)
    message["orderbook_units"][0]["ask_size"] = 0.0
    (event,) = told(json.dumps(message).encode())
    assert event[3] == [(116209000.0, 0.0001)]


def test_padding_is_dropped_and_times_in_quotes_are_read() -> None:
    assert told(PADDED) == [("snapshot", "KRW-NFT", [(113e6, 5.5544), (112e6, 6.1459)], [(120e6, 15.721)], 1783657882348, 0)]


def test_a_trade_tells_the_takers_side() -> None:
    assert told(TRADE) == [("trade", "KRW-BTC", "1079953210371761700", 116208000.0, 0.0009, Side.BUY, 1790133513739)]
    assert told(TRADE.replace(b"BID", b"ASK"))[0][5] is Side.SELL


@pytest.mark.parametrize("raw", [BOOK, PADDED, TRADE])
def test_the_order_of_keys_and_white_space_do_not_matter(raw: bytes) -> None:
    message = json.loads(raw)
    assert told(json.dumps(dict(reversed(message.items())), indent=1).encode()) == told(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"type":"ticker","code":"KRW-BTC","trade_price":1.0}', "ticker"),
        (b'{"status":"UP"}', "status"),
        (ERROR, "error"),
        (b'{"type":"orderbookdepth","content":{"list":[],"datetime":"1622591012656250"}}', "orderbookdepth"),
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
        (b'{"ty":"orderbook","cd":"KRW-BTC","obu":[]}', "unknown"),
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
        BithumbDecoder(sink).feed(raw)
    assert caught.value.kind == kind
    assert sink.events == []


def test_a_rest_snapshot_is_refused() -> None:
    with pytest.raises(WireError):
        BithumbDecoder(Told()).feed_snapshot("KRW-BTC", BOOK)


def test_the_recorded_frames_of_the_generation_before_are_named_as_such(shared_data: Path) -> None:
    """All 98 that cryptofeed received in 2021, in the shapes of a socket that is not subscribed to any more."""
    kinds: Counter[object] = Counter()
    with gzip.open(shared_data / "cryptofeed" / "2021-06-01.BITHUMB.ws.1.0.gz", "rt") as lines:
        for line in lines:
            if found := re.match(r"\d+(?:\.\d+)?: (.*)$", line):
                (event,) = told(found[1].encode())
                assert event[0] == "other"
                kinds[event[1]] += 1
    assert kinds == {"orderbookdepth": 91, "transaction": 4, "status": 3}


FRAMING = BithumbFraming()


def test_one_message_lists_books_and_trades_of_all_markets_of_a_socket() -> None:
    codes = [f"KRW-C{number}" for number in range(MARKETS_A_SOCKET + 1)]
    first, second = FRAMING.subscriptions(codes)
    assert (len(first.codes), second.codes) == (MARKETS_A_SOCKET, (codes[-1],))
    (message,) = second.messages
    ticket, books, trades, form = json.loads(message)
    assert set(ticket) == {"ticket"}
    assert books == {"type": "orderbook", "codes": [codes[-1]]}
    assert trades == {"type": "trade", "codes": [codes[-1]]}
    assert form == {"format": "DEFAULT"}
    assert len(FRAMING.subscriptions(codes[:10], sockets=2)) == 2


def test_the_first_book_is_the_confirmation_and_every_later_one_is_data() -> None:
    assert FRAMING.is_data(BOOK)
    assert FRAMING.is_data(TRADE)
    assert not FRAMING.is_data(FIRST_BOOK)
    notice = FRAMING.notice(FIRST_BOOK)
    assert notice is not None
    assert notice.kind is NoticeKind.CONFIRMED
    assert FRAMING.notice(TRADE.replace(b"REALTIME", b"SNAPSHOT")) is None


@pytest.mark.parametrize("raw", [b'{"status":"UP"}', b"", b"\xff", b"[]", b"7"])
def test_what_says_nothing_of_the_subscription_is_no_notice(raw: bytes) -> None:
    assert not FRAMING.is_data(raw)
    assert FRAMING.notice(raw) is None


def test_an_error_is_a_refusal_with_the_venues_words() -> None:
    notice = FRAMING.notice(ERROR)
    assert notice is not None
    assert (notice.kind, notice.words) == (NoticeKind.REFUSED, "WRONG_FORMAT Format 이 맞지 않습니다.")


def test_the_probe_reads_the_best_prices_that_can_be_traded_on() -> None:
    # reference/호가-조회: an array with one book; a level of size 0 stands in it as in the stream.
    answer = json.dumps([{**json.loads(BOOK), "market": "KRW-BTC", "timestamp": 1785397720965}]).encode()
    assert FRAMING.read_probe(answer) == (116204000.0, 116208000.0)
    assert FRAMING.read_probe(answer.replace(b'"ask_size": 0.3313', b'"ask_size": 0')) == (116204000.0, 116209000.0)
    assert FRAMING.read_probe(b'[{"orderbook_units":[]}]') == (0.0, float("inf"))
    with pytest.raises(WireError):
        FRAMING.read_probe(b'{"error":{"name":404,"message":"Code not found"}}')


def test_whole_books_of_one_market_supersede_each_other_and_trades_never() -> None:
    assert FRAMING.merge_key(BOOK) == FRAMING.merge_key(FIRST_BOOK) == b'{"type":"orderbook","code":"KRW-BTC'
    assert FRAMING.merge_key(PADDED) != FRAMING.merge_key(BOOK)
    assert FRAMING.merge_key(TRADE) is None
    assert FRAMING.merge_key(b'{"type":"orderbook","code":"') is None
