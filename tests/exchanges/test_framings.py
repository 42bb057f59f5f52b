"""What is sent over each venue's public sockets, word for word, what a frame says of its connection, and which frames supersede others."""

import json
from math import inf
from typing import Any

import pytest

from arbtui.exchanges.binance.subscriptions import BinanceFraming
from arbtui.exchanges.binance.venue import _is_usdm
from arbtui.exchanges.bitget.subscriptions import BitgetFraming
from arbtui.exchanges.bithumb.subscriptions import BithumbFraming
from arbtui.exchanges.bybit.subscriptions import BybitFraming
from arbtui.exchanges.coinone.subscriptions import CoinoneFraming
from arbtui.exchanges.framing import Framing, key_to
from arbtui.exchanges.okx.subscriptions import OkxFraming, resubscription
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.upbit.subscriptions import UpbitFraming
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import WireError

CONFIRMED, SHUTDOWN = Notice(NoticeKind.CONFIRMED), Notice(NoticeKind.SHUTDOWN)


def refused(words: str) -> Notice:
    return Notice(NoticeKind.REFUSED, words)


def raw(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()


# what is sent


def said(one: Subscription) -> list[Any]:
    return [json.loads(message) for message in one.messages]


FORMAT = {"format": "DEFAULT"}
SENT: list[tuple[Framing, tuple[str, str], list[Any], int, int]] = [
    (
        UpbitFraming(), ("KRW-XRP", "KRW-ADA"),
        [
            [{"ticket": "arbtui-1"}, {"type": "orderbook", "codes": ["KRW-XRP.15", "KRW-ADA.15"]},
             {"type": "trade", "codes": ["KRW-XRP", "KRW-ADA"]}, FORMAT],
            [{"ticket": "arbtui-1"}, {"method": "LIST_SUBSCRIPTIONS"}, FORMAT],
        ],
        4, 0,
    ),
    (
        BithumbFraming(), ("KRW-XRP", "KRW-ADA"),
        [[{"ticket": "arbtui-1"}, {"type": "orderbook", "codes": ["KRW-XRP", "KRW-ADA"]},
          {"type": "trade", "codes": ["KRW-XRP", "KRW-ADA"]}, FORMAT]],
        4, 0,
    ),
    (
        CoinoneFraming(), ("KRW-XRP", "KRW-ADA"),
        [
            {"request_type": "SUBSCRIBE", "channel": channel, "topic": {"quote_currency": "KRW", "target_currency": base}}
            for channel in ("ORDERBOOK", "TRADE") for base in ("XRP", "ADA")
        ],
        4, 0,
    ),
    (
        BinanceFraming(), ("XRPUSDT", "ADAUSDT"),
        [{"method": "SUBSCRIBE", "params": [f"{code}@{kind}" for code in ("xrpusdt", "adausdt")
                                            for kind in ("depth@100ms", "bookTicker", "trade")], "id": 1}],
        6, 0,
    ),
    (
        BitgetFraming(), ("XRPUSDT", "ADAUSDT"),
        [{"op": "subscribe", "args": [{"instType": "SPOT", "channel": channel, "instId": code} for code in ("XRPUSDT", "ADAUSDT")
                                      for channel in ("books15", "books1", "trade")]}],
        6, 6,
    ),
    (
        BybitFraming(), ("XRPUSDT", "ADAUSDT"),
        [{"op": "subscribe", "args": [f"orderbook.50.{code}", f"publicTrade.{code}"]} for code in ("XRPUSDT", "ADAUSDT")],
        4, 0,
    ),
    (
        OkxFraming(), ("XRP-USDT", "ADA-USDT"),
        [{"op": "subscribe", "args": [{"channel": channel, "instId": code} for code in ("XRP-USDT", "ADA-USDT")
                                      for channel in ("books", "bbo-tbt", "trades")]}],
        6, 6,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("framing", "codes", "messages", "streams", "confirmations"), SENT, ids=lambda value: type(value).__name__)
def test_a_socket_asks_for_this(framing: Framing, codes: tuple[str, str], messages: list[Any], streams: int, confirmations: int) -> None:
    (one,) = framing.subscriptions(list(codes))
    assert said(one) == messages
    assert (one.codes, one.streams, one.confirmations) == (codes, streams, confirmations)
    first, second = framing.subscriptions(list(codes), sockets=2)
    assert (first.codes, second.codes) == (codes[:1], codes[1:])
    assert framing.subscriptions([]) == []


@pytest.mark.parametrize("framing", [UpbitFraming(), BithumbFraming()])
def test_each_socket_has_a_ticket_of_its_own(framing: Framing) -> None:
    sockets = framing.subscriptions(["KRW-XRP", "KRW-ADA", "KRW-SOL"], sockets=3)
    assert [{message[0]["ticket"] for message in said(one)} for one in sockets] == [{"arbtui-1"}, {"arbtui-2"}, {"arbtui-3"}]


def test_binance_takes_so_many_streams_a_message() -> None:
    (first, second) = BinanceFraming().subscriptions([f"C{number}USDT" for number in range(67)])
    assert (len(first.codes), len(second.codes)) == (66, 1)
    parts = said(first)
    assert [part["id"] for part in parts] == list(range(1, len(parts) + 1))
    assert [len(part["params"]) for part in parts] == [100, 98]
    assert sum(len(part["params"]) for part in parts) == first.streams == 198


def test_how_many_codes_a_socket_carries() -> None:
    found = {(codes, most, sockets): share(codes, most, sockets) for codes in (0, 1, 5, 7) for most in (3, 10) for sockets in (0, 1, 2, 3)}
    assert found == {
        (0, 3, 0): 1, (0, 3, 1): 1, (0, 3, 2): 1, (0, 3, 3): 1, (0, 10, 0): 1, (0, 10, 1): 1, (0, 10, 2): 1, (0, 10, 3): 1,
        (1, 3, 0): 1, (1, 3, 1): 1, (1, 3, 2): 1, (1, 3, 3): 1, (1, 10, 0): 1, (1, 10, 1): 1, (1, 10, 2): 1, (1, 10, 3): 1,
        (5, 3, 0): 3, (5, 3, 1): 3, (5, 3, 2): 3, (5, 3, 3): 2, (5, 10, 0): 5, (5, 10, 1): 5, (5, 10, 2): 3, (5, 10, 3): 2,
        (7, 3, 0): 3, (7, 3, 1): 3, (7, 3, 2): 3, (7, 3, 3): 3, (7, 10, 0): 7, (7, 10, 1): 7, (7, 10, 2): 4, (7, 10, 3): 3,
    }  # fmt: skip


def test_a_book_is_asked_for_anew() -> None:
    books = [{"channel": "books", "instId": "XRP-USDT"}]
    assert [json.loads(message) for message in resubscription("XRP-USDT")] == [
        {"op": "unsubscribe", "args": books},
        {"op": "subscribe", "args": books},
    ]


# what a frame says of its connection

BITHUMB_BOOK = b'{"type":"orderbook","code":"KRW-XRP","orderbook_units":[],"stream_type":'
NOTICES: list[tuple[Framing, Any, Notice | None]] = [
    (UpbitFraming(), {"error": {"name": "WRONG_FORMAT", "message": "x"}}, refused("WRONG_FORMAT x")),
    (UpbitFraming(), {"error": {"name": "WRONG_FORMAT"}}, refused("WRONG_FORMAT")),
    (UpbitFraming(), {"error": {"message": "x"}}, refused("x")),
    (UpbitFraming(), {"error": "x"}, refused("x")),
    (UpbitFraming(), {"status": "UP"}, None),
    (UpbitFraming(), {"method": "LIST_SUBSCRIPTIONS", "result": [{"type": "orderbook"}, {"type": "trade"}]}, CONFIRMED),
    (UpbitFraming(), {"mthd": "LIST_SUBSCRIPTIONS", "rslt": [{"ty": "orderbook"}, {"ty": "trade"}, 7]}, CONFIRMED),
    (UpbitFraming(), {"method": "LIST_SUBSCRIPTIONS", "result": [{"type": "trade"}]}, refused("orderbook is not among what is subscribed")),
    (UpbitFraming(), {"method": "LIST_SUBSCRIPTIONS", "result": 7}, refused("orderbook, trade is not among what is subscribed")),
    (UpbitFraming(), {"method": "LIST_SUBSCRIPTIONS"}, refused("orderbook, trade is not among what is subscribed")),
    (UpbitFraming(), {"method": "OTHER", "result": [{"type": "orderbook"}, {"type": "trade"}]}, None),
    (BithumbFraming(), {"error": {"name": "WRONG_FORMAT", "message": "x"}}, refused("WRONG_FORMAT x")),
    (BithumbFraming(), {"error": {"name": "WRONG_FORMAT"}}, refused("WRONG_FORMAT")),
    (BithumbFraming(), {"error": {"message": "x"}}, refused("x")),
    (BithumbFraming(), {"error": "x"}, refused("x")),
    (BithumbFraming(), {"status": "UP"}, None),
    (BithumbFraming(), BITHUMB_BOOK + b'"SNAPSHOT"}', CONFIRMED),
    (BithumbFraming(), BITHUMB_BOOK + b'"REALTIME"}', None),
    (BithumbFraming(), b'{"type":"trade","code":"KRW-XRP","stream_type":"SNAPSHOT"}', None),
    (CoinoneFraming(), {"response_type": "SUBSCRIBED", "channel": "TRADE"}, CONFIRMED),
    (CoinoneFraming(), {"response_type": "ERROR", "error_code": 160012, "message": "x"}, refused("160012 x")),
    (CoinoneFraming(), {"response_type": "ERROR", "error_code": 160012}, refused("160012")),
    (CoinoneFraming(), {"response_type": "ERROR", "message": "x"}, refused("x")),
    (CoinoneFraming(), {"response_type": "CONNECTED"}, None),
    (BinanceFraming(), {"result": None, "id": 1}, CONFIRMED),
    (BinanceFraming(), {"result": [], "id": 1}, None),
    (BinanceFraming(), {"id": 1}, None),
    (BinanceFraming(), {"result": None}, None),
    (BinanceFraming(), {"error": {"code": 2, "msg": "x"}, "id": 1}, refused("2 x")),
    (BinanceFraming(), {"error": {"code": 2}}, refused("2")),
    (BinanceFraming(), {"error": {"msg": "x"}}, refused("x")),
    (BinanceFraming(), {"error": "x"}, refused("x")),
    (BinanceFraming(), {"code": 2, "msg": "x"}, refused("2 x")),
    (BinanceFraming(), {"code": 2}, None),
    (BinanceFraming(), {"msg": "x"}, None),
    (BinanceFraming(), {"e": "serverShutdown"}, SHUTDOWN),
    (BinanceFraming(), {"stream": "!serverShutdown", "data": {"e": "serverShutdown"}}, SHUTDOWN),
    (BinanceFraming(), {"data": 7}, None),
    (BinanceFraming(), {"e": "trade"}, None),
    (BitgetFraming(), {"event": "subscribe", "arg": {}}, CONFIRMED),
    (BitgetFraming(), {"event": "error", "code": 30006, "msg": "x"}, refused("30006 x")),
    (BitgetFraming(), {"event": "error", "code": 30006}, refused("30006")),
    (BitgetFraming(), {"event": "error", "msg": "x"}, refused("x")),
    (BitgetFraming(), {"event": "error", "code": 30001, "msg": "instId:NIXUSDT doesn't exist"}, Notice(NoticeKind.UNLISTED, "NIXUSDT")),
    (BitgetFraming(), {"event": "unsubscribe"}, None),
    (BybitFraming(), {"success": True, "op": "subscribe"}, CONFIRMED),
    (BybitFraming(), {"success": True, "op": "ping"}, None),
    (BybitFraming(), {"op": "subscribe"}, None),
    (BybitFraming(), {"success": False, "op": "subscribe"}, refused("")),
    (BybitFraming(), {"success": False, "ret_msg": "x"}, refused("x")),
    (OkxFraming(), {"event": "subscribe", "arg": {}}, CONFIRMED),
    (OkxFraming(), {"event": "error", "code": "60012", "msg": "x"}, refused("60012 x")),
    (OkxFraming(), {"event": "error", "code": "60012"}, refused("60012")),
    (OkxFraming(), {"event": "error", "msg": "x"}, refused("x")),
    (
        OkxFraming(),
        {"event": "error", "code": "60018", "msg": "channel:books,instId:X-Y doesn't exist"},
        Notice(NoticeKind.UNLISTED, "X-Y"),
    ),
    (OkxFraming(), {"event": "error", "code": "60018", "msg": "channel:books"}, refused("60018 channel:books")),
    (OkxFraming(), {"event": "error", "code": "60017", "msg": "instId:X-Y"}, refused("60017 instId:X-Y")),
    (OkxFraming(), {"event": "notice", "code": "64008"}, SHUTDOWN),
    (OkxFraming(), {"event": "notice", "code": "64009"}, None),
    (OkxFraming(), {"event": "unsubscribe", "code": "64008"}, None),
]


@pytest.mark.parametrize(("framing", "frame", "notice"), NOTICES)
def test_what_a_frame_says_of_its_connection(framing: Framing, frame: Any, notice: Notice | None) -> None:
    assert framing.notice(raw(frame)) == notice


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("frame", [b"", b"pong", b"[1]", b"7", b"\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_message_says_nothing(exchange: str, frame: bytes) -> None:
    framing = VENUES[exchange].public().framing
    assert framing.notice(frame) is None
    assert framing.is_data(frame) is False
    assert framing.merge_key(frame) is None


COINONE = b'{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"XRP","timestamp":1'
DATA: list[tuple[Framing, bytes, bool, bytes | None]] = [
    (UpbitFraming(), b'{"type":"orderbook","code":"KRW-XRP","x":1}', True, b'{"type":"orderbook","code":"KRW-XRP'),
    (UpbitFraming(), b'{"ty":"orderbook","cd":"KRW-XRP","x":1}', True, b'{"ty":"orderbook","cd":"KRW-XRP'),
    (UpbitFraming(), b'{"type":"trade","code":"KRW-XRP"}', True, None),
    (UpbitFraming(), b'{"ty":"trade","cd":"KRW-XRP"}', True, None),
    (UpbitFraming(), b'{"type":"orderbook","code":"KRW', True, None),
    (BithumbFraming(), BITHUMB_BOOK + b'"REALTIME"}', True, b'{"type":"orderbook","code":"KRW-XRP'),
    (BithumbFraming(), BITHUMB_BOOK + b'"SNAPSHOT"}', False, b'{"type":"orderbook","code":"KRW-XRP'),
    (BithumbFraming(), b'{"type":"trade","code":"KRW-XRP"}', True, None),
    (CoinoneFraming(), COINONE, True, COINONE[: COINONE.index(b'","timestamp')]),
    (CoinoneFraming(), COINONE.replace(b"ORDERBOOK", b"TRADE"), True, None),
    (CoinoneFraming(), COINONE.replace(b"target_currency", b"other_currency_"), True, None),
    (BinanceFraming(), b'{"stream":"xrpusdt@bookTicker","data":{}}', True, b'{"stream":"xrpusdt@bookTicker'),
    (BinanceFraming(), b'{"stream":"xrpusdt@trade","data":{}}', True, None),
    (BinanceFraming(), b'{"stream":"xrpusdt@depth@100ms","data":{}}', True, None),
    (BinanceFraming(), b'{"stream":"!serverShutdown","data":{}}', False, None),
    (BinanceFraming(), b'{"stream":"', True, None),
    (BinanceFraming(), b'{"data":{},"stream":"xrpusdt@bookTicker"}', False, None),
    (OkxFraming(), b'{"arg":{"channel":"bbo-tbt","instId":"X-Y"},"data":[]}', True, b'{"arg":{"channel":"bbo-tbt","instId":"X-Y"'),
    (OkxFraming(), b'{"arg":{"channel":"books","instId":"X-Y"},"data":[]}', True, None),
]  # fmt: skip


@pytest.mark.parametrize(("framing", "frame", "is_data", "key"), DATA)
def test_which_frames_are_market_data_and_which_supersede_others(framing: Framing, frame: bytes, is_data: bool, key: bytes | None) -> None:
    assert framing.is_data(frame) is is_data
    assert framing.merge_key(frame) == key


def test_the_beginning_of_a_frame_to_its_end() -> None:
    assert key_to(b'"', b'abc"d"', b"abc") == b"abc"
    assert key_to(b'"', b'abcx"d"', b"abc") == b"abcx"
    assert key_to(b'"', b'a"bcx', b'a"b') is None, "no end behind it"
    assert key_to(b'"', b'xbc"', b"abc") is None
    assert key_to(b'"', b'"', b"") is None


# best prices asked for

PROBES: list[tuple[Framing, RestCall]] = [
    (UpbitFraming(), RestCall("/v1/orderbook?markets=A-B", {"quotation": 1})),
    (BithumbFraming(), RestCall("/v1/orderbook?markets=A-B", {"quotation": 1})),
    (CoinoneFraming(), RestCall("/public/v2/orderbook/A/B?size=5", {"public": 1})),
    (BinanceFraming(), RestCall("/api/v3/depth?symbol=A-B&limit=5", {"weight": 5})),
    (BinanceFraming(usdm=True), RestCall("/fapi/v1/depth?symbol=A-B&limit=5", {"weight": 5})),
    (BitgetFraming(), RestCall("/api/v2/spot/market/orderbook?symbol=A-B&type=step0&limit=1", {"market": 1, "address": 1})),
    (BybitFraming(), RestCall("/v5/market/orderbook?category=spot&symbol=A-B&limit=1", {"http": 1})),
    (OkxFraming(), RestCall("/api/v5/market/books?instId=A-B&sz=1", {"books": 1})),
]


@pytest.mark.parametrize(("framing", "call"), PROBES)
def test_the_question_for_best_prices_and_its_cost(framing: Framing, call: RestCall) -> None:
    assert framing.probe("A-B") == call


def test_a_book_begins_with_a_question_at_binance_alone() -> None:
    assert BinanceFraming().snapshot("XRPUSDT") == RestCall("/api/v3/depth?symbol=XRPUSDT&limit=100", {"weight": 5})
    assert BinanceFraming(usdm=True).snapshot("XRPUSDT") == RestCall("/fapi/v1/depth?symbol=XRPUSDT&limit=100", {"weight": 5})
    for framing in (UpbitFraming(), BithumbFraming(), CoinoneFraming(), BitgetFraming(), BybitFraming(), OkxFraming()):
        assert framing.snapshot("X") is None


def unit(bid: Any, ask: Any, bid_size: Any = 1, ask_size: Any = 1) -> dict[str, Any]:
    return {"bid_price": bid, "ask_price": ask, "bid_size": bid_size, "ask_size": ask_size}


ANSWERS: list[tuple[Framing, Any, tuple[float, float]]] = [
    (UpbitFraming(), [{"orderbook_units": [unit(2, 3), unit(1, 4)]}], (2.0, 3.0)),
    (UpbitFraming(), [{"orderbook_units": [unit("2.5", "3.5")]}], (2.5, 3.5)),
    (UpbitFraming(), [{"orderbook_units": [unit(0, 0)]}], (0.0, inf)),
    (UpbitFraming(), [{"orderbook_units": []}], (0.0, inf)),
    (BithumbFraming(), [{"orderbook_units": [unit(2, 3, 0, 0), unit(1, 4)]}], (1.0, 4.0)),
    (BithumbFraming(), [{"orderbook_units": [unit(2, 3), unit(1, 4)]}], (2.0, 3.0)),
    (BithumbFraming(), [{"orderbook_units": [unit("2", "0", 1, 1)]}], (2.0, inf)),
    (BithumbFraming(), [{"orderbook_units": [{"bid_price": 2, "ask_price": 3}]}], (0.0, inf)),  # without a size there is none
    (BithumbFraming(), [{"orderbook_units": []}], (0.0, inf)),
    (
        CoinoneFraming(),
        {"bids": [{"price": "1", "qty": "1"}, {"price": "2", "qty": 1}, {"price": 9, "qty": 0}],
         "asks": [{"price": "4", "qty": "1"}, {"price": "3", "qty": "1"}, {"price": 1, "qty": 0}]},
        (2.0, 3.0),
    ),
    (CoinoneFraming(), {"bids": [], "asks": []}, (0.0, inf)),
    (BinanceFraming(), {"bids": [["2", "1"], ["1", "1"]], "asks": [["3", "1"], ["4", "1"]]}, (2.0, 3.0)),
    (BinanceFraming(), {"bids": [["2", "1"]], "asks": []}, (2.0, inf)),
    (BinanceFraming(), {"bids": [], "asks": [["3", "1"]]}, (0.0, 3.0)),
    (BitgetFraming(), {"data": {"bids": [["2", "1"], ["1", "1"]], "asks": [["3", "1"], ["4", "1"]]}}, (2.0, 3.0)),
    (BitgetFraming(), {"data": {"bids": [["2", "1"]], "asks": []}}, (2.0, inf)),
    (BitgetFraming(), {"data": {"bids": [], "asks": [["3", "1"]]}}, (0.0, 3.0)),
    (BybitFraming(), {"retCode": 0, "result": {"b": [["2", "1"], ["1", "1"]], "a": [["3", "1"], ["4", "1"]]}}, (2.0, 3.0)),
    (BybitFraming(), {"retCode": 0, "result": {"b": [["2", "1"]], "a": []}}, (2.0, inf)),
    (BybitFraming(), {"retCode": 0, "result": {"b": [], "a": [["3", "1"]]}}, (0.0, 3.0)),
]  # fmt: skip


@pytest.mark.parametrize(("framing", "answer", "best"), ANSWERS)
def test_best_prices_of_an_answer(framing: Framing, answer: Any, best: tuple[float, float]) -> None:
    assert framing.read_probe(raw(answer)) == best


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize(("answer", "kind"), [(b"<html>", "html"), (b"7", "json"), (b"[]", "json"), (b"[1,2]", "json"), (b"\xff", "json")])
def test_another_answer_is_none(exchange: str, answer: bytes, kind: str) -> None:
    with pytest.raises(WireError) as told:
        VENUES[exchange].public().framing.read_probe(answer)
    assert told.value.kind == kind


def test_an_error_of_bybit_is_told_in_its_words() -> None:
    with pytest.raises(WireError, match=r"^orderbook: 10001 Not supported$"):
        BybitFraming().read_probe(raw({"retCode": 10001, "retMsg": "Not supported", "result": {}}))
    with pytest.raises(WireError, match=r"^orderbook: 10001 $"):
        BybitFraming().read_probe(raw({"retCode": 10001}))


# captures of other programs


@pytest.mark.parametrize(
    ("message", "usdm"),
    [
        ({"e": "depthUpdate", "pu": 1}, True),
        ({"e": "depthUpdate", "T": 1}, False),
        ({"e": "bookTicker", "T": 1}, True),
        ({"T": 1}, True),
        ({"pu": 1}, False),
        ({"u": 1}, False),
    ],
)
def test_whether_a_captured_message_is_of_futures(message: dict[str, Any], usdm: bool) -> None:
    assert _is_usdm(message) is usdm
    spot, futures = VENUES["binance"].captures.hftbacktest, VENUES["binanceusdm"].captures.hftbacktest
    assert spot is not None
    assert futures is not None
    assert (spot(message), futures(message)) == (not usdm, usdm)
