"""How far a recording is, on standard error: a bar where there is a terminal, nothing where not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from arbtui.model.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress:
    """Told now and then how it goes; silent, for logs and pipes."""

    def show(self, passed_s: float, frames: int, trouble: str) -> None:
        """``trouble``: what is wrong with a connection, in words; empty when nothing is."""


class _Bar(Progress):
    def __init__(self, bar: "RichProgress", total_s: float) -> None:
        self._bar = bar
        self._total_s = total_s
        self._task = bar.add_task("connecting", total=total_s, left="")

    def show(self, passed_s: float, frames: int, trouble: str) -> None:
        minutes, seconds = divmod(max(0, round(self._total_s - passed_s)), 60)
        done, what = min(passed_s, self._total_s), printable(trouble) or f"{frames:,} frames"
        self._bar.update(self._task, completed=done, description=what, left=f"{minutes}:{seconds:02d}", refresh=True)


@contextmanager
def progress(total_s: float) -> Iterator[Progress]:
    """The progress of a recording of ``total_s`` seconds."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), TextColumn("{task.fields[left]} left"))
    with Bars(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        yield _Bar(bar, total_s)
