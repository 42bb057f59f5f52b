"""The figure of a load test: CPU, memory, delay and throughput over the number of symbols."""

from collections.abc import Callable, Sequence

from arbtui.runtime.load_test.plot.drawing import Drawing, Text
from arbtui.runtime.load_test.plot.panel import FAINT, INK, PAPER, Curve, Panel
from arbtui.runtime.load_test.rows import Row, engine_memory_mb, measured

#: Distinguishable also without colour vision (after Okabe and Ito, Color Universal Design, 2008).
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
_WIDTH, _HEIGHT = 400.0, 190.0


def figure(title: str, rows: Sequence[Row]) -> Drawing:
    """Four panels; a row without a summary, and one with the console, has no point."""
    ordered = sorted([row for row in measured(rows) if not row.console], key=lambda row: row.symbols)

    def curve(name: str, color: str, value: Callable[[Row], float | None]) -> Curve:
        points = [(float(row.symbols), value(row)) for row in ordered]
        return Curve(name, color, [(symbols, number) for symbols, number in points if number is not None])

    drawing = Drawing(980, 600, PAPER)
    drawing.shapes.append(Text(24, 30, title, INK, 15))
    drawing.shapes.append(Text(24, 50, "Over the number of symbols N, both axes logarithmic; N^e: growth from fewest to most.", FAINT, 10))
    drawing.shapes.append(Text(956, 50, "N^1 would grow as fast as symbols", FAINT, 10, "end"))
    panels: tuple[tuple[str, list[Curve]], ...] = (
        (
            "CPU, percent of one core",
            [
                curve("engine", BLUE, lambda row: float(row.figures["engine"]["cpu_percent"])),
                curve("simulator", ORANGE, lambda row: float(row.figures["simulator"]["cpu_percent"])),
            ],
        ),
        (
            "Memory above imports, MB",
            [
                curve("engine", BLUE, engine_memory_mb),
                curve("simulator", ORANGE, lambda row: float(row.figures["simulator"]["rss_mb"])),
            ],
        ),
        (
            "Delay p99, ms",
            [
                curve("loop lag", BLUE, lambda row: row.figures["loop_lag_ms"]["p99"]),
                curve("due to decided", ORANGE, lambda row: row.figures["staleness_ms"]["p99"]),
                curve("decision", GREEN, lambda row: row.figures["decision_us"]["p99"] / 1000),
            ],
        ),
        (
            "Updates a second",
            [
                curve("offered", BLUE, lambda row: float(row.figures["updates_per_s"])),
                curve("capacity", ORANGE, lambda row: row.capacity.updates_per_s if row.capacity else None),
            ],
        ),
    )
    for place, (name, curves) in enumerate(panels):
        x, y = 64 + place % 2 * 476, 106 + place // 2 * 262
        Panel(x, y, _WIDTH, _HEIGHT, name, curves).draw(drawing)
    return drawing
