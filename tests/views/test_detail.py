"""One route as the engine has it: books, costs, history, decisions, and the switch that takes it out."""

import asyncio
from math import isnan
from pathlib import Path

import pytest

from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.routes.route import RouteTerms
from arbtui.views.detail import HISTORY_S, EdgeHistory
from arbtui.views.live import EngineControls, EngineViews
from tests.execution.world import UPBIT_DEAR, World, world
from tests.routes.pairs import Pair

ROUTE = "XRP:binance>upbit"


def views_of(w: World) -> EngineViews:
    return EngineViews(w.engine, "SIM", "busy", LogRing())


@pytest.mark.parametrize("slippage", [0.0, 2.5])
@pytest.mark.parametrize("shadow", [0.0, 40.0])
def test_the_waterfall_adds_up_to_what_the_threshold_is_compared_with(slippage: float, shadow: float) -> None:
    pair = Pair(terms=RouteTerms(3.0, slippage, 100.0, "USDT", (0.8, 1.25)), shadow_bps_at_empty=shadow)
    for node in pair.stock.values():
        node.available = 250.0 if node.exchange == "upbit" else 900.0
    for route in (pair.to_upbit, pair.to_binance):
        falls = route.waterfall()
        assert falls is not None
        costs = (falls.buy_fee, falls.sell_fee, falls.rate_fee, falls.slippage, falls.shadow)
        assert falls.gross + sum(costs) == pytest.approx(falls.net)
        assert falls.gross == pytest.approx(route.gross_edge_bps())
        assert falls.net + route.inventory.shadow_bps() == pytest.approx(route.touch_edge_bps())
        assert max(falls.buy_fee, falls.sell_fee, falls.rate_fee) < 0
        opportunity = route.evaluate(100.0)
        assert (opportunity is not None) == (falls.net > falls.threshold)


def test_no_price_no_waterfall() -> None:
    pair = Pair()
    pair.binance.replace([], [])
    assert pair.to_upbit.waterfall() is None
    assert pair.to_binance.waterfall() is None


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
