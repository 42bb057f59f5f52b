"""Makes the steps of a start visible as they are done: on standard error before the console, in the log, and in ``start.json``."""

import asyncio
import logging
import os
import time
from typing import Any

from arbtui.failover.crash_detector import LastEnd
from arbtui.failover.start_report import StartReport, StartStep
from arbtui.model.clock import iso_ms
from arbtui.runtime.plan import Plan
from arbtui.settings.mode_file import write_start
from arbtui.settings.output import say

log = logging.getLogger("arbtui")


class StartSteps:
    """The report of one start; silent in virtual time, where nobody waits for it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._began_ms = time.time_ns() // 1_000_000
        self.report = StartReport(asyncio.get_running_loop().time, self._on_change)
        self.run_id = ""
        self.last: LastEnd | None = None  #: how the run before ended, once it is known

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "run": self.run_id or None,
            "pid": os.getpid(),
            "began": iso_ms(self._began_ms),
            "seconds": round(sum(step.seconds for step in self.report.steps), 3),
            "last_end": None if self.last is None else self.last.facts(),
            "steps": self.report.facts(),
        }

    def _on_change(self, step: StartStep) -> None:
        if self._plan.virtual:
            return
        if step.result:
            log.log(logging.INFO if step.is_fine else logging.WARNING, "%s", step.in_words())
            if not self._plan.headless:
                say(step.in_words())
        write_start(self._plan.state_folder, self.facts())
