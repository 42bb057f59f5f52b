"""Seven venues on a small terminal: the healthy ones fold into a count, and no sick one ever leaves the screen."""

from dataclasses import replace
from itertools import product

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.exchanges.rate_limit import LimitLeft
from arbtui.views import ExchangeView, StockRow, VenueGauge
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint

NAMES = ("UPBIT", "BITHUMB", "COINONE", "BINANCE", "BYBIT", "OKX", "BITGET")
SICK = ("SILENT", "DOWN", "FROZEN", "DEGRADED")


def seven(model: DemoModel, **sick: str) -> DemoModel:
    """``model`` with seven venues, those of ``sick`` in that status."""
    model.header().exchanges = [ExchangeView(name, 10.0 + number, 80.0, sick.get(name, "ok")) for number, name in enumerate(NAMES)]
    return model


def second_lines(width: int, *cases: dict[str, str]) -> list[str]:
    """The header's second line at ``width`` columns, for the sick venues of each case."""
    told: list[str] = []

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for sick in cases:
            seven(model, **sick)
            told.append((await repaint(app, pilot)).splitlines()[1])

    drive(steps, (width, 24 if width < 160 else 48), seven(DemoModel().lived()))
    return told


def second_line(width: int, **sick: str) -> str:
    (line,) = second_lines(width, sick)
    return line


def test_where_all_are_well_a_small_terminal_counts_them_and_tells_the_oldest_age() -> None:
    line = second_line(80)
    assert "7 venues 16ms ok" in line
    assert "FX 1384.2 (3s)" in line
    assert "breach 1" in line


def test_a_sick_venue_stands_first_and_the_others_are_counted() -> None:
    for name, line in zip(NAMES, second_lines(80, *({name: "SILENT"} for name in NAMES)), strict=True):
        assert line.startswith(f" {name} ")
        assert "SILENT" in line
        assert "+6 " in line
        assert " ok" in line
        assert "breach 1" in line


def test_a_large_terminal_names_every_venue_in_the_profiles_order() -> None:
    line = second_line(160, BYBIT="DOWN")
    places = [line.index(f"{name} ") for name in NAMES]
    assert places == sorted(places)
    assert "BYBIT DOWN" in line
    assert "breach 1" in line


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_no_sick_venue_is_dropped(width: int) -> None:
    cases = [
        {NAMES[(shift + place) % 7]: SICK[place * step % len(SICK)] for place in range(number)}
        for number, shift, step in product((2, 3, 5, 7), range(3), (1, 4))
    ]
    for sick, line in zip(cases, second_lines(width, *cases), strict=True):
        for name, status in sick.items():
            assert name in line, line
            assert status in line or "NOT OK" in line, line
        assert "breach 1" in line, line
        assert "NOT OK" not in line or len(sick) > 2, line


@pytest.mark.parametrize("unhedged", [0.0, 1_998.0])
def test_money_stays_beside_sick_venues(unhedged: float) -> None:
    model = seven(DemoModel().lived(), BITGET="SILENT", OKX="DOWN")
    model.header().unhedged = unhedged

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        line = (await repaint(app, pilot)).splitlines()[1]
        assert ("unhedged 1,998" in line) is bool(unhedged)
        assert "BITGET" in line
        assert "OKX" in line

    drive(steps, model=model)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_the_stock_of_seven_venues_fits(size: tuple[int, int]) -> None:
    model = seven(DemoModel().lived())
    row = model.assets[0]
    cells = tuple(replace(row.cells[0], exchange=name, share=0.3 + number / 10) for number, name in enumerate(NAMES))
    model.assets[0] = StockRow(row.asset, cells, row.value)

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7", "z")
        lines = (await repaint(app, pilot)).splitlines()
        head = next(line for line in lines if "ASSET" in line)
        shown = next(line for line in lines if row.asset in line and "30%" in line)
        assert all(name in head for name in NAMES)
        assert "VALUE" in head
        for number in range(7):
            assert f"{30 + 10 * number}%" in shown

    drive(steps, size, model)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_the_sick_are_first_where_the_page_of_gauges_is_short(size: tuple[int, int]) -> None:
    model = seven(DemoModel().lived())
    limits = (LimitLeft("order", 10, 8.4, 12, 0.4, 0.0),)
    sick = {"OKX", "BITGET", "COINONE"}
    model._gauges.venues = tuple(
        VenueGauge(name, "DOWN" if name in sick else "HEALTHY", "no message for 4 s" if name in sick else "", limits) for name in NAMES
    )

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("4", "z")
        text = await repaint(app, pilot)
        for name in sick:
            line = next(line for line in text.splitlines() if line.lstrip().startswith(name.lower()))
            assert "DOWN" in line
            assert "no message for 4 s" in line
        for name in set(NAMES) - sick:
            assert name in text.upper()

    drive(steps, size, model)
