"""What goes wrong in a simulated story: a list that the seed determines, each fault for itself, so that one can be left out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from arbtui.model.rng import Rng


class FaultKind(StrEnum):
    """The kinds of faults. A fault waits for its time, and then for the first thing of its kind that happens."""

    REQUEST_LOST = "request lost"  #: an order never arrives; the sender hears nothing
    REQUEST_LATE = "request late"  #: an order arrives seconds late; the sender has given up waiting
    ANSWER_LOST = "answer lost"  #: an order is executed; the sender hears nothing
    UNHEARD = "answer and report lost"  #: likewise, and the account's stream leaves it out, too
    ANSWER_LATE = "answer late"  #: an order is executed; the answer comes seconds late
    REFUSED = "order refused"  #: a venue refuses an order for good
    PARTIAL = "partial fill"  #: a venue has only a part of what its book showed
    REPORT_LOST = "report lost"  #: the account's stream leaves a report out
    REPORT_TWICE = "report twice"  #: the account's stream tells a report twice
    REPORT_LATE = "report late"  #: a report comes seconds late, after those behind it
    ALERT_LOST = "alert lost"  #: a message to the operator never arrives; the sender hears nothing
    ALERT_UNHEARD = "alert unheard"  #: it arrives; the sender hears nothing
    STREAM_CUT = "stream cut"  #: the account's stream is disconnected for seconds; what happens meanwhile is not told
    QUERY_FAILED = "query failed"  #: a venue answers a query with an error
    NOT_FOUND = "not found"  #: for seconds, a venue does not find orders that it has
    OUTAGE = "outage"  #: a venue answers nothing for seconds; what arrives there is lost, and so are its answers
    MARKET_TROUBLES = "market troubles"  #: from the start: gaps, halts, frozen and late streams, price spikes (scenario ``crash``)
    CRASH = "crash"  #: the engine's process is gone, at an instant
    CRASH_TURN = "crash at a turn"  #: likewise, some turns of its loop later: at any of its awaits
    CRASH_BEFORE_COMMIT = "crash before a commit"  #: likewise, before a transaction of the journal
    CRASH_AFTER_COMMIT = "crash after a commit"  #: likewise, after one, before anything follows from it
    CRASH_BEFORE_SEND = "crash before a send"  #: likewise, before an order's bytes leave
    CRASH_AFTER_SEND = "crash after a send"  #: likewise, when they have left
    CRASH_BEFORE_TIP = "crash before the tip"  #: likewise, between a transaction of the journal and the tip that tells of it
    CRASH_AFTER_TIP = "crash after the tip"  #: likewise, when the tip is written
    CRASH_AT_EXECUTION = "crash at an execution"  #: likewise, when a venue has executed an order, before anybody hears of it
    STOP = "stop"  #: the engine is told to end, and is started again
    KILL = "kill"  #: a person kills from the console
    KILL_OUTSIDE = "kill from outside"  #: another process writes the kill flag
    CRASH_BEFORE_FLAG = "crash before the flag"  #: a person kills, and the process is gone before the flag is written
    CRASH_AFTER_FLAG = "crash after the flag"  #: likewise, after it is written, before the journal is told

    @property
    def is_crash(self) -> bool:
        """True for what ends the engine's process at once."""
        return self.value.startswith("crash")


ORDERS = (
    FaultKind.REQUEST_LOST,
    FaultKind.REQUEST_LATE,
    FaultKind.ANSWER_LOST,
    FaultKind.UNHEARD,
    FaultKind.ANSWER_LATE,
    FaultKind.REFUSED,
    FaultKind.PARTIAL,
)
REPORTS = (FaultKind.REPORT_LOST, FaultKind.REPORT_TWICE, FaultKind.REPORT_LATE)
VENUES = (FaultKind.STREAM_CUT, FaultKind.NOT_FOUND, FaultKind.OUTAGE)
ALERTS = (FaultKind.ALERT_LOST, FaultKind.ALERT_UNHEARD)
COMMITS = (FaultKind.CRASH_BEFORE_COMMIT, FaultKind.CRASH_AFTER_COMMIT)
SENDS = (FaultKind.CRASH_BEFORE_SEND, FaultKind.CRASH_AFTER_SEND)
TIPS = (FaultKind.CRASH_BEFORE_TIP, FaultKind.CRASH_AFTER_TIP)
EXECUTIONS = (FaultKind.CRASH_AT_EXECUTION,)
FLAGS = (FaultKind.CRASH_BEFORE_FLAG, FaultKind.CRASH_AFTER_FLAG)
CRASHES = tuple(kind for kind in FaultKind if kind.is_crash)

#: How often each kind is drawn, beside the others. A venue's fault is more use where an order meets it, a crash where one is under way.
_WEIGHTS = {
    **dict.fromkeys(ORDERS, 6),
    **dict.fromkeys(REPORTS, 4),
    **dict.fromkeys(ALERTS, 1),
    **dict.fromkeys(VENUES, 3),
    FaultKind.QUERY_FAILED: 4,
    FaultKind.CRASH: 1,
    FaultKind.CRASH_TURN: 3,
    **dict.fromkeys(COMMITS, 3),
    **dict.fromkeys(SENDS, 2),
    **dict.fromkeys(TIPS, 1),
    **dict.fromkeys(EXECUTIONS, 2),
    FaultKind.STOP: 1,
    FaultKind.KILL: 1,
    FaultKind.KILL_OUTSIDE: 1,
    **dict.fromkeys(FLAGS, 1),
}
#: By then every book has come and routes trade, in seconds; the last seconds of a story are left to what it began.
_FIRST_S, _LAST_S = 6.0, 10.0
#: So many faults are drawn for a minute; of those that end the process or stop its trading, no more than so many.
_A_MINUTE, _ENDINGS_A_MINUTE = 12.0, 2.0
_ENDINGS = (*CRASHES, FaultKind.STOP, FaultKind.KILL, FaultKind.KILL_OUTSIDE)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``at_s``: virtual seconds of the story from which on it waits for its occasion; ``seconds``: how long, or how late.

    ``turn``: of what it waits for, the how manieth it takes. ``down_s``: of a crash or a stop, how long until the next start.
    """

    number: int
    kind: FaultKind
    at_s: float
    venue: str
    seconds: float
    turn: int
    down_s: float

    def words(self) -> str:
        """For a report."""
        place = f" at {self.venue}" if self.kind in (*ORDERS, *REPORTS, *VENUES, FaultKind.QUERY_FAILED) else ""
        return f"{self.number} {self.kind}{place}"


def draw(seed: int, length_s: float, venues: Sequence[str], kinds: Collection[FaultKind]) -> list[Fault]:
    """The faults of the story ``seed``, by time. Each is drawn from a stream of its own: leaving one out changes no other.

    ``kinds``: which may happen.
    """
    found: list[Fault] = []
    span = length_s - _FIRST_S - _LAST_S
    if span <= 0.0:
        return found
    usable = [kind for kind in _WEIGHTS if kind in kinds]
    wanted = max(1, round(_A_MINUTE * length_s / 60.0)) if usable else 0
    endings = max(1, round(_ENDINGS_A_MINUTE * length_s / 60.0))
    for number in range(1, wanted + 1):
        stream = Rng(seed).stream(f"fault {number}")
        (kind,) = stream.choices(usable, [_WEIGHTS[kind] for kind in usable])
        at_s, venue = _FIRST_S + span * stream.random(), stream.choice(list(venues))
        fault = Fault(number, kind, at_s, venue, stream.uniform(1.1, 4.0), stream.randint(1, 12), 10.0 ** stream.uniform(-1.0, 1.3))
        if kind in _ENDINGS:
            endings -= 1
            if endings < 0:
                continue
        found.append(fault)
    if FaultKind.MARKET_TROUBLES in kinds and Rng(seed).stream("market troubles").random() < 0.4:
        found.append(Fault(0, FaultKind.MARKET_TROUBLES, 0.0, "", 0.0, 1, 0.0))
    return sorted(found, key=lambda fault: (fault.at_s, fault.number))
