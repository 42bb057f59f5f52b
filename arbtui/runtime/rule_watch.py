"""Looks at the alert rules of a run, off the hot path: a look is a scrape that nobody has to put into words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from prometheus_client.core import Metric

from arbtui.engine.breaches import BreachBook
from arbtui.model.turns import Turns
from arbtui.monitoring.config import AlertsConfig
from arbtui.monitoring.metric_rules import MetricRules, Series
from arbtui.monitoring.rule_config import RuleConfig
from arbtui.risk.breach import Severity

log = logging.getLogger("arbtui")

_KIND = "RULE_"
#: Gives every family of metrics, as of so many seconds ago at most, and when that was, in monotonic s.
Recent = Callable[[float], Awaitable[tuple[Iterable[Metric], float]]]
#: Tells of an INFO: its kind and text.
Inform = Callable[[str, str], None]


class RuleWatch:
    """The rules of one run. One that holds is a breach, which acknowledges itself once it is over; INFO is an alert alone.

    Args:
        inform: how INFO is told; None where nobody is reached, so that the log has it alone.
    """

    def __init__(self, config: AlertsConfig, recent: Recent, breaches: BreachBook, inform: Inform | None) -> None:
        self._every_s = config.every_s
        self._recent = recent
        self._breaches = breaches
        self._inform = inform
        self._rules = MetricRules(config.rules, self._tell, self._over)
        for breach in [breach for breach in breaches.breaches.values() if breach.kind.startswith(_KIND)]:
            breaches.acknowledge(breach.id, "recovered")  # of an earlier run; what still holds is a breach of this one

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except Exception:  # a figure that cannot be read must not end a run
                log.exception("the alert rules could not be looked at")

    async def look(self) -> None:
        """Read the metrics, where nobody else has just done so, and judge every rule."""
        turns = Turns()
        found: Mapping[str, Sequence[Series]] = {}
        families, at = await self._recent(self._every_s)
        for so_far in self._rules.collect(families):
            found = so_far
            await turns.pause()
        self._rules.look(found, at)

    def _tell(self, name: str, rule: RuleConfig, scope: str, detail: str) -> str:
        kind = f"{_KIND}{name.upper()}"
        where = scope or "global"
        if rule.severity == "INFO":
            log.info("%s %s: %s (%s)", kind, where, detail, rule.action)
            if self._inform is not None:
                self._inform(kind, f"{where}: {detail} ({rule.action})")
            return ""
        breach = self._breaches.record(Severity(rule.severity), kind, where, detail, rule.action)
        return "" if breach is None else breach.id

    def _over(self, breach_id: str) -> None:
        if breach_id:
            self._breaches.acknowledge(breach_id, "recovered")
