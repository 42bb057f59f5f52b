"""What metrics and alert rules cost the engine: CPU of one scrape, of one look, and the longest piece of each that the loop waits for."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.table import Row, median, spread

#: s between two scrapes, as deploy/monitoring/prometheus.yml has them.
_SCRAPED_EVERY_S = 15.0
#: The same between two looks at the rules, as the shipped profiles have them.
_LOOKED_EVERY_S = 15.0


def rows(*, quick: bool) -> Iterator[Row]:
    """At ten symbols and at a thousand."""
    seconds, sizes = (5.0, (10,)) if quick else (40.0, (10, 1000))
    for symbols in sizes:
        with tempfile.TemporaryDirectory(prefix="arbtui-bench-") as folder:
            file = Path(folder) / "scrapes.json"
            session = ["--profile", "upbit-binance", "--symbols", str(symbols), "--state-dir", folder, "--headless"]
            command = [sys.executable, "-m", "tests.bench.metrics_child", str(file), *session, "--max-runtime", str(seconds)]
            # A market that leaves a loaded machine room: what a scrape costs does not depend on it.
            environment = {**os.environ, "ARBTUI_METRICS__ENABLED": "true", "ARBTUI_SIMULATOR__SCENARIO": "normal"}
            subprocess.run(command, check=True, timeout=300, stderr=subprocess.DEVNULL, env=environment)
            scrapes = json.loads(file.read_text())
        if not scrapes:
            yield Row("metrics", f"metrics, {symbols} symbols", "no scrape was answered in time", f"{seconds:g} s")
            continue
        totals = [sum(scrape["pieces_ms"]) for scrape in scrapes]
        longest = [max(scrape["pieces_ms"]) for scrape in scrapes]
        share = median(totals) / 1000 / _SCRAPED_EVERY_S * 100
        how = f"{len(scrapes)} scrapes of {scrapes[-1]['lines']} lines, {scrapes[-1]['bytes'] / 1000:.0f} kB"
        what = f"metrics, {symbols} symbols"
        yield Row(
            "metrics",
            f"{what}: CPU of a scrape",
            f"{spread(totals, 1, ' ms')}, {share:.2f} % of a core",
            how,
            "< 1 % of a core",
            share < 1.0,
        )
        yield Row("metrics", f"{what}: longest piece", spread(longest, 2, " ms"), f"{how}; {len(scrapes[-1]['pieces_ms'])} pieces")
        looks = [sum(scrape["rules_ms"]) for scrape in scrapes]
        share = median(looks) / 1000 / _LOOKED_EVERY_S * 100
        longest = [max(scrape["rules_ms"]) for scrape in scrapes]
        yield Row(
            "metrics",
            f"alert rules, {symbols} symbols: CPU of a look",
            f"{spread(looks, 1, ' ms')}, {share:.2f} % of a core",
            f"the shipped profile's rules, every {_LOOKED_EVERY_S:g} s; longest piece {spread(longest, 2, ' ms')}",
            "< 1 % of a core",
            share < 1.0,
        )
