"""What happened in a simulated story, as notes in words, and what it broke."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from arbtui.model.clock import Clock

#: A story is told in so many lines at most.
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Note:
    """One line. ``about``: ids of orders and cycles that it concerns; empty for what concerns all."""

    at_s: float
    text: str
    about: tuple[str, ...] = ()


class Broken(Exception):
    """An invariant does not hold. ``about``: ids of what it was seen at."""

    def __init__(self, invariant: str, detail: str, about: Iterable[str] = ()) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail
        self.about = tuple(about)


class Story:
    """The notes of one story, the faults that fired, and how often each invariant was looked at."""

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self.notes: list[Note] = []
        self.fired: Counter[str] = Counter()
        self.fired_numbers: list[int] = []
        self.checked: Counter[str] = Counter()
        self.broken: Broken | None = None
        self.on_broken: Callable[[], None] = lambda: None  #: called at the first invariant that breaks: nothing after it tells more

    @property
    def now_s(self) -> float:
        """Virtual seconds since the story began."""
        return 0.0 if self.clock is None else self.clock.monotonic()

    def note(self, text: str, *about: str) -> None:
        """Write down what happened."""
        self.notes.append(Note(self.now_s, text, about))

    def fire(self, number: int, kind: str, text: str, *about: str) -> None:
        """Write down that a fault fired."""
        self.fired[kind] += 1
        self.fired_numbers.append(number)
        self.note(f"FAULT {number}: {text}", *about)

    def check(self, invariant: str, holds: bool, detail: str = "", *about: str) -> None:
        """Count that ``invariant`` was looked at; the first that does not hold is kept."""
        self.checked[invariant] += 1
        if not holds and self.broken is None:
            self.broken = Broken(invariant, detail, about)
            self.note(f"BROKEN {invariant}: {detail}", *about)
            self.on_broken()

    def lines(self) -> list[str]:
        """The story in short: what concerns all, and what concerns the orders and cycles at which an invariant broke."""
        about = set(self.broken.about) if self.broken is not None else set()
        for note in self.notes:  # an order's note names its cycle too, and that one its other orders
            if about.intersection(note.about):
                about.update(note.about)
        told = [note for note in self.notes if not note.about or about.intersection(note.about)]
        if len(told) > _MOST_LINES:
            told = [*told[: _MOST_LINES // 4], *told[-(_MOST_LINES - _MOST_LINES // 4) :]]
        return [f"{note.at_s:9.3f} s  {note.text}" for note in told]
