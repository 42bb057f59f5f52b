"""Every palette says everything, and nothing by colour alone."""

import asyncio

import pytest
from textual.color import Color
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.palettes import DESCRIPTIONS
from arbtui.console.theme import THEMES
from arbtui.console.words import REASONS
from arbtui.model.reason import Reason
from tests.console.demo import DemoModel, demo_app
from tests.console.driving import drive, repaint

GROUNDS = ("on-page", "on-sim", "on-paper", "on-live", "on-halted", "on-paused", "on-frozen")
READABLE = 3.0
"""Contrast of WCAG 2 for large or bold text; what is faint on purpose is left out."""


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio of WCAG 2, 1 to 21."""

    def luminance(color: Color) -> float:
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("key", THEMES, ids="-".join)
def test_modes_and_states_differ_by_ground_in_every_palette(key: tuple[str, str]) -> None:
    variables = THEMES[key].variables
    assert set(variables) == set(THEMES["western", "dark"].variables)
    assert len({variables[name] for name in GROUNDS}) == len(GROUNDS)


@pytest.mark.parametrize("key", THEMES, ids="-".join)
def test_every_ink_that_must_be_read_can_be(key: tuple[str, str]) -> None:
    variables = THEMES[key].variables
    page = Color.parse(variables["on-page"])
    for ink in ("text", "strong", "soft", "dim", "key", "kill", "up", "down", "warn", "armed", "title"):
        assert contrast(page, Color.parse(variables[f"ink-{ink}"])) >= READABLE, ink
    for ink in ("paused", "frozen", "halted", "crit", "live", "paper", "sim", "tab"):
        assert contrast(Color.parse(variables[f"on-{ink}"]), Color.parse(variables[f"ink-{ink}"])) >= READABLE, ink


def test_korean_is_red_up_and_blue_down_and_cvd_uses_neither_red_nor_green() -> None:
    for ground in ("dark", "light"):
        korean, cvd = THEMES["korean", ground].variables, THEMES["cvd", ground].variables
        up, down = Color.parse(korean["ink-up"]), Color.parse(korean["ink-down"])
        assert up.r > max(up.g, up.b)
        assert down.b > max(down.r, down.g)
        up, down = Color.parse(cvd["ink-up"]), Color.parse(cvd["ink-down"])
        assert up.b > up.g > up.r
        assert down.r > down.g > down.b


def test_mono_holds_no_colour() -> None:
    for ground in ("dark", "light"):
        for name, value in THEMES["mono", ground].variables.items():
            color = Color.parse(value)
            assert color.r == color.g == color.b, name


def test_no_color_chooses_mono(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert demo_app(DemoModel(), palette="korean").theme == "arbtui-mono-dark"
    monkeypatch.delenv("NO_COLOR")
    assert demo_app(DemoModel(), "light", palette="korean").theme == "arbtui-korean-light"


@pytest.mark.parametrize("palette", DESCRIPTIONS)
def test_the_command_palette_switches(palette: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+p", *f"palette: {palette}")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
        assert app.theme == f"arbtui-{palette}-dark"
        wanted = THEMES[palette, "dark"].variables["ink-up"]
        color = app._inks.style("up").color
        assert color is not None
        assert color.name == wanted

    drive(steps)


def test_every_reason_is_explained() -> None:
    assert not [reason for reason in Reason if reason not in REASONS]


@pytest.mark.parametrize(("keys", "said"), [((), "or the first reason why"), (("3",), "blocks its asset until")])
def test_help_starts_with_the_pane_that_has_the_keys(keys: tuple[str, ...], said: str) -> None:
    async def main() -> None:
        app = demo_app(DemoModel().lived())
        async with app.run_test(size=(160, 60)) as pilot:
            await pilot.press(*keys, "question_mark")
            await pilot.pause()
            text = await repaint(app, pilot)
            assert said in text
            assert text.index(said) < text.index("KEYS")

    asyncio.run(main())
