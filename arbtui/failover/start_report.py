"""The steps of a start, each with its time and result: the same ones after a clean end and after a crash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: In order. What a step does is told where it is done.
STEPS = (
    "locks",
    "kill flag",
    "journal",
    "alerts",
    "last run",
    "venues",
    "venue lists",
    "orders and fills",
    "unresolved",
    "orphans",
    "balances",
    "cycles",
    "resume",
)


@dataclass(slots=True)
class StartStep:
    """One step. ``result`` is in words, and empty while it is under way."""

    number: int  #: from 1
    name: str
    seconds: float = 0.0
    result: str = ""
    is_fine: bool = True

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"no": self.number, "name": self.name, "seconds": round(self.seconds, 3), "ok": self.is_fine, "result": self.result or None}

    def in_words(self) -> str:
        """``start 3/13 journal: 120 events (0.02 s)``."""
        told = self.result or "..."
        return f"start {self.number}/{len(STEPS)} {self.name}: {told}{f' ({self.seconds:.2f} s)' if self.result else ''}"


@dataclass(slots=True)
class StartReport:
    """What has been done of a start so far.

    ``now``: monotonic seconds. ``on_change``: called when a step has begun and when it has ended.
    """

    now: Callable[[], float]
    on_change: Callable[[StartStep], None] = lambda _: None
    steps: list[StartStep] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[StartStep]:
        """Do one step in the block; its result is set there. One that raises has the error's words as its result."""
        step = StartStep(STEPS.index(name) + 1, name)
        self.steps.append(step)
        self.on_change(step)
        began = self.now()
        try:
            yield step
        except BaseException as error:
            step.is_fine, step.result = False, str(error) or type(error).__name__
            raise
        finally:
            step.seconds = self.now() - began
            step.result = step.result or "done"
            self.on_change(step)

    def tell(self, step: StartStep, result: str, *, is_fine: bool) -> None:
        """What a step that goes on has come to so far."""
        step.result, step.is_fine = result, is_fine
        self.on_change(step)

    def facts(self) -> list[dict[str, Any]]:
        """As JSON can hold it, in the steps' order."""
        return [step.facts() for step in sorted(self.steps, key=lambda step: step.number)]
