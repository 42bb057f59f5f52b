"""OKX's public frames. The hand-written ones are those of okx.com/docs-v5, "WS / Order book channel" and "WS / Trades channel"."""

import gzip
import json
import tarfile
import zlib
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.okx.subscriptions import MARKETS_A_SOCKET, OkxFraming, resubscription
from arbtui.exchanges.okx.wire import RETIRED, OkxDecoder
from arbtui.exchanges.subscriptions import NoticeKind
from arbtui.model.errors import WireError
from arbtui.model.order import Side
from tests.exchanges.frame_table import pushed
from tests.exchanges.told import Event, Told

ARG = {"channel": "books", "instId": "BTC-USDT"}
ROWS = {
    "asks": [["8476.98", "415", "0", "13"], ["8477", "7", "0", "2"]],
    "bids": [["8476.97", "256", "0", "12"], ["8475.55", "0", "0", "0"]],
    "ts": "1597026383085",
    "checksum": 0,
}
SNAPSHOT: dict[str, Any] = {"arg": ARG, "action": "snapshot", "data": [{**ROWS, "prevSeqId": -1, "seqId": 123456}]}
UPDATE: dict[str, Any] = {"arg": ARG, "action": "update", "data": [{**ROWS, "prevSeqId": 123456, "seqId": 123457}]}
TOUCH: dict[str, Any] = {
    "arg": {"channel": "bbo-tbt", "instId": "BCH-USDT"},
    "data": [{"asks": [["111.06", "55154", "0", "2"]], "bids": [["111.05", "57745", "0", "2"]], "ts": "1670324386802", "seqId": 363996337}],
}
_TRADE = {
    "instId": "BTC-USDT",
    "tradeId": "130639474",
    "px": "42219.9",
    "sz": "0.12060306",
    "side": "buy",
    "ts": "1630048897897",
    "count": "3",
}
TRADE: dict[str, Any] = {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [_TRADE]}
DEPTH = {"code": "0", "msg": "", "data": [{**ROWS, "ts": "1629966436396", "seqId": 3235851742}]}
UNLISTED = "Wrong URL or channel:books,instId:GONE-USDT doesn't exist. Please use the correct URL, channel and parameters."
BIDS, ASKS = [(8476.97, 256.0), (8475.55, 0.0)], [(8476.98, 415.0), (8477.0, 7.0)]


def raw(message: object) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()


def told(message: object) -> list[Event]:
    sink = Told()
    OkxDecoder(sink).feed(raw(message))
    return sink.events


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (SNAPSHOT, ("snapshot", "BTC-USDT", BIDS, ASKS, 1597026383085, 123456)),
        (UPDATE, ("diff", "BTC-USDT", 123457, 123457, 123456, BIDS, ASKS, 1597026383085)),
        (TOUCH, ("touch", "BCH-USDT", 363996337, 111.05, 57745.0, 111.06, 55154.0, 1670324386802)),
        (TRADE, ("trade", "BTC-USDT", "130639474", 42219.9, 0.12060306, Side.BUY, 1630048897897)),
    ],
)
def test_every_channel_is_read_with_its_keys_in_any_order(message: dict[str, Any], expected: Event) -> None:
    assert told(message) == [expected]
    assert told(dict(reversed(message.items()))) == [expected]
    assert told(json.dumps(message, indent=1).encode()) == [expected]


def test_a_message_without_a_change_and_one_that_begins_the_numbers_anew() -> None:
    """Example 3 and 4 of "Sequence ID"."""
    for before, last in ((15, 15), (15, 3)):
        message = {**UPDATE, "data": [{"asks": [], "bids": [], "ts": "1", "checksum": 0, "prevSeqId": before, "seqId": last}]}
        assert told(message) == [("diff", "BTC-USDT", last, last, before, [], [], 1)]


def test_several_trades_in_one_message() -> None:
    both = {**TRADE, "data": [_TRADE, {**_TRADE, "tradeId": "130639475", "side": "sell"}]}
    assert [(event[2], event[5]) for event in told(both)] == [("130639474", Side.BUY), ("130639475", Side.SELL)]


def test_best_prices_of_an_empty_side() -> None:
    empty = {**TOUCH, "data": [{**TOUCH["data"][0], "asks": []}]}
    assert told(empty) == [("touch", "BCH-USDT", 363996337, 111.05, 57745.0, 0.0, 0.0, 1670324386802)]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"event": "subscribe", "arg": ARG, "connId": "a4d3ae55"}, "subscribe"),
        ({"id": "1512", "event": "error", "code": "60012", "msg": "Invalid request", "connId": "a4d3ae55"}, "error"),
        ({"event": "notice", "code": "64008", "msg": "The connection will soon be closed", "connId": "a4d3ae55"}, "notice"),
        ({"arg": {"channel": "tickers", "instId": "BTC-USDT"}, "data": [{"instId": "BTC-USDT", "last": "1"}]}, "tickers"),
        ({"arg": {"channel": "books5", "instId": "BTC-USDT"}, "data": [{**ROWS, "seqId": 1}]}, "books5"),
        ({"arg": {"channel": "books-elp", "instId": "BTC-USDT"}, "action": "snapshot", "data": [{**ROWS, "seqId": 1}]}, "books-elp"),
        ({**SNAPSHOT, "data": [ROWS]}, RETIRED),
        (b"pong", "pong"),
    ],
)
def test_other_frames_are_named(message: object, kind: str) -> None:
    assert told(message) == [("other", kind)]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"<html>",
        b"ping",
        b"[" * 100_000,
        [],
        {},
        {"arg": ARG},
        {**SNAPSHOT, "data": []},
        {**SNAPSHOT, "data": SNAPSHOT["data"] * 2},
        {**SNAPSHOT, "action": "update"},
        {**UPDATE, "action": "snapshot"},
        {**UPDATE, "action": "partial"},
        {**UPDATE, "arg": {"channel": "books"}},
        {**UPDATE, "data": [{**ROWS, "seqId": 1}]},
        {**UPDATE, "data": [{**ROWS, "prevSeqId": -2, "seqId": 1}]},
        {**UPDATE, "data": [{**UPDATE["data"][0], "asks": [["nan", "1", "0", "1"]]}]},
        {**UPDATE, "data": [{**UPDATE["data"][0], "asks": [["1"]]}]},
        {**UPDATE, "data": [{**UPDATE["data"][0], "bids": [["-1", "1", "0", "1"]]}]},
        {**TOUCH, "data": [{**TOUCH["data"][0], "bids": ROWS["bids"]}]},
        {**TRADE, "data": []},
        {**TRADE, "data": [_TRADE, {**_TRADE, "px": "0"}]},
        {**TRADE, "data": [{**_TRADE, "side": "BUY"}]},
    ],
)
def test_a_malformed_frame_reaches_nobody(message: object) -> None:
    sink = Told()
    with pytest.raises(WireError):
        OkxDecoder(sink).feed(raw(message))
    assert sink.events == []


def test_probes() -> None:
    framing = OkxFraming()
    assert framing.probe("BTC-USDT").path == "/api/v5/market/books?instId=BTC-USDT&sz=1"
    assert framing.read_probe(raw(DEPTH)) == (8476.97, 8476.98)
    assert framing.read_probe(raw({**DEPTH, "data": [{**DEPTH["data"][0], "asks": [], "bids": []}]})) == (0.0, inf)  # type: ignore[dict-item]
    for wrong in (b"<html>", raw({"code": "51001", "msg": "Instrument ID doesn't exist.", "data": []})):
        with pytest.raises(WireError):
            framing.read_probe(wrong)


class TestFraming:
    def test_one_message_a_socket_asks_for_three_channels_of_each_market(self) -> None:
        codes = [f"C{number}-USDT" for number in range(MARKETS_A_SOCKET + 1)]
        first, second = OkxFraming().subscriptions(codes)
        assert (first.codes, second.codes) == (tuple(codes[:-1]), (codes[-1],))
        assert json.loads(second.messages[0]) == {
            "op": "subscribe",
            "args": [{"channel": channel, "instId": codes[-1]} for channel in ("books", "bbo-tbt", "trades")],
        }
        assert len(json.loads(first.messages[0])["args"]) == first.streams
        assert len(first.messages[0]) < 64 * 1024  # "Subscribe": the length of all channels together

    def test_a_book_is_subscribed_to_anew(self) -> None:
        assert [json.loads(message) for message in resubscription("BTC-USDT")] == [
            {"op": "unsubscribe", "args": [ARG]},
            {"op": "subscribe", "args": [ARG]},
        ]

    @pytest.mark.parametrize(
        ("frame", "kind"),
        [
            ({"id": "1512", "event": "subscribe", "arg": ARG, "connId": "a4d3ae55"}, NoticeKind.CONFIRMED),
            ({"id": "1512", "event": "error", "code": "60018", "msg": "Wrong URL", "connId": "a4d3ae55"}, NoticeKind.REFUSED),
            ({"event": "error", "code": "60018", "msg": UNLISTED, "connId": "a4d3ae55"}, NoticeKind.UNLISTED),
            ({"event": "error", "code": "60012", "msg": UNLISTED, "connId": "a4d3ae55"}, NoticeKind.REFUSED),
            ({"event": "notice", "code": "64008", "msg": "soon", "connId": "a4d3ae55"}, NoticeKind.SHUTDOWN),
            ({"event": "unsubscribe", "arg": ARG}, None),
            (b"pong", None),
            (b"\xff", None),
            ([], None),
        ],
    )
    def test_what_is_said_of_a_connection(self, frame: object, kind: NoticeKind | None) -> None:
        notice = OkxFraming().notice(raw(frame))
        assert (None if notice is None else notice.kind) is kind
        assert not OkxFraming().is_data(raw(frame))

    def test_a_market_that_is_not_listed_is_named(self) -> None:
        notice = OkxFraming().notice(raw({"event": "error", "code": "60018", "msg": UNLISTED, "connId": "a4d3ae55"}))
        assert notice is not None
        assert notice.words == "GONE-USDT"

    def test_only_best_prices_of_one_market_supersede_each_other(self) -> None:
        framing = OkxFraming()
        key = framing.merge_key(raw(TOUCH))
        assert key is not None
        assert raw(TOUCH).startswith(key)
        assert key != framing.merge_key(raw({**TOUCH, "arg": {"channel": "bbo-tbt", "instId": "BCH-USDC"}}))
        assert framing.merge_key(raw(SNAPSHOT)) is framing.merge_key(raw(UPDATE)) is framing.merge_key(raw(TRADE)) is None


def _captured(data: Path) -> list[bytes]:
    with gzip.open(data / "cryptofeed" / "OKX.jsonl.gz", "rt") as lines:
        return [line["data"].encode() for line in map(json.loads, lines) if line["t"] == "recv"]


def test_every_captured_frame_is_decoded_or_named(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    frames = _captured(shared_data)
    for frame in frames:
        for event in told(frame):
            counts[str(event[1]) if event[0] == "other" else str(event[0])] += 1
    with capsys.disabled():
        print(f"\nOKX, captured 2022-05-13: {len(frames)} frames, {dict(counts)}")
    assert len(frames) == 410
    assert counts == {RETIRED: 290, "trade": 74, "tickers": 28, "subscribe": 18}


def test_books_that_are_built_of_captured_frames_have_the_venues_own_checksum(shared_data: Path) -> None:
    """OKX still sent checksums in 2022, and no ids yet: with ids put in, each book is what the venue says it is, 25 levels deep."""
    books: dict[str, tuple[dict[float, str], dict[float, str]]] = {}
    compared = 0
    last: dict[str, int] = {}
    for frame in _captured(shared_data):
        message = json.loads(frame)
        if message.get("arg", {}).get("channel") != "books" or "data" not in message:
            continue
        row, code = message["data"][0], message["arg"]["instId"]
        row["prevSeqId"] = -1 if message["action"] == "snapshot" else last[code]
        row["seqId"] = last[code] = last.get(code, 0) + 7
        event = told(message)[0]
        bids, asks = (event[2], event[3]) if event[0] == "snapshot" else (event[5], event[6])
        book = ({}, {}) if event[0] == "snapshot" else books[code]  # type: tuple[dict[float, str], dict[float, str]]
        for side, levels, texts in ((book[0], bids, row["bids"]), (book[1], asks, row["asks"])):
            for (price, qty), text in zip(levels, texts, strict=True):  # type: ignore[call-overload]
                if qty:
                    side[price] = f"{text[0]}:{text[1]}"
                else:
                    side.pop(price, None)
        books[code] = book
        best_bids = [book[0][price] for price in sorted(book[0], reverse=True)[:25]]
        best_asks = [book[1][price] for price in sorted(book[1])[:25]]
        parts = [side[place] for place in range(25) for side in (best_bids, best_asks) if place < len(side)]
        checksum = zlib.crc32(":".join(parts).encode())
        assert checksum - (checksum >> 31 << 32) == row["checksum"]
        compared += 1
    assert compared == 290


def test_the_documents_examples_are_read(shared_data: Path) -> None:
    """Fixtures of public subscriptions; that of ``books`` lacks the ``action`` that the document's own example has."""
    found: Counter[str] = Counter()
    with tarfile.open(shared_data / "fixtures" / "jkorf-OKX.Net.tar.gz") as files:
        for member in files.getmembers():
            if "/Subscriptions/Unified/ExchangeData/" in member.name and (file := files.extractfile(member)) is not None:
                for frame in pushed(file.read().decode("utf-8-sig")):
                    (event,) = told(frame)
                    found[f"other {event[1]}" if event[0] == "other" else str(event[0])] += 1
    assert {kind: count for kind, count in found.items() if not kind.startswith("other")} == {"snapshot": 1, "trade": 1}
    assert found["other subscribe"] > 10
    assert found["other tickers"] == 1
