"""The console's colours by meaning. Widgets name an ink; the theme defines its look.

Styles are read from the theme's variables and not from component classes: Textual restyles every component class of every
widget whenever a class or the focus changes, which at 25 inks a widget blocks the engine for tens of milliseconds.
"""

from collections.abc import Iterable, Mapping

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from arbtui.model.printable import printable

Span = tuple[str, str]
"""A piece of text and the name of its ink."""

_BOLD = frozenset({"strong", "title", "halted", "crit", "live", "kill", "armed", "paused", "frozen", "tab"})
_UNDERLINED = frozenset({"sorted"})


class Styles:
    """The styles of the theme in force; one object, shared by every widget of the console."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._styles: dict[tuple[str, str], Style] = {}
        self.load(variables)

    def load(self, variables: Mapping[str, str]) -> None:
        """Use another theme; widgets that cache strips must repaint."""
        self._variables = variables
        self._grounded = frozenset(name[3:] for name in variables if name.startswith("on-"))
        self._styles.clear()

    def style(self, ink: str, ground: str = "") -> Style:
        """The style of ``ink``, on another background (``cursor``, ``halted``) when named."""
        key = (ink, ground)
        style = self._styles.get(key)
        if style is None:
            color = self._variables[f"ink-{ink}"]
            back = self._variables.get(f"on-{ink}") or self._variables.get(f"on-{ground}") or self._variables["on-page"]
            style = Style(color=color, bgcolor=back, bold=ink in _BOLD or None, underline=ink in _UNDERLINED or None)
            self._styles[key] = style
        return style

    def strip(self, spans: Iterable[Span], width: int, ground: str = "") -> Strip:
        """One line of exactly ``width`` cells.

        Spaces before a word belong to the run before it: pictures of the screen (SVG) lose spaces at the start of a run.
        """
        segments: list[Segment] = []
        run: list[str] = []
        last = ""
        grounded = self._grounded
        for text, ink in spans:
            text = printable(text)  # what a venue or a person wrote must not steer the terminal
            if text[:1] == " " and ink not in grounded:
                word = text.lstrip(" ")
                if not run or last in grounded:
                    if run:
                        segments.append(Segment("".join(run), self.style(last, ground)))
                        run.clear()
                    last = "rule"
                run.append(text[: len(text) - len(word)])
                text = word
            if not text:
                continue
            if ink != last and run:
                segments.append(Segment("".join(run), self.style(last, ground)))
                run.clear()
            last = ink
            run.append(text)
        if run:
            segments.append(Segment("".join(run), self.style(last, ground)))
        return Strip(segments).adjust_cell_length(width, self.style("text", ground))
