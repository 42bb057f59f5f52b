"""Progress on standard error: a bar on a terminal, else plain lines."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from arbtui.settings.output import say

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Receives the progress of each part."""

    def begin(self, what: str) -> None:
        """A part has started."""
        ...

    def tick(self) -> None:
        """Some time has passed."""
        ...

    def end(self, expected_s: float) -> None:
        """The part that was estimated at ``expected_s`` seconds is over."""
        ...


class _Estimate:
    """What is left of ``total_s`` estimated seconds: longer by as much as the parts so far took longer than they were estimated at."""

    def __init__(self, total_s: float) -> None:
        self._total_s = total_s
        self._done_s = 0.0  # estimated
        self._began = time.monotonic()

    def end(self, expected_s: float) -> None:
        """The part that was estimated at ``expected_s`` seconds is over."""
        self._done_s += expected_s

    def left_s(self, part_s: float = 0.0) -> float:
        """From the end of the last part, ``part_s`` of another one done."""
        took_s = time.monotonic() - self._began
        slower = max(1.0, (took_s - part_s) / self._done_s) if self._done_s else 1.0
        return max(0.0, (self._total_s - self._done_s) * slower - part_s)


class Lines:
    """One line a part: for logs and pipes."""

    def __init__(self, total_s: float) -> None:
        self._estimate = _Estimate(total_s)

    def begin(self, what: str) -> None:
        """See :class:`Progress`."""
        say(f"load test: {what}, about {self._estimate.left_s():.0f} s to go")

    def tick(self) -> None:
        """See :class:`Progress`."""

    def end(self, expected_s: float) -> None:
        """See :class:`Progress`."""
        self._estimate.end(expected_s)


@contextmanager
def progress(total_s: float) -> Iterator[Progress]:
    """The progress of a load test estimated at ``total_s`` seconds."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield Lines(total_s)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<34}"), BarColumn(bar_width=None), TextColumn("{task.fields[left]} left"))
    # Twice a second, on our own ticks: a redrawing thread would take CPU from the measured child.
    with Bars(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        yield _Bar(bar, total_s)


class _Bar:
    def __init__(self, bar: "RichProgress", total_s: float) -> None:
        self._bar = bar
        self._total_s = total_s
        self._task = bar.add_task("", total=total_s, left=_clock(total_s))
        self._estimate = _Estimate(total_s)
        self._began = self._shown = time.monotonic()

    def begin(self, what: str) -> None:
        self._began = time.monotonic()
        self._bar.update(self._task, description=what, refresh=True)

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._shown >= 0.5:
            self._shown = now
            self._show(now - self._began)

    def end(self, expected_s: float) -> None:
        self._estimate.end(expected_s)
        self._show(0.0)

    def _show(self, part_s: float) -> None:
        left_s = self._estimate.left_s(part_s)
        done_s = max(0.0, self._total_s - left_s)
        self._bar.update(self._task, completed=done_s, left=_clock(left_s), refresh=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
