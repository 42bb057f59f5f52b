"""What a restart goes on from: the portfolio's fold, and the simulator's prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from arbtui.portfolio.restore import SNAPSHOT_KEY


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """One snapshot: ``portfolio`` as :meth:`arbtui.portfolio.portfolio.Portfolio.encode` gives it, ``simulator`` its own state."""

    portfolio: bytes
    simulator: dict[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """As the journal stores it."""
        return {SNAPSHOT_KEY: msgspec.Raw(self.portfolio), "simulator": self.simulator}


def simulator_of(payload: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The simulator's part of a stored snapshot; None where there is none that can be used: prices begin anew then."""
    simulator = (payload or {}).get("simulator")
    return simulator if isinstance(simulator, dict) else None
