"""A few lines of spans as a widget: the header, gauges, tabs, flash line and footer. Repaints only lines that changed."""

from collections.abc import Sequence

from textual.containers import Container
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from arbtui.console.styles import Span, Styles
from arbtui.console.textual_fixes import Survivor


class Lines(Widget):
    """Subclasses call :meth:`show` with the content of each line: spans and the name of its background."""

    DEFAULT_CSS = "Lines { height: 1; width: 1fr; }"

    def __init__(self, inks: Styles, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks = inks
        self._lines: list[tuple[list[Span], str]] = []
        self._strips: dict[int, Strip] = {}

    def show(self, lines: Sequence[tuple[list[Span], str]]) -> None:
        """Take new content; lines that are equal to the old ones cost nothing."""
        old = self._lines
        changed = [y for y in range(max(len(old), len(lines))) if y >= len(old) or y >= len(lines) or old[y] != lines[y]]
        if not changed:
            return
        self._lines = list(lines)
        for y in changed:
            self._strips.pop(y, None)
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def repaint(self) -> None:
        """Clear all cached strips: the theme or the width changed."""
        self._strips.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Lines depend on the width."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """One line, from the cache when nothing changed."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != self.size.width:
            spans, ground = self._lines[y] if y < len(self._lines) else ([], "")
            try:
                strip = self.inks.strip(spans, self.size.width, ground)
            except Exception as error:
                return unpainted(self, self.inks, error)
            self._strips[y] = strip
        return strip


def unpainted(widget: Widget, inks: Styles, error: Exception) -> Strip:
    """Stands for a line of ``widget`` that could not be painted: one broken row must not keep the header from the screen.

    Raises:
        Exception: ``error``, where it ends the app.
    """
    app = widget.app
    if not isinstance(app, Survivor) or not app.survives(error):
        raise error
    app._handle_exception(error)
    return inks.strip([("  this line cannot be painted; arbtui.log says why", "warn")], widget.size.width)


def width_of(spans: Sequence[Span]) -> int:
    """The width of spans in cells; for our own texts, whose glyphs are all one cell wide."""
    return sum(len(text) for text, _ in spans)


def justify(left: list[Span], right: list[Span], width: int, fill: Span = (" ", "text")) -> list[Span]:
    """``left`` and ``right`` at their margins, ``fill`` between; when both do not fit, the right side is dropped."""
    gap = width - width_of(left) - width_of(right)
    if gap < 1:
        right, gap = [], max(0, width - width_of(left))
    return [*left, (fill[0] * gap, fill[1]), *right]


def is_seen(widget: Widget) -> bool:
    """Whether ``widget`` and its parents are shown."""
    holder = widget.parent
    return bool(widget.display and (not isinstance(holder, Container) or holder.display))
