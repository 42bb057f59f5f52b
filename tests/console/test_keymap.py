"""Keys that an operator may change, and what a change may be."""

import asyncio

import pytest
from pydantic import ValidationError
from textual.binding import Binding

from arbtui.console.app import ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.console.grid import Grid
from arbtui.console.keys import DEFAULT_KEYS, parts
from arbtui.console.killkey import KillKeyScanner
from arbtui.console.screens.help import PANE_HELP
from arbtui.console.screens.main import MainScreen
from tests.console.demo import DemoModel, demo_app
from tests.console.driving import repaint


def test_the_table_of_keys_is_that_of_the_bindings() -> None:
    bound: dict[str, list[str]] = {}
    for owner in (ConsoleApp, MainScreen, Grid):
        for binding in Binding.make_bindings(owner.BINDINGS):
            assert binding.id is not None
            bound.setdefault(binding.id, []).append(binding.key)
    told = {name: [key.key for key in Binding.make_bindings([Binding(keys, "")])] for name, keys in DEFAULT_KEYS.items()}
    assert bound == told


def test_help_names_only_keys_that_there_are() -> None:
    assert all(name in DEFAULT_KEYS for _, names in PANE_HELP.values() for name in names)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"paus": "f5"}, "paus: no such action; did you mean pause?"),
        ({"kill": "k"}, "kill: 'k' will not do: it must work everywhere"),
        ({"kill": ""}, "kill: '' will not do"),
        ({"kill": "f5"}, "kill: 'f5' will not do"),
        ({"kill": "ctrl+g,k"}, "kill: 'k' will not do"),
        ({"kill": "ctrl+m"}, "kill: ctrl+m will not do: a terminal sends the same for enter"),
        ({"kill": "ctrl+q"}, "kill: ctrl+q is the key of quit already; give quit another one too"),
        ({"pause": ""}, "pause: give a key"),
        ({"pause": "r"}, "pause: r is the key of rearm already"),
        ({"pause": "u", "zoom": "u"}, "zoom: u is the key of pause already"),
        ({"pause": "pgdn"}, "pause: 'pgdn' is no key; did you mean pagedown?"),
        ({"pause": "f55"}, "'f55' is no key"),
        ({"pause": 5}, "Input should be a valid string"),
    ],
)
def test_a_remapping_that_cannot_work_is_refused(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match="keys") as caught:
        ConsoleConfig(keys=keys)
    assert said in str(caught.value)


def test_keys_may_be_swapped_and_written_as_nested_tables() -> None:
    assert ConsoleConfig(keys={"pause": "r", "rearm": "p"}).keys == {"pause": "r", "rearm": "p"}
    assert ConsoleConfig.model_validate({"keys": {"pane": {"next": "n"}}}).keys == {"pane.next": "n"}
    assert parts(",") == [","]


def test_remapped_keys_act_and_are_named_everywhere() -> None:
    model = DemoModel().lived()
    app = demo_app(model, keys={"kill": "ctrl+g", "pause": "f5", "rearm": ",", "grid.down": "n", "help": "f1"})

    async def main() -> None:
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.pause()
            await pilot.press("p")
            assert "p does nothing here; F1 lists the keys" in await repaint(app, pilot)
            await pilot.press("f5", "n")
            assert model.header().state == "PAUSED"
            assert app.main.routes.cursor == 1
            await pilot.press("ctrl+k")
            assert model.kills == []
            await pilot.press("f1")
            await pilot.pause()
            await pilot.press("ctrl+g")
            assert model.kills == ["KEY"]
            await pilot.press("escape")
            text = await repaint(app, pilot)
            assert "^G KILL" in text
            assert ", re-arm" in text
            await pilot.press("comma")
            await pilot.pause()
            assert type(app.screen).__name__ == "RearmScreen"

    asyncio.run(main())
    assert app.kill_letter == "g"


def test_the_input_thread_looks_for_the_remapped_kill_key() -> None:
    for data in (b"\x07", b"\x1b[103;5u", b"\x1b[12622;5u", b"\x1b[27;5;103~"):
        assert KillKeyScanner("g").feed(data, 0.0)
        assert not KillKeyScanner().feed(data, 0.0)
    assert not KillKeyScanner("g").feed(b"\x0b", 0.0)
