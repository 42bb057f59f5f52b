"""Notices halts of less than everything as they come and go: journals them, tells the operator, cancels where nothing may stand."""

from collections.abc import Callable

from arbtui.engine.breaches import BreachBook
from arbtui.journal.events import ScopeHalted, ScopeRearmed
from arbtui.journal.journal import Journal
from arbtui.model.scoped_halts import FOLDER_NAME, GLOBAL, Depth, ScopedHalt, ScopedHalts
from arbtui.risk.breach import Severity


class ScopeWatch:
    """What the gate reads by itself, this tells.

    Args:
        on_change: called after any change: routes are to be looked at again.
        on_halted: called with a scope when a halt of depth HALTED comes to stand over it.
    """

    def __init__(
        self,
        halts: ScopedHalts,
        journal: Journal,
        breaches: BreachBook,
        on_change: Callable[[], None],
        on_halted: Callable[[str], None],
    ) -> None:
        self._halts = halts
        self._journal = journal
        self._breaches = breaches
        self._on_change = on_change
        self._on_halted = on_halted
        self._version = -1
        self._told: dict[str, ScopedHalt] = {}
        self._troubles: dict[str, str] = {}
        self._taken: dict[str, tuple[str, str]] = {}  # by scope: who takes it away just now, and why

    def look(self) -> None:
        """Read the folder again, and tell what has changed since the last time."""
        self._halts.read()
        if self._version == self._halts.version or self._journal.failure is not None:
            return
        self._version = self._halts.version
        standing = {halt.scope: halt for halt in self._halts.standing if not halt.is_doubt}
        for scope, halt in standing.items():
            if self._told.get(scope) != halt:
                reason = halt.why if halt.also else halt.reason
                self._journal.post(ScopeHalted(scope, halt.depth, halt.source, halt.by, reason, halt.ts_ms))
                if halt.depth is Depth.HALTED:
                    self._on_halted(scope)
        for scope in sorted(self._told.keys() - standing.keys()):
            by, reason = self._taken.pop(scope, ("unknown", "its file was taken away"))
            self._journal.post(ScopeRearmed(scope, by, reason))
        self._tell_troubles()
        self._told = standing
        self._on_change()

    def taken_by(self, scope: str, by: str, reason: str) -> None:
        """An operator takes the halt of ``scope`` away now; the next look journals it so."""
        self._taken[scope] = (by, reason)

    def _tell_troubles(self) -> None:
        for name, why in self._halts.troubles.items():
            if self._troubles.get(name) != why:
                action = f"everything is REDUCING while it stands: look at it, then arbtui rearm --scope {name}"
                self._breaches.record(Severity.CRIT, "HALT_FILE", f"{FOLDER_NAME}/{name}", why, action, every_time=True)
        for name in sorted(self._troubles.keys() - self._halts.troubles.keys()):
            by, reason = self._taken.pop(name, ("unknown", "its file was taken away"))
            self._journal.post(ScopeRearmed(f"{GLOBAL} ({name})", by, reason))
            self._breaches.acknowledge_all("HALT_FILE", f"{FOLDER_NAME}/{name}", by)
        self._troubles = dict(self._halts.troubles)
