"""Rows as a healthy machine would give them, to be spoilt."""

import copy
from collections.abc import Mapping
from typing import Any

from arbtui.runtime.load_test.rows import Capacity, Row

DURATION_S = 120.0


def summary(symbols: int) -> dict[str, Any]:
    """What a healthy child of so many symbols tells."""
    updates = round(DURATION_S * 65 * symbols**0.6)
    return {
        "stop_reason": "max_runtime",
        "runtime_s": DURATION_S + 0.0004,
        "drain_s": 0.2,
        "wall_s": DURATION_S + 0.5,
        "max_runtime_s": DURATION_S,
        "bare_timer_late_ms": 0.1,
        "updates": updates,
        "updates_per_s": updates / DURATION_S,
        "messages": {"read": updates, "decoded": updates, "outside": 0, "named": {}, "malformed": {}},
        "gaps": 0,
        "decision_us": {"p50": 100.0, "p99": 500.0, "max": 900.0},
        "staleness_ms": {"p50": 1.0, "p99": 4.0, "max": 9.0},
        "loop_lag_ms": {"p50": 0.5, "p99": 3.0, "max": 12.0},
        "loop_turns": {
            "count": 90_000,
            "longest_ms": 6.0,
            "longest_at_s": 3.0,
            "over_10_ms": 0,
            "stalls": 0,
            "longest_cpu_wait_ms": 2.0,
            "cpu_wait_percent": 1.0,
        },
        "orders": 70 * symbols,
        "fills": 60 * symbols,
        "fills_per_symbol": {"min": 60, "median": 60.0, "max": 60},
        "fills_by_symbol": {f"A{number}": 60 for number in range(symbols)},
        "fills_per_exchange": {"upbit": 30 * symbols, "binance": 30 * symbols},
        "cycles": {"opened": 30 * symbols, "hedged": 30 * symbols, "unwound": 0, "residual": 0},
        "denials": {"UNHEDGED": 12},
        "journal": {"events": 10, "commit_ms": {"p50": 1.0, "p99": 4.0}},
        "engine": {"us_per_update": 20.0, "cpu_percent": 2.0 * symbols**0.5},
        "simulator": {"cpu_percent": 0.5 * symbols**0.5, "rss_mb": 0.03 * symbols, "messages": updates, "skipped_s": 0.0},
        "cpu_percent": {"avg": 2.5 * symbols**0.5, "max": 30.0},
        "rss_mb": {"baseline": 48.0, "avg": 50.0, "max": 48.0 + 0.03 * symbols + 0.8 * symbols**0.5},
        "samples": 121,
        "resources": [[float(second), 10.0, 50.0 + 0.002 * second] for second in range(121)],
        "levels": levels(DURATION_S),
    }


def levels(seconds: float, **per_hour: float) -> dict[str, Any]:
    """121 samples of levels that swing a little and rise by ``per_hour``."""
    start = {"anon_mb": 70.0, "fds": 40, "tasks": 25, "threads": 4, "wal_mb": 4.0, "lag_p99_ms": 1.0}
    rows = []
    for number in range(121):
        second = number * seconds / 120
        swing = (0.0, 1.0, 0.0, -1.0)[number % 4]
        rows.append([second, *(value + 0.02 * value * swing + per_hour.get(name, 0.0) * second / 3600 for name, value in start.items())])
    return {"columns": ["second", *start], "rows": rows}


def row(symbols: int, **changes: Any) -> Row:
    """A healthy row; ``a__b=value`` changes ``summary["a"]["b"]``, any other name an attribute."""
    told = copy.deepcopy(summary(symbols))
    given: dict[str, Any] = {}
    for name, value in changes.items():
        if name in Row.__dataclass_fields__:
            given[name] = value
        else:
            _put(told, name.split("__"), value)
    fields: dict[str, Any] = {
        "symbols": symbols,
        "duration_s": DURATION_S,
        "exit_code": 0,
        "wall_s": DURATION_S + 2.0,
        "summary": told,
        "capacity": Capacity(50_000, 5.0, 60.0),
        **given,
    }
    return Row(**fields)


def _put(told: Mapping[str, Any], path: list[str], value: Any) -> None:
    at: Any = told
    for name in path[:-1]:
        at = at[name]
    assert path[-1] in at, f"no such key: {path}"
    at[path[-1]] = value


def fills(row: Row, **changes: int) -> dict[str, int]:
    """The row's fills by symbol with some changed."""
    return {**row.figures["fills_by_symbol"], **changes}
