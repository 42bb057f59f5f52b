"""Every key works with the Korean input method on: jamo, syllables, and the kitty protocol's forms."""

import unicodedata

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from arbtui.console.app import OPERATOR, ConsoleApp
from arbtui.console.hangul import JAMO, as_latin, latin_key, pressed
from arbtui.console.key_parser import KeyParser
from arbtui.console.screens.rearm import RearmScreen
from tests.console.demo import DemoModel
from tests.console.driving import burst, drive, repaint


def test_every_letter_key_has_its_jamo_and_back() -> None:
    assert len(set(JAMO.values())) == len(JAMO) == 26
    assert {pressed(jamo): jamo for jamo in JAMO.values()} == JAMO


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ㅔ", "p"), ("ㄲ", "R"), ("ㅖ", "P"), ("가", "rk"), ("값", "rkqt"), ("과", "rhk"), ("쀍", "Qnpfr"), ("뷁", "qnpfr"),
        ("ﾡ", "r"), ("ᅦ", "p"), ("p", "p"), ("1", "1"), ("ㅌ게", "xrp"),
    ],
)  # fmt: skip
def test_hangul_of_every_form_is_read_as_the_keys_pressed(text: str, keys: str) -> None:
    assert as_latin(text) == keys
    assert as_latin(unicodedata.normalize("NFD", text)) == keys


@pytest.mark.parametrize(
    ("key", "latin"),
    [("ㅔ", "p"), ("ctrl+ㅂ", "ctrl+q"), ("shift+ㅎ", "G"), ("가", "가"), ("ctrl+k", "ctrl+k"), ("tab", "tab"), ("é", "é"), ("+", "+")],
)
def test_a_keys_name_is_the_one_of_the_letter_under_the_jamo(key: str, latin: str) -> None:
    assert latin_key(key) == latin


@pytest.mark.parametrize(
    ("sequence", "key"),
    [
        ("\x1b[12628u", "ㅔ"),
        ("\x1b[12628;1u", "ㅔ"),
        ("\x1b[112;;12628u", "ㅔ"),
        ("\x1b[0;;12628u", "ㅔ"),
        ("\x1b[12610;5u", "ctrl+ㅂ"),
        ("\x1b[12610::113;5u", "ctrl+q"),
        ("\x1b[12622;2;12622u", "shift+ㅎ"),
        ("\x1b[107:75;5u", "ctrl+k"),
        ("\x1b[107;5:1u", "ctrl+k"),
    ],
)
def test_the_kitty_forms_of_a_key(sequence: str, key: str) -> None:
    assert [message.key for message in KeyParser().feed(sequence) if isinstance(message, events.Key)] == [key]


@pytest.mark.parametrize("key", ["ㅔ", "p"])
def test_pause(key: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, key)
        assert "[PAUSED]" in await repaint(app, pilot)

    drive(steps)


def test_the_keys_of_every_pane() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "ㅌ")  # x
        assert len(model.disabled) == 1
        await burst(app, pilot, "3", "ㅁ")  # a
        assert model.header().breaches_open == 0
        await burst(app, pilot, "ㅋ")  # z
        assert app.main.has_class("zoomed")
        await burst(app, pilot, "ctrl+ㅏ")  # ctrl+k
        assert model.header().state == "HALTED"
        await burst(app, pilot, "ㄱ")  # r
        assert isinstance(app.screen, RearmScreen)
        await burst(app, pilot, "escape")
        await burst(app, pilot, "ctrl+ㅂ")  # ctrl+q
        await burst(app, pilot, "ㅛ")  # y

    assert drive(steps).return_value == OPERATOR


def test_a_syllable_is_the_keys_that_were_joined_in_it() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("j", "j")
        before = app.main.routes.cursor
        await burst(app, pilot, "ㅓ")  # j
        assert app.main.routes.cursor == before + 1
        await burst(app, pilot, "자")  # w, which means nothing, and k
        assert app.main.routes.cursor == before

    drive(steps)


def test_an_input_takes_hangul_as_it_is_and_the_filter_understands_it() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash")
        await burst(app, pilot, "ㅌ", "게")
        assert app.main.query_one("#filter-input", Input).value == "ㅌ게"
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}

    drive(steps)
