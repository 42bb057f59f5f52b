"""One channel's queue of alerts: what is sent next, when, and with which result."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from math import inf

from arbtui.monitoring.alert import WORDINGS, Alert, is_flood, message
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import Channel, MessageRefused, SendLater

log = logging.getLogger("arbtui")

#: Seconds to wait after each failure in a row; the last one for all that follow.
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_LONGEST_WAIT_S = 3600.0  #: of a server's retry_after: a broken one must not silence a channel for days
_TOGETHER = 10  #: CRITICALs sent in one message when more than a few wait
_FEW = 5
_MOST_OF_A_KIND = 500
#: A flood of one kind is sent when it has paused for so long, in s, or has gone on for so long; and not again before so long.
_CALM_S, _LONGEST_FLOOD_S, _FLOOD_EVERY_S = 1.0, 10.0, 30.0
_LATER_S = 60.0  #: at the end of a run nobody waits for what is held back for longer

#: Called with settled alerts: the alerts, the attempts, and why they were given up (empty when sent).
Settle = Callable[["AlertQueue", Sequence[Alert], int, str], None]


class AlertQueue:
    """Sends in order, CRITICAL first. Nothing CRITICAL is ever given up: a refused one is set aside and tried again.

    Args:
        quiet_s: for how long INFO is still held back, in s.
    """

    def __init__(
        self,
        channel: Channel,
        sender: str,
        settle: Settle,
        backoff_s: Sequence[float],
        warn_every_s: float,
        quiet_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.channel = channel
        self.waiting: dict[str, Alert] = {}  #: by id, in order
        self.idle = asyncio.Event()
        self.idle.set()
        self.trouble = ""  #: what the last try met; empty once one succeeded
        self._sender = sender
        self._settle = settle
        self._backoff_s = backoff_s
        self._warn_every_s = warn_every_s
        self._quiet_s = quiet_s
        self._wake = asyncio.Event()
        self._hurry = False
        self._failures = 0
        self._resume_at = 0.0
        self._aside: dict[str, tuple[float, int]] = {}  #: refused CRITICALs: when they are tried again, and how often they have been
        self._warned_at: dict[str, float] = {}
        self._critical: dict[str, list[Alert]] = {}  #: those that wait, by kind
        self._flooded_at: dict[str, float] = {}  #: when a flood of a kind was told last
        self._wording: dict[str, int] = {}  #: how often the server refused the message that begins with an alert
        self._alone = 0  #: CRITICALs to send one by one, since one of them was refused
        self._attempts = 0
        self._quiet_at = -inf  #: when INFO was held back last

    def add(self, alert: Alert) -> None:
        """Append ``alert``."""
        self.waiting[alert.alert_id] = alert
        if alert.urgency is Urgency.CRITICAL:
            self._critical.setdefault(alert.kind, []).append(alert)
        self.idle.clear()
        self._wake.set()

    def late(self, now: float, after_s: Callable[[Urgency], float]) -> list[float]:
        """Ages in s of the alerts that wait for longer than ``after_s`` of their urgency; what is quiet on purpose is not late."""
        if self._quiet_s() > 0.0:
            self._quiet_at = now
        ages = (
            (alert.urgency, now - (max(alert.since, self._quiet_at) if alert.urgency is Urgency.INFO else alert.since))
            for alert in self.waiting.values()
        )
        return [age for urgency, age in ages if age > after_s(urgency)]

    def hurry(self) -> None:
        """The run ends: send alerts that were held back for counting."""
        self._hurry = True
        self._wake.set()

    @property
    def is_backing_off(self) -> bool:
        """True while nothing is sent because the last message failed."""
        return self._resume_at > asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Send alerts as they come, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            ready_at = self._ready_at(loop.time())
            if ready_at > loop.time():
                if not self.waiting or (self._hurry and ready_at > loop.time() + _LATER_S):
                    self.idle.set()
                await self._wait(ready_at)
                continue
            async with self.channel.pace.turn():
                alerts = self._next(loop.time())  # a more urgent one may have come while waiting for the pace
                if alerts:
                    await self._deliver(alerts)

    async def _wait(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until if until < inf else None):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _ready_at(self, now: float) -> float:
        """When the next message may be sent: monotonic seconds, ``inf`` for never."""
        if self._resume_at > now:
            return self._resume_at
        loud_at = now + self._quiet_s()
        return min((self._time_of(alert, now, loud_at) for alert in self.waiting.values()), default=inf)

    def _time_of(self, alert: Alert, now: float, loud_at: float) -> float:
        if alert.urgency is Urgency.CRITICAL:
            return max(self._aside.get(alert.alert_id, (now, 0))[0], self._flood_over(alert.kind, now))
        if alert.urgency is Urgency.INFO:
            return loud_at
        if not self._hurry and alert.kind in self._warned_at:
            return self._warned_at[alert.kind] + self._warn_every_s
        return now

    def _flood_over(self, kind: str, now: float) -> float:
        """When CRITICALs of ``kind`` may be sent: at once, unless there are so many that they are sent as one."""
        if self._hurry:
            return now
        alerts = self._critical[kind]
        over = min(max(alerts[-1].since, alerts[-1].last_at) + _CALM_S, alerts[0].since + _LONGEST_FLOOD_S) if is_flood(alerts) else now
        return max(over, self._flooded_at.get(kind, -inf) + _FLOOD_EVERY_S)

    def _next(self, now: float) -> list[Alert]:
        loud_at = now + self._quiet_s()
        ready = [alert for alert in self.waiting.values() if self._time_of(alert, now, loud_at) <= now]
        critical = [alert for alert in ready if alert.urgency is Urgency.CRITICAL]
        if critical:
            kind = critical[0].kind
            alike = [alert for alert in critical if alert.kind == kind]
            if is_flood(alike) and not self._alone:
                return alike[:_MOST_OF_A_KIND]
            together = _TOGETHER if len(critical) > _FEW and self._alone == 0 else 1
            return critical[:together]
        first = next((alert for alert in ready if alert.urgency is Urgency.WARN), None) or next(iter(ready), None)
        if first is None:
            return []
        alike = [alert for alert in ready if alert.kind == first.kind and alert.urgency is first.urgency]
        return alike[:_MOST_OF_A_KIND]

    async def _deliver(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            alert.taken = True
        self._attempts += 1
        try:
            await self.channel.send(message(self._sender, alerts, self._wording.get(alerts[0].alert_id, 0)))
        except SendLater as error:
            self.trouble = str(error)
            self._later(error)
        except MessageRefused as error:
            self.trouble = str(error)
            self._refused(alerts, str(error))
        else:
            if self._failures:
                log.info("%s: reached again after %d failures", self.channel.name, self._failures)
            self._failures = 0
            self.trouble = ""
            self._done(alerts, "")

    def _later(self, error: SendLater) -> None:
        delay = self._delay(self._failures)
        if error.retry_after_s is not None:
            delay = max(min(error.retry_after_s, _LONGEST_WAIT_S), 0.0)
        if self._failures == 0:
            log.warning("%s: not reached (%s); %d alerts wait", self.channel.name, error, len(self.waiting))
        self._failures += 1
        self._resume_at = asyncio.get_running_loop().time() + delay

    def _refused(self, alerts: list[Alert], reason: str) -> None:
        """Use the next plainer form; when the last one is refused too, set this message aside and send the others."""
        self._failures = 0
        if alerts[0].urgency is Urgency.CRITICAL and len(alerts) > 1 and not is_flood(alerts):
            self._alone = len(alerts)
            return
        head = alerts[0]
        self._wording[head.alert_id] = self._wording.get(head.alert_id, 0) + 1
        if self._wording[head.alert_id] < WORDINGS:
            return
        del self._wording[head.alert_id]
        if head.urgency is not Urgency.CRITICAL:
            log.error("%s: refuses %s %s for good (%s)", self.channel.name, head.kind, head.alert_id, reason)
            self._done(alerts, reason)
            return
        _, times = self._aside.get(head.alert_id, (0.0, 0))
        if times == 0:
            log.error("%s: refuses CRITICAL %s (%s); it is tried again", self.channel.name, head.alert_id, reason)
        again_at = asyncio.get_running_loop().time() + self._delay(times)
        self._aside.update((alert.alert_id, (again_at, times + 1)) for alert in alerts)
        self._alone = max(0, self._alone - 1)

    def _done(self, alerts: list[Alert], given_up: str) -> None:
        if alerts[0].urgency is Urgency.WARN:
            self._warned_at[alerts[0].kind] = asyncio.get_running_loop().time()
        if alerts[0].urgency is Urgency.CRITICAL:
            self._alone = max(0, self._alone - len(alerts))
            self._left(alerts)
        for alert in alerts:
            del self.waiting[alert.alert_id]
            self._aside.pop(alert.alert_id, None)
            self._wording.pop(alert.alert_id, None)
        attempts, self._attempts = self._attempts, 0
        self._settle(self, alerts, attempts, given_up)

    def _left(self, alerts: list[Alert]) -> None:
        """CRITICALs wait no more."""
        if is_flood(alerts):
            self._flooded_at[alerts[0].kind] = asyncio.get_running_loop().time()
        gone = {alert.alert_id for alert in alerts}
        for kind in {alert.kind for alert in alerts}:
            self._critical[kind] = [alert for alert in self._critical[kind] if alert.alert_id not in gone]

    def _delay(self, failures: int) -> float:
        return self._backoff_s[min(failures, len(self._backoff_s) - 1)]
