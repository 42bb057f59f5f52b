"""One judgement about a load test."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a verdict."""

    PASS = "PASS"
    FAIL = "FAIL"
    NOT_MEASURED = "NOT MEASURED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``criterion`` is the requirement, in one line with its bounds; ``found`` what the rows show."""

    criterion: str
    outcome: Outcome
    found: str


def judged(criterion: str, faults: list[str], fine: str) -> Verdict:
    """FAIL with all ``faults``, or PASS with what was ``fine``."""
    return Verdict(criterion, Outcome.FAIL, "; ".join(faults)) if faults else Verdict(criterion, Outcome.PASS, fine)


def not_measured(criterion: str, why: str) -> Verdict:
    """Neither: there is nothing to judge."""
    return Verdict(criterion, Outcome.NOT_MEASURED, why)
