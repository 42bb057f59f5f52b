"""``transfers``: what a person could move between venues to fill stock that has run short."""

import json
import time
from typing import Any

from arbtui.cli.decisions import Place
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell


def transfers(profile: str, verb: str | None, mode: str | None, as_json: bool, state: str | None) -> int:
    """Show the transfer plans; 0.

    Raises:
        UsageError: no such verb or journal.
    """
    place = Place(profile, mode, state)
    if verb in (None, "plan"):
        return _plan(place, as_json)
    raise UsageError(f"transfers {verb}: there is plan")


def _plan(place: Place, as_json: bool) -> int:
    plans, currency = _plans(place)
    if as_json:
        tell(json.dumps([plan["facts"] for plan in plans], indent=2) + "\n")
        return 0
    for plan in plans:
        tell("".join(f"{name:9} {text}\n" for name, text in plan["lines"]) + "\n")
    tell("" if plans else "nothing has run short that another venue could fill\n")
    if plans:
        tell(f"amounts in units, money in {currency}; nothing is sent from here: a person makes a transfer at the venue\n")
    return 0


def _plans(place: Place) -> tuple[list[dict[str, Any]], str]:
    """Each plan's facts and lines: of the engine that runs, with networks and prices of now, else of the journal alone."""
    from arbtui.portfolio.config import RebalanceConfig
    from arbtui.portfolio.transfer_plan import plan_lines, transfer_plans

    portfolio = place.portfolio()
    currency = portfolio.state.currency
    answer = place.ask({"verb": "transfer_plans"}) if place.is_running() else None
    if answer is not None and not answer.get("refusal"):
        return answer["plans"], currency
    now_ms = time.time_ns() // 1_000_000
    found = transfer_plans(portfolio, {}, portfolio.prices(), RebalanceConfig().refill_below, now_ms)
    return [{"facts": plan.facts(), "lines": plan_lines(plan, currency)} for plan in found], currency
