"""What an operator does: re-arm, disarm, pause, acknowledge, settle a residual position or a disputed balance. All of it is journaled."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from arbtui.engine.availability import RouteAvailability
from arbtui.engine.breaches import BreachBook
from arbtui.engine.checklist import Check, checklist
from arbtui.engine.components import EngineComponents
from arbtui.engine.limit_keeper import LimitKeeper
from arbtui.engine.scope_verbs import ScopeVerbs
from arbtui.engine.scope_watch import ScopeWatch
from arbtui.engine.wallets import Wallets
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.settler import Settler
from arbtui.execution.tracker import OrderTracker
from arbtui.execution.ways_out import TRADES, VERBS, WRITE_OFF, WayOut
from arbtui.journal.events import CycleAcknowledged, DisputeClosed, Event, Phase, Rearmed, StateChanged
from arbtui.model.counted import counted
from arbtui.model.money import ZERO
from arbtui.model.reason import Reason
from arbtui.portfolio.accounts import PendingRearm
from arbtui.portfolio.operator_events import (
    DISARMED_ALREADY,
    Transfer,
    adjustment,
    begin_transfer,
    disarmed_since,
    end_order,
    new_target,
    settle_by_adjustment,
    settle_transfer,
    untyped,
    write_off,
)
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.transfer_plan import plan_lines
from arbtui.risk.kill_switch import KillSwitch
from arbtui.risk.state import trading_state

_OPERATOR = "operator"
_FACTS = ("cycle_id", "how", "exchange", "market", "asset", "amount", "worst", "order", "confirm", "reason", "by")
_JOURNAL_FAILED = "the journal failed: nothing can be recorded; stop, mend the disk, and start again"


class OperatorVerbs:
    """The verbs of the console, and of commands that reach a running engine. Each returns None when done, else why not.

    Args:
        on_armed: called when an operator has armed the engine, with ``was_killed``.
        disarm: journals that the engine is DISARMED, latched, for the reason given, and says so on the screens.
        on_settled: called with a cycle that was settled without an order, and by whom.
    """

    def __init__(
        self,
        components: EngineComponents,
        breaches: BreachBook,
        availability: RouteAvailability,
        kill_switch: KillSwitch,
        scopes: ScopeWatch,
        executor: CycleExecutor,
        tracker: OrderTracker,
        settler: Settler,
        wallets: Wallets,
        limits: LimitKeeper,
        on_armed: Callable[..., None],
        disarm: Callable[[str], None],
        on_settled: Callable[[str, str], None],
    ) -> None:
        self._components = components
        self._breaches = breaches
        self._availability = availability
        self._kill_switch = kill_switch
        self.scopes = ScopeVerbs(components, scopes, self._untyped)
        self._executor = executor
        self._tracker = tracker
        self._settler = settler
        self._wallets = wallets
        self._limits = limits
        self._on_armed = on_armed
        self._disarm = disarm
        self._on_settled = on_settled

    @property
    def _state(self) -> TradingState:
        parts = self._components
        return trading_state(parts.portfolio, parts.halt, parts.journal)

    def checklist(self) -> Sequence[Check]:
        """What an operator should know before arming again, as of now."""
        return checklist(self._components, self._executor, self._tracker)

    def rearm(self, typed_name: str, reason: str, kills: int, by: str = _OPERATOR) -> str | None:
        """Open the gate after a kill, or arm what is DISARMED.

        ``kills``: :attr:`Halt.kills` as the operator saw it. A kill that came later is not theirs to undo.
        """
        parts = self._components
        self._kill_switch.look()
        if kills != parts.halt.kills:
            return "a kill came since this was opened: close it and look again"
        was_killed = parts.halt.is_closed
        if not was_killed and self._state is not TradingState.DISARMED:
            return "nothing to re-arm: the gate is open"
        if parts.journal.failure is not None:
            return "the journal failed: stop, mend the disk, and start again"
        refusal = self._untyped(typed_name, reason)
        if refusal is not None:
            return refusal
        if self._executor.open or self._tracker.open:
            return f"not settled yet: {counted(len(self._executor.open), 'cycle')}, {counted(len(self._tracker.open), 'order')}"
        try:
            self._kill_switch.rearm()
        except OSError as error:
            return f"the kill flag cannot be taken away: {error.strerror} ({error.filename})"
        if was_killed:
            parts.journal.post(Rearmed(by, reason.strip()))
        self._breaches.acknowledge_all("KILL", "global", by)  # an operator who re-arms has seen the kill
        self.change_state(TradingState.ARMED, f"{'re-armed' if was_killed else 'armed'}: {reason.strip()}")
        self._on_armed(was_killed=was_killed)
        return None

    def arm_checked(self, pending: PendingRearm) -> None:
        """Arm what a person re-armed while nothing ran, now that the checklist is clean."""
        self._breaches.acknowledge_all("KILL", "global", pending.by)
        self.change_state(TradingState.ARMED, f"re-armed by {pending.by} while it was stopped, the checklist is clean: {pending.reason}")
        self._on_armed(was_killed=True)

    def change_state(self, state: TradingState, why: str, *, latched: bool = False) -> None:
        """Journal that the engine goes to ``state``."""
        portfolio = self._components.portfolio.state
        if state != portfolio.state or (latched and portfolio.resume != state):
            self._components.journal.post(StateChanged(state, why, latched))

    def disarm_refusal(self) -> str | None:
        """Why it cannot be disarmed now; None where it can.

        A DISARMED engine would not send the hedge of an open cycle, so a cycle keeps it from being disarmed until it has ended. One whose
        coins are on their way waits for the re-arm. What is DISARMED sends nothing anyway: it can always be made to last.
        """
        parts, state = self._components, self._state
        if parts.journal.failure is not None:
            return _JOURNAL_FAILED
        if state.is_halt:
            return f"{state}: a kill holds, and is latched too"
        if state is TradingState.DISARMED:
            is_latched = parts.portfolio.state.resume == TradingState.DISARMED
            return DISARMED_ALREADY if is_latched else None
        open_now = self._open_now()
        return f"{open_now} open: disarm once none is" if open_now else None

    def _open_now(self) -> str:
        """What would need an order that a DISARMED engine does not send, in words; empty where nothing does."""
        unhedged = {cycle.id for cycle in self._components.portfolio.open_cycles if cycle.phase is not Phase.IN_TRANSIT}
        under_way = ((len(unhedged | self._executor.open.keys()), "cycle"), (len(self._settler.open), "settlement"))
        return " and ".join(counted(number, word) for number, word in under_way if number)

    def disarm(self, reason: str, by: str = _OPERATOR, source: str = "CONSOLE") -> str | None:
        """Send nothing more, also after a restart, until somebody re-arms by typing; a re-arm that waits for its checklist is void."""
        refusal = self.disarm_refusal()
        if refusal is None:
            self._disarm(disarmed_since(self._components.clock.time_ms(), f"{by} ({source})", reason))
        return refusal

    def disarm_by_command(self, reason: str, by: str) -> dict[str, Any]:
        """As :meth:`disarm`. Where that has to wait, nothing new opens from now on, and ``open`` says what it waits for: ask again."""
        open_now = self._open_now()
        if not open_now or not self._state.allows_hedges:
            return {"refusal": self.disarm(reason, by, "CLI")}
        if self._state is TradingState.ARMED:
            self.change_state(TradingState.PAUSED, f"{by} (CLI) disarms it", latched=True)
        return {"refusal": None, "open": open_now}

    def toggle_pause(self) -> str:
        """No new entries, also after a restart, or entries again; the state it is now in, or why nothing changed."""
        if self._state is TradingState.ARMED:
            self.change_state(TradingState.PAUSED, _OPERATOR, latched=True)
        elif self._state is TradingState.PAUSED:
            self.change_state(TradingState.ARMED, _OPERATOR)
        else:
            return f"{self._state}: only an armed or paused engine can be paused or resumed"
        return self._state

    def acknowledge(self, breach_id: str, by: str = _OPERATOR) -> str | None:
        """An operator has seen a breach. Of a residual position it silences the alarm; the position stays until it is settled."""
        breach = self._breaches.breaches.get(breach_id)
        if breach is None or not self._breaches.acknowledge(breach_id, by):
            return "nothing to acknowledge there"
        if breach.kind == Reason.VENUE_DOWN:  # where the venue refuses us, the operator has dealt with it
            self._components.risk.exchange[breach.scope].health.on_release()
        if breach.kind == "RESIDUAL":
            cycle = self._components.portfolio.cycle(breach.scope)
            if cycle is not None and cycle.is_position:
                self._components.journal.post(CycleAcknowledged(cycle.id, by, "acknowledged"))
                for asset in {cycle.symbol: None, **cycle.traded}:
                    self._availability.look(asset)
        return None

    def acknowledge_away(self, breach_id: str, by: str) -> str | None:
        """As :meth:`acknowledge`, by somebody who is not at the console: refused where something would trade again that does not now."""
        breach = self._breaches.breaches.get(breach_id)
        parts = self._components
        if parts.portfolio.state.unattended >= parts.risk.total.limits.max_cycles_unattended:
            return "UNATTENDED holds everything back, and an acknowledgement would end that: at the console only"
        if breach is not None and breach.kind == Reason.VENUE_DOWN:
            return f"{breach.scope} may be held back by it, and an acknowledgement would end that: at the console only"
        if breach is not None and breach.kind == "RESIDUAL":
            cycle = parts.portfolio.cycle(breach.scope)
            if cycle is not None and cycle.is_position and not cycle.acknowledged_by:
                return f"{cycle.symbol} would trade again beside what {cycle.id} left: at the console only"
        return self.acknowledge(breach_id, by)

    def write_off(self, cycle_id: str, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """Take the residual of a cycle for stock: it is no position any more. Balances stay as they are."""
        return self.settle_position(cycle_id, WRITE_OFF, "", typed_name, reason, by)

    def settle_position(
        self,
        cycle_id: str,
        verb: str,
        exchange: str,
        typed_name: str,
        reason: str,
        by: str = _OPERATOR,
        worst: Decimal | None = None,
        market: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> str | None:
        """Settle what a cycle left one-sided, by one of its ways out (:meth:`ways`); None when done, or under way, else why not.

        ``worst``: of a trade, the price that the person saw; nothing is traded at a worse one. ``market``: its code there; empty for the
        cheapest. How it ended ``tell`` is told in words,
        and :meth:`settlement_end` says.
        """
        parts = self._components
        refusal = _JOURNAL_FAILED if parts.journal.failure is not None else self._untyped(typed_name, reason)
        if refusal is not None:
            return refusal
        if verb in TRADES:
            begun = self._settler.begin(cycle_id, verb, exchange, by, reason.strip(), worst, market, tell)
            return begun if isinstance(begun, str) else None
        if cycle_id in self._settler.open:
            return f"{cycle_id} is being settled already"
        match verb:
            case "write-off":
                events = write_off(parts.portfolio, cycle_id, by, reason.strip())
            case "adjust":
                events = settle_by_adjustment(parts.portfolio, cycle_id, exchange, by, reason.strip())
            case _:
                return f"no verb {verb!r}: there are {', '.join(VERBS)}"
        if isinstance(events, str):
            return events
        parts.journal.post(*events)
        for event in events:
            if isinstance(event, DisputeClosed):
                self._breaches.acknowledge_all("BALANCE_MISMATCH", f"{event.exchange}:{event.asset}", by)
        self._on_settled(cycle_id, by)
        tell(f"{cycle_id} is settled: {'written off' if verb == WRITE_OFF else 'adjusted'}")
        return None

    def ways(self, cycle_id: str) -> list[WayOut]:
        """Every way to settle what a cycle left, with what it costs now; none where it leaves no position."""
        account = self._components.portfolio.cycle(cycle_id)
        return [] if account is None else self._settler.ways.of(account)

    def settlement_end(self, cycle_id: str) -> str | None:
        """How the last trade that was to settle a cycle ended, in words; None while it is under way."""
        return None if cycle_id in self._settler.open else self._settler.said.get(cycle_id, "nothing was begun in this run")

    def adjust(self, exchange: str, asset: str, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """Take the venue's word for a disputed balance."""
        failed = self._components.journal.failure is not None
        refusal = _JOURNAL_FAILED if failed else self._untyped(typed_name, reason)
        if refusal is not None:
            return refusal
        events = adjustment(self._components.portfolio, exchange, asset, by, reason.strip())
        if isinstance(events, str):
            return events
        self._components.journal.post(*events)
        self._breaches.acknowledge_all("BALANCE_MISMATCH", f"{exchange}:{asset}", by)
        return None

    def end_order(self, client_order_id: str, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """End an order of an earlier run whose market its venue has delisted, so that it cannot be looked up."""
        parts = self._components
        intents = [order.intent for order in parts.portfolio.open_orders if order.intent.client_order_id == client_order_id]
        refusal = self._typed(
            typed_name, reason, lambda: end_order(parts.portfolio, client_order_id, by, reason.strip(), parts.clock.time_ms())
        )
        for intent in intents if refusal is None else ():
            self._on_settled(intent.cycle_id, by)
            for asset in (intent.base, intent.quote):
                self._availability.look(asset)
        return refusal

    def set_target(self, exchange: str, asset: str, amount: str, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """Set how much of ``asset`` ``exchange`` should hold, ``amount`` in units."""
        try:
            target = Decimal(amount)
        except ArithmeticError:
            return f"{amount!r} is no amount"
        portfolio = self._components.portfolio
        return self._typed(typed_name, reason, lambda: new_target(portfolio, exchange, asset, target, by, reason.strip()))

    def begin_transfer(self, wanted: Transfer, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """Record that a person makes ``wanted`` at the venue."""
        return self._typed(typed_name, reason, lambda: begin_transfer(self._components.portfolio, wanted, by, reason.strip()))

    def settle_transfer(self, transfer_id: str, how: str, typed_name: str, reason: str, by: str = _OPERATOR) -> str | None:
        """End a transfer that did not come whole."""
        return self._typed(typed_name, reason, lambda: settle_transfer(self._components.portfolio, transfer_id, how, by, reason.strip()))

    def _typed(self, typed_name: str, reason: str, events_of: Callable[[], Sequence[Event] | str]) -> str | None:
        """Journal what a person has typed the confirmation for; None when done."""
        failed = self._components.journal.failure is not None
        refusal = _JOURNAL_FAILED if failed else self._untyped(typed_name, reason)
        if refusal is not None:
            return refusal
        events = events_of()
        if isinstance(events, str):
            return events
        self._components.journal.post(*events)
        return None

    def ways_of_breach(self, breach_id: str) -> list[WayOut]:
        """Every way to settle what a breach is about, a position or a disputed balance; none where there is nothing to settle."""
        breach = self._breaches.breaches.get(breach_id)
        if breach is not None and breach.kind == "RESIDUAL":
            return self.ways(breach.scope)
        if breach is not None and breach.kind == "BALANCE_MISMATCH":
            exchange, _, asset = breach.scope.partition(":")
            return self._settler.ways.of_dispute(exchange, asset)
        return []

    def rearm_by_command(self, request: Mapping[str, Any]) -> str | None:
        """Re-arm from another shell: as the console does, and only over a clean checklist unless ``override`` is asked for."""
        failing = [check for check in self.checklist() if not check.is_fine]
        if failing and not request.get("override"):
            return f"the checklist is not clean: {'; '.join(f'{check.name}: {check.words}' for check in failing)}"
        kills = request.get("kills")
        if not isinstance(kills, int) or isinstance(kills, bool):
            return "the request does not say which kill it is for"
        reason = str(request.get("reason", ""))
        if failing and reason.strip():
            reason = f"{reason.strip()} (overridden: {', '.join(check.name for check in failing)})"
        return self.rearm(str(request.get("confirm", "")), reason, kills, str(request.get("by") or _OPERATOR))

    def answer(self, request: Mapping[str, Any], halt_detail: str, cancel_began_ms: float | None = None) -> dict[str, Any]:
        """The whole answer to an operator's command: why not, and what it may want to show."""
        answer = self.request(request)
        match request.get("verb"):
            case "halt_detail":
                answer |= {"detail": halt_detail, "cancel_began_ms": cancel_began_ms}
            case "checklist":
                answer |= {"state": self._state.value, "kills": self._components.halt.kills, "detail": halt_detail}
                cause = self._components.halt.cause
                answer["cause"] = f"by {cause.source}: {cause.reason}" if cause is not None else ""
                answer["checks"] = [
                    {"name": one.name, "fine": one.is_fine, "words": one.words, "must": one.must} for one in self.checklist()
                ]
        return answer

    def request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What an operator's command asks of a running engine; ``refusal`` says why it was not done, None when it was."""
        if request.get("verb") == "checklist":
            return {"refusal": None}
        if request.get("verb") == "halt_detail":  # the answer's detail tells it
            return {"refusal": None if self._state.is_halt and self._state is not TradingState.HALTING else "still halting"}
        facts = {name: str(request.get(name) or "") for name in _FACTS}
        by = facts["by"] or _OPERATOR
        mine = self._components.journal.path.resolve()
        if request.get("journal") not in (None, str(mine)):
            return {"refusal": f"the engine that runs has another journal, {mine}: leave --mode out, or stop it"}
        if self._components.journal.failure is not None:
            return {"refusal": _JOURNAL_FAILED}
        match request.get("verb"):
            case "ways":
                positions = self._components.portfolio.positions
                return {"refusal": None, "ways": {cycle.id: [way.facts() for way in self.ways(cycle.id)] for cycle in positions}}
            case "settlement":
                said = self.settlement_end(facts["cycle_id"])
                left = any(cycle.id == facts["cycle_id"] for cycle in self._components.portfolio.positions)
                return {"refusal": None, "said": said, "left": left}
            case "settle":
                worst = _price(facts["worst"]) if facts["worst"] else None
                if facts["worst"] and worst is None:
                    return {"refusal": f"worst {facts['worst']!r} is no price"}
                settle = (facts["cycle_id"], facts["how"], facts["exchange"], facts["confirm"], facts["reason"], by, worst, facts["market"])
                return {"refusal": self.settle_position(*settle)}
            case "adjust":
                return {"refusal": self.adjust(facts["exchange"], facts["asset"], facts["confirm"], facts["reason"], by)}
            case "end_order":
                return {"refusal": self.end_order(facts["order"], facts["confirm"], facts["reason"], by)}
            case "transfer_plans":
                currency = self._components.portfolio.state.currency
                plans = [{"facts": plan.facts(), "lines": plan_lines(plan, currency)} for plan in self._wallets.plans()]
                return {"refusal": None, "plans": plans}
            case "begin_transfer":
                wanted = _transfer(request)
                if wanted is None:
                    return {"refusal": "the request tells no transfer"}
                return {"refusal": self.begin_transfer(wanted, facts["confirm"], facts["reason"], by)}
            case "settle_transfer":
                settle_it = (str(request.get("transfer_id", "")), facts["how"], facts["confirm"], facts["reason"], by)
                return {"refusal": self.settle_transfer(*settle_it)}
            case "target":
                target = (facts["exchange"], facts["asset"], facts["amount"], facts["confirm"], facts["reason"], by)
                return {"refusal": self.set_target(*target)}
            case "limits":
                return {"refusal": None, "armed": self._limits.armed, "limits": [row.facts() for row in self._limits.rows()]}
            case "limit":
                value = request.get("value")
                if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                    return {"refusal": f"{value!r} is no number"}
                scope = str(request.get("scope", ""))
                return {"refusal": self._limits.set(scope, value, facts["confirm"], facts["reason"], by)}
            case "rearm":
                return {"refusal": self.rearm_by_command(request)}
            case "disarm":
                return self.disarm_by_command(facts["reason"], by)
            case "scope_seen":
                return {"refusal": self.scopes.seen(str(request.get("scope", "")))}
            case "rearm_scope":
                scope = str(request.get("scope", ""))
                return {"refusal": self.scopes.rearm(scope, facts["confirm"], facts["reason"], by)}
            case verb:
                return {"refusal": f"this engine knows no request {verb!r}"}

    def _untyped(self, typed_name: str, reason: str) -> str | None:
        return untyped(self._components.profile, typed_name, reason)


def _transfer(request: Mapping[str, Any]) -> Transfer | None:
    """The transfer that ``request`` tells; None where it tells none."""
    try:
        return Transfer(
            asset=str(request["asset"]),
            sender=str(request["from"]),
            receiver=str(request["to"]),
            qty=Decimal(str(request["amount"])),
            network=str(request["network"]),
            fee=Decimal(str(request["fee"])),
            minutes=float(request["minutes"]),
        )
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None


def _price(text: str) -> Decimal | None:
    """The price that ``text`` names; None where it names none."""
    try:
        price = Decimal(text)
    except ArithmeticError:
        return None
    return price if price.is_finite() and price > ZERO else None
