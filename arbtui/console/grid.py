"""A table of live rows on Textual's line API: it repaints only the visible rows that changed.

Textual's DataTable re-renders every visible cell for one that changed (60 ms at 50 rows); this costs about a
millisecond. Rows and the cursor are tied to an identity: the cursor stays on its row while rows move.
"""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.cache import FIFOCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from arbtui.console.lines import justify, unpainted
from arbtui.console.styles import Span, Styles

Row = TypeVar("Row")

_LEAST_CACHED = 32

LINES_PER_SLICE = 8
"""Most rows repainted at once; the rest follow in the next slice of the frame. One row costs about a quarter
of a millisecond, and the engine waits for all that are painted at once."""


def _cache_of(height: int) -> FIFOCache[tuple[str, int, bool], Strip]:
    """A cache for the rows of a grid: what they looked like before never comes back, and a painted row takes 3 kB.

    Not an LRUCache: its links refer to each other, and what it is cleared of waits for the garbage collector.
    """
    return FIFOCache(max(_LEAST_CACHED, 2 * height))


class Grid(ScrollView, Generic[Row], can_focus=True, inherit_bindings=False):
    """Subclasses define a row's identity, version and spans. ``follow_end``: the newest row is the last."""

    DEFAULT_CSS = "Grid { overflow: hidden hidden; scrollbar-size: 0 0; width: 1fr; height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="grid.down", tooltip="Next row; the cursor then stays with that row", show=False),
        Binding("k,up", "move(-1)", "Up", id="grid.up", tooltip="Previous row", show=False),
        Binding("g,home", "edge(0)", "Top", id="grid.top", tooltip="First row; fills and breaches follow the newest again", show=False),
        Binding("G,end", "edge(1)", "End", id="grid.end", tooltip="Last row; the log follows the newest again", show=False),
        Binding("pagedown", "page(1)", "Page down", id="grid.page-down", tooltip="One page down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="grid.page-up", tooltip="One page up", show=False),
    ]

    class CursorMoved(Message):
        """The operator moved the cursor."""

    def __init__(self, inks: Styles, number: int, name: str, *, id: str, follow_end: bool = False, has_head: bool = False) -> None:
        super().__init__(id=id)
        self.inks = inks
        self.number = number
        self.label = name
        self.rows: Sequence[Row] = ()
        self.cursor = 0
        self.pinned: str | None = None
        """Identity of the row under the cursor once the operator has moved it; None: it stays with the newest or best."""
        self._has_title = True
        self._has_head = has_head
        self._follow_end = follow_end
        self._stamps: list[tuple[str, int] | None] = []
        self._strips = _cache_of(0)
        self._title: list[Span] = []

    def identity(self, row: Row) -> str:
        """The identity of ``row``, by which it is found again after a sort."""
        raise NotImplementedError

    def version(self, row: Row) -> int:
        """Rises when the row's appearance changes."""
        raise NotImplementedError

    def spans(self, row: Row, width: int) -> list[Span]:
        """The row's text in ``width`` cells, after the two cells of the cursor."""
        raise NotImplementedError

    def head(self, width: int) -> list[Span]:
        """The column heads, when the grid has them."""
        return []

    def title_left(self) -> list[Span]:
        """The part of the title after the name."""
        return []

    def empty_text(self) -> str:
        """The text of an empty grid."""
        return "nothing yet"

    @property
    def chrome(self) -> int:
        """Lines above the rows: title and column heads."""
        return int(self._has_title) + int(self._has_head)

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(0, self.size.height - self.chrome)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def claim(self) -> bool:
        """Keep the cursor on its row from now on, since the operator acts on it.

        False when the row that the cursor was pinned to has left the grid: the row under the cursor now was not chosen.
        """
        row = self.current
        if row is None:
            return False
        aimed = self.pinned
        self.pinned = self.identity(row)
        return aimed is None or aimed == self.pinned

    def show_from_top(self, *, settled: bool) -> None:
        """The operator asked for other rows: where the chosen row is not among them, begin at the top.

        ``settled``: then no row is chosen any more; else it is chosen again once it is back.
        """
        if self.pinned is None or any(self.identity(row) == self.pinned for row in self.rows):
            return
        self.cursor = 0
        self._scroll(0)
        if settled:
            self.pinned = None
        self.repaint()

    def show_title(self, shown: bool) -> None:
        """The title line is hidden where tabs show the same."""
        if shown != self._has_title:
            self._has_title = shown
            self._recounted()
            self.repaint()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Take rows in their new order; the cursor stays on its row, and the view on the cursor."""
        before = len(self.rows)
        self.rows = rows = list(rows)
        if len(rows) != before:
            self._recounted()
        old = self.cursor
        if self.pinned is None:
            self.cursor = max(0, len(rows) - 1) if self._follow_end else 0
            self._scroll(len(rows) if self._follow_end else 0)
        else:
            self.cursor = next((i for i, row in enumerate(rows) if self.identity(row) == self.pinned), min(old, max(0, len(rows) - 1)))
            self._scroll(self.top + self.cursor - old)
            self._keep_in_view()
        if not rows or not before:
            self.repaint()

    def paint_changed(self) -> int:
        """Repaint the visible rows that changed, at most :data:`LINES_PER_SLICE`; how many that were."""
        top, chrome, width = self.top, self.chrome, self.size.width
        stamps = self._stamps
        if len(stamps) != self.page:
            stamps = self._stamps = [None] * self.page
        regions: list[Region] = []
        count = len(self.rows)
        for y in range(self.page):
            index = top + y
            stamp = None
            if index < count:
                row = self.rows[index]
                stamp = (self.identity(row), self.version(row))
            if stamps[y] != stamp:
                stamps[y] = stamp
                regions.append(Region(0, y + chrome, width, 1))
                if len(regions) == LINES_PER_SLICE:
                    break
        title = self._title_spans() if self._has_title else []
        if title != self._title:
            self._title = title
            regions.append(Region(0, 0, width, 1))
        if regions:
            self.refresh(*regions)
        return len(regions)

    @property
    def visible_rows(self) -> Sequence[Row]:
        """The rows on screen now."""
        return self.rows[self.top : self.top + self.page]

    @property
    def top(self) -> int:
        """Index of the first row on screen."""
        return int(self.scroll_offset.y)

    def repaint(self) -> None:
        """Clear all cached strips: the theme, width or columns changed."""
        self._strips.clear()
        self._stamps = []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the widget: title, heads or a row."""
        try:
            return self._line(y)
        except Exception as error:  # a line that cannot be painted says so, and the engine trades on
            return unpainted(self, self.inks, error)

    def _line(self, y: int) -> Strip:
        width = self.size.width
        if self._has_title:
            if y == 0:
                return self.inks.strip(self._title_spans(), width)
            y -= 1
        if self._has_head:
            if y == 0:
                return self.inks.strip([("  ", "head"), *self.head(width - 2)], width)
            y -= 1
        index = self.top + y
        if index >= len(self.rows):
            text = f"  {self.empty_text()}" if y == 0 and not self.rows else ""
            return self.inks.strip([(text, "dim")], width)
        row = self.rows[index]
        selected = index == self.cursor and self.has_focus
        key = (self.identity(row), self.version(row), selected)
        strip = self._strips.get(key)
        if strip is None:
            marker: Span = ("▸ ", "key") if selected else ("  ", "text")
            strip = self.inks.strip([marker, *self.spans(row, width - 2)], width, "cursor" if selected else "")
            self._strips[key] = strip
        return strip

    def action_move(self, rows: int) -> None:
        """Move the cursor and pin it to the row it reaches."""
        self._go(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move by a page."""
        self._go(self.cursor + pages * max(1, self.page - 1))

    def action_edge(self, end: int) -> None:
        """First or last row; the edge where new rows arrive lets the cursor follow them again."""
        self._go(len(self.rows) if end else 0)
        if bool(end) == self._follow_end:
            self.pinned = None

    def on_focus(self, event: events.Focus) -> None:
        """The cursor shows only where keys go."""
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        """The cursor shows only where keys go."""
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Strips depend on the width, the scroll range on the height."""
        self._strips = _cache_of(self.size.height)
        self._recounted()
        self.repaint()

    def _go(self, index: int) -> None:
        if not self.rows:
            return
        self.cursor = min(max(index, 0), len(self.rows) - 1)
        self.pinned = self.identity(self.rows[self.cursor])
        self._keep_in_view()
        self.refresh()
        self.post_message(self.CursorMoved())

    def _keep_in_view(self) -> None:
        if self.cursor < self.top:
            self._scroll(self.cursor)
        elif self.cursor >= self.top + self.page:
            self._scroll(self.cursor - self.page + 1)

    def _scroll(self, top: int) -> None:
        if top != self.top:
            self.scroll_to(y=top, animate=False, force=True)

    def _recounted(self) -> None:
        """More or fewer rows, or lines for them: the scroll range and the title change, the rows' strips do not."""
        # Set without Textual's new layout of the whole screen: the height of a grid never depends on its rows.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, len(self.rows) + self.chrome))
        if self.pinned is None:
            self._scroll(len(self.rows) if self._follow_end else 0)
        else:
            self._keep_in_view()
        self._stamps = []
        self.refresh()

    def _title_spans(self) -> list[Span]:
        width = self.size.width
        name = "focus" if self.has_focus else "title"
        left: list[Span] = [
            ("── ", "rule"),
            (f"[{self.number}] ", "key"),
            (self.label, name),
            (" ", "rule"),
            *self.title_left(),
            (" ", "rule"),
        ]
        count = len(self.rows)
        place = f" {self.top + 1}-{min(count, self.top + self.page)} of {count} " if count > self.page > 0 else ""
        return justify(left, [(place, "dim"), ("──", "rule")], width, ("─", "rule"))
