"""``positions`` and ``adjust``: what an operator decides of one-sided positions and of balances that a venue disputes."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.model.errors import UsageError
from arbtui.settings.lock import ProfileLock, holder
from arbtui.settings.output import tell
from arbtui.settings.person import person
from arbtui.settings.requests import ANSWER_S, ask
from arbtui.settings.state import MODES, latest_mode, mode_folder, profile_folder, profile_name, state_root

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio


def positions(
    profile: str,
    verb: str | None,
    cycle_id: str | None,
    confirm: str | None,
    reason: str | None,
    mode: str | None,
    as_json: bool,
    state: str | None,
) -> int:
    """List the one-sided positions, or write one off; 0 when done.

    Raises:
        UsageError: no such verb, position or journal, no confirmation, or an engine that does not answer.
    """
    from arbtui.portfolio.ledger import residual_rows
    from arbtui.portfolio.operator_events import write_off, write_off_preview

    place = Place(profile, mode, state)
    if verb is None:
        portfolio = place.portfolio()
        rows = [row for cycle in portfolio.positions for row in residual_rows(portfolio, cycle)]
        names = ("cycle_id", "exchange", "asset", "qty", "value_usdt", "since", "cause")
        _print_rows(rows, names, "no one-sided position", as_json)
        return 0
    if verb != "write-off":
        raise UsageError(f"positions {verb}: there is write-off; complete and flatten trade, and are not built yet")
    if cycle_id is None:
        raise UsageError("positions write-off: which one? arbtui positions --profile P lists them by cycle_id")
    text = write_off_preview(cycle_id)
    return place.decide("write_off", {"cycle_id": cycle_id}, text, confirm, reason, lambda p, by, why: write_off(p, cycle_id, by, why))


def adjust(
    profile: str,
    exchange: str | None,
    asset: str | None,
    confirm: str | None,
    reason: str | None,
    mode: str | None,
    as_json: bool,
    state: str | None,
) -> int:
    """List the balances that venues dispute, or take a venue's word for one; 0 when done.

    Raises:
        UsageError: no such dispute or journal, no confirmation, or an engine that does not answer.
    """
    from arbtui.portfolio.operator_events import adjustment, adjustment_preview
    from arbtui.views.status import disputes

    place = Place(profile, mode, state)
    if exchange is None:
        _print_rows(disputes(place.portfolio()), ("exchange", "asset", "ours", "theirs", "since"), "no disputed balance", as_json)
        return 0
    if asset is None:
        raise UsageError(f"adjust {exchange}: of which asset? arbtui adjust --profile P lists what is disputed")
    name, coin = exchange.lower(), asset.upper()
    text = adjustment_preview(name, coin)
    return place.decide(
        "adjust", {"exchange": name, "asset": coin}, text, confirm, reason, lambda p, by, why: adjustment(p, name, coin, by, why)
    )


class Place:
    """The journal that a decision is made about."""

    def __init__(self, profile: str, mode: str | None, state_dir: str | None) -> None:
        self.name, root = profile_name(profile), state_root(state_dir)
        if mode is not None and mode not in MODES:
            raise UsageError(f"--mode {mode!r}: expected {', '.join(MODES)}")
        chosen = mode or latest_mode(root, self.name)
        if chosen is None:
            raise UsageError(f"profile {self.name} has no journal in {root}: it has not run there yet")
        self.folder: Path = profile_folder(root, self.name)
        self.journal: Path = mode_folder(root, self.name, chosen) / "journal.db"

    def portfolio(self) -> "Portfolio":
        """What the journal means, as of now."""
        from arbtui.portfolio.restore import restore

        return restore(self.journal)[1]

    def decide(
        self,
        verb: str,
        facts: dict[str, Any],
        preview: str,
        confirm: str | None,
        reason: str | None,
        events_of: "Callable[[Portfolio, str, str], Sequence[Event] | str]",
    ) -> int:
        """Show ``preview``, take the typed confirmation, and have it journaled: by the engine that runs, else here."""
        found = events_of(self.portfolio(), person(), "preview")
        if isinstance(found, str):
            raise UsageError(found)
        tell(f"{self.name}: {preview}\n")
        typed = confirm if confirm is not None else typed_at_terminal(f"type the profile's name ({self.name}) to do it: ")
        why = reason if reason is not None else typed_at_terminal("reason: ")
        from arbtui.portfolio.operator_events import untyped

        refusal = untyped(self.name, typed, why)
        if refusal is not None:
            raise UsageError(f"{refusal}; nothing was changed")
        if holder(self.folder) is not None:
            answer = ask(self.folder, {"verb": verb, **facts, "confirm": typed, "reason": why.strip(), "by": person()})
            if answer is None:
                raise UsageError(f"the engine that runs did not answer within {ANSWER_S:g} s; nothing was changed: see arbtui status")
            if answer.get("refusal"):
                raise UsageError(f"{answer['refusal']}; nothing was changed")
        else:
            asyncio.run(self._journal_it(why.strip(), events_of))
        tell("done, and journaled\n")
        return 0

    async def _journal_it(self, reason: str, events_of: "Callable[[Portfolio, str, str], Sequence[Event] | str]") -> None:
        from arbtui.journal.journal import Journal
        from arbtui.model.clock import SystemClock
        from arbtui.portfolio.projections import ProjectingPortfolio
        from arbtui.portfolio.restore import restore

        with ProfileLock(self.folder):
            journal = await Journal.open(self.journal, clock=SystemClock(), door="aio")
            try:
                _, portfolio = restore(self.journal)
                journal.fold = ProjectingPortfolio(portfolio)
                events = events_of(portfolio, person(), reason)
                if isinstance(events, str):
                    raise UsageError(events)
                await journal.commit(*events)
            finally:
                await journal.close()


def typed_at_terminal(prompt: str) -> str:
    """What a person types after ``prompt``.

    Raises:
        UsageError: nobody sits there.
    """
    if not sys.stdin.isatty():
        raise UsageError("this is confirmed by typing at a terminal, or with --confirm NAME --reason TEXT; nothing was changed")
    tell(prompt)
    sys.stdout.flush()
    return sys.stdin.readline().strip()


def _print_rows(rows: Sequence[dict[str, Any]], names: Sequence[str], none: str, as_json: bool) -> None:
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return
    for row in rows:
        tell("  ".join(f"{name} {row[name]}" for name in names if row.get(name) not in (None, "")) + "\n")
    if not rows:
        tell(f"{none}\n")
