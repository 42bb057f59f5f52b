"""Halts of one exchange, symbol or route while an engine runs: entries, hedges, what the journal and the operator are told."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.halt import write_flag
from arbtui.model.order import Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import FOLDER_NAME, Depth, ScopedHalt, archive_halt, file_name, write_halt
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.trading_state import TradingState
from tests.execution.world import UPBIT_DEAR, World, world

REASONS = {Depth.PAUSED: Reason.SCOPE_PAUSED, Depth.REDUCING: Reason.SCOPE_REDUCING, Depth.HALTED: Reason.SCOPE_HALTED}
COVERING = ["exchange.upbit", "exchange.binance", "symbol.XRP", "symbol.KRW", "route.XRP:binance>upbit", "global"]
BESIDE = ["exchange.okx", "symbol.ADA", "route.XRP:upbit>binance"]


def halt(scope: str, depth: Depth) -> ScopedHalt:
    return ScopedHalt(scope, depth, "CLI", "ann", "a test", 1_700_000_000_000)


def kills(w: World) -> list[dict[str, Any]]:
    return [row for row in read_ledger(w.journal.path)["kills"] if row["action"].startswith("scope")]


def blocked(w: World) -> Reason | None:
    return w.components.universe.by_id["XRP:binance>upbit"].blocked


async def settled(w: World) -> None:
    await w.engine.executor.quiet.wait()
    await w.journal.commit()


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("scope", COVERING)
def test_nothing_opens_under_a_halt_of_any_depth(tmp_path: Path, scope: str, depth: Depth) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            write_halt(w.folder, halt(scope, depth))
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {REASONS[depth]: 1}
            w.engine.scopes.look()
            assert blocked(w) is REASONS[depth]
            archive_halt(w.folder, file_name(scope))
            w.engine.scopes.look()
            assert blocked(w) is None
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert [cycle.state for cycle in w.engine.cycles.values()] == [CycleState.HEDGED]

    run_virtual(main())


@pytest.mark.parametrize("scope", BESIDE)
def test_what_a_halt_does_not_cover_trades_on(tmp_path: Path, scope: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            write_halt(w.folder, halt(scope, Depth.HALTED))
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert [cycle.state for cycle in w.engine.cycles.values()] == [CycleState.HEDGED]

    run_virtual(main())


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("scope", COVERING)
@pytest.mark.parametrize("purpose", [Purpose.COMPLETE, Purpose.UNWIND, Purpose.FOLLOW])
def test_what_shrinks_exposure_is_held_back_by_halted_only(tmp_path: Path, scope: str, depth: Depth, purpose: Purpose) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            seen: list[Reason | None] = []

            def look(order: Order) -> None:
                (cycle,) = w.engine.executor.open.values()
                if not seen and order.market.exchange == "upbit":
                    assert isinstance(cycle, ArbCycle)
                    probe = Order(**{**{name: getattr(order, name) for name in ARGUMENTS}, "purpose": purpose})
                    write_halt(w.folder, halt(scope, depth))
                    seen.append(w.engine.gate.hedge_refusal(cycle, probe))

            w.upbit.before_admit = look
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            held_back = depth is Depth.HALTED and scope != "exchange.binance"
            assert seen == [Reason.SCOPE_HALTED if held_back else None]

    run_virtual(main())


ARGUMENTS = ("client_order_id", "market", "side", "qty", "price", "cycle_id", "leg", "attempt", "epoch", "decided_at", "deadline", "tif")


def test_an_entry_that_is_under_way_is_dropped_at_its_last_look_where_its_exchange_is_halted(tmp_path: Path) -> None:
    """One leg has filled when the other's exchange is halted: the leg that filled is taken back where it may be."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.before_admit = lambda order: write_halt(w.folder, halt("exchange.upbit", Depth.HALTED)) and None
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            (cycle,) = w.engine.cycles.values()
            assert w.upbit.placed == []
            assert cycle.state is CycleState.UNWOUND, "at Binance, which is not halted"
            assert w.engine.risk.denials[Reason.SCOPE_HALTED] >= 1
            assert w.engine.state is TradingState.ARMED

    run_virtual(main())


def test_the_journal_tells_who_when_and_why_and_again_at_each_start(tmp_path: Path) -> None:
    made = halt("exchange.upbit", Depth.PAUSED)

    async def first() -> None:
        async with world(tmp_path) as w:
            write_halt(w.folder, made)
            w.engine.housekeep()
            w.engine.housekeep()
            await w.journal.commit()
            (row,) = kills(w)
            told = {
                "action": "scope halted",
                "scope": "exchange.upbit",
                "depth": "PAUSED",
                "source": "CLI",
                "by": "ann",
                "reason": "a test",
            }
            assert {name: row[name] for name in told} == told
            assert row["since"] == "2023-11-14T22:13:20.000Z"
            write_halt(w.folder, halt("exchange.upbit", Depth.HALTED))
            w.engine.housekeep()
            await w.journal.commit()
            assert [row["depth"] for row in kills(w)] == ["PAUSED", "HALTED"]

    async def second() -> None:
        async with world(tmp_path) as w:
            assert w.engine.risk.scoped(w.components.universe.by_id["XRP:binance>upbit"]) is Reason.SCOPE_HALTED, "it outlives the run"
            assert [row["run_id"] for row in kills(w)] == ["r1", "r1", "r2"]
            assert w.engine.operator.scopes.rearm("exchange.upbit", "other", "why", "ann") == "type the profile's name, p"
            assert "a reason is needed" in str(w.engine.operator.scopes.rearm("exchange.upbit", "p", " ", "ann"))
            assert w.engine.operator.scopes.rearm("symbol.ADA", "p", "why", "ann") == "no halt of symbol.ADA stands"
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "the wallet is open", "bob") is None
            await w.journal.commit()
            last = kills(w)[-1]
            assert (last["action"], last["scope"], last["source"]) == ("scope rearmed", "exchange.upbit", "bob")
            assert last["reason"] == "the wallet is open"
            assert list((w.folder / FOLDER_NAME / "old").iterdir())
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert len(w.engine.cycles) == 1

    run_virtual(first())
    run_virtual(second())


def test_a_file_that_nobody_understands_reduces_everything_and_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            (w.folder / FOLDER_NAME).mkdir()
            (w.folder / FOLDER_NAME / "notes.txt").write_text("?")
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.risk.denials == {Reason.SCOPE_REDUCING: 1}
            w.engine.housekeep()
            w.engine.housekeep()
            (breach,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "HALT_FILE"]
            assert (breach.severity, breach.scope) == ("CRIT", "halt.d/notes.txt")
            assert "arbtui rearm --scope notes.txt" in breach.action
            assert w.engine.operator.scopes.rearm("notes.txt", "p", "mine", "ann") is None
            assert breach.id in w.engine.breaches.acknowledged
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert len(w.engine.cycles) == 1

    run_virtual(main())


def test_a_halt_whose_file_vanishes_is_told_as_such(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            write_halt(w.folder, halt("symbol.XRP", Depth.PAUSED))
            w.engine.housekeep()
            (w.folder / FOLDER_NAME / "symbol.XRP.json").unlink()
            w.engine.housekeep()
            await w.journal.commit()
            assert (kills(w)[-1]["action"], kills(w)[-1]["source"]) == ("scope rearmed", "unknown")

    run_virtual(main())


def test_the_kill_comes_before_every_scope(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            write_halt(w.folder, halt("global", Depth.PAUSED))
            write_flag(w.folder, "CLI", "enough")
            w.engine.housekeep()
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.risk.denials.keys() <= {Reason.HALTED}
            assert w.engine.state.is_halt

    run_virtual(main())


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("exchange.upbitt", "nothing that it trades falls under exchange.upbitt; did you mean exchange.upbit?"),
        ("symbol.XRPP", "nothing that it trades falls under symbol.XRPP; did you mean symbol.XRP?"),
        ("exchange.upbit", None),
        ("global", None),
    ],
)
def test_a_command_learns_whether_its_scope_holds_back_anything(tmp_path: Path, scope: str, said: str | None) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert "sees no halt" in w.engine.operator.request({"verb": "scope_seen", "scope": scope})["refusal"]
            (w.folder / FOLDER_NAME).mkdir(exist_ok=True)
            body = {"scope": scope, "depth": "PAUSED", "source": "CLI", "by": "ann", "reason": "", "ts_ms": 1}
            (w.folder / FOLDER_NAME / f"{scope}.json").write_text(json.dumps(body))
            assert w.engine.operator.request({"verb": "scope_seen", "scope": scope}) == {"refusal": said}

    run_virtual(main())


def test_the_console_holds_back_a_part_of_the_desk(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            verbs = w.engine.operator.scopes
            assert verbs.of_route("XRP:binance>upbit") == ["route.XRP:binance>upbit", "symbol.XRP", "exchange.binance", "exchange.upbit"]
            assert verbs.of_route("") == [f"exchange.{name}" for name in w.components.adapters]
            assert "expected paused, reducing or halted" in str(verbs.halt("symbol.XRP", "half", "CONSOLE", "ann", "x"))
            assert "did you mean symbol.XRP?" in str(verbs.halt("symbol.XRPP", "PAUSED", "CONSOLE", "ann", "x"))
            assert "is the kill" in str(verbs.halt("global", "HALTED", "CONSOLE", "ann", "x"))
            assert not w.engine.risk.halts.standing
            assert verbs.halt("symbol.xrp", "reducing", "CONSOLE", "ann", " its network ") is None
            (standing,) = w.engine.risk.halts.standing
            assert (standing.scope, standing.depth, standing.by, standing.reason) == ("symbol.XRP", Depth.REDUCING, "ann", "its network")
            assert blocked(w) is Reason.SCOPE_REDUCING
            assert "as deep already: XRP REDUCING since" in str(verbs.halt("symbol.XRP", "paused", "CONSOLE", "bob", "less"))
            assert verbs.halt("symbol.XRP", "halted", "CONSOLE", "bob", "more") is None
            assert blocked(w) is Reason.SCOPE_HALTED
            await w.journal.commit()
            assert [(row["scope"], row["source"], row["by"]) for row in kills(w)] == [
                ("symbol.XRP", "CONSOLE", "ann"),
                ("symbol.XRP", "CONSOLE", "bob"),
            ]

    run_virtual(main())


def test_f68_what_shrinks_exposure_under_a_reducing_halt_is_never_more_than_there_is(tmp_path: Path) -> None:
    """One leg misses its price, and everything becomes REDUCING: what the other one filled is closed, no unit more."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)  # both legs are under way
            (cycle,) = w.engine.cycles.values()
            w.quote("upbit", ([(2900.0, 400.0)], [(3031.0, 400.0)]))  # and the sale will miss its price
            write_halt(w.folder, halt("global", Depth.REDUCING))
            await settled(w)
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
            closing = [order for order in cycle.orders if order.purpose is not Purpose.ENTRY]
            assert closing, "something was one-sided, and was closed under the halt"
            held, signs = Decimal(0), set[bool]()
            for fill in cycle.fills:
                held += fill.qty if fill.side is Side.BUY else -fill.qty
                if abs(held) > max(order.market.lot_step for order in cycle.orders):
                    signs.add(held > 0)
            assert len(signs) == 1, "what is held one-sidedly never becomes the opposite"
            assert sum(order.qty for order in closing if order.filled_qty) <= cycle.fills[0].qty
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1, "and nothing opens"

    run_virtual(main())


@pytest.mark.parametrize("guard", ["total", "symbol", "route"])
def test_f66_a_limit_that_raises_lets_nothing_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """The error ends the run (its tasks are one group), and no order has left before."""

    async def main() -> None:
        async with world(tmp_path) as w:
            asked: list[object] = []

            def broken(*told: object, **more: object) -> None:
                asked.append(told)
                raise ZeroDivisionError("a defect in a limit")

            monkeypatch.setattr(getattr(w.engine.risk, guard), "check", broken)
            with pytest.raises(ZeroDivisionError):
                w.show("upbit", UPBIT_DEAR)
            assert asked
            assert w.engine.cycles == {}
            assert [venue.placed for venue in w.venues.values()] == [[] for _ in w.venues]

    run_virtual(main())
