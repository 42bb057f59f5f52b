"""Recordings of every format, whole ones and broken ones."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import Message
from arbtui.marketdata.formats.own import RecordingWriter
from arbtui.marketdata.recording import REORDER_WINDOW, in_order, open_recordings
from arbtui.model.errors import UsageError
from tests.marketdata.frames import SPOT, USDM, snapshot, spot_diff, ticker, usdm_diff

START = 1_723_161_253_937_085_768
FRAMES = [
    (START, Frame("upbit", b'{"type":"trade"}')),
    (START + 5, Frame("binance", b'{"lastUpdateId":1}', "BTCUSDT")),
    (START + 5, Frame("binance", b"\xff\x00 not text")),
    (START + 9_000_000_000, Frame("upbit", '{"korean":"원화"}'.encode())),
]


def write(path: Path, frames: list[tuple[int, Frame]], exchanges: tuple[str, ...] = ("upbit", "binance")) -> Path:
    with RecordingWriter(path, exchanges) as writer:
        for ts, frame in frames:
            writer.write(ts, frame)
    return path


def lines(path: Path, *texts: str | bytes) -> Path:
    data = b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in texts)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def replayed(*paths: Path) -> tuple[list[tuple[int, Frame]], str]:
    """What came out of the recordings, and the error that ended it, if any."""
    out: list[tuple[int, Frame]] = []
    failed = ""
    try:
        out.extend(open_recordings(paths))
    except UsageError as error:
        failed = str(error)
    return out, failed


def hft(ts: int, frame: Frame) -> bytes:
    return str(ts).encode() + b" " + frame.raw


def test_our_own_format_gives_back_what_was_written(tmp_path: Path) -> None:
    assert replayed(write(tmp_path / "a.gz", FRAMES)) == (FRAMES, "")


def test_the_writer_refuses_an_exchange_it_did_not_announce(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.gz", ["upbit"]) as writer, pytest.raises(ValueError, match="binance"):
        writer.write(1, FRAMES[1][1])


def test_a_recording_need_not_be_packed(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.gz", FRAMES)
    plain = tmp_path / "a.jsonl"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    assert replayed(plain) == (FRAMES, "")


def test_several_recordings_are_merged_by_receive_time_and_ties_go_by_the_order_of_the_files(tmp_path: Path) -> None:
    frames = [Frame("upbit", bytes([65 + i])) for i in range(6)]
    a = write(tmp_path / "a.gz", [(10, frames[0]), (30, frames[1]), (40, frames[2])])
    b = write(tmp_path / "b.gz", [(5, frames[3]), (30, frames[4]), (50, frames[5])])
    assert [ts for ts, _ in replayed(a, b)[0]] == [5, 10, 30, 30, 40, 50]
    assert [frame.raw for _, frame in replayed(a, b)[0]] == [b"D", b"A", b"B", b"E", b"C", b"F"]
    assert [frame.raw for _, frame in replayed(b, a)[0]] == [b"D", b"A", b"E", b"B", b"C", b"F"]


def test_a_truncated_recording_is_replayed_as_far_as_it_is_whole(tmp_path: Path) -> None:
    frames = [(START + i, Frame("upbit", f'{{"n":{i * 7919}}}'.encode())) for i in range(5000)]
    path = write(tmp_path / "a.gz", frames)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    out, error = replayed(path)
    assert 1000 < len(out) < 5000
    assert out == frames[: len(out)]
    assert error == f"{path}: truncated: the gzip data ends early, after {len(out) + 1} whole lines"


def test_damaged_gzip_data_is_told(tmp_path: Path) -> None:
    frames = [(START + i, Frame("upbit", f'{{"n":{i * 7919}}}'.encode())) for i in range(5000)]
    path = write(tmp_path / "a.gz", frames)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    out, error = replayed(path)
    assert out == frames[: len(out)]
    assert str(path) in error


def test_a_plain_recording_cut_within_a_line_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.decompress(write(tmp_path / "a.gz", FRAMES).read_bytes())[:-20])
    out, error = replayed(path)
    assert out == FRAMES
    assert f"{path}: line 6 is not a message of format arbtui-2" in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 rubbish\n", "not a recording"),
        (b"<html>\n", "not a recording"),
        (b'{"t":"header"}\n', "not a recording"),
        (b"{not json\n", "not a recording"),
        (b"\x1f\x8b rubbish", "damaged"),
        (b'{"t":"header","format":"arbtui-3","exchanges":[]}\n', "format arbtui-3; this version reads arbtui-2 and arbtui-1"),
        (b'{"t":"header","format":"arbtui-1"}\n', "line 1 is not the header"),
        (b'{"t":"header","format":2}\n', "line 1 is not the header"),
        (b'{"t":"header","format":"arbtui-1","exchanges":["kraken"]}\n', "unknown venue: no decoder for kraken"),
        (b'{"t":"header","format":2,"exchange":"KRAKEN"}\n', "unknown venue: no decoder for KRAKEN"),
        (b"wss://ws.korbit.co.kr/v1/user/push <-> 1622591001.8883781\n", "no decoder for"),
        (b'1723161253937085768 {"stream":"x@trade","data":{"e":"trade"}}\n', "neither a depth update nor a bookTicker"),
        (b'1723161253937085768 {"e":"depthUpdate","s":"BTCUSD_PERP","ps":"BTCUSD","pu":1}\n', "COIN-M"),
    ],
)
def test_what_cannot_be_replayed_is_refused_at_once_with_the_files_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        open_recordings([path])
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.gz", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            open_recordings([path])


def test_an_exchange_that_the_profile_lacks_is_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", FRAMES)
    with pytest.raises(UsageError, match=r"holds binance, and the profile has no \[exchanges.binance\]"):
        open_recordings([path], ["upbit"])
    assert len(list(open_recordings([path], ["upbit", "binance"]))) == len(FRAMES)


def test_a_message_of_an_exchange_that_the_header_does_not_name_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.gz", '{"t":"header","format":"arbtui-1","exchanges":["upbit"]}', '{"ts":1,"ex":"binance","d":"{}"}')
    assert replayed(path) == ([], f"{path}: line 2 is of binance, which the recording's header does not name")


def test_cryptofeed_json_lines_are_sorted_over_connections(tmp_path: Path) -> None:
    book = '{"lastUpdateId":7,"bids":[],"asks":[]}'
    path = lines(
        tmp_path / "BINANCE.jsonl.gz",
        '{"t":"header","format":2,"exchange":"BINANCE"}',
        json.dumps({"t": "http", "ts": 3.0, "url": "https://api.binance.com/api/v3/depth?symbol=NKNUSDT&limit=1000", "data": book}),
        json.dumps({"t": "http", "ts": 1.0, "url": "https://api.binance.com/api/v3/exchangeInfo", "data": "{}"}),
        json.dumps({"t": "connect", "ts": 1.0, "conn": "ws.1"}),
        json.dumps({"t": "send", "ts": 1.0, "conn": "ws.1", "data": "[]"}),
        json.dumps({"t": "recv", "ts": 2.5, "conn": "ws.1", "data": "{}"}),
        json.dumps({"t": "recv", "ts": 1.25, "conn": "ws.2", "b64": b64encode(b"\xff").decode()}),
    )
    assert replayed(path) == (
        [
            (1_250_000_000, Frame("binance", b"\xff")),
            (2_500_000_000, Frame("binance", b"{}")),
            (3_000_000_000, Frame("binance", book.encode(), "NKNUSDT")),
        ],
        "",
    )


def test_cryptofeed_text_is_read_and_its_venue_told_by_host_or_name(tmp_path: Path) -> None:
    book = '{"lastUpdateId":7,"bids":[],"asks":[]}'
    by_host = lines(
        tmp_path / "x.gz",
        "wss://fstream.binance.com/stream?streams=btcusdt@depth <-> 1622591001.5",
        'wss://fstream.binance.com/stream <- 1622591001.75: {"method":"SUBSCRIBE"}',
        '1622591002.25: {"a":1}',
        f"https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000 -> 1622591002.5: {book}",
        "https://fapi.binance.com/fapi/v1/exchangeInfo -> 1622591002.5: {}",
        'configuration: {"l2_book":[]}',
    )
    assert replayed(by_host) == (
        [
            (1_622_591_002_250_000_000, Frame("binanceusdm", b'{"a":1}')),
            (1_622_591_002_500_000_000, Frame("binanceusdm", book.encode(), "BTCUSDT")),
        ],
        "",
    )
    by_name = lines(tmp_path / "2021-06-01.UPBIT.ws.1.0.gz", '1622591002.25: {"a":1}')
    assert replayed(by_name) == ([(1_622_591_002_250_000_000, Frame("upbit", b'{"a":1}'))], "")
    broken = lines(tmp_path / "2021-06-01.UPBIT.ws.1.1.gz", '1622591002.25: {"a":1}', "what is this")
    assert len(replayed(broken)[0]) == 1
    assert "line 2 is not a line of a cryptofeed text capture" in replayed(broken)[1]


def test_hftbacktest_lines_tell_spot_from_usdm_and_whose_snapshot_it_is(tmp_path: Path) -> None:
    book = snapshot(10, [], [])
    spot = [ticker(9, (1.0, 1.0), (2.0, 1.0)), book, spot_diff(1, 2)]
    path = lines(tmp_path / "spot.gz", *(hft(START + i, frame) for i, frame in enumerate(spot)))
    assert replayed(path) == ([(START + i, frame._replace(exchange=SPOT[0])) for i, frame in enumerate(spot)], "")
    usdm = [book, usdm_diff(1, 2, 0)]
    path = lines(tmp_path / "usdm.gz", *(hft(START + i, frame) for i, frame in enumerate(usdm)))
    assert replayed(path) == ([(START + i, frame._replace(exchange=USDM[0])) for i, frame in enumerate(usdm)], "")
    only = ticker(9, (1.0, 1.0), (2.0, 1.0), "binanceusdm")
    path = lines(tmp_path / "tickers.gz", hft(START, only))
    assert replayed(path) == ([(START, only)], "")


def test_a_bad_line_among_hftbacktest_lines_is_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "spot.gz", hft(START, spot_diff(1, 2)), "", "17x {}")
    assert len(replayed(path)[0]) == 1
    assert f"{path}: line 3 is not `<receive time in ns> <message>`" in replayed(path)[1]


def messages(*times: int) -> Iterator[Message]:
    for line, ts in enumerate(times, start=1):
        yield Message(ts, line, Frame("upbit", b""))


def test_disorder_within_the_window_is_put_right_and_keeps_the_lines_order_in_ties() -> None:
    times = [*range(REORDER_WINDOW - 1, -1, -1), 5000, 5000]
    sorted_messages = list(in_order(Path("x"), messages(*times)))
    assert [message.ts_ns for message in sorted_messages] == sorted(times)
    assert [message.line for message in sorted_messages[-2:]] == [REORDER_WINDOW + 1, REORDER_WINDOW + 2]


def test_a_message_too_late_for_the_window_is_an_error_that_names_the_line_after_the_rest() -> None:
    times = [*range(10_000_000_000, 10_000_000_000 + REORDER_WINDOW + 10), 7_000_000_000]
    out: list[Message] = []
    with pytest.raises(UsageError, match=rf"x.gz: out of order: line {len(times)} was received 3.000 s before"):
        out.extend(in_order(Path("x.gz"), messages(*times)))
    assert [message.ts_ns for message in out] == times[:-1]


def test_a_file_of_one_endless_line_is_refused_without_reading_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.marketdata.formats.lines.LINE_LIMIT", 1000)
    path = lines(tmp_path / "a.gz", b"x" * 5000)
    with pytest.raises(UsageError, match="line 1 is longer than 1000 bytes"):
        list(read_lines(path))
