"""The engine: owns the state, opens cycles, watches limits, halts and re-arms."""

import asyncio
import logging
from datetime import UTC, datetime
from math import inf
from typing import Any

from arbtui.engine.breaches import TOLD_DENIALS, BreachBook
from arbtui.engine.cancels import cancel_all
from arbtui.engine.components import EngineComponents
from arbtui.engine.decider import Decider
from arbtui.engine.decisions import DecisionLog
from arbtui.engine.health_watch import HealthWatch
from arbtui.engine.late_fills import LateFills
from arbtui.engine.order_troubles import OrderTroubles
from arbtui.execution.cycle import ArbCycle, left_value
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.gate import OrderGate
from arbtui.execution.plan import compile_plan
from arbtui.execution.tracker import OrderTracker
from arbtui.failover.reconciler import Reconciled
from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.events import CycleAcknowledged, CycleState, Killed, Rearmed, StateChanged
from arbtui.journal.state import JournalState
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError, JournalFailed
from arbtui.model.money import plain
from arbtui.model.reason import Reason
from arbtui.positions.coordinator import Mismatch
from arbtui.risk.breach import Severity
from arbtui.risk.kill_switch import KillSwitch
from arbtui.risk.state import TradingState
from arbtui.routes.health_score import RouteHealthScore
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity

log = logging.getLogger("arbtui")

#: How long a kill waits for answers to orders that were under way, in seconds, before it says that something is left.
_SETTLE_S = 10.0
#: After that, between two attempts to cancel what is left, in seconds.
_CANCEL_AGAIN_S = 5.0


class Engine:
    """Everything that decides. One loop, one writer, no locks; what may be called from a thread says so."""

    def __init__(self, components: EngineComponents, remembered: JournalState, tasks: asyncio.TaskGroup) -> None:
        self.components = components
        self._tasks = tasks
        self._clock = components.clock
        self._journal = components.journal
        self.risk = components.risk
        self.risk.total.state = TradingState.RECOVERING
        self.breaches = BreachBook(components.journal, components.clock, components.run_id, remembered.breaches)
        self._health = HealthWatch(components.aggregator.watches, components.risk, components.universe.routes, self.breaches)
        self.kill_switch = KillSwitch(components.halt, components.clock, self._on_kill)
        self.prioritizer = RoutePrioritizer(RouteHealthScore(components.aggregator.trades.tapes))
        self.gate = OrderGate(
            kill_switch=self.kill_switch,
            risk=components.risk,
            inventory=components.positions.inventory,
            clock=components.clock,
            enabled=components.execution.enabled,
            max_decision_age_s=components.execution.max_decision_age_ms / 1000,
        )
        self.tracker = OrderTracker(
            adapters=components.adapters,
            gate=self.gate,
            risk=components.risk,
            inventory=components.positions.inventory,
            journal=components.journal,
            clock=components.clock,
            answer_s=components.execution.leg_deadline_ms / 1000,
        )
        self.executor = CycleExecutor(
            config=components.execution,
            tracker=self.tracker,
            risk=components.risk,
            positions=components.positions,
            journal=components.journal,
            clock=components.clock,
            halt=components.halt,
            run_id=components.run_id,
            salt=f"{components.journal.salt}/{components.clock.time_ms()}",  # a journal put back from a copy numbers its runs again
            on_release=self._on_release,
            on_end=self._on_end,
        )
        late = LateFills(self.breaches, self.executor, self._on_end_again)
        self.tracker.on_late, self.tracker.on_stray = late.on_late, late.on_stray
        self._troubles = OrderTroubles(self.breaches, components.risk.route, components.clock)
        self.tracker.on_unknown = self._troubles.on_unknown
        self.decider = Decider(
            universe=components.universe,
            rates=components.rates,
            risk=components.risk,
            prioritizer=self.prioritizer,
            clock=components.clock,
            enabled=components.execution.enabled,
            open_cycle=self._open_cycle,
            on_denied=self._on_denied,
        )
        self.cycles: dict[str, ArbCycle] = {}  #: open and the last ended ones, oldest first
        self.cycles_version = 0
        self.halt_detail = ""
        self._cancel_again_at = inf  # monotonic s
        self._cooldown_s = components.execution.cooldown_ms / 1000
        self.decisions = DecisionLog(components.clock)
        self.disabled: dict[str, None] = {}  #: routes that the operator disabled, by id; for this run only
        self.route_fills = dict(remembered.route_fills)
        self._killed_before = remembered.is_killed
        self._day = self._today()
        currency = components.positions.marks.currency
        self.risk.total.pnl_day = float(remembered.pnl_since.get(currency, {}).get("total", 0))
        for row in remembered.residual_cycles:
            self._mark_residual(row.symbol, row.cycle_id)
            self.risk.total.exposure[row.cycle_id] = left_value([fill.fill for fill in row.fills], components.positions.marks)

    @property
    def state(self) -> TradingState:
        """What may be done now."""
        return self.risk.total.state

    def change_state(self, state: TradingState, why: str) -> None:
        """Go to ``state`` and journal it."""
        if state is not self.risk.total.state:
            self.risk.total.state = state
            log.info("%s: %s", state, why or "no reason given")
            self._journal.post(StateChanged(state, why))

    def arm(self, reconciled: Reconciled, disarmed: str = "") -> None:
        """Take what the reconciliation left, then start trading, unless a kill is latched.

        ``disarmed`` says why a person must arm it first (real orders nobody has confirmed); empty starts ARMED.
        """
        for row in reconciled.residual:
            self._mark_residual(row.symbol, row.cycle_id)
        self.risk.total.exposure.update(reconciled.exposure)
        self.risk.total.pnl_day += float(reconciled.pnl)
        told = {breach.scope for breach in self.breaches.breaches.values() if breach.kind == "RESIDUAL"}
        for symbol, cycle_id in self.risk.route.residual.items():
            if symbol not in told:
                detail = f"cycle {cycle_id} was open when the last run stopped"
                self.breaches.record(Severity.CRIT, "RESIDUAL", symbol, detail, "acknowledge", every_time=True)
        for found in reconciled.mismatches:
            self._record_mismatch(found, "taken from the venue")
        self.kill_switch.attach(asyncio.get_running_loop())
        if self.kill_switch.look():
            cause = self.components.halt.cause
            if cause is not None and not self._killed_before:  # made while nothing ran: the journal has not heard of it
                self._journal.post(Killed(cause.source, cause.reason, self.components.halt.epoch))
            self.change_state(TradingState.HALTED_DIRTY if self.unsettled else TradingState.HALTED, self.unsettled or "a kill is latched")
        elif disarmed:
            self.halt_detail = disarmed
            self.change_state(TradingState.DISARMED, disarmed)
        else:
            self.change_state(TradingState.ARMED, "started")

    # what an operator does

    def rearm(self, typed_name: str, reason: str, kills: int) -> str | None:
        """Open the gate after a kill, or arm what started DISARMED; None when done, else why not.

        ``kills``: :attr:`Halt.kills` as the person saw it. A kill that came later is not theirs to undo.
        """
        self.kill_switch.look()
        if kills != self.components.halt.kills:
            return "a kill came since this was opened: close it and look again"
        was_killed = self.components.halt.is_closed
        if not was_killed and self.state is not TradingState.DISARMED:
            return "nothing to re-arm: the gate is open"
        if typed_name.strip() != self.components.profile:
            return f"type the profile's name, {self.components.profile}"
        if not reason.strip():
            return "a reason is needed: it is kept in the journal"
        if self.risk.total.journal_failed:
            return "the journal failed: stop, mend the disk, and start again"
        if self.executor.open or self.tracker.open:
            return f"not settled yet: {counted(len(self.executor.open), 'cycle')}, {counted(len(self.tracker.open), 'order')}"
        try:
            self.kill_switch.rearm()
        except OSError as error:
            return f"the kill flag cannot be taken away: {error.strerror} ({error.filename})"
        self.halt_detail = ""
        if was_killed:
            self._journal.post(Rearmed("operator", reason.strip()))
        for breach in [breach for breach in self.breaches.breaches.values() if breach.kind == "KILL"]:
            self.breaches.acknowledge(breach.id, "operator")  # whoever re-arms has seen the kill
        self.change_state(TradingState.ARMED, f"{'re-armed' if was_killed else 'armed'}: {reason.strip()}")
        return None

    def toggle_pause(self) -> str:
        """No new entries, or entries again; the state it is now in, or why nothing changed."""
        if self.state is TradingState.ARMED:
            self.change_state(TradingState.PAUSED, "operator")
        elif self.state is TradingState.PAUSED:
            self.change_state(TradingState.ARMED, "operator")
        else:
            return f"{self.state}: only an armed or paused engine can be paused or resumed"
        return self.state

    def acknowledge(self, breach_id: str) -> str | None:
        """A person has seen a breach, or a residual cycle; None when done, else why not."""
        breach = self.breaches.breaches.get(breach_id)
        if breach is None or not self.breaches.acknowledge(breach_id, "operator"):
            return "nothing to acknowledge there"
        if breach.kind == Reason.VENUE_DOWN:  # where the venue refuses us, the person has dealt with it
            self.risk.exchange[breach.scope].health.on_release()
        if breach.kind == "RESIDUAL":
            cycle_id = self.risk.route.residual.pop(breach.scope, None)
            if cycle_id is not None:
                self.risk.total.exposure.pop(cycle_id, None)
                self._journal.post(CycleAcknowledged(cycle_id, "operator", "acknowledged"))
                self._block(breach.scope, None)
        return None

    def toggle_route(self, route_id: str) -> str:
        """Disable a route, or enable it again; says what that means now. A cycle that runs goes on to its end."""
        route = self.components.universe.by_id.get(route_id)
        if route is None:
            return f"no route {route_id}"
        if route_id in self.disabled:
            del self.disabled[route_id]
            log.info("%s enabled by the operator", route_id)
            if route.blocked is Reason.DISABLED:
                route.blocked = None
                self._rest(route, self._clock.monotonic() + self._cooldown_s)
            return f"{route_id} enabled"
        self.disabled[route_id] = None
        log.info("%s disabled by the operator", route_id)
        if route.blocked is None or route.blocked is Reason.COOLDOWN:
            route.blocked = Reason.DISABLED
            return f"{route_id} disabled for this run: it opens nothing"
        return f"{route_id} disabled for this run: {route.blocked} now, it opens nothing after that"

    # what happens by itself

    def housekeep(self) -> None:
        """Ten times a second: streams, the flag, the day."""
        now = self._clock.monotonic()
        self.kill_switch.look()
        if now >= self._cancel_again_at:  # what a kill could not cancel is not left to stand
            self._cancel_again_at = inf
            self._tasks.create_task(self._halting(), name="halting")
        self.components.aggregator.sweep()
        self._health.look(now)
        today = self._today()
        if today > self._day:
            self._day = today
            self.risk.total.pnl_day = 0.0

    async def compare_positions(self) -> None:
        """At quiescence, ask every venue for its balances; a difference is a breach, not yet a correction."""
        if self.executor.open or self.tracker.open:
            return
        try:
            mismatches = await self.components.positions.sync.check()
        except ArbtuiError as error:
            self.breaches.record(Severity.WARN, "BALANCES_UNREAD", "global", str(error), "asked again")
            return
        for found in mismatches or ():
            self._record_mismatch(found, "compare by hand")

    async def snapshot(self, simulator: dict[str, Any] | None) -> int:
        """Store what a restart needs beside the journal's projections; the snapshot's number."""
        return await self._journal.snapshot(StateSnapshot(simulator, self.components.positions.marks.known()).payload())

    def on_journal_failure(self, failure: JournalFailed) -> None:
        """Nothing can be recorded any more, so nothing may leave: the gate closes and stays closed."""
        self.risk.total.journal_failed = True
        self.components.halt.close("JOURNAL", str(failure), self._clock.time_ms())
        self.risk.total.state = TradingState.HALTED
        self.halt_detail = f"the journal failed: {failure}"

    @property
    def unsettled(self) -> str:
        """What a run would leave behind if it ended now; empty when nothing."""
        parts = []
        if self.executor.open:
            parts.append(f"{counted(len(self.executor.open), 'cycle')} open")
        if self.tracker.open:
            parts.append(f"{counted(len(self.tracker.open), 'order')} not settled")
        if self.risk.route.residual:
            residual = counted(len(self.risk.route.residual), "residual cycle")
            parts.append(f"{residual} not acknowledged ({', '.join(self.risk.route.residual)})")
        return ", ".join(parts)

    def _record_mismatch(self, found: Mismatch, action: str) -> None:
        detail = f"{found.asset} {plain(found.ours)} here, {plain(found.theirs)} there"
        self.breaches.record(Severity.CRIT, "BALANCE_MISMATCH", f"{found.exchange}:{found.asset}", detail, action)

    def _open_cycle(self, opportunity: Opportunity) -> None:
        plan = compile_plan(opportunity, self.components.execution.leg_deadline_ms / 1000)
        self._block(plan.route.symbol, Reason.ROUTE_BUSY)
        self.decisions.record(plan.route.id, "OPENED", opportunity.edge_bps)
        self._keep(self.executor.start(plan, self._tasks))

    def _on_release(self, cycle: ArbCycle) -> None:
        self._block(cycle.plan.route.symbol, None)
        if not cycle.orders:
            self.cycles.pop(cycle.id, None)  # it never came to be
            self.cycles_version += 1

    def _on_end(self, cycle: ArbCycle) -> None:
        route = cycle.plan.route
        pnl = float(cycle.pnl.total) if cycle.pnl is not None else 0.0
        self.cycles_version += 1
        self.route_fills[route.id] = self.route_fills.get(route.id, 0) + len(cycle.fills)
        self.decisions.record(route.id, cycle.state, cycle.plan.edge_bps, f"pnl {pnl:+.2f}")
        self._rest(route, cycle.closed_at + self._cooldown_s)
        self.prioritizer.learn(route, captured=cycle.state is CycleState.HEDGED)
        self.risk.total.pnl_day += pnl
        if cycle.state is CycleState.RESIDUAL:
            self._mark_residual(route.symbol, cycle.id)
            detail = f"cycle {cycle.id} left {plain(cycle.excess)} {route.symbol} ({cycle.reason})"
            self.breaches.record(Severity.CRIT, "RESIDUAL", route.symbol, detail, "acknowledge", every_time=True)
        self._troubles.on_end(cycle)
        if self.risk.route.ended(route.id, pnl, self._clock.monotonic()):
            self.breaches.record(Severity.WARN, "LOSSES", route.id, "too many losing cycles in a row", "paused")
        if not -self.risk.total.pnl_day <= self.risk.total.limits.max_loss_day and not self.components.halt.is_closed:
            self.breaches.record(Severity.CRIT, "LOSS_DAY", "global", f"{self.risk.total.pnl_day:.2f} today", "HALT")
            self.kill_switch.kill("GUARD", "loss limit of the day")

    def _on_end_again(self, cycle: ArbCycle) -> None:
        self.cycles_version += 1
        if cycle.state is CycleState.RESIDUAL:
            self._mark_residual(cycle.plan.route.symbol, cycle.id)

    def _on_denied(self, opportunity: Opportunity, reason: Reason) -> None:
        self.decisions.record(opportunity.route.id, reason, opportunity.edge_bps)
        severity = TOLD_DENIALS.get(reason)
        if severity is not None:
            self.breaches.record(severity, reason, opportunity.route.id, f"edge {opportunity.edge_bps:.1f} bps not taken", "denied")

    def _on_kill(self) -> None:
        cause = self.components.halt.cause
        if cause is None:
            return
        self._journal.post(Killed(cause.source, cause.reason, self.components.halt.epoch))
        self.change_state(TradingState.HALTING, f"killed by {cause.source}")
        self.breaches.record(Severity.CRIT, "KILL", "global", f"by {cause.source} {cause.reason}".strip(), "HALT", every_time=True)
        self._tasks.create_task(self._halting(), name="halting")

    async def _halting(self) -> None:
        """After the gate is closed: cancel what stands, wait for what is under way, say what is left."""
        epoch = self.components.halt.epoch
        self.halt_detail = "cancels pending"
        results = await asyncio.gather(*(cancel_all(name, adapter) for name, adapter in self.components.adapters.items()))
        try:
            async with asyncio.timeout(_SETTLE_S):
                await self.executor.quiet.wait()
        except TimeoutError:
            pass
        if self.components.halt.is_closed and self.components.halt.epoch == epoch:  # neither re-armed nor killed anew meanwhile
            self.halt_detail = ", ".join([*results, *([self.unsettled] if self.unsettled else [])])
            unconfirmed = any("not confirmed" in result for result in results)
            dirty = unconfirmed or bool(self.unsettled)
            self._cancel_again_at = self._clock.monotonic() + _CANCEL_AGAIN_S if unconfirmed or self.tracker.open else inf
            self.change_state(TradingState.HALTED_DIRTY if dirty else TradingState.HALTED, self.halt_detail)

    def _mark_residual(self, symbol: str, cycle_id: str) -> None:
        self.risk.route.residual[symbol] = cycle_id
        self._block(symbol, Reason.RESIDUAL)

    def _rest(self, route: ArbRoute, until: float) -> None:
        """Let ``route`` rest until then (monotonic seconds): risk refuses it, and its flag, which follows, skips even the pricing."""
        self.risk.route.cooling_until[route.id] = until
        if route.blocked is None:
            route.blocked = self._standing(route)
        asyncio.get_running_loop().call_at(until, self._rested, route)

    def _rested(self, route: ArbRoute) -> None:
        if route.blocked is Reason.COOLDOWN:
            route.blocked = None

    def _standing(self, route: ArbRoute) -> Reason | None:
        """What stands against ``route`` when nothing is under way on its symbol."""
        if route.id in self.disabled:
            return Reason.DISABLED
        return Reason.COOLDOWN if self.risk.route.cools(route.id, self._clock.monotonic()) else None

    def _block(self, symbol: str, reason: Reason | None) -> None:
        if reason is None and symbol in self.risk.route.residual:
            reason = Reason.RESIDUAL
        for route in self.components.universe.of_symbol(symbol):
            route.blocked = reason or self._standing(route)

    def _keep(self, cycle: ArbCycle) -> None:
        self.cycles[cycle.id] = cycle
        self.cycles_version += 1
        if len(self.cycles) > 200:
            del self.cycles[next((key for key in self.cycles if key not in self.executor.open), cycle.id)]

    def _today(self) -> int:
        return datetime.fromtimestamp(self._clock.time_ms() / 1000, UTC).toordinal()
