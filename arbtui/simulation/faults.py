"""Scripted faults between us and a paper venue, for tests of the engine."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong with an order."""

    REQUEST_LOST = "request_lost"  #: the order never arrives; the sender gets no answer
    ANSWER_LOST = "answer_lost"  #: the order is executed; the sender gets no answer
    ANSWER_LATE = "answer_late"  #: the order is executed; the answer takes ``seconds`` longer
    REJECT = "reject"  #: the venue refuses for good


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``seconds``: how much later the answer comes, or after how long the sender gives up waiting."""

    kind: FaultKind
    seconds: float = 2.0


class FaultScript:
    """The faults of the next orders of one venue: each order takes the first entry; None lets it pass."""

    def __init__(self) -> None:
        self._next: deque[Fault | None] = deque()

    def add(self, *faults: Fault | None) -> None:
        """Append to the script."""
        self._next.extend(faults)

    def take(self) -> Fault | None:
        """The fault of the order that is sent now."""
        return self._next.popleft() if self._next else None
