"""Venues' notices about what is traded: what each means, what was done, and what is still to come."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from arbtui.journal.events import NoticeStep
from arbtui.model.clock import iso_ms
from arbtui.model.scoped_halts import NOTICE, ScopedHalt
from arbtui.portfolio.notices import NoticeRecord, Notices


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice. ``due_s``: seconds until its next step, None where none is to come; ``at_ms``, ``until_ms``: of what it announces."""

    id: str
    exchange: str
    kinds: tuple[str, ...]
    coins: tuple[str, ...]  #: of ours; else those that are new
    title: str
    url: str
    seen_ms: int
    at_ms: int | None
    until_ms: int | None
    due_s: float | None
    next: str  #: the next step in words; empty where none is to come
    done: tuple[str, ...]  #: what came of each step that was done
    standing: tuple[str, ...]  #: halts of notices that stand over what it names; a person takes them away
    told: str = ""  #: what the venue's own data say of it now; empty where nothing is known


def notice_lines(
    notices: Notices, halts: Sequence[ScopedHalt], now_ms: int, told: Callable[[NoticeRecord], str] = lambda _: ""
) -> list[NoticeLine]:
    """All that are remembered: those with a step to come first, the soonest first; then the newest."""
    lines = [_line(record, halts, now_ms, told(record)) for record in notices.by_id.values()]
    return sorted(lines, key=lambda line: (line.due_s is None, line.due_s or 0.0, -line.seen_ms))


def notice_facts(line: NoticeLine) -> dict[str, Any]:
    """As JSON can hold it."""
    return {
        "id": line.id,
        "exchange": line.exchange,
        "kinds": list(line.kinds),
        "coins": list(line.coins),
        "title": line.title,
        "url": line.url or None,
        "seen": iso_ms(line.seen_ms),
        "at": None if line.at_ms is None else iso_ms(line.at_ms),
        "until": None if line.until_ms is None else iso_ms(line.until_ms),
        "due_s": line.due_s,
        "next": line.next or None,
        "done": list(line.done),
        "standing": list(line.standing),
    }


def _line(record: NoticeRecord, halts: Sequence[ScopedHalt], now_ms: int, told: str) -> NoticeLine:
    read, pending = record.read, record.pending
    following = pending[0] if pending else None
    scopes = {step.scope for step in read.steps}
    return NoticeLine(
        id=read.notice_id,
        exchange=read.exchange,
        kinds=read.kinds,
        coins=read.coins or read.new_coins,
        title=read.title,
        url=read.url,
        seen_ms=record.ts_ms,
        at_ms=read.at_ms,
        until_ms=read.until_ms,
        due_s=None if following is None else max(0.0, (following.at_ms - now_ms) / 1000),
        next="" if following is None else step_words(following),
        done=tuple(record.done.values()),
        standing=tuple(halt.short for halt in halts if halt.source == NOTICE and halt.scope in scopes),
        told=told,
    )


def step_words(step: NoticeStep) -> str:
    """A step without its time: ``XRP HALTED``, ``upbit opens``, ``rules of upbit``, ``upbit:XRP gated``."""
    kind, _, name = step.scope.partition(".")
    if step.verb == "hold":
        return f"{name} gated" if kind == "wallet" else f"{name} {step.depth}"
    return f"{name} opens" if step.verb == "open" else f"rules of {name}"
