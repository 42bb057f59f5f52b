"""What a journal's own tables say at a start: its runs, venues, kills, open breaches and newest snapshot."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.chain import check_events, is_chained
from arbtui.journal.database import NothingThere
from arbtui.journal.denials import DenialRow, denial_rows
from arbtui.journal.learned import LearnedRow, learned_rows
from arbtui.journal.noted import check_noted
from arbtui.journal.reader import check_pages, reading
from arbtui.journal.snapshots import check_snapshots
from arbtui.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. ``ended_ms`` None: it crashed, or still runs."""

    run_id: str
    profile: str
    mode: str
    seed: int | None
    started_ms: int
    ended_ms: int | None
    stop_reason: str | None
    exit_code: int | None
    state: str
    version: str = ""
    config_hash: str = ""
    commit_id: str = ""
    lock_hash: str = ""
    journal_format: int = 0

    @property
    def ended_clean(self) -> bool:
        """True when the run ended by itself with everything closed."""
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class KillRow:
    """One line of the kill history. ``action``: ``killed`` or ``rearmed``; ``source``: what killed, or who re-armed."""

    ts_ms: int
    action: str
    source: str
    reason: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class BreachRow:
    """A breach that nobody has acknowledged."""

    breach_id: str
    run_id: str
    ts_ms: int
    severity: str
    kind: str
    scope: str
    detail: str
    action: str


@dataclass(slots=True)
class JournalState:
    """What the journal's own tables say. What the events *mean* is the portfolio's. Lists are oldest first."""

    path: Path
    salt: str
    seq: int  #: of the last event
    runs: int
    last_run: RunRow | None
    origins: dict[str, str]  #: exchange to the origin its first run traded at
    kills: list[KillRow]
    breaches: list[BreachRow]
    snapshot_no: int
    snapshot_seq: int  #: the last event that the newest snapshot covers
    snapshot: dict[str, Any] | None
    denials: list[DenialRow] = field(default_factory=list)
    learned: list[LearnedRow] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)  #: exchange to a digest of the venue's own number of the account, the last known

    @property
    def is_killed(self) -> bool:
        """True when the last line of the kill history is a kill."""
        return bool(self.kills) and self.kills[-1].action == "killed"

    def refuse_another_profile(self, profile: str, mode: str) -> None:
        """Check that this journal was written by ``profile`` in ``mode``; one without a run passes.

        Raises:
            UsageError: it was not: its stock and its orders are somebody else's.
        """
        run = self.last_run
        if run is not None and (run.profile, run.mode) != (profile, mode):
            raise UsageError(
                f"{self.path} was written by profile {run.profile} in mode {run.mode}, and this is profile {profile} in mode {mode}: put "
                "each journal back into its own folder, or name another --state-dir"
            )

    def refuse_other_accounts(self, accounts: Mapping[str, str]) -> None:
        """Check that ``accounts`` (as :attr:`accounts`) are those this journal was written for, as far as both are known.

        Raises:
            UsageError: the keys are another account's: its balances would be taken for a loss, and its orders for nobody's.
        """
        for exchange, account in accounts.items():
            if self.accounts.get(exchange, account) != account:
                raise UsageError(
                    f"{self.path}: this journal was written for another account at {exchange} than the one of the present keys: set the "
                    "keys of that account, or name another --state-dir"
                )

    def refuse_other_origins(self, origins: Mapping[str, str]) -> None:
        """Check that ``origins`` (exchange to URL origin) are those this journal was written at; new exchanges pass.

        Raises:
            UsageError: an exchange has moved: balances and orders of one venue would be taken for another's.
        """
        for exchange, origin in origins.items():
            known = self.origins.get(exchange, origin)
            if known != origin:
                raise UsageError(
                    f"{self.path}: this journal was written with {exchange} at {known}, not at {origin}: "
                    f"set [exchanges.{exchange}.urls] back, or name another --state-dir"
                )


def load(path: Path) -> JournalState:
    """Read the journal at ``path``, beside its writer or without one.

    Raises:
        UsageError: no journal there, not SQLite, another program's, or of a format that this program does not read.
    """
    with reading(path) as db:
        return read_state(path, db)


def refuse_foreign(path: Path, profile: str, mode: str, origins: Mapping[str, str]) -> None:
    """Look at a journal before it is opened for writing: one that is somebody else's stays as it is. None yet, or an empty one, passes.

    Raises:
        UsageError: another profile, mode or place of trading wrote it, or it cannot be read; one that is damaged is told as that.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        with reading(path) as db:
            run, known = _last_run(db), _origins(db)
            is_own = run is None or (run.profile, run.mode) == (profile, mode)
            if is_own and all(known.get(exchange, origin) == origin for exchange, origin in origins.items()):
                return
            check_pages(db)
            if is_chained(db):
                check_events(db)
            state = read_state(path, db)
    except NothingThere:  # a first start died before it had made the tables: the next one makes them
        return
    state.refuse_another_profile(profile, mode)
    state.refuse_other_origins(origins)


def last_event_ms(path: Path) -> int:
    """Our clock at the newest event of the journal at ``path``, ms; 0 when there is no journal yet.

    Raises:
        UsageError: as :func:`load`, for a file that is there.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return 0  # what else stands there is for the writer to refuse
    with reading(path) as db:
        return _one(db, "SELECT coalesce(max(ts_ms), 0) FROM event")


def read_state(path: Path, db: sqlite3.Connection) -> JournalState:
    """The same from an open connection.

    Raises:
        UsageError: a table is not what its events make it, or a snapshot not what was stored.
    """
    check_noted(db)
    check_snapshots(db)
    identity = db.execute("SELECT salt FROM identity").fetchone()
    snapshot = db.execute("SELECT snapshot_no, seq, payload FROM snapshot ORDER BY snapshot_no DESC LIMIT 1").fetchone()
    return JournalState(
        path=path,
        salt=identity["salt"] if identity else "",
        seq=_one(db, "SELECT coalesce(max(seq), 0) FROM event"),
        runs=_one(db, "SELECT count(*) FROM run"),
        last_run=_last_run(db),
        origins=_origins(db),
        kills=[KillRow(*row) for row in db.execute(f"SELECT {_columns(KillRow)} FROM kill ORDER BY seq")],
        breaches=[
            BreachRow(*row) for row in db.execute(f"SELECT {_columns(BreachRow)} FROM breach WHERE acknowledged_ms IS NULL ORDER BY seq")
        ],
        snapshot_no=snapshot["snapshot_no"] if snapshot else 0,
        snapshot_seq=snapshot["seq"] if snapshot else 0,
        snapshot=msgspec.json.decode(snapshot["payload"]) if snapshot else None,
        denials=denial_rows(db),
        learned=learned_rows(db),
        accounts=_accounts(db) if is_chained(db) else {},
    )


def _last_run(db: sqlite3.Connection) -> RunRow | None:
    known = _columns(RunRow) if is_chained(db) else ", ".join(list(RunRow.__dataclass_fields__)[:-3])
    run = db.execute(f"SELECT {known} FROM run ORDER BY seq DESC LIMIT 1").fetchone()
    return RunRow(*run) if run else None


def _origins(db: sqlite3.Connection) -> dict[str, str]:
    return {row[0]: row[1] for row in db.execute("SELECT exchange, origin FROM origin ORDER BY exchange")}


def _accounts(db: sqlite3.Connection) -> dict[str, str]:
    known: dict[str, str] = {}
    for (accounts,) in db.execute("SELECT DISTINCT accounts FROM run WHERE accounts != '{}' ORDER BY seq"):
        known |= msgspec.json.decode(accounts)
    return known


def _columns(kind: type[Any]) -> str:
    return ", ".join(kind.__dataclass_fields__)


def _one(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])
