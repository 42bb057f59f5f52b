"""What a frame costs, as ratios: milliseconds differ between machines."""

import time
from collections.abc import Callable, Sequence

from textual.pilot import Pilot
from textual.widgets import DataTable

from arbtui.console.app import ConsoleApp
from arbtui.console.frame import SLICES
from arbtui.console.grid import LINES_PER_SLICE
from arbtui.views import RouteRow
from tests.console.demo import DemoModel
from tests.console.driving import drive

FRAMES = 15


async def cost(pilot: Pilot[str], change: Callable[[], None]) -> float:
    """CPU seconds of the median frame after ``change``, layout and painting included."""
    costs = []
    for _ in range(FRAMES):
        started = time.thread_time()
        change()
        await pilot.pause()
        costs.append(time.thread_time() - started)
    return sorted(costs)[FRAMES // 2]


def test_a_frame_costs_a_fraction_of_a_data_table_and_does_not_grow_with_the_routes() -> None:
    figures: dict[str, float] = {}

    def measure(name: str, routes: int) -> None:
        async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
            def tenth() -> None:
                touch(model.routes[::10])

            def touch(rows: Sequence[RouteRow]) -> None:
                for row in rows:
                    row.net_bps += 0.1
                    row.version += 1
                app.main.routes.paint_changed()

            figures[f"{name} tenth"] = await cost(pilot, tenth)
            figures[f"{name} all"] = await cost(pilot, lambda: touch(model.routes))

        drive(steps, (160, 48), DemoModel(routes // 2))

    async def table_steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        table: DataTable[str] = DataTable()
        await app.main.mount(table)
        for widget in (app.main.routes, app.main.query_one("#lower")):
            widget.display = False
        table.styles.height = 36
        keys = table.add_columns(*"ABCDEFGH")
        rows = [table.add_row(*["1,250.00"] * 8) for _ in range(100)]
        tick = 0

        def tenth() -> None:
            nonlocal tick
            tick += 1
            for row in rows[:40:10]:
                table.update_cell(row, keys[3], f"{tick:,.2f}")

        figures["table tenth"] = await cost(pilot, tenth)

    measure("small", 100)
    measure("large", 1_000)
    drive(table_steps, (160, 48))
    print({name: f"{figure * 1e3:.2f} ms" for name, figure in figures.items()})
    assert figures["large tenth"] < figures["table tenth"] / 3
    assert figures["large all"] < figures["small all"] * 3


def test_a_frame_is_painted_in_slices_between_which_the_engine_runs() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        routes = app.main.routes
        assert routes.page > 2 * LINES_PER_SLICE
        for row in model.routes:
            row.version += 1
        before = list(routes._stamps)
        painted = []
        for number in range(SLICES):
            app.main.tick(number, due=number == 0)
            painted.append(sum(old != new for old, new in zip(before, routes._stamps, strict=True)))
            before = list(routes._stamps)
        assert max(painted) <= LINES_PER_SLICE
        assert sum(painted) == routes.page

    drive(steps, (160, 48), DemoModel(500))


def test_routes_that_all_change_in_every_frame_do_not_starve_the_detail() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        detail = app.main.detail
        model.now_ms += 1_000
        row = next(row for row in model.routes if row.id == detail.route_id)
        row.edge_bps, row.prices = 77.7, tuple(price * 1.1 for price in row.prices)
        for _ in range(2):
            for row in model.routes:
                row.version += 1
            for number in range(SLICES):
                app.main.tick(number, due=number == 0)
        assert detail._lines == detail._wanted
        assert any("+77.7" in text for spans, _ in detail._lines for text, _ in spans)

    drive(steps, (160, 48), DemoModel(500))
