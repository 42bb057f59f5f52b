"""Re-arming: the live checklist, from the console and from another shell, and the smaller size of the first minutes."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from math import inf
from pathlib import Path

import pytest

from arbtui.execution.config import ExecutionConfig
from arbtui.journal.events import BalanceDisputed, Rearmed
from arbtui.model.halt import archive_flag
from arbtui.model.money import ONE, ZERO
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.trading_state import TradingState
from tests.execution.world import EXECUTION, UPBIT_DEAR, World, world

QUARTER = EXECUTION.model_copy(update={"rearm_share": 0.25, "rearm_minutes": 5.0})


async def killed(w: World) -> None:
    w.engine.kill_switch.kill("KEY", "a test")
    await asyncio.sleep(2)
    assert w.engine.state is TradingState.HALTED


def _silence_upbit(w: World) -> None:
    w.silent.add("upbit")
    w.components.aggregator.watches["upbit"].last_message = -inf


def is_killed(w: World) -> bool:
    return w.halt.is_closed


async def size_of_next(w: World) -> Decimal:
    """What the next cycle buys, in base."""
    before = set(w.engine.cycles)
    await asyncio.sleep(1)
    w.show("upbit", UPBIT_DEAR)
    await w.engine.executor.quiet.wait()
    (new,) = w.engine.cycles.keys() - before
    return max(leg.qty for leg in w.engine.cycles[new].plan.legs)


def test_the_first_minutes_trade_at_the_profiles_share_of_the_size_over_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=QUARTER) as w:
            whole = await size_of_next(w)
            await killed(w)
            assert w.engine.rearm_share.share == 1.0
            assert w.engine.operator.rearm("p", "seen", w.halt.kills) is None
            assert (w.engine.rearm_share.share, w.engine.rearm_share.left_s) == (0.25, 300.0)
            small = await size_of_next(w)
            assert small <= whole * Decimal("0.25")
            assert small >= whole * Decimal("0.24")
            await asyncio.sleep(290)
            assert w.engine.rearm_share.share == 0.25
            await asyncio.sleep(10)
            assert (w.engine.rearm_share.share, w.engine.rearm_share.left_s) == (1.0, 0.0)
            assert await size_of_next(w) == whole
            await killed(w)
            assert w.engine.operator.rearm("p", "again", w.halt.kills) is None
            await w.journal.commit()
        async with world(tmp_path, execution=QUARTER) as w:
            assert w.engine.rearm_share.share == 0.25, "a restart does not end it"
            assert await size_of_next(w) <= whole * Decimal("0.25")

    run_virtual(main())


def test_arming_for_the_first_time_is_no_rearming(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=QUARTER, unconfirmed="real orders") as w:
            assert w.engine.operator.rearm("p", "go", w.halt.kills) is None
            assert w.engine.rearm_share.share == 1.0

    run_virtual(main())


@pytest.mark.parametrize("config", [{"rearm_share": 1.0}, {"rearm_minutes": 0.0}])
def test_it_can_be_switched_off(tmp_path: Path, config: dict[str, float]) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=ExecutionConfig.model_validate({**QUARTER.model_dump(), **config})) as w:
            await killed(w)
            assert w.engine.operator.rearm("p", "seen", w.halt.kills) is None
            assert w.engine.rearm_share.share == 1.0

    run_virtual(main())


class TestTheChecklist:
    def test_is_clean_where_nothing_is_wrong(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with world(tmp_path) as w:
                found = w.engine.operator.checklist()
                assert [check.name for check in found] == [
                    *("upbit feed", "upbit clock", "binance feed", "binance clock", "open orders", "positions", "journal"),
                ]
                assert all(check.is_fine for check in found)

        run_virtual(main())

    @pytest.mark.parametrize(
        ("break_it", "name"),
        [
            (_silence_upbit, "upbit feed"),
            (lambda w: w.engine.risk.exchange["binance"].health.on_clock(60_000.0), "binance clock"),
            (lambda w: w.journal.post(BalanceDisputed("upbit", "XRP", ZERO, ONE)), "positions"),
        ],
    )
    def test_names_what_is_wrong_and_a_command_must_override_it(
        self, tmp_path: Path, break_it: Callable[[World], object], name: str
    ) -> None:
        async def main() -> None:
            async with world(tmp_path) as w:
                await killed(w)
                break_it(w)
                assert [check.name for check in w.engine.operator.checklist() if not check.is_fine] == [name]
                wish = {"verb": "rearm", "confirm": "p", "reason": "seen", "by": "ann", "kills": w.halt.kills}
                assert f"the checklist is not clean: {name}" in str(w.engine.operator.request(wish))
                assert is_killed(w)
                assert w.engine.operator.request({**wish, "override": True}) == {"refusal": None}
                assert not is_killed(w)
                await w.journal.commit()
                last = read_ledger(w.journal.path)["kills"][-1]
                assert (last["action"], last["source"], last["reason"]) == ("rearmed", "ann", f"seen (overridden: {name})")

        run_virtual(main())

    def test_what_must_be_is_overridden_by_nobody(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with world(tmp_path) as w:
                w.show("upbit", UPBIT_DEAR)
                w.engine.kill_switch.kill("KEY", "a cycle is open")
                wish = {"verb": "rearm", "confirm": "p", "reason": "seen", "kills": w.halt.kills, "override": True}
                assert "not settled yet" in str(w.engine.operator.request(wish))
                assert is_killed(w)

        run_virtual(main())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confirm": "q"}, "type the profile's name, p"),
        ({"reason": " "}, "a reason is needed"),
        ({"kills": 0}, "a kill came since this was opened"),
        ({"kills": None}, "does not say which kill"),
        ({"kills": True}, "does not say which kill"),
    ],
)
def test_a_command_is_held_to_what_the_console_is(tmp_path: Path, change: dict[str, object], said: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await killed(w)
            wish = {"verb": "rearm", "confirm": "p", "reason": "seen", "by": "ann", "kills": w.halt.kills}
            assert said in str(w.engine.operator.request({**wish, **change}))
            assert is_killed(w)
            assert w.engine.operator.request(wish) == {"refusal": None}
            assert w.engine.state is TradingState.ARMED

    run_virtual(main())


def test_the_answer_to_the_checklist_names_the_kill_that_it_is_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await killed(w)
            told = w.engine.operator.answer({"verb": "checklist"}, w.engine.halt_detail)
            assert (told["refusal"], told["state"], told["kills"], told["cause"]) == (None, "HALTED", 1, "by KEY: a test")
            assert told["checks"][-1] == {"name": "journal", "fine": True, "words": "healthy", "must": True}

    run_virtual(main())


def state_of(w: World) -> TradingState:
    return w.engine.state


async def rearmed_while_stopped(tmp_path: Path, *overridden: str) -> None:
    """A run that was killed and has ended; then what `arbtui rearm` journals."""
    async with world(tmp_path, execution=QUARTER) as w:
        await killed(w)
        w.journal.post(Rearmed("ann", "looked at it", unchecked=True, overridden=overridden))
        await w.journal.commit()
        archive_flag(w.folder)


def test_a_rearm_while_nothing_ran_arms_the_next_start_once_its_checklist_is_clean(tmp_path: Path) -> None:
    async def main() -> None:
        await rearmed_while_stopped(tmp_path)
        async with world(tmp_path, execution=QUARTER) as w:
            assert state_of(w) is TradingState.DISARMED
            assert "re-armed by ann while it was stopped (looked at it): arms as soon as" in w.engine.halt_detail
            _silence_upbit(w)
            await asyncio.sleep(60)
            assert state_of(w) is TradingState.DISARMED
            w.silent.clear()
            await asyncio.sleep(3)
            assert state_of(w) is TradingState.ARMED
            assert w.engine.rearm_share.share == 0.25
            await w.journal.commit()
        async with world(tmp_path) as w:
            assert state_of(w) is TradingState.ARMED, "it is armed for good"

    run_virtual(main())


def test_a_checklist_that_stays_unclean_leaves_it_disarmed_over_restarts(tmp_path: Path) -> None:
    async def main() -> None:
        await rearmed_while_stopped(tmp_path)
        async with world(tmp_path) as w:
            _silence_upbit(w)
            await asyncio.sleep(130)
            assert state_of(w) is TradingState.DISARMED
            assert "the checklist is not clean (upbit feed: nothing is heard from it)" in w.engine.halt_detail
            w.silent.clear()
            await asyncio.sleep(60)
            assert state_of(w) is TradingState.DISARMED, "nobody counts on it any more"
            await w.journal.commit()
        async with world(tmp_path) as w:
            await asyncio.sleep(10)
            assert state_of(w) is TradingState.DISARMED

    run_virtual(main())


def test_what_a_person_overrode_is_not_asked_again(tmp_path: Path) -> None:
    async def main() -> None:
        await rearmed_while_stopped(tmp_path, "positions")
        async with world(tmp_path) as w:
            w.journal.post(BalanceDisputed("upbit", "XRP", ONE, ZERO))
            await asyncio.sleep(3)
            assert state_of(w) is TradingState.ARMED

    run_virtual(main())


def test_a_kill_before_the_checklist_is_clean_stands(tmp_path: Path) -> None:
    async def main() -> None:
        await rearmed_while_stopped(tmp_path)
        async with world(tmp_path) as w:
            _silence_upbit(w)
            w.engine.kill_switch.kill("KEY", "not yet")
            w.silent.clear()
            await asyncio.sleep(10)
            assert state_of(w) is TradingState.HALTED
            await w.journal.commit()
        async with world(tmp_path) as w:
            await asyncio.sleep(10)
            assert state_of(w) is TradingState.HALTED

    run_virtual(main())
