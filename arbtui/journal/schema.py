"""The journal's tables: events that are only ever added, and projections that can be thrown away and rebuilt from them.

Money and quantities are text, times ms since the epoch (UTC). Projections have no foreign keys: what has happened at a
venue is recorded even when it refers to something unknown here. But an order, cycle or run recorded twice is refused.
Snapshots, episodes, denials and what routes have taught stand beside the events: a bounded number of each, which no event tells and
nothing is rebuilt from.

Tables that a start believes (:data:`NOTED_TABLES`) are compared with their events each time they are read; an index finds those.
"""

APPLICATION_ID = 0x41524254  #: "ARBT"
#: Format 2: events say what happened, and the portfolio what it means. Journals of format 1 held balances, outcomes and PnL in
#: their events; they are refused (:data:`OLDEST_VERSION`) and stay readable for the version that wrote them.
#: Format 3: each event's row carries its hash (:mod:`arbtui.journal.chain`), each run what program it was.
#: Format 4: frequent events in their short form (:mod:`arbtui.journal.compact`); those of format 3 are read as they are. Old events
#: may be in archives (:mod:`arbtui.journal.archives`).
USER_VERSION = 4
OLDEST_VERSION = 2
FIRST_CHAINED = 3
FIRST_ARCHIVED = 4
SNAPSHOTS_KEPT = 5

#: Projections that a start goes by, and the events that they are made from.
NOTED_TABLES = ("identity", "run", "origin", "breach", "kill", "alert", "alert_delivery", "remote_command", "archive")
NOTED_EVENTS = (
    *("JournalCreated", "RunStarted", "RunEnded", "StateChanged", "BreachRecorded", "BreachAcknowledged", "Killed", "Rearmed"),
    *("AlertQueued", "AlertSent", "AlertGivenUp", "CommandReceived", "CommandActed", "EventsArchived"),
)
#: The condition of the index over them; a query has to repeat it, word for word.
IS_NOTED = "type IN ({})".format(", ".join(f"'{name}'" for name in NOTED_EVENTS))
NOTED_INDEX = f"CREATE INDEX IF NOT EXISTS event_noted ON event (type) WHERE {IS_NOTED}"

EVENT_TABLES = (
    """CREATE TABLE IF NOT EXISTS event (
        seq INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL, run_id TEXT NOT NULL,
        type TEXT NOT NULL, version INTEGER NOT NULL, payload TEXT NOT NULL, hash BLOB)""",
    """CREATE TRIGGER IF NOT EXISTS event_never_changes BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    """CREATE TRIGGER IF NOT EXISTS event_never_goes BEFORE DELETE ON event WHEN OLD.seq > (SELECT coalesce(max(last), 0) FROM archive)
        BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END""",
    NOTED_INDEX,
    """CREATE TABLE IF NOT EXISTS snapshot (
        snapshot_no INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, run_id TEXT NOT NULL, payload TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS episode (
        episode_no INTEGER PRIMARY KEY, run_id TEXT NOT NULL, route TEXT NOT NULL, symbol TEXT NOT NULL, started_ms INTEGER NOT NULL,
        ended_ms INTEGER NOT NULL, ended_by TEXT NOT NULL, best_edge_bps REAL NOT NULL, size REAL NOT NULL, cycles INTEGER NOT NULL,
        gate TEXT NOT NULL, fills_at_50 INTEGER, fills_at_100 INTEGER, fills_at_200 INTEGER, fills_at_500 INTEGER)""",
    """CREATE TABLE IF NOT EXISTS denial (
        step_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL, route TEXT NOT NULL, reason TEXT NOT NULL, times INTEGER NOT NULL,
        seconds REAL NOT NULL, PRIMARY KEY (step_ms, start_ms, route, reason)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS learned (
        route TEXT PRIMARY KEY, updated_ms INTEGER NOT NULL, slippage_bps REAL NOT NULL, slippages INTEGER NOT NULL, realised REAL,
        cycles INTEGER NOT NULL, gaps REAL NOT NULL, survived_50 REAL NOT NULL, survived_100 REAL NOT NULL, survived_200 REAL NOT NULL,
        survived_500 REAL NOT NULL)""",
)

#: Name of each projection and the columns of its table.
PROJECTIONS = {
    "identity": "salt TEXT NOT NULL, seq INTEGER PRIMARY KEY",
    "run": """run_id TEXT PRIMARY KEY, profile TEXT NOT NULL, mode TEXT NOT NULL, seed INTEGER, version TEXT NOT NULL,
        config_hash TEXT NOT NULL, origins TEXT NOT NULL, start_state TEXT NOT NULL, seq INTEGER NOT NULL, started_ms INTEGER NOT NULL,
        ended_ms INTEGER, stop_reason TEXT, exit_code INTEGER, state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',
        commit_id TEXT NOT NULL, lock_hash TEXT NOT NULL, journal_format INTEGER NOT NULL, accounts TEXT NOT NULL""",
    "origin": "exchange TEXT PRIMARY KEY, origin TEXT NOT NULL",
    "cycle": """cycle_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, route TEXT NOT NULL, symbol TEXT NOT NULL,
        state TEXT NOT NULL, edge_bps REAL NOT NULL, legs TEXT NOT NULL, opened_ms INTEGER NOT NULL, closed_ms INTEGER, closed_seq INTEGER,
        dust TEXT NOT NULL DEFAULT '0', pnl TEXT NOT NULL DEFAULT '{}', reason TEXT NOT NULL DEFAULT '',
        acknowledged_by TEXT, acknowledged_ms INTEGER, acknowledged_reason TEXT,
        settled_how TEXT, settled_by TEXT, settled_ms INTEGER, settled_reason TEXT""",
    "order_": """client_order_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, cycle_id TEXT NOT NULL, leg INTEGER NOT NULL,
        attempt INTEGER NOT NULL, purpose TEXT NOT NULL, exchange TEXT NOT NULL, market TEXT NOT NULL, base TEXT NOT NULL,
        quote TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, tif TEXT NOT NULL, epoch INTEGER NOT NULL,
        state TEXT NOT NULL, venue_order_id TEXT NOT NULL DEFAULT '', filled_qty TEXT NOT NULL DEFAULT '0',
        reason TEXT NOT NULL DEFAULT '', intended_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL""",
    "fill": """exchange TEXT NOT NULL, trade_id TEXT NOT NULL, run_id TEXT NOT NULL, seq INTEGER NOT NULL, client_order_id TEXT NOT NULL,
        venue_order_id TEXT NOT NULL, market TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, side TEXT NOT NULL,
        qty TEXT NOT NULL, price TEXT NOT NULL, cost TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL,
        liquidity TEXT NOT NULL, ts_event INTEGER NOT NULL, ts_init INTEGER NOT NULL, cycle_id TEXT NOT NULL, leg INTEGER NOT NULL,
        source TEXT NOT NULL, PRIMARY KEY (exchange, trade_id)""",
    "balance": """exchange TEXT NOT NULL, asset TEXT NOT NULL, total TEXT NOT NULL, opening TEXT NOT NULL, ts_ms INTEGER NOT NULL,
        seq INTEGER NOT NULL, PRIMARY KEY (exchange, asset)""",
    "mark": """asset TEXT PRIMARY KEY, price TEXT NOT NULL, source TEXT NOT NULL, age_ms INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
        seq INTEGER NOT NULL""",
    "adjustment": """seq INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL, run_id TEXT NOT NULL, exchange TEXT NOT NULL, asset TEXT NOT NULL,
        change TEXT NOT NULL, reason TEXT NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL""",
    "transfer": """seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, run_id TEXT NOT NULL, exchange TEXT NOT NULL, asset TEXT NOT NULL,
        change TEXT NOT NULL, reason TEXT NOT NULL""",
    "breach": """breach_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, severity TEXT NOT NULL,
        kind TEXT NOT NULL, scope TEXT NOT NULL, detail TEXT NOT NULL, action TEXT NOT NULL, acknowledged_by TEXT,
        acknowledged_ms INTEGER""",
    "kill": """seq INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL, run_id TEXT NOT NULL, action TEXT NOT NULL, source TEXT NOT NULL,
        reason TEXT NOT NULL, epoch INTEGER""",
    "alert": """alert_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, severity TEXT NOT NULL,
        kind TEXT NOT NULL, text TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'QUEUED'""",
    "alert_delivery": """alert_id TEXT NOT NULL, channel TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL, outcome TEXT NOT NULL,
        reason TEXT NOT NULL, PRIMARY KEY (alert_id, channel)""",
    "archive": """last INTEGER PRIMARY KEY, first INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
        before TEXT NOT NULL, after TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, seq INTEGER NOT NULL""",
    "remote_command": """update_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
        user_id INTEGER NOT NULL, command TEXT NOT NULL, outcome TEXT""",
}

#: What stays of archived events: those that a start goes by, and each one before such a one, whose hash that one's is made with.
IS_SWEPT = f"NOT ({IS_NOTED}) AND NOT EXISTS (SELECT 1 FROM event AS later WHERE later.seq = event.seq + 1 AND later.{IS_NOTED})"

#: So that a start finds what still waits among all alerts and breaches there ever were.
_PROJECTION_INDEXES = (
    "CREATE INDEX IF NOT EXISTS alert_by_seq ON alert (seq)",
    "CREATE INDEX IF NOT EXISTS alert_queued ON alert (seq) WHERE state = 'QUEUED'",
    "CREATE INDEX IF NOT EXISTS breach_by_seq ON breach (seq)",
    "CREATE INDEX IF NOT EXISTS breach_open ON breach (seq) WHERE acknowledged_ms IS NULL",
)
PROJECTION_TABLES = (*(f"CREATE TABLE IF NOT EXISTS {name} ({columns})" for name, columns in PROJECTIONS.items()), *_PROJECTION_INDEXES)
SCHEMA = EVENT_TABLES + PROJECTION_TABLES
