"""The table of routes: filter, order, and a cursor that stays with its route."""

from collections.abc import Sequence
from math import nan

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.columns import COLUMNS
from arbtui.console.query import parse
from arbtui.console.words import short_word
from arbtui.model.reason import Reason
from arbtui.views import RouteRow
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint, screen_text


def test_filter_narrows_the_table_while_it_is_typed() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"xrp")
        text = await repaint(app, pilot)
        assert "2 of 40 match" in text
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}
        await pilot.press("enter")
        text = await repaint(app, pilot)
        assert "/xrp" in text
        assert "filter /" not in text
        await pilot.press("escape")
        assert len(app.main.routes.rows) == 40

    drive(steps)


def test_escape_in_the_filter_line_clears_it() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"xrp", "escape")
        await pilot.pause()
        assert len(app.main.routes.rows) == 40
        assert app.focused is app.main.routes
        assert not app.main.filter_bar.is_open

    drive(steps)


def test_a_filter_that_means_nothing_keeps_the_last_one_and_says_why() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"xrp edge>")
        text = await repaint(app, pilot)
        assert "edge>: give a number after >" in text
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}

    drive(steps)


def test_what_is_wrong_with_a_filter_can_be_read_whole() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"qq>5")
        assert "no qq: sym venue asset shape state edge net size age health" in await repaint(app, pilot)
        await pilot.press("escape", "slash")
        assert "40 of 40 match   Enter keeps  Esc clears" in await repaint(app, pilot)

    drive(steps)


def test_a_filter_without_matches_says_so() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"nosuch", "enter")
        text = await repaint(app, pilot)
        assert "no route matches /nosuch   Esc clears the filter" in text
        await pilot.press("j", "k", "G", "g")

    drive(steps)


def test_rows_are_ordered_by_net_edge_best_first() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        nets = [row.net_bps for row in app.main.routes.rows]
        assert nets == sorted(nets, reverse=True)
        await pilot.press("S")
        nets = [row.net_bps for row in app.main.routes.rows]
        assert nets == sorted(nets)
        assert "▲NET bp" in await repaint(app, pilot)

    drive(steps)


def test_sort_goes_through_the_columns_on_screen() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        seen = []
        for _ in range(8):
            await pilot.press("s")
            seen.append(app.main.routes.sort_key)
        assert seen == ["size", "age", "fills", "state", "sym", "buy", "sell", "edge"][: len(seen)]
        assert "ordered by EDGE bp" in await repaint(app, pilot)

    drive(steps)


def test_cursor_follows_its_route_through_a_sort() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("j", "j", "j")
        routes = app.main.routes
        route = routes.current
        assert route is not None
        route.net_bps = -999.0
        route.version += 1
        model.now_ms += 5_000
        text = await repaint(app, pilot)
        assert routes.current is route
        assert routes.cursor == 39
        assert any(line.startswith("▸") and route.symbol in line for line in text.splitlines())

    drive(steps)


def test_nothing_is_sorted_right_after_a_cursor_move() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        await pilot.press("j")
        await pilot.pause()
        before = [row.id for row in routes.rows]
        routes.rows[0].net_bps = -999.0
        model.now_ms += 900
        await repaint(app, pilot)
        assert [row.id for row in routes.rows] == before
        model.now_ms += 200
        await repaint(app, pilot)
        assert routes.rows[-1].id == before[0]

    drive(steps)


@pytest.mark.parametrize(("symbols", "still_ms", "sorted_ms"), [(20, 300, 400), (100, 300, 400), (200, 900, 1_000)])
def test_few_routes_are_sorted_more_than_twice_a_second_and_many_once(symbols: int, still_ms: int, sorted_ms: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        model.now_ms += 1_000
        await repaint(app, pilot)
        before = [row.id for row in routes.rows]
        routes.rows[0].net_bps = -999.0
        model.now_ms += still_ms
        await repaint(app, pilot)
        assert [row.id for row in routes.rows] == before
        model.now_ms += sorted_ms - still_ms
        await repaint(app, pilot)
        assert routes.rows[-1].id == before[0]

    drive(steps, model=DemoModel(symbols).lived())


@pytest.mark.parametrize(("symbols", "text"), [(20, ""), (200, ""), (200, "net>5")])
def test_figures_order_and_filter_are_of_one_moment(symbols: int, text: str) -> None:
    class Moving(DemoModel):
        def refresh(self, rows: Sequence[RouteRow]) -> None:
            super().refresh(rows)
            for row in rows:
                row.net_bps = self.rng.gauss(0, 10)
                row.version += 1

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        if text:
            await pilot.press("slash", *text, "enter")
        for _ in range(30):
            model.now_ms += 100
            app.main.routes.tick(10.0)
            nets = [row.net_bps for row in app.main.routes.visible_rows]
            assert nets
            assert nets == sorted(nets, reverse=True)
            assert not text or min(nets) > 5.0

    drive(steps, model=Moving(symbols))


def test_of_many_routes_those_around_the_cursor_are_in_order() -> None:
    class Moving(DemoModel):
        def refresh(self, rows: Sequence[RouteRow]) -> None:
            super().refresh(rows)
            for row in rows:
                row.net_bps += self.rng.gauss(0, 3)
                row.version += 1

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        await pilot.press(*["pagedown"] * 12)
        chosen = routes.current
        model.now_ms += 1_100
        for _ in range(12):
            model.now_ms += 100
            routes.tick(10.0)
            assert routes.current is chosen
            first = max(0, routes.cursor - 50)
            nets = [row.net_bps for row in routes.rows[first : first + 100]]
            assert nets == sorted(nets, reverse=True)

    drive(steps, (160, 48), model=Moving(300))


def test_a_new_filter_begins_at_the_top_and_enter_opens_what_stands_there() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        await pilot.press("G")
        chosen = routes.current
        assert chosen is not None
        await pilot.press("slash", *"buy:upbit" if chosen.venues[0] == "BINANCE" else "buy:binance")
        assert (routes.cursor, routes.top) == (0, 0)
        await pilot.press("escape")
        assert routes.current is chosen
        await pilot.press("slash", *"buy:upbit" if chosen.venues[0] == "BINANCE" else "buy:binance", "enter", "enter")
        best = routes.rows[0]
        assert f"Detail {best.symbol} {'→'.join(best.venues)}" in await repaint(app, pilot)

    drive(steps)


def test_a_filter_stays_in_sight_where_there_is_little_room() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"shape:two_leg venue:upbit net>-500", "enter")
        assert "/sh" in (await repaint(app, pilot)).splitlines()[2]

    drive(steps)


@pytest.mark.parametrize("symbols", [20, 200])
def test_rows_that_match_no_more_leave_also_while_the_cursor_moves(symbols: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        await pilot.press("slash", *"net>-15", "enter")
        last = routes.rows[-1]
        for _ in range(11):
            last.net_bps = -99.0
            await pilot.press("j", "k")
            model.now_ms += 100
            routes.tick(10.0)
        assert last not in routes.rows

    drive(steps, model=DemoModel(symbols).lived())


def test_a_route_without_a_price_shows_none_and_comes_last() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        down, unheard = model.routes[3], model.routes[5]
        down.state, down.edge_bps, down.net_bps = "VENUE_DOWN", 900.0, 900.0
        unheard.state, unheard.edge_bps, unheard.net_bps = "NO_RATE", nan, nan
        model.now_ms += 1_000
        await repaint(app, pilot)
        assert {row.id for row in app.main.routes.rows[-2:]} == {down.id, unheard.id}
        await pilot.press("S")
        assert {row.id for row in app.main.routes.rows[-2:]} == {down.id, unheard.id}
        await pilot.press("G")
        lines = [line.split() for line in (await repaint(app, pilot)).splitlines() if " DOWN" in line or " NO_RATE" in line]
        assert len(lines) == 2
        assert all(line.count("-") >= 2 and "+900.0" not in line for line in lines)

    drive(steps)


def test_every_state_differs_from_all_others_within_its_column() -> None:
    states = [*Reason, "OPEN", "READY", "HALTED_DIRTY", "REDUCING"]
    words = [short_word(str(state)) for state in states if state is not Reason.ROUTE_BUSY]
    assert len(set(words)) == len(words)
    assert max(map(len, words)) <= COLUMNS[-1].width


def test_a_filter_knows_a_state_by_both_its_words() -> None:
    row = RouteRow("X:A>B", "X", ("A", "B"), state="VENUE_DOWN")
    assert parse("state:venue_down")(row)
    assert parse("state:down")(row)
    assert not parse("state:degraded")(row)


def test_only_rows_that_changed_are_painted() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        while routes.paint_changed():
            pass
        routes.visible_rows[3].version += 1
        model.routes[39].version += 0
        assert routes.paint_changed() == 1
        assert routes.paint_changed() == 0

    drive(steps)


def test_every_route_is_refreshed_within_a_second_of_frames() -> None:
    model = DemoModel(500)

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        seen: set[str] = set()
        original = model.refresh

        def refresh(rows: list[object]) -> None:
            seen.update(row.id for row in rows)  # type: ignore[attr-defined]
            original(rows)  # type: ignore[arg-type]

        model.refresh = refresh  # type: ignore[method-assign, assignment]
        for _ in range(10):
            model.now_ms += 100
            app.main.routes.tick(10.0)
        assert len(seen) == 1_000

    drive(steps, model=model)


def test_blotter_follows_the_newest_until_scrolled() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        fills = app.main.fills
        await pilot.press("2")
        model.trade()
        await repaint(app, pilot)
        assert fills.cursor == 0
        assert fills.visible_rows[0] is model.cycles()[0]
        await pilot.press("j", "j")
        held, at = fills.current, fills.cursor - fills.top
        for _ in range(5):
            model.trade()
        text = await repaint(app, pilot)
        assert fills.current is held
        assert fills.cursor - fills.top == at
        await pilot.press("g")
        model.trade()
        await repaint(app, pilot)
        assert fills.visible_rows[0] is model.cycles()[0]
        assert "[2 Fills]" in text

    drive(steps)


def test_log_follows_its_end_until_scrolled() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for n in range(60):
            model.say("INFO", f"line {n}")
        await pilot.press("5")
        assert "line 59" in await repaint(app, pilot)
        await pilot.press("pageup")
        for n in range(60, 90):
            model.say("INFO", f"line {n}")
        assert "line 89" not in await repaint(app, pilot)
        await pilot.press("G")
        assert "line 89" in await repaint(app, pilot)

    drive(steps)


def test_stale_rows_are_faded_but_keep_their_word() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        row = model.routes[0]
        row.state, row.age_ms = "STALE", 2_400.0
        row.version += 1
        await pilot.press("slash", *"btc", "enter")
        text = await repaint(app, pilot)
        line = next(line for line in text.splitlines() if "STALE" in line)
        assert "2.4s" in line
        inks = {ink for _, ink in app.main.routes.spans(row, 78)}
        assert "faint" in inks
        assert not inks & {"up", "down"}

    drive(steps)


def test_resize_storm_leaves_a_whole_screen() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for size in [(160, 48), (40, 10), (100, 30), (61, 12), (200, 60), (1, 1), (79, 23), (80, 24)] * 3:
            await pilot.resize_terminal(*size)
        text = await repaint(app, pilot)
        assert screen_text(app) == text
        assert "[ARMED]" in text
        assert "^K KILL" in text

    drive(steps)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (160, 120)])
def test_a_table_keeps_two_painted_rows_a_line_however_often_it_changes(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        table = app.main.routes
        for _ in range(40):
            for row in model.routes:
                row.version += 1
            await repaint(app, pilot)
        assert table.page <= len(table._strips) <= max(32, 2 * table.size.height)

    drive(steps, size=size)
