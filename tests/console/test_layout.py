"""What is on screen at which size."""

import math
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.model.scoped_halts import Depth, ScopedHalt
from tests.console.demo import DemoModel
from tests.console.driving import burst, drive, repaint

VISIBLE = {
    (160, 48): {"header", "routes", "detail", "fills", "risk", "system", "log", "flash", "footer"},
    (80, 24): {"header", "tabs", "routes", "fills", "risk", "system", "flash", "footer"},
    (159, 30): {"header", "tabs", "routes", "fills", "risk", "system", "flash", "footer"},
    (79, 24): {"header", "routes", "flash", "footer"},
    (80, 23): {"header", "routes", "flash", "footer"},
    (59, 24): {"too-small"},
    (40, 10): {"too-small"},
}
IDS = ("header", "tabs", "routes", "detail", "fills", "risk", "system", "log", "flash", "filter-bar", "footer", "too-small")


@pytest.mark.parametrize("size", VISIBLE)
def test_panes_by_size(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        shown = {name for name in IDS if app.main.query_one(f"#{name}") in app.main._compositor.visible_widgets}
        assert shown == VISIBLE[size]
        for name in shown:
            region = app.main.query_one(f"#{name}").region
            assert region.right <= size[0]
            assert region.bottom <= size[1]

    drive(steps, size)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48), (250, 80)])
def test_mode_state_and_age_are_always_visible(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for keys in ((), ("2",), ("3",), ("4",), ("5",), ("z",), ("question_mark",), ("escape", "ctrl+p"), ("escape", "ctrl+k")):
            await pilot.press(*keys)
            first, second, *_ = (await repaint(app, pilot)).splitlines()
            assert "SIM busy" in first
            assert ("[ARMED]" if "ctrl+k" not in keys else "HALTED 00:00:00 by KEY") in first
            assert "UPBIT 12ms ok" in second
            assert "BINANCE 31ms ok" in second
            assert "FX 1384.2 (3s)" in second
            assert "breach 1" in second

    drive(steps, size)


@pytest.mark.parametrize(
    ("width", "value", "told"),
    [
        (160, 612.4, "KRW exposure +612.40 USDT for 13m"),
        (160, -120.0, "KRW exposure -120.00 USDT for 13m"),
        (80, 612.4, "KRW +612"),
        (80, math.nan, "KRW -"),
        (80, 504.0, ""),
        (80, -120.0, ""),
    ],
)
def test_the_header_tells_what_is_open_of_the_won_beside_all_else(width: int, value: float, told: str) -> None:
    model = DemoModel().lived()
    model.header().open_fx = (replace(model.header().open_fx[0], value=value),)

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for unhedged in (0.0, 12.5):
            model.header().unhedged = unhedged
            first, second, *_ = (await repaint(app, pilot)).splitlines()
            assert told in second
            assert ("KRW" in second) is bool(told)
            assert "[ARMED]" in first
            assert "PnL day" in first
            for words in (
                "UPBIT 12ms ok",
                "BINANCE 31ms ok",
                "FX 1384.2 (3s)",
                "breach 1",
                *(["unhedged 12"] if unhedged else ["cycles 4"]),
            ):
                assert words in second

    drive(steps, (width, 24 if width == 80 else 48), model)


def test_a_halt_tells_what_is_open_of_the_won_beside_what_it_left() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        first, second, *_ = (await repaint(app, pilot)).splitlines()
        assert "HALTED" in first
        assert "unhedged 12" in second or "unhedged 12" in first
        assert "KRW +612" in second

    drive(steps)


def test_digits_switch_the_one_table_of_a_small_terminal() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for key, words in {"2": "BUY", "3": "LEG_IMBALANCE", "4": "loop lag", "5": "journal opened", "1": "SELL@"}.items():
            await pilot.press(key)
            text = await repaint(app, pilot)
            assert f"[{key} " in text
            assert words in text

    drive(steps)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_panes_do_not_take_the_focus_from_each_other_for_ever(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        shown: list[str] = []
        show = app.main._show

        def showing(pane: str) -> None:
            shown.append(pane)
            show(pane)

        monkeypatch.setattr(app.main, "_show", showing)
        await burst(app, pilot, *"2321723")
        assert app.main.active == "risk"
        assert app.focused is app.main.risk
        assert shown == ["fills", "risk", "fills", "routes", "stock", "fills", "risk"]

    drive(steps, size)


def test_the_fills_that_are_kept_are_not_told_as_a_total() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("2")
        title = next(line for line in (await repaint(app, pilot)).splitlines() if "[2] Fills" in line)
        assert f"Fills last {len(model.cycles())} " in title

    drive(steps, (160, 48))


def test_shrinking_returns_to_the_routes_and_hides_an_open_filter() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("2")
        await pilot.resize_terminal(70, 20)
        assert app.main.active == "routes"
        await pilot.press("4")
        assert "only Routes fits here" in await repaint(app, pilot)
        await pilot.press("slash", "x")
        assert "filter /x" in await repaint(app, pilot)
        await pilot.resize_terminal(40, 10)
        lines = (await repaint(app, pilot)).splitlines()
        assert "SIM ARMED" in lines[0]
        assert not "".join(lines[1:]).strip()
        await pilot.resize_terminal(80, 24)
        assert "filter /x" in await repaint(app, pilot)

    drive(steps)


def test_zoom_leaves_one_pane_and_comes_back() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("2", "z")
        await pilot.pause()
        assert app.main.fills.size.height > 35
        assert not app.main.query_one("#upper").display
        await pilot.press("z")
        await pilot.pause()
        assert app.main.query_one("#upper").display
        assert app.main.query_one("#log").display

    drive(steps, (160, 48))


@pytest.mark.parametrize("mode", ["SIM", "PAPER", "LIVE"])
def test_modes_differ_by_word_and_ground(mode: str) -> None:
    model = DemoModel(mode=mode)

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        assert f" {mode}" in (await repaint(app, pilot)).splitlines()[0]
        grounds = {app._inks.style(ink).bgcolor for ink in ("sim", "paper", "live")}
        assert len(grounds) == 3

    drive(steps, model=model)


def test_no_color_keeps_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        text = await repaint(app, pilot)
        assert "HALTED 00:00:00 by KEY" in text
        assert "! CRIT" in text
        assert "▲" in text
        ground = app.screen.background_colors[1]
        strips = [strip.apply_filter(app._filters[0], ground) for strip in app.screen._compositor.render_strips()]
        colors = [segment.style.color for strip in strips for segment in strip if segment.style is not None]
        grey = [len(set(color.get_truecolor())) == 1 for color in colors if color is not None]
        assert len(grey) > 100
        assert all(grey)

    drive(steps)


@pytest.mark.parametrize(("size", "keys"), [((80, 24), ("4",)), ((160, 48), ("4", "z"))])
def test_the_system_page_shows_each_venues_health_and_what_is_left_of_its_limits(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(*keys)
        text = await repaint(app, pilot)
        upbit, binance = (next(line for line in text.splitlines() if line.strip().startswith(name)) for name in ("upbit ", "binance "))
        won = next(line for line in text.splitlines() if line.strip().startswith("KRW exposure"))
        assert "+612.40 USDT of 1,000 for 00:12:34, band 500  blocked: NO_STOCK" in won
        assert ("netted 12,345 for 8.38" in won) is (size[0] > 80)
        assert "HEALTHY" in upbit
        assert "order used 10 of 12" in upbit
        assert "DEGRADED" in binance
        assert "silent for 12s" in binance
        assert "wants no requests" in binance
        assert ("weight/1m used 4,300 of 6,000" in binance) is (size[0] > 80)
        assert all(len(line) <= size[0] for line in text.splitlines())

    drive(steps, size)


@pytest.mark.parametrize(("keys", "pane"), [((), "routes"), (("slash", "x"), "")])
def test_a_terminal_that_was_too_small_for_a_while_gives_the_keys_back(keys: tuple[str, ...], pane: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(*keys)
        focused = app.focused
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await repaint(app, pilot)
        assert app.focused is focused
        if pane:
            await pilot.press("j")
            assert app.main.routes.cursor == 1
            assert "▸" in await repaint(app, pilot)

    drive(steps)


@pytest.mark.parametrize(("mode", "scenario"), [("SIM", "busy"), ("LIVE", "sandbox")])
def test_at_80_columns_money_outlasts_the_clock_and_the_streams_ages(mode: str, scenario: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        header = model.header()
        header.scenario, header.unhedged, header.orders_in_flight = scenario, 112_345.0, 17
        first, second, *_ = (await repaint(app, pilot)).splitlines()
        assert "PnL day ▲ +1,28" in first
        assert "upbit-binance" in first
        assert "unhedged 112,345" in second
        assert "UPBIT ok" in second
        header.state = "DISARMED"
        assert "PnL day ▲ +1,28" in (await repaint(app, pilot)).splitlines()[0]

    drive(steps, model=DemoModel(mode=mode).lived())


def test_a_halt_keeps_profile_pnl_and_unhedged_and_says_what_is_left() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        header = model.header()
        header.halt_detail = "UPBIT ok, BINANCE ok"
        first, second, *_ = (await repaint(app, pilot)).splitlines()
        for words in ("HALTED 00:00:00 by KEY", "PnL day ▲ +1,28", "upbit-binance", "SIM busy"):
            assert words in first
        assert "unhedged 12" in second
        header.state, header.halt_detail = "HALTED_DIRTY", "BINANCE cancels not confirmed (no answer), 1 cycles open"
        first, second, *_ = (await repaint(app, pilot)).splitlines()
        assert "HALTED_DIRTY" in first
        assert "BINANCE cancels not confirmed" in second
        assert "unhedged 12" in second

    drive(steps)


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("state", ["ARMED", "HALTED_DIRTY"])
def test_risk_offers_to_acknowledge_and_settle_before_what_may_wait(state: str, width: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.header().state = state
        await pilot.press("3")
        last = (await repaint(app, pilot)).splitlines()[-1]
        for words in ("a ack", "w settle", "? help", "^Q quit"):
            assert words in last

    drive(steps, (width, 48 if width == 160 else 24))


def test_what_a_halt_left_is_to_be_settled_says_the_footer_of_every_pane() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for state, is_told in (("HALTED_DIRTY", True), ("HALTED", False)):
            model.header().state = state
            for pane in "12":
                await pilot.press(pane)
                last = (await repaint(app, pilot)).splitlines()[-1]
                assert ("w settle" in last) is is_told, (state, pane)

    drive(steps)


@pytest.mark.parametrize("width", [80, 120, 160])
def test_a_live_engine_that_nobody_watches_says_so_quietly(width: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        header = model.header()
        header.mode, header.scenario = "LIVE", "sandbox"
        assert "no guardian" not in await repaint(app, pilot)
        header.is_watched = False
        told = await repaint(app, pilot)
        assert "no guardian" in told
        assert "[ARMED]" in told
        assert "PnL day" in told

    drive(steps, (width, 24))


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (250, "upbit REDUCING since 2023-11-14 22:13:20Z by ann (CLI): wallet"),
        (160, "upbit REDUCING"),
        (80, "HALTS 1"),
    ],
)
def test_a_halt_of_one_exchange_and_the_smaller_size_are_in_the_header(width: int, told: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        header = model.header()
        header.scopes = (ScopedHalt("exchange.upbit", Depth.REDUCING, "CLI", "ann", "wallet", 1_700_000_000_000),)
        header.share, header.share_left_s = 0.25, 252.0
        first, *_ = (await repaint(app, pilot)).splitlines()
        assert "[ARMED] 25% size" in first
        assert "4:12" in first
        assert told in first
        assert header.mode in first
        if width > 80:
            assert "PnL day" in first

    drive(steps, (width, 48 if width > 80 else 24))


@pytest.mark.parametrize("width", [80, 160])
def test_an_armed_engine_that_is_too_slow_is_not_plainly_armed(width: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        header = model.header()
        header.slow = "4 of 12 cycles given up"
        first, *_ = (await repaint(app, pilot)).splitlines()
        assert "[ARMED, TOO SLOW" in first
        assert ("4 of 12 cycles" in first) is (width > 80)
        assert "[ARMED]" not in first
        assert "PnL day" in first
        header.idle = "the journal failed"
        assert "[ARMED, NOT TRADING" in (await repaint(app, pilot)).splitlines()[0]

    drive(steps, (width, 48 if width > 80 else 24))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_why_it_is_disarmed_since_when_and_by_whom_stays_in_the_header(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        header = model.header()
        header.state, header.halt_detail = "DISARMED", "since 2026-11-29 10:33:46Z by ann (CLI): lunch"
        first, second, *_ = (await repaint(app, pilot)).splitlines()
        assert "[DISARMED]" in first
        assert header.halt_detail in second
        assert "breach 1" in second
        assert ("UPBIT 12ms ok" in second) is (size[0] > 80)
        header.halt_detail = ""
        assert "UPBIT 12ms ok" in (await repaint(app, pilot)).splitlines()[1]

    drive(steps, size)


@pytest.mark.parametrize(
    ("size", "keys", "is_shown"), [((80, 24), ("5",), False), ((160, 48), ("5", "z"), False), ((160, 48), ("5",), True)]
)
def test_the_line_of_gauges_never_stands_above_the_pane_that_is_read(size: tuple[int, int], keys: tuple[str, ...], is_shown: bool) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(*keys)
        text = await repaint(app, pilot)
        assert "journal opened" in text
        assert ("msg/s" in text or "loop p99" in text) is is_shown
        for key in "z1" if len(keys) > 1 else "1":
            await pilot.press(key)
        assert "p99" in await repaint(app, pilot)

    drive(steps, size)
