"""At each snapshot of a simulated run: what the engine holds is what its journal says, or nothing is traded any more."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec

from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Breach
from tests.disk.descriptors import no_more_files
from tests.execution.world import UPBIT_CHEAP, World, world


def _mismatches(w: World) -> list[Breach]:
    return [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "FOLD_MISMATCH"]


def test_what_is_live_agrees_with_what_is_written_snapshot_after_snapshot(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for count, levels in enumerate((None, UPBIT_CHEAP), 1):
                await (w.trade() if levels is None else w.trade("upbit", levels))
                await w.engine.snapshot({})
                assert w.engine.fold_check.agreed == count
                await asyncio.sleep(2)
                w.freshen()
            assert (_mismatches(w), w.halt.is_closed) == ([], False)
            w.same_after_restart()

    run_virtual(main())


def test_in_other_modes_only_a_snapshot_that_old_events_wait_for_is_compared(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            await w.engine.snapshot(None)
            check = w.engine.fold_check
            assert (check.agreed, check.agreed_seq) == (0, 0)
            check.wanted = True
            await w.engine.snapshot(None)
            seq = check.agreed_seq
            await w.engine.snapshot(None)
            assert (check.agreed, check.agreed_seq, check.wanted) == (1, seq, False)
            assert 0 < seq < w.journal.seq

    run_virtual(main())


def test_the_order_in_which_amounts_are_held_is_no_difference(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            live = w.portfolio.encode()
            turned = msgspec.json.encode({name: held for name, held in reversed(msgspec.json.decode(live).items())})
            assert turned != live
            await w.engine.fold_check.compare(turned, w.journal.seq)
            assert (w.engine.fold_check.agreed, _mismatches(w)) == (1, [])

    run_virtual(main())


def test_a_difference_halts_and_names_what_differs(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.portfolio.state.balances["upbit"]["KRW"] += Decimal("0.01")
            await w.engine.snapshot({})
            (breach,) = _mismatches(w)
            assert breach.detail.endswith("differ in: balances")
            assert w.halt.is_closed
            assert w.engine.fold_check.agreed == 0

    run_virtual(main())


def test_a_sum_kept_beside_the_state_that_is_not_what_the_state_says_halts(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.portfolio.under_way._kept["upbit", "KRW"] = Decimal("0.01")
            await w.engine.snapshot({})
            (breach,) = _mismatches(w)
            assert breach.detail.endswith("differ in: reserved")
            assert (w.halt.is_closed, w.engine.fold_check.agreed) == (True, 0)

    run_virtual(main())


def test_without_a_descriptor_nothing_is_compared_and_the_next_snapshot_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.engine.fold_check.wanted = True
            with no_more_files():
                await w.engine.snapshot(None)
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "FOLD_UNCHECKED"]
            assert "Too many open files" in told.detail
            assert (w.engine.fold_check.agreed, w.engine.fold_check.wanted, w.halt.is_closed) == (0, True, False)
            await w.engine.snapshot(None)
            assert (w.engine.fold_check.agreed, w.engine.fold_check.wanted) == (1, False)

    run_virtual(main())
