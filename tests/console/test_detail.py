"""The route in detail, and what keeps a hand on it: disable, copy, freeze."""

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.capacity import capacity_lines, capacity_rows
from arbtui.console.health import health_rows
from arbtui.console.ladder import WIDTH, ladder_lines
from arbtui.console.lines import width_of
from arbtui.console.words import REASONS
from arbtui.views import CapacityView, Ladder, Level, RouteDetail, SizePoint, SlippageView
from tests.console.demo import HEALTH, DemoModel
from tests.console.driving import drive, repaint

WANTED = ("BUY UPBIT", "SELL BINANCE", "gross", "fee upbit", "fee binance", "rate fee", "depth", "shadow")
SUMS = ("= net", "threshold", "60s", "best", "health")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 70)])
def test_enter_shows_both_books_the_costs_and_the_last_decisions(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash", *"sei buy:upbit", "enter", "enter")
        text = await repaint(app, pilot)
        assert "Detail SEI UPBIT→BINANCE" in text
        for words in (*WANTED, *SUMS, "last decisions", "OPENED"):
            assert words in text
        assert all((words in text) == (size[1] > 60) for words in ("rounding", "slippage")), (
            "nothing is told of them where there is no room"
        )
        assert ("[6 Detail]" in text) == (size[0] < 150)
        assert ("Routes 1/40" in text) == (size[0] >= 150)
        region = app.main.detail.region
        assert all(width_of(spans) <= region.width for spans, _ in app.main.detail._lines)

    drive(steps, size)


@pytest.mark.parametrize("state", sorted(REASONS, key=lambda name: -len(name + REASONS[name]))[:8])
def test_beside_the_routes_the_longest_meanings_of_states_are_told_whole(state: str) -> None:
    model = DemoModel().lived()
    detail = replace(model.detail(model.routes[0].id), state=state)
    model.detail = lambda route_id: detail  # type: ignore[method-assign]

    async def steps(app: ConsoleApp, _: DemoModel, pilot: Pilot[str]) -> None:
        await repaint(app, pilot)
        pane = app.main.detail
        assert pane.region.width == 55
        told = " ".join("".join(text for text, _ in spans) for spans, _ in pane._lines[1:3])
        assert " ".join(told.split()) == f"{state} {REASONS[state]}"
        assert all(width_of(spans) <= 55 for spans, _ in pane._lines)

    drive(steps, (160, 48), model)


def test_zoomed_detail_shows_all_levels_and_decisions() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("6", "z")
        await pilot.pause()
        text = await repaint(app, pilot)
        assert text.count("HEDGED +6.1 bp") == 5
        assert len([line for line in text.splitlines() if "█" in line or "▌" in line]) >= 8

    drive(steps, (160, 48))


def test_detail_beside_the_routes_is_of_the_route_under_the_cursor_moved_or_not() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        detail, routes = app.main.detail, app.main.routes
        assert detail.route_id == routes.current.id  # type: ignore[union-attr]
        model.routes[-1].net_bps += 500
        model.now_ms += 5_000
        await repaint(app, pilot)
        assert routes.current is model.routes[-1]
        assert detail.route_id == model.routes[-1].id
        await pilot.press("j", "j")
        assert detail.route_id == routes.current.id != model.routes[-1].id
        await pilot.press("6")
        held = detail.route_id
        for row in model.routes[:-1]:
            row.net_bps *= -1
        model.now_ms += 5_000
        await repaint(app, pilot)
        assert detail.route_id == held
        await pilot.press("1")
        await repaint(app, pilot)
        assert routes.current.id == held

    drive(steps, (160, 48))


def test_wide_bounds_of_the_last_minute_are_not_cut() -> None:
    class Wild(DemoModel):
        def detail(self, route_id: str) -> RouteDetail:
            return replace(super().detail(route_id), history=[-1_119.4, 1_042.1])

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("enter")
        assert "60s -1,119 to +1,042" in await repaint(app, pilot)

    drive(steps, model=Wild().lived())


def test_detail_is_not_read_while_nobody_sees_it() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await repaint(app, pilot)
        assert model.detailed == []
        await pilot.press("enter")
        await repaint(app, pilot)
        assert model.detailed

    drive(steps)


def test_escape_returns_from_detail() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("enter", "escape")
        assert app.main.active == "routes"

    drive(steps)


def test_ladder_marks_our_orders_and_keeps_its_width() -> None:
    asks = [Level(101.0 + n, 1.0 + n, 12_500.0 if n == 1 else 0.0) for n in range(4)]
    book = Ladder("BINANCE", "USDT", "buy", asks, [Level(100.0, 3.0)], 100.5, 99.5, 40.0, "LIVE")
    lines = ladder_lines(book, 3)
    assert {width_of(line) for line in lines} == {WIDTH}
    texts = ["".join(text for text, _ in line) for line in lines]
    assert [text.split()[0] for text in texts if text.strip()] == ["BUY", "103.00", "102.00", "101.00", "─", "100.00"]
    assert [text for text in texts if "◂" in text] == [texts[2]]
    assert "◂12k" in texts[2]
    assert "99.5 bp" in texts[4]


def test_ladder_of_an_empty_side_says_so() -> None:
    book = Ladder("UPBIT", "KRW", "sell", [Level(101.0, 1.0)], [], 0.0, 0.0, float("inf"), "SYNCING")
    texts = ["".join(text for text, _ in line) for line in ladder_lines(book, 2)]
    assert "SYNCING" in texts[0]
    assert any("no price on one side" in text for text in texts)


def test_the_cursor_stays_with_the_route_that_a_key_acted_on() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        best = app.main.routes.current
        assert best is not None
        await pilot.press("x")
        assert list(model.disabled) == [best.id]
        assert f"{best.id} disabled" in await repaint(app, pilot)
        model.routes[7].net_bps += 500
        model.now_ms += 5_000
        await repaint(app, pilot)
        assert app.main.routes.current is best
        await pilot.press("x")
        assert model.disabled == {}
        await pilot.press("y")
        assert f"{best.id}: copied" in await repaint(app, pilot)

    drive(steps)


def test_with_detail_open_x_acts_on_the_route_in_detail_and_names_it() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        best = app.main.routes.current
        assert best is not None
        await pilot.press("enter")
        model.routes[7].net_bps += 500
        model.now_ms += 5_000
        assert f"Detail {best.symbol} {best.venues[0]}→{best.venues[-1]}" in await repaint(app, pilot)
        await pilot.press("x")
        assert list(model.disabled) == [best.id]
        assert f"{best.id} disabled" in await repaint(app, pilot)

    drive(steps)


def test_a_key_does_not_act_on_the_row_that_slid_under_the_cursor_when_its_route_left_the_list() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        await pilot.press("slash", *"net>-15", "enter", "j")
        gone = routes.current
        assert gone is not None
        gone.net_bps = -99.0
        model.now_ms += 5_000
        await repaint(app, pilot)
        await pilot.press("x")
        assert model.disabled == {}
        assert f"{gone.id} has left the list" in await repaint(app, pilot)
        await pilot.press("x")
        assert list(model.disabled) == [routes.current.id] != [gone.id]  # type: ignore[union-attr]

    drive(steps)


def test_x_disables_and_enables_the_route() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("j", "x")
        row = app.main.routes.current
        assert row is not None
        assert list(model.disabled) == [row.id]
        text = await repaint(app, pilot)
        assert "DISABLED" in text
        assert "x enables it again" in text
        await pilot.press("enter", "x")
        assert model.disabled == {}
        await pilot.press("2", "x")
        assert "x disables a route in Routes: 1 goes there" in await repaint(app, pilot)

    drive(steps)


ROWS = [((), "net_bps"), (("2",), "pnl"), (("3",), "severity"), (("5",), "level"), (("enter",), "steps")]


@pytest.mark.parametrize(("keys", "field"), ROWS)
def test_y_copies_the_row_as_json(keys: tuple[str, ...], field: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        written: list[str] = []
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign, assignment]
        model.routes[0].age_ms = float("inf")
        await pilot.press(*keys, "y")
        (sequence,) = [text for text in written if text.startswith("\x1b]52;c;")]
        told = json.loads(base64.b64decode(sequence[7:].rstrip("\a")))
        assert field in told
        assert "version" not in told
        assert "copied" in await repaint(app, pilot)

    drive(steps)


def test_y_says_why_not_where_there_is_no_row() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("4", "y")
        assert "nothing to copy here" in await repaint(app, pilot)

    drive(steps)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_space_freezes_prices_fills_and_log_but_never_state_or_risk(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("space")
        refreshed, cycles = model.refreshed, len(app.main.fills.rows)
        model.now_ms += 12_000
        model.trade()
        model.say("INFO", "not to be seen")
        model.breach("CRIT", "UNHEDGED", "global", "2,100 > 2,000 USDT")
        text = await repaint(app, pilot)
        assert "DISPLAY FROZEN 00:12" in text.splitlines()[0]
        assert "[ARMED]" in text.splitlines()[0]
        assert "! CRIT UNHEDGED" in text
        assert "not to be seen" not in text
        assert (model.refreshed, len(app.main.fills.rows)) == (refreshed, cycles)
        await pilot.press("s")
        assert "nothing sorts while the display is frozen: Space goes on first" in await repaint(app, pilot)
        await pilot.press("ctrl+k")
        first = (await repaint(app, pilot)).splitlines()[0]
        assert "HALTED 00:00:00 by KEY" in first
        assert "DISPLAY FROZEN" in first
        await pilot.press("space")
        text = await repaint(app, pilot)
        assert "FROZEN" not in text
        assert len(app.main.fills.rows) == cycles + 1

    drive(steps, size)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("4", "enter"), "⏎ opens the detail of a route in Routes: 1 goes there"),
        (("2", "s"), "s sorts in Routes: 1 goes there"),
        (("a",), "a acknowledges breaches in Risk: 3 goes there"),
        (("r",), "r re-arms only after a halt"),
        (("escape",), "nothing to leave"),
        (("slash", *"qqqq", "enter", "enter"), "no route under the cursor: no route matches /qqqq"),
        (("space", "slash"), "nothing filters while the display is frozen"),
    ],
)
def test_a_key_that_cannot_act_says_why(keys: tuple[str, ...], said: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press(*keys)
        assert said in await repaint(app, pilot)

    drive(steps)


def test_detail_needs_room() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("enter")
        assert "the detail of a route needs 80x24" in await repaint(app, pilot)

    drive(steps, (79, 23))


CURVE = CapacityView(
    "USDT",
    (1_000.0, 5_000.0, 20_000.0, 50_000.0),
    [SizePoint(1_000.0, 8.0, 0.8), SizePoint(5_000.0, 2.0, 1.0)],
    SizePoint(3_100.0, 5.0, 1.55),
    SizePoint(9_000.0, -4.0, -3.6),
    [0.4, 0.8, 1.2, 1.55, 1.2, 0.6, -0.2, -3.6],
    9_000.0,
)


def _texts(rows: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def test_a_curve_tells_each_size_the_best_one_and_where_the_books_end() -> None:
    size, edge, profit, bars, bounds = _texts(capacity_rows(CURVE, 56))
    assert size.split() == ["size", "1.0k", "5.0k", "20k", "50k", "USDT"]
    assert edge.split() == ["net", "bp", "+8.0", "+2.0", "-", "-"]
    assert profit.split() == ["profit", "+0.80", "+1.00", "-", "-"]
    assert bars.strip() == "▃▅▇█▇▄·· profit to 9.0k"
    assert bounds.strip() == "best 3.1k +1.55  books end at 9.0k"
    for width in (40, 56, 80, 120):
        rows = [*capacity_rows(CURVE, width), *capacity_lines(CURVE, width), *health_rows(HEALTH, SlippageView(1.4, 9, 1.4), width, 9)]
        assert all(width_of(row) <= width for row in rows), width
    assert _texts(capacity_lines(CURVE, 120)) == [" by size 1.0k +8.0 5.0k +2.0 20k - 50k -  best 3.1k +1.55  end 9.0k ▃▅▇█▇▄··"]
    assert len(capacity_lines(CURVE, 40)) == 2
    assert "not known yet" in _texts(capacity_rows(None, 56))[0]
    assert _texts(capacity_lines(replace(CURVE, best=None), 80))[0].split("  ")[1:] == ["best none", "end 9.0k ▃▅▇█▇▄··"]


def test_health_tells_what_is_not_measured_what_weighs_otherwise_and_what_was_learned() -> None:
    told = " ".join(_texts(health_rows(HEALTH, SlippageView(1.4, 9, 1.4), 80, 9)))
    for words in ("health 0.68 =", "survival 0.83", "realised -", "runway 1.00^2", "orders take 142ms", "slippage +1.4 bp of 9, 1.4 off"):
        assert words in told
    assert "orders take" not in " ".join(_texts(health_rows(replace(HEALTH, latency_ms=math.nan), None, 80, 9)))
    assert health_rows(None, None, 80, 9) == []


WAY = "moves XRP UPBIT→OKX by XRP, fee 0.04 XRP, 2 min, risk not measured: some minutes of prices tell"


class _Chain(DemoModel):
    """Every route goes over a network, and over three markets of which each has a book."""

    def detail(self, route_id: str) -> RouteDetail:
        shown = super().detail(route_id)
        books = [*shown.ladders, replace(shown.ladders[0], exchange="OKX", base="BTC", currency="USDT")]
        return replace(shown, ladders=books, state="TRANSFER_RISK", steps=[], capacity=None, shape="cross_chain", ways=[WAY])


@pytest.mark.parametrize(("size", "books"), [((80, 24), 2), ((160, 48), 2), ((200, 70), 3)])
def test_a_route_says_its_shape_what_is_moved_and_how_many_of_its_books_fit(size: tuple[int, int], books: int) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("enter", *(["6", "z"] if size[0] > 160 else []))
        lines = (await repaint(app, pilot)).splitlines()
        text = "\n".join(lines)
        assert "cross_chain" in text
        assert ("2 of 3 books" in text) == (books == 2)
        assert "OKX BTC/USDT" in text
        assert "moves XRP UPBIT→OKX by XRP" in text
        assert "fee 0.04 XRP, 2 min" in text.replace("\n", " ")
        assert "net edge not known yet" in text
        assert "a price is missing" not in text
        width = app.main.detail.region.width
        assert [(width, "".join(text for text, _ in spans)) for spans, _ in app.main.detail._lines if width_of(spans) > width] == []

    drive(steps, size, model=_Chain().lived())


def test_no_figure_of_the_gauges_is_cut_in_two() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        app.main.system.tick(replace(model.gauges(), lag_p99_ms=474.4, lag_max_ms=1_556.5, snapshot_age_s=18), 10.0, 0)
        assert all(width_of(spans) <= 80 + len("  ") for spans, _ in app.main.system._lines)

    drive(steps)
