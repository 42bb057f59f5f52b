"""ctrl+k in the bytes of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.console.killkey import PASTE_SILENCE_S, PRESS_SILENCE_S, KillKeyScanner

KILLS = [
    b"\x0b",
    b"\x1b[107;5u",
    b"\x1b[107;5:1u",
    b"\x1b[107;69u",  # caps lock
    b"\x1b[107;133u",  # num lock
    b"\x1b[107:75;5u",
    b"\x1b[12623;5u",  # K with Hangul on
    b"\x1b[1083::107;5u",  # K on a Russian layout, base layout told
    b"\x1b[27;5;107~",  # xterm, modifyOtherKeys
    b"\x1b\x0b",  # Esc right before
    b"jj\x0bx",
]
OTHERS = [b"k", b"K", b"\x1b[107;1u", b"\x1b[107u", b"\x1b[107;3u", b"\x1b[106;5u", b"\x1b[27;5;106~", b"\x1b[A", b"\x1b[<35;11;5M"]
OTHERS.append("ㅏ".encode())
PASTES = [b"\x1b[200~one\x0btwo\x1b[201~", b"\x1b[200~\x1b[107;5u\x1b[201~"]


@pytest.mark.parametrize("keys", KILLS)
def test_kill(keys: bytes) -> None:
    assert KillKeyScanner().feed(keys, 0.0)


@pytest.mark.parametrize("keys", OTHERS + PASTES)
def test_no_kill(keys: bytes) -> None:
    scanner = KillKeyScanner()
    assert not scanner.feed(keys, 0.0)
    assert scanner.feed(b"\x0b", 0.1)


@given(st.lists(st.sampled_from(KILLS + OTHERS + PASTES), max_size=8), st.data())
def test_reads_may_be_cut_anywhere(keys: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(keys)
    whole = KillKeyScanner().feed(stream, 0.0)
    assert whole == any(key in KILLS for key in keys)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    scanner = KillKeyScanner()
    pieces = [scanner.feed(stream[start:end], 0.0) for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert any(pieces) == whole


def test_a_paste_that_never_ends_does_not_disarm_the_key() -> None:
    scanner = KillKeyScanner()
    assert not scanner.feed(b"\x1b[200~lost", 0.0)
    assert not scanner.feed(b"end\x0b", PASTE_SILENCE_S)
    assert scanner.feed(b"end\x0b", 2 * PASTE_SILENCE_S + 0.1)


@pytest.mark.parametrize("key", [b"\x0b", b"\x1b[107;5u", b"\x1b[27;5;107~"])
def test_nor_when_it_is_pressed_again_and_again(key: bytes) -> None:
    scanner = KillKeyScanner()
    assert not scanner.feed(b"\x1b[200~lost", 0.0)
    assert not scanner.feed(key, PRESS_SILENCE_S / 2)  # may be the paste's own
    assert not scanner.forgets_paste(2 * PRESS_SILENCE_S, b"k")
    assert scanner.forgets_paste(2 * PRESS_SILENCE_S, key)
    assert scanner.feed(key, 2 * PRESS_SILENCE_S)
    assert scanner.feed(key, 2 * PRESS_SILENCE_S)
