"""Pictures of the main states, on a clock that stands still."""

from typing import Any, Literal

import pytest
from textual.pilot import Pilot

from tests.console.demo import DemoModel, demo_app


@pytest.mark.parametrize(
    ("name", "size", "theme", "keys"),
    [
        ("small", (80, 24), "dark", ()),
        ("small detail", (80, 24), "dark", ("j", "enter")),
        ("large", (160, 48), "dark", ()),
        ("large light", (160, 48), "light", ("3",)),
        ("small halted", (80, 24), "dark", ("ctrl+k",)),
        ("large halted light", (160, 48), "light", ("ctrl+k",)),
    ],
)
def test_picture(snap_compare: Any, name: str, size: tuple[int, int], theme: Literal["dark", "light"], keys: tuple[str, ...]) -> None:
    app = demo_app(DemoModel().lived(), theme)

    async def settle(pilot: Pilot[str]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        app.main.tick_all()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)
