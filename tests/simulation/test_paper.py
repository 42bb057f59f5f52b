import asyncio
import gc
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.errors import OrderAbandoned, OrderRejected, OrderUnknown
from arbtui.model.order import OrderState, Side
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.simulation.paper import Latency
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order, world


def _admit() -> None:
    """The gate says yes."""


def test_an_order_meets_the_book_as_it_is_at_its_arrival(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            loop = asyncio.get_running_loop()
            answer = asyncio.create_task(w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), _admit))
            await asyncio.sleep(0.049)  # it is still under way: no order arrives in less than 50 ms
            w.books["upbit"].ask_levels = [(2990.0, 40.0)]
            report = await answer
            assert [fill.price for fill in report.fills] == [2990]
            assert 0.1 <= loop.time() <= 0.4

    run_virtual(main())


def test_the_gate_is_asked_at_the_moment_of_sending_and_its_no_stops_the_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            started = asyncio.get_running_loop().time()

            def refuse() -> None:
                assert asyncio.get_running_loop().time() == started
                raise OrderAbandoned("HALTED")

            with pytest.raises(OrderAbandoned):
                await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), refuse)
            await asyncio.sleep(1)
            assert await w.upbit.fetch_order("KRW-XRP", "a1") is None

    run_virtual(main())


def test_an_order_under_way_is_not_known_yet_and_still_arrives_when_its_sender_gives_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), _admit)
            assert w.upbit.core.find("a1") is None
            await asyncio.sleep(1)
            report = await w.upbit.fetch_order("KRW-XRP", "a1")
            assert report is not None
            assert (report.state, report.filled_qty) == (OrderState.FILLED, Decimal(10))

    run_virtual(main())


def test_closing_waits_for_orders_under_way(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            answer = asyncio.create_task(w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), _admit))
            await asyncio.sleep(0)
            answer.cancel()
        async with world(tmp_path / "venue.db") as w:
            assert w.upbit.core.find("a1") is not None

    run_virtual(main())


@pytest.mark.parametrize(
    ("kind", "error", "stands"),
    [
        (FaultKind.REQUEST_LOST, OrderUnknown, False),
        (FaultKind.ANSWER_LOST, OrderUnknown, True),
        (FaultKind.REJECT, OrderRejected, False),
    ],
)
def test_scripted_faults(tmp_path: Path, kind: FaultKind, error: type[Exception], stands: bool) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            w.binance.core.faults.add(None, Fault(kind))
            await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.14", "a0"), _admit)  # the script lets the first pass
            with pytest.raises(error):
                await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.14"), _admit)
            report = await w.binance.fetch_order("XRPUSDT", "a1")
            assert (report is not None) == stands
            assert len(await w.binance.fetch_fills(0)) == (2 if stands else 1)

    run_virtual(main())


def test_a_late_answer_is_late_and_complete(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            w.binance.core.faults.add(Fault(FaultKind.ANSWER_LATE, seconds=3.0))
            report = await w.binance.place(order(BINANCE_XRP, Side.BUY, "10", "2.14"), _admit)
            assert asyncio.get_running_loop().time() >= 3.1
            assert report.state is OrderState.FILLED

    run_virtual(main())


def test_a_refused_order_leaves_no_cycle_for_the_garbage_collector(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            same = order(UPBIT_XRP, Side.BUY, "10", "3000")
            await w.upbit.place(same, _admit)
            gc.disable()
            try:
                with suppress(OrderRejected):
                    pytest.fail(f"{await w.upbit.place(same, _admit)} was not refused")
                await asyncio.sleep(1)
                assert [each for each in gc.get_objects() if isinstance(each, OrderRejected)] == []
            finally:
                gc.enable()

    run_virtual(main())


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            same = order(UPBIT_XRP, Side.BUY, "10", "3000")
            results = await asyncio.gather(w.upbit.place(same, _admit), w.upbit.place(same, _admit), return_exceptions=True)
            assert sorted(type(result).__name__ for result in results) == ["OrderRejected", "OrderReport"]
            assert len(await w.upbit.fetch_fills(0)) == 1

    run_virtual(main())


def test_two_orders_cannot_spend_the_same_money(tmp_path: Path) -> None:
    async def main() -> None:
        funds = {"upbit": {"KRW": Decimal(100_000)}, "binance": {"USDT": Decimal(100)}}
        async with world(tmp_path / "venue.db", funds) as w:
            orders = [order(UPBIT_XRP, Side.BUY, "20", "3000", f"a{n}") for n in range(2)]
            results = await asyncio.gather(*(w.upbit.place(each, _admit) for each in orders), return_exceptions=True)
            assert sorted(type(result).__name__ for result in results) == ["OrderRejected", "OrderReport"]
            assert (await w.upbit.fetch_balances())["KRW"].free == 100_000 - 60_000 - 30

    run_virtual(main())


def test_nothing_rests_and_cancelling_is_no_error(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            assert await w.upbit.fetch_open_orders() == ()
            await w.upbit.cancel("KRW-XRP", "never sent")
            assert await w.upbit.cancel_all() == 0

    run_virtual(main())


def test_a_venue_whose_disk_failed_leaves_the_order_unknown(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            with closing(sqlite3.connect(tmp_path / "venue.db")) as other:
                other.execute("DROP TABLE venue_fill")
            for client_order_id in ("a1", "a2"):
                with pytest.raises(OrderUnknown, match="ledger"):
                    await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000", client_order_id), _admit)

    run_virtual(main())


def test_latency_stays_in_its_bounds_with_a_tail() -> None:
    latency = Latency((50, 200), Rng(5).stream("test"))
    draws = sorted(latency.draw() for _ in range(4000))
    assert 0.05 < draws[0] < 0.07
    assert 0.18 < draws[-1] <= 0.2
    assert 0.085 < draws[2000] < 0.105
    assert Latency((0, 0), Rng(5).stream("test")).draw() == 0.0


def test_orders_travel_on_one_grid_within_their_bounds() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        latency = Latency((50, 200), Rng(5).stream("test"))
        for _ in range(200):
            await asyncio.sleep(0.0037)
            left, delay = loop.time(), latency.draw()
            await latency.travel(delay)
            took = loop.time() - left
            assert 0.05 - 1e-9 <= took <= delay + 1e-9
            assert took == pytest.approx(delay) or round(loop.time() * 100, 6).is_integer()
        left = loop.time()
        await Latency((0, 0), Rng(5).stream("test")).travel(0.0)
        assert loop.time() == left

    run_virtual(main())


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from arbtui.model.order import Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.ledger import VenueLedger
from tests.simulation.worlds import UPBIT_XRP, order, world

async def main():
    async with world(Path(sys.argv[1])) as w:
        commit = w.ledger.commit
        async def die_after(statements):
            await commit(statements)
            os.kill(os.getpid(), signal.SIGKILL)
        w.ledger.commit = die_after
        await w.upbit.place(order(UPBIT_XRP, Side.BUY, "10", "3000"), lambda: None)

run_virtual(main())
"""


def test_killed_between_commit_and_answer_the_fill_is_found(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL

    async def main() -> None:
        async with world(path) as w:
            report = await w.upbit.fetch_order("KRW-XRP", "a1")
            assert report is not None
            assert report.state is OrderState.FILLED
            assert tuple(await w.upbit.fetch_fills(0)) == report.fills
            assert (await w.upbit.fetch_balances())["XRP"].free == 510

    run_virtual(main())
