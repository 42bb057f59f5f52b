"""Whatever a terminal sends, the reader goes on; and keys that nobody can have typed come as one burst."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from arbtui.console.bursts import GAP_S, KeyBurst
from arbtui.console.key_reader import LONGEST_PASTE, PASTE_END, PASTE_START, KeyReader


class Reading:
    """A reader and all that it gave."""

    def __init__(self) -> None:
        self.given: list[Message] = []
        self.refused: list[Exception] = []
        self.reader = KeyReader(self.given.append, self.refused.append, mouse=False)

    def type(self, text: str, now: float) -> None:
        self.reader.read(text, now)
        self.reader.tick(now)

    def keys_at(self, now: float) -> list[str]:
        """The keys given by ``now``, a burst in brackets."""
        self.reader.tick(now)
        return [name for message in self.given for name in _names(message)]


def _names(message: Message) -> Sequence[str]:
    if isinstance(message, KeyBurst):
        return [f"[{''.join(key.key for key in message.keys)}]"]
    return [message.key] if isinstance(message, events.Key) else []


HOSTILE = [
    "\x1b[99999999999999999999;5u",
    "\x1b[1114112;5u",
    "\x1b[1114112u",
    "\x1b[55296u",
    "\x1b[57343;1u",
    "\x1b[97;;55357:56832u",
    "\x1b[97;;1114112u",
    "\x1b[97;99999999999999999999u",
    "\x1b[1:2;5A",
    "\x1b[:::;5u",
    "\x1b[;;;u",
    "\x1b[97;5:3u",
    "\x1b[48;99999;99999;0;0t",
    "\x1b[<99999999999999;99999999999999;1M",
    "\x1b[<0;3;3M",
    "\x1b[?2048;1$y",
    "\x1b[99999999999999;99999999R",
]


@pytest.mark.parametrize("sequence", HOSTILE)
def test_what_no_keyboard_sends_is_no_key_and_stops_nothing(sequence: str) -> None:
    reading = Reading()
    reading.type(sequence, 1.0)
    assert not any(isinstance(message, events.Resize | events.MouseEvent) for message in reading.given)
    before = len(reading.keys_at(2.0))
    reading.type("p", 3.0)
    assert reading.keys_at(4.0)[before:] == ["p"]
    for name in reading.keys_at(4.0):
        name.encode()


@given(st.lists(st.one_of(st.sampled_from([*HOSTILE, PASTE_START, PASTE_END, "\x1b", "가", "!"]), st.text(max_size=5)), max_size=12))
def test_any_text_is_read(pieces: list[str]) -> None:
    reading = Reading()
    for place, piece in enumerate(pieces):
        reading.type(piece.encode("utf-8", "replace").decode(), place)
    reading.reader.read(PASTE_END, 100.0)
    reading.reader.tick(101.0)
    del reading.given[:]
    reading.type("q", 102.0)
    assert reading.keys_at(103.0) == ["q"]


def test_a_mouse_counts_cells_also_after_a_terminal_told_a_size_without_pixels() -> None:
    given: list[Message] = []
    refused: list[Exception] = []
    reader = KeyReader(given.append, refused.append, mouse=True)
    for now, text in enumerate(("\x1b[48;24;80;0;0t", "\x1b[<0;3;3M")):
        reader.read(text, float(now))
        reader.tick(float(now))
    assert refused == []
    (down,) = given
    assert isinstance(down, events.MouseDown)
    assert (down.x, down.y) == (2, 2)


def test_reports_of_the_terminals_focus_are_not_taken() -> None:
    reading = Reading()
    reading.type("\x1b[O\x1b[Ip", 1.0)
    assert reading.keys_at(2.0) == ["p"]
    assert [type(message) for message in reading.given] == [events.Key]


def test_up_to_three_keys_at_once_are_a_persons() -> None:
    reading = Reading()
    reading.type("abc", 1.0)
    assert reading.keys_at(1.0) == []
    assert reading.keys_at(1.0 + 2 * GAP_S) == ["a", "b", "c"]


@pytest.mark.parametrize("cuts", [1, 2, 4])
def test_more_are_a_burst_however_they_are_read(cuts: int) -> None:
    reading = Reading()
    text = "xpra"
    for start in range(0, len(text), cuts):
        reading.type(text[start : start + cuts], 1.0 + start * GAP_S / 5)
    assert reading.keys_at(2.0) == ["[xpra]"]


def test_what_follows_a_burst_at_once_belongs_to_it_and_what_comes_later_does_not() -> None:
    reading = Reading()
    reading.type("xpra", 1.0)
    reading.type("y", 1.0 + GAP_S / 2)
    reading.type("z", 1.0 + 3 * GAP_S)
    assert reading.keys_at(2.0) == ["[xpra]", "[y]", "z"]


def test_keys_of_a_fast_typist_are_single_keys() -> None:
    reading = Reading()
    for place, key in enumerate("jjjjjjjj"):
        reading.type(key, 1.0 + place * 4 * GAP_S)
    assert reading.keys_at(2.0) == list("jjjjjjjj")


def test_the_order_of_keys_and_pastes_is_kept() -> None:
    reading = Reading()
    reading.type(f"/{PASTE_START}xrp{PASTE_END}", 1.0)
    assert [type(message) for message in reading.given] == [events.Key, events.Paste]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
@pytest.mark.parametrize("inside", ["\x1b[p", "\x1bp", "\x1b[107;5u", "\x1b", "\x1b[200~", "\x1bOP"])
def test_no_sequence_inside_a_paste_becomes_keys_however_it_is_cut(inside: str, size: int) -> None:
    reading = Reading()
    text = f"{PASTE_START}one{inside}two{PASTE_END}p"
    for place in range(0, len(text), size):
        reading.reader.read(text[place : place + size], 1.0)
    assert reading.keys_at(2.0) == ["p"]
    (paste,) = [message for message in reading.given if isinstance(message, events.Paste)]
    assert paste.text.startswith("one")
    assert paste.text.endswith("two")
    assert "\x1b" not in paste.text


def test_a_paste_of_any_size_takes_a_bounded_room() -> None:
    reading = Reading()
    chunk = "x" * 4096
    reading.reader.read(PASTE_START, 1.0)
    for _ in range(10 * LONGEST_PASTE // len(chunk)):
        reading.reader.read(chunk, 1.0)
    reading.reader.read(PASTE_END, 1.0)
    (paste,) = reading.given
    assert isinstance(paste, events.Paste)
    assert len(paste.text) == LONGEST_PASTE
    reading.type("p", 2.0)
    assert reading.keys_at(3.0) == ["p"]
