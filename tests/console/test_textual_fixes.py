"""What is painted is not left to the garbage collector, and Textual is the version whose faults are mended."""

import gc
import weakref
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from arbtui.console import textual_fixes
from arbtui.console.app import ConsoleApp
from tests.console.demo import DemoModel
from tests.console.driving import drive

FRAMES = 100


@pytest.fixture(autouse=True)
def without_automatic_collections() -> Iterator[None]:
    textual_fixes.fix_textual()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_textual_is_the_version_whose_faults_are_mended() -> None:
    assert version("textual") == textual_fixes.VERSION, (
        "another Textual: read Strip.crop_extend, Strip.divide, "
        "StylesCache.get_inner_outer, Screen._compositor_refresh and MessagePump again, "
        "drop from arbtui/console/textual_fixes.py what it has mended, run `python -m tests.bench.console_soak`, then change VERSION"
    )


def crop(strip: Strip) -> Any:
    return strip.crop_extend(0, 5, None)


def crop_unfixed(strip: Strip) -> Any:
    return Strip.crop_extend.__wrapped__(strip, 0, 5, None)  # type: ignore[attr-defined]


def divide(strip: Strip) -> Any:
    return strip.divide([5])


def divide_unfixed(strip: Strip) -> Any:
    return Strip.divide.__wrapped__(strip, [5])  # type: ignore[attr-defined]


@pytest.mark.parametrize(("use", "is_left"), [(crop, False), (divide, False), (crop_unfixed, True), (divide_unfixed, True)])
def test_a_strip_that_fits_is_freed_when_it_is_dropped(use: Callable[[Strip], Any], is_left: bool) -> None:
    for _ in range(20):
        use(Strip([Segment("abcde")], 5))
    assert (gc.collect() > 0) is is_left


def test_strips_are_cropped_and_divided_as_ever() -> None:
    strip = Strip([Segment("abc"), Segment("de")], 5)
    assert strip.crop_extend(0, 5, None) is strip
    assert [strip.crop_extend(*cut, None).text for cut in ((1, 3), (0, 8), (2, 7), (5, 6))] == ["bc", "abcde   ", "cde  ", " "]
    assert [part.text for part in strip.divide([5])] == ["abcde"]
    assert [part.text for part in strip.divide(iter((2, 5, 9)))] == ["ab", "cde"]
    assert list(strip.divide([9])) == []


def test_the_styles_of_a_border_do_not_keep_the_widgets_lines() -> None:
    cache = StylesCache()
    seen = weakref.ref(cache)
    inner, outer = cache.get_inner_outer(Color(1, 2, 3), Color(4, 5, 6))
    assert (inner.background, outer.background) == (Color(4, 5, 6), Color(1, 2, 3))
    del cache
    assert seen() is None


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_painting_leaves_nothing_unreachable(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        async def paint(frames: int) -> None:
            for frame in range(frames):
                model.now_ms += 250
                model.touch(model.routes)
                if frame % 10 == 0:
                    model.breach("WARN", f"KIND{frame}", "global", "one more row")
                app.main.tick_all()
                await pilot.pause()

        await paint(10)
        gc.collect()
        await paint(FRAMES)
        unreachable = gc.collect()
        assert unreachable < FRAMES / 2, f"{unreachable} objects in {FRAMES} frames"

    drive(steps, size, DemoModel(50).lived())


def test_dialogs_that_were_opened_and_closed_are_freed() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        screens = []
        for _ in range(3):
            await pilot.press("question_mark")
            await pilot.pause()
            screens.append(weakref.ref(app.screen))
            await pilot.press("escape")
            await pilot.pause()
        gc.collect()
        assert [screen() for screen in screens[:-1]] == [None, None]

    drive(steps)


@pytest.mark.parametrize("is_fixed", [True, False])
def test_behind_a_dialog_only_what_changed_is_painted(monkeypatch: pytest.MonkeyPatch, is_fixed: bool) -> None:
    if not is_fixed:
        monkeypatch.setattr(Screen, "_compositor_refresh", Screen._compositor_refresh.__wrapped__)  # type: ignore[attr-defined]

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        updates: list[object] = []
        display = app._display

        def displayed(screen: Screen[Any], update: Any) -> None:
            updates.append(update)
            display(screen, update)

        monkeypatch.setattr(app, "_display", displayed)
        for _ in range(5):
            model.now_ms += 1_000
            app.main.tick_all()
            await pilot.pause()
        assert updates
        assert any(isinstance(update, LayoutUpdate) for update in updates) is not is_fixed

    drive(steps)
