"""The columns of the routes: fixed widths, numbers to the right, and which are dropped first when the terminal is narrow."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan

from arbtui.console.numbers import age, arrow, fit, fit_right, price, quantity, short, signed
from arbtui.console.styles import Span
from arbtui.console.words import short_word
from arbtui.views import RouteRow

IDLE_MS = 500.0
"""ms; books older than this are greyed: still tradable, but without a recent update."""


_PASSING = frozenset(("COOLDOWN", "ROUTE_BUSY", "TOO_SMALL", "DISABLED"))
"""Reasons that clear by themselves or are intended: shown without colour."""


_PRICELESS = ("NO_BOOK", "VENUE_DOWN")
"""States in which a row has no edge to show or to sort by."""
_OLD = ("STALE", "GAPPED", "NO_BOOK", "CROSSED", "BOOK_AGE", "MESSAGE_AGE", "EXCESS_DELAY")
"""States of books whose prices are out of date; so are those of a venue that is unfit."""


def state_word(row: RouteRow) -> str:
    """The state as shown, in nine cells at most; the usual state, no edge, is IDLE, or GATED where a coin cannot be moved."""
    word = short_word(row.state) or "-"
    return "GATED" if row.gated and word == "IDLE" else word


def is_stale(row: RouteRow) -> bool:
    """Whether the row's prices are out of date."""
    return row.state in _OLD or row.state.startswith("VENUE_")


def _priced(row: RouteRow, value: float) -> float:
    """``value``, or nothing where the row has no price: a venue that is down has none."""
    return nan if row.state in _PRICELESS else value


def _edge_text(row: RouteRow) -> str:
    edge = _priced(row, row.edge_bps)
    return f"{arrow(edge)} {signed(edge, 1, 7):>7}"


def _net_text(row: RouteRow) -> str:
    return signed(_priced(row, row.net_bps), 1, 8)


def _fills_text(row: RouteRow) -> str:
    return f"{row.fills:,d}" if row.fills < 10_000 else short(row.fills)


def _sign_ink(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else "soft"


def _state_ink(row: RouteRow) -> str:
    word = state_word(row)
    if word == "OPEN":
        return "key"
    if word == "READY":
        return "up"
    if word == "IDLE":
        return "dim"
    if word in _PASSING:
        return "soft"
    return "kill" if word in ("HALTED", "RESIDUAL") else "warn"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``rank``: columns with the highest are dropped first when there is no room. ``sort``: what `s` sorts by."""

    key: str
    title: str
    width: int
    rank: int
    text: Callable[[RouteRow], str]
    ink: Callable[[RouteRow], str]
    sort: Callable[[RouteRow], float | str]
    numeric: bool = True

    def cell(self, row: RouteRow, width: int = 0) -> Span:
        """The cell of ``row``, ``width`` wide, or as wide as the column."""
        text, width = self.text(row), width or self.width
        faded = self.numeric and is_stale(row)
        return (fit_right(text, width) if self.numeric else fit(text, width), "faint" if faded else self.ink(row))


def _constant(ink: str) -> Callable[[RouteRow], str]:
    return lambda row: ink


#: Shapes whose first and last trade are of one asset: elsewhere the two prices say nothing of each other.
_OF_ONE_ASSET = ("two_leg", "split_leg", "cross_chain")


def _first(row: RouteRow) -> float:
    return row.prices[0] if row.prices and row.shape in _OF_ONE_ASSET else 0.0


def _last(row: RouteRow) -> float:
    return row.prices[-1] if row.prices and row.shape in _OF_ONE_ASSET else 0.0


_SHAPES = {"two_leg": "two", "triangular": "tri", "split_leg": "split", "multi_hop": "multi", "cross_chain": "chain"}

_UNWELL = 0.7
"""A health under it is worth a look."""


def _percent(health: float) -> str:
    return f"{health * 100:.0f}%" if isfinite(health) else "-"


def _health_ink(health: float) -> str:
    return "warn" if health < _UNWELL else "soft"


def _age_ink(row: RouteRow) -> str:
    return "soft" if row.age_ms < IDLE_MS else "dim"


COLUMNS: tuple[Column, ...] = (
    Column("sym", "SYM", 7, 0, lambda r: r.symbol, _constant("strong"), lambda r: r.symbol, numeric=False),
    Column("buy", "BUY@", 8, 2, lambda r: r.venues[0], _constant("soft"), lambda r: r.venues[0], numeric=False),
    Column("sell", "SELL@", 8, 2, lambda r: r.venues[-1], _constant("soft"), lambda r: r.venues[-1], numeric=False),
    Column("buypx", "BUY px", 11, 9, lambda r: price(_first(r), 11), _constant("text"), lambda r: _first(r) or nan),
    Column("sellpx", "SELL px", 11, 9, lambda r: price(_last(r), 11), _constant("text"), lambda r: _last(r) or nan),
    Column("edge", "EDGE bp", 9, 3, _edge_text, lambda r: _sign_ink(_priced(r, r.edge_bps)), lambda r: _priced(r, r.edge_bps)),
    Column("net", "NET bp", 8, 1, _net_text, lambda r: _sign_ink(_priced(r, r.net_bps)), lambda r: _priced(r, r.net_bps)),
    Column("size", "SIZE", 10, 6, lambda r: quantity(r.size, 10), _constant("text"), lambda r: r.size or nan),
    Column("depth", "DEPTH", 7, 10, lambda r: short(r.depth, 7), _constant("soft"), lambda r: r.depth or nan),
    Column("age", "AGE", 6, 4, lambda r: age(r.age_ms), _age_ink, lambda r: r.age_ms),
    Column("fills", "FILLS", 5, 5, _fills_text, lambda r: "text" if r.fills else "faint", lambda r: r.fills),
    Column("shape", "SHAPE", 5, 11, lambda r: _SHAPES.get(r.shape, r.shape), _constant("soft"), lambda r: r.shape, numeric=False),
    Column("health", "HLTH", 4, 10, lambda r: _percent(r.health), lambda r: _health_ink(r.health), lambda r: r.health),
    Column("state", "STATE", 9, 0, state_word, _state_ink, state_word, numeric=False),
)
"""In screen order."""

GAP = 1


def columns_for(width: int, *, has_shapes: bool = False) -> tuple[tuple[Column, ...], int]:
    """The columns that fit into ``width`` cells and the gap between them; the last, the state, takes the rest.

    ``has_shapes``: routes of several shapes are listed, and a row has to say which one it is.
    """
    chosen = list(COLUMNS)

    def rank(column: Column) -> int:
        if has_shapes and column.key in ("buypx", "sellpx"):
            return 12  # most shapes have none
        return 2 if has_shapes and column.key == "shape" else column.rank

    while len(chosen) > 2 and sum(column.width + GAP for column in chosen) - GAP > width:
        chosen.remove(max(reversed(chosen), key=rank))
    spare = width - sum(column.width for column in chosen)
    return tuple(chosen), max(GAP, min(3, (spare - 6) // max(1, len(chosen) - 1)))
