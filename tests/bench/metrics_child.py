"""A session whose scrapes, and looks at alert rules, are timed piece by piece: ``python -m tests.bench.metrics_child FILE ARGUMENTS...``.

Every other second it scrapes itself, and then looks at the profile's rules. To FILE go, for each, CPU of each piece between two turns of
the loop, in ms, and what a scrape's text has of lines and bytes.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from time import thread_time
from typing import Any

from arbtui import cli
from arbtui.monitoring.metrics_server import MetricsServer
from arbtui.runtime.metrics import RunMetrics
from arbtui.runtime.rule_watch import RuleWatch

EVERY_S = 2.0
scrapes: list[dict[str, Any]] = []


async def in_pieces(work: Coroutine[Any, Any, Any]) -> tuple[list[float], Any]:
    """Run ``work``; CPU of each piece between two turns of the loop, in ms, and what it gave."""
    pieces = []
    while True:
        began = thread_time()
        try:
            work.send(None)
        except StopIteration as end:
            pieces.append((thread_time() - began) * 1000)
            return pieces, end.value
        pieces.append((thread_time() - began) * 1000)
        await asyncio.sleep(0)


async def serve(self: RunMetrics, *, headless: bool) -> None:
    """In place of a server: scrapes itself."""
    server = MetricsServer(self._run.settings.metrics, self.read)
    engine = self._run.engine
    rules = RuleWatch(self._run.settings.alerts, self.read, engine.breaches, engine.components.clock, None)
    while True:
        await asyncio.sleep(EVERY_S)
        pieces, text = await in_pieces(server._text())
        rules_ms, _ = await in_pieces(rules.look())
        scrapes.append({"pieces_ms": pieces, "rules_ms": rules_ms, "lines": text.count(b"\n"), "bytes": len(text)})


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    RunMetrics.serve = serve  # type: ignore[method-assign]
    try:
        code = cli.main()
    finally:
        file.write_text(json.dumps(scrapes))
    sys.exit(code)
