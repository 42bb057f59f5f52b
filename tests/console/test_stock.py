"""The stock pane: what runs dry stands on top, its bar is short, and it is filtered and ordered like the routes."""

import math

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.bar import stock_bar
from arbtui.console.lines import width_of
from arbtui.console.numbers import hours
from arbtui.console.panes.stock import StockPane
from arbtui.console.query import STOCK, QueryError, parse
from arbtui.console.screens.stock import StockScreen
from arbtui.console.screens.whole import WholeScreen
from arbtui.views import StockCell, StockRow
from tests.console.demo import DemoModel, demo_app
from tests.console.driving import drive, repaint


@pytest.mark.parametrize("width", [2, 7, 8, 30])
@pytest.mark.parametrize("share", [math.nan, 0.0, 0.01, 0.3, 0.999, 1.0, 1.5, 2.0, 40.0])
def test_a_bar_has_its_width_and_grows_with_the_share(share: float, width: int) -> None:
    bar = stock_bar(share, width)
    assert width_of(bar) == width
    filled = sum(text.count("━") for text, _ in bar)
    if share == 1.0:
        assert filled == width // 2
    if share >= 2.0:
        assert filled >= width - 1
    if not share > 0.0:
        assert filled == 0


def test_a_dry_bar_and_a_low_one_are_told_by_colour() -> None:
    assert stock_bar(0.01, 20)[0][1] == stock_bar(0.0, 20)[1][1] == "kill"
    assert stock_bar(0.2, 20)[0][1] == "warn"
    assert stock_bar(0.9, 20)[0][1] == "spark"


@pytest.mark.parametrize(
    ("given", "shown"), [(math.inf, "-"), (0.05, "3m"), (0.999, "60m"), (2.34, "2.3h"), (26.0, "26h"), (100.0, "4d"), (1e9, "999d")]
)
def test_hours_fit_into_four_cells(given: float, shown: str) -> None:
    assert hours(given) == shown


def test_the_emptiest_stand_on_top_and_the_title_counts_them() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7")
        pane = app.main.stock
        shares = [row.share for row in pane.rows]
        assert shares == sorted(shares)
        title = "".join(text for text, _ in pane.title_left())
        assert "1 dry" in title
        assert f"{sum(row.word == 'LOW' for row in pane.rows)} low" in title
        await pilot.press("s", "s")
        assert pane.sort_key == "imbalance"
        uneven = [row.imbalance for row in pane.rows if not math.isnan(row.imbalance)]
        assert uneven == sorted(uneven, reverse=True)
        await pilot.press("S")
        assert [row.imbalance for row in pane.rows if not math.isnan(row.imbalance)] == sorted(uneven)
        assert math.isnan(pane.rows[-1].imbalance)  # what has none comes last either way

    drive(steps, (160, 48))


def test_it_is_filtered_by_its_own_fields_and_escape_shows_all_again() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7", "slash", *"share<20", "enter")
        pane = app.main.stock
        assert app.main.active == "stock"
        assert pane.rows
        assert all(row.share < 0.2 for row in pane.rows)
        assert len(app.main.routes.rows) == 40  # the routes keep their own filter
        await pilot.press("escape")
        assert len(pane.rows) == 22

    drive(steps, (80, 24))


@pytest.mark.parametrize(
    ("text", "symbols"), [("xrp", ["XRP"]), ("state:dry", ["BTC"]), ("venue:binance share<10", ["SEI"]), ("runway<0.1", ["BTC"])]
)
def test_filters(text: str, symbols: list[str]) -> None:
    query = parse(text, STOCK)
    assert [row.asset for row in DemoModel().stock() if query(row)] == symbols


def test_a_field_of_the_routes_is_none_of_the_stock() -> None:
    with pytest.raises(QueryError, match="no edge"):
        parse("edge>5", STOCK)


def test_enter_opens_all_that_is_known_of_an_asset() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7", "enter")
        assert isinstance(app.screen, WholeScreen)
        facts = dict(app.screen._facts)
        assert "missing at UPBIT" in facts["imbalance"]
        assert "chance that a refilling cycle comes first 97%" in facts["runway"]

    drive(steps, (80, 24))


def test_the_cursor_shows_the_route_that_fills_the_emptiest_venue() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7", "j", "k")
        assert app.main.stock.current is not None
        assert app.main.stock.current.asset == "BTC"
        assert app.main.detail.route_id == "BTC:UPBIT>BINANCE"

    drive(steps, (160, 48))


def test_many_assets_are_read_in_slices_and_only_while_they_are_shown() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.pause()
        assert model.refreshed_stock == 0
        await pilot.press("7")
        read = 0
        while model.refreshed_stock < 302:
            before = model.refreshed_stock
            model.now_ms += 100
            app.main.tick_all()
            read += 1
            assert model.refreshed_stock - before <= 40
            assert read < 100

    drive(steps, (160, 48), DemoModel(symbols=300))


def test_a_place_that_a_venue_does_not_have_is_left_blank() -> None:
    model = DemoModel()
    pane = StockPane(demo_app(model)._inks, model)
    pane._venues = ("UPBIT", "BINANCE", "OKX")
    row = StockRow("XRP", (StockCell("BINANCE", 5.0, 5.0, 0.0, 0.0, 0.0, math.nan),), math.nan)
    for width in (40, 78, 158):
        assert width_of(pane.spans(row, width)) <= width or width == 40
        assert "-" in "".join(text for text, _ in pane.spans(row, width))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_targets_and_transfers_are_done_from_the_stock_by_name_and_reason(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("7", "w")
        assert isinstance(app.screen, StockScreen)
        asset = app.screen._asset
        text = await repaint(app, pilot)
        for words in (
            "Nothing here trades or sends",
            "1 begin: you make it at binance",
            "3 settle T118 lost",
            "5 target at binance",
            "Reason",
        ):
            assert words in text
        await pilot.press("4", "enter", "enter", *"upbit-binance", "enter", *"more", "enter")
        assert "how many" in await repaint(app, pilot)
        await pilot.press(*"1,200.5", "enter", "enter", "enter")
        assert model.stocked == [("target", "upbit", "1200.5", "more")]
        assert f"journaled: stock of {asset}" in await repaint(app, pilot)
        await pilot.press("w", "3", "enter", "9", "enter", *"upbit-binance", "enter", *"gone", "enter")
        assert "lost takes no amount" in await repaint(app, pilot)
        await pilot.press("backspace", "enter", "enter", "enter")
        await pilot.press("w", "1", "enter", "enter", *"upbit-binance", "enter", *"sent", "enter")
        assert model.stocked[1:] == [("lost", "T118", "", "gone"), ("begin", f"{asset}:binance>upbit", "", "sent")]
        await pilot.press("w", "7", "enter", "enter", "x", "enter", "y", "enter")
        assert "type 1 to 5" in await repaint(app, pilot)
        await pilot.press("escape")
        assert f"left as it is: stock of {asset}" in await repaint(app, pilot)
        assert len(model.stocked) == 3

    drive(steps, size)
