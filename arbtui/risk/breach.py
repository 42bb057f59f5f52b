"""A limit that was hit, or something that needs a person."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How loud a breach is."""

    WARN = "WARN"
    CRIT = "CRIT"  #: needs a person


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach. ``id`` is unique in a state folder; ``scope`` is ``global`` or a route, symbol or exchange."""

    id: str
    ts_ms: int
    severity: Severity
    kind: str
    scope: str
    detail: str
    action: str
