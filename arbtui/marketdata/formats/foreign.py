"""Names files that are no recording by what they are, so that whoever gave one knows what to do with it."""

import re

#: First bytes, what begins so, and what to do about it.
_MAGICS: tuple[tuple[bytes, str], ...] = (
    (b"\x04\x22\x4d\x18", "compressed with lz4; unpack it first: lz4 -d FILE"),
    (b"\x02\x21\x4c\x18", "compressed with lz4 (its old format); unpack it first: lz4 -d FILE"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed with snappy; unpack it first: snzip -d FILE"),
    (b"\x1f\x9d", "compressed with compress; unpack it first: uncompress FILE"),
    (b"\x5d\x00\x00", "compressed with lzma; unpack it first: unlzma FILE"),
    (b"\x1f\x8b", "compressed twice; unpack it once first: gunzip FILE"),
    (b"BZh", "compressed twice; unpack it once first"),
    (b"\xfd7zXZ\x00", "compressed twice; unpack it once first"),
    (b"\x28\xb5\x2f\xfd", "compressed twice; unpack it once first"),
    (b"PK\x03\x04", "a zip archive (or a numpy .npz file); unpack it first: unzip FILE"),
    (b"PK\x05\x06", "a zip archive without a file in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first: 7z x FILE"),
    (b"Rar!", "a rar archive; unpack it first: unrar x FILE"),
    (b"PAR1", "a Parquet file: prepared data, without the venue's messages"),
    (b"ARROW1", "an Arrow file: prepared data, without the venue's messages"),
    (b"FEA1", "a Feather file: prepared data, without the venue's messages"),
    (b"\x89HDF", "an HDF5 file: prepared data, without the venue's messages"),
    (b"\x93NUMPY", "a numpy file: prepared data, without the venue's messages"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd4\xc3\xb2\xa1", "a network capture (pcap); what is in it is encrypted"),
    (b"\x0a\x0d\x0d\x0a", "a network capture (pcapng); what is in it is encrypted"),
    (b"version https://git-lfs", "a pointer to a file in Git LFS, not that file; get it with git lfs pull"),
    (b"\xff\xfe", "text in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xfe\xff", "text in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 FILE"),
)
_READ = (
    "recordings of arbtui (.gz), cryptofeed's captures (JSON lines or text) and hftbacktest's lines `<receive time in ns> <message>`, "
    "plain or packed with gzip, bzip2, xz or zstd"
)


def foreign(first: bytes) -> str:
    """What a file is whose first line, unpacked, is ``first`` and begins no format that is read; in words that go after its name."""
    for magic, what in _MAGICS:
        if first.startswith(magic):
            return f"not a recording: it is {what}. Read are {_READ}"
    if first[257:262] == b"ustar":
        return f"not a recording: it is a tar archive; unpack it first: tar xf FILE. Read are {_READ}"
    lowered = first[:200].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return "not a recording: it is a web page, perhaps the download's error page; download the file itself"
    if b"\x00" in first[:1000]:
        return f"not a recording: it is a binary file of an unknown kind. Read are {_READ}"
    if lowered.startswith(b"exchange,symbol,timestamp,local_timestamp"):
        return f"not a recording: it is a CSV of Tardis: prepared data, without the venue's messages. Read are {_READ}"
    if first.startswith(b"["):
        return f"not a recording: it is one JSON list; there must be one message a line. Read are {_READ}"
    if re.fullmatch(rb"[^{}\[\]]*([,;\t])[^{}\[\]]*\1[^{}\[\]]*", first):
        return f"not a recording: it is a CSV: prepared data, without the venue's messages. Read are {_READ}"
    return f"not a recording: line 1 begins none of what is read. Read are {_READ}"
