"""Why not, over time: a line a reason, for a route's detail and for Risk."""

from collections.abc import Sequence

from arbtui.console.lines import width_of
from arbtui.console.numbers import fit
from arbtui.console.styles import Span
from arbtui.console.words import REASONS, short_word
from arbtui.views import DenialLine

_NAME, _SHORT_NAME = 17, 10
_SPAN = 13
_BROAD = 70


def why_not_head(width: int) -> list[Span]:
    """The heads of the columns."""
    return [(f" {'why not':{_name(width)}}", "dim"), *((f"{name:>{_SPAN}}", "dim") for name in ("last min", "last hour", "last day"))]


def why_not_spans(line: DenialLine, width: int) -> list[Span]:
    """One reason: for how long it held in each span, and how often it began to; what it means where there is room."""
    name = line.reason if width >= _BROAD else short_word(line.reason)
    row: list[Span] = [(f" {fit(name, _name(width))}", "warn" if line.minute.times or line.minute.seconds else "soft")]
    for held in (line.minute, line.hour, line.day):
        text = f"{lasting(held.seconds)} x{held.times:,}" if held.times or held.seconds else "-"
        row.append((f"{text:>{_SPAN}}", "text" if text != "-" else "faint"))
    room = width - width_of(row) - 2
    return [*row, (f"  {fit(REASONS.get(line.reason, ''), room)}", "soft")] if room > 8 else row


def why_not_rows(lines: Sequence[DenialLine], width: int, room: int) -> list[list[Span]]:
    """As many reasons as fit below their heads, in ``room`` lines."""
    if room < 2 or not lines:
        return []
    return [why_not_head(width), *(why_not_spans(line, width) for line in lines[: room - 1])]


def _name(width: int) -> int:
    return _NAME if width >= _BROAD else _SHORT_NAME


def why_not_words(lines: Sequence[DenialLine], room: int) -> list[Span]:
    """The reasons of the last hour in ``room`` cells of another line; nothing where there is no room for one."""
    told = [f"{one.reason} {lasting(one.hour.seconds)} x{one.hour.times:,}" for one in lines if one.hour.times or one.hour.seconds]
    head = "   why not 1h: "
    return [(head, "dim"), (fit(", ".join(told), room - len(head)), "text")] if told and room >= len(head) + len(told[0]) else []


def lasting(seconds: float) -> str:
    """``0.4s``, ``12s``, ``3m12s``, ``1h04m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3_600 else f"{whole // 3_600}h{whole // 60 % 60:02d}m"
