"""What must be true before real orders are switched on: what of docs/real-orders.md a program can look at, item by item."""

import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.model.errors import UsageError
from arbtui.model.halt import read_flag
from arbtui.settings.drill import read_drill
from arbtui.settings.guardian_post import guardian_facts
from arbtui.settings.output import say
from arbtui.settings.state import mode_folder, profile_folder

if TYPE_CHECKING:
    from arbtui.settings.profile import Settings

#: Age in days from which a rehearsed kill counts as none: a month, and what a month may be longer.
_DRILL_DAYS = 35
#: Hours of paper on real streams: a day, so that every hour's market was seen once.
_PAPER_HOURS = 24
#: One order may be so many times the day's loss limit: taken back at its worst price (50 bps), it then costs a hundredth of that limit.
_ORDER_SHARE = 2.0


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be true (``is_required``: without it live does not start, or should not), or is good to have."""

    name: str
    is_met: bool
    is_required: bool
    words: str

    def __str__(self) -> str:
        return f"[{'x' if self.is_met else ' '}] {self.name:<9} {self.words}"

    def as_json(self) -> dict[str, Any]:
        """As ``check --json`` shows it."""
        return asdict(self)


def tell_open(settings: "Settings", root: Path) -> None:
    """Before a start whose orders are real: say so, and what of the conditions is not met."""
    if not settings.goes_to_real_venues or not all(exchange.real_orders for exchange in settings.exchanges.values()):
        return
    found = conditions(settings, root, profile_folder(root, settings.name), None)
    unmet = [one.name for one in found if not one.is_met]
    more = f"; not met of docs/real-orders.md: {', '.join(unmet)} (arbtui check --profile {settings.name} --mode live)" if unmet else ""
    say(f"REAL ORDERS: this run's orders go to {' and '.join(name.upper() for name in settings.exchanges)}{more}")


def conditions(
    settings: "Settings", root: Path, folder: Path, asked: Mapping[str, Any] | None, troubled: Collection[str] = ()
) -> list[Condition]:
    """Every condition, in the order of docs/real-orders.md.

    Args:
        settings: of the start that is thought of.
        root: the state folder.
        folder: the profile's in it.
        asked: what the venues told, by exchange; None where they were not asked, and the conditions that they decide are left out.
        troubled: areas in which the check has found a problem.
    """
    found = [*_switch(settings), _addresses(settings)]
    if asked is not None:
        found += [_reached(settings, asked, troubled), _keys(settings, troubled), _clock(troubled)]
    return [
        *found,
        _limits(settings),
        _halt(folder),
        _journal(troubled),
        _guardian(folder),
        _alerts(settings, troubled),
        _drill(folder),
        _paper(root, settings.name),
    ]


def _switch(settings: "Settings") -> list[Condition]:
    off = [name for name, exchange in settings.exchanges.items() if not exchange.real_orders]
    words = f"real_orders is false: {', '.join(off)}" if off else f"real_orders is true: {', '.join(settings.exchanges)}"
    return [Condition("switch", not off, True, words)]


def _addresses(settings: "Settings") -> Condition:
    from arbtui.exchanges.venues import strange_addresses

    strange = [words for name, exchange in settings.exchanges.items() for words in strange_addresses(name, exchange)]
    hosts = ", ".join(exchange.urls.rest for exchange in settings.exchanges.values())
    return Condition("addresses", not strange, True, "; ".join(strange) or f"the venues' own, encrypted: {hosts}")


def _reached(settings: "Settings", asked: Mapping[str, Any], troubled: Collection[str]) -> Condition:
    silent = [name for name in settings.exchanges if not asked.get(name)]
    is_met = not silent and "network" not in troubled
    return Condition(
        "venues", is_met, True, "REST and public stream answer" if is_met else "not every venue answers: see the problems below"
    )


def _keys(settings: "Settings", troubled: Collection[str]) -> Condition:
    is_met = "keys" not in troubled and "network" not in troubled
    words = "may read, order and cancel at every venue" if is_met else "not proven at every venue: see the problems below"
    return Condition("keys", is_met, True, words)


def _clock(troubled: Collection[str]) -> Condition:
    is_met = "clock" not in troubled and "network" not in troubled
    return Condition("clock", is_met, True, "measured at every venue that asks for it" if is_met else "not known: see the problems below")


def _limits(settings: "Settings") -> Condition:
    size, loss = settings.execution.order_value, settings.risk.global_.max_loss_day
    is_met = size <= _ORDER_SHARE * loss
    words = f"order_value {size:g} {settings.desk.currency}, max_loss_day {loss:g}, max_unhedged {settings.risk.global_.max_unhedged:g}"
    return Condition("limits", is_met, False, words if is_met else f"{words}: one order is more than {_ORDER_SHARE:g} days' loss limits")


def _halt(folder: Path) -> Condition:
    cause = read_flag(folder) if folder.is_dir() else None
    return Condition("kill", cause is None, True, "none is latched" if cause is None else f"latched by {cause.source}: arbtui rearm")


def _journal(troubled: Collection[str]) -> Condition:
    bad = sorted({"journal", "state"} & set(troubled))
    return Condition("journal", not bad, True, "whole, and the state folder is yours alone" if not bad else "see the problems below")


def _guardian(folder: Path) -> Condition:
    facts = guardian_facts(folder)
    is_met = bool(facts["watches"] and facts["holds_keys"])
    hint = "" if is_met else "; arbtui guardian, in a terminal or service of its own, with the keys"
    return Condition("guardian", is_met, False, f"{facts['words']}{hint}")


def _alerts(settings: "Settings", troubled: Collection[str]) -> Condition:
    if not settings.tells_somebody:
        return Condition("alerts", False, False, "none are sent: [telegram], [email] and [services] have enabled = false")
    ways = (("Telegram", settings.telegram.enabled), ("e-mail", settings.email.enabled), ("other services", settings.services.enabled))
    named = " and ".join(name for name, enabled in ways if enabled)
    is_met = "alerts" not in troubled
    return Condition(
        "alerts", is_met, False, f"sent by {named}, none is waiting" if is_met else "some do not arrive: see the problems below"
    )


def _drill(folder: Path) -> Condition:
    last = read_drill(folder, time.time_ns() // 1_000_000)
    how = "arbtui kill --drill, on a paper run of this profile"
    if last is None:
        return Condition("drill", False, False, f"a kill was never rehearsed: {how}")
    days = last["age_s"] / 86_400
    is_met = days <= _DRILL_DAYS
    return Condition("drill", is_met, False, f"{last['words']}, {days:.0f} days ago{'' if is_met else f': {how}'}")


def _paper(root: Path, name: str) -> Condition:
    hours = _paper_hours(mode_folder(root, name, "paper") / "journal.db")
    is_met = hours >= _PAPER_HOURS
    words = f"{hours:.1f} h on real streams in runs that ended in order"
    return Condition(
        "paper", is_met, False, words if is_met else f"{words}, {_PAPER_HOURS} are wanted: arbtui --profile {name} --mode paper"
    )


def _paper_hours(journal: Path) -> float:
    from arbtui.journal.reader import reading

    hours = 0.0
    if journal.exists():
        with suppress(UsageError), reading(journal) as connection:  # a journal that cannot be read is told elsewhere, and shows no hours
            told = connection.execute("SELECT sum(ended_ms - started_ms) FROM run WHERE ended_ms IS NOT NULL AND exit_code = 0").fetchone()[
                0
            ]
            hours = (told or 0) / 3_600_000
    return hours
