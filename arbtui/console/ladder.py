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
    lines = [_head(book)]
    lines += [[]] * (levels - len(asks))
    lines += [_line(level, largest, "text" if buys else "dim", level is asks[0] and buys) for level in reversed(asks)]
    lines.append(_middle(book))
    lines += [_line(level, largest, "text" if not buys else "dim", level is bids[0] and not buys) for level in bids]
    lines += [[]] * (levels - len(bids))
    return [_padded(line) for line in lines]


def _head(book: Ladder) -> list[Span]:
    """What the route does there, venue and market, and how old the book is, or why it is not to be believed."""
    acts, market = f" {book.acts.upper()} ", f"{book.base}/{book.currency}" if book.base else book.currency
    state = age(book.age_ms) if book.state == "LIVE" else book.state
    used = len(acts) + len(book.exchange) + 1 + len(market) + 1
    if used + len(state) > WIDTH:
        acts, used = acts[1:], used - 1
    if used + len(state) > WIDTH and book.state == "LIVE" and 100.0 <= book.age_ms < 1_000.0:
        state = f"{book.age_ms / 1_000:.1f}s"
    room = WIDTH - len(acts) - len(book.exchange) - 1 - len(state) - 1
    head: list[Span] = [(acts, "dim"), (book.exchange, "strong"), (f" {fit(market, room)} ", "dim")]
    return [*head, (state, _state_ink(book))]


def _line(level: Level, largest: float, ink: str, touch: bool) -> list[Span]:
    spans: list[Span] = [(fit_right(price(level.price, 12), 12), "strong" if touch else ink), (fit_right(quantity(level.qty, 10), 10), ink)]
    if level.ours:
        return [*spans, (fit("◂" + short(level.ours, 5).removeprefix("0"), _BAR + 2), "key")]
    return [*spans, (" ", "text"), (_bar(level.qty / largest if largest else 0.0), "spark")]


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _BARS[eighths % 8].strip()).ljust(_BAR)


def _middle(book: Ladder) -> list[Span]:
    if not book.mid:
        return [("   no price on one side", "warn")]
    mid, spread = price(book.mid, 11), signed(book.spread_bps, 1, 9).lstrip("+")
    rule = "─" if len(mid) < 11 else " "  # beside a digit it would be a minus
    middle: list[Span] = [(rule, "rule"), (fit_right(mid, 11), "title"), (f" {spread} bp ", "soft")]
    return [*middle, ("─" * min(3, WIDTH - width_of(middle)), "rule")]


def _state_ink(book: Ladder) -> str:
    return "soft" if book.state == "LIVE" else "warn"


def _padded(line: Sequence[Span]) -> list[Span]:
    return [*line, (" " * max(0, WIDTH - width_of(line)), "text")]
