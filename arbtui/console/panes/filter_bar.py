"""The filter's input, in place of the flash line while it is open: text, live count of matches, errors."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from arbtui.console.lines import Lines
from arbtui.console.query import ROUTES, Fields, Query, QueryError, hint, parse
from arbtui.console.styles import Styles

MARK_CELLS, COUNT_CELLS, LEAST_INPUT = 9, 44, 10
"""Cells of the mark, of the count, and the least width of the input when an error needs more."""


LONGEST = 500
"""Letters of a filter; each is looked at for every route."""


class FilterBar(Horizontal):
    """Opens with `/`. Enter keeps the filter, Esc clears it."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; background: $panel; }
    FilterBar.-open { display: block; }
    FilterBar #filter-mark { width: 9; }
    FilterBar Input { width: 1fr; background: $panel; border: none; padding: 0; height: 1; }
    FilterBar #filter-count { width: 44; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear the filter", id="filter.clear", tooltip="Clear the filter and close it", show=False),
    ]

    class Changed(Message):
        """A valid filter; ``done`` when the bar closes."""

        def __init__(self, query: Query, done: bool) -> None:
            super().__init__()
            self.query = query
            self.done = done

    def __init__(self, inks: Styles) -> None:
        super().__init__(id="filter-bar")
        self._inks = inks
        self._rows: Sequence[object] = ()
        self._fields = ROUTES
        self._error = ""
        self._hint = ""  # why nothing matches, where a word names what is not there
        self._query = Query()

    def compose(self) -> ComposeResult:
        """Mark, input, count."""
        yield Lines(self._inks, id="filter-mark")
        yield Input(id="filter-input", compact=True, select_on_focus=False, max_length=LONGEST)
        yield Lines(self._inks, id="filter-count")

    @property
    def is_open(self) -> bool:
        """Whether the operator is typing a filter."""
        return self.has_class("-open")

    def open(self, text: str, rows: Sequence[object], fields: Fields) -> None:
        """Show the bar with the filter in force for ``rows``."""
        self._rows, self._fields = rows, fields
        self.add_class("-open")
        self.query_one("#filter-mark", Lines).show([([(" filter /", "key")], "")])
        field = self.query_one(Input)
        field.placeholder = fields.example
        field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field, scroll_visible=False)  # at once: the next key is already the filter's
        self.tick()

    def tick(self) -> None:
        """Paint the live count."""
        shown = f"{self._count(self._query)} of {len(self._rows)} match   Enter keeps  Esc clears"
        message = (self._error, "warn") if self._error else (self._hint, "warn") if self._hint else (shown, "soft")
        count = self.query_one("#filter-count", Lines)
        count.styles.width = min(max(COUNT_CELLS, len(message[0]) + 2), max(COUNT_CELLS, self.size.width - MARK_CELLS - LEAST_INPUT))
        count.show([([(" ", "text"), message], "")])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed; an invalid filter leaves the last one in force and shows why."""
        event.stop()
        if not self.is_open:
            return
        try:
            self._query = self._read(event.value)
            self._error = ""
            self._hint = "" if self._count(self._query) else hint(event.value, self._rows, self._fields)
            self.post_message(self.Changed(self._query, done=False))
        except QueryError as error:
            self._error = str(error)
        self.tick()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        if not self._error:
            self._query = parse(event.value, self._fields)
            self.remove_class("-open")
            self.post_message(self.Changed(self._query, done=True))

    def _count(self, query: Query) -> int:
        return sum(map(query, self._rows))

    def _read(self, text: str) -> Query:
        """The filter typed so far: ``ed``, which matches nothing, may become ``edge>5``."""
        query = parse(text, self._fields)
        words = query.text.split()
        if words and any(name.startswith(words[-1]) for name in (*self._fields.numbers, *self._fields.texts)) and not self._count(query):
            return parse(" ".join(words[:-1]), self._fields)
        return query

    def action_clear(self) -> None:
        """Show everything again."""
        self._query = Query()
        self._error = self._hint = ""
        self.remove_class("-open")
        self.query_one(Input).value = ""
        self.post_message(self.Changed(self._query, done=True))
