"""What is done only when the profile's name and a reason have been typed; both are journaled."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from arbtui.console.screens.dialog import Dialog
from arbtui.model.printable import printable

LONGEST = 500
"""Letters of a name or a reason; the journal keeps the reason for ever."""


class TypedScreen(Dialog[bool]):
    """Fields to type into, name and reason the last of them; answers True when it was done and False when it was left.

    Subclasses say what will be done (:meth:`lines`) and do it (:meth:`act`).
    """

    AUTO_FOCUS = "#typed-name"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "leave it", id="typed.cancel", tooltip="Leave it as it is"),
        # A priority binding moves the focus before the next key of the same burst is given out.
        Binding("enter", "next", "next", id="typed.next", priority=True, tooltip="The next field; after the last one, do it"),
    ]

    def __init__(self, profile: str, title: str, subtitle: str) -> None:
        super().__init__()
        self._profile = profile
        self._title = title
        self._subtitle = subtitle

    def lines(self) -> Iterable[str]:
        """What will be done, and why."""
        raise NotImplementedError

    def act(self, name: str, reason: str) -> str | None:
        """Do it; None when done, else why not."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """What will be done, then the two fields."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = self._title, self._subtitle
            for number, line in enumerate(self.lines()):
                yield Static(printable(line), markup=False, classes="label" if number else "")
            yield from self.fields()
            yield Static("", id="typed-problem", classes="problem", markup=False)

    def fields(self) -> ComposeResult:
        """The fields in order, each with its label: name and reason are the last ones."""
        yield Static(f"Type the profile's name ({self._profile})", markup=False, classes="label")
        yield Input(id="typed-name", compact=True, max_length=LONGEST)
        yield Static("Reason, for the journal", classes="label")
        yield Input(id="typed-reason", compact=True, max_length=LONGEST)

    def action_next(self) -> None:
        """Go to the next field; from the last one, act, once every field has processed its keys."""
        fields = list(self.query(Input))
        following = dict(pairwise(fields))
        if isinstance(self.focused, Input) and self.focused in following:
            self.set_focus(following[self.focused], scroll_visible=False)
            return
        step: Callable[[], object] = self._act
        for field in reversed(fields):
            step = partial(field.call_later, step)
        step()

    def _act(self) -> None:
        name, reason = self.query_one("#typed-name", Input), self.query_one("#typed-reason", Input)
        refusal = self.act(name.value.strip(), reason.value.strip())
        if refusal is None:
            self.dismiss(True)
            return
        self.query_one("#typed-problem", Static).update(printable(refusal))
        if not name.value.strip() or "name" in refusal:
            self.set_focus(name, scroll_visible=False)
