"""What the fold remembers of venues' notices: what was read, which of their steps were done, and which coins are new."""

from collections.abc import Iterator

from msgspec import Struct, field

from arbtui.journal.events import NoticeActed, NoticeRead, NoticeStep

#: Notices that are remembered, beside those with a step to come or a halt that stands, and one for each market that is flagged: one that
#: were forgotten would be a new one a minute later. And new coins.
_KEPT, _KEPT_NEW = 500, 1000


def id_of_flags(exchange: str, code: str) -> str:
    """The id of the one notice that stands for the flags of a market: no venue's own has two colons."""
    return f"{exchange}:flags:{code}"


class NoticeRecord(Struct):
    """One notice."""

    read: NoticeRead
    ts_ms: int  #: when it was last read
    done: dict[str, str] = field(default_factory=dict)  #: what came of each step, by the step's key
    done_ms: dict[str, int] = field(default_factory=dict)  #: and when

    @property
    def pending(self) -> list[NoticeStep]:
        """Its steps that are still to be done, the earliest first; of one moment, in their order."""
        return sorted((step for step in self.read.steps if step.key not in self.done), key=lambda step: step.at_ms)

    @property
    def is_flag(self) -> bool:
        """Whether it stands for flags that a market has."""
        return bool(self.read.digest) and self.read.notice_id.startswith(id_of_flags(self.read.exchange, ""))


class Notices(Struct):
    """All of them."""

    by_id: dict[str, NoticeRecord] = field(default_factory=dict)  #: in the order in which they were last read
    new_coins: dict[str, str] = field(default_factory=dict)  #: coin to the notice that it is listed by: none is traded by itself
    lifted: dict[str, int] = field(default_factory=dict)  #: when a halt of a scope that they name was last taken away, in ms

    def take_read(self, event: NoticeRead, ts_ms: int) -> None:
        """A notice was read, for the first time or again. A step that it moves to after it was done is to be done again."""
        before = self.by_id.pop(event.notice_id, None)
        record = NoticeRecord(event, ts_ms)
        if before is not None:
            at_ms = {step.key: step.at_ms for step in before.read.steps}
            moved = {
                step.key for step in event.steps if step.at_ms != at_ms.get(step.key) and step.at_ms > before.done_ms.get(step.key, ts_ms)
            }
            record.done = {key: outcome for key, outcome in before.done.items() if key not in moved}
            record.done_ms = {key: done_ms for key, done_ms in before.done_ms.items() if key not in moved}
        self.by_id[event.notice_id] = record
        for coin in event.new_coins:
            self.new_coins.setdefault(coin, event.notice_id)
        while len(self.new_coins) > _KEPT_NEW:
            del self.new_coins[next(iter(self.new_coins))]
        if len(self.by_id) > _KEPT:
            others = [key for key, one in self.by_id.items() if not one.is_flag]
            over = (key for key in others if not self.by_id[key].pending and not self._still_holds(self.by_id[key]))
            if len(others) > _KEPT and (oldest := next(over, None)) is not None:
                del self.by_id[oldest]
            self.lifted = {scope: ms for scope, ms in self.lifted.items() if self._names(scope)}

    def take_acted(self, event: NoticeActed, ts_ms: int) -> None:
        """A step was done, or was in vain."""
        record = self.by_id.get(event.notice_id)
        if record is not None:
            record.done[event.step], record.done_ms[event.step] = event.outcome, ts_ms

    def take_lifted(self, scope: str, ts_ms: int) -> None:
        """A halt of ``scope`` was taken away, whoever had set it."""
        if self._names(scope):
            self.lifted[scope] = ts_ms

    def _names(self, scope: str) -> bool:
        return any(step.scope == scope for record in self.by_id.values() for step in record.read.steps)

    def holds(self, record: NoticeRecord, scope: str) -> bool:
        """Whether ``record`` has halted ``scope``, and nobody has taken that away since."""
        since = self.lifted.get(scope, -1)
        steps = (step for step in record.read.steps if step.verb == "hold" and step.scope == scope)
        return any(record.done_ms.get(step.key, -1) > since for step in steps)

    def _still_holds(self, record: NoticeRecord) -> bool:
        return any(self.holds(record, scope) for scope in {step.scope for step in record.read.steps})

    def due(self) -> Iterator[tuple[NoticeRecord, NoticeStep]]:
        """Every step that is still to be done, the earliest first."""
        steps = [(record, step) for record in self.by_id.values() for step in record.pending]
        yield from sorted(steps, key=lambda pair: pair[1].at_ms)
