"""``transfers``: plans of transfers between venues, the transfers under way, and settling one that arrived late or short."""

import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arbtui.cli.place import Place
from arbtui.model.errors import UsageError
from arbtui.model.money import plain
from arbtui.settings.output import tell

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.operator_events import Transfer
    from arbtui.portfolio.portfolio import Portfolio

_VERBS = ("plan", "list", "begin", "settle")
_HOW = ("cancelled", "returned", "lost")


def transfers(place: Place, verb: str | None, what: str | None, how: str | None, given: dict[str, Any], *, as_json: bool) -> int:
    """Show plans or transfers, or record one that a person makes; 0 when done.

    Args:
        place: whose journal, and the confirmation.
        verb: ``plan``, ``list``, ``begin`` or ``settle``.
        what: the plan, or the transfer.
        how: it is settled.
        given: ``amount``, ``network``, ``fee``, ``minutes`` that replace the plan's; None where not given.
        as_json: print JSON.

    Raises:
        UsageError: no such verb, plan, transfer or journal, no confirmation, or an engine that does not answer.
    """
    match verb:
        case None | "plan":
            return _plan(place, as_json)
        case "list":
            return _list(place.portfolio(), as_json)
        case "begin":
            return _begin(place, what, given)
        case "settle":
            return _settle(place, what, how)
    raise UsageError(f"transfers {verb}: there are {', '.join(_VERBS)}")


def _plan(place: Place, as_json: bool) -> int:
    plans, currency = _plans(place)
    if as_json:
        tell(json.dumps([plan["facts"] for plan in plans], indent=2) + "\n")
        return 0
    for plan in plans:
        tell("".join(f"{name:9} {text}\n" for name, text in plan["lines"]) + "\n")
    tell("" if plans else "nothing has run short that another venue could fill\n")
    if plans:
        tell(f"amounts in units, money in {currency}; nothing is sent from here: make the transfer at the venue, and record it with\n")
        tell(f"  arbtui transfers begin {plans[0]['facts']['id']} --profile {place.name}\n")
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


def _list(portfolio: "Portfolio", as_json: bool) -> int:
    from arbtui.portfolio.transfers import transfer_facts

    rows = [transfer_facts(one) for one in portfolio.state.transfers.values()]
    if as_json:
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    for row in rows:
        words = f"{row['id']}  {row['state']:10}  {row['qty']} {row['asset']} {row['from']} > {row['to']} by {row['network']}"
        tell(
            f"{words}, fee {row['fee']}, left {row['left']}, came {row['received']}, begun {row['begun']} by {row['by']}: {row['reason']}\n"
        )
    tell("" if rows else "no transfer was begun\n")
    return 0


def _begin(place: Place, plan_id: str | None, given: dict[str, Any]) -> int:
    from arbtui.portfolio.operator_events import begin_transfer

    wanted = _wanted(place, plan_id, given)

    def events_of(portfolio: "Portfolio", by: str, why: str) -> "Sequence[Event] | str":
        return begin_transfer(portfolio, wanted, by, why)

    facts = {"asset": wanted.asset, "from": wanted.sender, "to": wanted.receiver, "network": wanted.network}
    amounts = {"amount": plain(wanted.qty), "fee": plain(wanted.fee), "minutes": wanted.minutes}
    text = f"you make this transfer at {wanted.sender} yourself: {wanted.in_words()}; nothing is sent from here"
    return place.decide("begin_transfer", {**facts, **amounts}, text, events_of)


def _wanted(place: Place, plan_id: str | None, given: dict[str, Any]) -> "Transfer":
    """The transfer of a plan, with what was given in place of its own.

    Raises:
        UsageError: no such form, or something that neither the plan nor the person tells.
    """
    from arbtui.portfolio.operator_events import Transfer

    asset, _, way = (plan_id or "").partition(":")
    sender, _, receiver = way.partition(">")
    if not (asset and sender and receiver):
        raise UsageError(
            "transfers begin: which one? ASSET:FROM>TO in quotes, such as 'XRP:binance>upbit'; arbtui transfers plan lists them"
        )
    asset, sender, receiver = asset.upper(), sender.lower(), receiver.lower()
    found = next((plan["facts"] for plan in _plans(place)[0] if plan["facts"]["id"] == f"{asset}:{sender}>{receiver}"), None)
    rails = [] if found is None else found["rails"]
    network = given["network"]
    rail: dict[str, Any] = next((one for one in rails if one["network"] == (network or one["network"])), {})
    if rail.get("why_not") and given["amount"] is None:
        raise UsageError(f"{plan_id}: {rail['why_not']}; nothing was recorded")
    told: dict[str, Any] = {
        name: given[name] if given[name] is not None else rail.get(name) for name in ("amount", "network", "fee", "minutes")
    }
    lacking = [f"--{name}" for name, value in told.items() if value in (None, "")]
    if lacking:
        raise UsageError(
            f"{plan_id}: no plan gives {', '.join(lacking)}; name it yourself, or see arbtui transfers plan while the engine runs"
        )
    try:
        return Transfer(
            asset, sender, receiver, Decimal(str(told["amount"])), str(told["network"]), Decimal(str(told["fee"])), float(told["minutes"])
        )
    except (ArithmeticError, ValueError):
        raise UsageError(f"{plan_id}: amount {told['amount']!r}, fee {told['fee']!r}: not a number") from None


def _settle(place: Place, transfer_id: str | None, how: str | None) -> int:
    from arbtui.portfolio.operator_events import settle_transfer, settle_transfer_preview

    if transfer_id is None or how not in _HOW:
        raise UsageError(f"transfers settle: name the transfer and how: arbtui transfers settle T12 {'|'.join(_HOW)} --profile P")
    number, word = transfer_id, how

    def events_of(portfolio: "Portfolio", by: str, why: str) -> "Sequence[Event] | str":
        return settle_transfer(portfolio, number, word, by, why)

    text = settle_transfer_preview(place.portfolio(), number, word)
    return place.decide("settle_transfer", {"transfer_id": number, "how": word}, text, events_of)
