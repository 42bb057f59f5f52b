"""``arbtui adjust`` and ``arbtui positions`` in processes of their own: while an engine runs, and while none does."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbtui.journal.events import CycleState
from arbtui.model.order import OrderState
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.simulation.ledger import VenueLedger
from tests.execution.world import world
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

HEADLESS = ("--headless", "--symbols", "3")


def _gone_at_the_venue(state: State, **assets: str) -> None:
    """Somebody moves assets at Upbit while nothing runs."""

    async def main() -> None:
        ledger = await VenueLedger.open(state.venue, "aio")
        await ledger.deposit("upbit", {asset: Decimal(amount) for asset, amount in assets.items()}, "somebody", 0)
        await ledger.close()

    asyncio.run(main())


def _listed(state: State, command: str) -> list[dict[str, Any]]:
    answer = run(command, *state.arguments(), "--json")
    assert answer.code == 0, answer.err
    rows: list[dict[str, Any]] = json.loads(answer.out)
    return rows


def test_a_disputed_balance_is_decided_while_the_engine_runs_and_while_none_does(state: State, tmp_path: Path) -> None:
    assert run(*state.arguments(), *HEADLESS, "--max-runtime", "1").code == 0
    _gone_at_the_venue(state, KRW="-5000", XRP="-7")
    typed = ("--confirm", state.profile, "--reason", "lent to another desk")
    with running(*state.arguments(), "--symbols", "3", folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and len(_listed(state, "adjust")) == 2, "both disputes")
        wrong = run("adjust", "upbit", "KRW", *state.arguments(), "--confirm", "another", "--reason", "x")
        assert (wrong.code, "type the profile's name" in wrong.err) == (2, True)
        done = run("adjust", "upbit", "KRW", *state.arguments(), *typed)
        assert (done.code, done.err) == (0, ""), done.err
        assert [row["asset"] for row in _listed(state, "adjust")] == ["XRP"]
    done = run("adjust", "upbit", "xrp", *state.arguments(), *typed)  # the engine was killed: the journal is written here
    assert (done.code, done.err) == (0, "")
    assert _listed(state, "adjust") == []
    assert [(row["asset"], row["change"]) for row in state.ledger()["adjustments"]] == [("KRW", "-5000"), ("XRP", "-7")]
    again = run("adjust", "upbit", "XRP", *state.arguments(), *typed)
    assert (again.code, "disputes no balance of XRP" in again.err) == (2, True)
    assert run(*state.arguments(), *HEADLESS, "--max-runtime", "1").code == 0


def test_a_residual_position_is_listed_and_written_off(tmp_path: Path) -> None:
    state = State(tmp_path, "p")

    async def main() -> None:
        (state.folder / "sim").mkdir(parents=True)
        async with world(state.folder / "sim") as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
            cycle = await w.trade()
            assert cycle.state is CycleState.RESIDUAL
            assert OrderState.REJECTED in [order.state for order in cycle.orders]

    run_virtual(main())
    (row,) = _listed(state, "positions")
    assert (row["asset"], row["exchange"], row["cycle_id"]) == ("XRP", "binance", "r1-1")
    assert 90 < Decimal(row["value_usdt"]) < 110
    untyped = run("positions", "write-off", "r1-1", *state.arguments())
    assert (untyped.code, "--confirm NAME --reason TEXT" in untyped.err) == (2, True)
    done = run("positions", "write-off", "r1-1", *state.arguments(), "--confirm", "p", "--reason", "kept as stock")
    assert (done.code, done.err) == (0, "")
    assert _listed(state, "positions") == []
    (cycle,) = (row for row in state.ledger()["cycles"] if row["id"] == "r1-1")
    assert (cycle["state"], cycle["settled"]["reason"]) == ("RESIDUAL", "kept as stock")
    assert run("positions", "flatten", "r1-1", *state.arguments()).code == 2
