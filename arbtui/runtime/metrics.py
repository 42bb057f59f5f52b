"""The metrics of one run: what the runtime knows, put beside what the engine knows, and served while it goes on."""

import asyncio
import logging
from collections.abc import Iterable

from prometheus_client.core import Metric

from arbtui import __version__
from arbtui.monitoring.metrics import families
from arbtui.monitoring.metrics_server import MetricsServer
from arbtui.runtime.operator_notifications import OperatorNotifications
from arbtui.runtime.summary import Run
from arbtui.settings.drill import read_drill
from arbtui.settings.output import say
from arbtui.views.live import EngineViews
from arbtui.views.measures import DrillMeasures, Measures, MeasuresReader, OutboxMeasures, RunMeasures

log = logging.getLogger("arbtui")


class RunMetrics:
    """Serves the metrics of ``run`` at ``[metrics]``. A fault of theirs is told and ends nothing.

    Args:
        notifications: how the operator is reached; None where nobody is.
    """

    def __init__(self, run: Run, views: EngineViews, notifications: OperatorNotifications | None) -> None:
        self._run = run
        self._notifications = notifications
        self._clock = run.engine.components.clock
        self._started_ms = self._clock.time_ms()
        self._reader = MeasuresReader(run.engine, views, __version__, self._measures)
        self._known: tuple[Measures, float] | None = None  #: what was read last, and when, in monotonic s

    async def serve(self, *, headless: bool) -> None:
        """Until cancelled; where the port is taken, nothing but a warning."""
        server = MetricsServer(self._run.settings.metrics, self.read)
        try:
            refusal = await server.open()
            if refusal:
                log.warning("%s", refusal)
                if headless:
                    say(f"warning: {refusal}")
                return
            log.info("metrics are at %s", server.url)
            await asyncio.get_running_loop().create_future()
        except Exception:  # nothing about metrics may end a run that trades
            log.exception("metrics are not served any more")
        finally:
            await server.close()

    async def read(self) -> Iterable[Metric]:
        """Every family as of now, each made when it is asked for."""
        return families((await self._look())[0])

    async def recent(self, within_s: float) -> tuple[Iterable[Metric], float]:
        """The same as of ``within_s`` ago at most, and when that was, in monotonic s: what Prometheus has just read is not read again."""
        known = self._known
        if known is None or self._clock.monotonic() - known[1] >= within_s:
            known = await self._look()
        return families(known[0]), known[1]

    async def _look(self) -> tuple[Measures, float]:
        self._known = (await self._reader.read(), self._clock.monotonic())
        return self._known

    def _measures(self) -> RunMeasures:
        run = self._run
        seen = run.update_metrics
        return RunMeasures(
            self._started_ms,
            seen.updates,
            seen.decision,
            seen.staleness,
            run.lag.lags,
            outbox=self._outbox(),
            drill=self._drill(),
        )

    def _outbox(self) -> OutboxMeasures:
        if self._notifications is None:
            return OutboxMeasures()
        late = list(self._notifications.overdue.values())
        oldest_s = max((age_s for _, age_s, _ in late), default=0.0)
        return OutboxMeasures(self._notifications.channels, self._notifications.waiting, sum(count for count, _, _ in late), oldest_s)

    def _drill(self) -> DrillMeasures:
        drill = read_drill(self._run.engine.components.halt.folder, self._clock.time_ms())
        return DrillMeasures() if drill is None else DrillMeasures(int(drill["ts_ms"]), float(drill["gate_ms"]))
