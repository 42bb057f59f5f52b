"""Conditions that hold entries back for a while and clear by themselves: nobody has to come for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from arbtui.model.reason import Reason

#: A condition must have been over for so long, in seconds, before it no longer holds.
HYSTERESIS_S = 5.0
_HOUR_S = 3600.0


@dataclass(slots=True)
class _Block:
    since: float
    until: float
    begun: list[float] = field(default_factory=list)  #: of the last hour


class Blocks:
    """What holds back, by scope (empty for everything) and reason. Times in monotonic seconds."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, Reason], _Block] = {}

    def hold(self, scope: str, reason: Reason, now: float, for_s: float = HYSTERESIS_S) -> bool:
        """The condition holds at ``now``; it blocks for ``for_s`` beyond the last time that this is said. True when a block begins."""
        block = self._blocks.setdefault((scope, reason), _Block(now, now))
        begins = now >= block.until
        if begins:
            block.since = now
            block.begun = [at for at in block.begun if now - at < _HOUR_S] + [now]
        block.until = max(block.until, now + for_s)
        return begins

    def standing(self, scopes: Iterable[str], now: float) -> Reason | None:
        """The first reason that holds one of ``scopes`` back at ``now``."""
        if not self._blocks:
            return None
        wanted = set(scopes)
        return next((reason for (scope, reason), block in self._blocks.items() if scope in wanted and now < block.until), None)

    def lasting(self, scope: str, reason: Reason, now: float) -> float:
        """For how many seconds it has held; 0 when it does not."""
        block = self._blocks.get((scope, reason))
        return now - block.since if block is not None and now < block.until else 0.0

    def begun_last_hour(self, scope: str, reason: Reason, now: float) -> int:
        """How often it began within the last hour."""
        block = self._blocks.get((scope, reason))
        return 0 if block is None else sum(1 for at in block.begun if now - at < _HOUR_S)
