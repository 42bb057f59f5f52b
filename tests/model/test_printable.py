"""Nothing that steers a terminal survives, and everything that is only shown does."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.model.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("비트코인 1,234.5 ₩ ▲", "비트코인 1,234.5 ₩ ▲"),
        ("\x1b[2J\x07", r"\u001b[2J\u0007"),
        ("\x9b31m", r"\u009b31m"),  # the eight-bit form of ESC [
        ("a\x7fb\x00", r"a\u007fb\u0000"),
        ("BTC\u202eCTB", r"BTC\u202eCTB"),
        ("BTC\u2066\u200b", r"BTC\u2066\u200b"),
        ("one\r\ntwo\u2028three", r"one\u000d\u000atwo\u2028three"),
        ("\udcff", r"\udcff"),  # a byte of the command line that is no UTF-8
        ("\U000e0041", r"\udb40\udc41"),
        ("1\u00a0000\u3000", "1\u00a0000\u3000"),
    ],
)
def test_what_steers_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    shown = printable(text)
    assert not {letter for letter in shown if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    shown.encode()
    assert printable(shown) == shown


@given(st.dictionaries(st.text(), st.text()))
def test_json_stays_json(value: dict[str, str]) -> None:
    assert json.loads(printable(json.dumps(value, ensure_ascii=False, indent=2), keep="\n")) == json.loads(json.dumps(value))
