import json
from typing import Any

import pytest

from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.told import Event, Told

DEPTH: dict[str, Any] = {
    "e": "depthUpdate", "E": 1723161255208, "s": "BTCUSDT", "U": 157, "u": 160,
    "b": [["61737.63000000", "0.00000000"], ["61730.17", "1.5"]], "a": [["6.183764E4", "1.54698000"]],
}  # fmt: skip
USDM_DEPTH = {**DEPTH, "T": 1723161255200, "pu": 149}
TICKER: dict[str, Any] = {"u": 161, "s": "BTCUSDT", "b": "61837.63", "B": "3.78826", "a": "61837.64", "A": "1.54698"}
USDM_TICKER = {"e": "bookTicker", **TICKER, "T": 1723161256313, "E": 1723161256314}
TRADE: dict[str, Any] = {
    "e": "trade", "E": 1723161255343, "s": "BTCUSDT", "t": 3735683259, "p": "61837.63", "q": "0.02", "T": 1723161255342,
    "m": True, "M": True,
}  # fmt: skip
AGGREGATE: dict[str, Any] = {
    "e": "aggTrade", "E": 1633998515000, "s": "LRCBTC", "a": 26129, "p": "0.00000637", "q": "100.0", "f": 100, "l": 105,
    "T": 1633998514999, "m": False, "M": True,
}  # fmt: skip
STREAMS = {"depthUpdate": "depth@100ms", "trade": "trade", "aggTrade": "aggTrade", "bookTicker": "bookTicker"}
TOLD = {
    "depth": ("diff", "BTCUSDT", 157, 160, -1, [(61737.63, 0.0), (61730.17, 1.5)], [(61837.64, 1.54698)], 1723161255208),
    "usdm depth": ("diff", "BTCUSDT", 157, 160, 149, [(61737.63, 0.0), (61730.17, 1.5)], [(61837.64, 1.54698)], 1723161255208),
    "ticker": ("touch", "BTCUSDT", 161, 61837.63, 3.78826, 61837.64, 1.54698, 0),
    "usdm ticker": ("touch", "BTCUSDT", 161, 61837.63, 3.78826, 61837.64, 1.54698, 1723161256314),
    "trade": ("trade", "BTCUSDT", "3735683259", 61837.63, 0.02, Side.SELL, 1723161255342),
    "aggregate": ("trade", "LRCBTC", "26129", 0.00000637, 100.0, Side.BUY, 1633998514999),
}


def told(message: object, *, usdm: bool = False) -> list[Event]:
    sink = Told()
    BinanceDecoder(sink, usdm=usdm).feed(message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode())
    return sink.events


def combined(event: dict[str, Any]) -> dict[str, Any]:
    return {"stream": "btcusdt@" + STREAMS[event.get("e", "bookTicker")], "data": event}


@pytest.mark.parametrize(
    ("name", "event", "usdm"),
    [
        ("depth", DEPTH, False),
        ("usdm depth", USDM_DEPTH, True),
        ("ticker", TICKER, False),
        ("usdm ticker", USDM_TICKER, True),
        ("trade", TRADE, False),
        ("trade", TRADE, True),
        ("aggregate", AGGREGATE, False),
    ],
)
def test_every_event_is_read_combined_and_raw_and_with_its_keys_in_any_order(name: str, event: dict[str, Any], usdm: bool) -> None:
    expected = [TOLD[name]]
    assert told(combined(event), usdm=usdm) == expected
    assert told(event, usdm=usdm) == expected
    assert told(dict(reversed(event.items())), usdm=usdm) == expected
    assert told(dict(reversed(combined(event).items())), usdm=usdm) == expected


def test_a_stream_name_that_misleads_is_overruled_by_the_event() -> None:
    assert told({"stream": "btcusdt@depth@100ms", "data": TRADE}) == [TOLD["trade"]]
    assert told({"stream": "btcusdt@bookTicker", "data": DEPTH}) == [TOLD["depth"]]
    assert told({"stream": "btcusdt@trade", "data": TICKER}) == [TOLD["ticker"]]


@pytest.mark.parametrize("event", [DEPTH, TICKER])
def test_a_spot_frame_on_usdm_is_malformed(event: dict[str, Any]) -> None:
    for message in (event, combined(event)):
        with pytest.raises(WireError, match="wrong market"):
            told(message, usdm=True)


@pytest.mark.parametrize("event", [USDM_DEPTH, USDM_TICKER])
def test_a_usdm_frame_on_spot_is_malformed(event: dict[str, Any]) -> None:
    for message in (event, combined(event)):
        with pytest.raises(WireError, match="wrong market"):
            told(message)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"stream": "btcusdt@kline_1m", "data": {"e": "kline", "s": "BTCUSDT", "k": {}}}, "kline"),
        ({"stream": "btcusdt@ticker", "data": {"e": "24hrTicker", "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4"}}, "24hrTicker"),
        ({"stream": "!miniTicker@arr", "data": [{"e": "24hrMiniTicker"}]}, "!miniTicker@arr"),
        ({"stream": "btcusdt@depth20@100ms", "data": {"lastUpdateId": 1, "bids": [], "asks": []}}, "depth20@100ms"),
        ({"stream": "btcusdt@depth5", "data": {**USDM_DEPTH}}, "depth5"),  # part of a book: as a diff it would leave ghosts
        ({"result": None, "id": 1}, "result"),
        ({"error": {"code": 2, "msg": "x"}, "id": 1}, "error"),
        ({**TRADE, "p": "0", "q": "0", "X": "NA"}, "trade without price"),
    ],
)
def test_other_types_are_named(message: object, kind: str) -> None:
    assert told(message) == [("other", kind)]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"", "json"),
        (b"\x00", "json"),
        (b'{"stream":"btcusdt@', "json"),
        (b'{"stream":"btcusdt@b', "json"),
        (b"[" * 100_000, "json"),
        (b"null", "unknown"),
        ({}, "unknown"),
        ({**DEPTH, "e": None}, "unknown"),
        ({**DEPTH, "u": 156}, "depthUpdate"),
        ({**DEPTH, "U": -1}, "depthUpdate"),
        ({**DEPTH, "u": 2**70}, "depthUpdate"),
        ({**DEPTH, "b": [["0", "1"]]}, "depthUpdate"),
        ({**DEPTH, "b": [["nan", "1"]]}, "depthUpdate"),
        ({**DEPTH, "b": [["-1", "1"]]}, "depthUpdate"),
        ({**DEPTH, "a": [["1", "inf"]]}, "depthUpdate"),
        ({**DEPTH, "a": [["1", "-2"]]}, "depthUpdate"),
        ({**DEPTH, "a": [["1"]]}, "depthUpdate"),
        ({**DEPTH, "a": None}, "depthUpdate"),
        ({**TICKER, "A": "1e400"}, "bookTicker"),
        ({**TICKER, "b": "-5"}, "bookTicker"),
        ({**TRADE, "p": "nan"}, "trade"),
    ],
)
def test_malformed_frames_are_refused_by_kind_and_tell_nothing(message: object, kind: str) -> None:
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    sink = Told()
    with pytest.raises(WireError) as caught:
        BinanceDecoder(sink).feed(raw)
    assert caught.value.kind == kind
    assert sink.events == []


def test_a_rest_depth_answer_becomes_a_snapshot_of_the_market_it_was_asked_for() -> None:
    sink = Told()
    decoder = BinanceDecoder(sink)
    decoder.feed_snapshot("BTCUSDT", b'{"lastUpdateId":155,"bids":[["10.0","1.0"]],"asks":[["11.0","2.0"]]}')
    decoder.feed_snapshot("BTCUSDT", b'{"lastUpdateId":156,"E":1723161256501,"T":1,"bids":[],"asks":[]}')
    assert sink.events == [
        ("snapshot", "BTCUSDT", [(10.0, 1.0)], [(11.0, 2.0)], 0, 155),
        ("snapshot", "BTCUSDT", [], [], 1723161256501, 156),
    ]


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"code":-1121,"msg":"Invalid symbol."}', b'{"lastUpdateId":1,"bids":[["x","1"]],"asks":[]}'])
def test_a_rest_answer_without_a_book_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError, match="depth snapshot"):
        BinanceDecoder(Told()).feed_snapshot("BTCUSDT", raw)
