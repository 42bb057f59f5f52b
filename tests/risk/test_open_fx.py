"""The hard limit of open won: what adds to it stops there, what takes it away passes, and nothing under way slips through."""

import asyncio
from pathlib import Path

import pytest

from arbtui.execution.config import NettingConfig
from arbtui.journal.events import CycleState
from arbtui.model.order import Order
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import UPBIT_CHEAP, UPBIT_DEAR, world

#: Limits without netting: what is open stays open.
OFF = NettingConfig(band=1.0, max_open_fx=1e6, enabled=False)


def test_at_the_limit_itself_is_allowed_and_beyond_it_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=OFF) as w:
            guard, routes = w.engine.risk.open_fx, w.components.universe.by_id
            brings, takes = routes["XRP:binance>upbit"], routes["XRP:upbit>binance"]
            await w.trade("upbit", UPBIT_DEAR)
            price = w.components.marks.value("KRW")
            assert price is not None
            now = float(w.portfolio.open_amount("KRW")) * float(price)
            assert now > 90.0
            guard.limit = now + 50.0
            assert guard.check(brings, 50.0 - 1e-9) is None
            assert guard.check(brings, 50.0) is None
            assert guard.check(brings, 50.0 + 1e-6) is Reason.OPEN_FX
            assert guard.check(brings, float("nan")) is Reason.OPEN_FX
            # The other way it shrinks, until it is as large on the other side.
            assert guard.check(takes, 2 * now + 50.0) is None
            assert guard.check(takes, 2 * now + 50.0 + 1e-6) is Reason.OPEN_FX
            guard.limit = 1.0  # beyond it already: what shrinks it passes
            assert guard.check(brings, 1e-9) is Reason.OPEN_FX
            assert guard.check(takes, now) is None

    run_virtual(main())


def test_what_open_cycles_may_still_add_counts_and_what_they_may_take_away_does_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), netting=OFF) as w:
            guard, routes = w.engine.risk.open_fx, w.components.universe.by_id
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.executor.open.values()
            assert not cycle.fills
            guard.limit = 150.0
            assert guard.check(routes["ADA:binance>upbit"], 100.0) is Reason.OPEN_FX  # about 100 are under way
            assert guard.check(routes["ADA:binance>upbit"], 100.0, cycle.id) is None  # itself is not in its own way
            assert guard.check(routes["ADA:upbit>binance"], 151.0) is Reason.OPEN_FX  # it may yet fill nothing
            await w.engine.executor.quiet.wait()
            assert guard.check(routes["ADA:upbit>binance"], 151.0) is None

    run_virtual(main())


def test_both_looks_ask_and_a_denial_is_counted_by_its_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=OFF) as w:
            guard = w.engine.risk.open_fx
            guard.limit = 50.0
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.OPEN_FX: 1}
            guard.limit = 1e6

            def lower(order: Order) -> None:
                guard.limit = 50.0

            for venue in w.venues.values():
                venue.before_admit = lower
            cycle = await w.trade("upbit", UPBIT_CHEAP)
            assert (cycle.state, {order.reason for order in cycle.orders}) == (CycleState.ABANDONED, {Reason.OPEN_FX})
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("levels", [UPBIT_DEAR, UPBIT_CHEAP], ids=["more and more won", "less and less"])
def test_however_good_the_prices_it_never_passes_the_limit(
    tmp_path: Path, levels: tuple[list[tuple[float, float]], list[tuple[float, float]]]
) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NettingConfig(band=1.0, max_open_fx=250.0, enabled=False)) as w:
            for _ in range(40):
                w.show("upbit", levels)
                await asyncio.sleep(0.3)
            await w.engine.executor.quiet.wait()
            price = w.components.marks.value("KRW")
            assert price is not None
            assert 150.0 < abs(float(w.portfolio.open_amount("KRW") * price)) <= 250.0
            assert w.engine.risk.denials[Reason.OPEN_FX] > 0

    run_virtual(main())
