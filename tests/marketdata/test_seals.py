"""Recordings are sealed in segments; what was altered is found, what was cut off is kept, what is missing is told."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.formats.own import RecordingFailed, RecordingWriter
from arbtui.marketdata.formats.seals import Gap, RecordingNotes, Why
from arbtui.marketdata.gap_watch import GapWatch
from arbtui.marketdata.recording import open_recordings
from arbtui.model.errors import UsageError

START = 1_723_161_253_937_085_768
SECOND = 1_000_000_000
EXCHANGES = ["upbit", "binance"]


def frame(number: int, exchange: str = "upbit") -> tuple[int, Frame]:
    return START + number * SECOND, Frame(exchange, f'{{"n":{number}}}'.encode())


def write(path: Path, numbers: range, *, go_on: bool = False) -> Path:
    with RecordingWriter(path, EXCHANGES, go_on=go_on) as writer:
        for number in numbers:
            writer.write(*frame(number))
    return path


def read(path: Path) -> tuple[list[tuple[int, Frame]], RecordingNotes, str]:
    """The frames, what seals and receipts said, and the error that ended it."""
    notes, out = RecordingNotes(), []
    try:
        for one in open_recordings([path], None, notes):
            out.append(one)
    except UsageError as error:
        return out, notes, str(error)
    return out, notes, ""


def plain(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines()


def test_a_recording_is_sealed_every_minute_and_at_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", range(150))
    out, notes, error = read(path)
    assert (out, error) == ([frame(number) for number in range(150)], "")
    assert (notes.segments, notes.sealed, notes.unsealed, notes.gaps) == (3, 150, {}, [])
    assert notes.in_words() == []


def test_a_seal_is_what_its_description_says(tmp_path: Path) -> None:
    """Recomputed here from the documented rule alone."""
    before = ""
    lines: list[bytes] = []
    for line in plain(write(tmp_path / "a.gz", range(150))):
        told = json.loads(line)
        if told.get("t") == "seal":
            before_seal = hashlib.sha256(before.encode() + b"".join(one + b"\n" for one in lines)).hexdigest()
            assert told["sha256"] == before_seal
            before, lines = told["sha256"], []
        else:
            lines.append(line)
    assert lines == []


@settings(max_examples=60)
@given(at=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_whatever_byte_is_altered_is_found(tmp_path_factory: pytest.TempPathFactory, at: int, change: int) -> None:
    folder = tmp_path_factory.mktemp("altered")
    whole = gzip.decompress(write(folder / "a.gz", range(70)).read_bytes())
    altered = bytearray(whole)
    altered[at % len(whole)] ^= change
    path = folder / "a.jsonl"
    path.write_bytes(bytes(altered))
    out, notes, error = read(path)
    assert error or notes.unsealed or bytes(altered).split() == whole.split()  # a blank for a line feed, at the very end, changes nothing
    if "their seal does not fit" in error:
        assert out in ([], [frame(number) for number in range(notes.sealed)]), "nothing of an altered segment is played"
    if not error and not notes.unsealed:
        assert out == [frame(number) for number in range(70)]


@pytest.mark.parametrize("change", ["dropped", "swapped", "repeated", "segment dropped"])
def test_lines_that_are_missing_or_moved_are_found(tmp_path: Path, change: str) -> None:
    lines = plain(write(tmp_path / "a.gz", range(150)))
    seals = [number for number, line in enumerate(lines) if line.startswith(b'{"t":"seal"')]
    match change:
        case "dropped":
            del lines[5]
        case "swapped":
            lines[5], lines[6] = lines[6], lines[5]
        case "repeated":
            lines.insert(5, lines[5])
        case _:
            del lines[seals[0] + 1 : seals[1] + 1]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert "are not what was recorded: their seal does not fit" in read(path)[2]


def test_what_was_cut_off_in_a_segment_is_kept_and_told_to_be_unsealed(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    writer = RecordingWriter(path, EXCHANGES)
    for number in range(70):
        writer.write(*frame(number))
    writer.flush()  # and then the process is killed
    out, notes, error = read(path)
    assert (len(out), error) == (70, "")
    assert (notes.segments, notes.unsealed) == (1, {str(path): 70 - notes.sealed})
    assert notes.in_words() == [f"{path}: its last {70 - notes.sealed} frames are not sealed: the recording was cut off there"]
    torn = path.read_bytes()[:-7]
    path.write_bytes(torn)
    out, notes, error = read(path)
    assert "truncated" in error
    writer.close()


@pytest.mark.parametrize("torn", [0, 1, 30])
def test_a_recording_that_was_cut_off_is_gone_on_with_and_the_gap_is_told(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "a.gz"
    writer = RecordingWriter(path, EXCHANGES)
    for number in range(70):
        writer.write(*frame(number))
        if number % 10 == 9:
            writer.flush()
    if torn:
        path.write_bytes(path.read_bytes()[:-torn])
    kept = 60 if torn else 70
    write(path, range(100, 130), go_on=True)
    out, notes, error = read(path)
    assert error == ""
    assert out == [frame(number) for number in [*range(kept), *range(100, 130)]]
    assert (notes.unsealed, notes.sealed) == ({}, len(out))
    missing = (START + (kept - 1) * SECOND, START + 100 * SECOND, Why.RESTART)
    assert notes.gaps == [Gap("binance", *missing), Gap("upbit", *missing)]


def test_going_on_with_what_is_not_there_begins_it_and_what_is_no_recording_or_altered_is_left_alone(tmp_path: Path) -> None:
    assert read(write(tmp_path / "new.gz", range(3), go_on=True))[1].gaps == []
    for name, content in (("text", b"precious"), ("other.gz", gzip.compress(b"precious\n")), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="no recording of arbtui's that could be gone on with"):
            RecordingWriter(tmp_path / name, EXCHANGES, go_on=True)
        assert (tmp_path / name).read_bytes() == content
    lines = plain(write(tmp_path / "a.gz", range(70)))
    del lines[5]
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    with pytest.raises(UsageError, match="a seal does not fit"):
        RecordingWriter(tmp_path / "b.gz", EXCHANGES, go_on=True)
    with pytest.raises(UsageError, match="holds upbit, binance, the profile has upbit"):
        RecordingWriter(tmp_path / "a.gz", ["upbit"], go_on=True)


def test_a_recording_of_the_earlier_format_is_read_and_not_gone_on_with(tmp_path: Path) -> None:
    lines = [
        line.replace(b"arbtui-2", b"arbtui-1") for line in plain(write(tmp_path / "a.gz", range(70))) if not line.startswith(b'{"t":"seal"')
    ]
    path = tmp_path / "old.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    out, notes, error = read(path)
    assert (len(out), error, notes.unsealed) == (70, "", {})
    with pytest.raises(UsageError, match="which has no seals"):
        RecordingWriter(path, EXCHANGES, go_on=True)


def test_receipts_for_lost_connections_and_merged_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    counts = {name: ExchangeCounts() for name in EXCHANGES}
    with RecordingWriter(path, EXCHANGES) as writer:
        watch = GapWatch(writer, counts)
        for number in range(10):
            ts_ns, one = frame(number)
            writer.write(ts_ns, one)
            watch.frames(ts_ns, [one])
        watch.connection("upbit", ["KRW-BTC"], True, START)  # it was never away
        watch.connection("upbit", ["KRW-BTC"], False, START + 11 * SECOND)
        watch.connection("upbit", ["KRW-BTC"], False, START + 12 * SECOND)
        watch.connection("upbit", ["KRW-BTC"], True, START + 15 * SECOND)
        watch.look(START + 16 * SECOND)
        counts["binance"].merged_raw = 25
        watch.look(START + 17 * SECOND)
        watch.look(START + 18 * SECOND)
        watch.connection("binance", ["BTCUSDT", "ETHUSDT"], False, START + 18 * SECOND)
        watch.close(START + 20 * SECOND)
    _, notes, error = read(path)
    assert error == ""
    assert notes.gaps == [
        Gap("upbit", START + 9 * SECOND, START + 15 * SECOND, Why.RECONNECT, ("KRW-BTC",)),
        Gap("binance", START + 16 * SECOND, START + 17 * SECOND, Why.OVERLOAD, frames=25),
        Gap("binance", START + 18 * SECOND, START + 20 * SECOND, Why.RECONNECT, ("BTCUSDT", "ETHUSDT")),
    ]
    assert notes.in_words() == [
        "not recorded of upbit: 1 market in 6.0 s (reconnect)",
        "not recorded of binance: 25 frames in 1.0 s (overload)",
        "not recorded of binance: 2 markets in 2.0 s (reconnect)",
    ]
    told = notes.facts()
    assert told["gaps"][1] == {  # type: ignore[index]
        "exchange": "binance", "from_ns": START + 16 * SECOND, "to_ns": START + 17 * SECOND, "why": "overload", "markets": [], "frames": 25
    }  # fmt: skip


def test_a_disk_that_is_full_leaves_no_seal_behind_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gz"
    writer = RecordingWriter(path, EXCHANGES)
    writer.write(*frame(1))
    writer.flush()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.write", full)
        writer.write(*frame(2))
        with pytest.raises(RecordingFailed):
            writer.flush()
    writer.close()
    out, notes, error = read(path)
    assert (out, error, notes.unsealed) == ([frame(1)], "", {str(path): 1})
