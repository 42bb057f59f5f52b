"""The engine: wires what decides, and does what is due. It alone writes the portfolio's events while a run lasts."""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial
from math import inf
from typing import Any

from arbtui.engine.account_watch import AccountWatch
from arbtui.engine.arrivals import Arrivals
from arbtui.engine.availability import RouteAvailability
from arbtui.engine.breaches import TOLD_DENIALS, BreachBook
from arbtui.engine.caution_watch import CautionWatch
from arbtui.engine.clearing import Clearing
from arbtui.engine.components import EngineComponents
from arbtui.engine.decider import Decider
from arbtui.engine.decisions import DecisionLog
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.engine.fee_watch import FeeWatch
from arbtui.engine.fold_check import FoldCheck
from arbtui.engine.health_watch import HealthWatch
from arbtui.engine.idle import why_idle
from arbtui.engine.late_decisions import LateDecisions
from arbtui.engine.late_fills import LateFills
from arbtui.engine.limit_keeper import LimitKeeper
from arbtui.engine.loss_watch import LossWatch
from arbtui.engine.machine_watch import MachineWatch
from arbtui.engine.mark_taker import MarkTaker
from arbtui.engine.market_watch import MarketWatch
from arbtui.engine.netting import Netting
from arbtui.engine.network_watch import NetworkWatch
from arbtui.engine.notice_watch import NoticeWatch
from arbtui.engine.operator import OperatorVerbs
from arbtui.engine.order_troubles import OrderTroubles
from arbtui.engine.pending_rearm import RearmOnceChecked
from arbtui.engine.rate_doubts import RateDoubts
from arbtui.engine.rearm_share import RearmShare
from arbtui.engine.resumption import Resumption
from arbtui.engine.route_learning import RouteLearning
from arbtui.engine.route_watch import RouteWatch
from arbtui.engine.scope_watch import ScopeWatch
from arbtui.engine.stock_watch import StockWatch
from arbtui.engine.transfer_watch import TransferWatch
from arbtui.engine.unresolved import UnresolvedOrders
from arbtui.engine.wallets import Wallets
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.gate import OrderGate
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.plan import CyclePlan, Tolerances, compile_plan
from arbtui.execution.settler import Settlement, Settler
from arbtui.execution.tracker import OrderTracker
from arbtui.execution.ways_out import WaysOut
from arbtui.failover.crash_detector import LastEnd
from arbtui.failover.reconciler import Reconciled, Unresolved
from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.events import Killed, Phase
from arbtui.journal.known_orders import KnownOrder
from arbtui.journal.state import JournalState
from arbtui.model.counted import counted
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.money import plain
from arbtui.model.order import Fill, Order
from arbtui.model.reason import Reason
from arbtui.portfolio.operator_events import disarmed_since
from arbtui.portfolio.portfolio import STARTED
from arbtui.portfolio.position_sync import Mismatch
from arbtui.portfolio.rebalancer import InventoryRebalancer
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Severity
from arbtui.risk.kill_switch import KillSwitch
from arbtui.risk.state import trading_state
from arbtui.routes.health_score import RouteHealthScore
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity

log = logging.getLogger("arbtui")

#: How long a kill waits for answers to orders that were under way, in seconds, before it says that something is left.
_SETTLE_S = 10.0
#: After that, between two attempts to cancel what is left, in seconds.
_CANCEL_AGAIN_S = 5.0
#: Between two looks at the time that open gaps have taken, in seconds.
#: Between two slices of a second fold, in seconds, where it is made beside real trading.
_PROOF_PAUSE_S = 0.01
_ACCOUNT_EVERY_S = 1.0
#: Cycles that screens can show.
_KEPT_CYCLES = 200


class Engine:
    """Everything that decides. One loop, one writer, no locks; what may be called from a thread says so."""

    def __init__(self, components: EngineComponents, remembered: JournalState, tasks: asyncio.TaskGroup) -> None:
        self.components = components
        self.portfolio = components.portfolio
        self.risk = components.risk
        self._tasks = tasks
        self._clock = components.clock
        self._journal = components.journal
        self.breaches = BreachBook(components.journal, components.clock, components.run_id, remembered.breaches)
        self._unresolved = UnresolvedOrders(self.breaches, components.clock, components.execution.recovery_wait_s)
        self._fees = FeeWatch(components, self.breaches)
        self._health = HealthWatch(components.aggregator.watches, components.risk, components.universe.routes, self.breaches)
        self._rate_doubts = RateDoubts(components.rate_watches, components.rates, self.breaches)
        self.kill_switch = KillSwitch(components.halt, components.clock, self._on_kill)
        tolerance_bps = components.execution.completion_bps + components.execution.unwind_bps
        self.rebalancer = InventoryRebalancer(components.rebalance, components.portfolio, components.execution.order_value, tolerance_bps)
        self.gate = OrderGate(
            kill_switch=self.kill_switch,
            risk=components.risk,
            portfolio=components.portfolio,
            clock=components.clock,
            enabled=components.execution.enabled,
            max_decision_age_s=components.execution.max_decision_age_ms / 1000,
            affords=self.rebalancer.fits,
        )
        self.tracker = OrderTracker(
            adapters=components.adapters,
            gate=self.gate,
            risk=components.risk,
            portfolio=components.portfolio,
            marks=components.marks,
            journal=components.journal,
            clock=components.clock,
            answer_s=components.execution.leg_deadline_ms / 1000,
            look_up_s=components.reconcile.in_flight_s,
        )
        self.learning = RouteLearning(
            components.universe,
            components.clock,
            self.tracker.answer_ms,
            remembered.learned,
            applies_slippage=components.costs.learn_slippage,
        )
        self.prioritizer = RoutePrioritizer(
            RouteHealthScore(
                components.aggregator.trades.tapes, self.learning.learned, self.learning.latency_ms, components.ranking.weights()
            )
        )
        # A journal put back from a copy numbers its runs again: the time keeps its client order ids apart.
        salt = f"{components.journal.salt}/{components.clock.time_ms()}"
        self.executor = CycleExecutor(
            config=components.execution,
            adapters=components.adapters,
            gate=self.gate,
            tracker=self.tracker,
            risk=components.risk,
            portfolio=components.portfolio,
            journal=components.journal,
            clock=components.clock,
            halt=components.halt,
            run_id=components.run_id,
            salt=salt,
            refresh_book=components.refresh_book,
            on_end=self._on_end,
            on_moving=self._on_moving,
            elsewhere=components.universe.elsewhere,
        )
        self.denials = Denials(components.clock, remembered.denials)
        components.risk.on_order_refused = self.denials.count
        self.episodes = Episodes(components.clock, self.denials, asyncio.get_running_loop().call_at)
        self.episodes.on_record = self.learning.gap_ended
        self.settler = Settler(
            config=components.execution,
            ways=WaysOut(
                components.universe.markets,
                components.aggregator.books,
                components.portfolio,
                components.marks,
                components.execution.unwind_bps,
            ),
            gate=self.gate,
            tracker=self.tracker,
            portfolio=components.portfolio,
            clock=components.clock,
            halt=components.halt,
            salt=salt,
            tasks=tasks,
            cycle_of=lambda cycle_id: self.cycles.get(cycle_id),
            refresh_book=components.refresh_book,
            on_end=self._on_settlement_end,
        )
        self.decider = Decider(
            universe=components.universe,
            rates=components.rates,
            prioritizer=self.prioritizer,
            clock=components.clock,
            episodes=self.episodes,
            open_cycle=self._open_cycle,
        )
        self.availability = RouteAvailability(
            components.universe,
            components.portfolio,
            components.risk.route,
            components.journal,
            components.clock,
            components.execution.cooldown_ms / 1000,
            components.risk.halts.look,
            components.risk.held_back,
        )
        self._clearing = Clearing(components, self.tracker, self.breaches)
        self.scopes = ScopeWatch(components.risk.halts, components.journal, self.breaches, self._on_scopes, self._on_scope_halted)
        self.limits = LimitKeeper(components, lambda: self.rearm_share.share, lambda: self.machine.last)
        self.rearm_share = RearmShare(components.execution, components.clock, self.limits.apply)
        self.limits.apply()
        components.risk.factor.follow(components.universe.markets)
        self.wallets = Wallets(components)
        self.notices = NoticeWatch(components, self.breaches, self.scopes, self.wallets, tasks)
        self.operator = OperatorVerbs(
            components,
            self.breaches,
            self.availability,
            self.kill_switch,
            self.scopes,
            self.executor,
            self.tracker,
            self.settler,
            self.wallets,
            self.limits,
            self._on_armed,
            partial(self._disarm, latched=True),
            self._tell_residual,
        )
        self._rearm_once_checked = RearmOnceChecked(
            components.portfolio, self.operator, components.clock, partial(self._disarm, latched=True)
        )
        self.marks = MarkTaker(components.portfolio, components.marks, components.journal, components.clock, components.desk)
        self.losses = LossWatch(
            components.risk, components.portfolio, self.breaches, self.marks, self.kill_switch, components.halt, components.clock
        )
        self.routes = RouteWatch(components, self.on_new_routes)
        self.cautions = CautionWatch(components, self.breaches, self.notices)
        self.markets = MarketWatch(components, self.breaches, self.routes.liquidity, self.on_new_routes, self.cautions)
        components.universe.on_removed = self.episodes.gone
        self.stock = StockWatch(components.universe, components.portfolio, components.clock, components.rebalance, self.rebalancer)
        self.transfers = TransferWatch(components.portfolio, self.breaches, components.clock, components.profile, self.availability.look)
        self.machine = MachineWatch(components.risk, self.breaches, self.kill_switch)
        self.sync = components.sync
        self.sync.on_dispute = self._on_dispute
        self.fold_check = FoldCheck(components.journal, components.portfolio, self.breaches, self.kill_switch)
        self._late = LateFills(self.breaches, components.portfolio)
        self._resumption = Resumption(components, self.executor, self.breaches, self._on_resume, self._on_not_resumed)
        self._arrivals = Arrivals(components, self.executor, self._resumption, tasks)
        self._networks = NetworkWatch(components, self.wallets)
        self._unresumed = ""  # why half done cycles of earlier runs are not gone on with; empty where they are
        self.netting = Netting(components, self.breaches, self.open)
        self.late_decisions = LateDecisions(self.breaches, components.clock, components.execution.max_decision_age_ms)
        self._troubles = OrderTroubles(self.breaches, components.risk.route, components.clock)
        self.tracker.on_late = self._on_late
        self._accounts = AccountWatch(
            components, self.tracker, self.breaches, self._late, self.scopes, self.kill_switch, self._on_forgotten
        )
        self.tracker.on_stray = self._accounts.on_stray
        self.tracker.on_stranger = self._accounts.on_stranger
        self.tracker.is_taken_over = self._accounts.is_taken_over
        self.tracker.on_booked = self._on_booked
        self.tracker.on_unknown = self._troubles.on_unknown
        self.tracker.on_told_again = self._troubles.on_told_again
        self.cycles: dict[str, ArbCycle] = {}  #: open and the last ended ones, oldest first
        self.cycles_version = 0
        self.cycles_by_shape: dict[str, int] = {}  #: opened in this run on routes that seek an edge
        self.halt_detail = ""
        self.cancel_began_ms: float | None = None  #: of the last kill: ms of real time from the closing of the gate to its first cancels
        self._cancel_again_at = inf  # monotonic s
        self._account_at = -inf  # likewise
        self.decisions = DecisionLog(components.clock)
        self._killed_before = components.portfolio.state.killed
        self._last_kill = next(iter(reversed(remembered.kills)), None)

    @property
    def state(self) -> TradingState:
        """What may be done now."""
        return trading_state(self.portfolio, self.components.halt, self._journal)

    def arm(
        self, reconciled: Reconciled, last: LastEnd | None = None, *, unclean: str = "", unconfirmed: str = "", unresumed: str = ""
    ) -> None:
        """Start trading, unless something more severe holds.

        A latched kill comes first, then DISARMED as an operator or a recovery left it, then ``unclean`` (what this recovery
        could not settle, which disarms and is latched), then ``unconfirmed`` (nobody has confirmed it, and the resume policy
        does not), then PAUSED as an operator left it. What a person re-armed while nothing ran waits DISARMED for a clean
        checklist. ``last``: how the run before ended; a crash is told. Half done cycles that the recovery has left open are gone on with
        where trading may, unless ``unresumed`` says why not; else they end as what they leave.
        """
        self.components.portfolio.follow(self.components.universe.nodes)
        self.availability.look_at_all()
        self.notices.look(inf)  # what came due while nothing ran: all of it, before anything trades
        self.scopes.look()
        self.limits.tell()
        for scope, why in self.limits.book.void().items():
            self.breaches.record(Severity.WARN, "LIMIT_VOID", scope, f"it was set and holds nothing: {why}", "set it under its name of now")
        self.rearm_share.resume(self._last_kill)
        self._tell_residuals("open when the last run stopped")
        if last is not None and last.is_crash:
            self.breaches.record(Severity.WARN, last.ending, "global", last.words, f"recovered: {reconciled.in_words()}", every_time=True)
        for orphan in reconciled.orphans:
            where, words = (
                f"{orphan.exchange}:{orphan.order.code}",
                f"order {orphan.order.client_order_id} stood there and no open order here explains it",
            )
            self.breaches.record(
                Severity.CRIT, "ORPHAN_ORDER", where, words, orphan.why or "cancelled; compare fills and balances", every_time=True
            )
        for found in reconciled.mismatches:
            self._on_dispute(found)
        self._take_unresolved(reconciled.unresolved)
        self._fees.look_later(reconciled.booked)
        self.kill_switch.attach(asyncio.get_running_loop())
        resume, pending = self.portfolio.state.resume, self.portfolio.state.pending_rearm
        if self.kill_switch.look():
            self._resumption.take_up(reconciled.partial, "a kill is latched", self._tasks)  # what they leave makes the halt a dirty one
            cause = self.components.halt.cause
            if cause is not None and not self._killed_before:  # made while nothing ran: the journal has not heard of it
                self._journal.post(Killed(cause.source, cause.reason, self.components.halt.epoch))
            left = self.unsettled or self.in_transit
            self.operator.change_state(TradingState.HALTED_DIRTY if left else TradingState.HALTED, left or "a kill is latched")
            self._tasks.create_task(self._halting(), name="halting")  # a run that was killed may have died before it had cancelled
        elif pending is not None and not unclean and not unconfirmed:
            self._disarm(self._rearm_once_checked.begin(pending), latched=False)
        elif resume == TradingState.DISARMED:
            self._disarm(self.portfolio.state.why or "before this start", latched=True)
        elif unclean:
            self._disarm(disarmed_since(self._clock.time_ms(), "the recovery", unclean), latched=True)
        elif unconfirmed:
            self._disarm(unconfirmed, latched=False)
        elif resume == TradingState.PAUSED:
            self.operator.change_state(TradingState.PAUSED, "PAUSED before this start", latched=True)
        else:
            self.operator.change_state(TradingState.ARMED, STARTED)
        self._unresumed = unresumed
        self._take_up(reconciled)
        self.losses.resume(route.id for route in self.components.universe.routes)
        self.losses.measure()

    def _take_up(self, found: Reconciled) -> None:
        """Half done cycles of earlier runs go on where trading may, or end; those whose coins are on their way wait for them."""
        for account in self.portfolio.open_cycles:
            cycle = self._resumption.rebuilt(account) if account.phase is Phase.IN_TRANSIT else ""
            if isinstance(cycle, ArbCycle):
                self.cycles[cycle.id] = self.executor.moving[cycle.id] = cycle
        may_trade = self.state in (TradingState.ARMED, TradingState.PAUSED, TradingState.REDUCING)
        self._resumption.take_up(found.partial, self._unresumed or ("" if may_trade else f"the engine is {self.state}"), self._tasks)

    def _take_unresolved(self, orders: Sequence[Unresolved]) -> None:
        """Tell of the orders of earlier runs whose fate is not known now, and count them at their venues like those of this run."""
        self._unresolved.tell(orders)
        venues = [order.scope.partition(":")[0] for order in orders]
        for name, guard in self.risk.exchange.items():
            guard.earlier_unknown = venues.count(name)

    def _on_resume(self, cycle: ArbCycle) -> None:
        self.cycles[cycle.id] = cycle
        self.cycles_version += 1
        self.decisions.record(cycle.plan.route.id, "RESUMED", cycle.plan.edge_bps)
        self._look_at(cycle.plan.assets)

    def _on_not_resumed(self, cycle_id: str, why: str) -> None:
        log.warning("cycle %s: %s", cycle_id, why)
        self._tell_residual(cycle_id, "engine", why)

    def on_resolved(self, found: Reconciled) -> None:
        """Orders that a start could not resolve were looked up again: what is known now may be traded again, what it left is reported."""
        self._take_up(found)
        self._take_unresolved(found.unresolved)
        self._fees.look_later(found.booked)
        self._tell_residuals("RECOVERED")
        if found.cycles or found.fills or found.partial:
            self.availability.look_at_all()
            self.losses.measure()

    def why_idle(self) -> str:
        """Why it opens nothing though it is ARMED, in words; empty where it may, or where prices alone are in the way."""
        if self.state is not TradingState.ARMED:
            return ""
        return why_idle(self.components, self.gate, self.components.execution.order_value)

    def _on_armed(self, *, was_killed: bool) -> None:
        self.halt_detail = ""
        if was_killed:
            self.rearm_share.begin(self._clock.time_ms())

    def _disarm(self, why: str, *, latched: bool) -> None:
        self.halt_detail = why
        self.operator.change_state(TradingState.DISARMED, why, latched=latched)

    # what happens by itself

    def housekeep(self) -> None:
        """Ten times a second: streams, the flag, marks, losses, the day."""
        now = self._clock.monotonic()
        self.kill_switch.look()
        self.scopes.look()
        self.notices.look()
        self.breaches.look()
        self.rearm_share.look()
        self._rearm_once_checked.look()
        if now >= self._cancel_again_at:  # what a kill could not cancel is not left to stand
            self._cancel_again_at = inf
            self._tasks.create_task(self._halting(), name="halting")
        self.components.aggregator.sweep()
        self.components.aggregator.delays.watch_clock()
        self._health.look(now)
        self.late_decisions.look()
        if self._journal.failure is None:
            self.marks.look(now)
            self.losses.look(now)
            self._fees.look_at_recovered()
        self._rate_doubts.look(now)
        if self._journal.failure is None:
            self.netting.look(now)
        self.stock.look(now)
        self.learning.look(now)
        self.routes.look(now)
        self.transfers.look()
        self._networks.look(now)
        if self._journal.failure is None:
            self._arrivals.look()
        if now >= self._account_at:
            self._account_at = now + _ACCOUNT_EVERY_S
            self.episodes.account(now)
            self.risk.jumps.sample(self.components.aggregator.books.values())
        else:
            self.episodes.account_on(now)

    async def quiescence(self) -> None:
        """Wait until no cycle and no settlement is under way."""
        while not (self.executor.quiet.is_set() and self.settler.quiet.is_set()):
            await self.executor.quiet.wait()
            await self.settler.quiet.wait()

    def abandon(self) -> None:
        """Stop waiting for what is under way: the next start resolves it against the venues."""
        self.executor.abandon()
        self.settler.abandon()

    def on_silent(self, exchange: str, check: str, why: str) -> None:
        """A comparison with a venue's account was not answered several times in a row: what it would show is not known."""
        self.breaches.record(Severity.WARN, "ACCOUNT_UNREAD", exchange, f"{check}: {why}", "asked again")

    def on_behind(self, exchange: str, words: str) -> None:
        """A comparison with a venue's account comes less often than the profile says."""
        self.breaches.record(Severity.WARN, "CHECKS_BEHIND", exchange, words, "goes on so; trade fewer symbols, or set [reconcile] higher")

    async def compare_positions(self, within_s: float | None = None) -> None:
        """Ask every venue for its balances and compare them with ours. ``within_s``: as :meth:`CrossExchangePositionSync.check`."""
        for exchange, why in (await self.sync.check(within_s)).items():
            self.breaches.record(Severity.WARN, "BALANCES_UNREAD", exchange, why, "compared by the next start")

    async def snapshot(self, simulator: dict[str, Any] | None) -> int:
        """Store what a restart goes on from; the snapshot's number."""
        self.marks.take("snapshot")
        live, last = self.portfolio.encode(), self.portfolio.state.seq
        last_rows = self.episodes.is_closed
        denials, learned = self.denials.take(everything=last_rows), self.learning.learned.take(everything=last_rows)
        number = await self._journal.snapshot(StateSnapshot(live, simulator).payload(), self.episodes.take(), denials, learned)
        try:
            if simulator is not None:
                await self.fold_check.compare(live, last)
            elif self.fold_check.wanted:
                await self.fold_check.compare(live, last, _PROOF_PAUSE_S)
        except UsageError as damage:  # what is written there now would not be found again
            self._journal.fail(str(damage))
        return number

    def on_journal_failure(self, failure: JournalFailed) -> None:
        """Nothing can be recorded any more, so nothing may leave: the gate closes and stays closed in this process."""
        self.risk.total.journal_failed = True
        doubt = f"IN DOUBT after seq {self._journal.durable_seq}: {failure}"
        self.components.halt.close("JOURNAL", doubt, self._clock.time_ms())
        self.halt_detail = doubt
        self.breaches.record(Severity.CRIT, "JOURNAL_FAILED", "global", str(failure), "HALT")

    def pnl(self) -> Pnl:
        """This run's PnL, at the last marks taken: what ``ledger --run`` prints of it."""
        return self.portfolio.pnl_since(self.portfolio.state.run)

    def pnl_today(self) -> Pnl:
        """The desk's day's PnL, at the last marks taken."""
        return self.portfolio.pnl_since(self.portfolio.state.day)

    @property
    def in_transit(self) -> str:
        """The cycles whose coins are on their way; empty when there is none. It goes on by itself, in a later run too."""
        moving = [cycle for cycle in self.portfolio.open_cycles if cycle.phase is Phase.IN_TRANSIT]
        return f"{counted(len(moving), 'cycle')} in transit ({', '.join(cycle.awaits or cycle.id for cycle in moving)})" if moving else ""

    @property
    def unsettled(self) -> str:
        """What a run would leave behind if it ended now; empty when nothing."""
        parts = []
        if self.executor.open:
            parts.append(f"{counted(len(self.executor.open), 'cycle')} open")
        if self.tracker.open:
            parts.append(f"{counted(len(self.tracker.open), 'order')} not settled")
        elif self.portfolio.open_orders:
            parts.append(f"{counted(len(self.portfolio.open_orders), 'order')} of an earlier run not resolved")
        positions = self.portfolio.positions
        if positions:
            symbols = ", ".join(dict.fromkeys(cycle.symbol for cycle in positions))
            parts.append(f"{counted(len(positions), 'residual')} ({symbols})")
        return ", ".join(parts)

    def _on_dispute(self, found: Mismatch) -> None:
        detail = f"{found.asset} {plain(found.ours)} here, {plain(found.theirs)} there"
        action = f"no entries with {found.asset} there; decide: arbtui adjust --profile {self.components.profile}"
        self.breaches.record(Severity.CRIT, "BALANCE_MISMATCH", f"{found.exchange}:{found.asset}", detail, action, every_time=True)

    def _open_cycle(self, opportunity: Opportunity) -> Reason | None:
        execution = self.components.execution
        refusal = (
            Reason.DISABLED
            if not execution.enabled
            else self.risk.check_entry(opportunity.route, opportunity.edge_bps, opportunity.value, opportunity.decided_at)
        )
        if refusal is not None:  # the usual refusal costs no plan
            return self._denied(opportunity, refusal)
        tolerances = Tolerances(execution.completion_bps, execution.unwind_bps)
        entry = execution.entry_order_of(opportunity.route.symbol, opportunity.route.id)
        most_cost = self.rebalancer.most_cost(opportunity.route, opportunity.edge_bps, opportunity.value)
        plan = compile_plan(opportunity, execution.leg_deadline_ms / 1000, tolerances, entry, most_cost)
        refusal = self.open(plan)
        return None if refusal is None else self._denied(opportunity, refusal)

    def open(self, plan: CyclePlan) -> Reason | None:
        """Open a cycle of ``plan``, of any number of legs; why not, or None. Every limit and the gate are asked."""
        cycle = self.executor.start(plan, self._tasks)
        if isinstance(cycle, Reason):
            return cycle
        self._look_at(plan.assets)
        self.decisions.record(plan.route.id, "OPENED", plan.edge_bps)
        if shape := plan.route.shape:
            self.cycles_by_shape[shape] = self.cycles_by_shape.get(shape, 0) + 1
        self.cycles[cycle.id] = cycle
        self.learning.opened(cycle)
        self.cycles_version += 1
        if len(self.cycles) > _KEPT_CYCLES:
            kept = {**self.executor.open, **self.executor.moving}
            del self.cycles[next((key for key in self.cycles if key not in kept), cycle.id)]
        return None

    def on_new_routes(self, routes: Sequence[ArbRoute]) -> None:
        """``routes`` are new on the universe's list: set their limits, stock and blocks before one of them is priced."""
        self.components.portfolio.follow(self.components.universe.nodes)
        self.limits.apply()
        self._health.mark(routes)
        self.availability.look_at(routes)

    def _look_at(self, assets: Iterable[str]) -> None:
        for asset in assets:
            self.availability.look(asset)

    def _denied(self, opportunity: Opportunity, reason: Reason) -> Reason:
        self.risk.count(reason)
        self.decisions.record(opportunity.route.id, reason, opportunity.edge_bps)
        severity = TOLD_DENIALS.get(reason)
        if severity is not None:
            self.breaches.record(severity, reason, opportunity.route.id, f"edge {opportunity.edge_bps:.1f} bps not taken", "denied")
        return reason

    def _on_booked(self, owner: OrderOwner, fill: Fill) -> None:
        self.cycles_version += 1
        owner.on_fill(self._clock.monotonic())
        self._fees.look(fill)
        self.sync.moved(fill.exchange, fill.base, fill.quote, fill.fee_currency)
        self.losses.measure(owner.account.route)

    def _on_late(self, owner: OrderOwner, order: Order, fill: Fill) -> None:
        self._late.on_late(owner.account, order, fill)
        self._look_at(owner.account.traded)

    def _on_forgotten(self, order: KnownOrder, fill: Fill) -> None:
        self.cycles_version += 1
        self._fees.look(fill)
        self.sync.moved(fill.exchange, fill.base, fill.quote, fill.fee_currency)
        self._late.on_forgotten(order, fill)
        self._look_at((fill.base, fill.quote))
        self.losses.measure()

    def _on_moving(self, cycle: ArbCycle) -> None:
        self.cycles_version += 1
        self.decisions.record(cycle.plan.route.id, Phase.IN_TRANSIT, cycle.plan.edge_bps, f"transfer {cycle.account.awaits}")
        self._look_at(cycle.plan.assets)

    def _on_end(self, cycle: ArbCycle) -> None:
        route = cycle.plan.route
        state = cycle.state
        self.cycles_version += 1
        self.decisions.record(route.id, state, cycle.plan.edge_bps, f"pnl {float(cycle.account.pnl):+.2f}")
        self._look_at(cycle.plan.assets)
        if not route.shrinks_exposure:  # that one rests by its own rule
            self.availability.rest(route, cycle.closed_at)
        self.stock.at_once(route.symbol)
        self.learning.ended(cycle)
        self.prioritizer.release(route)
        self._late.on_residual(cycle.id, cycle.reason)
        self._troubles.on_end(cycle)
        self.late_decisions.on_end(cycle)
        self.netting.on_end(cycle)
        self.losses.measure(route.id)

    def _on_settlement_end(self, settlement: Settlement) -> None:
        log.info("%s", self.settler.said[settlement.id])
        self.cycles_version += 1
        self._tell_residual(settlement.id, settlement.by)
        self.losses.measure(settlement.account.route)

    def _tell_residuals(self, cause: str) -> None:
        """Update the breaches of all residual positions: at a start, and when the fate of an order became known."""
        told = [row.scope for row in self.breaches.breaches.values() if row.kind == "RESIDUAL"]
        for cycle_id in dict.fromkeys([*(cycle.id for cycle in self.portfolio.positions), *told]):
            self._tell_residual(cycle_id, "engine", cause)

    def _tell_residual(self, cycle_id: str, by: str, cause: str = "settled in part") -> None:
        """Update the breach of one cycle's residual position; one that no longer applies is acknowledged in the name of ``by``."""
        self._late.look_again(cycle_id, by, cause)
        account = self.portfolio.cycle(cycle_id)
        self._look_at(() if account is None else account.traded)

    def _on_kill(self) -> None:
        cause = self.components.halt.cause
        if cause is None:
            return
        self._journal.post(Killed(cause.source, cause.reason, self.components.halt.epoch))
        self.operator.change_state(TradingState.HALTING, f"killed by {cause.source}")
        self.breaches.record(Severity.CRIT, "KILL", "global", f"by {cause.source} {cause.reason}".strip(), "HALT", every_time=True)
        self._tasks.create_task(self._halting(), name="halting")

    def _on_scopes(self) -> None:
        self.availability.look_at_all()
        self.limits.apply()  # of a coin that cannot be moved, less is traded

    def _on_scope_halted(self, scope: str) -> None:
        self._tasks.create_task(self._clearing.clear_scope(scope), name=f"halting {scope}")

    async def _halting(self) -> None:
        """After the gate is closed: cancel what stands, wait for what is under way, say what is left."""
        halt = self.components.halt
        epoch = halt.epoch
        self.halt_detail = "cancels pending"
        if halt.closed_at is not None:
            self.cancel_began_ms = (time.monotonic() - halt.closed_at) * 1000
        settle_by = asyncio.get_running_loop().time() + _SETTLE_S
        cleared = await asyncio.gather(*(self._clearing.clear(name, _SETTLE_S) for name in self.components.adapters))
        try:
            async with asyncio.timeout_at(settle_by):
                await self.quiescence()
        except TimeoutError:
            pass
        if halt.is_closed and halt.epoch == epoch:  # neither re-armed nor killed anew meanwhile
            left = [words for words in (self.unsettled, self.in_transit) if words]
            sure = [one.in_words() for one in cleared if one.is_confirmed]
            unconfirmed = [one.in_words() for one in cleared if not one.is_confirmed]
            self.halt_detail = ", ".join([*unconfirmed, *left, *sure])  # a narrow screen cuts the end
            dirty = bool(unconfirmed or left)
            waits = bool(unconfirmed or self.tracker.open or self.executor.open or self.settler.open)
            self._cancel_again_at = self._clock.monotonic() + _CANCEL_AGAIN_S if waits else inf
            self.operator.change_state(TradingState.HALTED_DIRTY if dirty else TradingState.HALTED, self.halt_detail)
