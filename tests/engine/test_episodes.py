"""One episode a gap: when it began and ended, its best moment, why it was not taken, and whether it would have filled later."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.journal.episodes import KEPT, LOOKS_MS, RUN_ENDED, EpisodeRecord, read_episodes
from arbtui.model.book import BookState
from arbtui.model.clock import LoopClock
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.universe import evaluate_all
from tests.execution.world import EXECUTION, FAIR, FUNDS, UPBIT_CHEAP, UPBIT_DEAR, Levels, World, world
from tests.routes.pairs import NOW, Pair

ROUTE = "XRP:binance>upbit"
OFF = EXECUTION.model_copy(update={"enabled": False})
#: Two won dearer than UPBIT_DEAR: its best bid is still there.
DEARER: Levels = ([(3032.0, 400.0), (3030.0, 500.0)], [(3033.0, 400.0), (3034.0, 500.0)])


async def ended(w: World) -> list[EpisodeRecord]:
    """What ended, once every look is over; it is not written down any more."""
    await asyncio.sleep(0.6)
    return list(w.engine.episodes.take())


async def written(w: World) -> list[dict[str, Any]]:
    await asyncio.sleep(0.6)
    await w.engine.snapshot(None)
    return read_episodes(w.journal.path)


def test_a_gap_counts_once_however_often_it_is_seen(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            start = w.clock.time_ms()
            for levels in (UPBIT_DEAR, DEARER, UPBIT_DEAR, UPBIT_DEAR):
                w.show("upbit", levels)
                await asyncio.sleep(0.1)
            w.show("binance", FAIR["binance"])  # another book of the route, and the edge still clears
            assert w.engine.decider.opportunities == 1
            w.show("upbit", FAIR["upbit"])
            (one,) = await ended(w)
            assert (one.route, one.symbol, one.cycles, one.gate, one.ended_by) == (ROUTE, "XRP", 0, "DISABLED", "BELOW_THRESHOLD")
            assert (one.started_ms - start, one.ended_ms - start) == (0, 400)
            # 2.14 bought at Binance (10 bps in coin) and sold at 3,032 (5 bps), dollars for won at 1,401 (5 bps).
            best = 3032.0 * (1 - 0.0005) / (1401.0 * (1 + 0.0005)) / (2.14 / (1 - 0.001)) - 1.0
            assert one.best_edge_bps == pytest.approx(best * 1e4, abs=0.5)
            assert one.size == pytest.approx(100 / 2.14, rel=0.01)

            w.show("upbit", UPBIT_DEAR)
            assert w.engine.decider.opportunities == 2

    run_virtual(main())


def test_a_gap_that_was_taken_has_no_gate_and_lasts_until_its_prices_are_gone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.show("upbit", UPBIT_DEAR)  # the route rests, and its prices still clear
            await asyncio.sleep(1.0)
            w.show("upbit", UPBIT_DEAR)
            await w.engine.executor.quiet.wait()
            assert len(w.engine.cycles) == 2
            w.show("upbit", FAIR["upbit"])
            (row,) = await written(w)
            assert (row["cycles"], row["gate"], row["run_id"]) == (2, "", w.components.run_id)
            assert row["would_fill"] == {str(ms): True for ms in LOOKS_MS}
            assert Decimal(row["size"]) == w.engine.cycles[next(iter(w.engine.cycles))].plan.legs[1].qty
            assert w.engine.decider.opportunities == 1
            w.agree()

    run_virtual(main())


def test_the_first_reason_is_kept_until_it_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.operator.toggle_pause()
            w.show("upbit", UPBIT_DEAR)
            (open_now,) = w.engine.episodes.open.values()
            assert open_now.gate == "PAUSED"
            w.engine.operator.toggle_pause()
            w.show("upbit", UPBIT_DEAR)
            await w.engine.executor.quiet.wait()
            w.show("upbit", FAIR["upbit"])
            (one,) = await ended(w)
            assert (one.cycles, one.gate) == (1, "")

    run_virtual(main())


def test_a_gap_of_a_route_that_rests_is_seen_with_the_size_of_its_touch(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.show("upbit", FAIR["upbit"])
            w.show("upbit", ([(3030.0, 11.0), (3029.0, 500.0)], UPBIT_DEAR[1]))
            assert w.components.universe.by_id[ROUTE].blocked is Reason.COOLDOWN
            w.show("upbit", FAIR["upbit"])
            taken, missed = await ended(w)
            assert (taken.cycles, taken.gate) == (1, "")
            assert (missed.cycles, missed.gate, missed.size) == (0, "COOLDOWN", 11.0)
            # At the touch the fees and the rate are off, as for an opportunity.
            assert missed.best_edge_bps == pytest.approx(
                (3030.0 * (1 - 0.0005) / (1401.0 * (1 + 0.0005)) / (2.14 / (1 - 0.001)) - 1.0) * 1e4, abs=0.01
            )
            assert missed.would_fill == (False,) * 4  # the fair prices came back at once

    run_virtual(main())


def test_a_gap_without_stock_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        funds = {**FUNDS, "upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(0)}}
        async with world(tmp_path, funds=funds) as w:
            w.show("upbit", UPBIT_DEAR)
            w.show("upbit", DEARER)
            w.show("upbit", FAIR["upbit"])
            (one,) = await ended(w)
            assert (one.gate, one.cycles) == ("NO_STOCK", 0)
            assert one.size == pytest.approx(100 / 2.14, rel=0.01)
            assert w.engine.decider.opportunities == 1

    run_virtual(main())


def test_the_books_of_later_are_held_against_the_first_orders(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.08)
            w.show("upbit", ([(3030.0, 5.0), (3029.0, 500.0)], UPBIT_DEAR[1]))  # too few at that price
            await asyncio.sleep(0.07)
            w.show("upbit", ([(3030.5, 20.0), (3030.0, 40.0)], UPBIT_DEAR[1]))  # enough, on two levels
            await asyncio.sleep(0.15)
            w.book("binance").state = BookState.GAPPED  # nobody can tell
            w.engine.decider.on_books([w.book("binance")])
            (one,) = await ended(w)
            assert one.would_fill == (True, False, True, False)
            assert one.ended_by == "GAPPED"
            assert one.ended_ms - one.started_ms == 300

    run_virtual(main())


def test_a_rate_that_moves_ends_what_it_no_longer_pays(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            rate = w.components.rates.markets[0].book
            assert rate is not None
            w.show("upbit", UPBIT_DEAR)
            rate.replace([(1420.0, 1e6)], [(1421.0, 1e6)])  # a dollar costs more won: the sale in won brings less
            w.engine.decider.on_books([rate])
            (one,) = await ended(w)
            assert (one.ended_by, one.started_ms) == ("BELOW_THRESHOLD", one.ended_ms)

    run_virtual(main())


def test_the_end_of_the_run_ends_every_episode_and_leaves_later_looks_open(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.11)
            w.engine.episodes.close()
            await w.engine.snapshot(None)
            (row,) = read_episodes(w.journal.path)
            assert (row["ended_by"], row["would_fill"]) == (RUN_ENDED, {"50": True, "100": True, "200": None, "500": None})
            await asyncio.sleep(1)  # the look that was due changes nothing any more
            await w.engine.snapshot(None)
            assert read_episodes(w.journal.path) == [row]

    run_virtual(main())


def test_what_we_take_ourselves_ends_nothing(tmp_path: Path) -> None:
    """A cycle makes stock scarcer, which raises the threshold: the gap is still the same one."""
    pair = Pair(shadow_bps_at_empty=200.0)
    for node in pair.stock.values():
        node.target, node.available = 1000.0, 1000.0

    async def main() -> None:
        loop = asyncio.get_running_loop()
        episodes = Episodes(LoopClock(loop), Denials(LoopClock(loop)), loop.call_at)
        found = pair.to_upbit.evaluate(NOW)
        assert found is not None
        episodes.found(found, None)
        pair.stock["upbit"].available = 10.0
        assert pair.to_upbit.evaluate(NOW) is None
        episodes.look([pair.upbit], NOW, 50)
        assert list(episodes.open) == [pair.to_upbit.id]

    run_virtual(main())


def test_the_usual_no_is_told_to_nobody() -> None:
    pair = Pair()
    refused: list[Any] = []
    assert [one.route for one in evaluate_all([pair.to_upbit, pair.to_binance], NOW, refused)] == [pair.to_upbit]
    assert refused == []  # the other direction does not pay
    for route in (pair.to_upbit, pair.to_binance):
        route.blocked = Reason.RESIDUAL
    assert evaluate_all([pair.to_upbit, pair.to_binance], NOW, refused) == []
    assert refused == [pair.to_upbit]


def test_episodes_are_written_with_snapshots_and_with_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.show("upbit", FAIR["upbit"])
            await asyncio.sleep(1)
            await w.trade("upbit", UPBIT_CHEAP)
            w.show("upbit", FAIR["upbit"])
            await asyncio.sleep(1)
            assert read_episodes(w.journal.path) == []  # two cycles, all their orders and fills: not one row beside them
            await w.engine.snapshot(None)
            assert [row["route"] for row in read_episodes(w.journal.path)] == [ROUTE, "XRP:upbit>binance"]

    run_virtual(main())


def test_a_journal_keeps_the_newest_episodes(tmp_path: Path) -> None:
    def made(number: int) -> EpisodeRecord:
        return EpisodeRecord(ROUTE, "XRP", number, number + 5, "BELOW_THRESHOLD", 12.5, 46.7, 0, "PAUSED", (True, False, None, None))

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.journal.snapshot({}, [made(number) for number in range(KEPT - 1)])
            await w.journal.snapshot({}, [made(number) for number in range(KEPT - 1, KEPT + 3)])
            kept = read_episodes(w.journal.path)
            assert (len(kept), kept[0]["start"], kept[-1]["start"]) == (KEPT, "1970-01-01T00:00:00.003Z", "1970-01-01T00:00:10.002Z")
            assert len(read_episodes(w.journal.path, since_ms=10, until_ms=12)) == 3
            assert read_episodes(w.journal.path, run="r9") == []

    run_virtual(main())


def test_a_flood_is_written_a_few_hundred_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            for _ in range(600):
                w.show("upbit", UPBIT_DEAR)
                w.show("upbit", FAIR["upbit"])
            assert w.engine.decider.opportunities == 600
            assert len(await written(w)) == 500
            w.engine.episodes.close()
            assert len(await written(w)) == 600

    run_virtual(main())
