"""One route as the engine has it: books, costs, history, decisions, and the switch that takes it out."""

import asyncio
from dataclasses import replace
from math import isnan
from pathlib import Path

from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.views.detail import HISTORY_S, EdgeHistory
from arbtui.views.live import EngineControls, EngineViews
from tests.execution.world import UPBIT_DEAR, World, world

ROUTE = "XRP:binance>upbit"


def views_of(w: World) -> EngineViews:
    return EngineViews(w.engine, "SIM", "busy", LogRing())


def test_history_holds_one_sample_a_second_and_shows_its_gaps() -> None:
    history = EdgeHistory()
    assert history.until(5) == []
    for second, value in ((10, 1.0), (10, 9.0), (11, 2.0), (14, float("-inf"))):
        history.add(second, value)
    told = history.until(15)
    assert told[:2] == [1.0, 2.0]
    assert [isnan(value) for value in told] == [False, False, True, True, True, True]
    for second in range(100, 100 + 2 * HISTORY_S):
        history.add(second, float(second))
    assert list(history.until(99 + 2 * HISTORY_S)) == [float(second) for second in range(100 + HISTORY_S, 100 + 2 * HISTORY_S)]
    assert all(isnan(value) for value in history.until(10_000))


def test_a_cycle_shows_its_orders_in_the_books_and_leaves_its_decisions(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            views = views_of(w)
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)
            shown = views.detail(ROUTE)
            buy, sell = shown.ladders
            assert (shown.state, buy.acts, buy.exchange, sell.currency) == ("OPEN", "buy", "BINANCE", "KRW")
            assert sum(level.ours for level in shown.ladders[0].asks) > 0
            assert sum(level.ours for level in shown.ladders[1].bids) > 0
            assert not any(level.ours for level in (*shown.ladders[0].bids, *shown.ladders[1].asks))
            assert shown.net_bps > shown.threshold_bps
            await w.engine.executor.quiet.wait()
            ended = views.detail(ROUTE)
            assert [line.word for line in ended.decisions] == ["HEDGED", "OPENED"]
            assert not any(level.ours for level in ended.ladders[0].asks)
            assert views.detail("XRP:upbit>binance").decisions == []

    run_virtual(main())


def test_a_curve_is_shown_at_the_desk_s_sizes(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)
            route = next(one for one in w.engine.components.universe.routes if one.id == ROUTE)
            route.set_terms(replace(route.terms, sizes=(50.0, 200.0)))
            curve = views_of(w).detail(ROUTE).capacity
            assert curve is not None
            assert tuple(curve.sizes) == (50.0, 200.0)
            assert [point.value for point in curve.points] == [50.0, 200.0]
            assert curve.shown == 200.0

    run_virtual(main())


def test_equal_denials_are_one_line_that_counts(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.operator.toggle_pause()
            for _ in range(3):
                w.show("upbit", UPBIT_DEAR)
            (line,) = views_of(w).detail(ROUTE).decisions
            assert (line.word, line.count) == ("PAUSED", 3)

    run_virtual(main())


def test_a_disabled_route_opens_nothing_until_it_is_enabled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            views, controls = views_of(w), EngineControls(w.engine)
            assert "opens nothing" in controls.toggle_route(ROUTE)
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert views.detail(ROUTE).state == "DISABLED"
            assert controls.toggle_route(ROUTE) == f"{ROUTE} enabled"
            assert w.components.universe.by_id[ROUTE].refusal(w.clock.monotonic()) is Reason.COOLDOWN
            await asyncio.sleep(1)
            await w.trade()
            assert controls.toggle_route("XRP:upbit>nowhere") == "no route XRP:upbit>nowhere"

    run_virtual(main())


def test_a_route_disabled_while_its_cycle_runs_ends_it_and_then_rests(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            assert "ROUTE_BUSY now" in w.engine.availability.toggle(ROUTE)
            await w.engine.executor.quiet.wait()
            await asyncio.sleep(1)
            route, other = w.components.universe.by_id[ROUTE], w.components.universe.by_id["XRP:upbit>binance"]
            assert (route.blocked, other.blocked) == (Reason.DISABLED, None)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1
            w.agree()

    run_virtual(main())
