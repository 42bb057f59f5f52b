"""``check`` goes through what must be true before real orders are switched on."""

import json
import time
from pathlib import Path

import pytest

from arbtui.cli.real_orders import Condition, conditions, tell_open
from arbtui.model.halt import write_flag
from arbtui.settings.drill import DRILL_NAME
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings
from tests.cli.command import Here

ON = "real_orders = true\n"
ANSWERED = {"upbit": ["REST answers"], "binance": ["REST answers"]}
DAY_MS = 86_400_000


def settings(home: Path, upbit: str = ON, binance: str = ON, more: str = "") -> Settings:
    path = home / "mine.toml"
    path.write_text(f"[exchanges.upbit]\n{upbit}[exchanges.binance]\n{binance}{more}")
    return load_profile(str(path), {"mode": "live"})


def found(home: Path, given: Settings, troubled: tuple[str, ...] = ()) -> dict[str, Condition]:
    return {one.name: one for one in conditions(given, home, home / "mine", ANSWERED, troubled)}


def test_every_condition_is_on_the_page_in_its_order(home: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "real-orders.md").read_text()
    rows = [
        line.split("`")[1] for line in page.splitlines() if line.startswith("| ") and line.count("|") == 5 and "`" in line.split("|")[2]
    ]
    assert list(found(home, settings(home))) == rows


def test_what_a_fresh_machine_lacks(home: Path) -> None:
    told = found(home, settings(home))
    assert [name for name, one in told.items() if not one.is_met] == ["guardian", "alerts", "drill", "paper"]
    assert not any(one.is_required for one in told.values() if not one.is_met)


def test_each_problem_takes_its_condition_away(home: Path) -> None:
    for area, lost in {
        "network": {"venues", "keys", "clock"},
        "keys": {"keys"},
        "clock": {"clock"},
        "journal": {"journal"},
        "state": {"journal"},
    }.items():
        usual = {name for name, one in found(home, settings(home)).items() if not one.is_met}
        assert {name for name, one in found(home, settings(home), (area,)).items() if not one.is_met} - usual == lost, area
    assert not found(home, settings(home, upbit=""))["switch"].is_met
    assert not found(home, settings(home, binance=ON + 'urls.rest = "http://api.binance.com"\n'))["addresses"].is_met
    small = settings(home, more="[execution]\norder_value = 25\n[risk.global]\nmax_loss_day = 10\n")
    assert not found(home, small)["limits"].is_met


def test_a_kill_and_a_drill_count(home: Path) -> None:
    folder = home / "mine"
    folder.mkdir()
    write_flag(folder, "CLI", "drill")
    assert found(home, settings(home))["kill"] == Condition("kill", False, True, "latched by CLI: arbtui rearm")
    facts = {"ts_ms": time.time_ns() // 1_000_000 - 3 * DAY_MS, "gate_ms": 4.0, "cancel_began_ms": 9.0}
    (folder / DRILL_NAME).write_text(json.dumps(facts))
    assert found(home, settings(home))["drill"].is_met
    (folder / DRILL_NAME).write_text(json.dumps({**facts, "ts_ms": facts["ts_ms"] - 40 * DAY_MS}))
    assert not found(home, settings(home))["drill"].is_met


def test_hours_of_paper_count(home: Path, arbtui: Here) -> None:
    """A run of sim in the place of one of paper: the journals are alike, and no venue is needed to make it."""
    path = home / "mine.toml"
    settings(home)
    assert arbtui("--profile", str(path), "--headless", "--speed", "max", "--max-runtime", "5", "--state-dir", str(home / "s")).code == 0
    (home / "s" / "mine" / "sim").rename(home / "s" / "mine" / "paper")
    told = {one.name: one for one in conditions(settings(home), home / "s", home / "s" / "mine", None)}
    assert told["paper"].words.startswith("0.0 h on real streams")
    assert "venues" not in told, "nobody was asked"


def test_a_start_says_that_its_orders_are_real(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_open(settings(home, upbit=""), home)
    assert capsys.readouterr().err == "", "it is refused anyway"
    tell_open(settings(home), home)
    said = capsys.readouterr().err
    assert "REAL ORDERS: this run's orders go to UPBIT and BINANCE; not met of docs/real-orders.md: guardian, alerts, drill, paper" in said
