"""Pane 7: the stock of every asset, a column a venue. What runs dry stands on top, and its bar is short.

What a transfer brings stands in place of the runway, with its sign.
"""

import time
from collections.abc import Callable
from math import inf, isfinite

from arbtui.console.bar import stock_bar, stock_ink
from arbtui.console.grid import Grid
from arbtui.console.lines import width_of
from arbtui.console.numbers import MISSING, fit, fit_right, hours, quantity, short, within
from arbtui.console.query import Query
from arbtui.console.styles import Span, Styles
from arbtui.views import ReadModel, StockCell, StockRow

SORT_EVERY_S = 1.0
"""Stock moves with fills, not with books: once a second is enough, and the loop has better to do."""

SORT_REST_S = 1.0
"""s after a cursor move without a sort: the chosen row must not jump away."""

PER_SLICE = 40
"""Rows read at once; of many assets the rest follows frame by frame."""

_ASSET, _IMBALANCE, _VALUE = 7, 5, 10

_WHOLE, _TIGHT = 18, 6
"""Cells of a venue's column with bar and runway, and at least: with its share alone, where there is no room for every venue's bar."""

_FEW = 2
"""So many venues keep their bars at any width."""

_SORTS: dict[str, tuple[Callable[[StockRow], float | str], bool]] = {
    "share": (lambda row: row.share, False),
    "runway": (lambda row: row.hours, False),
    "imbalance": (lambda row: row.imbalance, True),
    "value": (lambda row: row.value, True),
    "asset": (lambda row: row.asset, False),
}
"""What rows may be ordered by, and whether the largest comes first."""

_SOON_H, _NOW_H = 1.0, 1 / 6
"""Hours of runway that are marked, and marked in red."""


class StockPane(Grid[StockRow]):
    """The stock of ``model``."""

    def __init__(self, inks: Styles, model: ReadModel, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inks, 7, "Stock", id="stock", has_head=True)
        self._model = model
        self._monotonic = monotonic
        self.query_filter = Query()
        self.sort_key = "share"
        self.sort_reverse = False
        self._sorted_at = self._moved_at = -inf
        self._read_from = 0
        self._venues: tuple[str, ...] = ()
        self._spent = self._budget = 0.0

    def identity(self, row: StockRow) -> str:
        """The asset."""
        return row.asset

    def version(self, row: StockRow) -> int:
        """The read model's version of the row."""
        return row.version

    def empty_text(self) -> str:
        """Why nothing is shown."""
        return f"no asset matches /{self.query_filter.text}   Esc clears the filter" if self.query_filter.text else "no stock yet"

    def title_left(self) -> list[Span]:
        """How many need somebody, the filter and the order."""
        words = [row.word for row in self.rows]
        dry, low = words.count("DRY"), words.count("LOW")
        spans: list[Span] = [(f"{len(words)}", "soft")]
        spans += [(f"  {dry} dry", "kill")] if dry else []
        spans += [(f"  {low} low", "warn")] if low else []
        spans += [(f"  /{self.query_filter.text}", "warn")] if self.query_filter.text else []
        if self._budget > 0.0:
            spans.append(
                (f"  rebalancing {self._spent:,.2f} of {self._budget:,.2f}", "warn" if self._spent > 0.8 * self._budget else "soft")
            )
        return [*spans, (f"  {self.order_word}", "soft")]

    @property
    def order_word(self) -> str:
        """``▲share``: what the rows are ordered by."""
        return f"{'▼' if _SORTS[self.sort_key][1] != self.sort_reverse else '▲'}{self.sort_key}"

    def head(self, width: int) -> list[Span]:
        """The venues over their columns."""
        spans: list[Span] = [(fit("ASSET", _ASSET), "head")]
        each = self._cell_width(width)
        for venue in self._venues:
            if each < _WHOLE:
                spans.append((fit_right(venue[: each - 1], each), "head"))
            else:
                spans += [(fit(f" {venue}", each - 7), "head"), (fit_right("RUNWAY", 7), "head")]
        return [*spans, (fit_right("IMB", _IMBALANCE), "head"), (fit_right("VALUE", _VALUE), "head")]

    def spans(self, row: StockRow, width: int) -> list[Span]:
        """Asset, a cell a venue, how uneven it is, what it is worth."""
        ink = {"DRY": "kill", "LOW": "warn"}.get(row.word, "strong")
        spans: list[Span] = [(fit(row.asset, _ASSET), ink)]
        cells = {cell.exchange: cell for cell in row.cells}
        each = self._cell_width(width)
        for venue in self._venues:
            spans += _cell(cells[venue], each) if venue in cells else [(" " * each, "text")]
        uneven = f"{row.imbalance:.0%}" if isfinite(row.imbalance) else MISSING
        spans.append((fit_right(uneven, _IMBALANCE), "warn" if row.imbalance > 0.65 else "soft"))
        return [*spans, (fit_right(within(row.value, 0, _VALUE - 1) if isfinite(row.value) else MISSING, _VALUE), "soft")]

    def tick(self) -> None:
        """One frame: read what is due, and sort when it is time."""
        now, rows = self._monotonic(), self._model.stock()
        due = now - self._sorted_at >= SORT_EVERY_S
        if due or self._read_from:
            part = rows[self._read_from : self._read_from + PER_SLICE]
            self._model.refresh_stock(part)
            self._read_from = 0 if self._read_from + PER_SLICE >= len(rows) else self._read_from + PER_SLICE
        if due and not self._read_from:
            self._sorted_at = now
            self._spent, self._budget = self._model.rebalancing()
            if now - self._moved_at >= SORT_REST_S:
                self.reorder()
        self.paint_changed()

    def reorder(self) -> None:
        """Filter and sort now. Rows without the figure come last in either direction."""
        rows = self._model.stock()
        venues = tuple(dict.fromkeys(cell.exchange for row in rows for cell in row.cells))
        if venues != self._venues:
            self._venues = venues
            self.repaint()
        key, largest_first = _SORTS[self.sort_key]
        wanted = [row for row in rows if self.query_filter(row)]
        known = [row for row in wanted if (value := key(row)) == value]  # NaN is not equal to itself
        missing = [row for row in wanted if (value := key(row)) != value]
        known.sort(key=lambda row: row.asset)
        known.sort(key=key, reverse=largest_first != self.sort_reverse)
        self.set_rows([*known, *missing])

    def set_query(self, query: Query) -> None:
        """Show the assets that match, from the top."""
        if query.text != self.query_filter.text:
            self.query_filter = query
            self.reorder()
            self.repaint()

    def next_sort(self) -> str:
        """Order by the next figure; its name."""
        keys = list(_SORTS)
        self.sort_key = keys[(keys.index(self.sort_key) + 1) % len(keys)]
        self.sort_reverse = False
        self.reorder()
        self.repaint()
        return self.sort_key

    def reverse_sort(self) -> None:
        """Reverse the order."""
        self.sort_reverse = not self.sort_reverse
        self.reorder()
        self.repaint()

    def on_grid_cursor_moved(self) -> None:
        """Do not sort for a moment."""
        self._moved_at = self._monotonic()

    def _cell_width(self, width: int) -> int:
        each = (width - _ASSET - _IMBALANCE - _VALUE) // max(1, len(self._venues))
        least = _WHOLE if len(self._venues) <= _FEW else _TIGHT
        return min(60, max(least, each))


def _cell(cell: StockCell, width: int) -> list[Span]:
    """Bar, share, quantity and runway in ``width`` cells, the quantity as room allows; in a narrow column the share, or what comes."""
    share = f"{cell.share:.0%}" if isfinite(cell.share) else MISSING
    if width < _WHOLE:
        text, ink = _under_way(cell) or (share, "text" if cell.word in ("", "ok") else stock_ink(cell.share))
        return [(fit_right(text.strip(), width), ink)]
    amount = fit_right(quantity(cell.total, 12), 12) if width >= 42 else fit_right(short(cell.total, 6), 7) if width >= 24 else ""
    tail: list[Span] = [
        (fit_right(share, 6), "text" if cell.word in ("", "ok") else stock_ink(cell.share)),
        (amount, "soft"),
        _under_way(cell) or (fit_right(hours(cell.hours), 7), _runway_ink(cell.hours)),
    ]
    return [(" ", "text"), *stock_bar(cell.share, max(2, width - 1 - width_of(tail))), *tail]


def _under_way(cell: StockCell) -> Span | None:
    """What a transfer brings or takes, in place of the runway: that is what one waits for."""
    if cell.coming:
        return (fit_right(f"+{short(cell.coming, 6)}", 7), "key")
    return (fit_right(f"-{short(cell.leaving, 6)}", 7), "key") if cell.leaving else None


def _runway_ink(left_h: float) -> str:
    return "kill" if left_h < _NOW_H else "warn" if left_h < _SOON_H else "dim"
