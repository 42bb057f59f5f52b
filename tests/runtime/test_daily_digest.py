"""The daily digest: PnL in its parts, best and worst routes, what limited us, residuals, health; once a day, at the desk's time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from arbtui.journal.day import DayOfCycles, read_day
from arbtui.model.clock import VIRTUAL_EPOCH_MS, LoopClock
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.alert import Alert, message
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.digest import digest
from arbtui.monitoring.quiet_hours import DeskHours
from arbtui.portfolio.config import DeskConfig
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Severity
from arbtui.runtime.daily_digest import DailyDigest, DigestMaker
from arbtui.views.detail import DenialLine, HeldTime
from tests.execution.world import world
from tests.views.test_detail import views_of


async def read_now(path: Path, since_ms: int) -> DayOfCycles:
    """In virtual time nothing waits for a thread."""
    return read_day(path, since_ms)


def test_it_says_what_the_day_came_to(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            one = DigestMaker(w.engine, views_of(w), DeskConfig(), read_now)
            nothing = await one.text()
            assert "cycles: none ended; open 0" in nothing
            assert "best:" not in nothing
            assert "residuals: none" in nothing
            await w.trade()
            await asyncio.sleep(2)  # PnL on screens is priced once a second
            w.engine.breaches.record(Severity.WARN, "LOSSES", "BTC", "many", "paused")
            text = await one.text()
            lines = text.splitlines()
            (cycle,) = w.portfolio.state.cycles.values()
            assert lines[0].startswith("2026-01-01: PnL ")
            assert f"fees {-float(cycle.fees):+,.2f}" in lines[0]
            assert lines[1] == "cycles: 1 hedged; open 0"
            word = "best" if cycle.pnl > 0 else "worst"
            assert lines[2] == f"{word}: {cycle.route} {float(cycle.pnl):+,.2f} in 1"
            assert "breaches 1 WARN (1 not acknowledged)" in text
            assert "health: ARMED" in text

    run_virtual(main())


def times_told(desk: DeskConfig, make: Callable[[], Awaitable[str]], days: float = 3) -> list[int]:
    """When a digest at 23:59 was told, in ms since the virtual epoch, which is midnight in UTC."""

    async def main() -> list[int]:
        told: list[int] = []
        clock = LoopClock(asyncio.get_running_loop())
        one = DailyDigest(clock, desk, "23:59", make, lambda kind, text: told.append(clock.time_ms() - VIRTUAL_EPOCH_MS))
        task = asyncio.create_task(one.run())
        await asyncio.sleep(days * 86_400)
        assert not task.done()
        task.cancel()
        return told

    return list(run_virtual(main()))


@pytest.mark.parametrize(("zone", "first_h"), [("UTC", 23 + 59 / 60), ("Asia/Seoul", 14 + 59 / 60)])
def test_it_comes_once_a_day_at_the_desks_time(zone: str, first_h: float) -> None:
    async def make() -> str:
        return "a day"

    times = times_told(DeskConfig(timezone=zone), make)
    assert [at / 3_600_000 for at in times] == pytest.approx([first_h + 24 * day for day in range(3)])


def test_one_that_cannot_be_made_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> str:
        raise OSError("disk gone")

    assert times_told(DeskConfig(), fails) == []
    assert caplog.text.count("the daily digest could not be made") == 3


def test_its_day_begins_at_the_desks_midnight() -> None:
    seoul = DeskHours(ZoneInfo("Asia/Seoul"))
    assert VIRTUAL_EPOCH_MS - seoul.last_midnight(VIRTUAL_EPOCH_MS) == 9 * 3_600_000
    assert seoul.last_midnight(seoul.last_midnight(VIRTUAL_EPOCH_MS)) == seoul.last_midnight(VIRTUAL_EPOCH_MS)


def test_what_limited_us_is_told_by_time_without_the_usual_and_all_fits_a_message(tmp_path: Path) -> None:
    def line(reason: str, seconds: float, times: int) -> DenialLine:
        held = HeldTime(seconds, times)
        return DenialLine(reason, held, held, held)

    routes: Sequence[tuple[str, float, int]] = [(f"LONGCOIN{number}:coinone>binance>upbit", 1234.5, 10_000) for number in range(3)]
    cycles = DayOfCycles({"HEDGED": 31_000, "RESIDUAL": 3}, routes, routes, {"CRIT": 4, "WARN": 1200})
    denials = [line("BELOW_THRESHOLD", 9e4, 9), line("STALE", 60, 5), line("STOCK", 7300, 40), line("CASH", 600, 7)]

    async def main() -> str:
        async with world(tmp_path) as w:
            views = views_of(w)
            header = replace(views.header(), exchanges=views.header().exchanges * 4, idle="x" * 100)
            return digest("2026-01-01", header, views.gauges(), Pnl(), cycles, denials, (2, inf))

    text = run_virtual(main())
    assert "limited by: STOCK 2.0 h (40 times), CASH 10 min (7 times), STALE 60 s (5 times)\n" in text
    assert "residuals: 2 positions of unknown value" in text
    told = message("desk LIVE", [Alert("r1-7", 0, Urgency.INFO, "DIGEST", text)], 0)
    assert "..." not in told
    assert text in told
