"""What must hold of the files: at each restart, and at the end, when journal and venues must tell one story to the last digit."""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

from arbtui.journal.database import connect_read_only
from arbtui.journal.events import OrderChanged, decode
from arbtui.journal.reader import reading
from arbtui.model.halt import read_flag
from arbtui.model.money import ZERO, plain
from arbtui.monitoring.alert_rules import Urgency
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.restore import fold, restore
from arbtui.runtime.simulate.story import Story

_FILL = "client_order_id, venue_order_id, market, base, quote, side, qty, price, cost, fee, fee_currency, liquidity, ts_event"
_EVENTS = "SELECT seq, ts_ms, run_id, type, version, payload FROM event WHERE seq > ? ORDER BY seq"
_THEIR_FILL = f"SELECT {_FILL} FROM venue_fill WHERE exchange = ? AND trade_id = ?"
#: The ledger tells PnL with eight decimals.
_ROUNDED = Decimal("0.00000001")
_CHANGES = "SELECT type, version, payload FROM event WHERE seq > ? AND type = 'OrderChanged'"
_FINAL = ("FILLED", "CANCELLED", "EXPIRED", "REJECTED", "ABANDONED")


@contextmanager
def _rows(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_read_only(path)) as connection:
        yield connection


def digest(path: Path) -> str:
    """A hash over all events of the journal at ``path``, in order."""
    seen = hashlib.sha256()
    with _rows(path) as db:
        for row in db.execute(_EVENTS, (0,)):
            seen.update(repr(row).encode())
    return seen.hexdigest()


class RestartAudit:
    """Looks at what each life has left, before the next one, and remembers what it has seen: a story of hours has thousands of events."""

    def __init__(self, story: Story, venue: Path) -> None:
        self._story = story
        self._venue = venue
        self._seen = hashlib.sha256()  # over all events so far
        self._folded = Portfolio()  # likewise
        self._fill_seq = 0
        self._orders: dict[str, int] = {}  # the last number of an order by venue
        self._not_placed: dict[str, None] = {}  # client ids that have counted as not placed

    def look(self, journal: Path, durable: int, *, killed: bool) -> None:
        """``durable``: the last event that was reported durable. ``killed``: a kill was acknowledged, and nobody has re-armed."""
        story, known = self._story, self._folded.state.seq
        with _rows(journal) as ours:
            rows = list(ours.execute(_EVENTS, (known,)))
        seq = rows[-1][0] if rows else known
        story.check("no acknowledged event is lost", seq >= durable, f"event {durable} was durable, the file ends at {seq}")
        for row in rows:
            self._seen.update(repr(row).encode())
        _, portfolio = restore(journal)
        with reading(journal) as db:
            fold(journal, db, self._folded, seq)
        live, again = portfolio.encode(), self._folded.encode()
        same = live == again or json.loads(live) == json.loads(again)
        story.check("live = fold(journal) = after restart", same, "a restart and the fold of all events differ")
        halted = read_flag(journal.parent.parent) is not None or portfolio.state.killed
        told = "an acknowledged kill is neither in the flag nor in the journal"
        story.check("I11 a kill outlives the process", halted or not killed, told)
        with _rows(self._venue) as theirs, _rows(journal) as ours:
            self._look_at_fills(ours, theirs)
            self._look_at_orders(ours, theirs, known)

    def look_at_all(self, journal: Path) -> None:
        """At the end: no event that was there once is missing or another one."""
        self._story.check("events are never changed", digest(journal) == self._seen.hexdigest(), "some that were there have changed")

    def _look_at_fills(self, ours: sqlite3.Connection, theirs: sqlite3.Connection) -> None:
        for seq, *row in ours.execute(f"SELECT seq, exchange, trade_id, {_FILL} FROM fill WHERE seq > ? ORDER BY seq", (self._fill_seq,)):
            self._fill_seq = seq
            there = theirs.execute(_THEIR_FILL, (row[0], int(row[1]))).fetchone() or ()
            told = f"{row[0]} trade {row[1]} of {row[2]}"
            self._story.check("I3 every fill of ours is a venue's", _text(there) == _text(row[2:]), told, row[2])

    def _look_at_orders(self, ours: sqlite3.Connection, theirs: sqlite3.Connection, known: int) -> None:
        story = self._story
        for exchange, number, client_id in list(theirs.execute("SELECT exchange, venue_order_id, client_order_id FROM venue_order")):
            if number <= self._orders.get(exchange, 0):
                continue
            self._orders[exchange] = number
            (count,) = theirs.execute("SELECT count(*) FROM venue_order WHERE client_order_id = ?", (client_id,)).fetchone()
            story.check("I1 no client id is accepted twice", count == 1, f"{client_id} is {count} orders at the venue", client_id)
            intended = ours.execute("SELECT 1 FROM order_ WHERE client_order_id = ?", (client_id,)).fetchone() is not None
            story.check("I2 no order without its intent", intended, f"{client_id} is at the venue and in no journal", client_id)
        changes = (decode(*row) for row in ours.execute(_CHANGES, (known,)))
        self._not_placed |= {one.client_order_id: None for one in changes if isinstance(one, OrderChanged) and one.reason == "NOT_PLACED"}
        for client_id in self._not_placed:  # one of them may have come later
            there = theirs.execute("SELECT 1 FROM venue_order WHERE client_order_id = ? AND state <> 'REJECTED'", (client_id,)).fetchone()
            told = f"{client_id} counted as not placed, and the venue has it"
            story.check("what counts as not placed is not there", there is None, told, client_id)


def audit_settled(story: Story, journal: Path, venue: Path) -> None:
    """Look at the files when nothing is under way any more."""
    with _rows(venue) as theirs, _rows(journal) as ours:
        for row in ours.execute("SELECT client_order_id, state, cycle_id FROM order_"):
            story.check("every order comes to its end", row[1] in _FINAL, f"{row[0]} is {row[1]}", row[0], row[2])
        for row in ours.execute("SELECT cycle_id, state FROM cycle"):
            story.check("every cycle comes to its end", row[1] != "OPEN", f"{row[0]} is OPEN", row[0])
        known = {row for row in ours.execute("SELECT exchange, trade_id FROM fill")}
        for row in theirs.execute("SELECT exchange, CAST(trade_id AS TEXT), client_order_id FROM venue_fill"):
            story.check("I3 every fill of the venue is ours", row[:2] in known, f"{row[0]} trade {row[1]} of {row[2]}", row[2])
        held = {
            (exchange, asset): Decimal(free) + Decimal(locked)
            for exchange, asset, free, locked in theirs.execute("SELECT exchange, asset, free, locked FROM account")
        }
        paid_in = {
            (exchange, asset): Decimal(change)
            for exchange, asset, change in theirs.execute("SELECT exchange, asset, change FROM balance_change WHERE reason = 'initial'")
        }
        resting = "SELECT client_order_id FROM venue_order WHERE state IN ('ACCEPTED', 'PARTIALLY_FILLED')"
        open_there = [row[0] for row in theirs.execute(resting)]
    story.check("I7 nothing of ours is left open", not open_there, f"open at the venue: {', '.join(open_there)}", *open_there)
    portfolio = restore(journal)[1]
    for (exchange, asset), amount in held.items():
        mine = portfolio.total(exchange, asset)
        story.check("I4 our balances are the venue's", mine == amount, f"{exchange} {asset}: {plain(mine)} here, {plain(amount)} there")
        story.check("I4 no balance below zero", amount >= ZERO, f"{exchange} {asset} {plain(amount)} at the venue")
    _audit_money(story, journal, held, paid_in, portfolio.state.settlement)


def audit_alerts(story: Story, journal: Path, told: Sequence[str]) -> None:
    """Look at the outbox when nothing is under way any more. ``told``: every message that has reached the operator.

    A message names the CRITICAL alerts in it one by one, and of others the first; others of a kind are also held back to be counted.
    """
    arrived = "\n".join(told)
    with _rows(journal) as ours:
        for alert_id, state, severity in ours.execute("SELECT alert_id, state, severity FROM alert"):
            if severity == Urgency.CRITICAL:
                story.check("a CRITICAL alert goes out", state == "SENT", f"{alert_id} is {state}")
                named = f" {alert_id}\n" in arrived or f" {alert_id} " in arrived  # alone, or as one of a flood
                story.check("a CRITICAL alert arrives at least once", named, f"{alert_id} is {state} and never arrived")
        for (kind,) in ours.execute("SELECT DISTINCT kind FROM alert WHERE state = 'SENT'"):
            story.check("no kind of alert is marked as sent that never arrived", f" {kind} " in arrived, kind)


def _audit_money(
    story: Story,
    journal: Path,
    theirs: Mapping[tuple[str, str], Decimal],
    paid_in: Mapping[tuple[str, str], Decimal],
    settlement: Collection[str],
) -> None:
    """PnL is what the equity at the venues has changed by, external flows apart; positions are what the fills of cycles leave.

    ``theirs``: what the venues hold now, ``paid_in``: what they held at first.
    """
    ledger = read_ledger(journal)
    story.check("nothing is adjusted", not ledger["adjustments"], f"adjusted: {ledger['adjustments']}")
    pnl = {name: Decimal(part) for name, part in ledger["pnl"].items() if name != "currency"}
    marks = {asset: {when: Decimal(price or 0) for when, price in row.items()} for asset, row in ledger["equity"]["marks"].items()}
    change = sum((amount * marks[asset]["end"] for (_, asset), amount in theirs.items()), ZERO)
    change -= sum((amount * marks[asset]["start"] for (_, asset), amount in paid_in.items()), ZERO)
    told = f"PnL {pnl['total']}, equity at the venues changed by {change:.8f}"
    story.check("PnL = change of equity - flows", abs(pnl["total"] - change) <= 2 * _ROUNDED, told)
    parts = sum((part for name, part in pnl.items() if name not in ("total", "fees")), ZERO) - pnl["fees"]
    story.check("PnL is the sum of its parts", abs(parts - pnl["total"]) <= 9 * _ROUNDED, f"{parts} in parts, {pnl['total']} in all")
    left: dict[tuple[str, str], Decimal] = {}
    for fill in ledger["fills"]:
        sign = 1 if fill["side"] == "buy" else -1
        changes = {fill["base"]: sign * Decimal(fill["qty"]), fill["quote"]: -sign * Decimal(fill["cost"])}
        if fill["fee_currency"] in changes:
            changes[fill["fee_currency"]] -= Decimal(fill["fee"])
        for asset, change in changes.items():
            left[fill["cycle_id"], asset] = left.get((fill["cycle_id"], asset), ZERO) + change
    for cycle in ledger["cycles"]:
        if cycle["state"] != "RESIDUAL" or cycle.get("settled"):
            continue
        named = {row["asset"]: Decimal(row["qty"]) for row in ledger["residuals"] if row["cycle_id"] == cycle["id"]}
        owed = {
            asset: amount for (cycle_id, asset), amount in left.items() if cycle_id == cycle["id"] and asset not in settlement and amount
        }
        owed = {asset: amount for asset, amount in owed.items() if asset in named} or owed  # beside it there may be dust of another
        told = f"{cycle['id']}: {_amounts(named)} named, {_amounts(owed)} left"
        story.check("a residual is what its fills leave", named == owed, told, cycle["id"])


def _amounts(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{plain(amount)} {asset}" for asset, amount in amounts.items()) or "nothing"


def _text(row: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(value) for value in row)
