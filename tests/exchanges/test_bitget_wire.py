"""Bitget's public frames: those of bitget.com/api-doc (spot, "Depth Channel", "Trades Channel"), and what is made of everything else."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.bitget.subscriptions import CHANNELS, CHANNELS_A_SOCKET, MESSAGE_BYTES, BitgetFraming
from arbtui.exchanges.bitget.wire import BitgetDecoder
from arbtui.exchanges.subscriptions import Notice, NoticeKind
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.told import Event, Told

BOOK = (
    b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books15","instId":"BTCUSDT"},"data":[{"asks":[["26274.9","0.0009"],'
    b'["26275.0","0.0500"]],"bids":[["26274.8","0.0009"],["26274.7","0.0027"]],"checksum":0,"seq":123,"ts":"1695710946294"}],'
    b'"ts":1695710946294}'
)
TOUCH = (
    b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books1","instId":"BTCUSDT"},"data":[{"asks":[["26274.9","0.0009"]],'
    b'"bids":[["26274.8","0.0009"]],"checksum":0,"seq":124,"ts":"1695710946304"}],"ts":1695710946305}'
)
TRADE = (
    b'{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1695709835822","price":"26293.4",'
    b'"size":"0.0013","side":"buy","tradeId":"1000000000"}],"ts":1695711090682}'
)
TRADES = (
    b'{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1695709835823","price":"26293.5",'
    b'"size":"0.0014","side":"sell","tradeId":"1000000001"},{"ts":"1695709835822","price":"26293.4","size":"0.0013","side":"buy",'
    b'"tradeId":"1000000000"}],"ts":1695711090682}'
)


def told(raw: bytes) -> list[Event]:
    sink = Told()
    BitgetDecoder(sink).feed(raw)
    return sink.events


def changed(raw: bytes, data: dict[str, Any] | None = None, **fields: Any) -> bytes:
    message = {**json.loads(raw), **fields}
    if data is not None:
        message["data"][0].update(data)
    return json.dumps(message, separators=(",", ":")).encode()


def test_a_book_comes_whole_with_its_number_and_the_engines_time() -> None:
    assert told(BOOK) == [
        ("snapshot", "BTCUSDT", [(26274.8, 0.0009), (26274.7, 0.0027)], [(26274.9, 0.0009), (26275.0, 0.05)], 1695710946294, 123)
    ]
    assert told(BOOK.replace(b"books15", b"books5")) == told(BOOK)


def test_the_edition_without_a_checksum_or_number_is_read_the_same() -> None:
    plain = BOOK.replace(b'"checksum":0,', b"")
    assert told(plain) == told(BOOK)
    assert told(plain.replace(b'"seq":123,', b""))[0][-1] == 0


def test_one_level_is_best_prices() -> None:
    assert told(TOUCH) == [("touch", "BTCUSDT", 124, 26274.8, 0.0009, 26274.9, 0.0009, 1695710946304)]
    assert told(changed(TOUCH, {"asks": []})) == [("touch", "BTCUSDT", 124, 26274.8, 0.0009, 0.0, 0.0, 1695710946304)]


def test_trades_tell_the_takers_side_oldest_first() -> None:
    first = ("trade", "BTCUSDT", "1000000000", 26293.4, 0.0013, Side.BUY, 1695709835822)
    assert told(TRADE) == [first]
    assert told(TRADES) == [first, ("trade", "BTCUSDT", "1000000001", 26293.5, 0.0014, Side.SELL, 1695709835823)]


def test_what_was_traded_before_the_subscription_is_no_news() -> None:
    assert told(changed(TRADE, action="snapshot")) == [("other", "trades before")]


@pytest.mark.parametrize("raw", [BOOK, TOUCH, TRADE, TRADES])
def test_the_order_of_keys_and_white_space_do_not_matter(raw: bytes) -> None:
    shuffled = json.dumps(dict(reversed(json.loads(raw).items())), indent=1).encode()
    assert told(shuffled) == told(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"pong", "pong"),
        (b'{"event":"subscribe","arg":{"instType":"SPOT","channel":"books15","instId":"BTCUSDT"}}', "subscribe"),
        (b'{"event":"error","code":30001,"msg":"x"}', "error"),
        (changed(BOOK, arg={"instType": "SPOT", "channel": "books", "instId": "BTCUSDT"}, action="update"), "books"),
        (changed(BOOK, arg={"instType": "SPOT", "channel": "ticker", "instId": "BTCUSDT"}), "ticker"),
        (changed(BOOK, arg={"instType": "sp", "channel": "books15", "instId": "BTCUSDT"}), "sp books15"),
        (changed(BOOK, arg={"instType": "USDT-FUTURES", "channel": "books15", "instId": "BTCUSDT"}), "USDT-FUTURES books15"),
        (changed(BOOK, arg={"instType": "spot", "topic": "books1", "symbol": "BTCUSDT"}), "spot books1"),
    ],
)
def test_what_is_not_used_is_named(raw: bytes, kind: str) -> None:
    assert told(raw) == [("other", kind)]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "json"),
        (b"PONG", "json"),
        (BOOK[:-20], "json"),
        (b"[" * 100_000, "json"),
        (b"<html>", "html"),
        (b"[]", "unknown"),
        (b'{"data":[]}', "unknown"),
        (changed(BOOK, {"asks": [["NaN", "1"]]}), "books15"),
        (changed(BOOK, {"asks": [["0", "1"]]}), "books15"),
        (changed(BOOK, {"asks": [["1", "-1"]]}), "books15"),
        (changed(BOOK, {"bids": None}), "books15"),
        (changed(BOOK, {"seq": -1}), "books15"),
        (changed(BOOK, action="update"), "books15"),
        (changed(BOOK, data={}).replace(b'"data":[', b'"data":[7,'), "books15"),
        (changed(BOOK, arg={"instType": "SPOT", "channel": "books15"}), "books15"),
        (changed(TOUCH, {"bids": [["26274.8"]]}), "books1"),
        (changed(TRADE, {"price": "0"}), "trade"),
        (changed(TRADE, {"size": "0"}), "trade"),
        (changed(TRADE, {"side": "both"}), "trade"),
        (changed(TRADE, {"tradeId": "x"}), "trade"),
    ],
)
def test_malformed_frames_are_refused_by_kind_and_tell_nothing(raw: bytes, kind: str) -> None:
    sink = Told()
    with pytest.raises(WireError) as caught:
        BitgetDecoder(sink).feed(raw)
    assert caught.value.kind == kind
    assert sink.events == []


def test_a_frame_of_two_books_is_refused() -> None:
    message = json.loads(BOOK)
    message["data"] *= 2
    with pytest.raises(WireError):
        told(json.dumps(message, separators=(",", ":")).encode())


def test_a_rest_snapshot_is_refused() -> None:
    with pytest.raises(WireError):
        BitgetDecoder(Told()).feed_snapshot("BTCUSDT", BOOK)


def test_a_socket_carries_fewer_than_fifty_channels_each_confirmed_by_itself() -> None:
    codes = [f"C{number}USDT" for number in range(40)]
    subscriptions = BitgetFraming().subscriptions(codes)
    assert [code for one in subscriptions for code in one.codes] == codes
    for one in subscriptions:
        args = [arg for message in one.messages for arg in json.loads(message)["args"]]
        assert one.streams == one.confirmations == len(args) == len(one.codes) * len(CHANNELS) <= CHANNELS_A_SOCKET
        assert all(len(message) <= MESSAGE_BYTES for message in one.messages)
        assert {(arg["channel"], arg["instId"]) for arg in args} == {(channel, code) for code in one.codes for channel in CHANNELS}


def test_long_codes_take_a_second_message() -> None:
    (one,) = BitgetFraming().subscriptions([f"{'LONG' * 12}{number}USDT" for number in range(16)])
    assert len(one.messages) == 2
    assert all(len(message) <= MESSAGE_BYTES for message in one.messages)


def test_a_market_that_is_not_there_takes_no_other_with_it() -> None:
    # ccxt 4.5.90, pro/bitget, beside 30001
    raw = b'{"event":"error","code":30001,"msg":"instType:SPOT,channel:books15,instId:NIXUSDT doesn\'t exist"}'
    assert BitgetFraming().notice(raw) == Notice(NoticeKind.UNLISTED, "NIXUSDT")


def test_answers_confirm_or_refuse() -> None:
    framing = BitgetFraming()
    assert framing.notice(b'{"event":"subscribe","arg":{"instType":"SPOT","channel":"trade","instId":"X"}}') == Notice(NoticeKind.CONFIRMED)
    refused = framing.notice(b'{"event":"error","code":30006,"msg":"request too many"}')
    assert refused == Notice(NoticeKind.REFUSED, "30006 request too many")
    assert framing.notice(b"pong") is None
    assert framing.is_data(BOOK)
    assert not framing.is_data(b"pong")


def test_books_and_best_prices_of_a_market_supersede_their_own_kind_only() -> None:
    keys = {framing_key for raw in (BOOK, TOUCH) if (framing_key := BitgetFraming().merge_key(raw))}
    assert len(keys) == 2
    assert BitgetFraming().merge_key(TRADE) is None
    assert BitgetFraming().merge_key(changed(BOOK, arg={"instType": "SPOT", "channel": "books", "instId": "BTCUSDT"})) is None


def test_a_probe_tells_the_best_prices() -> None:
    framing = BitgetFraming()
    answer = (
        b'{"code":"00000","msg":"success","requestTime":1,"data":{"asks":[["34567.15","0.0131"]],"bids":[["34567","0.2917"]],"ts":"1"}}'
    )
    assert framing.read_probe(answer) == (34567.0, 34567.15)
    assert framing.read_probe(b'{"data":{"asks":[],"bids":[]}}') == (0.0, float("inf"))
    assert framing.probe("BTCUSDT").path == "/api/v2/spot/market/orderbook?symbol=BTCUSDT&type=step0&limit=1"


def test_real_books_of_2022_are_read_in_todays_words(shared_data: Path) -> None:
    """Recorded over Bitget's first interface, which sent the same levels as diffs: each book put together, and cut as ``books15`` is."""
    books: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    decoded = 0
    with gzip.open(shared_data / "cryptofeed" / "BITGET.jsonl.gz", "rt") as lines:
        for message in (json.loads(line) for line in lines):
            frame = json.loads(message["data"]) if message["t"] == "recv" else {}
            arg = frame.get("arg", {})
            if (arg.get("instType"), arg.get("channel")) != ("sp", "books") or "data" not in frame:
                continue
            (data,) = frame["data"]
            if frame["action"] == "snapshot":
                books[arg["instId"]] = ({}, {})
            sides = books[arg["instId"]]
            for side, levels in zip(sides, (data["bids"], data["asks"]), strict=True):
                side.update(levels)
                for price, qty in levels:
                    if float(qty) == 0.0:
                        del side[price]
            bids, asks = (
                [[price, side[price]] for price in sorted(side, key=float, reverse=down)[:15]]
                for side, down in zip(sides, (True, False), strict=True)
            )
            today = {"instType": "SPOT", "channel": "books15", "instId": arg["instId"]}
            raw = changed(BOOK, {"bids": bids, "asks": asks, "ts": data["ts"]}, arg=today)
            ((kind, code, told_bids, told_asks, ts, _),) = told(raw)
            assert (kind, code, ts) == ("snapshot", arg["instId"], int(data["ts"]))
            assert told_bids == [(float(price), float(qty)) for price, qty in bids]
            assert told_asks == [(float(price), float(qty)) for price, qty in asks]
            decoded += 1
    assert decoded == 443
