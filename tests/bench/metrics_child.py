"""A session whose scrapes are timed piece by piece: ``python -m tests.bench.metrics_child FILE ARGUMENTS...`` (of the program).

Every other second it scrapes itself. To FILE go, for each scrape, CPU of each piece between two turns of the loop, in ms, and what the
text has of lines and bytes.
"""

import asyncio
import json
import sys
from pathlib import Path
from time import thread_time
from typing import Any

from arbtui import cli
from arbtui.monitoring.metrics_server import MetricsServer
from arbtui.runtime.metrics import RunMetrics

EVERY_S = 2.0
scrapes: list[dict[str, Any]] = []


async def timed(server: MetricsServer) -> None:
    """Put the metrics into words, as for a scrape."""
    work, pieces = server._text(), []
    while True:
        began = thread_time()
        try:
            work.send(None)
        except StopIteration as end:
            pieces.append((thread_time() - began) * 1000)
            text: bytes = end.value
            scrapes.append({"pieces_ms": pieces, "lines": text.count(b"\n"), "bytes": len(text)})
            return
        pieces.append((thread_time() - began) * 1000)
        await asyncio.sleep(0)


async def serve(self: RunMetrics, *, headless: bool) -> None:
    """In place of a server: scrapes itself."""
    server = MetricsServer(self._run.settings.metrics, self.read)
    while True:
        await asyncio.sleep(EVERY_S)
        await timed(server)


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    RunMetrics.serve = serve  # type: ignore[method-assign]
    try:
        code = cli.main()
    finally:
        file.write_text(json.dumps(scrapes))
    sys.exit(code)
