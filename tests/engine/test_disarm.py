"""A person disarms: nothing leaves, over restarts and confirmed starts, until somebody arms by typing; no leg is left behind by it."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest

from arbtui.journal.events import CycleOpened, CycleState, Phase, Rearmed, StateChanged
from arbtui.journal.reader import events, reading
from arbtui.model.halt import archive_flag
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.operator_events import disarmed
from arbtui.portfolio.trading_state import TradingState
from arbtui.views.live import EngineControls, EngineViews
from tests.engine.test_cross_chain import NO_STOCK, chain_world, opened, transfer, until
from tests.execution.test_settler import residual
from tests.execution.world import UPBIT_DEAR, World, world

SINCE = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"


def state_of(w: World) -> TradingState:
    return w.engine.state


async def told_events(w: World, kind: type) -> list[object]:
    await w.journal.commit()
    with reading(w.journal.path) as db:
        return [at.event for at in events(db, 0, w.journal.seq) if isinstance(at.event, kind)]


async def last_change(w: World) -> object:
    return (await told_events(w, StateChanged))[-1]


def test_it_is_journaled_with_its_reason_and_outlives_every_start_until_a_typed_rearm(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            controls = EngineControls(w.engine)
            assert controls.disarm_refusal() is None
            assert controls.disarm(" lunch ") is None
            since = w.engine.halt_detail
            assert re.fullmatch(SINCE + r" by operator \(CONSOLE\): lunch", since)
            assert await last_change(w) == StateChanged(TradingState.DISARMED, since, latched=True)
            before = len(w.engine.cycles)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == before
            assert "DISARMED already" in str(controls.disarm_refusal())
            assert "DISARMED already" in str(controls.disarm("again"))
            assert w.engine.operator.toggle_pause().startswith("DISARMED")
        async with world(tmp_path) as w:  # a start that nothing keeps from arming, as --confirm makes it
            await asyncio.sleep(130)
            assert state_of(w) is TradingState.DISARMED
            assert w.engine.halt_detail == w.portfolio.state.why == since
            assert EngineViews(w.engine, "SIM", "", LogRing()).header().halt_detail == since
            assert "type the profile's name" in str(w.engine.operator.rearm("q", "back", w.halt.kills))
            assert w.engine.operator.rearm("p", "back", w.halt.kills) is None
            await w.trade()
            w.agree()
        async with world(tmp_path) as w:
            assert state_of(w) is TradingState.ARMED

    run_virtual(main())


def test_what_nobody_had_confirmed_stays_disarmed_once_a_person_has_said_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, unconfirmed="not confirmed") as w:
            assert w.engine.operator.disarm("") is None
            assert await last_change(w) == StateChanged(TradingState.DISARMED, w.engine.halt_detail, latched=True)
            assert re.fullmatch(SINCE + r" by operator \(CONSOLE\)", w.engine.halt_detail)
        async with world(tmp_path) as w:
            assert state_of(w) is TradingState.DISARMED

    run_virtual(main())


def test_a_paused_engine_is_disarmed_and_armed_again_not_paused(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.operator.toggle_pause()
            assert w.engine.operator.disarm("") is None
        async with world(tmp_path) as w:
            assert state_of(w) is TradingState.DISARMED
            assert w.engine.operator.rearm("p", "back", w.halt.kills) is None
            assert state_of(w) is TradingState.ARMED

    run_virtual(main())


def test_an_open_cycle_refuses_it_and_is_finished(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = opened(w)
            assert w.engine.operator.disarm("now") == "1 cycle open: disarm once none is"
            while not cycle.fills:  # noqa: ASYNC110 virtual time: a look costs nothing
                await asyncio.sleep(0.001)
            assert w.engine.operator.toggle_pause() == TradingState.PAUSED
            assert w.engine.operator.disarm("now") == "1 cycle open: disarm once none is"
            assert state_of(w) is TradingState.PAUSED
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.HEDGED
            assert w.engine.operator.disarm("now") is None
            w.agree()

    run_virtual(main())


def test_a_cycle_that_a_start_has_left_open_refuses_it(tmp_path: Path) -> None:
    """One whose order could not be resolved yet: no task of this run is about it, and it may need a hedge once it is."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            (first,) = await told_events(w, CycleOpened)
            assert isinstance(first, CycleOpened)
            w.journal.post(msgspec.structs.replace(first, cycle_id="r0-1"))
            assert w.engine.executor.open == {}
            assert w.engine.operator.disarm("now") == "1 cycle open: disarm once none is"

    run_virtual(main())


def test_a_settlement_under_way_refuses_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "too dear") is None
            assert w.engine.operator.disarm("now") == "1 settlement open: disarm once none is"
            await w.engine.quiescence()
            assert w.engine.operator.disarm("now") is None
            w.agree()

    run_virtual(main())


def test_a_cycle_in_transit_does_not_and_is_sold_after_the_rearm(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, funds=NO_STOCK) as w:
            cycle = opened(w)
            await until(lambda: bool(w.portfolio.state.transfers) and transfer(w).state == "IN_TRANSIT")
            assert w.engine.operator.disarm("for the night") is None
            await until(lambda: transfer(w).state == "ARRIVED", 3600.0)
            await asyncio.sleep(60)
            assert (cycle.account.is_open, cycle.account.phase) == (True, Phase.IN_TRANSIT)
            assert w.engine.operator.rearm("p", "back", w.halt.kills) is None
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED

    run_virtual(main())


def test_a_rearm_that_waits_for_its_checklist_is_void(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.kill_switch.kill("KEY", "a test")
            await asyncio.sleep(2)
            assert "a kill holds" in str(w.engine.operator.disarm("too late"))
            w.journal.post(Rearmed("ann", "looked at it", unchecked=True))
            await w.journal.commit()
            archive_flag(w.folder)
        async with world(tmp_path) as w:
            assert "arms as soon as the checklist is clean" in w.engine.halt_detail
            assert w.engine.operator.disarm("not today") is None
            assert w.portfolio.state.pending_rearm is None
            assert w.engine.halt_detail.endswith(" by operator (CONSOLE): not today")
            await asyncio.sleep(130)
            assert state_of(w) is TradingState.DISARMED
        async with world(tmp_path) as w:
            await asyncio.sleep(130)
            assert state_of(w) is TradingState.DISARMED

    run_virtual(main())


def test_a_failed_journal_refuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            monkeypatch.setattr(type(w.journal), "failure", OSError("disk full"))
            assert "the journal failed" in str(w.engine.operator.disarm(""))

    run_virtual(main())


def test_a_command_pauses_while_a_cycle_is_open_and_disarms_once_it_has_ended(tmp_path: Path) -> None:
    """Where cycles open in every second it was refused for as long as nobody paused, which no command did."""

    async def main() -> None:
        async with world(tmp_path) as w:
            request = {"verb": "disarm", "reason": "lunch", "by": "ann"}
            cycle = opened(w)
            elsewhere = {**request, "journal": "/elsewhere/journal.db"}
            assert "another journal" in w.engine.operator.request(elsewhere)["refusal"]
            assert state_of(w) is TradingState.ARMED
            while not cycle.fills:  # noqa: ASYNC110 virtual time: a look costs nothing
                await asyncio.sleep(0.001)
            for _ in range(2):
                assert w.engine.operator.request(request) == {"refusal": None, "open": "1 cycle"}
            assert (await told_events(w, StateChanged))[1:] == [StateChanged(TradingState.PAUSED, "ann (CLI) disarms it", latched=True)]
            await w.engine.executor.quiet.wait()
            assert (cycle.state, state_of(w)) == (CycleState.HEDGED, TradingState.PAUSED)
            assert w.engine.operator.request(request) == {"refusal": None}
            assert w.engine.halt_detail.endswith(" by ann (CLI): lunch")
            assert state_of(w) is TradingState.DISARMED

    run_virtual(main())


def test_what_no_engine_runs_on_is_disarmed_only_where_no_leg_waits_for_its_hedge(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            assert disarmed(w.portfolio, "ann", "CLI", "for the night", 0) == (
                StateChanged(TradingState.DISARMED, "since 1970-01-01 00:00:00Z by ann (CLI): for the night", latched=True),
            )
            (first,) = await told_events(w, CycleOpened)
            assert isinstance(first, CycleOpened)
            w.journal.post(msgspec.structs.replace(first, cycle_id="r0-1"))
            assert disarmed(w.portfolio, "ann", "CLI", "", 0) == "1 cycle left open by its last run: start it, and disarm once none is"
            w.engine.kill_switch.kill("KEY", "a test")
            await asyncio.sleep(30)
            assert "a kill holds" in disarmed(w.portfolio, "ann", "CLI", "", 0)

    run_virtual(main())
