"""What a restart needs beside the journal's projections: the simulator's prices, and the last marks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """One snapshot. ``simulator`` is the simulator's own state, ``marks`` the last price of each asset in the PnL currency."""

    simulator: dict[str, Any] | None = None
    marks: Mapping[str, Decimal] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """As the journal stores it."""
        return {"simulator": self.simulator, "marks": {asset: str(mark) for asset, mark in self.marks.items()}}

    @classmethod
    def of(cls, payload: Mapping[str, Any] | None) -> "StateSnapshot":
        """From what the journal stored; whatever is not there or not readable is left out, a snapshot is never needed to start."""
        if payload is None:
            return cls()
        marks: dict[str, Decimal] = {}
        stored = payload.get("marks")
        if isinstance(stored, Mapping):
            for asset, text in stored.items():
                try:
                    marks[str(asset)] = Decimal(str(text))
                except InvalidOperation:
                    continue
        simulator = payload.get("simulator")
        return cls(simulator if isinstance(simulator, dict) else None, marks)
