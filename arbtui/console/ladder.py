"""A book as a ladder: asks above, bids below, the middle between; our orders marked."""

from collections.abc import Sequence

from arbtui.console.lines import width_of
from arbtui.console.numbers import age, fit, fit_right, price, quantity, short, signed
from arbtui.console.styles import Span
from arbtui.views import Ladder, Level

WIDTH = 27
"""Cells of one ladder: price, quantity, bar."""

_BARS = " ▏▎▍▌▋▊▉█"
_BAR = 3


def ladder_lines(book: Ladder, levels: int) -> list[list[Span]]:
    """``2 * levels + 3`` lines of :data:`WIDTH` cells: head, asks from the far one down, middle, bids from the near one down, foot.

    The side that the route trades against is bright; a bar shows each level's share of the largest shown. ``◂`` and the
    quantity in place of the bar mark our orders.
    """
    asks, bids = list(book.asks[:levels]), list(book.bids[:levels])
    largest = max((level.qty for level in (*asks, *bids)), default=0.0)
    buys = book.acts == "buy"
    head: list[Span] = [(f" {book.acts.upper()} ", "dim"), (fit(book.exchange, 9), "strong"), (fit(book.currency, 5), "dim")]
    head.append((fit_right(age(book.age_ms) if book.state == "LIVE" else book.state, WIDTH - width_of(head)), _state_ink(book)))
    lines = [head]
    lines += [[]] * (levels - len(asks))
    lines += [_line(level, largest, "text" if buys else "dim", level is asks[0] and buys) for level in reversed(asks)]
    lines.append(_middle(book))
    lines += [_line(level, largest, "text" if not buys else "dim", level is bids[0] and not buys) for level in bids]
    lines += [[]] * (levels - len(bids))
    return [_padded(line) for line in lines]


def _line(level: Level, largest: float, ink: str, touch: bool) -> list[Span]:
    spans: list[Span] = [(fit_right(price(level.price), 12), "strong" if touch else ink), (fit_right(quantity(level.qty), 10), ink)]
    if level.ours:
        return [*spans, (fit("◂" + short(level.ours), _BAR + 2), "key")]
    return [*spans, (" ", "text"), (_bar(level.qty / largest if largest else 0.0), "spark")]


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _BARS[eighths % 8].strip()).ljust(_BAR)


def _middle(book: Ladder) -> list[Span]:
    if not book.mid:
        return [("   no price on one side", "warn")]
    spread = f" {signed(book.spread_bps, 1).lstrip('+')} bp "
    return [("─ ", "rule"), (fit_right(price(book.mid), 10), "title"), (spread, "soft"), ("───", "rule")]


def _state_ink(book: Ladder) -> str:
    return "soft" if book.state == "LIVE" else "warn"


def _padded(line: Sequence[Span]) -> list[Span]:
    return [*line, (" " * max(0, WIDTH - width_of(line)), "text")]
