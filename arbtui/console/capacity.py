"""What a route earns by size, as lines: the usual sizes with edge and profit, and the curve of profit as bars up and down from zero."""

from collections.abc import Sequence

from arbtui.console.lines import width_of
from arbtui.console.numbers import short, signed
from arbtui.console.styles import Span
from arbtui.views import CapacityView, SizePoint

Row = list[Span]

_BY_SIZE = " by size"
_COLUMN = 9
_NAME = 8
_UP = "▁▂▃▄▅▆▇█"
_LEAST_PICTURE = 10


def capacity_rows(capacity: CapacityView | None, width: int) -> list[Row]:
    """Five lines: sizes, edges, profits, the bars of the profit, and what they span with the best size."""
    if capacity is None:
        return [[(" by size: not known yet (books, rate or transfer)", "faint")]]
    points = {point.value: point for point in capacity.points}
    columns = max(1, min(len(capacity.sizes), (width - _NAME) // _COLUMN))
    head: Row = [(f" {'size':{_NAME - 1}}", "dim")]
    edges: Row = [(f" {'net bp':{_NAME - 1}}", "dim")]
    profits: Row = [(f" {'profit':{_NAME - 1}}", "dim")]
    for size in capacity.sizes[:columns]:
        point = points.get(size)
        head.append((f"{short(size):>{_COLUMN}}", "soft"))
        edges.append(_cell(None if point is None else point.edge_bps, 1))
        profits.append(_cell(None if point is None else point.profit, 2))
    reach = f" profit to {short(capacity.shown)}"
    bars = max(0, min(len(capacity.profits), width - 2 - len(reach)))
    return [
        [*head, (f" {capacity.currency}", "faint")] if width - width_of(head) > len(capacity.currency) else head,
        edges,
        profits,
        [(" ", "text"), *picture(capacity.profits, bars), (reach, "dim")],
        _bounds(capacity, width),
    ]


def capacity_lines(capacity: CapacityView | None, width: int) -> list[Row]:
    """The same on one line, or two where they are short: the edge at each size, the best size, and the bars where there is room."""
    if capacity is None:
        return [[(" by size: not known yet (books, rate or transfer)", "faint")]]
    row: Row = []
    points = {point.value: point for point in capacity.points}
    for size in capacity.sizes:
        point = points.get(size)
        row += [(f" {short(size)} ", "dim"), (signed(point.edge_bps, 1), _ink(point.edge_bps)) if point is not None else ("-", "faint")]
    if width_of(row) + len(_BY_SIZE) <= width:
        row.insert(0, (_BY_SIZE, "dim"))
    rest: Row = [(" best ", "dim"), *_best(capacity.best), ("  end ", "dim"), (short(capacity.end.value), "soft")]
    rows = [[*row, (" ", "text"), *rest]] if width_of(row) + width_of(rest) + 1 <= width else [row, rest]
    room = width - width_of(rows[-1]) - 2
    if room >= _LEAST_PICTURE:
        rows[-1] += [(" ", "text"), *picture(capacity.profits, min(room, len(capacity.profits)))]
    return rows


def picture(profits: Sequence[float], width: int) -> Row:
    """One bar a size: up in the ink of gains, as high as the profit; a loss is a mark at the bottom, in the ink of losses."""
    if width <= 0 or not profits:
        return []
    most = max(profits)
    row: Row = []
    for step in range(width):
        profit = profits[min(len(profits) - 1, (step + 1) * len(profits) // width - 1)]
        if profit > 0.0 and most > 0.0:
            row.append((_UP[min(7, int(profit / most * 7.999))], "up"))
        else:
            row.append(("·", "down"))
    return row


def _bounds(capacity: CapacityView, width: int) -> Row:
    row: Row = [(" best ", "dim"), *_best(capacity.best)]
    end = "books end at " if width >= width_of(row) + 24 else "end "
    return [*row, (f"  {end}", "dim"), (short(capacity.end.value), "soft")]


def _best(best: SizePoint | None) -> Row:
    if best is None:
        return [("none", "faint")]
    return [(short(best.value), "text"), (f" {signed(best.profit, 2)}", "up")]


def _cell(value: float | None, decimals: int) -> Span:
    if value is None:
        return (f"{'-':>{_COLUMN}}", "faint")
    return (f"{signed(value, decimals, _COLUMN - 1):>{_COLUMN}}", _ink(value))


def _ink(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else "soft"
