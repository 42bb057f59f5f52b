"""What a journal leaves for somebody to deal with, in a few counts: for a look from the side, without reading it whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arbtui.journal.archives import rows_with
from arbtui.journal.chain import newest_archive
from arbtui.journal.events import TAKEN_OVER, CycleEnded, FillRecorded, OrderIntended, decode
from arbtui.journal.reader import events, reading
from arbtui.model.order import Fill, OrderState

#: Orders that are looked back at; older ones have ended. Of those without an id of the venue's fewer: each may cost a look-up.
_SENT, _UNNAMED = 1_000, 50
#: Archives that are looked into for the last order at a venue, the newest first.
_ARCHIVES = 20


@dataclass(frozen=True, slots=True)
class OpenItems:
    """Counts of what is not settled, and the last run that wrote here."""

    open_cycles: int
    residual_cycles: int  #: RESIDUAL and not settled
    open_orders: int  #: not final, whatever their cycle
    last_run: str | None  #: its id; None when there was none


def read_open_items(path: Path) -> OpenItems:
    """The counts of the journal at ``path``, beside its writer or without one.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    final = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)
    with reading(path) as db:
        row = db.execute(
            "SELECT (SELECT count(*) FROM cycle WHERE state = 'OPEN'),"
            " (SELECT count(*) FROM cycle WHERE state = 'RESIDUAL' AND settled_ms IS NULL),"
            f" (SELECT count(*) FROM order_ WHERE state NOT IN ({final})),"
            " (SELECT run_id FROM run ORDER BY seq DESC LIMIT 1)"
        ).fetchone()
    return OpenItems(*row)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An order that was sent to a venue, or may have been; ``venue_order_id`` is empty where it was never told."""

    market: str
    client_order_id: str
    venue_order_id: str


def read_sent(path: Path, exchange: str) -> list[SentOrder]:
    """The newest orders that may stand at ``exchange``: those that it has named, and those whose fate is or was not known.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    final = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)
    with reading(path) as db:
        rows = db.execute(
            "SELECT market, client_order_id, venue_order_id FROM order_ WHERE exchange = ?"
            f" AND (venue_order_id != '' OR state NOT IN ({final}) OR reason = 'NOT_PLACED' OR reason LIKE '{TAKEN_OVER} %')"
            f" ORDER BY seq DESC LIMIT {_SENT}",
            (exchange,),
        ).fetchall()
    sent = [SentOrder(*row) for row in rows]
    unnamed = [one for one in sent if not one.venue_order_id]
    return [one for one in sent if one.venue_order_id] + unnamed[:_UNNAMED]


def last_intended(path: Path, exchange: str) -> int | None:
    """When the newest order at ``exchange`` was journaled, in ms; None where there was none, or only before the newest archives.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`; also where an archive is needed that is missing or damaged.
    """
    with reading(path) as db:
        found, seq = db.execute("SELECT max(intended_ms), max(seq) FROM order_ WHERE exchange = ?", (exchange,)).fetchone()
        archived = newest_archive(db)
        if archived is None or (seq is not None and seq > archived.last):
            return None if found is None else int(found)
        for rows in rows_with(db, ['"OrderIntended"'], _ARCHIVES):
            for row in reversed(rows):
                event = decode(*row[3:])
                if isinstance(event, OrderIntended) and event.exchange == exchange:
                    return max(int(found or 0), row[1])
    return None if found is None else int(found)


def adjusted_at(path: Path, exchange: str) -> dict[str, int]:
    """When what ``exchange`` said it held was last taken over, in ms by asset: fills of before are in that. Dust apart.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        rows = db.execute("SELECT asset, ts_ms FROM adjustment WHERE exchange = ? AND kind != 'dust' ORDER BY seq", (exchange,))
        return {asset: int(ts_ms) for asset, ts_ms in rows}


def found_untold(path: Path, run_id: str) -> dict[str, None]:
    """Ids of cycles that the starts before ``run_id`` have ended, or booked fills of, where they died before they armed or told of it.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        since: int | None = None
        rows = db.execute("SELECT seq, state = start_state FROM run WHERE run_id != ? ORDER BY seq DESC", (run_id,))
        for seq, is_cut in rows:
            if not is_cut:
                break
            since = seq
        found = () if since is None else (one.event for one in events(db, since))
        return {event.cycle_id: None for event in found if isinstance(event, CycleEnded | FillRecorded)}


def is_taken_over(fill: Fill, adjusted: Mapping[str, int]) -> bool:
    """Whether ``fill`` is in a balance that was taken over after it; ``adjusted``: of its venue, by :func:`adjusted_at`.

    One whose venue tells no time counts as later: booked twice it is disputed and decided, left out it would be lost.
    """
    return any(0 < fill.ts_event <= adjusted[asset] for asset in (fill.base, fill.quote) if asset in adjusted)


def read_route(path: Path, client_order_id: str) -> str | None:
    """The route of the cycle that an order belongs to; None where the journal at ``path`` does not know the order.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        row = db.execute(
            "SELECT cycle.route FROM order_ JOIN cycle USING (cycle_id) WHERE client_order_id = ?", (client_order_id,)
        ).fetchone()
    return None if row is None else str(row[0])
