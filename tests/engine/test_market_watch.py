"""A market that halts or is delisted takes its routes off the list while it runs, and brings them back; what is open goes on to its end."""

import ast
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import arbtui
from arbtui.engine.market_watch import EVERY_S, KIND
from arbtui.engine.route_watch import FIRST_S
from arbtui.journal.episodes import ROUTE_GONE
from arbtui.journal.events import CycleState
from arbtui.model.errors import VenueFailed
from arbtui.model.market import FixedUnit, Market
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.portfolio import BY_ITSELF
from arbtui.routes.route import ArbRoute
from arbtui.routes.rules import SHAPES, RouteRules
from tests.execution.test_plans import BTC, ETH, ETH_BTC, TRIANGLE_BOOKS
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
            assert _open_breaches(w) == ["binance"]
            assert "XRPUSDT" in w.engine.breaches.breaches[next(reversed(w.engine.breaches.breaches))].detail
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


def test_longer_routes_hold_none_of_a_market_that_went_as_the_last_of_them_was_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), rules=RouteRules(SHAPES)) as w:
            universe = w.components.universe
            turns = len(list(universe.refreshing(lambda _: 1.0))) - 1  # the last one brings what was found
            work = universe.refreshing(lambda _: 1.0)
            assert [next(work) for _ in range(turns)] == [None] * turns
            w.upbit.core.on_halt("KRW-ADA", True)
            await w.engine.markets.look()
            before = set(universe.by_id)
            assert list(work) == [()]
            assert set(universe.by_id) == before

    run_virtual(main())


def test_that_a_market_trades_again_is_nobodys_look_at_what_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            assert w.portfolio.state.unattended == 1
            w.quote("upbit", FAIR["upbit"])
            w.upbit.core.on_halt("KRW-XRP", True)
            await w.engine.markets.look()
            w.upbit.core.on_halt("KRW-XRP", False)
            await w.engine.markets.look()
            assert _open_breaches(w) == []
            assert w.portfolio.state.unattended == 1
            w.agree()

    run_virtual(main())


def _in_own_name() -> Iterator[tuple[str, str]]:
    """Whoever acknowledges breaches in words of its own, in all of the package: where, and the words."""
    root = Path(arbtui.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("acknowledge", "acknowledge_all"):
                last = node.args[-1] if node.args else None
                if isinstance(last, ast.Constant) and isinstance(last.value, str):
                    yield f"{path.relative_to(root)}:{node.lineno}", last.value


def test_what_acknowledges_itself_never_counts_as_a_person() -> None:
    found = dict(_in_own_name())
    assert len(found) >= 8
    assert {where: by for where, by in found.items() if by not in BY_ITSELF} == {}


def test_what_an_earlier_run_has_told_is_over_at_the_first_answer(tmp_path: Path) -> None:
    async def first() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.on_halt("KRW-XRP", True)
            await w.engine.markets.look()
            assert _open_breaches(w) == ["upbit"]
            await w.journal.commit()

    async def second(halted: bool) -> None:
        async with world(tmp_path) as w:
            assert _open_breaches(w) == ["upbit"]
            w.upbit.core.on_halt("KRW-XRP", halted)
            await w.engine.markets.look()
            assert _open_breaches(w) == (["upbit"] if halted else [])
            await w.journal.commit()

    run_virtual(first())
    run_virtual(second(True))
    run_virtual(second(False))


def test_a_venue_that_stands_still_is_one_breach_and_its_return_one_piece_of_news(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            new: list[list[str]] = []

            def on_new(routes: Sequence[ArbRoute]) -> None:
                new.append(sorted(route.id for route in routes))

            w.engine.markets._on_new = on_new
            both = sorted(w.components.universe.by_id)
            for code in ("KRW-XRP", "KRW-ADA"):
                w.upbit.core.on_halt(code, True)
            await w.engine.markets.look()
            await w.engine.markets.look()
            (breach,) = w.engine.breaches.breaches.values()
            assert (breach.scope, breach.action) == ("upbit", "4 routes off the list until they trade again; open cycles go on")
            w.upbit.core.on_halt("KRW-ADA", False)
            await w.engine.markets.look()
            assert _open_breaches(w) == ["upbit"]
            w.upbit.core.on_halt("KRW-ADA", True)
            await w.engine.markets.look()
            assert _open_breaches(w) == ["upbit"]  # the newest, which names both
            for code in ("KRW-XRP", "KRW-ADA"):
                w.upbit.core.on_halt(code, False)
            await w.engine.markets.look()
            assert _open_breaches(w) == []
            assert new == [[name for name in both if name.startswith("ADA")], both]

    run_virtual(main())


def test_a_price_unit_that_is_too_coarse_keeps_a_market_out_as_soon_as_its_price_is_known(tmp_path: Path) -> None:
    """A start knows no price, so all are listed; that held for ten minutes."""
    coarse = replace(ETH_BTC, price_units=FixedUnit(Decimal("0.001")))
    listed = {"upbit": {market.code: market for market in (BTC, ETH, coarse)}, "binance": dict[str, Market]()}

    async def main() -> None:
        rules = RouteRules(("triangular",), max_tick_bps=20.0)
        async with world(tmp_path, symbols=("BTC", "ETH"), listed=listed, books=TRIANGLE_BOOKS, rules=rules) as w:
            assert len(w.components.universe.routes) == 2
            await asyncio.sleep(FIRST_S + 1)
            assert w.components.universe.routes == []
            assert w.components.universe.finder.exclusions["upbit:BTC-ETH"].reason.startswith("its price unit is 333.4 bps")

    run_virtual(main())
