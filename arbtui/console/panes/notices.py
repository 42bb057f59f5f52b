"""Notices of venues: a line each, for Risk: when the next step comes, what it is about, what was done, and where to read it."""

from rich.cells import cell_len

from arbtui.console.numbers import duration, fit
from arbtui.console.styles import Span
from arbtui.model.printable import printable
from arbtui.views import NoticeLine

#: Widths of the countdown, the kind and the coins: where there is room, and in a narrow pane.
_WIDE, _NARROW = (10, 12, 11), (9, 10, 6)
_BROAD = 70
_SOON_S = 3600.0


def notices_head(width: int) -> list[Span]:
    """The heads of the columns."""
    when, kind, coins = _widths(width)
    return [(f" {'next in':>{when}} {'notice':{kind}}{'of':{coins}}title, and what was done"[:width], "dim")]


def notice_spans(line: NoticeLine, width: int) -> list[Span]:
    """One notice: the countdown to its next step, and its title; what was done and its link where there is room."""
    when, kind, coins = _widths(width)
    due = line.due_s
    row: list[Span] = [
        (f" {'-' if due is None else duration(due):>{when}} ", "faint" if due is None else "warn" if due < _SOON_S else "text")
    ]
    row.append((f"{fit(line.kinds[0].upper(), kind - 1)} ", "strong" if line.standing or due is not None else "soft"))
    row.append((f"{fit(', '.join(line.coins) or line.exchange, coins - 1)} ", "text"))
    room = max(0, width - 2 - when - kind - coins)
    what = ", ".join(line.standing) or (line.done[-1] if line.done else "")
    tail = " → ".join(part for part in (what, line.next) if part)
    title_room = max(0, room - min(cell_len(tail) + 2, room * 3 // 5)) if tail else room
    size = min(cell_len(printable(line.title)), title_room)
    row.append((fit(line.title, size), "text"))
    room -= size
    if tail and room > 2:
        size = min(cell_len(printable(tail)), room - 2)
        row.append((f"  {fit(tail, size)}", "warn" if line.standing else "soft"))
        room -= size + 2
    if line.url and len(line.url) + 2 <= room:
        row.append((f"  {line.url}", "faint"))
    return row


def _widths(width: int) -> tuple[int, int, int]:
    return _WIDE if width >= _BROAD else _NARROW
