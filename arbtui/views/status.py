"""What `arbtui status` tells: a profile from outside, from its lock, its flag and its journal; nothing is asked of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arbtui.journal.liveness import JournalLiveness
from arbtui.journal.sqlite_version import sqlite_facts
from arbtui.journal.state import JournalState, RunRow
from arbtui.model.clock import iso_ms
from arbtui.model.halt import HaltCause
from arbtui.model.money import plain
from arbtui.model.scoped_halts import GLOBAL, ScopedHalt
from arbtui.portfolio.accounts import CycleAccount, OrderRecord
from arbtui.portfolio.inventory import stock_facts
from arbtui.portfolio.ledger import residual_rows
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.transfers import transfer_facts
from arbtui.views.notices import NoticeLine, notice_facts, notice_lines

#: A running engine whose newest snapshot is older than so many intervals is probably stuck.
WEDGED_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the profile's lock."""

    pid: int  #: 0: the lock does not tell
    process_state: str  #: the kernel's letter (R S D T); empty where it does not tell
    since_ms: int


def read_status(
    holder: Holder | None,
    cause: HaltCause | None,
    journal: JournalState | None,
    portfolio: Portfolio | None,
    liveness: JournalLiveness | None,
    wall_ms: int,
    interval_s: float,
    halts: Sequence[ScopedHalt] = (),
) -> dict[str, Any]:
    """The facts as JSON can hold them: money and quantities as strings, times UTC ISO 8601 with ms.

    Args:
        holder: None when no engine runs.
        cause: of the kill flag, None without one.
        journal: None when the profile has none yet.
        portfolio: what that journal means; None without one.
        liveness: of the same journal.
        wall_ms: the machine's clock, ms.
        interval_s: what to expect between two snapshots when the journal does not show it.
        halts: of less than everything, that stand now.
    """
    run = journal.last_run if journal else None
    return {
        "running": holder is not None,
        "pid": holder.pid or None if holder else None,
        "process_state": holder.process_state or None if holder else None,
        "since": iso_ms(holder.since_ms) if holder else None,
        "state": _state(holder is not None, run),
        **_signs_of_life(holder, run, liveness, wall_ms, interval_s),
        "run": _run(run) if run else None,
        "sqlite": sqlite_facts(),
        "pnl": _pnl(portfolio) if portfolio else None,
        "cycles": {state.value: count for state, count in portfolio.state.outcomes.items() if count} if portfolio else {},
        "open_cycles": [_cycle(cycle, portfolio) for cycle in portfolio.open_cycles] if portfolio else [],
        "residual_cycles": [_cycle(cycle, portfolio) for cycle in portfolio.positions] if portfolio else [],
        "residuals": [row for cycle in portfolio.positions for row in residual_rows(portfolio, cycle)] if portfolio else [],
        "open_fx": _open_fx(portfolio, wall_ms if liveness is None else liveness.now_ms(wall_ms)) if portfolio else [],
        "transfers": [transfer_facts(one) for one in portfolio.open_transfers] if portfolio else [],
        "stock": stock_facts(portfolio) if portfolio else [],
        "open_orders": open_orders(portfolio) if portfolio else [],
        "disputes": disputes(portfolio) if portfolio else [],
        "limits_set": [
            {"scope": scope, "value": own.value, "by": own.by, "reason": own.reason, "since": iso_ms(own.ts_ms)}
            for scope, own in (portfolio.state.limits.items() if portfolio else ())
        ],
        "notices": [notice_facts(line) for line in _notices(portfolio, halts, wall_ms)],
        "breaches": [
            {
                "id": breach.breach_id,
                "ts": iso_ms(breach.ts_ms),
                "severity": breach.severity,
                "kind": breach.kind,
                "scope": breach.scope,
                "detail": breach.detail,
                "action": breach.action,
                **_repeats(portfolio, breach.breach_id),
            }
            for breach in (journal.breaches if journal else ())
        ],
        "kill": _kill(cause, journal, portfolio),
        "disarmed": _disarmed(holder is not None, run, portfolio),
        "halts": [
            {
                "scope": halt.scope,
                "depth": halt.depth.value,
                "source": halt.source,
                "by": halt.by,
                "reason": halt.reason,
                "ts": iso_ms(halt.ts_ms) if halt.ts_ms else None,
                "words": halt.in_words(),
            }
            for halt in halts
        ],
    }


def _repeats(portfolio: Portfolio | None, breach_id: str) -> dict[str, Any]:
    """How often a breach was met again, as far as that is journaled, and when the last time."""
    told = None if portfolio is None else portfolio.state.repeats.get(breach_id)
    return {"repeats": 0 if told is None else told.times, "last": None if told is None else iso_ms(told.last_ms)}


def _notices(portfolio: Portfolio | None, halts: Sequence[ScopedHalt], now_ms: int) -> Sequence[NoticeLine]:
    return [] if portfolio is None else notice_lines(portfolio.state.notices, halts, now_ms)


def shown_state(state: TradingState, halts: Sequence[ScopedHalt]) -> TradingState:
    """What screens call the state while a halt of everything, short of a kill, holds an armed engine back."""
    deepest = max((halt.depth for halt in halts if halt.scope == GLOBAL), key=lambda depth: depth.rank, default=None)
    return TradingState(deepest.value) if deepest is not None and state is TradingState.ARMED else state


def _pnl(portfolio: Portfolio) -> dict[str, Any]:
    """PnL at the last marks that were journaled. ``day``: the desk's date that ``today`` began with."""
    state = portfolio.state
    return {
        "day": state.day.name if state.day is not None else None,
        "today": portfolio.pnl_since(state.day).payload(state.currency) if state.day is not None else None,
        "all": portfolio.pnl_since(None).payload(state.currency),
    }


def _open_fx(portfolio: Portfolio, now_ms: int) -> list[dict[str, Any]]:
    """What is open of settlement currencies, at the last marks; ``age_s``: since it left zero or changed its sign."""
    return [
        {**one.facts(), "age_s": None if one.since_ms is None else max(0.0, (now_ms - one.since_ms) / 1000)} for one in portfolio.open_fx()
    ]


def open_orders(portfolio: Portfolio) -> list[dict[str, Any]]:
    """The orders that are not final."""
    return [_order(order) for order in portfolio.open_orders]


def _order(order: OrderRecord) -> dict[str, Any]:
    intent = order.intent
    return {
        "client_order_id": intent.client_order_id,
        "cycle_id": intent.cycle_id,
        "exchange": intent.exchange,
        "market": intent.market,
        "side": intent.side.value,
        "qty": plain(intent.qty),
        "filled_qty": plain(order.filled_qty),
        "state": order.state.value,
        "reason": order.reason,
        "intended": iso_ms(order.intended_ms),
    }


def disputes(portfolio: Portfolio) -> list[dict[str, Any]]:
    """The balances on which a venue and the journal disagree."""
    return [
        {
            "exchange": exchange,
            "asset": asset,
            "ours": plain(dispute.ours),
            "theirs": plain(dispute.theirs),
            "since": iso_ms(dispute.since_ms),
        }
        for exchange, disputed in portfolio.state.disputes.items()
        for asset, dispute in disputed.items()
    ]


def _kill(cause: HaltCause | None, journal: JournalState | None, portfolio: Portfolio | None) -> dict[str, Any]:
    """Latched by the flag; without one, by the journal's last word: a flag that was taken away is no re-arming."""
    last = journal.kills[-1] if journal and portfolio and portfolio.state.killed else None
    known = cause or (HaltCause(last.source, last.reason, last.ts_ms) if last else None)
    return {
        "latched": known is not None,
        "flag": cause is not None,
        "source": known.source if known else None,
        "reason": known.reason if known else None,
        "ts": iso_ms(known.ts_ms) if known else None,
    }


def _disarmed(running: bool, run: RunRow | None, portfolio: Portfolio | None) -> str | None:
    """Who or what disarmed it, when and why, where it is DISARMED or its next start will be; else None."""
    if portfolio is None or portfolio.state.killed:
        return None
    latched = portfolio.state.resume == TradingState.DISARMED
    return portfolio.state.why if latched or (running and _state(running, run) == TradingState.DISARMED) else None


def _state(running: bool, run: RunRow | None) -> str:
    """The engine's own word while it runs. Else NEW (never ran), STOPPED, or CRASHED (its run has no end)."""
    if running:
        return run.state if run and run.ended_ms is None else "STARTING"
    if run is None:
        return "NEW"
    return "CRASHED" if run.ended_ms is None else "STOPPED"


def _signs_of_life(
    holder: Holder | None, run: RunRow | None, liveness: JournalLiveness | None, wall_ms: int, interval_s: float
) -> dict[str, Any]:
    up_s = (wall_ms - holder.since_ms) / 1000 if holder else 0.0
    if liveness is None or run is None:
        return {
            "wedged": up_s > WEDGED_INTERVALS * interval_s,
            "last_event": None,
            "last_event_age_s": None,
            "last_snapshot": None,
            "last_snapshot_age_s": None,
            "snapshot_interval_s": interval_s,
        }
    now = liveness.now_ms(wall_ms)
    expected = liveness.interval_s or interval_s
    quiet_s = (now - max(run.started_ms, liveness.snapshot_ms or 0)) / 1000  # a run's first snapshot comes an interval after its start
    return {
        "wedged": min(up_s, quiet_s) > WEDGED_INTERVALS * expected,
        "last_event": iso_ms(liveness.event_ms),
        "last_event_age_s": (now - liveness.event_ms) / 1000,
        "last_snapshot": iso_ms(liveness.snapshot_ms) if liveness.snapshot_ms is not None else None,
        "last_snapshot_age_s": (now - liveness.snapshot_ms) / 1000 if liveness.snapshot_ms is not None else None,
        "snapshot_interval_s": expected,
    }


def _run(run: RunRow) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "mode": run.mode,
        "seed": run.seed,
        "started": iso_ms(run.started_ms),
        "ended": iso_ms(run.ended_ms) if run.ended_ms is not None else None,
        "stop_reason": run.stop_reason,
        "exit_code": run.exit_code,
        "state": run.state,
        "version": run.version,
        "commit": run.commit_id or None,
        "lock_hash": run.lock_hash or None,
        "profile_hash": run.config_hash,
        "journal_format": run.journal_format or None,
    }


def _cycle(cycle: CycleAccount, portfolio: Portfolio) -> dict[str, Any]:
    transfer = portfolio.state.transfers.get(cycle.awaits)
    moving = None if transfer is None else {"id": transfer.id, "state": transfer.state, "due": iso_ms(int(transfer.due_at_ms()))}
    return {
        "id": cycle.id,
        "route": cycle.route,
        "symbol": cycle.symbol,
        "state": cycle.state.value,
        "opened": iso_ms(cycle.opened_ms),
        "closed": iso_ms(cycle.closed_ms) if cycle.closed_ms is not None else None,
        "reason": cycle.reason,
        "phase": cycle.phase.value if cycle.is_open else None,
        "transfer": moving,
    }
