"""Which events become alerts, how urgent they are, and their text."""

from dataclasses import dataclass
from enum import StrEnum

from arbtui.journal.events import (
    BreachRecorded,
    Event,
    Killed,
    Rearmed,
    RunEnded,
    RunStarted,
    ScopeHalted,
    ScopeRearmed,
    StateChanged,
    TransferBegun,
)
from arbtui.model.money import plain


class Urgency(StrEnum):
    """The urgency of an alert, most urgent first."""

    CRITICAL = "CRITICAL"  #: sent one by one, in order, and never given up
    WARN = "WARN"  #: those of one kind are sent as one, with their number
    INFO = "INFO"


#: Kinds that go out by every channel at once: somebody who reads one of the channels may be whom they warn of, or no process is left
#: that could escalate them.
EVERYWHERE = frozenset({"TELEGRAM_CONFLICT", "ENGINE_DOWN"})

#: An alert that nobody has taken for so long is told of at the desk, in s; a WARN may be held back for a minute to be counted.
OVERDUE_S = 60.0
OVERDUE_WARN_S = 120.0


def overdue_after_s(urgency: Urgency) -> float:
    """How long an alert may wait before the desk itself is told."""
    return OVERDUE_WARN_S if urgency is Urgency.WARN else OVERDUE_S


@dataclass(frozen=True, slots=True)
class Wording:
    """An alert's urgency, kind and text."""

    urgency: Urgency
    kind: str
    text: str


def wording_of(event: Event) -> Wording | None:
    """The alert for ``event``; None for events of normal operation."""
    match event:
        case Killed():
            return Wording(Urgency.CRITICAL, "KILL", f"killed by {event.source}{_reason(event.reason)}; epoch {event.epoch}")
        case BreachRecorded(kind="KILL"):
            return None  # sent with its Killed
        case BreachRecorded():
            urgency = Urgency.CRITICAL if event.severity == "CRIT" else Urgency.WARN
            return Wording(urgency, event.kind, f"{event.scope}: {event.detail} ({event.action})")
        case StateChanged(state="HALTED_DIRTY"):
            return Wording(Urgency.CRITICAL, "HALTED_DIRTY", f"something may be left at a venue: {event.why}")
        case StateChanged(state="HALTED"):
            return Wording(Urgency.INFO, "HALTED", event.why or "everything settled")
        case Rearmed():
            return Wording(Urgency.INFO, "REARMED", f"the gate is open again, by {event.by}{_reason(event.reason)}")
        case ScopeHalted():
            return Wording(Urgency.WARN, "SCOPE_HALTED", f"{event.scope} {event.depth} by {event.by}{_reason(event.reason)}")
        case ScopeRearmed():
            return Wording(Urgency.INFO, "SCOPE_REARMED", f"{event.scope} is free again, by {event.by}{_reason(event.reason)}")
        case TransferBegun(cycle_id=cycle_id) if cycle_id:
            way = f"{plain(event.qty)} {event.asset} from {event.from_exchange} to {event.to_exchange} by {event.network}"
            text = f"{event.transfer_id}: move {way} at the venue now; cycle {cycle_id} sells it on arrival, usually {event.minutes:g} min"
            return Wording(Urgency.WARN, "TRANSFER_WANTED", text)
        case RunStarted():
            return Wording(Urgency.INFO, "STARTED", f"run {event.run_id} of {event.profile} in {event.mode}, version {event.version}")
        case RunEnded():
            return Wording(Urgency.INFO, "STOPPED", f"run {event.run_id}: {event.stop_reason}, exit code {event.exit_code}")
    return None


def _reason(reason: str) -> str:
    return f": {reason}" if reason else ""
