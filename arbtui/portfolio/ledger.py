"""What happened and where everything is now, for auditors: one pass over a journal's events, while its writer runs or not."""

import csv
import io
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    BreachAcknowledged,
    BreachRecorded,
    BreachRepeated,
    CycleAcknowledged,
    CycleEnded,
    CycleOpened,
    CycleState,
    FillRecorded,
    Killed,
    OrderChanged,
    OrderIntended,
    Rearmed,
    Recorded,
    ResidualSettled,
    RunEnded,
    RunStarted,
    ScopeHalted,
    ScopeRearmed,
    SettlementBegan,
    StateChanged,
    TargetSet,
    TransferArrived,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.journal.noted import check_noted
from arbtui.journal.projections import leg_facts
from arbtui.journal.reader import events, last_before, reading
from arbtui.model.clock import iso_in, iso_ms
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE, ZERO, plain
from arbtui.portfolio.accounts import IN_TRANSIT, Amounts, CycleAccount, amount_at
from arbtui.portfolio.counters import Baseline
from arbtui.portfolio.kept_rows import KeptRows, Row, RowFile
from arbtui.portfolio.open_fx import in_currency
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import cycle_pnl, dust_facts
from arbtui.portfolio.traded import TradedSums

#: The facts of a fill, in the order of the CSV's columns. Money and quantities as strings, times ISO 8601 with ms: UTC, and the
#: desk's in the CSV.
FILL_COLUMNS = (
    *("exchange", "trade_id", "client_order_id", "venue_order_id", "market", "base", "quote", "side", "qty", "price", "cost", "fee"),
    *("fee_currency", "liquidity", "ts_event", "ts_init", "cycle_id", "leg", "source", "run_id"),
)


#: Characters of text that are told at once, or a few more.
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the journal that a ledger covers: events numbered above ``after``, up to ``last``."""

    after: int
    last: int
    run_id: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def read_ledger(path: Path, run: str | None = None, since_ms: int | None = None, until_ms: int | None = None) -> Row:
    """The ledger of the journal at ``path`` with all its rows in memory, as JSON can hold it: see :func:`open_ledger`.

    Raises:
        UsageError: as :func:`open_ledger`.
    """
    with open_ledger(path, run, since_ms, until_ms) as ledger:
        return {key: list(value) if isinstance(value, KeptRows) else value for key, value in ledger.items()}


@contextmanager
def open_ledger(path: Path, run: str | None = None, since_ms: int | None = None, until_ms: int | None = None) -> Iterator[Row]:
    """The ledger of the journal at ``path``: its whole life, one ``run``, or a span of time (our clock).

    Its values are such as JSON can hold, but for the fills, orders, cycles and breaches: of those there may be millions, so they are
    :class:`KeptRows`, to be read one by one. Memory does not grow with them.

    Balances, PnL and equity are those of the span: what it began with, what it ended with, and what lies between. A cycle
    belongs to the run, and to the span, in which it was opened, a fill to that in which it was learned of: so a fill may be
    listed of a cycle that is not.

    Raises:
        UsageError: no journal there, not readable, of another format, damaged, or without that run.
    """
    file = RowFile()
    try:
        with reading(path) as db:  # ended before the rows are told: a reader keeps the writer's log from being taken back
            span = _span(path, db, run, since_ms, until_ms)
            book = _Book(span, file)
            try:
                for recorded in events(db, 0, span.last):
                    book.take(recorded)
            except ValueError as error:
                raise UsageError(f"{path}: {error}: the journal is damaged; restore a backup") from error
            ledger = book.ledger()
        yield ledger
    finally:
        file.close()


def ledger_csv(ledger: Row, zone: tzinfo = UTC) -> Iterator[str]:
    """The fills of ``ledger`` as CSV, piece by piece: one header line, then a line a fill, oldest first; times in ``zone``."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FILL_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in ledger["fills"]:
        writer.writerow({**row, "ts_event": iso_in(row["ts_event"], zone), "ts_init": iso_in(row["ts_init"], zone)})
        if out.tell() > PIECE:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def ledger_json(ledger: Row) -> Iterator[str]:
    """``ledger`` as JSON for people to read, piece by piece."""
    start = "{"
    for key, value in ledger.items():
        yield f'{start}\n  "{key}": '
        if isinstance(value, KeptRows):
            yield from _listed(value)
        else:
            yield _indented(msgspec.json.encode(value), 1)
        start = ","
    yield "\n}\n"


def _listed(rows: KeptRows) -> Iterator[str]:
    piece, between = "[", "\n    "
    for row in rows.encoded():
        piece += between + _indented(row, 2)
        between = ",\n    "
        if len(piece) > PIECE:
            yield piece
            piece = ""
    yield piece + ("\n  ]" if between.startswith(",") else "]")


def _indented(value: bytes, level: int) -> str:
    return msgspec.json.format(value, indent=2).decode().replace("\n", "\n" + "  " * level)


def _span(path: Path, db: sqlite3.Connection, run: str | None, since_ms: int | None, until_ms: int | None) -> Span:
    (newest,) = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    after, last = 0, newest
    if run is not None:
        check_noted(db)
        row = db.execute(
            "SELECT seq, (SELECT min(seq) FROM run AS later WHERE later.seq > run.seq) FROM run WHERE run_id = ?", (run,)
        ).fetchone()
        if row is None:
            known = [name for (name,) in db.execute("SELECT run_id FROM run ORDER BY seq DESC LIMIT 5")]
            raise UsageError(f"{path}: no run {run!r}; the last ones: {', '.join(known) or 'none yet'}")
        after, last = row[0] - 1, row[1] - 1 if row[1] else newest
    if since_ms is not None:
        after = max(after, last_before(db, since_ms))
    if until_ms is not None:
        last = min(last, last_before(db, until_ms + 1))
    return Span(after, max(last, after), run, since_ms, until_ms)


@dataclass(slots=True)
class _Book:
    """Folds every event, and writes down those of the span."""

    span: Span
    file: RowFile
    portfolio: Portfolio = field(default_factory=Portfolio)
    profile: tuple[str, str] = ("", "")
    timezone: str = "UTC"
    start: Baseline | None = None
    start_balances: Amounts = field(default_factory=dict)
    runs: dict[str, Row] = field(default_factory=dict)
    orders: KeptRows = field(init=False)
    cycles: KeptRows = field(init=False)
    fills: KeptRows = field(init=False)
    breaches: KeptRows = field(init=False)
    one_sided: dict[str, list[Row]] = field(default_factory=dict)  # by cycle: what was left when a person began to settle it
    settled: dict[str, list[Row]] = field(default_factory=dict)  # by cycle, likewise: of residuals that were settled in the span
    flows: dict[str, list[Row]] = field(default_factory=lambda: {"adjustments": [], "transfers": [], "targets": []})
    kills: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.orders, self.cycles = KeptRows(self.file, "orders"), KeptRows(self.file, "cycles")
        self.fills, self.breaches = KeptRows(self.file, "fills"), KeptRows(self.file, "breaches")

    def take(self, at: Recorded) -> None:
        """Take one event."""
        inside = at.seq > self.span.after
        if inside and self.start is None:
            self._begin()
        is_known = isinstance(at.event, FillRecorded) and self.portfolio.knows_fill(
            at.event.fill.exchange, at.event.fill.trade_id, at.event.cycle_id
        )
        if isinstance(at.event, SettlementBegan | ResidualSettled):
            self._settling(at.event)
        before = self.portfolio.in_transit()
        self.portfolio.apply(at)
        if inside and isinstance(at.event, TransferLeft | TransferArrived | TransferSettled):
            self._moved(at, at.event, before)
        if not is_known:
            self._write(at, inside)

    def ledger(self) -> Row:
        """All of it."""
        portfolio, state = self.portfolio, self.portfolio.state
        start = self._baseline()
        start.marks.setdefault(state.currency, ONE)  # what begins with the journal begins before its currency is known
        balances = _with_transit(state.balances, portfolio.in_transit())
        begins, ends = portfolio.value_at(start), portfolio.value()
        prices = portfolio.prices()
        assets = sorted({*start.counters.qty, *state.counters.qty})
        marks = {asset: {"start": _price(start.marks.get(asset)), "end": _price(prices.get(asset))} for asset in assets}
        unvalued = {asset for asset in assets if asset not in prices and self._came_from_outside(asset, start)}
        began, balances, unvalued_places = _apart(self.start_balances, balances, unvalued)
        return {
            "profile": self.profile[0],
            "mode": self.profile[1],
            "timezone": self.timezone,
            "since": _iso(self.span.since_ms),
            "until": _iso(self.span.until_ms),
            "runs": list(self.runs.values()),
            "start_balances": _balances(began, balances),
            "balances": _balances(balances, began),
            "unvalued": unvalued_places,
            "fills": self.fills,
            "orders": self.orders,
            "cycles": self.cycles,
            **self.flows,
            "pnl": ends.since(begins).payload(state.currency),
            "equity": {"currency": state.currency, "start": plain(begins.equity), "end": plain(ends.equity), "marks": marks},
            "residuals": self._residuals(),
            "open_fx": [one.facts() for one in portfolio.open_fx(since=start)],
            "breaches": self.breaches,
            "kills": self.kills,
        }

    def _came_from_outside(self, asset: str, start: Baseline) -> bool:
        """Whether there is more or less of it than at ``start``, and no fill has moved any that had no price."""
        counters = self.portfolio.state.counters
        is_traded = asset in counters.unvalued_trading or asset in counters.unvalued_fees
        return counters.qty[asset] != start.counters.qty.get(asset, ZERO) and not is_traded

    def _moved(self, at: Recorded, event: TransferLeft | TransferArrived | TransferSettled, before: dict[str, Decimal]) -> None:
        """What a transfer's step moved, at a venue and in between: what the network kept leaves the latter."""
        transfer = self.portfolio.state.transfers.get(event.transfer_id)
        if transfer is None:
            return
        change = self.portfolio.in_transit().get(transfer.asset, ZERO) - before.get(transfer.asset, ZERO)
        rows = [(IN_TRANSIT, change)] if change else []
        match event:
            case TransferLeft(exchange=exchange, qty=qty):
                rows.append((exchange, -qty))
            case TransferArrived(exchange=exchange, qty=qty):
                rows.append((exchange, qty))
            case TransferSettled(how="returned"):
                rows.append((transfer.sender, -change))
            case _:
                pass
        when = {"run_id": at.run_id, "ts": iso_ms(at.ts_ms)}
        for exchange, amount in rows if change else ():
            row = {"exchange": exchange, "asset": transfer.asset, "change": plain(amount), "reason": f"{transfer.id}: {transfer.reason}"}
            self.flows["transfers"].append({**row, **when})

    def _settling(self, event: SettlementBegan | ResidualSettled) -> None:
        cycle = self.portfolio.cycle(event.cycle_id)
        if cycle is not None and cycle.is_position:
            self.one_sided[cycle.id] = list(residual_rows(self.portfolio, cycle))

    def _residuals(self) -> list[Row]:
        """What is one-sided at the end of the span, then what was settled in it, as it was when the person began."""
        open_now = [row for cycle in self.portfolio.positions for row in residual_rows(self.portfolio, cycle)]
        return [*open_now, *(row for rows in self.settled.values() for row in rows)]

    def _baseline(self) -> Baseline:
        """Where the span began. A run counts from the marks taken at its start, any other span from the last ones before it."""
        run = self.portfolio.state.run
        if self.span.since_ms is None and run is not None and run.name == self.span.run_id:
            return run
        return self.start or self._begin()  # the latter where nothing happened in the span

    def _begin(self) -> Baseline:
        state = self.portfolio.state
        # Before the first run nothing has a price, and what money is counted in is not known either.
        self.start = Baseline("", 0, state.counters.copy(), {} if state.run is None else self.portfolio.prices())
        self.portfolio.spans.append(self.start)
        held_now = _with_transit(state.balances, self.portfolio.in_transit())
        self.start_balances = {exchange: dict(held) for exchange, held in held_now.items()}
        return self.start

    def _write(self, at: Recorded, inside: bool) -> None:
        match at.event:
            case RunStarted():
                self._run_started(at, at.event, inside)
            case RunEnded() | StateChanged():
                self._run_changed(at)
            case BalanceOpened(exchange=exchange, asset=asset, total=total) if inside:
                held = self.start_balances.setdefault(exchange, {})
                held[asset] = held.get(asset, ZERO) + total
            case CycleOpened():
                self.cycles.add(at.event.cycle_id, self._opened(at, at.event), listed=inside)
            case OrderIntended():
                self.orders.add(at.event.client_order_id, _intended(at, at.event), listed=inside)
            case OrderChanged():
                self._order_changed(at, at.event, inside)
            case FillRecorded():
                self._filled(at, at.event, inside)
            case CycleEnded(cycle_id=cycle_id) | CycleAcknowledged(cycle_id=cycle_id) | ResidualSettled(cycle_id=cycle_id):
                self._cycle_changed(cycle_id, inside)
            case _ if inside:
                self._noted(at)
            case _:
                pass

    def _run_started(self, at: Recorded, event: RunStarted, inside: bool) -> None:
        self.profile, self.timezone = (event.profile, event.mode), event.timezone
        if inside:
            self.runs[event.run_id] = {
                "run_id": event.run_id,
                "profile": event.profile,
                "mode": event.mode,
                "seed": event.seed,
                "version": event.version,
                "config_hash": event.config_hash,
                "state": event.start_state,
                "stop_reason": None,
                "exit_code": None,
                "origins": event.origins,
                "started": iso_ms(at.ts_ms),
                "ended": None,
            }

    def _run_changed(self, at: Recorded) -> None:
        row = self.runs.get(at.run_id)
        if row is None:
            return
        if isinstance(at.event, StateChanged):
            row["state"] = at.event.state
        elif isinstance(at.event, RunEnded):
            row.update(stop_reason=at.event.stop_reason, exit_code=at.event.exit_code, ended=iso_ms(at.ts_ms))

    def _opened(self, at: Recorded, event: CycleOpened) -> Row:
        return {
            "id": event.cycle_id,
            "route": event.route,
            "symbol": event.symbol,
            "edge_bps": event.edge_bps,
            "run_id": at.run_id,
            "state": CycleState.OPEN.value,
            "opened": iso_ms(event.opened_ms),
            "closed": None,
            "most_cost": plain(event.most_cost),
            "dust": "0",
            "legs": [leg_facts(leg) for leg in event.legs],
            "filled": [],
            "pnl": {},
            "reason": "",
            "acknowledged_by": None,
            "settled": None,
        }

    def _order_changed(self, at: Recorded, event: OrderChanged, inside: bool) -> None:
        row = self.orders.get(event.client_order_id)
        if row is not None:
            row.update(state=event.state.value, venue_order_id=event.venue_order_id, reason=event.reason, changed=iso_ms(at.ts_ms))
            row["filled_qty"] = plain(event.filled_qty)
            if inside and (self.span.run_id is None or row["run_id"] == self.span.run_id):
                self.orders.list(event.client_order_id)

    def _filled(self, at: Recorded, event: FillRecorded, inside: bool) -> None:
        fill = event.fill
        if inside:
            facts: Row = {name: getattr(fill, name) for name in FILL_COLUMNS if hasattr(fill, name)}
            amounts = {name: plain(getattr(fill, name)) for name in ("qty", "price", "cost", "fee")}
            rest = {"side": fill.side.value, "ts_event": iso_ms(fill.ts_event), "ts_init": iso_ms(event.ts_init)}
            place = {"cycle_id": event.cycle_id, "leg": event.leg, "source": event.source, "run_id": at.run_id}
            whole = {**facts, **amounts, **rest, **place}
            self.fills.add(f"{fill.exchange} {fill.trade_id}", {name: whole[name] for name in FILL_COLUMNS}, listed=True)
            self.orders.list(fill.client_order_id)
        row = self.cycles.get(event.cycle_id)
        if row is not None:
            sums = TradedSums.resumed(row["filled"])
            sums.add(fill)
            row["filled"] = [one.facts() for one in sums.rows()]
        self._cycle_changed(event.cycle_id, inside)

    def _cycle_changed(self, cycle_id: str, inside: bool) -> None:
        row, cycle = self.cycles.get(cycle_id), self.portfolio.cycle(cycle_id)
        if cycle is None:
            return
        settled = _settled(cycle)
        if settled is None:
            self.settled.pop(cycle_id, None)
        elif inside and cycle_id not in self.settled:
            self.settled[cycle_id] = [{**one, "settled": settled} for one in self.one_sided.get(cycle_id, ())]
        if row is None:
            return
        if not cycle.is_open:
            state = self.portfolio.state
            row.update(state=cycle.state.value, closed=_iso(cycle.closed_ms), reason=cycle.reason)
            row.update(dust=dust_facts(cycle, state.settlement), pnl=cycle_pnl(cycle, state.currency))
        row.update(acknowledged_by=cycle.acknowledged_by or None, settled=settled)

    def _noted(self, at: Recorded) -> None:
        when = {"run_id": at.run_id, "ts": iso_ms(at.ts_ms)}
        match at.event:
            case Adjusted(exchange=exchange, asset=asset, change=change, reason=reason, kind=kind, by=by):
                row = {"exchange": exchange, "asset": asset, "change": plain(change), "reason": reason, "kind": kind, "by": by}
                self.flows["adjustments"].append({**row, **when})
            case TargetSet(exchange=exchange, asset=asset, target=target, before=before, by=by, reason=reason):
                row = {"exchange": exchange, "asset": asset, "before": plain(before), "target": plain(target), "by": by, "reason": reason}
                self.flows["targets"].append({**row, **when})
            case Transferred(from_exchange=sender, to_exchange=receiver, asset=asset, sent=sent, received=received, reason=reason):
                for exchange, change in ((sender, -sent), (receiver, received)):
                    row = {"exchange": exchange, "asset": asset, "change": plain(change), "reason": reason}
                    self.flows["transfers"].append({**row, **when})
            case BreachRecorded(breach_id=breach_id, severity=severity, kind=kind, scope=scope, detail=detail, action=action):
                row = {"breach_id": breach_id, "severity": severity, "kind": kind, "scope": scope, "detail": detail, "action": action}
                if self.breaches.get(breach_id) is None:
                    more = {"acknowledged_by": None, **when, "acknowledged": None, "repeats": 0, "last": None}
                    self.breaches.add(breach_id, {**row, **more}, listed=True)
            case BreachRepeated(breach_id=breach_id, times=times, last_ms=last_ms):
                told = self.breaches.get(breach_id)
                if told is not None:
                    told.update(repeats=told["repeats"] + times, last=iso_ms(last_ms))
            case BreachAcknowledged(breach_id=breach_id, by=by):
                told = self.breaches.get(breach_id)
                if told is not None:
                    told.update(acknowledged_by=by, acknowledged=iso_ms(at.ts_ms))
            case Killed(source=source, reason=reason, epoch=epoch):
                self.kills.append({"action": "killed", "source": source, "reason": reason, "epoch": epoch, **when})
            case Rearmed(by=by, reason=reason):
                self.kills.append({"action": "rearmed", "source": by, "reason": reason, "epoch": None, **when})
            case ScopeHalted(scope=scope, depth=depth, source=source, by=by, reason=reason, since_ms=since_ms):
                what: Row = {"scope": scope, "depth": depth, "by": by, "since": iso_ms(since_ms) if since_ms else None}
                self.kills.append({"action": "scope halted", "source": source, "reason": reason, "epoch": None, **what, **when})
            case ScopeRearmed(scope=scope, by=by, reason=reason):
                self.kills.append({"action": "scope rearmed", "source": by, "reason": reason, "epoch": None, "scope": scope, **when})
            case _:
                pass


def residual_rows(portfolio: Portfolio, cycle: CycleAccount) -> Iterator[Row]:
    """What ``cycle`` leaves one-sided, a row an asset. ``exchange``: where most of it is held, or is missing."""
    prices = portfolio.prices()
    for asset, qty in portfolio.left(cycle).items():
        held = cycle.held(asset)
        exchange = max(held, key=lambda name: held[name] if qty > ZERO else -held[name])
        price = prices.get(asset)
        yield {
            "cycle_id": cycle.id,
            "exchange": exchange,
            "asset": asset,
            "qty": plain(qty),
            **in_currency(portfolio.state.currency, value=None if price is None else abs(qty) * price),
            "since": _iso(cycle.closed_ms),
            "cause": cycle.reason,
            "acknowledged_by": cycle.acknowledged_by or None,
            "settled": None,
        }


def _settled(cycle: CycleAccount) -> Row | None:
    settled = cycle.settled
    return None if settled is None else {"how": settled.how, "by": settled.by, "reason": settled.reason, "ts": iso_ms(settled.ts_ms)}


def _intended(at: Recorded, event: OrderIntended) -> Row:
    return {
        "client_order_id": event.client_order_id,
        "qty": plain(event.qty),
        "state": "SENDING",
        "filled_qty": "0",
        **{name: getattr(event, name) for name in ("exchange", "market", "base", "quote")},
        "side": event.side.value,
        "price": plain(event.price),
        "tif": event.tif.value,
        "purpose": event.purpose.value,
        **{name: getattr(event, name) for name in ("cycle_id", "leg", "attempt", "epoch")},
        "venue_order_id": "",
        "reason": "",
        "intended": iso_ms(at.ts_ms),
        "changed": iso_ms(at.ts_ms),
        "run_id": at.run_id,
    }


def _balances(amounts: Amounts, other: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, str]]]:
    """Every place that either names. Orders here take at once, so nothing is locked at a venue at rest."""
    places = sorted({(exchange, asset) for source in (amounts, other) for exchange, held in source.items() for asset in held})
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for exchange, asset in places:
        nested.setdefault(exchange, {})[asset] = {"free": plain(amount_at(amounts, exchange, asset)), "locked": "0"}
    return nested


def _apart(begin: Amounts, end: Amounts, assets: Collection[str]) -> tuple[Amounts, Amounts, dict[str, dict[str, dict[str, str]]]]:
    """Both without ``assets``, and by place what they hold of those: nobody knows what that came to, so no equity can be told of it."""
    apart: dict[str, dict[str, dict[str, str]]] = {}
    for exchange in sorted({*begin, *end}):
        for asset in sorted(assets):
            first, last = amount_at(begin, exchange, asset), amount_at(end, exchange, asset)
            if first or last:
                apart.setdefault(exchange, {})[asset] = {"start": plain(first), "end": plain(last)}
    rest = [{place: {asset: held[asset] for asset in held if asset not in assets} for place, held in all_.items()} for all_ in (begin, end)]
    return rest[0], rest[1], apart


def _with_transit(balances: Amounts, in_transit: dict[str, Decimal]) -> Amounts:
    return {**balances, IN_TRANSIT: in_transit} if in_transit else balances


def _price(price: Any) -> str | None:
    return None if price is None else plain(price)


def _iso(ts_ms: int | None) -> str | None:
    return None if ts_ms is None else iso_ms(ts_ms)
