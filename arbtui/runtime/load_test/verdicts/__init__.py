"""The verdicts: each a pure function over the rows."""

from collections.abc import Sequence

from arbtui.runtime.load_test.rows import Row
from arbtui.runtime.load_test.verdicts.growth import growth
from arbtui.runtime.load_test.verdicts.levels import levels
from arbtui.runtime.load_test.verdicts.memory import memory
from arbtui.runtime.load_test.verdicts.processing import processing
from arbtui.runtime.load_test.verdicts.runtime import runtime
from arbtui.runtime.load_test.verdicts.steadiness import steadiness
from arbtui.runtime.load_test.verdicts.trading import trading
from arbtui.runtime.load_test.verdicts.verdict import Verdict


def judge(rows: Sequence[Row], scenario: str, *, is_soak: bool = False) -> list[Verdict]:
    """Every verdict, in the order of the report. Of a soak, growth over symbols gives way to growth over time."""
    first = [steadiness(rows), trading(rows, scenario), processing(rows)]
    return [*first, levels(rows) if is_soak else growth(rows), memory(rows), runtime(rows)]
