"""What the comparison of the journal with the venues has done in this run, and what it has found."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arbtui.failover.config import ReconcileConfig
from arbtui.journal.events import AccountsReconciled, ChecksMade
from arbtui.model.clock import iso_ms

#: Differences that are kept in words, the newest.
_KEPT = 50
#: A check whose last two began so many times its cadence apart is behind it.
_BEHIND = 1.5


class Check(StrEnum):
    """What is compared."""

    IN_FLIGHT = "in flight"  #: orders whose end is not known, one by one
    OPEN_ORDERS = "open orders"
    TRADES = "trades"
    BALANCES = "balances"


@dataclass(slots=True)
class CheckRecord:
    """One check at one venue. ``every_s``: as the profile has it; times are monotonic s, ``last_ms`` ms since the epoch."""

    exchange: str
    check: Check
    every_s: float
    done: int = 0  #: how often it was answered
    failed: int = 0  #: how often it was not
    failed_in_a_row: int = 0
    found: int = 0  #: differences
    last_ms: int | None = None  #: when it was answered last
    why: str = ""  #: why it was not answered the last time; empty where it was
    began_at: float | None = None
    took_s: float = 0.0  #: the last one
    real_s: float | None = None  #: between the beginnings of the last two

    @property
    def is_behind(self) -> bool:
        """Whether it comes less often than the profile says, since its requests had to wait."""
        return self.real_s is not None and self.took_s > self.every_s and self.real_s > _BEHIND * self.every_s

    def in_words(self, now_ms: int) -> str:
        """How it stands."""
        every = f"every {self.every_s:g} s"
        if self.check is Check.IN_FLIGHT and self.last_ms is None and not self.failed:
            return f"{every}, none had to be looked up"
        if self.is_behind:
            every = f"every {self.real_s:.0f} s, not {self.every_s:g} (the venue's rate limits or answers leave no more)"
        never = "never answered" if self.failed else "not asked yet"
        last = never if self.last_ms is None else f"last {max(0, now_ms - self.last_ms) / 1000:.0f} s ago"
        failed = f", {self.failed} not answered" if self.failed else ""
        why = f"; now: {self.why}" if self.why else ""
        return f"{every}, {last}, {self.done} done{failed}, {self.found} found{why}"

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "exchange": self.exchange,
            "check": self.check.value,
            "every_s": self.every_s,
            "real_s": None if self.real_s is None else round(self.real_s, 3),
            "behind": self.is_behind,
            "last": None if self.last_ms is None else iso_ms(self.last_ms),
            "done": self.done,
            "failed": self.failed,
            "found": self.found,
            "why": self.why or None,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a venue and the journal differed; ``what`` in words."""

    ts_ms: int
    exchange: str
    check: Check
    what: str


class ReconcileReport:
    """The checks of every venue, and the differences found. What a difference means is told where it is booked, disputed or halted."""

    def __init__(self, exchanges: Iterable[str], config: ReconcileConfig, now_ms: int) -> None:
        every = {
            Check.IN_FLIGHT: config.in_flight_s,
            Check.OPEN_ORDERS: config.open_orders_s,
            Check.TRADES: config.trades_s,
            Check.BALANCES: config.balances_s,
        }
        self.records = {(name, check): CheckRecord(name, check, every[check]) for name in exchanges for check in Check}
        self.differences: deque[Difference] = deque(maxlen=_KEPT)  #: oldest first
        self.found = 0  #: differences of this run
        self.reported_ms: int | None = None  #: of the last full report
        self._since_ms = now_ms
        self._journaled: dict[tuple[str, Check], tuple[int, int, int]] = {}

    def add(self, record: CheckRecord, ts_ms: int, found: Iterable[str]) -> None:
        """A check was answered, and found that."""
        record.done += 1
        record.failed_in_a_row, record.last_ms, record.why = 0, ts_ms, ""
        for what in found:
            record.found += 1
            self.found += 1
            self.differences.append(Difference(ts_ms, record.exchange, record.check, what))

    def fail(self, record: CheckRecord, why: str) -> None:
        """A check was not answered: nothing is known from it."""
        record.failed += 1
        record.failed_in_a_row += 1
        record.why = why

    def take(self, now_ms: int) -> AccountsReconciled | None:
        """What is to be journaled: the counts since the last time; None where nothing differed."""
        rows = []
        for key, record in self.records.items():
            done, failed, found = self._journaled.get(key, (0, 0, 0))
            if record.done > done or record.failed > failed:
                rows.append(
                    ChecksMade(record.exchange, record.check.value, record.done - done, record.failed - failed, record.found - found)
                )
        if not any(row.found for row in rows):
            return None
        self._journaled = {key: (one.done, one.failed, one.found) for key, one in self.records.items()}
        since_ms, self._since_ms = self._since_ms, now_ms
        return AccountsReconciled(since_ms, tuple(rows))

    def summary(self, now_ms: int) -> str:
        """In a few words."""
        silent = dict.fromkeys(record.exchange for record in self.records.values() if record.why)
        oldest = [record.last_ms for record in self.records.values() if record.check is not Check.IN_FLIGHT]
        known = [ms for ms in oldest if ms is not None]
        within = f"compared within {max(0, now_ms - min(known, default=now_ms)) / 1000:.0f} s"
        told = within if len(known) == len(oldest) else f"{len(known)} of {len(oldest)} checks made"
        told += f", {self.found} found" if self.found else ", no difference"
        told += f", {', '.join(silent)} does not answer" if silent else ""
        behind = dict.fromkeys(record.exchange for record in self.records.values() if record.is_behind)
        return told + (f", {', '.join(behind)} less often than set" if behind else "")

    @property
    def is_fine(self) -> bool:
        """Whether every check is answered, as often as it should be."""
        return not any(record.why or record.is_behind for record in self.records.values())

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "found": self.found,
            "reported": None if self.reported_ms is None else iso_ms(self.reported_ms),
            "checks": [record.facts() for record in self.records.values()],
            "differences": [
                {"ts": iso_ms(one.ts_ms), "exchange": one.exchange, "check": one.check.value, "what": one.what}
                for one in reversed(self.differences)
            ],
        }
