"""``limits``: what bounds trading, what is used of it, and an operator's changes; with or without an engine that runs."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from arbtui.cli.kill_scope import names_nothing
from arbtui.cli.place import Place
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell
from arbtui.settings.person import person

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio
    from arbtui.risk.limit_book import LimitBook
    from arbtui.risk.limit_names import LimitScope

_VERBS = ("set", "reset")


def limits(place: Place, verb: str | None, scope: str | None, value: str | None, *, as_json: bool) -> int:
    """List the limits, or change one; 0 when done.

    Raises:
        UsageError: no such verb, scope or value, a limit that may not be raised now, or an engine that does not answer.
    """
    if verb is None or verb == "list":
        return _list(place, as_json)
    if verb not in _VERBS:
        raise UsageError(f"limits {verb}: there are list, {', '.join(_VERBS)}")
    if scope is None or (verb == "set") != (value is not None):
        raise UsageError(
            f"limits {verb} takes {'SCOPE VALUE' if verb == 'set' else 'SCOPE'}, such as {_EXAMPLES[verb]}; nothing was changed"
        )
    return _change(place, scope, _number(value))


_EXAMPLES = {"set": "global.max_loss_day 50", "reset": "global.max_loss_day"}


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no number; nothing was changed") from None


def _list(place: Place, as_json: bool) -> int:
    rows: list[dict[str, Any]]
    answer = place.ask({"verb": "limits"}) if place.is_running() else None
    portfolio = place.portfolio()
    if answer is not None and answer.get("limits") is not None:
        rows, currency = answer["limits"], portfolio.state.currency
    else:
        currency = place.settings().desk.currency
        rows = [row.facts() for row in _book(place, portfolio).rows(_used_of(portfolio))]
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    running = "as the engine that runs holds them" if answer is not None else "no engine runs; what is used is the journal's"
    tell(f"{place.name} limits, {running}\n")
    width = max(len(row["scope"]) for row in rows)
    for row in rows:
        unit = currency if row["unit"] == "money" else row["unit"]
        used = "" if row["used"] is None else f"{_figure(row['used'])} {'>' if row['stricter'] == 'higher' else 'of'} "
        own = "" if row["journal"] is None else f"   profile {_figure(row['profile'])}, journal {_figure(row['journal'])} by {row['by']}"
        why = f": {row['reason']}" if row["reason"] else ""
        tell(f"  {row['scope']:<{width}}  {used + _figure(row['holds']):>24} {unit:<4}{own}{why}\n")
    return 0


def _figure(value: float) -> str:
    return f"{float(f'{value:.6g}'):,.12g}"


def _change(place: Place, scope: str, value: float | None) -> int:
    from arbtui.portfolio.state import LimitRecord
    from arbtui.risk.limit_names import parse_scope

    parsed = parse_scope(scope)
    if isinstance(parsed, str):
        raise UsageError(f"{parsed}; nothing was changed")
    portfolio = place.portfolio()
    book = _book(place, portfolio)
    before = book.holds(parsed)
    running = place.is_running()
    armed = str((place.ask({"verb": "limits"}) or {}).get("armed") or "") if running else ""
    change = book.change(scope, value, person(), place.confirmation.reason or "", armed=armed, known=_known_venues(place))
    if isinstance(change, str):
        raise UsageError(f"{change}; nothing was changed")
    if not running and parsed.name and value is not None and (nothing := names_nothing(place.profile, f"{parsed.tier}.{parsed.name}")):
        raise UsageError(f"{nothing}; nothing was changed")
    typed, why = place.confirmation.name or "", (place.confirmation.reason or "").strip()
    if book.loosens(parsed, value):
        to = "the profile's value" if value is None else _figure(value)
        typed, why = place.confirm(f"raise {parsed}: {_figure(before)} now, to {to}")
    if running:
        place.ask_to("limit", {"scope": str(parsed), "value": value}, typed, why)
    else:

        def events_of(now: "Portfolio", by: str, told: str) -> "Sequence[Event] | str":
            event = _book(place, now).change(scope, value, by, told)
            return event if isinstance(event, str) else (event,)

        place.journal_it(why, events_of)
    if value is None:
        portfolio.state.limits.pop(str(parsed), None)
    else:
        portfolio.state.limits[str(parsed)] = LimitRecord(value, person(), why, 0)
    tell(f"{parsed}: {_figure(before)} before, {_figure(book.holds(parsed))} holds now; journaled{_as_far_as_it_trades(parsed, running)}\n")
    return 0


def _as_far_as_it_trades(scope: "LimitScope", running: bool) -> str:
    """Which symbols and routes there are is known only while an engine runs."""
    return f"; it counts where {scope.name} is traded" if scope.tier in ("symbol", "route") and scope.name and not running else ""


def _book(place: Place, portfolio: "Portfolio") -> "LimitBook":
    """The profile as it stands now, and what the journal holds.

    Raises:
        UsageError: the profile cannot be read.
    """
    from arbtui.risk.limit_book import LimitBook

    settings = place.settings()
    return LimitBook(settings.risk, settings.execution.order_value, settings.execution.min_edge_bps, portfolio.state.limits)


def _known_venues(place: Place) -> dict[str, set[str]]:
    """Venues are known without an engine; symbols and routes are not: whatever is named like one may come to be."""
    return {"exchange": set(place.settings().exchanges)}


def _used_of(portfolio: "Portfolio") -> "Callable[[LimitScope], float | None]":
    """What the journal knows of what is used: at its last marks."""

    def used(scope: "LimitScope") -> float | None:
        match scope.limit.name:
            case "max_open_cycles":
                return float(len(portfolio.open_cycles))
            case "max_loss_day":
                return max(0.0, float(portfolio.loss_today(portfolio.prices())))
            case _:
                return None

    return used
