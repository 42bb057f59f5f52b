"""The tables of what was recorded: orders, fills, runs, breaches, alerts. What it means is the portfolio's to say.

The one function for live commits and for rebuilding, so both always agree.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from arbtui.journal.database import Statement
from arbtui.journal.events import (
    AccountsReconciled,
    Adjusted,
    AlertAcknowledged,
    AlertGivenUp,
    AlertQueued,
    AlertSent,
    BalanceDisputed,
    BalanceOpened,
    BreachAcknowledged,
    BreachRecorded,
    BreachRepeated,
    CommandActed,
    CommandReceived,
    CycleAcknowledged,
    CycleEnded,
    CycleOpened,
    CycleState,
    DisputeClosed,
    EventsArchived,
    FillRecorded,
    JournalCreated,
    Killed,
    LimitChanged,
    MarksTaken,
    NoticeActed,
    NoticeRead,
    OrderChanged,
    OrderIntended,
    PlannedLeg,
    Rearmed,
    Recorded,
    ResidualSettled,
    RouteSwitched,
    RowsRolledUp,
    RunEnded,
    RunStarted,
    ScopeHalted,
    ScopeRearmed,
    SettlementBegan,
    SnapshotTaken,
    StateChanged,
    TargetSet,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.model.money import plain
from arbtui.model.order import OrderState

_FINAL = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)
#: Which ended cycles leave the tables.
IS_ROLLED_UP = (
    "state != 'OPEN' AND (state != 'RESIDUAL' OR settled_ms IS NOT NULL)"
    f" AND cycle_id NOT IN (SELECT cycle_id FROM order_ WHERE state NOT IN ({_FINAL}))"
)


def statements_for(recorded: Recorded) -> list[Statement]:
    """The statements that bring the projections from before ``recorded`` to after it."""
    return list(_RULES[type(recorded.event)](recorded, recorded.event))


def _journal_created(at: Recorded, event: JournalCreated) -> Iterator[Statement]:
    yield _insert("identity", seq=at.seq, salt=event.salt)


def _run_started(at: Recorded, event: RunStarted) -> Iterator[Statement]:
    yield _insert(
        "run",
        run_id=event.run_id,
        profile=event.profile,
        mode=event.mode,
        seed=event.seed,
        version=event.version,
        config_hash=event.config_hash,
        origins=_json(event.origins),
        start_state=event.start_state,
        state=event.start_state,
        seq=at.seq,
        started_ms=at.ts_ms,
        commit_id=event.commit,
        lock_hash=event.lock_hash,
        journal_format=event.journal_format,
        accounts=_json(event.accounts),
    )
    for exchange, origin in event.origins.items():
        yield _insert_if_new("origin", exchange=exchange, origin=origin)


def _run_ended(at: Recorded, event: RunEnded) -> Iterator[Statement]:
    sql = "UPDATE run SET ended_ms = ?, stop_reason = ?, exit_code = ? WHERE run_id = ?"
    yield sql, (at.ts_ms, event.stop_reason, event.exit_code, event.run_id)


def _state_changed(at: Recorded, event: StateChanged) -> Iterator[Statement]:
    yield "UPDATE run SET state = ?, why = ? WHERE run_id = ?", (event.state, event.why, at.run_id)


def _cycle_opened(at: Recorded, event: CycleOpened) -> Iterator[Statement]:
    yield _insert(
        "cycle",
        cycle_id=event.cycle_id,
        run_id=at.run_id,
        seq=at.seq,
        route=event.route,
        symbol=event.symbol,
        state=CycleState.OPEN.value,
        edge_bps=event.edge_bps,
        legs=_json([leg_facts(leg) for leg in event.legs]),
        opened_ms=event.opened_ms,
    )


def _cycle_ended(at: Recorded, event: CycleEnded) -> Iterator[Statement]:
    sql = "UPDATE cycle SET closed_ms = ?, closed_seq = ?, reason = ? WHERE cycle_id = ?"
    yield sql, (event.closed_ms, at.seq, event.reason, event.cycle_id)


def _cycle_acknowledged(at: Recorded, event: CycleAcknowledged) -> Iterator[Statement]:
    sql = "UPDATE cycle SET acknowledged_by = ?, acknowledged_ms = ?, acknowledged_reason = ? WHERE cycle_id = ?"
    yield sql, (event.by, at.ts_ms, event.reason, event.cycle_id)


def _order_intended(at: Recorded, event: OrderIntended) -> Iterator[Statement]:
    yield _insert(
        "order_",
        client_order_id=event.client_order_id,
        run_id=at.run_id,
        seq=at.seq,
        cycle_id=event.cycle_id,
        leg=event.leg,
        attempt=event.attempt,
        purpose=event.purpose.value,
        exchange=event.exchange,
        market=event.market,
        base=event.base,
        quote=event.quote,
        side=event.side.value,
        qty=plain(event.qty),
        price=plain(event.price),
        tif=event.tif.value,
        epoch=event.epoch,
        state=OrderState.SENDING.value,
        intended_ms=at.ts_ms,
        changed_ms=at.ts_ms,
    )


def _order_changed(at: Recorded, event: OrderChanged) -> Iterator[Statement]:
    sql = "UPDATE order_ SET state = ?, venue_order_id = ?, filled_qty = ?, reason = ?, changed_ms = ? WHERE client_order_id = ?"
    facts = (event.state.value, event.venue_order_id, plain(event.filled_qty), event.reason)
    yield sql, (*facts, at.ts_ms, event.client_order_id)


def _fill_recorded(at: Recorded, event: FillRecorded) -> Iterator[Statement]:
    """A fill that is known already keeps its first row."""
    fill = event.fill
    yield _insert_if_new(
        "fill",
        exchange=fill.exchange,
        trade_id=fill.trade_id,
        run_id=at.run_id,
        seq=at.seq,
        client_order_id=fill.client_order_id,
        venue_order_id=fill.venue_order_id,
        market=fill.market,
        base=fill.base,
        quote=fill.quote,
        side=fill.side.value,
        qty=plain(fill.qty),
        price=plain(fill.price),
        cost=plain(fill.cost),
        fee=plain(fill.fee),
        fee_currency=fill.fee_currency,
        liquidity=fill.liquidity,
        ts_event=fill.ts_event,
        ts_init=event.ts_init,
        cycle_id=event.cycle_id,
        leg=event.leg,
        source=event.source,
    )


def _adjusted(at: Recorded, event: Adjusted) -> Iterator[Statement]:
    place = {"exchange": event.exchange, "asset": event.asset, "ts_ms": at.ts_ms, "seq": at.seq, "run_id": at.run_id}
    yield _insert("adjustment", change=plain(event.change), reason=event.reason, kind=event.kind, by=event.by, **place)


def _transferred(at: Recorded, event: Transferred) -> Iterator[Statement]:
    for exchange, change in ((event.from_exchange, event.sent.copy_negate()), (event.to_exchange, event.received)):
        place = {"exchange": exchange, "asset": event.asset, "ts_ms": at.ts_ms, "seq": at.seq, "run_id": at.run_id}
        yield _insert("transfer", change=plain(change), reason=event.reason, **place)


def _transfer_left(at: Recorded, event: TransferLeft) -> Iterator[Statement]:
    yield _transfer_row(at, event, event.qty.copy_negate())


def _transfer_arrived(at: Recorded, event: TransferArrived) -> Iterator[Statement]:
    yield _transfer_row(at, event, event.qty)


def _transfer_row(at: Recorded, event: TransferLeft | TransferArrived, change: Decimal) -> Statement:
    place = {"exchange": event.exchange, "asset": event.asset, "ts_ms": at.ts_ms, "seq": at.seq, "run_id": at.run_id}
    return _insert("transfer", change=plain(change), reason=event.transfer_id, **place)


def _portfolio_only(at: Recorded, event: object) -> Iterator[Statement]:
    """Nothing is recorded of it beside the event: only the portfolio, or the folder of halts, knows what it means."""
    yield from ()


def _breach_recorded(at: Recorded, event: BreachRecorded) -> Iterator[Statement]:
    yield _insert_if_new(
        "breach",
        breach_id=event.breach_id,
        run_id=at.run_id,
        seq=at.seq,
        ts_ms=at.ts_ms,
        severity=event.severity,
        kind=event.kind,
        scope=event.scope,
        detail=event.detail,
        action=event.action,
    )


def _breach_acknowledged(at: Recorded, event: BreachAcknowledged) -> Iterator[Statement]:
    sql = "UPDATE breach SET acknowledged_by = ?, acknowledged_ms = ? WHERE breach_id = ?"
    yield sql, (event.by, at.ts_ms, event.breach_id)


def _killed(at: Recorded, event: Killed) -> Iterator[Statement]:
    yield _insert(
        "kill",
        seq=at.seq,
        ts_ms=at.ts_ms,
        run_id=at.run_id,
        action="killed",
        source=event.source,
        reason=event.reason,
        epoch=event.epoch,
    )


def _rearmed(at: Recorded, event: Rearmed) -> Iterator[Statement]:
    yield _insert("kill", seq=at.seq, ts_ms=at.ts_ms, run_id=at.run_id, action="rearmed", source=event.by, reason=event.reason)


def _events_archived(at: Recorded, event: EventsArchived) -> Iterator[Statement]:
    yield _insert("archive", **msgspec.structs.asdict(event), seq=at.seq)


def _rows_rolled_up(at: Recorded, event: RowsRolledUp) -> Iterator[Statement]:
    """A cycle that left something, or an order of which may still fill, keeps its rows."""
    yield f"DELETE FROM cycle WHERE closed_seq <= ? AND {IS_ROLLED_UP}", (event.last,)
    for table in ("order_", "fill"):
        yield f"DELETE FROM {table} WHERE seq <= ? AND cycle_id NOT IN (SELECT cycle_id FROM cycle)", (event.last,)


def _alert_queued(at: Recorded, event: AlertQueued) -> Iterator[Statement]:
    yield _insert_if_new(
        "alert",
        alert_id=event.alert_id,
        run_id=at.run_id,
        seq=at.seq,
        ts_ms=at.ts_ms,
        severity=event.severity,
        kind=event.kind,
        text=event.text,
    )


def _alert_sent(at: Recorded, event: AlertSent) -> Iterator[Statement]:
    yield from _settled(at, event, "SENT", "")


def _alert_given_up(at: Recorded, event: AlertGivenUp) -> Iterator[Statement]:
    yield from _settled(at, event, "GIVEN_UP", event.reason)


def _settled(at: Recorded, event: AlertSent | AlertGivenUp, outcome: str, reason: str) -> Iterator[Statement]:
    """A closed alert counts as sent when any channel took it."""
    for alert_id in event.alert_ids:
        facts = {"seq": at.seq, "ts_ms": at.ts_ms, "outcome": outcome, "reason": reason}
        yield _insert_if_new("alert_delivery", alert_id=alert_id, channel=event.channel, **facts)
        yield "UPDATE alert SET attempts = attempts + ? WHERE alert_id = ?", (event.attempts, alert_id)
    for alert_id in event.closed:
        took = "SELECT 1 FROM alert_delivery WHERE alert_id = ? AND outcome = 'SENT'"
        yield f"UPDATE alert SET state = iif(EXISTS ({took}), 'SENT', 'GIVEN_UP') WHERE alert_id = ?", (alert_id, alert_id)


def _command_received(at: Recorded, event: CommandReceived) -> Iterator[Statement]:
    place = {"run_id": at.run_id, "seq": at.seq, "ts_ms": at.ts_ms}
    yield _insert_if_new("remote_command", update_id=event.update_id, user_id=event.user_id, command=event.command, **place)


def _command_acted(at: Recorded, event: CommandActed) -> Iterator[Statement]:
    yield "UPDATE remote_command SET outcome = ? WHERE update_id = ?", (event.outcome, event.update_id)


def leg_facts(leg: PlannedLeg) -> dict[str, object]:
    """A planned leg as ledgers print it; money and quantities as strings."""
    amounts = {"qty": plain(leg.qty), "price": plain(leg.price), "lot": plain(leg.lot)}
    places = {name: getattr(leg, name) for name in ("leg", "exchange", "market", "base", "quote", "side")}
    return {**places, **amounts}


def _insert(table: str, **values: object) -> Statement:
    return _insert_sql("INSERT", table, tuple(values)), tuple(values.values())


def _insert_if_new(table: str, **values: object) -> Statement:
    return _insert_sql("INSERT OR IGNORE", table, tuple(values)), tuple(values.values())


@lru_cache(maxsize=64)
def _insert_sql(verb: str, table: str, columns: tuple[str, ...]) -> str:
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


_RULES: dict[type[Any], Callable[[Recorded, Any], Iterator[Statement]]] = {
    JournalCreated: _journal_created,
    RunStarted: _run_started,
    RunEnded: _run_ended,
    StateChanged: _state_changed,
    CycleOpened: _cycle_opened,
    CycleEnded: _cycle_ended,
    CycleAcknowledged: _cycle_acknowledged,
    OrderIntended: _order_intended,
    OrderChanged: _order_changed,
    FillRecorded: _fill_recorded,
    Adjusted: _adjusted,
    Transferred: _transferred,
    TransferBegun: _portfolio_only,
    TransferLeft: _transfer_left,
    TransferArrived: _transfer_arrived,
    TransferSettled: _portfolio_only,
    BreachRecorded: _breach_recorded,
    BreachAcknowledged: _breach_acknowledged,
    Killed: _killed,
    Rearmed: _rearmed,
    ScopeHalted: _portfolio_only,
    ScopeRearmed: _portfolio_only,
    NoticeRead: _portfolio_only,
    NoticeActed: _portfolio_only,
    SnapshotTaken: _portfolio_only,
    EventsArchived: _events_archived,
    RowsRolledUp: _rows_rolled_up,
    BalanceOpened: _portfolio_only,
    BalanceDisputed: _portfolio_only,
    DisputeClosed: _portfolio_only,
    TargetSet: _portfolio_only,
    RouteSwitched: _portfolio_only,
    LimitChanged: _portfolio_only,
    SettlementBegan: _portfolio_only,
    ResidualSettled: _portfolio_only,
    MarksTaken: _portfolio_only,
    AccountsReconciled: _portfolio_only,
    AlertQueued: _alert_queued,
    AlertSent: _alert_sent,
    AlertGivenUp: _alert_given_up,
    AlertAcknowledged: _portfolio_only,
    BreachRepeated: _portfolio_only,
    CommandReceived: _command_received,
    CommandActed: _command_acted,
}
