"""What a long check is: a name, its arguments, and a run that ends in a verdict and figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

Progress = Callable[[str], None]  #: takes one line for whoever watches


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "pass"
    FAIL = "fail"


@dataclass(frozen=True)
class Outcome:
    """What a run found. ``table`` is printed as it is; ``figures`` are kept as JSON."""

    verdict: Verdict
    figures: Mapping[str, Any]
    table: str = ""


@dataclass(frozen=True)
class Options:
    """What the command line may change in a run."""

    sample: int = 0  #: so many mutants of each package, spread evenly; 0 for all
    match: str = ""  #: a regular expression that a mutant's name must hold
    budget_s: float = 0.0  #: a mutant is tried on its quickest tests that together take so long; 0 for all of them
    steps: int = 0  #: of a state machine; 0 for the check's own number
    jobs: int = 1  #: mutants tried at the same time; changes no result


class Check(Protocol):
    """A check that takes minutes to hours."""

    @property
    def name(self) -> str:
        """What it is called on the command line, and in its result's file name."""
        ...

    @property
    def summary(self) -> str:
        """One line."""
        ...

    @property
    def in_ci(self) -> bool:
        """True for what is part of the share that CI runs."""
        ...

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """What the result depends on besides the commit: a result with other arguments is another result."""
        ...

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Run. ``workspace`` belongs to this commit and these arguments: what an interrupted run left there is taken up."""
        ...


@dataclass(frozen=True)
class Result:
    """One result file."""

    name: str
    revision: str
    arguments: Mapping[str, Any]
    started: str  #: UTC, ISO 8601
    seconds: float
    verdict: Verdict
    figures: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
