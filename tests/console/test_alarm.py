"""A breach that needs a person rings and stands in the terminal's title; each can be switched off, and the title is given back."""

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from arbtui.console.alarm import Alarm
from arbtui.console.app import ConsoleApp
from arbtui.views import BreachLine
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint

CRIT = BreachLine("r1-b99", 1_767_225_600_000, "CRIT", "RESIDUAL", "c1", "1 BTC is left", "settle", acknowledged=False)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def test_the_title_is_kept_aside_set_where_it_changes_and_printable() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, bell=True, title=True)
    assert alarm.show("desk", "ARMED", 0)
    assert not alarm.show("desk", "ARMED", 0)
    assert not alarm.show("desk", "ARMED", 2)
    assert written == ["\x1b[22;2t\x1b]2;arbtui desk ARMED\x07", "\x1b]2;! 2 CRIT  arbtui desk ARMED\x07"]
    alarm.show("a\x07\x1b[2Jb", "ARMED", 0)
    assert "\x07" not in written[-1][4:-1]
    assert "\x1b" not in written[-1][1:]
    alarm.ring()
    assert written[-1] == "\a"


def test_each_can_be_switched_off() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, bell=False, title=False)
    alarm.ring()
    assert not alarm.show("desk", "ARMED", 1)
    assert written == []


@pytest.mark.parametrize("term", ["linux", "dumb", ""])
def test_a_terminal_without_a_title_gets_none(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    written: list[str] = []
    assert not Alarm(written.append, bell=True, title=True).show("desk", "ARMED", 1)
    assert written == []


def test_a_new_critical_breach_rings_once_and_is_counted_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        written: list[str] = []
        monkeypatch.setattr(app, "_tell_terminal", written.append)
        app._alarm = Alarm(written.append, bell=True, title=True)
        await repaint(app, pilot)
        before = app.main.risk.critical_count
        lines = [CRIT, *model.breaches()]
        monkeypatch.setattr(model, "breaches", lambda: lines)
        model.breaches_version += 1
        await repaint(app, pilot)
        await repaint(app, pilot)
        assert written.count("\a") == 1
        await pilot.pause(0.3)
        assert any(f"! {before + 1} CRIT" in text for text in written)
        lines[0] = replace(CRIT, acknowledged=True)
        model.breaches_version += 1
        await repaint(app, pilot)
        assert app.main.risk.critical_count == before
        assert written.count("\a") == 1

    drive(steps, (100, 30))
