"""``check``: every problem of a profile and its state, without starting anything."""

import json
import os
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.halt import read_flag
from arbtui.settings.output import tell
from arbtui.settings.state import MODES, mode_folder, profile_folder, profile_name, state_root, taken_folders, vanished_journals
from arbtui.settings.trust import distrusted

if TYPE_CHECKING:
    from arbtui.cli.real_orders import Condition
    from arbtui.exchanges.assets import Quarantined
    from arbtui.settings.profile import Settings

#: The conditions of real orders that no other area of the check reports.
_OWN = ("switch", "addresses")
_MOST_SYMBOLS = 20  #: of those that the simulator does not know: told in one go


def print_check(name_or_path: str, mode: str | None, state_dir: str | None, as_json: bool) -> int:
    """Print every problem, and the limits that hold; 0 when there is none, else 2. Modes ``paper`` and ``live`` ask the venues too."""
    from arbtui.settings.limits import limit_facts, limits_in_words, rate_guard_in_words

    settings = _settings(name_or_path, mode)
    quarantined, damage = _quarantined(name_or_path, state_dir)
    problems = [*_of_profile(name_or_path, mode), *damage, *_of_state(name_or_path, state_dir, settings)]
    venues, trouble = _of_venues(settings)
    problems += trouble
    real = _real_orders(settings, name_or_path, state_dir, venues, problems)
    problems += [_problem("real", f"{one.name}: {one.words}") for one in real if one.is_required and not one.is_met and one.name in _OWN]
    guard = "" if settings is None else rate_guard_in_words(settings)
    guardian = _guardian(name_or_path, state_dir)
    if as_json:
        told: dict[str, Any] = {
            "profile": name_or_path,
            "ok": not problems,
            "problems": problems,
            "quarantined": [_as_json(one) for one in quarantined],
        }
        told["guardian"] = guardian
        told["desk"] = None if settings is None else {"currency": settings.desk.currency, "pairs": settings.pairs}
        told |= {"venues": venues, "limits": limit_facts(settings) if settings else None, "rate": guard or None}
        told["routes"] = _routes(settings)
        told["alerts"] = None if settings is None else dict(zip(("at_once", "unacknowledged"), _told(settings), strict=True))
        told["real_orders"] = [one.as_json() for one in real]
        tell(json.dumps(told, indent=2) + "\n")
    else:
        for name, facts in venues.items():
            for fact in facts:
                tell(f"{name:<8} {fact}\n")
        for condition in real:
            tell(f"real     {condition}\n")
        for problem in problems:
            tell(f"{problem['area']:<8} {problem['problem']}\n")
        for line in _quarantine_lines(name_or_path, quarantined):
            tell(f"assets   {line}\n")
        if settings is not None:
            if settings.mode == "live" and guardian is not None:
                tell(f"guardian {guardian['words']}\n")
            pairs = ", ".join("/".join(pair) for pair in settings.pairs)
            tell(_in_lines("desk", f"counts in {settings.desk.currency}; trades between {pairs}"))
            tell(_in_lines("alerts", _told_in_words(settings)))
            if routes := _routes(settings):
                found = ", ".join(f"{count} {shape}" for shape, count in routes["by_shape"].items() if count)
                why = f"{counted(len(routes['left_out']), 'reason')} why others are none: --json lists them"
                tell(_in_lines("routes", f"{found or 'none'}; {why}"))
            if guard:
                tell(_in_lines("rate", guard))
            tell(_in_lines("limits", limits_in_words(settings, money_only=True)))
        tell(f"{name_or_path}: {counted(len(problems), 'problem') if problems else 'no problem'}\n")
    return 2 if problems else 0


def _routes(settings: "Settings | None") -> dict[str, Any] | None:
    """Which routes the profile makes; None where that is not known without its venues."""
    from arbtui.runtime.route_list import route_list

    try:
        return None if settings is None else route_list(settings)
    except UsageError:
        return None  # reported with the markets


def _in_lines(area: str, text: str) -> str:
    """What is said of ``area``, in lines of 80 columns."""
    return textwrap.fill(f"{area:<8} {text}", 80, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False) + "\n"


def _told(settings: "Settings") -> tuple[list[str], list[str]]:
    """The channels that get alerts at once, and those for a CRITICAL that nobody acknowledges; as :class:`AlertManager` decides."""
    ways = [name for name in ("telegram", "email", "services") if getattr(settings, name).enabled]
    first = [name for name in ways if name not in settings.alerts.second]
    return (first, [name for name in ways if name not in first]) if first else (ways, [])


def _told_in_words(settings: "Settings") -> str:
    words = {
        "telegram": f"Telegram to {counted(len(settings.telegram.chat_ids), 'chat')}",
        "email": f"e-mail to {counted(len(settings.email.recipients), 'address', 'addresses')}",
        "services": "the services of ARBTUI_SERVICE_URLS",
    }
    at_once, later = ([words[name] for name in names] for names in _told(settings))
    if not at_once:
        return "nobody is told of them: enable [telegram], [email] or [services]"
    also = f"; a CRITICAL that nobody acknowledges also by {' and '.join(later)}" if later else ""
    return f"{' and '.join(at_once)}{also}"


def _real_orders(
    settings: "Settings | None", name_or_path: str, state_dir: str | None, venues: dict[str, list[str]], problems: list[dict[str, str]]
) -> "list[Condition]":
    """What docs/real-orders.md asks for; nothing where no order would leave this machine."""
    from arbtui.cli.real_orders import conditions

    if settings is None or not settings.goes_to_real_venues:
        return []
    root = state_root(state_dir)
    return conditions(settings, root, profile_folder(root, profile_name(name_or_path)), venues, {one["area"] for one in problems})


def _problem(area: str, text: str) -> dict[str, str]:
    return {"area": area, "problem": text}


def _settings(name_or_path: str, mode: str | None) -> "Settings | None":
    """The profile's settings; None when it is wrong, which :func:`_of_profile` reports."""
    from arbtui.settings.load import load_profile

    try:
        return load_profile(name_or_path, {} if mode is None else {"mode": mode})
    except UsageError:
        return None


def _of_venues(settings: "Settings | None") -> tuple[dict[str, list[str]], list[dict[str, str]]]:
    """Facts from the venues, by name, and problems there; nothing is queried in ``sim``."""
    if settings is None or settings.mode == "sim":
        return {}, []
    from arbtui.runtime.venue_check import check_venues

    found = check_venues(settings)
    problems = [_problem(area, text) for one in found for area, text in one.problems]
    return {one.exchange: one.facts for one in found if one.facts}, problems


def _of_profile(name_or_path: str, mode: str | None) -> list[dict[str, str]]:
    from arbtui.settings.limits import limit_problems
    from arbtui.settings.load import ProfileError, load_profile

    try:
        settings = load_profile(name_or_path, {} if mode is None else {"mode": mode})
    except ProfileError as error:
        return [_problem("profile", one) for one in error.problems]
    except UsageError as error:
        return [_problem("profile", str(error))]
    return [
        *_of_secrets(settings),
        *(_problem("markets", text) for text in _of_markets(settings)),
        *(_problem("limits", text) for text in limit_problems(settings)),
    ]


def _guardian(name_or_path: str, state_dir: str | None) -> dict[str, Any] | None:
    """Whether a guardian watches the profile: a fact, no problem. None where the name is none."""
    from arbtui.settings.guardian_post import guardian_facts

    try:
        return guardian_facts(profile_folder(state_root(state_dir), profile_name(name_or_path)))
    except UsageError:
        return None  # reported with the profile


def _quarantined(name_or_path: str, state_dir: str | None) -> tuple[list["Quarantined"], list[dict[str, str]]]:
    """What the last start on real venues did not trade (not a problem), and why that cannot be read (a problem)."""
    from arbtui.settings.sign_offs import SignOffs

    try:
        folder = profile_folder(state_root(state_dir), profile_name(name_or_path))
    except UsageError:
        return [], []  # reported with the profile
    offs = SignOffs(folder)
    try:
        signed = offs.signed()
        left = [one for one in offs.quarantined() if one.symbol not in signed]
    except UsageError as error:
        return [], [_problem("assets", str(error))]
    return left, []


def _as_json(one: "Quarantined") -> dict[str, str]:
    return {"symbol": one.symbol, "reason": one.reason, "detail": one.detail}


def _quarantine_lines(name_or_path: str, quarantined: list["Quarantined"]) -> list[str]:
    from arbtui.cli.assets import FEW, many_in_words

    if len(quarantined) > FEW:
        return [f"quarantined and not traded: {many_in_words(quarantined)}; arbtui assets --profile {name_or_path} --json lists them"]
    return [f"{one.symbol} is quarantined and not traded: {one.reason}, {one.detail}" for one in quarantined]


def _of_secrets(settings: "Settings") -> list[dict[str, str]]:
    from arbtui.runtime.alert_channels import other_channels
    from arbtui.settings.secrets import telegram_token

    problems = []
    for read in (telegram_token, other_channels):
        try:
            read(settings)
        except UsageError as error:
            problems.append(_problem("keys", str(error)))
    return problems + [_problem("keys", text) for name in settings.exchanges for text in _of_keys(name, settings)]


def _of_keys(exchange: str, settings: "Settings") -> list[str]:
    """Problems of a venue's API keys; missing ones are a problem in live only. No passphrase is asked for."""
    from arbtui.settings.key_file import KeyFile, key_file
    from arbtui.settings.venue_keys import from_environment, venue_keys

    try:
        if settings.mode == "live":
            venue_keys(exchange, live=True)
        elif from_environment(exchange) is None:
            KeyFile(key_file()).venues()
    except UsageError as error:
        return [str(error)]
    return []


def _of_markets(settings: "Settings") -> list[str]:
    """Symbols unknown to the simulator. A pair of venues that it does not simulate takes its markets from recordings."""
    from arbtui.settings.symbols_source import symbols_source
    from arbtui.simulation.assets import select
    from arbtui.simulation.played_venue import played_names

    symbols = settings.universe.symbols
    if not set(settings.exchanges) <= set(played_names()) or isinstance(symbols, int):
        return []
    problems = []
    for symbol in symbols:
        try:
            select([symbol])
        except UsageError as error:
            problems.append(f"{symbols_source(settings)}: {error}")
        if len(problems) == _MOST_SYMBOLS:  # to find each one's nearest takes time
            break
    return problems


def _of_state(name_or_path: str, state_dir: str | None, settings: "Settings | None") -> list[dict[str, str]]:
    root = state_root(state_dir)
    try:
        name = profile_name(name_or_path)
    except UsageError:
        return []  # reported with the profile
    folder = profile_folder(root, name)
    problems = [_problem("state", text) for text in distrusted(root, folder)]
    taken = taken_folders(root, name)
    problems += [_problem("state", text) for text in taken or _of_folder(folder if folder.exists() else _standing_above(folder))]
    if folder.is_dir() and (cause := read_flag(folder)) is not None:
        problems.append(_problem("kill", f"a kill is latched (by {cause.source}): press r in the console, or arbtui rearm"))
    problems += [_problem("journal", text) for text in vanished_journals(root, name).values()]
    for mode in MODES:
        journal = mode_folder(root, name, mode) / "journal.db"
        if journal.exists():
            problems += [_problem("journal", text) for text in _of_journal(journal)]
            problems += [_problem("alerts", f"{mode}: {text}") for text in _of_alerts(journal, settings)]
    return problems


def _of_alerts(path: Path, settings: "Settings | None") -> list[str]:
    """Alerts that do not arrive, and chats that have moved; nothing where the profile wants no alerts."""
    from arbtui.journal.liveness import read_liveness
    from arbtui.journal.outbox import read_undelivered
    from arbtui.monitoring.delivery import alert_facts, alert_troubles

    if settings is None or not settings.tells_somebody:
        return []
    try:
        facts = alert_facts(read_undelivered(path), read_liveness(path).now_ms(time.time_ns() // 1_000_000))
    except UsageError:
        return []  # told with the journal
    return alert_troubles(facts, {f"telegram:{chat}" for chat in settings.telegram.chat_ids})


def _standing_above(folder: Path) -> Path:
    """The nearest folder above that exists: it decides whether ``folder`` can be created."""
    return next(parent for parent in folder.parents if parent.exists())


def _of_folder(folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"{folder} is a file, not a folder; move it away or choose another with --state-dir"]
    if not os.access(folder, os.W_OK | os.X_OK):
        return [f"{folder} cannot be written; mend its permissions or choose another with --state-dir"]
    return []


def _of_journal(path: Path) -> list[str]:
    from arbtui.journal.chain import check_events, is_chained
    from arbtui.journal.noted import check_noted
    from arbtui.journal.reader import check_pages, reading
    from arbtui.journal.snapshots import check_snapshots

    try:
        with reading(path) as connection:
            check_pages(connection)
            if is_chained(connection):
                check_events(connection)
            check_noted(connection)
            check_snapshots(connection)
            residual = connection.execute("SELECT group_concat(symbol, ', ') FROM cycle WHERE state = 'RESIDUAL' AND settled_ms IS NULL")
            left = residual.fetchone()[0]
    except UsageError as error:
        return [str(error)]
    return [f"residual positions not settled: {left}; see arbtui positions --profile P"] if left else []
