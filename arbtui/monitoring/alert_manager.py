"""The alert manager: from events to an outbox in the journal, and from there to every channel, at least once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, tzinfo

from arbtui.journal.events import (
    AlertAcknowledged,
    AlertGivenUp,
    AlertQueued,
    AlertSent,
    BreachAcknowledged,
    BreachRecorded,
    Event,
    Killed,
    Rearmed,
    Recorded,
)
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import SECOND_CALL, SECOND_WAY, AlertRow, Outbox
from arbtui.model.clock import Clock
from arbtui.monitoring.alert import FLOOD, Alert
from arbtui.monitoring.alert_queue import BACKOFF_S, AlertQueue
from arbtui.monitoring.alert_rules import EVERYWHERE, Urgency, overdue_after_s, wording_of
from arbtui.monitoring.channel import Channel
from arbtui.monitoring.config import AlertsConfig
from arbtui.monitoring.escalation import OLDEST_MS, Escalation
from arbtui.monitoring.quiet_hours import DeskHours, QuietHours, hours_of
from arbtui.monitoring.unacknowledged import OpenAlert, Unacknowledged

log = logging.getLogger("arbtui")

#: Acknowledges a breach: its id and who has seen it; why not, or None. :meth:`arbtui.engine.operator.Operator.acknowledge`.
AcknowledgeBreach = Callable[[str, str], str | None]

_LOOK_S = 1.0  #: between two looks at what nobody has acknowledged
_DIRTY = "HALTED_DIRTY"  #: kind of what no breach stands for: a re-arm ends it
_UNANSWERED = "UNANSWERED"  #: kind of what is told by the second way
_AGAIN_S = 5.0  #: between an unexpected error and another try


class AlertManager:
    """Queues alerts in the transaction of their events, sends them, and marks them sent.

    A crash between sending and marking sends again. When the journal fails, alerts still go out: they are kept in memory
    from the moment they are queued.

    Args:
        channels: the first way to the operator: all alerts.
        sender: names profile and mode in every message.
        outbox: what earlier runs have left.
        second: the second way: CRITICAL alerts that nobody acknowledges, or that the first way does not take.
        zone: of the desk, for the quiet hours.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        channels: Sequence[Channel],
        sender: str,
        outbox: Outbox,
        config: AlertsConfig,
        *,
        second: Sequence[Channel] = (),
        zone: tzinfo = UTC,
        backoff_s: Sequence[float] = BACKOFF_S,
    ) -> None:
        self._journal = journal
        self._clock = clock
        quiet_s = self._quiet_hours(config, zone)

        def lane(channel: Channel) -> AlertQueue:
            return AlertQueue(channel, sender, self._settled, backoff_s, config.cool_down_s, quiet_s)

        self._first, self._second = [lane(channel) for channel in channels], [lane(channel) for channel in second]
        if not self._first:
            self._first, self._second = self._second, []
        self._lanes = [*self._first, *self._second]
        self._escalation = Escalation(config.escalate_after_s, config.undelivered_after_s)
        self._unsettled: dict[str, int] = {}  #: number of channels that an alert still waits for, by its id
        self._critical: dict[str, int] = {}  #: of those, how many CRITICALs of each kind
        self._newest: dict[tuple[Urgency, str], Alert] = {}  #: the one of each kind that the next one may be added to
        self._unacknowledged = Unacknowledged()
        self._kill: Alert | None = None  #: the newest one of a kill, whose breach follows
        self._direct = 0
        self.acknowledge_breach: AcknowledgeBreach | None = None  #: set once the engine is up
        self._take_up(outbox)

    def _take_up(self, outbox: Outbox) -> None:
        """Queue what earlier runs could not send, and remember what nobody has acknowledged."""
        for row in outbox.alerts:
            alert = _alert_from(row)
            self._queue(alert, [lane for lane in self._lanes_of(alert) if lane.channel.name not in row.settled])
            if row.is_seen:
                self._unacknowledged.close(row.alert_id)
        settled = [row for row in outbox.alerts if self._unsettled[row.alert_id] == 0]
        if settled:  # the only channel that they waited for no longer exists
            self._journal.post(AlertSent((), "", 0, tuple(row.alert_id for row in settled)))
            for row in settled:
                self._close(row.alert_id, Urgency(row.severity), row.kind)
        oldest_ms = self._clock.time_ms() - OLDEST_MS
        for row in outbox.unseen:
            alert = _alert_from(row)
            alert.since, alert.is_delivered = self._clock.monotonic(), alert.alert_id not in self._unsettled
            if alert.is_delivered:  # a restart is no reason to give a person more time
                alert.since -= max(0, self._clock.time_ms() - row.ts_ms) / 1000
            for breach_id in row.breaches:
                waits = self._unacknowledged.tell(alert, breach_id)
                if waits is not None:
                    waits.is_escalated = row.is_escalated or row.ts_ms <= oldest_ms

    def _quiet_hours(self, config: AlertsConfig, zone: tzinfo) -> Callable[[], float]:
        """For how long it is still quiet, in s."""
        if not config.quiet_hours:
            return lambda: 0.0
        quiet = QuietHours(DeskHours(zone), *hours_of(config.quiet_hours))
        return lambda: quiet.left_s(self._clock.time_ms())

    def _lanes_of(self, alert: Alert) -> Sequence[AlertQueue]:
        """Which channels tell ``alert``."""
        if alert.kind in EVERYWHERE or not alert.journaled:
            return self._lanes
        return self._second if alert.alert_id.endswith(SECOND_CALL) else self._first

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
        alert = Alert(alert_id, self._clock.time_ms(), urgency, kind, text, journaled=journaled)
        self._queue(alert, self._lanes_of(alert))

    def acknowledge(self, number: str, who: str) -> str | None:
        """A person has seen an alert, with every breach that it reports, or one breach; why not, or None.

        Args:
            number: of the alert as its message shows it (``r3-1207``), or of a breach (``r3-b4``).
            who: as the journal is to name the person, such as ``telegram user 42``.
        """
        if self.acknowledge_breach is None:
            return "the engine is not up yet: acknowledge it in a moment"
        number = number.removesuffix(SECOND_CALL)
        waits = self._unacknowledged.find(number)
        if waits is None or number != waits.alert.alert_id:
            return self.acknowledge_breach(number, who)
        if not waits.breaches:
            self._unacknowledged.close(number)
            self._journal.post(AlertAcknowledged(number, who))
            return None
        refusals = [refusal for breach_id in list(waits.breaches) if (refusal := self.acknowledge_breach(breach_id, who)) is not None]
        if refusals:  # what is refused keeps the alert open
            return refusals[-1]
        self._unacknowledged.close(number)
        return None

    def silence(self, number: str, who: str) -> bool:
        """A person has seen an alert, or the one that reports a breach, whose breach stays open: nobody else is called for it.

        False where no alert of that ``number`` waits for a person.
        """
        waits = self._unacknowledged.find(number.removesuffix(SECOND_CALL))
        if waits is None:
            return False
        self._unacknowledged.close(waits.alert.alert_id)
        self._journal.post(AlertAcknowledged(waits.alert.alert_id, who))
        return True

    @property
    def unacknowledged(self) -> list[OpenAlert]:
        """The alerts that wait for a person, oldest first."""
        return list(self._unacknowledged.all)

    async def run(self) -> None:
        """Send until cancelled; an error in one channel is logged, and sending continues."""
        escalating = [supervised("escalation", self._escalate)] if self._second else []
        await asyncio.gather(*(supervised(lane.channel.name, lane.run) for lane in self._lanes), *escalating)

    async def _escalate(self) -> None:
        """Tell by the second way what the first has not brought to anybody."""
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._clock.monotonic()
            due = self._escalation.take(self._unacknowledged.all, now)
            if not due:
                continue
            alert_id, text = f"{due[0].alert_id}{SECOND_CALL}", self._escalation.wording(due, now)
            journaled = self._journal.failure is None
            if journaled:
                told = tuple(alert.alert_id for alert in due if alert.journaled)
                self._journal.post(AlertQueued(alert_id, Urgency.CRITICAL, _UNANSWERED, text), AlertSent(told, SECOND_WAY, 0, ()))
            self._queue(Alert(alert_id, self._clock.time_ms(), Urgency.CRITICAL, _UNANSWERED, text, journaled=journaled), self._second)

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
            late = lane.late(now, overdue_after_s)
            if late:
                found[lane.channel.name] = (len(late), max(late), lane.trouble)
        return found

    def _alert_of(self, recorded: Recorded) -> AlertQueued | None:
        event = recorded.event
        if isinstance(event, BreachAcknowledged):
            self._unacknowledged.breach_acknowledged(event.breach_id)
            return None
        if isinstance(event, Rearmed):  # somebody has looked
            for waits in [waits for waits in self._unacknowledged.all if waits.alert.kind == _DIRTY]:
                self._unacknowledged.close(waits.alert.alert_id)
        breach_id = event.breach_id if isinstance(event, BreachRecorded) else ""
        wording = wording_of(event)
        if wording is None:
            if breach_id and self._kill is not None:
                self._unacknowledged.tell(self._kill, breach_id)
            return None
        before = self._addable(wording.urgency, wording.kind)
        if before is not None:
            before.more += 1
            before.last = wording.text
            before.last_at = self._clock.monotonic()
            self._unacknowledged.tell(before, breach_id)
            return None
        alert_id = f"{recorded.run_id}-{recorded.seq}"
        alert = Alert(alert_id, recorded.ts_ms, wording.urgency, wording.kind, wording.text)
        self._queue(alert, self._lanes_of(alert), breach_id)
        if isinstance(event, Killed):
            self._kill = alert
        return AlertQueued(alert_id, wording.urgency, wording.kind, wording.text)

    def _addable(self, urgency: Urgency, kind: str) -> Alert | None:
        """The alert that waits and one more of its kind is added to: any WARN, a CRITICAL where there is a flood of them."""
        if urgency is Urgency.INFO or (urgency is Urgency.CRITICAL and self._critical.get(kind, 0) < FLOOD):
            return None
        before = self._newest.get((urgency, kind))
        return None if before is None or before.taken else before

    def _queue(self, alert: Alert, lanes: Sequence[AlertQueue], breach_id: str = "") -> None:
        alert.since = alert.last_at = self._clock.monotonic()
        if not alert.alert_id.endswith(SECOND_CALL) and (breach_id or alert.kind not in EVERYWHERE):
            self._unacknowledged.tell(alert, breach_id)
        if alert.urgency is not Urgency.INFO and len(lanes) == len(self._lanes_of(alert)):
            self._newest[alert.urgency, alert.kind] = alert
        self._unsettled[alert.alert_id] = len(lanes)
        if alert.urgency is Urgency.CRITICAL:
            self._critical[alert.kind] = self._critical.get(alert.kind, 0) + 1
        for lane in lanes:
            lane.add(alert)

    def _settled(self, lane: AlertQueue, alerts: Sequence[Alert], attempts: int, given_up: str) -> None:
        closed: list[str] = []
        for alert in alerts:
            alert.is_delivered = alert.is_delivered or not given_up
            self._unsettled[alert.alert_id] -= 1
            if self._unsettled[alert.alert_id] == 0:
                self._close(alert.alert_id, alert.urgency, alert.kind)
                if alert.journaled:
                    closed.append(alert.alert_id)
        ids, name = tuple(alert.alert_id for alert in alerts if alert.journaled), lane.channel.name
        if ids and self._journal.failure is None:
            event: Event = AlertSent(ids, name, attempts, tuple(closed))
            if given_up:
                event = AlertGivenUp(ids, name, attempts, given_up, tuple(closed))
            self._journal.post(event)

    def _close(self, alert_id: str, urgency: Urgency, kind: str) -> None:
        """No channel waits for it any more."""
        del self._unsettled[alert_id]
        if urgency is Urgency.CRITICAL:
            self._critical[kind] -= 1


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
