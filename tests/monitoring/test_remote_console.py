"""The pocket console over a whole engine, in virtual time: its figures are the read model's, its verbs hold back and set nothing free."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arbtui.journal.events import BreachAcknowledged, CommandActed, CommandReceived, ScopeHalted, decode
from arbtui.journal.outbox import Outbox
from arbtui.journal.reader import reading
from arbtui.model.scoped_halts import read_halts
from arbtui.model.turns import Turns
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring import one_time_code
from arbtui.monitoring.alert_manager import AlertManager
from arbtui.monitoring.command_log import CommandLog
from arbtui.monitoring.commands import Command
from arbtui.monitoring.config import COMMAND_NAMES
from arbtui.monitoring.one_time_code import OneTimeCodes
from arbtui.monitoring.remote_console import RemoteConsole
from arbtui.monitoring.replies import WIDTH
from arbtui.portfolio.config import DeskConfig
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.breach import Severity
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.views.live import EngineViews
from arbtui.views.remote_controls import EngineRemoteControls
from tests.execution.world import UPBIT_DEAR, World, world
from tests.monitoring.outpost import alerts_config
from tests.views.test_detail import views_of

USER, OTHER = 42, 43
CODES = ("111111", "222222", "333333")


@dataclass
class Phone:
    """A user of the engine's pocket console."""

    w: World
    views: EngineViews
    console: RemoteConsole
    alerts: AlertManager
    sent: int = 0

    async def ask(self, text: str, user: int = USER, chat: int | None = None) -> str:
        """The answer to ``text``."""
        word, *arguments = text.split()
        self.sent += 1
        command = Command(self.sent, user, user if chat is None else chat, self.w.clock.time_ms(), word, tuple(arguments))
        return (await self.console.answer(command, COMMAND_NAMES)).text

    def events(self, *kinds: type) -> list[Any]:
        """What the journal holds of ``kinds``, oldest first."""
        with reading(self.w.journal.path) as db:
            names = [kind.__name__ for kind in kinds]
            rows = db.execute(f"SELECT type, version, payload FROM event WHERE type IN ({','.join('?' * len(names))}) ORDER BY seq", names)
            return [decode(*row) for row in rows]


@asynccontextmanager
async def phone(tmp_path: Path, **of_world: Any) -> AsyncIterator[Phone]:
    """One over a world that trades."""
    async with world(tmp_path, **of_world) as w:
        views, codes = views_of(w), iter(CODES * 10)
        alerts = AlertManager(w.journal, w.clock, (), "p SIM", Outbox([], {}), alerts_config())
        w.journal.alert_of, alerts.acknowledge_breach = alerts.alert_of, w.engine.operator.acknowledge_away
        console = RemoteConsole(
            views,
            lambda user_id: EngineRemoteControls(w.engine, "TELEGRAM", f"telegram user {user_id}"),
            lambda: w.halt.epoch,
            DeskConfig(timezone="Asia/Seoul").time_of,
            alerts,
            CommandLog(w.journal, {}),
            OneTimeCodes(w.clock.monotonic, lambda: next(codes)),
        )
        yield Phone(w, views, console, alerts)


def number(text: str, label: str) -> float:
    """The first number after ``label`` at the beginning of a line."""
    found = re.search(rf"^{re.escape(label)}\s+([-+\d.,]+)", text, re.MULTILINE)
    assert found, f"no {label!r} in {text}"
    return float(found[1].replace(",", ""))


async def residual(w: World) -> str:
    """Leave a bought leg that neither venue lets go; its breach's id."""
    w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
    w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
    cycle = await w.trade()
    for venue in w.venues.values():
        while venue.core.faults.take() is not None:
            pass
    (breach,) = [one for one in w.engine.breaches.breaches.values() if (one.kind, one.scope) == ("RESIDUAL", cycle.id)]
    return breach.id


def test_every_figure_is_the_read_models(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path) as p:
            await p.w.trade()
            p.w.engine.breaches.record(Severity.WARN, "STALE", "XRP", "no news for 4 s", "waited")
            status, header = await p.ask("/status"), p.views.header()
            assert header.pnl_day != 0.0
            for label, value in (
                ("PnL today", round(header.pnl_day, 2)),
                ("PnL this run", round(header.pnl_session, 2)),
                ("unhedged", round(header.unhedged, 2)),
                ("routes", header.routes),
                ("opportunities", header.opportunities),
                ("breaches open", 1),
            ):
                assert number(status, label) == value, label
            assert f"{header.rate:,.2f} KRW/USDT" in status
            run, day = await p.views.pnl(Turns())
            pnl = await p.ask("/pnl")
            assert number(pnl, "trading") == round(float(day.trading), 2)
            assert number(pnl, "fees") == -round(float(day.fees), 2)
            assert number(pnl, "total") == round(header.pnl_day, 2) == round(float(run.total), 2)
            fills = await p.ask("/fills")
            (cycle,) = p.views.cycles()
            assert "HEDGED" in fills
            assert f"{cycle.pnl:+,.2f} USDT" in fills
            for trade in cycle.trades:
                assert f"{trade.side} {trade.exchange}" in fills
            stock = await p.ask("/stock xrp")
            assert [line.split()[0] for line in stock.splitlines() if line.startswith(" ")][:2] == ["UPBIT", "BINANCE"]
            assert "/status" not in await p.ask("/exposure")
            limits = {line.scope: line for line in p.views.limits()}
            assert "global.max_open_cycles" in limits

    run_virtual(main())


ASKED = ["/status", "/routes", "/routes XRP", "/routes none", "/fills", "/pnl", "/stock", "/stock ADA", "/exposure", "/health", "/breaches"]


def test_every_line_of_a_table_fits_a_phone_and_names_the_desks_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path, symbols=("XRP", "ADA")) as p:
            await p.w.trade()
            long = "a balance at the venue differs from ours by 1,234,567.89 XRP, looked at three times, and nobody knows why it does"
            p.w.engine.breaches.record(Severity.CRIT, "BALANCE_MISMATCH", "upbit:XRP", long, "entries of XRP are denied")
            await p.ask("/pause exchange.upbit " + "its wallet is closed for maintenance " * 3)
            for text in ASKED:
                reply = await p.ask(text)
                assert max(len(line) for line in reply.splitlines()) <= WIDTH, reply
                assert "KST" in reply or "no route" in reply, reply

    run_virtual(main())


def test_routes_come_best_first_and_one_asset_alone_when_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path, symbols=("XRP", "ADA")) as p:
            p.w.quote("upbit", UPBIT_DEAR)
            told = await p.ask("/routes")
            nets = [float(one) for one in re.findall(r"^ net ([-+.\d]+) bps", told, re.MULTILINE)]
            assert len(nets) >= 2
            assert nets == sorted(nets, reverse=True)
            assert nets[0] > 0.0 > nets[-1]
            of_one = await p.ask("/routes xrp")
            assert "XRP" in of_one
            assert "ADA" not in of_one

    run_virtual(main())


def test_pause_is_the_consoles_verb_with_who_and_why_and_ends_no_halt(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path) as p:
            assert "exchange.upbit is PAUSED" in await p.ask("/pause exchange.Upbit its wallet closes")
            assert "global is PAUSED" in await p.ask("/pause", user=OTHER)
            told = [(one.scope, one.depth, one.source, one.by, one.reason) for one in p.events(ScopeHalted)]
            assert told == [
                ("exchange.upbit", "PAUSED", "TELEGRAM", "telegram user 42", "its wallet closes"),
                ("global", "PAUSED", "TELEGRAM", "telegram user 43", ""),
            ]
            assert p.views.header().state == "PAUSED"
            p.w.show("upbit", UPBIT_DEAR)
            assert p.w.engine.cycles == {}
            for again in range(3):  # once more is no toggle
                assert "held back as deep already" in await p.ask("/pause"), again
            assert "nothing that it trades falls under exchange.upbitt" in await p.ask("/pause exchange.upbitt")
            assert "expected global, exchange.NAME" in await p.ask("/pause upbit")
            assert len(read_halts(p.w.folder)[0]) == 2
            kinds = [type(one).__name__ for one in p.events(CommandReceived, ScopeHalted, CommandActed)]
            assert kinds[:3] == ["CommandReceived", "ScopeHalted", "CommandActed"]

    run_virtual(main())


def test_reduce_takes_a_code_that_is_bound_to_user_chat_and_scope(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path) as p:
            assert f"/reduce {CODES[0]}" in await p.ask("/reduce exchange.upbit it is late")
            assert read_halts(p.w.folder)[0] == ()
            assert "no code waits" in await p.ask(f"/reduce {CODES[0]}", user=OTHER)
            assert "no code waits" in await p.ask(f"/reduce {CODES[0]}", chat=-7)
            assert "not the code for exchange.binance; 2 more" in await p.ask(f"/reduce exchange.binance {CODES[0]}")
            assert "not the code; 1 more" in await p.ask("/reduce 999999")
            assert "exchange.upbit is REDUCING" in await p.ask(f"/reduce exchange.upbit {CODES[0]}")
            (halt,) = read_halts(p.w.folder)[0]
            assert (halt.scope, halt.depth, halt.by, halt.reason) == ("exchange.upbit", "REDUCING", "telegram user 42", "it is late")
            assert "no code waits" in await p.ask(f"/reduce {CODES[0]}")
            # a new request replaces the one that waits
            await p.ask("/reduce symbol.XRP")
            await p.ask("/reduce")
            assert "not the code" in await p.ask(f"/reduce {CODES[1]}")
            await asyncio.sleep(one_time_code.LIVES_S + 0.1)
            assert "expired" in await p.ask(f"/reduce {CODES[2]}")
            assert len(read_halts(p.w.folder)[0]) == 1

    run_virtual(main())


def test_a_pause_never_takes_the_place_of_something_deeper(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path) as p:
            await p.ask("/reduce")
            await p.ask(f"/reduce {CODES[0]}")
            assert "held back as deep already" in await p.ask("/pause")
            assert [halt.depth for halt in read_halts(p.w.folder)[0]] == ["REDUCING"]
            p.w.engine.kill_switch.kill("KEY")
            for text in (*ASKED, "/pause", "/reduce", f"/reduce {CODES[1]}"):
                await p.ask(text)
            await p.w.engine.executor.quiet.wait()
            assert p.w.halt.is_closed
            assert p.w.engine.state in (TradingState.HALTING, TradingState.HALTED)

    run_virtual(main())


def test_an_acknowledgement_silences_and_is_refused_where_something_would_trade_by_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with phone(tmp_path) as p:
            stale = p.w.engine.breaches.record(Severity.WARN, "STALE", "XRP", "no news for 4 s", "waited")
            down = p.w.engine.breaches.record(Severity.CRIT, "VENUE_DOWN", "upbit", "it refuses our account", "no entries")
            assert stale is not None
            assert down is not None
            released: list[str] = []
            p.w.engine.risk.exchange["upbit"].health.on_release = lambda: released.append("upbit")
            left = await residual(p.w)
            told = await p.ask("/breaches")
            assert {stale.id, down.id, left} <= set(re.findall(r"^ id (\S+)", told, re.MULTILINE))
            assert f"{stale.id} is acknowledged" in await p.ask(f"/ack {stale.id}")
            assert [(one.breach_id, one.by) for one in p.events(BreachAcknowledged)] == [(stale.id, "telegram user 42")]
            assert "nothing to acknowledge" in await p.ask(f"/ack {stale.id}")
            assert "nothing to acknowledge" in await p.ask("/ack r9-b9")
            assert "Which?" in await p.ask("/ack")
            for held in (down.id, left):
                told = next(one.alert.alert_id for one in p.alerts.unacknowledged if held in one.breaches)
                assert "seen, and nobody else is called" in (said := await p.ask(f"/ack {told}"))
                assert "at the console only" in said
                assert told not in [one.alert.alert_id for one in p.alerts.unacknowledged]
                assert "Not done: " in (said := await p.ask(f"/ack {held}"))
                assert "at the console only" in said
                assert held not in p.w.engine.breaches.acknowledged
            assert released == []
            assert not any(cycle.acknowledged_by for cycle in p.w.portfolio.positions)
            assert p.w.engine.operator.acknowledge(left) is None  # at the console it can

    run_virtual(main())


def test_an_acknowledgement_from_away_does_not_end_unattended(tmp_path: Path) -> None:
    limits = default_limits("paper")
    limits["global"]["max_cycles_unattended"] = 1

    async def main() -> None:
        async with phone(tmp_path, risk=RiskConfig.model_validate(limits)) as p:
            await p.w.trade()
            breach = p.w.engine.breaches.record(Severity.WARN, "STALE", "XRP", "no news for 4 s", "waited")
            assert breach is not None
            assert "UNATTENDED holds everything back" in await p.ask(f"/ack {breach.id}")
            assert p.w.portfolio.state.unattended == 1
            assert p.w.engine.operator.acknowledge(breach.id) is None
            assert p.w.portfolio.state.unattended == 0

    run_virtual(main())
