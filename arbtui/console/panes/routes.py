"""Pane 1: every route with its net edge, or its first blocking reason. Filtered, sorted, and stable under the cursor."""

import time
from collections.abc import Callable, Iterable
from math import isfinite

from textual import events

from arbtui.console.columns import COLUMNS, Column, columns_for
from arbtui.console.grid import Grid
from arbtui.console.query import Query
from arbtui.console.styles import Span, Styles
from arbtui.views import ReadModel, RouteRow

FEW = 200
"""Up to this many routes are updated and sorted together."""

SORT_EVERY_S = 0.4
"""s between two sorts of few routes; their figures change only then, so the table always shows its own order."""

SORT_MANY_EVERY_S = 1.0
"""s between two sorts of more routes. The figures near the cursor change only then, too; the others in slices between two sorts."""

SORT_REST_S = 1.0
"""s after a cursor move without a sort: the chosen row must not jump away. Rows that no longer match are removed all the same."""

_BY_KEY = {column.key: column for column in COLUMNS}


def _place(entry: tuple[float | str, str, RouteRow]) -> tuple[float | str, str]:
    return entry[0], entry[1]


class RoutesPane(Grid[RouteRow]):
    """The routes of ``model``, each updated at least once between two sorts; what is on screen stands in the order of its figures."""

    def __init__(self, inks: Styles, model: ReadModel, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inks, 1, "Routes", id="routes", has_head=True)
        self._model = model
        self._monotonic = monotonic
        self._columns: tuple[Column, ...] = COLUMNS
        self._gap = 1
        self.query_filter = Query()
        self.sort_key = "net"
        self.sort_reverse = False
        self._sorted_at = -SORT_MANY_EVERY_S
        self._moved_at = -SORT_REST_S
        self._slice_at = 0
        self._near: frozenset[str] = frozenset()

    def identity(self, row: RouteRow) -> str:
        """The route."""
        return row.id

    def version(self, row: RouteRow) -> int:
        """The read model's version of the row."""
        return row.version

    def spans(self, row: RouteRow, width: int) -> list[Span]:
        """The cells of the visible columns."""
        gap: Span = (" " * self._gap, "text")
        spans: list[Span] = []
        *others, state = self._columns
        used = 0
        for column in others:
            spans += [column.cell(row), gap]
            used += column.width + self._gap
        return [*spans, state.cell(row, max(state.width, width - used - 1))]

    def head(self, width: int) -> list[Span]:
        """Column heads; the sorted one is underlined and carries its direction."""
        spans: list[Span] = []
        for column in self._columns:
            if spans:
                spans.append((" " * self._gap, "head"))
            ordered = column.key == self.sort_key
            mark = ("▲" if self._ascending else "▼") if ordered else ""
            text = mark + column.title
            ink = "sorted" if ordered else "head"
            pad = " " * (column.width - len(text))
            spans.extend([(pad, "head"), (text, ink)] if column.numeric else [(text, ink), (pad, "head")])
        return spans

    def title_left(self) -> list[Span]:
        """The number of routes, the filter and the order."""
        total, shown = len(self._model.routes), len(self.rows)
        filtered = self.query_filter.text
        count = f"{shown}/{total}" if filtered else f"{total}"
        spans: list[Span] = [(count, "soft"), ("  ", "rule")]
        if filtered:
            spans.append((f"/{filtered}  ", "warn"))
        return [*spans, (self.order_word, "soft")]

    def empty_text(self) -> str:
        """Why nothing is shown."""
        return f"no route matches /{self.query_filter.text}   Esc clears the filter" if self.query_filter.text else "no routes"

    @property
    def order_word(self) -> str:
        """``▼net``: what the rows are ordered by."""
        return f"{'▲' if self._ascending else '▼'}{self.sort_key}"

    @property
    def _ascending(self) -> bool:
        """Whether the order ascends: numbers start with the largest, text with A; reversed by `S`."""
        return self.sort_reverse == _BY_KEY[self.sort_key].numeric

    def tick(self, frames_per_s: float) -> None:
        """One frame: update the figures that are due, and sort when it is time.

        A table whose figures change between two sorts shows an order that is not theirs, and rows that its filter excludes.
        """
        model, now = self._model, self._monotonic()
        few = len(model.routes) <= FEW
        rests = now - self._moved_at < SORT_REST_S
        due = now - self._sorted_at >= (SORT_EVERY_S if few else SORT_MANY_EVERY_S)
        if not few:
            self._refresh_slice(frames_per_s)
        if rests:
            model.refresh(self.visible_rows)
        elif few and due:
            model.refresh(model.routes)
        if due and not rests:
            self.reorder()
        elif due and self.query_filter.text:
            self._drop_unmatched()
        self.paint_changed()

    def reorder(self) -> None:
        """Filter and sort now. Rows without the figure come last in either direction."""
        self._sorted_at = self._monotonic()
        many, chosen = len(self._model.routes) > FEW, self.current
        if many and chosen is not None:
            self._model.refresh([chosen])  # where it stands now is where the view is
        rows = self._in_order(self._model.routes)
        if many:
            cursor = next((place for place, row in enumerate(rows) if row.id == self.pinned), 0)
            part = slice(max(0, cursor - FEW // 2), max(0, cursor - FEW // 2) + FEW)
            self._model.refresh([row for row in rows[part] if row is not chosen])
            self._near = frozenset(row.id for row in rows[part])
            rows[part] = self._in_order(rows[part])
        self.set_rows(rows)

    def _in_order(self, rows: Iterable[RouteRow]) -> list[RouteRow]:
        """Those that the filter lets through, sorted."""
        key = _BY_KEY[self.sort_key].sort
        known: list[tuple[float | str, str, RouteRow]] = []
        missing: list[RouteRow] = []
        for row in rows:
            if self.query_filter(row):
                value = key(row)
                if isinstance(value, float) and not isfinite(value):
                    missing.append(row)
                else:
                    known.append((value, row.id, row))
        known.sort(key=_place, reverse=not self._ascending)
        return [*(row for _, _, row in known), *sorted(missing, key=self.identity)]

    def _refresh_slice(self, frames_per_s: float) -> None:
        routes = self._model.routes
        step = max(1, -(-len(routes) // max(1, int(frames_per_s * SORT_MANY_EVERY_S))))
        self._model.refresh([row for row in routes[self._slice_at : self._slice_at + step] if row.id not in self._near])
        self._slice_at = 0 if self._slice_at + step >= len(routes) else self._slice_at + step

    def _drop_unmatched(self) -> None:
        self._sorted_at = self._monotonic()
        rows = [row for row in self.rows if self.query_filter(row)]
        if len(rows) != len(self.rows):
            self.set_rows(rows)

    def set_query(self, query: Query) -> None:
        """Show the routes that match, from the top."""
        if query.text == self.query_filter.text:
            return
        self.query_filter = query
        self._model.refresh(self._model.routes)
        self.reorder()
        self.repaint()

    def next_sort(self) -> str:
        """Order by the next column on screen; its title."""
        keys = [column.key for column in self._columns]
        place = keys.index(self.sort_key) if self.sort_key in keys else -1
        self.sort_key = keys[(place + 1) % len(keys)]
        self.sort_reverse = False
        self.reorder()
        self.repaint()
        return _BY_KEY[self.sort_key].title

    def reverse_sort(self) -> None:
        """Reverse the order."""
        self.sort_reverse = not self.sort_reverse
        self.reorder()
        self.repaint()

    def on_grid_cursor_moved(self) -> None:
        """Do not sort for a moment."""
        self._moved_at = self._monotonic()

    def _choose_columns(self) -> None:
        has_shapes = any(row.shape != self._model.routes[0].shape for row in self._model.routes)
        self._columns, self._gap = columns_for(self.size.width - 2, has_shapes=has_shapes)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns that fit."""
        self._choose_columns()
        super().on_resize(event)
