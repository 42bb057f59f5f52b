"""Rows of facts, as JSON or a line each."""

import json
from collections.abc import Sequence
from typing import Any

from arbtui.settings.output import tell


def print_rows(rows: Sequence[dict[str, Any]], names: Sequence[str], none: str, as_json: bool) -> None:
    """Print ``rows``: all of them as JSON, or of each the ``names`` that it has; ``none`` where there is none."""
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return
    for row in rows:
        tell("  ".join(f"{name} {row[name]}" for name in names if row.get(name) not in (None, "")) + "\n")
    if not rows:
        tell(f"{none}\n")
