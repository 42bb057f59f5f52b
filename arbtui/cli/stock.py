"""``stock`` and ``targets``: what is held where against its target, and how much a venue should hold."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arbtui.cli.place import Place
from arbtui.model.errors import UsageError
from arbtui.model.money import plain
from arbtui.settings.output import tell

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio

_PLACE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9]{1,20})")
#: Cells of the bar in the text; its middle is the target.
_BAR = 12


def stock(place: Place, *, as_json: bool) -> int:
    """Print the inventory as the journal has it; 0. Works while the profile runs or not."""
    from arbtui.portfolio.inventory import stock_facts

    rows = stock_facts(place.portfolio())
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    if not rows:
        tell("nothing is held, and no target is set\n")
    for row in rows:
        for venue in row["venues"]:
            tell(_line(row["asset"], venue) + "\n")
    return 0


def _line(asset: str, place: dict[str, Any]) -> str:
    share = place["share"]
    fill = "" if share is None else "█" * min(_BAR, round(share * _BAR / 2))
    held = f"{asset:7} {place['exchange']:9} {fill:·<{_BAR}} {'' if share is None else f'{share:.0%}':>5}"
    kept = "".join(f"  {name} {place[name]}" for name in ("locked", "reserved") if place[name] != "0")
    worth = "" if place["value"] is None else f"  worth {Decimal(place['value']):,.2f}"
    lasts = "" if place["runway_h"] is None else f"  lasts {_hours(place['runway_h'])}"
    return f"{held}  {place['total']} of {place['target']}{worth}{kept}{lasts}"


def _hours(hours: float) -> str:
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def targets(place: Place, verb: str | None, place_name: str | None, amount: str | None, *, as_json: bool) -> int:
    """List the targets, or set one; 0 when done.

    Raises:
        UsageError: no such verb, place or amount, no confirmation, or an engine that does not answer.
    """
    if verb in (None, "list"):
        return _list(place.portfolio(), as_json)
    if verb != "set":
        raise UsageError(f"targets {verb}: there are list and set")
    matched = _PLACE.fullmatch(place_name or "")
    if matched is None or amount is None:
        raise wrong_form()
    exchange, asset = matched[1].lower(), matched[2].upper()
    try:
        target = Decimal(amount)
    except ArithmeticError:
        raise UsageError(f"targets set {place_name} {amount!r}: not a number") from None
    return _set(place, exchange, asset, target)


def wrong_form(exchange: str | None = None, asset: str | None = None, amount: str = "500") -> UsageError:
    """The error for a target that was not given as EXCHANGE.ASSET QTY; three separate words are shown in the right form."""
    meant = f"{exchange}.{asset}"
    meant = f"{meant} {amount}" if _PLACE.fullmatch(meant) and exchange and asset else "upbit.XRP 500"
    return UsageError(f"targets set: name a place and an amount, such as: arbtui targets set {meant} --profile P")


def _set(place: Place, exchange: str, asset: str, target: Decimal) -> int:
    from arbtui.portfolio.operator_events import new_target, target_preview

    def events_of(portfolio: "Portfolio", by: str, why: str) -> "Sequence[Event] | str":
        return new_target(portfolio, exchange, asset, target, by, why)

    text = target_preview(place.portfolio(), exchange, asset, target) if target.is_finite() else ""
    request = {"exchange": exchange, "asset": asset, "amount": plain(target) if target.is_finite() else str(target)}
    return place.decide("target", request, text, events_of)


def _list(portfolio: "Portfolio", as_json: bool) -> int:
    rows = [
        {"exchange": exchange, "asset": asset, "target": plain(target), "total": plain(portfolio.total(exchange, asset))}
        for exchange, wanted in portfolio.state.targets.items()
        for asset, target in wanted.items()
    ]
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    if not rows:
        tell("no target is set\n")
        return 0
    cells = [(f"{row['exchange']}.{row['asset']}", row["target"], row["total"]) for row in rows]
    place, target, holds = (max(len(row[column]) for row in cells) for column in range(3))
    tell("".join(f"{row[0]:{place}}  target {row[1]:>{target}}  holds {row[2]:>{holds}}\n" for row in cells))
    return 0
