"""What a venue's notice does in a running engine, and after a restart of it."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine import notice_watch
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.errors import VenueFailed
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.order import Balance
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import NOTICE, Depth, ScopedHalt, archive_halt, file_name, write_halt
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.config import RebalanceConfig
from arbtui.portfolio.ledger import read_ledger
from arbtui.risk.notices.rules import NoticeRules
from tests.engine.test_scopes import settled
from tests.execution.world import UPBIT_DEAR, World, world

# Virtual time begins on 2026-01-01 at 00:00 UTC: 09:00 in Seoul.
MINUTE = 60.0


def announce(w: World, title: str, body: str = "", *, name: str = "1", exchange: str = "upbit") -> None:
    hours = 9 if exchange == "upbit" else 0
    said = Announcement(exchange, name, title, body, "https://venue.example/1", (), VIRTUAL_EPOCH_MS, hours)
    w.engine.notices.on_announcement(said)


def halts(w: World) -> dict[str, str]:
    """What stands now: scope to depth."""
    w.engine.scopes.look()
    return {halt.scope: halt.depth.value for halt in w.components.risk.halts.standing}


def done(w: World, name: str = "upbit:1") -> dict[str, str]:
    return w.portfolio.state.notices.by_id[name].done


def kinds(w: World) -> list[str]:
    return [breach.kind for breach in w.engine.breaches.breaches.values() if breach.kind.startswith(("NOTICE", "RULES"))]


async def until_min(w: World, minutes: float) -> None:
    """Wait until so many minutes of the run are over."""
    w.step_s = 1.0
    await asyncio.sleep(minutes * MINUTE - w.clock.monotonic() + 2.0)


def test_a_coin_that_will_leave_is_reducing_at_once_and_halted_before_the_hour(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            announce(w, "엑스알피(XRP) 거래지원 종료 안내 (01/01 12:00)")
            assert halts(w) == {"symbol.XRP": "REDUCING"}
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.components.universe.by_id["XRP:binance>upbit"].blocked is Reason.SCOPE_REDUCING
            await until_min(w, 119)
            assert halts(w) == {"symbol.XRP": "REDUCING"}
            await until_min(w, 120)
            assert halts(w) == {"symbol.XRP": "HALTED"}
            assert list(done(w)) == ["hold symbol.XRP REDUCING", "hold symbol.XRP HALTED"]
            assert kinds(w) == ["NOTICE_DELISTING"]
            w.same_after_restart()

    run_virtual(main())


def test_a_restart_goes_on_with_the_schedule_and_does_nothing_twice(tmp_path: Path) -> None:
    async def first() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 거래지원 종료 안내 (01/01 12:00)")
            assert archive_halt(tmp_path, file_name("symbol.XRP")) is not None  # a person lifts it
            await w.journal.commit()

    async def second() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 거래지원 종료 안내 (01/01 12:00)")  # the venue tells of it again
            assert halts(w) == {}
            assert kinds(w) == ["NOTICE_DELISTING"]  # of the first run
            await until_min(w, 121)
            assert halts(w) == {"symbol.XRP": "HALTED"}

    async def third() -> None:
        async with world(tmp_path) as w:
            archive_halt(tmp_path, file_name("symbol.XRP"))
            await until_min(w, 1)
            assert halts(w) == {}

    run_virtual(first())
    run_virtual(second())
    run_virtual(third())


def test_what_came_due_while_nothing_ran_is_done_at_the_start(tmp_path: Path) -> None:
    async def first() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            assert halts(w) == {}

    async def second() -> None:
        await asyncio.sleep(35 * MINUTE)
        async with world(tmp_path) as w:
            await asyncio.sleep(1.0)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            await until_min(w, 61)
            assert halts(w) == {}

    run_virtual(first())
    run_virtual(second())


def test_maintenance_drains_halts_and_opens_after_a_probe(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            assert halts(w) == {}
            await until_min(w, 20)
            assert halts(w) == {"exchange.upbit": "PAUSED"}
            await until_min(w, 30)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            w.silent.add("upbit")
            for book in w.components.aggregator.books.values():
                book.state = BookState.STALE
            await until_min(w, 65)
            assert halts(w) == {"exchange.upbit": "HALTED"}  # its books are not live
            w.silent.clear()
            await until_min(w, 66)
            assert halts(w) == {}
            assert done(w)["open exchange.upbit"].startswith("opened at 2026-01-01T01:05")
            w.step_s = 0.05
            await asyncio.sleep(1.0)
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert [cycle.state for cycle in w.engine.cycles.values()] == [CycleState.HEDGED]

    run_virtual(main())


def test_a_venue_that_does_not_answer_stays_halted(tmp_path: Path) -> None:
    async def silent(lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        raise VenueFailed("not there")

    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            answers, w.upbit.fetch_balances = w.upbit.fetch_balances, silent  # type: ignore[method-assign]
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            w.upbit.fetch_balances = answers  # type: ignore[method-assign]
            await until_min(w, 71)
            assert halts(w) == {}

    run_virtual(main())


def test_what_a_person_has_halted_no_notice_opens(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            write_halt(tmp_path, ScopedHalt("exchange.upbit", Depth.PAUSED, "CLI", "ann", "mine", VIRTUAL_EPOCH_MS))
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert done(w)["open exchange.upbit"].startswith("left to a person")

    run_virtual(main())


def test_a_maintenance_without_an_end_waits_for_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "긴급 서버 점검 안내")
            assert halts(w) == {"exchange.upbit": "HALTED"}
            await until_min(w, 90)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "it is back", "ann") is None
            assert halts(w) == {}

    run_virtual(main())


def test_one_notice_does_not_open_what_another_holds(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            announce(w, "서버 점검 안내 (01/01 09:50 ~ 11:00)", name="2")
            await until_min(w, 61)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert done(w)["open exchange.upbit"] == "another notice still holds it"
            await until_min(w, 121)
            assert halts(w) == {}

    run_virtual(main())


def test_what_a_person_has_lifted_holds_nothing_any_more(tmp_path: Path) -> None:
    """A maintenance without an end that a person has ended does not keep the next one from opening by itself, over a restart too."""

    async def first() -> None:
        async with world(tmp_path) as w:
            announce(w, "긴급 서버 점검 안내")
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "it is back", "ann") is None

    async def second() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)", name="2")
            await until_min(w, 31)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            await until_min(w, 61)
            assert halts(w) == {}
            w.same_after_restart()

    run_virtual(first())
    run_virtual(second())


def test_a_coin_that_will_leave_is_not_opened_by_the_end_of_a_standstill(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 거래 유의 종목 지정 안내")
            announce(w, "엑스알피(XRP) 거래 일시 중단 안내 (01/01 09:30 ~ 10:00)", name="2")
            await until_min(w, 61)
            assert halts(w) == {"symbol.XRP": "HALTED"}
            assert done(w, "upbit:2")["open symbol.XRP"] == "another notice still holds it"

    run_virtual(main())


def test_an_update_moves_the_maintenance(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 10:00 ~ 11:00)")
            announce(w, "서버 점검 시간 변경 안내 (01/01 10:00 ~ 11:00 → 01/01 12:00 ~ 13:00)")
            await until_min(w, 100)
            assert halts(w) == {}
            await until_min(w, 181)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert kinds(w) == ["NOTICE_MAINTENANCE", "NOTICE_MAINTENANCE"]

    run_virtual(main())


def test_a_suspended_wallet_gates_the_coin_and_trading_goes_on_smaller(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            usual = w.components.universe.by_id["XRP:binance>upbit"].terms.order_value
            announce(w, "엑스알피(XRP) 입출금 일시 중단 안내 (01/02 12:00)")
            assert halts(w) == {"wallet.upbit:XRP": "PAUSED"}
            assert w.components.risk.halts.is_gated("upbit", "XRP")
            assert not w.components.risk.halts.is_gated("binance", "XRP")
            assert w.components.universe.by_id["XRP:binance>upbit"].terms.order_value == usual / 4
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            (cycle,) = w.engine.cycles.values()
            assert cycle.state is CycleState.HEDGED
            assert cycle.plan.value <= usual / 4 * 1.01
            assert w.engine.operator.scopes.rearm("wallet.upbit:XRP", "p", "it is open", "ann") is None
            assert w.components.universe.by_id["XRP:binance>upbit"].terms.order_value == usual

    run_virtual(main())


def test_a_person_gates_a_wallet_with_the_usual_verb(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            scopes = w.engine.operator.scopes
            assert "did you mean wallet.upbit:XRP" in str(scopes.halt("wallet.upbit:XPR", "paused", "CLI", "ann", "x"))
            assert scopes.halt("wallet.Upbit:xrp", "paused", "CLI", "ann", "the chain stands") is None
            assert scopes.halt("wallet.binance", "paused", "CLI", "ann", "all of it") is None
            assert w.components.risk.halts.is_gated("upbit", "XRP")
            assert w.components.risk.halts.is_gated("binance", "USDT")
            w.show("upbit", UPBIT_DEAR)
            await settled(w)
            assert [cycle.state for cycle in w.engine.cycles.values()] == [CycleState.HEDGED]  # orders pass

    run_virtual(main())


def test_no_transfer_is_planned_over_a_gated_wallet(tmp_path: Path) -> None:
    terms: dict[str, Networks] = {
        name: {"XRP": [NetworkTerms("XRP", "XRP", deposits=True, withdrawals=True, fee=Decimal(1), least=Decimal(1))]}
        for name in ("upbit", "binance")
    }

    async def main() -> None:
        async with world(tmp_path, rebalance=RebalanceConfig(refill_below=0.99)) as w:
            for _ in range(4):
                await w.trade()
                await asyncio.sleep(1.0)
            w.engine.wallets.networks = terms
            before = w.engine.wallets.plans("XRP")
            assert before
            assert all(plan.best is not None for plan in before)
            announce(w, "전체 디지털 자산 입출금 일시 중단 안내")
            assert halts(w) == {"wallet.upbit": "PAUSED"}
            for plan in w.engine.wallets.plans("XRP"):
                assert plan.best is None
                assert all(rail.why_not for rail in plan.rails)
            assert [plan.id for plan in w.engine.wallets.plans("XRP")] == [plan.id for plan in before]

    run_virtual(main())


@pytest.mark.parametrize("title", ["엑스알피(XRP) 거래 유의 종목 지정 안내", "[투자유의] 엑스알피(XRP) 투자유의종목 지정 안내"])
def test_a_caution_flag_is_reducing(tmp_path: Path, title: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, title)
            assert halts(w) == {"symbol.XRP": "REDUCING"}

    run_virtual(main())


def test_changed_rules_are_read_again_and_a_market_that_differs_is_entered_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            asked: list[Collection[str]] = []

            async def rules(codes: Collection[str]) -> Mapping[str, Market]:
                asked.append(codes)
                ours = {market.code: market for market in w.components.universe.markets if market.exchange == "upbit"}
                return ours | {"KRW-XRP": replace(ours["KRW-XRP"], price_units=FixedUnit(Decimal(10)))}

            w.upbit.fetch_rules = rules  # type: ignore[method-assign]
            announce(w, "호가 단위 변경 안내 (01/01 09:30)")
            await until_min(w, 29)
            assert asked == []
            await until_min(w, 31)
            assert halts(w) == {"symbol.XRP": "REDUCING"}
            assert kinds(w) == ["NOTICE_RULES", "RULES_CHANGED"]
            await until_min(w, 45)
            assert len(asked) == 2  # once more, for a venue that is late

    run_virtual(main())


def test_rules_that_are_not_answered_are_asked_for_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            (ours,) = (market for market in w.components.universe.markets if market.exchange == "upbit")
            asked = 0

            async def answered(codes: Collection[str]) -> Mapping[str, Market]:
                return {ours.code: ours}

            async def rules(codes: Collection[str]) -> Mapping[str, Market]:
                nonlocal asked
                asked += 1
                raise VenueFailed("not there")

            w.upbit.fetch_rules = rules  # type: ignore[method-assign]
            announce(w, "호가 단위 변경 안내")
            await until_min(w, 3)
            assert asked == 4  # once a minute
            assert kinds(w).count("RULES_UNREAD") == 1  # the same is told once
            assert done(w) == {}
            w.upbit.fetch_rules = answered  # type: ignore[method-assign]
            await until_min(w, 4)
            assert done(w) == {"rules exchange.upbit": "read: 1 of ours as they were"}
            assert not w.engine.breaches.open - 1  # but for the notice itself

    run_virtual(main())


def test_a_new_coin_is_remembered_and_not_traded_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "모나드(MON) 신규 거래지원 안내 (KRW, BTC, USDT 마켓)")
            assert halts(w) == {}
            assert w.portfolio.state.notices.new_coins == {"MON": "upbit:1"}
            assert kinds(w) == ["NOTICE_LISTING"]

    run_virtual(main())


def test_anything_else_about_a_coin_that_is_held_is_a_warning(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 재단 소각 계획 안내")
            announce(w, "모나드(MON) 재단 소각 계획 안내", name="2")
            assert kinds(w) == ["NOTICE_OTHER"]
            assert halts(w) == {}

    run_virtual(main())


def test_a_delisting_that_names_no_coin_wakes_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "Binance Will Delist Multiple Tokens on 2026-01-20", exchange="binance")
            assert halts(w) == {}
            (breach,) = w.engine.breaches.breaches.values()
            assert (breach.kind, breach.severity, breach.action) == ("NOTICE_DELISTING", "CRIT", "read it: it names no coin")

    run_virtual(main())


def test_a_halt_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            (tmp_path / "halt.d").write_text("a file where the folder should be")
            announce(w, "엑스알피(XRP) 거래 유의 종목 지정 안내")
            assert "NOTICE_NOT_ACTED" in kinds(w)
            assert done(w) == {}
            (tmp_path / "halt.d").unlink()
            await until_min(w, 1)
            assert halts(w) == {"symbol.XRP": "REDUCING"}

    run_virtual(main())


def test_a_halt_of_a_notice_says_where_it_comes_from(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "엑스알피(XRP) 거래 유의 종목 지정 안내")
            (halt,) = w.components.risk.halts.standing
            assert (halt.source, halt.by) == (NOTICE, "upbit")
            assert halt.reason == "엑스알피(XRP) 거래 유의 종목 지정 안내 https://venue.example/1"

    run_virtual(main())


# a person's own


CLI = ("CLI", "ann", "mine", VIRTUAL_EPOCH_MS)


@pytest.mark.parametrize("update", ["서버 점검 안내 (01/01 09:30 ~ 10:30)", "서버 점검 안내 (01/01 09:30 ~ 10:30) (완료)"])
def test_no_update_of_a_notice_opens_what_a_person_had_halted_before_it(tmp_path: Path, update: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            write_halt(tmp_path, ScopedHalt("exchange.upbit", Depth.PAUSED, *CLI))
            await until_min(w, 35)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            announce(w, update)
            await until_min(w, 100)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert "by ann (CLI): mine" in done(w)["open exchange.upbit"]
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "it is back", "ann") is None
            assert halts(w) == {}

    run_virtual(main())


@pytest.mark.parametrize("depth", list(Depth))
def test_no_notice_opens_what_a_person_halts_while_it_stands_as_deep_already(tmp_path: Path, depth: Depth) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            await until_min(w, 35)
            refusal = w.engine.operator.scopes.halt("exchange.upbit", depth.value, "CONSOLE", "ann", "mine")
            assert refusal is not None
            assert "by ann (CONSOLE): mine" in refusal
            await w.journal.commit()
            assert "by ann (CONSOLE): mine" in read_ledger(w.journal.path)["kills"][-1]["reason"]
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert done(w)["open exchange.upbit"].startswith("left to a person")

    run_virtual(main())


# what happens while the venue is asked


def asking(w: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let ``meanwhile`` happen while Upbit is asked for its balances."""
    answers = w.upbit.fetch_balances

    async def slowly(lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        told = await answers(lane)
        meanwhile()
        return told

    monkeypatch.setattr(w.upbit, "fetch_balances", slowly)


def test_an_update_that_comes_during_the_probe_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            asking(w, monkeypatch, lambda: announce(w, "서버 점검 안내 (01/01 09:30 ~ 12:00)"))
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert "open exchange.upbit" not in done(w)
            await until_min(w, 181)
            assert halts(w) == {}

    run_virtual(main())


def test_a_second_notice_that_comes_during_the_probe_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            asking(w, monkeypatch, lambda: announce(w, "긴급 서버 점검 안내", name="2"))
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert done(w)["open exchange.upbit"] == "another notice still holds it"

    run_virtual(main())


@pytest.mark.parametrize("depth", list(Depth))
def test_a_person_who_halts_during_the_probe_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: Depth) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            asking(w, monkeypatch, lambda: write_halt(tmp_path, ScopedHalt("exchange.upbit", depth, *CLI)))  # another process
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert done(w)["open exchange.upbit"].startswith("left to a person")

    run_virtual(main())


def test_a_run_that_ends_during_the_probe_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            asking(w, monkeypatch, w.engine.notices.stop)
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert "open exchange.upbit" not in done(w)

    run_virtual(main())


# an end that moves


def test_a_longer_maintenance_without_an_end_that_can_be_read_waits_for_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            await until_min(w, 50)
            announce(w, "서버 점검 연장 안내", "종료 시각은 추후 다시 공지합니다.")
            await until_min(w, 120)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "it is back", "ann") is None
            assert halts(w) == {}

    run_virtual(main())


def test_a_maintenance_that_goes_on_after_it_was_opened_halts_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)")
            await until_min(w, 61)
            assert halts(w) == {}
            announce(w, "서버 점검 연장 안내", "종료 시각은 추후 다시 공지합니다.")
            assert halts(w) == {"exchange.upbit": "HALTED"}
            await until_min(w, 120)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            w.same_after_restart()

    run_virtual(main())


@pytest.mark.parametrize("title", ["엑스알피(XRP) 거래 유의 종목 지정 안내", "긴급 서버 점검 안내", "엑스알피(XRP) 입출금 일시 중단 안내"])
def test_an_update_that_says_nothing_new_does_not_halt_again_what_a_person_has_lifted(tmp_path: Path, title: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, title)
            (scope,) = halts(w)
            assert w.engine.operator.scopes.rearm(scope, "p", "looked at", "ann") is None
            await until_min(w, 30)
            announce(w, title, "문의는 고객센터로 해 주세요.")
            await until_min(w, 31)
            assert halts(w) == {}

    run_virtual(main())


# rules


def test_a_maintenance_that_ends_opens_nothing_that_changed_rules_have_halted(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rules_of(w, price_units=FixedUnit(Decimal(10)))
            announce(w, "엑스알피(XRP) 거래 일시 중단 안내 (01/01 09:30 ~ 10:00)")
            announce(w, "호가 단위 변경 안내 (01/01 09:40)", name="2")
            await until_min(w, 45)
            assert halts(w) == {"symbol.XRP": "HALTED"}
            assert "RULES_CHANGED" in kinds(w)
            await until_min(w, 70)
            assert halts(w) == {"symbol.XRP": "HALTED"}
            assert "(RULES)" in done(w)["open symbol.XRP"]

    run_virtual(main())


def rules_of(w: World, **changed: Any) -> list[list[str]]:
    """Let Upbit state XRP's rules as ``changed``; what it is asked for."""
    asked: list[list[str]] = []

    async def rules(codes: Collection[str]) -> Mapping[str, Market]:
        asked.append(sorted(codes))
        ours = {market.code: market for market in w.components.universe.markets if market.exchange == "upbit"}
        return {code: replace(ours[code], **(changed if code == "KRW-XRP" else {})) for code in codes}

    w.upbit.fetch_rules = rules  # type: ignore[method-assign]
    return asked


def test_only_the_markets_that_a_notice_names_are_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            asked = rules_of(w)
            announce(w, "엑스알피(XRP) 호가 단위 변경 안내")
            await until_min(w, 1)
            assert asked == [["KRW-XRP"]]
            announce(w, "호가 단위 변경 안내", name="2")
            await until_min(w, 2)
            assert asked == [["KRW-XRP"], ["KRW-ADA", "KRW-XRP"]]

    run_virtual(main())


def test_a_market_that_is_not_told_of_is_not_held_back_for_its_rules(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:

            async def rules(codes: Collection[str]) -> Mapping[str, Market]:
                return {market.code: market for market in w.components.universe.markets if market.code == "KRW-ADA"}

            w.upbit.fetch_rules = rules  # type: ignore[method-assign]
            announce(w, "호가 단위 변경 안내")
            await until_min(w, 1)
            assert halts(w) == {}
            assert done(w) == {"rules exchange.upbit": "read: 1 of ours as they were, 1 not told: KRW-XRP"}
            await until_min(w, 11)
            (told,) = (one for one in w.engine.breaches.breaches.values() if one.kind == "RULES_UNREAD")
            assert "KRW-XRP" in told.detail

    run_virtual(main())


def test_a_venue_that_tells_no_rules_gets_no_all_clear(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "호가 단위 변경 안내")
            await until_min(w, 11)
            assert list(done(w).values()) == ["not told by the venue: compare them with the notice"] * 2
            assert kinds(w) == ["NOTICE_RULES", "RULES_UNREAD"]

    run_virtual(main())


def test_price_units_that_a_venue_does_not_tell_are_left_to_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rules_of(w)
            w.upbit.capabilities = replace(w.upbit.capabilities, tells_price_units=False)
            announce(w, "호가 단위 변경 안내")
            await until_min(w, 11)
            assert len(done(w)) == 2
            (told,) = (one for one in w.engine.breaches.breaches.values() if one.kind == "RULES_UNREAD")
            assert "price units" in told.detail
            assert told.id not in w.engine.breaches.acknowledged

    run_virtual(main())


DEAR = Fees(Decimal("0.0005"), Decimal("0.002"), FeeTakenIn.QUOTE)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"min_cost": Decimal(10_000)}, "its least order is 10000 KRW, not 5000"),
        ({"fees": replace(DEAR, taker=Decimal("0.001"), maker=Decimal("0.0005"))}, "its taker fee is 0.1 %, not 0.05 %"),
        ({"fees": DEAR}, "its maker fee is 0.2 %, not 0.05 %"),
        ({"fees": Fees(Decimal("0.0005"), Decimal("0.0005"), FeeTakenIn.RECEIVED)}, "its fees are taken in another asset"),
        ({"max_qty": Decimal(10)}, "its largest quantity is 10, not 10000000000000"),
        ({"min_cost": Decimal(1000), "fees": Fees(Decimal(0), Decimal(0), FeeTakenIn.QUOTE)}, ""),
    ],
)
def test_what_an_order_costs_and_must_be_are_rules_too(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rules_of(w, **changed)
            announce(w, "수수료 정책 변경 안내")
            await until_min(w, 1)
            assert halts(w) == ({"symbol.XRP": "REDUCING"} if words else {})
            assert [one.detail for one in w.engine.breaches.breaches.values() if one.kind == "RULES_CHANGED"] == ([words] if words else [])

    run_virtual(main())


def test_rules_of_many_markets_hold_up_the_loop_for_one_halt_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coins = ("XRP", "ADA", "SOL", "DOT")
    turns: list[str] = []

    def written(folder: Path, halt: ScopedHalt) -> tuple[ScopedHalt, bool]:
        turns.append(halt.scope)
        asyncio.get_running_loop().call_soon(turns.append, "others")
        return write_halt(folder, halt)

    async def main() -> None:
        async with world(tmp_path, symbols=coins, funds=funds_of(coins)) as w:
            ours = {market.code: market for market in w.components.universe.markets if market.exchange == "upbit"}

            async def rules(codes: Collection[str]) -> Mapping[str, Market]:
                return {code: replace(ours[code], min_cost=ours[code].min_cost * 2) for code in codes if ours[code].base in coins}

            w.upbit.fetch_rules = rules  # type: ignore[method-assign]
            monkeypatch.setattr(notice_watch, "write_halt", written)
            announce(w, "수수료 정책 변경 안내")
            await until_min(w, 1)
            assert halts(w) == {f"symbol.{coin}": "REDUCING" for coin in coins}
            assert turns[1:8:2] == ["others"] * 4

    run_virtual(main())


def test_an_update_that_comes_while_the_rules_are_read_is_read_for_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            asked = rules_of(w)
            answers = w.upbit.fetch_rules

            async def slowly(codes: Collection[str]) -> Mapping[str, Market] | None:
                if not asked:
                    announce(w, "호가 단위 변경 안내 (01/01 12:00)")
                return await answers(codes)

            w.upbit.fetch_rules = slowly  # type: ignore[method-assign]
            announce(w, "호가 단위 변경 안내 (01/01 09:10)")
            await until_min(w, 12)
            assert (len(asked), done(w)) == (1, {})
            await until_min(w, 181)
            assert len(asked) == 2
            assert "rules exchange.upbit" in done(w)

    run_virtual(main())


# how much it costs


def test_the_halts_are_looked_at_once_however_many_a_notice_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coins = ("XRP", "ADA", "SOL", "DOT")

    async def main() -> None:
        async with world(tmp_path, symbols=coins, funds=funds_of(coins)) as w:
            looks, look = 0, w.engine.scopes.look

            def counted() -> None:
                nonlocal looks
                looks += 1
                look()

            monkeypatch.setattr(w.engine.scopes, "look", counted)
            announce(w, f"({', '.join(coins)}) 거래 유의 종목 지정 안내")
            assert looks == 1
            assert halts(w) == {f"symbol.{coin}": "REDUCING" for coin in coins}

    run_virtual(main())


def test_a_slow_disk_holds_up_the_loop_for_a_few_halts_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coins = ("XRP", "ADA", "SOL", "DOT", "DOGE")

    async def main() -> None:
        async with world(tmp_path, symbols=coins, funds=funds_of(coins)) as w:
            lost_s, monotonic = 0.0, w.clock.monotonic

            def slow(folder: Path, halt: ScopedHalt) -> tuple[ScopedHalt, bool]:
                nonlocal lost_s
                lost_s += 0.03
                return write_halt(folder, halt)

            monkeypatch.setattr(notice_watch, "write_halt", slow)
            monkeypatch.setattr(w.clock, "monotonic", lambda: monotonic() + lost_s)
            announce(w, f"({', '.join(coins)}) 거래 유의 종목 지정 안내")
            assert len(halts(w)) == 2
            w.engine.notices.look()
            assert len(halts(w)) == 4
            w.engine.notices.look()
            announce(w, f"({', '.join(coins)}) 거래지원 종료 안내 (01/01 09:30)", name="2")
            assert len(done(w, "upbit:2")) == 2
            w.engine.notices.look(inf)
            assert len(done(w, "upbit:2")) == 10
            assert halts(w) == {f"symbol.{coin}": "HALTED" for coin in coins}
            assert len(done(w)) == 5

    run_virtual(main())


def funds_of(coins: Collection[str]) -> dict[str, dict[str, Decimal]]:
    """Of both venues."""
    return {
        name: {cash: Decimal(3_000_000), **dict.fromkeys(coins, Decimal(1000))} for name, cash in (("upbit", "KRW"), ("binance", "USDT"))
    }


def test_the_rules_by_which_notices_are_read_are_there_before_the_first_comes(tmp_path: Path) -> None:
    async def main() -> None:
        NoticeRules.shipped.cache_clear()
        async with world(tmp_path):
            assert NoticeRules.shipped.cache_info().currsize == 1

    run_virtual(main())


def test_what_still_holds_is_never_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            announce(w, "긴급 서버 점검 안내", name="old")
            for number in range(550):
                announce(w, f"엑스알피(XRP) 재단 소식 {number}", name=f"n{number}")
            assert len(w.portfolio.state.notices.by_id) <= 501
            announce(w, "서버 점검 안내 (01/01 09:30 ~ 10:00)", name="2")
            await until_min(w, 70)
            assert halts(w) == {"exchange.upbit": "HALTED"}
            assert w.engine.operator.scopes.rearm("exchange.upbit", "p", "it is back", "ann") is None
            for number in range(550):
                announce(w, f"엑스알피(XRP) 재단 소식 {number}", name=f"m{number}")
            assert "upbit:old" not in w.portfolio.state.notices.by_id
            w.same_after_restart()

    run_virtual(main())
