"""The alert manager: from events to an outbox in the journal, and from there to every channel, at least once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from arbtui.journal.events import (
    AlertAcknowledged,
    AlertGivenUp,
    AlertQueued,
    AlertSent,
    BreachAcknowledged,
    BreachRecorded,
    Event,
    Killed,
    Recorded,
)
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import AlertRow
from arbtui.model.clock import Clock
from arbtui.monitoring.alert import Alert
from arbtui.monitoring.alert_queue import BACKOFF_S, WARN_EVERY_S, AlertQueue
from arbtui.monitoring.alert_rules import Urgency, overdue_after_s, wording_of
from arbtui.monitoring.channel import Channel
from arbtui.monitoring.unacknowledged import OpenAlert, Unacknowledged

log = logging.getLogger("arbtui")

#: Acknowledges a breach: its id and who has seen it; why not, or None. :meth:`arbtui.engine.operator.Operator.acknowledge`.
AcknowledgeBreach = Callable[[str, str], str | None]

_AGAIN_S = 5.0  #: between an unexpected error and another try


class AlertManager:
    """Queues alerts in the transaction of their events, sends them, and marks them sent.

    A crash between sending and marking sends again. When the journal fails, alerts still go out: they are kept in memory
    from the moment they are queued.

    Args:
        sender: names profile and mode in every message.
        left: alerts that an earlier run could not send.
        unseen: alerts of earlier runs whose breaches no person has acknowledged.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        channels: Sequence[Channel],
        sender: str,
        left: Sequence[AlertRow] = (),
        unseen: Sequence[AlertRow] = (),
        *,
        backoff_s: Sequence[float] = BACKOFF_S,
        warn_every_s: float = WARN_EVERY_S,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._lanes = [AlertQueue(channel, sender, self._settled, backoff_s, warn_every_s) for channel in channels]
        self._unsettled: dict[str, int] = {}  #: number of channels that an alert still waits for, by its id
        self._newest: dict[str, Alert] = {}  #: the WARN of each kind that the next one may be added to
        self._unacknowledged = Unacknowledged()
        self._kill: Alert | None = None  #: the newest one of a kill, whose breach follows
        self._direct = 0
        self.acknowledge_breach: AcknowledgeBreach = lambda breach_id, by: "the engine is not up yet: acknowledge it in a moment"
        for row in left:
            lanes = [lane for lane in self._lanes if lane.channel.name not in row.settled]
            self._queue(_alert_from(row), lanes)
            if row.is_seen:
                self._unacknowledged.close(row.alert_id)
        for row in unseen:
            for breach_id in row.breaches:
                self._unacknowledged.tell(_alert_from(row), breach_id)
        settled = tuple(alert_id for alert_id, lanes_left in self._unsettled.items() if lanes_left == 0)
        if settled:  # the only channel that they waited for no longer exists
            journal.post(AlertSent((), "", 0, settled))
            for alert_id in settled:
                del self._unsettled[alert_id]

    def alert_of(self, recorded: Recorded) -> AlertQueued | None:
        """What to journal with an event; for :attr:`Journal.alert_of`. A WARN of a kind that already waits is added to that one."""
        try:
            return self._alert_of(recorded)
        except Exception:  # a failure here must not keep the event out of the journal, nor stop trading
            log.exception("no alert could be made of event %d", recorded.seq)
            return None

    def on_dropped(self, event: Event) -> None:
        """Send directly what would have been journaled with ``event``; for :attr:`Journal.on_dropped`."""
        try:
            wording = wording_of(event)
            if wording is not None:
                self.queue(wording.urgency, wording.kind, wording.text)
        except Exception:  # as in alert_of
            log.exception("no alert could be made of %s", type(event).__name__)

    def queue(self, urgency: Urgency, kind: str, text: str) -> None:
        """Queue an alert without an event: through the outbox, or directly when the journal has failed."""
        journaled = self._journal.failure is None
        if journaled:
            alert_id = f"{self._journal.run_id}-{self._journal.seq + 1}"
            self._journal.post(AlertQueued(alert_id, urgency, kind, text))
        else:
            self._direct += 1
            alert_id = f"direct-{self._direct}"
        self._queue(Alert(alert_id, self._clock.time_ms(), urgency, kind, text, journaled=journaled), self._lanes)

    def acknowledge(self, number: str, who: str) -> str | None:
        """A person has seen an alert, with every breach that it tells of, or one breach; why not, or None.

        Args:
            number: of the alert as its message shows it (``r3-1207``), or of a breach (``r3-b4``).
            who: as the journal is to name the person, such as ``telegram user 42``.
        """
        waits = self._unacknowledged.find(number)
        if waits is None or number != waits.alert.alert_id:
            return self.acknowledge_breach(number, who)
        for breach_id in list(waits.breaches):
            if (refusal := self.acknowledge_breach(breach_id, who)) is not None:
                return refusal
        if self._unacknowledged.find(number) is not None:  # it tells of no breach
            self._unacknowledged.close(number)
            self._journal.post(AlertAcknowledged(number, who))
        return None

    @property
    def unacknowledged(self) -> list[OpenAlert]:
        """The alerts that wait for a person, oldest first."""
        return list(self._unacknowledged.all)

    async def run(self) -> None:
        """Send until cancelled; an error in one channel is logged, and sending continues."""
        await asyncio.gather(*(supervised(lane.channel.name, lane.run) for lane in self._lanes))

    async def flush(self, within_s: float) -> None:
        """Send what waits, for at most ``within_s`` seconds, and not to a channel that cannot be reached."""
        for lane in self._lanes:
            lane.hurry()
        reachable = [asyncio.create_task(lane.idle.wait()) for lane in self._lanes if not lane.is_backing_off]
        if reachable:
            await asyncio.wait(reachable, timeout=within_s)
            for task in reachable:
                task.cancel()

    @property
    def waiting(self) -> int:
        """How many alerts have not been sent to every channel yet."""
        return len(self._unsettled)

    def overdue(self) -> dict[str, tuple[int, float, str]]:
        """By channel: how many alerts it should have taken a while ago, the age of the oldest in s, and what the last try met."""
        now = self._clock.monotonic()
        found = {}
        for lane in self._lanes:
            late = [now - alert.since for alert in lane.waiting.values() if now - alert.since > overdue_after_s(alert.urgency)]
            if late:
                found[lane.channel.name] = (len(late), max(late), lane.trouble)
        return found

    def _alert_of(self, recorded: Recorded) -> AlertQueued | None:
        event = recorded.event
        if isinstance(event, BreachAcknowledged):
            self._unacknowledged.breach_acknowledged(event.breach_id)
            return None
        breach_id = event.breach_id if isinstance(event, BreachRecorded) else ""
        wording = wording_of(event)
        if wording is None:
            if breach_id and self._kill is not None:
                self._unacknowledged.tell(self._kill, breach_id)
            return None
        before = self._newest.get(wording.kind) if wording.urgency is Urgency.WARN else None
        if before is not None and not before.taken:
            before.more += 1
            before.last = wording.text
            self._unacknowledged.tell(before, breach_id)
            return None
        alert_id = f"{recorded.run_id}-{recorded.seq}"
        alert = Alert(alert_id, recorded.ts_ms, wording.urgency, wording.kind, wording.text)
        self._queue(alert, self._lanes, breach_id)
        if isinstance(event, Killed):
            self._kill = alert
        return AlertQueued(alert_id, wording.urgency, wording.kind, wording.text)

    def _queue(self, alert: Alert, lanes: Sequence[AlertQueue], breach_id: str = "") -> None:
        alert.since = self._clock.monotonic()
        self._unacknowledged.tell(alert, breach_id)
        if alert.urgency is Urgency.WARN and len(lanes) == len(self._lanes):
            self._newest[alert.kind] = alert
        self._unsettled[alert.alert_id] = len(lanes)
        for lane in lanes:
            lane.add(alert)

    def _settled(self, lane: AlertQueue, alerts: Sequence[Alert], attempts: int, given_up: str) -> None:
        closed: list[str] = []
        for alert in alerts:
            self._unsettled[alert.alert_id] -= 1
            if self._unsettled[alert.alert_id] == 0:
                del self._unsettled[alert.alert_id]
                if alert.journaled:
                    closed.append(alert.alert_id)
        ids, name = tuple(alert.alert_id for alert in alerts if alert.journaled), lane.channel.name
        if ids and self._journal.failure is None:
            event: Event = AlertSent(ids, name, attempts, tuple(closed))
            if given_up:
                event = AlertGivenUp(ids, name, attempts, given_up, tuple(closed))
            self._journal.post(event)


def _alert_from(row: AlertRow) -> Alert:
    return Alert(row.alert_id, row.ts_ms, Urgency(row.severity), row.kind, row.text)


async def supervised(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` to its end; after an error it is logged and restarted, so no error reaches the caller."""
    while True:
        try:
            return await work()
        except Exception as error:  # a failure to reach the operator must never stop trading; the log has it
            log.exception("%s stopped (%s); again in %g s", name, type(error).__name__, _AGAIN_S)
            await asyncio.sleep(_AGAIN_S)
