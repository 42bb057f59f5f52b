"""Limits as used of allowed: a line each, for Risk."""

from math import isfinite

from arbtui.console.lines import width_of
from arbtui.console.numbers import fit
from arbtui.console.styles import Span
from arbtui.views import LimitLine
from arbtui.views.numbers import amount, figure

_BAR = 8
_CLOSE = 0.8
_BROAD = 70


def limits_head(width: int) -> list[Span]:
    """The heads of the columns."""
    return [(f" {'limit':{_name(width)}}", "dim"), (f"{'used of':>9} allowed", "dim")]


def limit_spans(line: LimitLine, width: int) -> list[Span]:
    """One limit: what is used of it, a bar, and who has set it where somebody has."""
    name = line.scope if width >= _BROAD else line.scope.partition(".")[2]
    share = line.share
    ink = "kill" if share > 1 else "warn" if share >= _CLOSE else "text"
    row: list[Span] = [(f" {fit(name, _name(width))}", "strong" if line.journal is not None else "soft")]
    used = "" if line.used is None else f"{figure(line.used)} {'>' if line.higher_is_stricter else 'of'}"
    row += [(f"{used:>9} ", ink), (f"{amount(line.holds, line.unit):<12}", "text")]
    if line.used is not None and width - width_of(row) > _BAR:
        filled = min(_BAR, round(share * _BAR)) if isfinite(share) else _BAR
        row += [(" " + "█" * filled, ink if share >= _CLOSE else "spark"), ("░" * (_BAR - filled), "faint")]
    room = width - width_of(row) - 2
    told = [line.note] if line.note else []
    told += [f"set by {line.by}, profile {amount(line.profile, line.unit)}"] if line.journal is not None else []
    if told and room > 12:
        row.append((fit(f"  {'; '.join(told)}", room), "soft"))
    return row


def _name(width: int) -> int:
    return 34 if width >= _BROAD else 25
