"""CPU and memory grow slower than symbols."""

from collections.abc import Sequence

from arbtui.runtime.load_test.rows import Row, ends, engine_memory_mb, exponent
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

CRITERION = "CPU and memory of the engine grow slower than symbols: exponent under 1 between the fewest and the most"


def growth(rows: Sequence[Row]) -> Verdict:
    """The engine's CPU, and its memory above the imports; the simulator's share of both is excluded."""
    both = ends(rows)
    if both is None:
        return not_measured(CRITERION, "growth needs two symbol counts that were measured")
    few, many = both

    def grows(low: float, high: float) -> float:
        return exponent((few.symbols, low), (many.symbols, high))

    cpu = grows(few.figures["engine"]["cpu_percent"], many.figures["engine"]["cpu_percent"])
    memory = grows(engine_memory_mb(few), engine_memory_mb(many))
    offered = grows(few.figures["updates_per_s"], many.figures["updates_per_s"])
    span = f"from {few.symbols} to {many.symbols} symbols"
    faults = [f"{what} grows with exponent {value:.2f} {span}" for what, value in (("CPU", cpu), ("memory", memory)) if not value < 1.0]
    return judged(CRITERION, faults, f"{span}: CPU {cpu:.2f}, memory {memory:.2f} (updates offered {offered:.2f})")
