"""``arbtui rearm`` of a profile on which no engine runs: what can be known is looked at now, the rest by the next start."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arbtui.cli.confirmation import Confirmation
from arbtui.cli.stopped_journal import commit_events
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.halt import HaltCause, archive_flag, read_flag
from arbtui.settings.lock import ProfileLock
from arbtui.settings.output import tell
from arbtui.settings.person import person

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.journal.state import JournalState
    from arbtui.portfolio.portfolio import Portfolio

_LATER = "asked by the next start"


@dataclass(frozen=True, slots=True)
class _Item:
    """One item of the checklist: fine, not fine, or (None) only a start can tell."""

    name: str
    is_fine: bool | None
    words: str


def rearm_stopped(name: str, folder: Path, path: Path | None, confirmation: Confirmation, *, override: bool) -> int:
    """Take the kill, or what left the profile DISARMED, back; the next start arms by itself once its own checklist is clean.

    Args:
        name: the profile's.
        folder: its state folder.
        path: the journal of the latest mode; None where there is none.
        confirmation: what the flags gave of it.
        override: although an item is not fine.

    Raises:
        UsageError: nothing to re-arm, the checklist is not clean, no confirmation, or another kill came meanwhile.
    """
    from arbtui.portfolio.trading_state import TradingState

    cause = read_flag(folder)
    journal, portfolio = _read(path)
    is_killed = cause is not None or (portfolio is not None and portfolio.state.killed)
    if not is_killed and (portfolio is None or portfolio.state.resume != TradingState.DISARMED):
        raise UsageError(f"{name}: nothing to re-arm: no kill stands, and no engine runs; a smaller halt is taken away with --scope")
    why = "" if portfolio is None else portfolio.state.why
    tell(f"{name}: {_state(cause, journal, why, is_killed=is_killed)}; no engine runs\n")
    items = _items(journal, portfolio)
    for item in items:
        tell(f"  {'later' if item.is_fine is None else 'ok   ' if item.is_fine else 'NOT  '}  {item.name}: {item.words}\n")
    failing = [item.name for item in items if item.is_fine is False]
    if failing and not override:
        raise UsageError(f"the checklist is not clean ({', '.join(failing)}): mend it, or add --override; nothing was changed")
    _, why = confirmation.take(name, "to re-arm it")
    with ProfileLock(folder):
        if read_flag(folder) != cause:
            raise UsageError("a kill came since this was opened: look again; nothing was changed")
        if path is not None:
            _journal(path, cause, why, tuple(failing))
        try:
            archive_flag(folder)
        except OSError as error:
            raise UsageError(f"the kill flag cannot be taken away ({error.strerror or error}, {error.filename}); it stands") from None
    journaled = "re-armed, and journaled" if path is not None else "re-armed; there is no journal yet, the flag is kept beside it"
    tell(f"{journaled}; the next start waits DISARMED until its checklist is clean, then arms by itself\n")
    return 0


def _read(path: Path | None) -> "tuple[JournalState | None, Portfolio | None]":
    from arbtui.portfolio.restore import restore

    return (None, None) if path is None else restore(path)


def _state(cause: HaltCause | None, journal: "JournalState | None", why: str, *, is_killed: bool) -> str:
    if cause is not None:
        return f"HALTED by {cause.source}: {cause.reason or 'no reason given'}"
    if is_killed and journal is not None and journal.kills:
        return f"HALTED by {journal.kills[-1].source}: {journal.kills[-1].reason} (the flag is gone, the journal remembers)"
    return f"DISARMED {why}".rstrip()


def _items(journal: "JournalState | None", portfolio: "Portfolio | None") -> list[_Item]:
    if journal is None or portfolio is None:
        return [_Item("journal", True, "none yet"), _Item("feeds and clocks", None, _LATER)]
    orders = len(portfolio.open_orders)
    disputes = [f"disputed {exchange} {asset}" for exchange, assets in portfolio.state.disputes.items() for asset in assets]
    waiting = [f"residual {cycle.id} not seen" for cycle in portfolio.positions if not cycle.acknowledged_by]
    cycles = len(portfolio.open_cycles)
    left = [counted(count, what) for count, what in ((cycles, "cycle"), (orders, "order")) if count]
    return [
        _Item("journal", True, "healthy"),
        _Item("positions", not (disputes or waiting), ", ".join([*disputes, *waiting]) or "reconciled as of its last run"),
        _Item("open orders", None if left else True, f"{', '.join(left)} open: {_LATER}" if left else "none"),
        _Item("feeds and clocks", None, _LATER),
    ]


def _journal(path: Path, cause: HaltCause | None, reason: str, overridden: tuple[str, ...]) -> None:
    """First the journal, then the flag: one that stands although the journal says otherwise halts the next start."""
    from arbtui.journal.events import Killed, Rearmed

    noted = f"{reason} (overridden: {', '.join(overridden)})" if overridden else reason
    rearmed = Rearmed(person(), noted, unchecked=True, overridden=overridden)

    def events_of(portfolio: "Portfolio") -> "Sequence[Event]":
        if cause is None or portfolio.state.killed:
            return (rearmed,)
        return Killed(cause.source, cause.reason, 0), rearmed  # made while nothing ran: the journal has not heard of it

    commit_events(path, events_of)
