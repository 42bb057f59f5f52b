"""``positions``: one-sided positions that cycles left, and what an operator decides of one."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from arbtui.cli.place import Place
from arbtui.cli.rows import print_rows
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell
from arbtui.settings.requests import ANSWER_S

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio

#: What can be done about a position without trading, with or without an engine; and all that can be done.
_BY_HAND = ("write-off", "adjust")
_VERBS = ("complete", "flatten", *_BY_HAND)
#: How long the command waits for a trade to end, in seconds: an order of unknown fate is looked up for half a minute.
_ENDS_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.2


def positions(place: Place, verb: str | None, cycle_id: str | None, at: str | None, asset: str | None, *, as_json: bool) -> int:
    """List the one-sided positions with what settling them costs, or settle one; 0 when done, 3 where something is left of it.

    Raises:
        UsageError: no such verb, position, way or journal, no confirmation, an engine that does not answer, or none where one is needed.
    """
    if verb is None or verb == "list":
        return _list_positions(place, as_json)
    if verb not in _VERBS:
        raise UsageError(f"positions {verb}: there are list, {', '.join(_VERBS)}")
    if cycle_id is None:
        raise UsageError(f"positions {verb}: which one? arbtui positions --profile P lists them by cycle_id")
    exchange = (at or "").lower()
    return (
        _settle_by_hand(place, verb, cycle_id, exchange)
        if verb in _BY_HAND
        else _trade(place, verb, cycle_id, exchange, (asset or "").upper())
    )


def _list_positions(place: Place, as_json: bool) -> int:
    from arbtui.portfolio.ledger import residual_rows

    portfolio = place.portfolio()
    rows = [row for cycle in portfolio.positions for row in residual_rows(portfolio, cycle)]
    answer = place.ask({"verb": "ways"}) if rows and place.is_running() else None
    ways: dict[str, list[dict[str, Any]]] = (answer or {}).get("ways") or {}
    if as_json:
        tell(json.dumps([{**row, "ways": ways.get(row["cycle_id"])} for row in rows], indent=2) + "\n")
        return 0
    print_rows(rows, ("cycle_id", "exchange", "asset", "qty", "value", "currency", "since", "cause"), "no one-sided position", as_json)
    for name, found in ways.items():
        for way in found:
            tell(f"  {name}  {way['text']}  ({way['price_tag']})\n")
    if rows and not ways:
        tell("what settling costs is shown, and complete and flatten work, while the engine runs\n")
    return 0


def _settle_by_hand(place: Place, verb: str, cycle_id: str, exchange: str) -> int:
    """Write a position off, or take the venue's word for the balance that differs by it: with or without an engine."""
    from arbtui.portfolio import operator_events as events

    def events_of(portfolio: "Portfolio", by: str, why: str) -> "Sequence[Event] | str":
        if verb == "adjust":
            return events.settle_by_adjustment(portfolio, cycle_id, exchange, by, why)
        return events.write_off(portfolio, cycle_id, by, why)

    text = events.settling_adjustment_preview(cycle_id) if verb == "adjust" else events.write_off_preview(cycle_id)
    request = {"how": verb, "cycle_id": cycle_id, "exchange": exchange}
    return place.decide("settle", request, text, events_of)


def _trade(place: Place, verb: str, cycle_id: str, exchange: str, asset: str) -> int:
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
    typed, why = place.confirm(f"{way['text']} ({way['price_tag']})")
    request = {"how": verb, "cycle_id": cycle_id, "exchange": way["exchange"], "market": way["market"], "worst": way["price"]}
    place.ask_to("settle", request, typed, why)
    return _wait_for_end(place, cycle_id)


def _wait_for_end(place: Place, cycle_id: str) -> int:
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
