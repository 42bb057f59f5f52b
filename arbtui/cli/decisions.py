"""``positions`` and ``adjust``: what an operator decides of one-sided positions and of balances that a venue disputes."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.model.errors import UsageError
from arbtui.settings.lock import ProfileLock, holder
from arbtui.settings.output import tell
from arbtui.settings.person import person
from arbtui.settings.requests import ANSWER_S, ask
from arbtui.settings.state import MODES, latest_mode, mode_folder, profile_folder, profile_name, state_root, vanished_journals

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio
    from arbtui.settings.profile import Settings

#: What can be done about a position without trading, with or without an engine; and all that can be done.
_BY_HAND = ("write-off", "adjust")
_VERBS = ("complete", "flatten", *_BY_HAND)
#: How long the command waits for a trade to end, in seconds: an order of unknown fate is looked up for half a minute.
_ENDS_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.2


def positions(
    profile: str,
    verb: str | None,
    cycle_id: str | None,
    at: str | None,
    asset: str | None,
    confirm: str | None,
    reason: str | None,
    mode: str | None,
    as_json: bool,
    state: str | None,
) -> int:
    """List the one-sided positions with what settling them costs, or settle one; 0 when done, 3 where something is left of it.

    Raises:
        UsageError: no such verb, position, way or journal, no confirmation, an engine that does not answer, or none where one is needed.
    """
    place = Place(profile, mode, state)
    if verb is None or verb == "list":
        return _list_positions(place, as_json)
    if verb not in _VERBS:
        raise UsageError(f"positions {verb}: there are list, {', '.join(_VERBS)}")
    if cycle_id is None:
        raise UsageError(f"positions {verb}: which one? arbtui positions --profile P lists them by cycle_id")
    exchange = (at or "").lower()
    return (
        _settle_by_hand(place, verb, cycle_id, exchange, confirm, reason)
        if verb in _BY_HAND
        else _trade(place, verb, cycle_id, exchange, (asset or "").upper(), confirm, reason)
    )


def _list_positions(place: "Place", as_json: bool) -> int:
    from arbtui.portfolio.ledger import residual_rows

    portfolio = place.portfolio()
    rows = [row for cycle in portfolio.positions for row in residual_rows(portfolio, cycle)]
    answer = place.ask({"verb": "ways"}) if rows and place.is_running() else None
    ways: dict[str, list[dict[str, Any]]] = (answer or {}).get("ways") or {}
    if as_json:
        tell(json.dumps([{**row, "ways": ways.get(row["cycle_id"])} for row in rows], indent=2) + "\n")
        return 0
    _print_rows(rows, ("cycle_id", "exchange", "asset", "qty", "value", "currency", "since", "cause"), "no one-sided position", as_json)
    for name, found in ways.items():
        for way in found:
            tell(f"  {name}  {way['text']}  ({way['price_tag']})\n")
    if rows and not ways:
        tell("what settling costs is shown, and complete and flatten work, while the engine runs\n")
    return 0


def _settle_by_hand(place: "Place", verb: str, cycle_id: str, exchange: str, confirm: str | None, reason: str | None) -> int:
    """Write a position off, or take the venue's word for the balance that differs by it: with or without an engine."""
    from arbtui.portfolio import operator_events as events

    def events_of(portfolio: "Portfolio", by: str, why: str) -> "Sequence[Event] | str":
        if verb == "adjust":
            return events.settle_by_adjustment(portfolio, cycle_id, exchange, by, why)
        return events.write_off(portfolio, cycle_id, by, why)

    text = events.settling_adjustment_preview(cycle_id) if verb == "adjust" else events.write_off_preview(cycle_id)
    request = {"how": verb, "cycle_id": cycle_id, "exchange": exchange}
    return place.decide("settle", request, text, confirm, reason, events_of)


def _trade(place: "Place", verb: str, cycle_id: str, exchange: str, asset: str, confirm: str | None, reason: str | None) -> int:
    """Have the engine that runs trade a position away, at a price no worse than the one that is shown.

    ``exchange``, ``asset``: empty for the cheapest, and for the only one.
    """
    if not place.is_running():
        raise UsageError(f"positions {verb} trades, and no engine runs: start it with arbtui --profile {place.name}; nothing was changed")
    answer = place.ask({"verb": "ways"})
    if answer is None:
        raise UsageError(f"the engine that runs did not answer within {ANSWER_S:g} s; nothing was changed: see arbtui status")
    of_all: dict[str, list[dict[str, Any]]] = answer.get("ways") or {}
    if answer.get("refusal") or cycle_id not in of_all:
        why = answer.get("refusal") or f"{cycle_id} leaves no position; open positions: {', '.join(of_all) or 'none'}"
        raise UsageError(f"{why}; nothing was changed")
    ways = [way for way in of_all[cycle_id] if way["verb"] == verb and way["exchange"] in (None, exchange or way["exchange"])]
    ways = [way for way in ways if way["asset"] == (asset or way["asset"])]
    if not ways:
        others = ", ".join(f"{way['verb']} {way['exchange'] or ''} {way['asset']}".replace("  ", " ") for way in of_all[cycle_id])
        wanted = f"{f' of {asset}' if asset else ''}{f' at {exchange}' if exchange else ''}"
        raise UsageError(f"{cycle_id}: no {verb}{wanted}; there are {others}; nothing was changed")
    left = dict.fromkeys(way["asset"] for way in ways)
    if len(left) > 1:
        raise UsageError(f"{cycle_id} left {' and '.join(left)}: which one? --asset {next(iter(left))}; nothing was changed")
    way = ways[0]
    if way["why_not"]:
        raise UsageError(f"{way['text']}: {way['why_not']}; nothing was changed")
    typed, why = place.confirm(f"{way['text']} ({way['price_tag']})", confirm, reason)
    request = {"how": verb, "cycle_id": cycle_id, "exchange": way["exchange"], "market": way["market"], "worst": way["price"]}
    place.ask_to("settle", request, typed, why)
    return _wait_for_end(place, cycle_id)


def _wait_for_end(place: "Place", cycle_id: str) -> int:
    give_up_at = time.monotonic() + _ENDS_WITHIN_S
    while time.monotonic() < give_up_at:
        answer = place.ask({"verb": "settlement", "cycle_id": cycle_id})
        if answer is None:
            break
        if answer.get("said"):
            tell(f"{answer['said']}\n")
            return 3 if answer.get("left") else 0
        time.sleep(_LOOK_EVERY_S)
    tell(f"{cycle_id} is still being settled: arbtui positions shows what is left of it\n")
    return 3


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
        gone = vanished_journals(root, self.name)
        if gone and chosen is None:
            raise UsageError(next(iter(gone.values())))
        if chosen is None:
            raise UsageError(f"profile {self.name} has no journal in {root}: it has not run there yet")
        self.mode = chosen
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
        typed, why = self.confirm(preview, confirm, reason)
        if self.is_running():
            self.ask_to(verb, facts, typed, why)
        else:
            self.journal_it(why, events_of)
        tell("done, and journaled\n")
        return 0

    def settings(self, profile: str) -> "Settings":
        """The profile as it stands now, in the journal's mode.

        Raises:
            UsageError: it cannot be read.
        """
        from arbtui.settings.load import load_profile

        return load_profile(profile, {"mode": self.mode})

    def journal_it(self, reason: str, events_of: "Callable[[Portfolio, str, str], Sequence[Event] | str]") -> None:
        """Have it journaled here: no engine runs.

        Raises:
            UsageError: an engine has started meanwhile, or there is nothing to journal, with why.
        """
        asyncio.run(self._journal_it(reason, events_of))

    def is_running(self) -> bool:
        """Whether an engine holds the profile's folder."""
        return holder(self.folder) is not None

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """What the engine that runs answers; None when it did not. It refuses where its journal is not the one meant."""
        return ask(self.folder, {**request, "journal": str(self.journal.resolve())})

    def ask_to(self, verb: str, facts: dict[str, Any], typed: str, reason: str) -> None:
        """Have the engine that runs do something.

        Raises:
            UsageError: it refuses, or does not answer.
        """
        answer = self.ask({"verb": verb, **facts, "confirm": typed, "reason": reason, "by": person()})
        if answer is None:
            raise UsageError(f"the engine that runs did not answer within {ANSWER_S:g} s; nothing was changed: see arbtui status")
        if answer.get("refusal"):
            raise UsageError(f"{answer['refusal']}; nothing was changed")

    def confirm(self, preview: str, confirm: str | None, reason: str | None) -> tuple[str, str]:
        """Show ``preview`` and take the typed confirmation: name and reason.

        Raises:
            UsageError: no terminal to type at, another name, or no reason.
        """
        from arbtui.portfolio.operator_events import untyped

        tell(f"{self.name}: {preview}\n")
        typed = confirm if confirm is not None else typed_at_terminal(f"type the profile's name ({self.name}) to do it: ")
        why = (reason if reason is not None else typed_at_terminal("reason: ")).strip()
        refusal = untyped(self.name, typed, why)
        if refusal is not None:
            raise UsageError(f"{refusal}; nothing was changed")
        return typed, why

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
