"""Every symbol traded as often as was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from arbtui.runtime.load_test.rows import Row, measured
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

FILLS = 100
WITHIN_S = 600.0
_NAMED = 10  #: symbols that are named; the report lists all

CRITERION = f"At least {FILLS} fills per symbol per {WITHIN_S / 60:g} minutes, in scenario busy (scaled to the run, in whole cycles of 2)"


def required(runtime_s: float) -> int:
    """Fills that a symbol must have after ``runtime_s``: a cycle has two, so the number is even."""
    return int(FILLS * runtime_s / WITHIN_S / 2 + 1e-6) * 2


def below(figures: Mapping[str, Any]) -> dict[str, int]:
    """The symbols with fewer fills than required, and how many they had; in the universe's order."""
    wanted = required(figures["max_runtime_s"])
    return {symbol: fills for symbol, fills in figures["fills_by_symbol"].items() if fills < wanted}


def trading(rows: Sequence[Row], scenario: str) -> Verdict:
    """Fills of every symbol of every row."""
    if scenario != "busy":
        return not_measured(CRITERION, f"the scenario is {scenario}, in which a symbol may idle for long")
    faults: list[str] = []
    fine: list[str] = []
    for row in measured(rows):
        wanted = required(row.duration_s)
        if wanted == 0:
            return not_measured(CRITERION, f"{row.duration_s:g} s are shorter than one cycle at that rate")
        lacking = below(row.figures)
        least = min(row.figures["fills_by_symbol"].values(), default=0)
        fine.append(f"{row.name}: {least} at least, {wanted} asked")
        if lacking or not row.figures["fills_by_symbol"]:
            names = ", ".join(f"{symbol} {fills}" for symbol, fills in list(lacking.items())[:_NAMED])
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            mute = sum(fills == 0 for fills in lacking.values())
            faults.append(f"{row.name}: {len(lacking)} under {wanted} fills ({mute} with none): {names}{more}")
    if not fine:
        return not_measured(CRITERION, "no child left a summary")
    return judged(CRITERION, faults, "; ".join(fine))
