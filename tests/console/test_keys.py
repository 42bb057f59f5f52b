"""What keys do, and what they say when they cannot."""

import pytest
from textual.pilot import Pilot

from arbtui.console.app import OPERATOR, ConsoleApp
from arbtui.console.screens.disarm import DisarmScreen
from arbtui.console.screens.help import HEADER_HELP, HelpScreen
from arbtui.console.screens.quit import QuitScreen
from arbtui.console.screens.rearm import RearmScreen
from arbtui.console.screens.settle import SettleScreen
from arbtui.console.screens.typed import TypedScreen
from arbtui.views import BreachLine
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint, screen_text

SIZES = [(80, 24), (160, 48)]
PLACES = {
    "grid": (),
    "fills": ("2",),
    "filter": ("slash", "x", "r", "p"),
    "help": ("question_mark",),
    "palette": ("ctrl+p",),
    "quit question": ("ctrl+q",),
    "disarm question": ("D", "u"),
    "zoom": ("5", "z"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_kill_key_works_from_everywhere(size: tuple[int, int], place: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(*PLACES[place])
        await pilot.pause()
        assert model.header().state == "ARMED"
        await pilot.press("ctrl+k")
        assert model.kills == ["KEY"]
        assert "HALTED" in await repaint(app, pilot)

    drive(steps, size)


@pytest.mark.parametrize("size", [*SIZES, (40, 10), (20, 3)])
def test_kill_key_works_in_any_terminal(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        assert model.kills == ["KEY"]
        assert "HALTED" in (await repaint(app, pilot)).splitlines()[0]

    drive(steps, size)


def test_kill_key_works_while_rearming() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, RearmScreen)
        await pilot.press("u", "ctrl+k")
        assert model.kills == ["KEY", "KEY"]
        assert model.header().state == "HALTED"

    drive(steps)


def test_rearm_takes_the_profiles_name_and_a_reason() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r", *"upbit", "enter", *"why", "enter")
        await pilot.pause()
        assert model.header().state == "HALTED"
        assert "the name is not upbit-binance" in screen_text(app)
        await pilot.press(*"upbit-binance", "enter", "enter")
        await pilot.pause()
        assert model.header().state == "ARMED"
        assert "re-armed: state is ARMED" in await repaint(app, pilot)

    drive(steps)


def test_rearm_shows_what_of_the_checklist_is_not_fine() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.failing = ["upbit feed: nothing is heard from it"]
        await pilot.press("ctrl+k", "r")
        await pilot.pause()
        assert "not fine: upbit feed: nothing is heard from it" in screen_text(app)

    drive(steps)


def test_rearm_without_a_reason_is_refused() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r", *"upbit-binance", "enter", "enter")
        await pilot.pause()
        assert model.header().state == "HALTED"
        assert "give a reason" in screen_text(app)
        await pilot.press("escape")
        assert "not re-armed: state is HALTED" in await repaint(app, pilot)

    drive(steps)


def test_what_started_disarmed_is_armed_by_name_and_reason() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.header().state = "DISARMED"
        model.header().scenario = "sandbox"
        await repaint(app, pilot)
        await pilot.press("p")
        assert "does nothing while DISARMED" in await repaint(app, pilot)
        await pilot.press("r")
        await pilot.pause()
        assert "Arm LIVE sandbox" in screen_text(app)
        assert "no order leaves before you arm it" in screen_text(app)
        await pilot.press(*"upbit-binance", "enter", *"go", "enter")
        await pilot.pause()
        assert " armed: state is ARMED" in await repaint(app, pilot)

    drive(steps, model=DemoModel(mode="LIVE").lived())


def test_rearm_says_why_not_while_armed() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("r")
        assert not isinstance(app.screen, RearmScreen)
        assert "not halted, state is ARMED" in await repaint(app, pilot)

    drive(steps)


def _one_sided() -> DemoModel:
    model = DemoModel().lived()
    residual = BreachLine("r1-b1", 0, "CRIT", "RESIDUAL", "r1-9", "BTC:upbit>binance leaves 46.65331234 BTC (REJECTED)", "settle", False)
    model._breaches[:] = [residual]
    return model


@pytest.mark.parametrize("size", SIZES)
def test_every_way_to_settle_a_position_is_listed_with_its_cost_and_fits(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("3", "w")
        await pilot.pause()
        assert isinstance(app.screen, SettleScreen)
        text = screen_text(app)
        for shown in ("1 complete upbit", "2 flatten binance", "costs 14.0021 USDT", "3 adjust binance", "4 flatten okx", "5 write-off"):
            assert shown in text, shown
        for label in ("leaves 46.65331234 BTC", "Which way (1 to 5)", "The profile's name", "Reason, for the journal", "Esc leave it"):
            assert label in text, label
        await pilot.press("7", "enter", *"upbit-binance", "enter", *"x", "enter")
        await pilot.pause()
        assert "which way? type 1 to 5" in screen_text(app)
        await pilot.press("backspace", "4", "enter", "enter", "enter")
        await pilot.pause()
        assert "flatten okx: not now: its book is STALE" in screen_text(app)
        assert (model.settled, model.trades) == ([], [])

    drive(steps, size, model=_one_sided())


def test_a_trade_is_under_way_until_its_end_is_told_and_the_position_stays_until_then() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("3", "w")
        await pilot.pause()
        await pilot.press("2", "enter", *"upbit-binance", "enter", *"too dear", "enter")
        await pilot.pause()
        ((way, tell),) = model.trades
        assert (way.verb, way.exchange, way.worst) == ("flatten", "binance", "64123.45")
        assert "orders are under way: RESIDUAL r1-9" in await repaint(app, pilot)
        assert "leaves 46.65" in screen_text(app)
        tell("r1-9 still leaves 40 BTC: sold 6.65 BTC at binance")
        assert "r1-9 still leaves 40 BTC" in await repaint(app, pilot)

    drive(steps, model=_one_sided())


def test_a_position_is_settled_by_name_and_reason_and_anything_else_says_that_it_cannot_be() -> None:
    model = _one_sided()

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("w")
        assert "3" in app.main.flash.text  # the pane in which it works
        await pilot.press("3", "w")
        await pilot.pause()
        assert isinstance(app.screen, SettleScreen)
        await pilot.press("5", "enter", *"upbit", "enter", *"moved by hand", "enter")
        await pilot.pause()
        assert "type the profile's name" in screen_text(app)
        assert model.settled == []
        await pilot.press(*"upbit-binance", "enter", "enter")
        await pilot.pause()
        assert model.settled == ["r1-9"]
        assert "r1-9 is settled: write-off" in await repaint(app, pilot)
        model._breaches[:] = [BreachLine("r1-b2", 0, "WARN", "STALE", "UPBIT", "silent", "", False)]
        model.breaches_version += 1
        await repaint(app, pilot)
        await pilot.press("w")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert "nothing to settle" in await repaint(app, pilot)

    drive(steps, (120, 40), model=model)


def test_pause_and_resume() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("p")
        text = await repaint(app, pilot)
        assert "[PAUSED]" in text
        assert "p resume" in text
        await pilot.press("p")
        assert "[ARMED]" in await repaint(app, pilot)
        await pilot.press("ctrl+k", "p")
        assert model.header().state == "HALTED"
        assert "r re-arms first" in await repaint(app, pilot)

    drive(steps)


@pytest.mark.parametrize("size", SIZES)
def test_disarm_asks_once_says_what_it_does_and_takes_a_reason(size: tuple[int, int]) -> None:
    model = DemoModel().lived()
    model.header().open_cycles = 1

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("D")
        await pilot.pause()
        assert isinstance(app.screen, DisarmScreen)
        text = screen_text(app)
        for words in ("No order leaves until", "also after a restart", "1 cycle in transit", "Reason, for the journal", "Esc leave it"):
            assert words in text, words
        await pilot.press("escape")
        assert (model.header().state, model.disarmed) == ("ARMED", [])
        assert "left as it is: state is ARMED" in await repaint(app, pilot)
        await pilot.press("D", *"to raise a limit", "enter")
        await pilot.pause()
        assert model.disarmed == ["to raise a limit"]
        text = await repaint(app, pilot)
        assert "[DISARMED]" in text
        assert "disarmed, also after a restart: no order leaves until r arms it" in text
        await pilot.press("D")
        assert "DISARMED already, also after a restart: r arms" in await repaint(app, pilot)
        await pilot.press("r", *"upbit-binance", "enter", *"done", "enter")
        await pilot.pause()
        assert model.header().state == "ARMED"

    drive(steps, size, model=model)


def test_disarm_needs_no_reason() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("D", "enter")
        await pilot.pause()
        assert (model.disarmed, model.header().state) == ([""], "DISARMED")

    drive(steps)


def test_disarm_is_refused_while_a_cycle_is_open_and_says_how_it_comes_about() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.unfinished = 2
        await pilot.press("D")
        assert "2 cycles open: disarm once none is   p pauses, ^K halts now" in await repaint(app, pilot)
        await pilot.press("p", "D")
        text = await repaint(app, pilot)
        assert "2 cycles open: disarm once none is" in text
        assert "p pauses" not in text
        model.unfinished = 0
        await pilot.press("D")
        await pilot.pause()
        model.unfinished = 1  # opened meanwhile
        await pilot.press("x", "enter")
        await pilot.pause()
        assert "1 cycles open" in screen_text(app)
        assert (model.header().state, model.disarmed) == ("PAUSED", [])

    drive(steps)


def test_a_halt_is_not_disarmed() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "D")
        assert "HALTED: a kill holds" in await repaint(app, pilot)
        assert (app.screen, model.disarmed) == (app.main, [])

    drive(steps)


def test_what_only_waits_to_be_armed_can_be_disarmed_for_good() -> None:
    model = DemoModel(mode="LIVE").lived()
    model.header().state = "DISARMED"
    model.header().halt_detail = "re-armed by ann while it was stopped (seen): arms as soon as the checklist is clean"

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("D")
        await pilot.pause()
        text = " ".join(screen_text(app).split())
        assert "DISARMED now, but not for good: re-armed by ann" in text
        await pilot.press(*"no", "enter")
        await pilot.pause()
        assert model.disarmed == ["no"]

    drive(steps, model=model)


def test_acknowledged_breach_stays_listed_and_counts_no_more() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("a")
        assert "3 goes there" in await repaint(app, pilot)
        await pilot.press("3", "a")
        text = await repaint(app, pilot)
        assert model.header().breaches_open == 0
        assert "LEG_IMBALANCE SOL" in text
        assert "(acked)" in text
        await pilot.press("a")
        assert "nothing to acknowledge" in await repaint(app, pilot)

    drive(steps)


def test_a_new_critical_breach_is_said_in_the_flash_line() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.breach("CRIT", "UNHEDGED", "global", "2,100 > 2,000 USDT")
        text = await repaint(app, pilot)
        assert "! CRIT UNHEDGED global 2,100 > 2,000 USDT   3 opens Risk" in text
        await pilot.press("ctrl+k")
        model.breach("CRIT", "KILL", "global", "by KEY")
        assert "r re-arms" in await repaint(app, pilot)

    drive(steps)


@pytest.mark.parametrize(("key", "said"), [("u", "u does nothing here"), ("f7", "f7 does nothing here"), ("ctrl+c", "^Q quits")])
def test_keys_without_a_meaning_say_so(key: str, said: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(key)
        assert said in await repaint(app, pilot)
        assert app._exit is False

    drive(steps)


def test_keys_with_a_meaning_do_not() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("j", "2", "tab", "z", "z", "1", "G", "pagedown")
        assert "does nothing" not in await repaint(app, pilot)

    drive(steps)


def test_quit_asks_once_while_something_is_open() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        assert "4 cycles open, 7 orders in flight" in screen_text(app)
        await pilot.press("n")
        assert app.return_value is None
        await pilot.press("ctrl+q", "ctrl+q")

    assert drive(steps).return_value == OPERATOR


def test_one_is_not_plural() -> None:
    model = DemoModel().lived()
    model.header().open_cycles = model.header().orders_in_flight = 1

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert "1 cycle open, 1 order in flight" in screen_text(app)

    drive(steps, model=model)


def test_no_two_commands_of_the_palette_share_a_name() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert len(set(names)) == len(names)
        assert {"Detail", "Go to Detail"} <= set(names)

    drive(steps)


def test_quit_at_rest_does_not_ask() -> None:
    model = DemoModel().lived()
    model.header().open_cycles = model.header().orders_in_flight = 0

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+q")

    app = drive(steps, model=model)
    assert app.return_value == OPERATOR
    assert app.return_code == 0


def test_help_explains_every_key() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        for words in ("Halt now", "Quit; asks once", "Filter routes", "acknowledge the breach", "Only this pane"):
            assert words in text
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)

    drive(steps, (160, 80))


def test_help_explains_every_word_of_the_header() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        _, second, *_ = (await repaint(app, pilot)).splitlines()
        told = " ".join(HEADER_HELP)
        for word in ("exposure", "opportunities", "unhedged", "cycles", "orders", "breach", "FX"):
            assert word in second
            assert word in told
        await pilot.press("question_mark")
        await pilot.pause()
        assert "bought and not sold, or sold and not bought" in screen_text(app)

    drive(steps, (160, 110))


def test_every_binding_can_be_explained_and_remapped() -> None:
    from textual.binding import Binding

    from arbtui.console.grid import Grid
    from arbtui.console.panes.filter_bar import FilterBar
    from arbtui.console.screens.main import MainScreen

    owners = (ConsoleApp, MainScreen, Grid, FilterBar, HelpScreen, TypedScreen, QuitScreen)
    bindings = [binding for owner in owners for binding in owner.BINDINGS]
    assert all(isinstance(binding, Binding) and binding.id and binding.tooltip for binding in bindings)


def test_palette_switches_the_theme() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+p", *"light")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
        assert app.theme == "arbtui-western-light"
        ground = app._inks.style("text").bgcolor
        assert ground is not None
        assert ground.name == "#f7f6f2"

    drive(steps)


def test_an_error_in_the_read_model_ends_the_console_and_is_kept() -> None:
    class Broken(DemoModel):
        def breaches(self) -> list[BreachLine]:
            raise RuntimeError("the projection is broken")

    model = Broken()

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await app.main.workers.wait_for_complete()

    with pytest.raises(RuntimeError, match="projection is broken"):
        drive(steps, model=model)


def test_a_message_takes_the_room_that_a_later_layout_gives() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        said = f"{'a long word ' * 9}and its end"
        app.main.flash.say(said)
        assert said not in await repaint(app, pilot)
        await pilot.resize_terminal(160, 24)
        await pilot.pause()
        assert said in screen_text(app)

    drive(steps)


def test_disarmed_says_how_to_arm() -> None:
    model = DemoModel(mode="LIVE").lived()
    model.header().state = "DISARMED"

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        text = await repaint(app, pilot)
        assert "DISARMED: no order leaves until r arms it" in text
        assert "r arm " in text
        assert "p pause" not in text
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Arm at the start or after a halt" in screen_text(app)

    drive(steps, (160, 80), model=model)
