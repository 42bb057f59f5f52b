"""The one table of `make bench`: rows in groups, printed, and written as JSON or Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

COLUMNS = ("group", "what", "figure", "how measured", "goal", "met?")
_WIDEST = 76  #: of a column in characters; what is longer goes on in the next line of its cell


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``goal`` is empty where nothing was promised; ``met`` is None there, and where nothing could be measured."""

    group: str
    what: str
    figure: str
    how: str
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As printed, in the order of COLUMNS."""
        met = {True: "yes", False: "NO", None: ""}[self.met]
        return (self.group, self.what, self.figure, self.how, self.goal, met)


def as_text(rows: Sequence[Row]) -> str:
    """Columns in line, a rule under the head, a group's name once."""
    body = [row.cells() for row in rows]
    shown = [(("" if place and body[place - 1][0] == cells[0] else cells[0]), *cells[1:]) for place, cells in enumerate(body)]
    widths = [min(_WIDEST, max(len(cells[i]) for cells in (COLUMNS, *shown))) for i in range(len(COLUMNS))]
    lines = [_line(COLUMNS, widths), _line(["-" * width for width in widths], widths)]
    for cells in shown:
        parts = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
        for at in range(max(len(part) for part in parts)):
            lines.append(_line([part[at] if at < len(part) else "" for part in parts], widths))
    return "\n".join(lines)


def as_markdown(rows: Sequence[Row]) -> str:
    """A table for a document."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def as_records(rows: Sequence[Row]) -> list[dict[str, str | bool | None]]:
    """For JSON."""
    return [asdict(row) for row in rows]


def spread(values: Sequence[float], digits: int, unit: str = "") -> str:
    """``median (min..max)``."""
    ordered = sorted(values)
    return f"{median(ordered):.{digits}f}{unit} ({ordered[0]:.{digits}f}..{ordered[-1]:.{digits}f})"


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    lines = [""]
    for word in cell.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines
