"""A market that its venue flags is entered no more, over a restart too, until a person lifts that; what has ended lifts nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from arbtui.engine.caution_watch import KIND
from arbtui.exchanges.market_flags import Flags, MarketFlag
from arbtui.execution.config import NettingConfig
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import archive_halt, file_name
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Severity
from arbtui.views.notices import notice_lines
from tests.engine.test_notices import announce, halts, until_min
from tests.execution.world import UPBIT_DEAR, World, world

SCOPE = "symbol.upbit:XRP"
WARNING = MarketFlag("warning", is_grave=True)
ALARM = MarketFlag("GLOBAL_PRICE_DIFFERENCES", is_grave=False)
OTHER = MarketFlag("PRICE_FLUCTUATIONS", is_grave=False)


def flag(w: World, flags: Iterable[MarketFlag] | None, code: str = "KRW-XRP") -> None:
    """Upbit's list of markets tells ``flags`` of ``code`` from now on; None: it tells none."""

    async def told(codes: Sequence[str]) -> dict[str, Flags]:
        return {one: (None if flags is None else frozenset(flags)) if one == code else frozenset() for one in codes}

    w.upbit.fetch_trading = told  # type: ignore[method-assign]


async def look(w: World) -> dict[str, str]:
    """Ask the venues once; what stands after it."""
    await w.engine.markets.look()
    await asyncio.sleep(0.2)  # a step that is to be done again is due a moment later
    w.engine.notices.look()
    return halts(w)


def told(w: World) -> list[tuple[str, str]]:
    return [(breach.severity.value, breach.detail) for breach in w.engine.breaches.breaches.values() if breach.kind == KIND]


def test_a_flagged_market_is_entered_no_more_at_that_venue_and_every_reader_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            assert await look(w) == {}
            flag(w, [WARNING])
            assert await look(w) == {SCOPE: "REDUCING"}
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.components.universe.by_id["XRP:binance>upbit"].blocked is Reason.SCOPE_REDUCING
            assert w.components.universe.by_id["ADA:binance>upbit"].blocked is not Reason.SCOPE_REDUCING
            assert told(w) == [("CRIT", "KRW-XRP is flagged by upbit: warning")]
            (line,) = notice_lines(w.engine.notices.notices, w.components.risk.halts.standing, w.clock.time_ms(), w.engine.cautions.told)
            assert (line.kinds, line.coins, line.standing) == (("caution",), ("XRP",), ("upbit:XRP REDUCING",))
            assert line.told == "KRW-XRP: warning"
            assert await look(w) == {SCOPE: "REDUCING"}
            assert len(told(w)) == 1
            w.same_after_restart()

    run_virtual(main())


def test_what_has_ended_lifts_nothing_and_an_alarm_by_figures_wakes_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            flag(w, [ALARM])
            assert await look(w) == {SCOPE: "REDUCING"}
            flag(w, [])
            assert await look(w) == {SCOPE: "REDUCING"}
            assert [severity for severity, _ in told(w)] == ["WARN", "WARN"]
            assert told(w)[-1][1] == "KRW-XRP is no longer flagged by upbit"
            w.same_after_restart()

    run_virtual(main())


def test_what_a_person_has_lifted_comes_back_only_with_a_new_flag(tmp_path: Path) -> None:
    async def first() -> None:
        async with world(tmp_path) as w:
            flag(w, [ALARM])
            assert await look(w) == {SCOPE: "REDUCING"}
            assert w.engine.operator.scopes.rearm(SCOPE, "p", "looked at", "ann") is None
            assert await look(w) == {}
            await w.journal.commit()

    async def second() -> None:
        await asyncio.sleep(60.0)
        async with world(tmp_path) as w:
            flag(w, [ALARM])  # as before
            assert await look(w) == {}
            assert len(told(w)) == 1  # of the first run
            flag(w, [ALARM, OTHER])
            assert await look(w) == {SCOPE: "REDUCING"}
            assert archive_halt(tmp_path, file_name(SCOPE)) is not None
            flag(w, [OTHER])  # one of the two has ended
            assert await look(w) == {}
            flag(w, [OTHER, ALARM])  # and is back
            assert await look(w) == {SCOPE: "REDUCING"}
            w.same_after_restart()

    run_virtual(first())
    run_virtual(second())


def test_what_is_not_told_any_more_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            flag(w, [WARNING])
            assert await look(w) == {SCOPE: "REDUCING"}
            flag(w, None)
            assert await look(w) == {SCOPE: "REDUCING"}
            assert len(told(w)) == 1

    run_virtual(main())


def test_a_flag_confirms_a_notice_that_holds_the_coin_already(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 거래 유의 종목 지정 안내")
            flag(w, [WARNING])
            assert await look(w) == {"symbol.XRP": "REDUCING"}
            flags, notice = (w.engine.notices.notices.by_id[key] for key in ("upbit:flags:KRW-XRP", "upbit:1"))
            assert flags.done["hold symbol.XRP REDUCING"].startswith("stood as deep already")
            assert w.engine.cautions.told(notice) == "KRW-XRP: warning"

    run_virtual(main())


def test_a_flag_confirms_no_maintenance_which_ends_without_taking_it_away(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 마켓 점검 안내 (01/01 09:00 ~ 10:00)")
            w.engine.notices.look()
            assert halts(w)["symbol.XRP"] == "HALTED"
            flag(w, [WARNING])
            assert await look(w) == {"symbol.XRP": "HALTED", SCOPE: "REDUCING"}
            await until_min(w, 62)
            assert halts(w) == {SCOPE: "REDUCING"}
            w.same_after_restart()

    run_virtual(main())


def test_its_market_is_held_in_the_moment_in_which_it_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            flag(w, [ALARM])
            await w.engine.markets.look()
            assert halts(w) == {SCOPE: "REDUCING"}
            assert w.engine.operator.scopes.rearm(SCOPE, "p", "looked at", "ann") is None
            await asyncio.sleep(1.0)
            flag(w, [ALARM, OTHER])
            await w.engine.markets.look()
            assert halts(w) == {SCOPE: "REDUCING"}
            w.same_after_restart()

    run_virtual(main())


def test_what_a_person_has_lifted_is_remembered_however_many_notices_come(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            flag(w, [ALARM])
            assert await look(w) == {SCOPE: "REDUCING"}
            assert w.engine.operator.scopes.rearm(SCOPE, "p", "looked at", "ann") is None
            await asyncio.sleep(1.0)
            for number in range(510):
                announce(w, f"엑스알피(XRP) 재단 소식 {number}", name=f"n{number}")
            assert await look(w) == {}
            assert told(w) == []  # as many others came after the first, and no second
            flag(w, [])
            assert await look(w) == {}
            for number in range(3):
                announce(w, f"엑스알피(XRP) 재단 소식 {number}", name=f"m{number}")
            assert len(w.engine.notices.notices.by_id) <= 501
            w.same_after_restart()

    run_virtual(main())


def test_an_alarm_over_a_settlement_currency_is_told_and_a_designation_holds(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NettingConfig()) as w:
            flag(w, [ALARM], "KRW-USDT")
            assert await look(w) == {}
            assert [severity for severity, _ in told(w)] == [Severity.WARN.value]
            (breach,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == KIND]
            assert breach.action == "told only: everything at that venue is priced in it"
            flag(w, [ALARM, WARNING], "KRW-USDT")
            assert await look(w) == {"symbol.upbit:USDT": "REDUCING"}

    run_virtual(main())


def test_it_is_looked_at_as_soon_as_the_engine_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            flag(w, [WARNING])
            w.upbit.capabilities = replace(w.upbit.capabilities, flags=True)
            watching = asyncio.create_task(w.engine.markets.run())
            await asyncio.sleep(1.0)
            w.engine.notices.look()
            assert halts(w) == {SCOPE: "REDUCING"}
            watching.cancel()

    run_virtual(main())
