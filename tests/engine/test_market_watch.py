"""A market that halts or is delisted takes its routes off the list while it runs, and brings them back; what is open goes on to its end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine.market_watch import EVERY_S, KIND
from arbtui.journal.episodes import ROUTE_GONE
from arbtui.journal.events import CycleState
from arbtui.model.errors import VenueFailed
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.rules import SHAPES, RouteRules
from tests.execution.world import FAIR, UPBIT_DEAR, World, world

ROUTE = "XRP:binance>upbit"


def _open_breaches(w: World) -> list[str]:
    book = w.engine.breaches
    return [one.scope for key, one in book.breaches.items() if one.kind == KIND and key not in book.acknowledged]


def _blocked(w: World) -> Reason | None:
    return w.components.universe.by_id[ROUTE].blocked


def test_routes_go_with_their_market_an_open_cycle_ends_and_they_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), rules=RouteRules(SHAPES)) as w:
            universe = w.components.universe
            before = set(universe.by_id)
            others = {route.id for route in universe.routes if all(hop.market.key != "binance:XRPUSDT" for hop in route.trades)}
            assert others < before
            await w.engine.markets.look()
            assert (set(universe.by_id), _open_breaches(w)) == (before, [])

            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.executor.open.values()
            w.binance.core.on_halt("XRPUSDT", True)  # after its order is on the way
            await w.engine.markets.look()
            assert set(universe.by_id) == others
            assert {one.what for one in universe.finder.exclusions.values()} >= {"binance:XRPUSDT"}
            assert _open_breaches(w) == ["binance:XRPUSDT"]
            w.binance.core.on_halt("XRPUSDT", False)
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.HEDGED

            w.show("upbit", UPBIT_DEAR)  # nothing looks any more
            assert len(w.engine.cycles) == 1
            w.quote("upbit", FAIR["upbit"])
            await w.engine.markets.look()
            assert set(universe.by_id) == before
            assert not any(one.what == "binance:XRPUSDT" for one in universe.finder.exclusions.values())
            assert _open_breaches(w) == []
            await asyncio.sleep(1.0)
            assert (await w.trade()).state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_it_is_asked_again_and_again_and_what_is_not_answered_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            watching = asyncio.create_task(w.engine.markets.run())
            w.upbit.core.on_halt("KRW-XRP", True)

            async def silent(codes: Any) -> list[str]:
                raise VenueFailed("upbit: no usable answer")

            with monkeypatch.context() as patch:
                patch.setattr(w.upbit, "fetch_trading", silent)
                await asyncio.sleep(EVERY_S + 1)
                assert ROUTE in w.components.universe.by_id
            await asyncio.sleep(EVERY_S)
            assert ROUTE not in w.components.universe.by_id
            watching.cancel()

    run_virtual(main())


def test_a_gap_that_lasts_ends_with_its_route_and_rest_is_over_for_the_route_that_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            route = w.components.universe.by_id[ROUTE]
            w.engine.availability.toggle(ROUTE)
            w.show("upbit", UPBIT_DEAR)
            assert list(w.engine.episodes.open) == [ROUTE]
            w.engine.availability.toggle(ROUTE)  # enabled, it rests for a while
            w.upbit.core.on_halt("KRW-XRP", True)
            await w.engine.markets.look()
            assert w.engine.episodes.open == {}
            w.upbit.core.on_halt("KRW-XRP", False)
            await w.engine.markets.look()
            assert w.components.universe.by_id[ROUTE] is not route
            assert _blocked(w) is Reason.COOLDOWN
            await asyncio.sleep(1.0)
            assert _blocked(w) is None
            w.engine.episodes.close()
            assert {one.ended_by for one in w.engine.episodes.take()} == {ROUTE_GONE}

    run_virtual(main())


def test_longer_routes_that_are_being_found_anew_hold_none_of_a_market_that_went_meanwhile(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), rules=RouteRules(SHAPES)) as w:
            universe = w.components.universe
            work = universe.refreshing(lambda _: 1.0)
            assert next(work) is None
            w.upbit.core.on_halt("KRW-ADA", True)
            await w.engine.markets.look()
            assert [found for found in work if found is not None] == [()]
            assert not any("upbit" in route.exchanges and "ADA" in route.coins for route in universe.routes)

    run_virtual(main())
