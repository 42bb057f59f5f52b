"""Risk shows more than breaches: limits as used of allowed, and why nothing was traded."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.columns import state_word
from arbtui.console.keys import KeyNames
from arbtui.console.lines import width_of
from arbtui.console.panes.notices import notice_spans
from arbtui.console.panes.risk import RiskPane
from arbtui.console.panes.why_not import lasting
from arbtui.views import HALT, BreachLine, HeldTime, RouteRow
from tests.console.demo import DENIALS, NOTICES, DemoModel, demo_app
from tests.console.driving import drive, repaint


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_risk_shows_why_not_over_time(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("v")  # from another pane: goes there first
        assert app.main.active == "risk"
        assert "LEG_IMBALANCE" in await repaint(app, pilot)
        await pilot.press("v", "v")
        text = await repaint(app, pilot)
        assert "LEG_IMBALANCE" not in text
        for words in ("last min", "last hour", "COOLDOWN", "5m12s x204", "1h08m x2,731", "why not"):
            assert words in text, words
        await pilot.press("j", "enter")
        assert "begun 87 times" in await repaint(app, pilot)
        await pilot.press("escape", "a")
        assert "nothing to acknowledge here" in await repaint(app, pilot)

    drive(steps, size)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_risk_shows_limits_as_used_of_allowed_and_sets_one(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("l")
        assert "l sets limits in Risk" in await repaint(app, pilot)
        await pilot.press("3", "l")  # shows them first
        text = await repaint(app, pilot)
        for words in ("max_unhedged", "1,650 of", "2,000 USDT", "█", "XRP.order_value", "7 of", "82,147 >"):
            assert words in text, words
        await pilot.press("j", "enter")
        assert "50 USDT, set by ann" in await repaint(app, pilot)
        await pilot.press("escape", "l")
        text = await repaint(app, pilot)
        for words in ("global.max_loss_day: 50 USDT holds", "set here"):
            assert words in text
        await pilot.press(*"5o", "enter", *"nobody", "enter", "enter")
        assert "is no number" in await repaint(app, pilot)
        await pilot.press("backspace", "backspace", *"40", "enter", "enter", *"why", "enter")
        assert "type the profile's name" in await repaint(app, pilot)
        await pilot.press(*("backspace",) * 6, *"upbit-binance", "enter", "enter")
        assert "set: global.max_loss_day" in await repaint(app, pilot)
        assert model.limited == [("global.max_loss_day", 40.0, "why")]

    drive(steps, size)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_risk_shows_notices_with_countdown_link_and_what_was_done(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("3", "v", "v", "v")
        text = await repaint(app, pilot)
        for words in ("next in", "01:46:39", "DELISTING", "XRP REDU", "WALLET", "SOL", "LISTING", "MON", "엑스"):
            assert words in text, words
        await pilot.press("g", "enter")
        text = await repaint(app, pilot)
        for words in ("https://venue.example/notice/7", "XRP HALTED in 01:46:39", "XRP REDUCING at 2026-01-01T09:13:05.000Z"):
            assert words in text, words
        await pilot.press("escape", "v")
        assert "LEG_IMBALANCE" in await repaint(app, pilot)

    drive(steps, size)


@given(st.text(max_size=80), st.integers(10, 200), st.lists(st.text(max_size=40), max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_notice_takes_the_width_that_it_has(title: str, width: int, done: list[str]) -> None:
    line = replace(NOTICES[0], title=title, done=tuple(done), standing=())
    assert sum(cell_len(text) for text, _ in notice_spans(line, width)) <= max(width, 36)


def test_a_coin_that_cannot_be_moved_is_marked_where_nothing_else_is_to_be_said() -> None:
    row = RouteRow("XRP:a>b", "XRP", ("A", "B"), state="BELOW_THRESHOLD", gated=True)
    assert state_word(row) == "GATED"
    assert state_word(replace(row, state="READY")) == "READY"


def test_a_figure_that_moves_is_painted_and_the_cursor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("3", "v", "v", "j")
        moved = (DENIALS[1], replace(DENIALS[0], minute=HeldTime(33.0, 10)))
        monkeypatch.setattr(model, "denials", lambda: moved)
        text = await repaint(app, pilot)
        assert "33s x10" in text
        assert app.main.risk.current is moved[0]

    drive(steps, (100, 30))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_the_detail_of_a_route_says_why_not(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("6")
        await pilot.pause()
        text = await repaint(app, pilot)
        assert "why not" in text
        await pilot.press("z")
        await pilot.pause()
        assert all(width_of(spans) <= app.main.detail.region.width for spans, _ in app.main.detail._lines)

    drive(steps, size)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0s"), (9.94, "9.9s"), (59.4, "59s"), (60.0, "1m00s"), (3599.0, "59m59s"), (3600.0, "1h00m"), (86_400.0, "24h00m")],
)
def test_lasting(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_breach_of_everything_spends_no_cells_on_its_scope(acknowledged: bool) -> None:
    pane = RiskPane(demo_app(DemoModel())._inks, DemoModel(), KeyNames({}))
    slow = BreachLine("b1", 0, "WARN", "DECISION_AGE", "global", "3 of 12 cycles given up", "", acknowledged)
    for row, told in (
        (slow, "DECISION_AGE 3 of 12"),
        (replace(slow, scope="XRP"), "DECISION_AGE XRP 3 of 12"),
        (replace(slow, kind=HALT), "HALT global 3 of 12"),
    ):
        assert told in "".join(text for text, _ in pane.spans(row, 55))
