"""An operator's limits in a running engine: in force at once, over a restart, and asked at both looks."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.state import load
from arbtui.model.order import Order
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.views.live import EngineControls, EngineViews
from tests.execution.world import EXECUTION, FAIR, UPBIT_CHEAP, UPBIT_DEAR, World, world

ROUTE = "XRP:binance>upbit"


def set_limit(w: World, scope: str, value: float | None, **more: Any) -> str | None:
    """As ``arbtui limits set`` asks for it."""
    answer = w.engine.operator.request({"verb": "limit", "scope": scope, "value": value, "by": "ann", **more})
    refusal = answer["refusal"]
    assert refusal is None or isinstance(refusal, str)
    return refusal


async def value_of_next(w: World) -> float:
    """What the next cycle is worth."""
    before = set(w.engine.cycles)
    await asyncio.sleep(1)
    w.show("upbit", UPBIT_DEAR)
    await w.engine.executor.quiet.wait()
    w.show("upbit", FAIR["upbit"])
    (new,) = w.engine.cycles.keys() - before
    return w.engine.cycles[new].plan.value


@pytest.mark.parametrize("scope", ["route.order_value", "symbol.XRP.order_value", f"route.{ROUTE}.order_value"])
def test_order_value_caps_the_size_at_once_and_over_a_restart(scope: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert 95 < await value_of_next(w) <= 101
            assert set_limit(w, scope, 40.0) is None
            assert 38 < await value_of_next(w) <= 40.5
            assert "the engine is ARMED" in str(set_limit(w, scope, 60.0))
            assert "the engine is ARMED" in str(set_limit(w, scope, None))
            assert set_limit(w, scope, 30.0, reason="thin") is None
            await w.journal.commit()
        async with world(tmp_path) as w:
            assert 28 < await value_of_next(w) <= 30.5
            (row,) = (row for row in w.engine.limits.rows() if row.journal is not None)
            assert (row.scope, row.profile, row.journal, row.holds, row.by, row.reason) == (scope, 100.0, 30.0, 30.0, "ann", "thin")
            w.engine.operator.disarm("to raise it")
            assert "type the profile's name" in str(set_limit(w, scope, 50.0))
            assert "a reason is needed" in str(set_limit(w, scope, 50.0, confirm="p"))
            assert set_limit(w, scope, 50.0, confirm="p", reason="deeper now") is None
            assert set_limit(w, scope, None, confirm="p", reason="as before") is None
            assert w.engine.operator.rearm("p", "go", w.halt.kills) is None
            assert 95 < await value_of_next(w) <= 101
            w.agree()

    run_virtual(main())


def test_another_route_keeps_its_size(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            assert set_limit(w, "symbol.XRP.order_value", 40.0) is None
            values = {route.id: route.terms.order_value for route in w.components.universe.routes}
            assert values == {"XRP:upbit>binance": 40.0, "XRP:binance>upbit": 40.0, "ADA:upbit>binance": 100.0, "ADA:binance>upbit": 100.0}
            w.engine.rearm_share.begin(w.clock.time_ms())  # a quarter of what holds, for a while
            assert w.components.universe.by_id[ROUTE].terms.order_value == 10.0
            await asyncio.sleep(301)
            assert w.components.universe.by_id[ROUTE].terms.order_value == 40.0

    run_virtual(main())


def test_a_higher_least_edge_is_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            edge = w.components.universe.by_id[ROUTE]
            assert set_limit(w, "symbol.XRP.min_edge_bps", 500.0) is None
            w.show("upbit", UPBIT_DEAR)
            assert (list(w.engine.cycles), edge.terms.min_edge_bps) == ([], 500.0)
            assert edge.refusal(w.clock.monotonic()) is Reason.BELOW_THRESHOLD

    run_virtual(main())


def test_what_was_lowered_between_the_two_looks_holds_for_the_second(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            done: list[str | None] = []

            def lower(_: Order) -> None:
                if not done:
                    done.append(set_limit(w, "route.order_value", 20.0))

            for venue in w.venues.values():
                venue.before_place = lower
            cycle = await w.trade()
            assert done == [None]
            assert cycle.state == "ABANDONED"
            assert w.engine.risk.denials == {Reason.ORDER_VALUE: 2}
            w.agree()

    run_virtual(main())


def test_each_venue_symbol_and_route_is_held_to_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            for scope, value in (
                ("exchange.binance.max_in_flight_orders", 1),
                ("symbol.ADA.price_band_bps", 1.0),
                (f"route.{ROUTE}.max_edge_bps", 5.0),
                ("symbol.ADA.max_consecutive_losses", 1),
            ):
                assert set_limit(w, scope, value) is None, scope
            risk, now = w.engine.risk, w.clock.monotonic()
            risk.exchange["binance"].admitted("a")
            assert risk.exchange["binance"].check(now) is Reason.IN_FLIGHT
            risk.exchange["upbit"].admitted("a")
            assert risk.exchange["upbit"].check(now) is None
            routes = w.components.universe.by_id
            assert risk.symbol.check(routes["ADA:binance>upbit"], now) is Reason.PRICE_BAND
            assert risk.symbol.check(routes[ROUTE], now) is None
            assert risk.route.check(routes[ROUTE], 6.0, now) is Reason.EDGE_TOO_GOOD
            assert risk.route.check(routes["ADA:binance>upbit"], 6.0, now) is None
            assert risk.route.limits_of("ADA:binance>upbit").max_consecutive_losses == 1
            assert "did you mean XRP?" in str(set_limit(w, "symbol.XRPP.order_value", 5.0))
            assert "is no number" in str(set_limit(w, "route.order_value", "5"))  # type: ignore[arg-type]

    run_virtual(main())


def test_what_is_used_of_what_is_allowed_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION) as w:
            w.show("upbit", UPBIT_DEAR)
            views = EngineViews(w.engine, "SIM", "", LogRing())
            used = {line.scope: line.used for line in views.limits()}
            assert used["global.max_open_cycles"] == 1.0
            assert used["global.max_unhedged"] == w.engine.risk.total.unhedged > 0
            assert used["exchange.max_in_flight_orders"] == 1.0
            assert used["route.max_edge_bps"] is None
            answer = w.engine.operator.request({"verb": "limits"})["limits"]
            assert [row["scope"] for row in answer] == [line.scope for line in views.limits()]
            controls = EngineControls(w.engine)
            assert "type the profile's name" in str(controls.set_limit("global.max_open_cycles", 2, "q", "r"))
            assert controls.set_limit("global.max_open_cycles", 2, "p", "r") is None
            assert w.engine.risk.total.limits.max_open_cycles == 2
            await w.engine.executor.quiet.wait()
            assert load(w.journal.path).seq == w.journal.seq
            assert w.portfolio.available("upbit", "XRP") > Decimal(0)

    run_virtual(main())


def test_stock_that_has_moved_one_way_stops_more_of_the_same_and_not_what_brings_it_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await value_of_next(w)
            await asyncio.sleep(1.1)
            moved = w.engine.risk.factor.largest
            assert 95 < moved < 105
            assert set_limit(w, "global.max_factor_exposure", 150.0) is None
            (row,) = (row for row in w.engine.limits.rows() if row.scope == "global.max_factor_exposure")
            assert (row.used, row.holds, row.note) == (moved, 150.0, "1 coin, as 1.0 bets")
            before = len(w.engine.cycles)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == before
            assert w.engine.risk.denials == {Reason.FACTOR: 1}
            await w.trade("upbit", UPBIT_CHEAP)  # the other way round
            await asyncio.sleep(1.1)
            assert w.engine.risk.factor.largest < 10

    run_virtual(main())
