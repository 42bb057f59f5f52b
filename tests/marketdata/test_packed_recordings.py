"""Recordings in the compressions that their makers use, and files that are none."""

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.formats.foreign import foreign
from arbtui.marketdata.recording import open_recording, open_recordings
from arbtui.model.errors import UsageError

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdCompressor(level=3).compress,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
HEADER = b'{"t":"header","format":2,"exchange":"BINANCE"}\n'
COUNT = 20_000


def line(n: int) -> bytes:
    return b'{"t":"recv","ts":%d.25,"conn":"ws.1","data":"{\\"n\\":%d}"}\n' % (1_600_000_000 + n, n * 7919)


def read(path: Path) -> tuple[list[Frame], str]:
    out: list[Frame] = []
    try:
        out.extend(frame for _, frame in open_recordings([path]))
    except UsageError as error:
        return out, str(error)
    return out, ""


LINES = HEADER + b"".join(line(n) for n in range(COUNT))
FRAMES = [Frame("binance", b'{"n":%d}' % (n * 7919)) for n in range(COUNT)]


@pytest.mark.parametrize("packer", PACKERS)
def test_a_capture_is_read_as_downloaded_whatever_it_is_packed_with_and_called(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "BINANCE.jsonl.download"
    path.write_bytes(PACKERS[packer](LINES))
    assert read(path) == (FRAMES, "")


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_pieces_that_were_put_together_are_read_to_the_end(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "BINANCE.jsonl"
    half = len(HEADER) + len(LINES) // 2  # within a line
    path.write_bytes(PACKERS[packer](LINES[:half]) + PACKERS[packer](LINES[half:]))
    assert read(path) == (FRAMES, "")


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_cut_short_is_read_as_far_as_it_is_whole_and_told(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "BINANCE.jsonl"
    packed = PACKERS[packer](LINES)
    path.write_bytes(packed[:-3])
    out, error = read(path)
    assert out == FRAMES[: len(out)]
    assert f"{path}: truncated: the {packer} data ends early" in error


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_damaged_is_told(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "BINANCE.jsonl"
    packed = bytearray(PACKERS[packer](LINES))
    for place in range(len(packed) // 2, len(packed) // 2 + 20):
        packed[place] ^= 0xFF
    path.write_bytes(packed)
    out, error = read(path)
    assert out == FRAMES[: len(out)]
    assert len(out) < COUNT
    assert str(path) in error
    assert "damaged" in error or "truncated" in error or "not a line" in error


def test_zstd_with_a_checksum_an_unknown_size_and_a_frame_to_be_skipped_first(tmp_path: Path) -> None:
    path = tmp_path / "BINANCE.jsonl.zst"
    whole = zstandard.ZstdCompressor(level=19, write_checksum=True, write_content_size=False).compress(LINES)
    path.write_bytes(struct.pack("<II", 0x184D2A50, 4) + b"pzst" + whole)
    assert read(path) == (FRAMES, "")


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "BINANCE.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + LINES)
    assert read(path) == (FRAMES, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x04\x22\x4d\x18 rest", "compressed with lz4; unpack it first: lz4 -d FILE"),
        (b"PK\x03\x04 rest", "zip archive"),
        (b"7z\xbc\xaf\x27\x1c rest", "7z archive"),
        (gzip.compress(gzip.compress(LINES[:500], mtime=0), mtime=0), "compressed twice"),
        (gzip.compress(b"UPBIT.jsonl".ljust(257, b"\x00") + b"ustar" + b"\x00" * 300, mtime=0), "tar archive"),
        (b"PAR1 rest", "Parquet"),
        (b"SQLite format 3\x00 rest", "SQLite database"),
        (b"<!DOCTYPE html>\n<title>Not found</title>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n", "CSV of Tardis"),
        (b"timestamp,price,qty\n1,2,3\n", "it is a CSV"),
        ("timestamp,price\n".encode("utf-16"), "UTF-16"),
        (b'[{"t":"recv"}]\n', "one JSON list"),
        (b"\x7fELF\x00\x00", "binary file"),
        (b"hello\n", "begins none of what is read"),
    ],
)
def test_a_foreign_file_is_named_as_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a recording") as caught:
        open_recording(path)
    assert str(caught.value).startswith(f"{path}: not a recording")
    assert words in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 5, 300])
def test_no_first_line_makes_naming_fail(length: int) -> None:
    for byte in range(256):
        assert foreign(bytes([byte]) * length).startswith("not a recording")


def test_a_capture_of_the_first_kind_whose_first_line_is_the_recorders_configuration(tmp_path: Path) -> None:
    path = tmp_path / "2021-04-05.UPBIT-d78752.0"
    path.write_bytes(
        b'configuration: {"trades":["ADA-KRW"]}\n'
        b"wss://api.upbit.com/websocket/v1 <-> 1617646619.694145\n"
        b'wss://api.upbit.com/websocket/v1 <- 1617646620.613985: [{"ticket":"x"}]\n'
        b'1617646620.849474: b\'{"ty":"orderbook","cd":"KRW-IQ"}\'\n'
        b'1617646620.9: b"it\'s \\xff\\n\\\\"\n'
        b'1617646621.0: {"plain":1}\n'
    )
    frames, error = read(path)
    assert error == ""
    assert [frame.raw for frame in frames] == [b'{"ty":"orderbook","cd":"KRW-IQ"}', b"it's \xff\n\\", b'{"plain":1}']
    assert {frame.exchange for frame in frames} == {"upbit"}


@pytest.mark.parametrize("payload", [b"b'cut", b"b'a' + b'b'", b"b''; print()", b"b'\\x0'", b"b'a' 'b'"])
def test_a_payload_that_begins_as_bytes_and_is_none_names_its_line(tmp_path: Path, payload: bytes) -> None:
    path = tmp_path / "UPBIT.0"
    path.write_bytes(b"1617646620.8: b'{}'\n1617646620.9: " + payload + b"\n")
    frames, error = read(path)
    assert [frame.raw for frame in frames] == [b"{}"]
    assert f"{path}: line 2 is not a line of a cryptofeed text capture" in error


def test_a_text_capture_that_tells_no_venue_says_how_to_name_it(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    path.write_bytes(b"configuration: {}\n1617646620.8: b'{}'\n")
    assert "name it as cryptofeed does" in read(path)[1]
    path = tmp_path / "2021-04-05.BINANCE_FUTURES-1125a2.0"
    path.write_bytes(b"configuration: {}\n1617646620.8: {}\n")
    assert read(path) == ([Frame("binanceusdm", b"{}")], "")
