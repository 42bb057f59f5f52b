"""What screens and `status` say of a route over a network, and of a cycle whose coins are on their way."""

import asyncio
from pathlib import Path

from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.views.live import EngineViews
from arbtui.views.summary import engine_summary
from tests.engine.test_cross_chain import ROUTE, chain_world, opened, transfer, until


def test_the_detail_names_network_fee_time_and_risk_or_what_is_missing(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False, warm=False) as w:
            views = EngineViews(w.engine, "SIM", "busy", LogRing())
            assert list(views.detail(ROUTE).ways) == ["moves XRP BINANCE→UPBIT: no network is known"]
            await asyncio.sleep(11)
            (way,) = views.detail(ROUTE).ways
            assert way == "moves XRP BINANCE→UPBIT by XRP, fee 0.04 XRP, 2 min, risk not measured"
            route = w.components.universe.by_id[ROUTE]
            route.transfers[0].sigma = 0.0005
            assert views.detail(ROUTE).ways[0].endswith("2 min, 1 sd 7.1 bp")
            assert views.detail(ROUTE).state == "BELOW_THRESHOLD" or views.detail(ROUTE).state == "IDLE"

    run_virtual(main())


def test_a_cycle_in_transit_counts_down_and_says_what_is_next(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:
            views = EngineViews(w.engine, "SIM", "busy", LogRing())
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            moved = transfer(w)

            def words() -> list[str]:
                detail = views.cycle(cycle.id)
                assert detail is not None
                assert detail.state == "IN_TRANSIT"
                return list(detail.transit)

            assert (views.cycles()[0].state, views.header().open_cycles) == ("TRANSIT", 1)
            way, following = words()
            assert way.endswith(f"XRP BINANCE→UPBIT by XRP ({moved.id}): not seen to leave yet, due in 2:00")
            assert following == "next: a person makes this transfer at BINANCE"
            await w.binance.core._ledger.deposit("binance", {"XRP": -moved.qty}, "out", w.clock.time_ms())
            await until(lambda: moved.state == "IN_TRANSIT")
            way, following = words()
            assert "on its way, due in" in way
            assert following.startswith("next: sold at UPBIT, at worst 3030 KRW at first, once ")
            await asyncio.sleep(121)
            assert "late in" in words()[0]
            await asyncio.sleep(121)
            assert "LATE by" in words()[0]
            assert engine_summary(w.engine)["in_transit"] == {"cycles": 1, "value": round(cycle.account.value, 6)}

    run_virtual(main())
