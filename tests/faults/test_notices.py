"""Notices in a live session over real sockets: what a venue publishes reduces risk, and a restart goes on with it."""

from pathlib import Path

from arbtui.journal.events import CycleState
from arbtui.risk.breach import Severity
from arbtui.sandbox.faults import WireFaultKind
from arbtui.sandbox.notices import PlayedNotice
from tests.faults.desk import Desk, desk, play


def standing(d: Desk) -> dict[str, str]:
    return {halt.scope: halt.depth.value for halt in d.engine.risk.halts.standing}


async def published(d: Desk, notice: PlayedNotice) -> None:
    """Let a venue publish it, again while nobody has heard it: a socket of its own may open later than that of the account."""
    before = d.engine.notices.version
    again = 0

    def heard() -> bool:
        nonlocal again
        if d.engine.notices.version == before and again % 50 == 0:
            d.box.announce(notice)
        again += 1
        return d.engine.notices.version > before

    await d.until(heard, "the notice is heard")


def test_a_coin_that_will_leave_is_not_entered_any_more_and_a_restart_acts_on_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.healthy()
            notice = PlayedNotice("upbit", "엑스알피(XRP) 거래지원 종료 안내", "거래지원 종료 일시: 2099-01-15 15:00", "trade", "77")
            await published(d, notice)
            await d.until(lambda: standing(d) == {"symbol.XRP": "REDUCING"}, "XRP is REDUCING")
            (breach,) = d.breaches("NOTICE_DELISTING")
            assert breach.severity is Severity.CRIT
            assert "2099-01-15T05:00:00.000Z" in breach.action
            await d.until(lambda: not d.engine.executor.open, "what was open ends")
            opened = {cycle.id for cycle in d.engine.cycles.values() if cycle.plan.route.symbol == "XRP"}
            await d.cycles(3, CycleState.HEDGED)  # of other coins
            assert {cycle.id for cycle in d.engine.cycles.values() if cycle.plan.route.symbol == "XRP"} == opened
            assert await d.stop() == 0
            await d.start()
            await d.healthy()
            assert standing(d) == {"symbol.XRP": "REDUCING"}
            assert d.engine.operator.scopes.rearm("symbol.XRP", "upbit-binance", "looked at", "ann") is None
            d.box.announce(notice)  # the venue tells it again, word for word
            await published(d, PlayedNotice("upbit", "엑스알피(XRP) 재단 소식 안내", id="78"))  # which comes after it
            assert standing(d) == {}
            await d.until(lambda: len(d.events("NoticeRead")) == 2, "the second is journaled, the first not again")
            assert [row["step"] for row in d.events("NoticeActed")] == ["hold symbol.XRP REDUCING"]
            assert [step.key for _, step in d.engine.notices.notices.due()] == ["hold symbol.XRP HALTED"]

    play(main)


def test_maintenance_halts_the_venue_and_a_person_opens_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.healthy()
            await published(d, PlayedNotice("binance", "Binance Spot Emergency Maintenance", category="Latest News"))
            await d.until(lambda: standing(d) == {"exchange.binance": "HALTED"}, "Binance is HALTED")
            await d.until(lambda: not d.engine.executor.open, "nothing is under way")
            opened = len(d.engine.cycles)
            assert d.engine.operator.scopes.rearm("exchange.binance", "upbit-binance", "it is back", "ann") is None
            await d.until(lambda: len(d.engine.cycles) > opened, "it trades again")

    play(main)


def test_rules_that_have_changed_stop_entries_in_that_market(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.healthy()
            d.fault("upbit", WireFaultKind.RULES, symbol="KRW-XRP", tick="50")
            await published(d, PlayedNotice("upbit", "호가 단위 변경 안내", category="trade"))
            await d.until(lambda: standing(d) == {"symbol.XRP": "REDUCING"}, "XRP is REDUCING")
            (breach,) = d.breaches("RULES_CHANGED")
            assert breach.scope == "upbit:KRW-XRP"
            assert "price unit" in breach.detail

    play(main)


def test_a_wallet_that_closes_gates_the_coin(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.healthy()
            (route,) = [route for route in d.engine.components.universe.routes if route.id == "XRP:binance>upbit"]
            usual = route.terms.order_value
            title = "Deposits and Withdrawals of Ripple (XRP) Temporarily Suspended"
            await published(d, PlayedNotice("binance", title, category="Maintenance Updates"))
            await d.until(lambda: standing(d) == {"wallet.binance:XRP": "PAUSED"}, "XRP is gated")
            assert route.terms.order_value == usual / 4

    play(main)


def test_a_market_that_its_venue_flags_is_entered_no_more_without_any_notice(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.healthy()
            flag = d.fault("upbit", WireFaultKind.FLAG, symbol="KRW-XRP", words="warning,PRICE_FLUCTUATIONS")
            await d.engine.markets.look()  # as once a minute
            await d.until(lambda: standing(d) == {"symbol.upbit:XRP": "REDUCING"}, "XRP is REDUCING at Upbit")
            (breach,) = d.breaches("MARKET_FLAGGED")
            assert (breach.severity, breach.scope) == (Severity.CRIT, "upbit:KRW-XRP")
            assert flag.met > 0
            await d.until(lambda: not d.engine.executor.open, "what was open ends")
            opened = {cycle.id for cycle in d.engine.cycles.values() if cycle.plan.route.symbol == "XRP"}
            await d.cycles(3, CycleState.HEDGED)  # of other coins
            assert {cycle.id for cycle in d.engine.cycles.values() if cycle.plan.route.symbol == "XRP"} == opened

    play(main)
