"""One symbol count of a load test: what its children did, as reported by them and as measured from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

QUIET_PERCENT = 5.0
"""Percentage of the time waiting for a core above which the machine counts as busy with other work."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The engine's speed when it never waits: a child at ``--speed max``."""

    updates: int
    wall_s: float  #: real seconds from the engine's start to its end
    virtual_s: float  #: the market's seconds

    @property
    def updates_per_s(self) -> float:
        """Updates in a real second."""
        return self.updates / self.wall_s if self.wall_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One child in real time, and the capacity child beside it.

    Attributes:
        exit_code: the process's; negative for a signal, None when it had to be killed.
        wall_s: seconds from the start of the process to its end, by the parent's clock.
        said: the last line on its standard error.
        summary: its ``--json`` summary; None when it left none.
        overrides: limits that were raised for this child, by environment variable.
        load: the machine's load average (1 min) before it started.
    """

    symbols: int
    duration_s: float
    exit_code: int | None
    wall_s: float
    said: str = ""
    summary: Mapping[str, Any] | None = None
    capacity: Capacity | None = None
    overrides: Mapping[str, str] | None = None
    load: float = 0.0
    console: bool = False  #: it showed the console on a terminal

    @property
    def name(self) -> str:
        """What it is called in verdicts and tables."""
        return f"{self.symbols} symbols{' with the console' if self.console else ''}"

    @property
    def figures(self) -> Mapping[str, Any]:
        """The summary; ask :func:`measured` for rows that have one.

        Raises:
            LookupError: there is none.
        """
        if self.summary is None:
            raise LookupError(f"the child of {self.name} left no summary")
        return self.summary


def measured(rows: Sequence[Row]) -> list[Row]:
    """The rows whose child left a summary."""
    return [row for row in rows if row.summary is not None]


def withheld(rows: Sequence[Row]) -> dict[str, float]:
    """The rows on a busy machine: by name, the percentage of the time in which the loop's thread waited for a core."""
    waits = {row.name: row.figures["loop_turns"]["cpu_wait_percent"] for row in measured(rows) if row.figures["loop_turns"] is not None}
    return {name: percent for name, percent in waits.items() if percent > QUIET_PERCENT}


def engine_memory_mb(row: Row) -> float:
    """Most resident memory, without what the process had after its imports and what building the simulator took, in MB."""
    figures = row.figures
    return float(figures["rss_mb"]["max"] - figures["rss_mb"]["baseline"] - figures["simulator"]["rss_mb"])


def exponent(small: tuple[float, float], large: tuple[float, float]) -> float:
    """``e`` of ``value ~ symbols ** e`` between two points of (symbols, value); below 1 it grows slower than symbols.

    A value of zero counts as a thousandth, so that growth from there is not hidden.
    """
    (few, low), (many, high) = small, large
    return log(max(high, 0.001) / max(low, 0.001)) / log(many / few)


def ends(rows: Sequence[Row]) -> tuple[Row, Row] | None:
    """The measured rows without a console of the fewest and the most symbols; None when that is one and the same."""
    ordered = sorted([row for row in measured(rows) if not row.console], key=lambda row: row.symbols)
    if len(ordered) < 2 or ordered[0].symbols == ordered[-1].symbols:
        return None
    return ordered[0], ordered[-1]
