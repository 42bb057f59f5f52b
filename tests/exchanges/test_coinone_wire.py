import json
from typing import Any

import pytest

from arbtui.exchanges.coinone.subscriptions import MARKETS_A_SOCKET, CoinoneFraming
from arbtui.exchanges.coinone.wire import CoinoneDecoder
from arbtui.exchanges.subscriptions import NoticeKind
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.told import Event, Told

# Frames as captured on 2026-09-23 (nemanull/arbitrage-observatory, docs/venues/coinone/websocket.md, section 6; the levels that are cut
# there are left out): the fields of docs.coinone.co.kr, reference/public-websocket-orderbook and -trade. The first one answers a
# subscription: its timestamp is ten seconds older than its id.
FIRST_BOOK = (
    b'{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"BTC","timestamp":1790134167554,'
    b'"id":"1790134177435001","asks":[{"price":"116650000","qty":"0.01198956"},{"price":"116640000","qty":"0.000657"},'
    b'{"price":"116470000","qty":"0.00171821"},{"price":"116460000","qty":"0.0232"}],"bids":[{"price":"116450000","qty":"0.0118"},'
    b'{"price":"116440000","qty":"0.04695328"},{"price":"116250000","qty":"0.01325806"}]}}'
)
BOOK = FIRST_BOOK.replace(b"1790134167554", b"1790134177753").replace(b"1790134177435001", b"1790134177753001")
QUIET = (
    b'{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"TNSR","timestamp":1790134167557,'
    b'"id":"1790134159857001","asks":[{"price":"145","qty":"302.41330495"},{"price":"65.2","qty":"107.20953328"}],'
    b'"bids":[{"price":"49.6","qty":"8000"},{"price":"0.2404","qty":"74624.25644758"}]}}'
)
TRADE = (
    b'{"response_type":"DATA","channel":"TRADE","data":{"quote_currency":"KRW","target_currency":"BTC","id":"1790134177835001",'
    b'"timestamp":1790134177835,"price":"116460000","qty":"0.00483595","is_seller_maker":true}}'
)
TICKER = b'{"response_type":"DATA","channel":"TICKER","data":{"quote_currency":"KRW","target_currency":"BTC","last":"116380000"}}'
CONNECTED = b'{"response_type":"CONNECTED","data":{"session_id":"6f3e1d0f-f9ab-f300-1567-0eb31af6d6ef"}}'
SUBSCRIBED = b'{"response_type":"SUBSCRIBED","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"BTC"}}'
ERROR = b'{"response_type":"ERROR","error_code":160012,"message":"Invalid Topic"}'
# The short form, which is not asked for.
SHORT = (
    b'{"r":"DATA","c":"ORDERBOOK","d":{"qc":"KRW","tc":"BTC","t":1790134177753,"i":"1790134177753001",'
    b'"a":[{"p":"116460000","q":"0.0232"}],"b":[]}}'
)


def told(raw: bytes) -> list[Event]:
    sink = Told()
    CoinoneDecoder(sink).feed(raw)
    return sink.events


def test_a_book_comes_whole_with_its_best_asks_first() -> None:
    bids = [(116450000.0, 0.0118), (116440000.0, 0.04695328), (116250000.0, 0.01325806)]
    asks = [(116460000.0, 0.0232), (116470000.0, 0.00171821), (116640000.0, 0.000657), (116650000.0, 0.01198956)]
    assert told(BOOK) == [("snapshot", "KRW-BTC", bids, asks, 1790134177753, 0)]


def test_the_time_of_a_book_is_its_ids() -> None:
    """The timestamp of the first one is ten seconds old: read, it would look like a stream that is behind."""
    assert told(FIRST_BOOK)[0][4] == 1790134177435
    assert told(QUIET)[0][4] == 1790134159857


def test_asks_that_come_best_first_stay_so() -> None:
    message = json.loads(BOOK)
    message["data"]["asks"].reverse()
    assert told(json.dumps(message).encode()) == told(BOOK)


def test_levels_of_nothing_and_empty_sides_are_told_as_such() -> None:
    message = json.loads(BOOK)
    message["data"]["asks"][-1]["qty"] = "0"
    message["data"]["bids"] = []
    (event,) = told(json.dumps(message).encode())
    assert event[2:4] == ([], [(116470000.0, 0.00171821), (116640000.0, 0.000657), (116650000.0, 0.01198956)])


def test_a_trade_tells_the_takers_side() -> None:
    assert told(TRADE) == [("trade", "KRW-BTC", "1790134177835001", 116460000.0, 0.00483595, Side.BUY, 1790134177835)]
    assert told(TRADE.replace(b"true", b"false"))[0][5] is Side.SELL


@pytest.mark.parametrize("raw", [BOOK, QUIET, TRADE])
def test_the_order_of_keys_and_white_space_do_not_matter(raw: bytes) -> None:
    message = json.loads(raw)
    message["data"] = dict(reversed(message["data"].items()))
    assert told(json.dumps(dict(reversed(message.items())), indent=1).encode()) == told(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(TICKER, "TICKER"), (CONNECTED, "CONNECTED"), (SUBSCRIBED, "SUBSCRIBED"), (ERROR, "ERROR"), (b'{"response_type":"PONG"}', "PONG")],
)
def test_other_types_are_named(raw: bytes, kind: str) -> None:
    assert told(raw) == [("other", kind)]


def changed(raw: bytes, **fields: Any) -> bytes:
    message = json.loads(raw)
    message["data"] |= fields
    return json.dumps(message, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "json"),
        (b"<html>", "html"),
        (BOOK[:-20], "json"),
        (b"\xff\xfe" + BOOK, "json"),
        (b"[" * 100_000, "json"),
        (b"[]", "unknown"),
        (b'{"response_type":7}', "unknown"),
        (SHORT, "unknown"),
        (changed(BOOK, asks=[{"price": "NaN", "qty": "1"}]), "ORDERBOOK"),
        (changed(BOOK, asks=[{"price": "0", "qty": "1"}]), "ORDERBOOK"),
        (changed(BOOK, bids=[{"price": "1", "qty": "-1"}]), "ORDERBOOK"),
        (changed(BOOK, bids=[{"price": "1", "qty": "1e300"}]), "ORDERBOOK"),
        (changed(BOOK, bids=None), "ORDERBOOK"),
        (changed(BOOK, id="book-1"), "ORDERBOOK"),
        (changed(BOOK, target_currency=None), "ORDERBOOK"),
        (changed(TRADE, price="0"), "TRADE"),
        (changed(TRADE, is_seller_maker="maybe"), "TRADE"),
    ],
)
def test_malformed_frames_are_refused_by_kind_and_tell_nothing(raw: bytes, kind: str) -> None:
    sink = Told()
    with pytest.raises(WireError) as caught:
        CoinoneDecoder(sink).feed(raw)
    assert caught.value.kind == kind
    assert sink.events == []


def test_a_rest_snapshot_is_refused() -> None:
    with pytest.raises(WireError):
        CoinoneDecoder(Told()).feed_snapshot("KRW-BTC", BOOK)


FRAMING = CoinoneFraming()


def test_each_market_is_asked_for_once_a_channel() -> None:
    codes = [f"KRW-C{number}" for number in range(MARKETS_A_SOCKET + 1)]
    first, second = FRAMING.subscriptions(codes)
    assert (len(first.codes), len(first.messages), first.streams) == (MARKETS_A_SOCKET, 2 * MARKETS_A_SOCKET, 2 * MARKETS_A_SOCKET)
    topic = {"quote_currency": "KRW", "target_currency": f"C{MARKETS_A_SOCKET}"}
    assert [json.loads(message) for message in second.messages] == [
        {"request_type": "SUBSCRIBE", "channel": channel, "topic": topic} for channel in ("ORDERBOOK", "TRADE")
    ]
    assert len(FRAMING.subscriptions(codes[:10], sockets=2)) == 2


def test_each_message_is_confirmed_and_errors_refuse() -> None:
    assert FRAMING.confirmations == 0
    for raw in (BOOK, FIRST_BOOK, TRADE):
        assert FRAMING.is_data(raw)
    for raw in (SUBSCRIBED, ERROR, CONNECTED):
        assert not FRAMING.is_data(raw)
    notice, refused = FRAMING.notice(SUBSCRIBED), FRAMING.notice(ERROR)
    assert notice is not None
    assert notice.kind is NoticeKind.CONFIRMED
    assert refused is not None
    assert (refused.kind, refused.words) == (NoticeKind.REFUSED, "160012 Invalid Topic")


@pytest.mark.parametrize("raw", [CONNECTED, b'{"response_type":"PONG"}', b"", b"\xff", b"[]", b"7"])
def test_what_says_nothing_of_the_subscription_is_no_notice(raw: bytes) -> None:
    assert FRAMING.notice(raw) is None


def test_a_socket_is_replaced_before_the_venue_ends_it() -> None:
    """Half an hour after its opening, where no PING of the venue's own kind comes."""
    assert FRAMING.lifetime_s == 1800


def test_the_probe_reads_the_best_prices() -> None:
    # reference/orderbook; asks are best first here.
    answer = (
        b'{"result":"success","error_code":"0","timestamp":1700000000000,"id":"1700000000000001","quote_currency":"KRW",'
        b'"target_currency":"BTC","order_book_unit":"0.0","bids":[{"price":"116450000","qty":"0.1"}],"asks":[{"price":"116460000","qty":"0.2"},'
        b'{"price":"116470000","qty":"0.2"}]}'
    )
    assert FRAMING.read_probe(answer) == (116450000.0, 116460000.0)
    assert FRAMING.read_probe(b'{"result":"success","error_code":"0","bids":[],"asks":[]}') == (0.0, float("inf"))
    with pytest.raises(WireError):
        FRAMING.read_probe(b'{"result":"error","error_code":"108","error_msg":"Unknown CryptoCurrency"}')
    assert FRAMING.probe("KRW-BTC").path == "/public/v2/orderbook/KRW/BTC?size=5"


def test_whole_books_of_one_market_supersede_each_other_and_trades_never() -> None:
    key = FRAMING.merge_key(BOOK)
    assert key == FRAMING.merge_key(FIRST_BOOK)
    assert key is not None
    assert key.endswith(b'"target_currency":"BTC')
    assert FRAMING.merge_key(QUIET) != key
    assert FRAMING.merge_key(TRADE) is None
    assert FRAMING.merge_key(BOOK[:90]) is None
