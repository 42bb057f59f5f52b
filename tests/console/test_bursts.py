"""Keys that come at once: typed ahead of a dialog, or pasted; and arming that a kill has outlived.

``burst`` posts single keys at once, as a person's that were read late; ``pasted`` posts what the input thread calls a burst.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from arbtui.console.app import MOST_MOVES, ConsoleApp
from arbtui.console.bursts import KeyBurst
from arbtui.console.screens.rearm import RearmScreen
from arbtui.console.type_ahead import BURST_QUIET_S
from tests.console.demo import DemoModel
from tests.console.driving import burst, drive, repaint, screen_text, settle


def test_what_follows_the_slash_in_one_burst_is_the_filters() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "slash", " ", *"xrp")
        assert app.main.query_one("#filter-input", Input).value.strip() == "xrp"
        assert model.header().state == "ARMED"
        assert model.disabled == {}
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}

    drive(steps)


def test_the_arm_dialog_takes_a_whole_burst_field_by_field() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        await burst(app, pilot, "r", *"upbit-binance", "enter", *"px r", "enter")
        await pilot.pause()
        assert model.header().state == "ARMED"
        assert model.disabled == {}
        assert "re-armed: state is ARMED" in await repaint(app, pilot)

    drive(steps)


def test_a_refused_burst_leaves_the_reason_in_its_field() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        await burst(app, pilot, "r", *"upbit", "enter", *"why", "enter")
        assert "the name is not upbit-binance" in screen_text(app)
        assert [app.screen.query_one(f"#typed-{name}", Input).value for name in ("name", "reason")] == ["upbit", "why"]

    drive(steps)


def test_the_palette_takes_a_burst() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "ctrl+p", *"px")
        assert app.screen.query_one(Input).value == "px"
        assert (model.header().state, model.disabled) == ("ARMED", {})
        await pilot.press("escape")  # else its search could go on while the app is taken apart

    drive(steps)


def test_a_paste_is_no_command_and_goes_into_an_input_only() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        app.post_message(events.Paste("xp\n/r"))
        assert "a paste does nothing here" in await repaint(app, pilot)
        assert (model.header().state, model.disabled, app.main.filter_bar.is_open) == ("ARMED", {}, False)
        await pilot.press("slash")
        app.post_message(events.Paste("xrp"))
        await pilot.pause()
        assert app.main.query_one("#filter-input", Input).value == "xrp"

    drive(steps)


def test_a_kill_closes_an_arm_dialog_and_what_is_still_typed_does_nothing() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.header().state = "DISARMED"
        await repaint(app, pilot)
        await pilot.press("r", *"upbit")
        await settle(app, pilot)
        model.kill("CLI")
        await repaint(app, pilot)
        assert not isinstance(app.screen, RearmScreen)
        await burst(app, pilot, *"xrp", "enter", "x")
        assert (model.header().state, model.disabled, app.main.active) == ("HALTED", {}, "routes")
        assert "not armed: a kill came" in await repaint(app, pilot)
        model.now_ms += 1_100
        await pilot.press("r")
        await settle(app, pilot)
        assert "HALTED since" in screen_text(app)

    drive(steps, model=DemoModel(mode="LIVE").lived())


def test_a_repeated_kill_key_closes_the_dialog_of_the_first() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r")
        await burst(app, pilot, *"upbit-binance", "enter", *"why", "ctrl+k", "enter")
        assert model.header().state == "HALTED"
        assert not isinstance(app.screen, RearmScreen)

    drive(steps)


def test_a_kill_that_the_screen_has_not_seen_yet_refuses_the_arming() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r", *"upbit-binance", "enter", *"why")
        await settle(app, pilot)
        dialog = app.screen
        assert isinstance(dialog, RearmScreen)
        model.kill("CLI")
        dialog._act()
        assert model.header().state == "HALTED"

    drive(steps)


async def pasted(app: ConsoleApp, pilot: Pilot[str], *keys: str) -> None:
    """Give ``keys`` as the input thread gives those that nobody can have typed."""
    app.post_message(KeyBurst([events.Key(key, key if len(key) == 1 else "\r" if key == "enter" else None) for key in keys]))
    await settle(app, pilot)


def test_a_burst_outside_an_input_does_nothing_and_says_so() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pasted(app, pilot, *"xpa3r/sy", "enter", "ctrl+q", "ctrl+p")
        assert "11 keys at once" in await repaint(app, pilot)
        assert (model.header().state, model.disabled, app.main.active) == ("ARMED", {}, "routes")
        assert (app.screen, app.main.filter_bar.is_open, app._exit) == (app.main, False, False)

    drive(steps)


def test_a_burst_that_begins_with_disarm_does_nothing() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pasted(app, pilot, *"Dead", "enter")
        assert "5 keys at once" in await repaint(app, pilot)
        assert (app.screen, model.header().state, model.disarmed) == (app.main, "ARMED", [])

    drive(steps)


def test_what_is_typed_ahead_of_the_disarm_dialog_is_its_reason() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "D", *"px r", "enter")
        await pilot.pause()
        assert (model.disarmed, model.header().state, model.disabled) == (["px r"], "DISARMED", {})

    drive(steps)


def test_the_kill_key_in_a_burst_halts() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pasted(app, pilot, *"xp", "ctrl+k", *"xp")
        assert (model.header().state, model.disabled) == ("HALTED", {})
        assert "KILL: the gate is closed" in await repaint(app, pilot)

    drive(steps)


def test_the_last_letters_of_a_paste_over_a_slow_line_do_nothing_either() -> None:
    now = 0.0

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        nonlocal now
        app._type_ahead._monotonic = lambda: now
        await pasted(app, pilot, *"what is pa")
        now += BURST_QUIET_S / 2
        await burst(app, pilot, "x")
        assert model.disabled == {}
        now += 2 * BURST_QUIET_S
        await burst(app, pilot, "x")
        assert len(model.disabled) == 1

    drive(steps)


def test_a_key_held_down_on_a_slow_line_moves_the_cursor() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pasted(app, pilot, *(["down"] * 5))
        assert app.main.routes.cursor == 5

    drive(steps)


@pytest.mark.parametrize("post", [burst, pasted])
def test_between_two_keys_that_wait_the_engine_has_a_turn(monkeypatch: pytest.MonkeyPatch, post: Callable[..., Awaitable[None]]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        turns = 0

        async def engine() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        seen: list[int] = []
        monkeypatch.setattr(type(app.main.routes), "action_move", lambda grid, rows: seen.append(turns))
        beside = asyncio.create_task(engine())
        await post(app, pilot, *(["down"] * 20))
        beside.cancel()
        assert len(set(seen)) == len(seen) == 20

    drive(steps)


def test_more_moves_at_once_than_a_hand_can_make_cost_no_more() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pasted(app, pilot, *(["down"] * (MOST_MOVES + 300)))
        assert app.main.routes.cursor == MOST_MOVES

    drive(steps, model=DemoModel(MOST_MOVES + 100).lived())


def test_a_kill_key_that_was_held_down_halts_once() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        sources: list[str] = []
        model.kill = lambda source, reason="": bool(sources.append(source))  # type: ignore[method-assign,func-returns-value]
        await pasted(app, pilot, *(["ctrl+k"] * 50))
        assert sources == ["KEY"]

    drive(steps)


def test_a_burst_into_a_dialog_without_an_input_is_no_answer() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+q")
        await pasted(app, pilot, *"yyyy")
        assert app._exit is False

    drive(steps)


def test_a_burst_in_an_input_is_text_as_far_as_there_is_room() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash")
        await pasted(app, pilot, *("!" * 3_000))
        field = app.main.query_one("#filter-input", Input)
        assert field.value == "!" * (field.max_length or 0)
        await pasted(app, pilot, "enter", *"xpx")
        assert (model.header().state, model.disabled) == ("ARMED", {})

    drive(steps)
