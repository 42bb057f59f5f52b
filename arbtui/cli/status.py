"""``status``: the state of a profile that runs, hangs or is dead, from its lock, flag and journal, all read only."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.cli.other_modes import other_modes, other_modes_in_words
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME, read_flag
from arbtui.model.printable import printable
from arbtui.model.scoped_halts import DOUBT, FOLDER_NAME, read_halts
from arbtui.settings.drill import read_drill
from arbtui.settings.guardian_post import guardian_facts
from arbtui.settings.lock import LOCK_NAME, holder
from arbtui.settings.mode_file import read_reconciliation, read_start
from arbtui.settings.output import say, tell
from arbtui.settings.process import STOPPED, process_facts
from arbtui.settings.state import (
    MODES,
    existing_root,
    hidden_mode,
    is_path,
    latest_mode,
    mode_folder,
    profile_folder,
    profile_name,
    taken_folders,
    vanished_journals,
)

if TYPE_CHECKING:
    from arbtui.settings.profile import Settings
    from arbtui.views.status import Holder

#: Rows of a list in the text; JSON holds all.
_SHOWN = 10
#: Reasons in the line that says why not.
_REASONS = 4
#: Differences between journal and venues in the text.
_DIFFERENCES = 3


def print_status(name_or_path: str, mode: str | None, as_json: bool, state_dir: str | None) -> int:
    """Print the facts; 0, or 2 when the journal cannot be read (lock and flag are reported all the same).

    Raises:
        UsageError: no such mode, a state folder that cannot be read, or neither a profile of that name nor any state of one.
    """
    from arbtui.settings.limits import limit_facts

    if mode is not None and mode not in MODES:
        raise UsageError(f"--mode {mode!r}: expected {', '.join(MODES)}")
    name, root = profile_name(name_or_path), existing_root(state_dir)
    folder = profile_folder(root, name)
    try:
        has_state = _has_state(folder)
    except OSError as error:
        raise UsageError(f"state folder {folder} cannot be read ({error.strerror or error})") from None
    if not has_state:
        _refuse_unknown(name_or_path, name, root)
    chosen = mode or latest_mode(root, name)
    if mode is not None and not (mode_folder(root, name, mode) / "journal.db").exists():
        raise UsageError(f"profile {name} has no journal of mode {mode} ({mode_folder(root, name, mode) / 'journal.db'})")
    gone = vanished_journals(root, name)
    if mode is None:
        chosen = hidden_mode(gone, chosen) or chosen
    settings = _settings(name_or_path, chosen)
    status, trouble = _read(settings, folder, mode_folder(root, name, chosen) / "journal.db" if chosen else None)
    trouble = "; ".join(dict.fromkeys([*filter(None, [trouble]), *taken_folders(root, name), *gone.values()]))
    status = {"profile": name, "mode": chosen, "folder": str(folder), **status, "journal_error": trouble or None}
    status["start"] = read_start(mode_folder(root, name, chosen)) if chosen else None
    status["reconciliation"] = read_reconciliation(mode_folder(root, name, chosen)) if chosen else None
    status["last_end"] = _last_end(status, folder, mode_folder(root, name, chosen) / "journal.db") if chosen else None
    status["guardian"] = guardian_facts(folder)
    status["drill"] = read_drill(folder, time.time_ns() // 1_000_000)
    status |= {"other_modes": other_modes(root, name, chosen), "limits": limit_facts(settings) if settings else None}
    if as_json:
        tell(json.dumps(status, indent=2, allow_nan=False) + "\n")
    else:
        _show(status)
    if trouble:
        say(trouble)
    return 2 if trouble else 0


def _read(settings: "Settings | None", folder: Path, path: Path | None) -> tuple[dict[str, Any], str]:
    """The facts, and why the journal could not be read (then without it)."""
    from arbtui.journal.config import JournalConfig
    from arbtui.journal.denials import read_denials
    from arbtui.journal.liveness import read_liveness
    from arbtui.journal.outbox import read_undelivered
    from arbtui.monitoring.delivery import alert_facts
    from arbtui.portfolio.restore import restore
    from arbtui.views.status import read_status

    who, cause, wall_ms = _holder(folder), read_flag(folder), time.time_ns() // 1_000_000
    halts, _ = read_halts(folder)
    journal, portfolio, liveness, trouble, alerts = None, None, None, "", None
    denials: list[dict[str, Any]] = []
    try:
        if path is not None and path.exists() and path.stat().st_size:  # a journal that is just being created counts as none
            liveness = read_liveness(path)
            journal, portfolio = restore(path)
            alerts = alert_facts(read_undelivered(path), liveness.now_ms(wall_ms))
            denials = [one for one in read_denials(path, liveness.now_ms(wall_ms)) if one.pop("route") is None]
    except UsageError as error:
        trouble = str(error)
    except OSError as error:
        trouble = f"{path}: {error.strerror or error}"
    expected = (settings.journal if settings else JournalConfig()).snapshot_interval_s  # for a journal that does not show it
    return read_status(who, cause, journal, portfolio, liveness, wall_ms, expected, halts) | {"alerts": alerts, "denials": denials}, trouble


def _last_end(status: dict[str, Any], folder: Path, path: Path) -> dict[str, Any] | None:
    """How the previous run ended: while an engine runs, the one before it; otherwise the last one. None when it is not known."""
    if status["running"]:
        start = status["start"]
        return start.get("last_end") if start is not None and start.get("pid") == status["pid"] else None
    from arbtui.failover.crash_detector import CrashDetector
    from arbtui.journal.state import last_event_ms, load
    from arbtui.settings.lock import read_word
    from arbtui.settings.process import boot_id
    from arbtui.settings.traces import traces_left

    try:
        return CrashDetector(traces_left(folder, read_word(folder)), boot_id()).judge(load(path).last_run, last_event_ms(path)).facts()
    except UsageError:
        return None


def _holder(folder: Path) -> "Holder | None":
    from arbtui.views.status import Holder

    pid = holder(folder)
    if pid is None:
        return None
    return Holder(pid, process_facts(pid).state if pid else "", (folder / LOCK_NAME).stat().st_mtime_ns // 1_000_000)


def _settings(name_or_path: str, mode: str | None) -> "Settings | None":
    """The present profile, in the mode shown; None when it cannot be read, which a status survives."""
    from arbtui.settings.load import load_profile

    try:
        return load_profile(name_or_path, {} if mode is None else {"mode": mode})
    except UsageError:
        return None


def _has_state(folder: Path) -> bool:
    return any(
        (folder / name).exists()
        for name in (LOCK_NAME, FLAG_NAME, FOLDER_NAME, *(f"{mode}/journal.db" for mode in MODES), *(f"{mode}.tip" for mode in MODES))
    )


def _refuse_unknown(name_or_path: str, name: str, root: Path) -> None:
    """Check a name without state: an existing profile has never run; any other name is a mistake.

    Raises:
        UsageError: no such profile; the message names the nearest of the profiles and of those with state.
    """
    from arbtui.settings.locations import all_profiles, find_profile, nearest

    if is_path(name_or_path):
        find_profile(name_or_path)
        return
    known = {profile.name for profile in all_profiles()}
    if name in known:
        return
    if root.is_dir():
        known |= {folder.name for folder in root.iterdir() if _has_state(folder)}
    raise UsageError(f"no profile is named {name}, and {root} holds no state of one; {nearest(name, sorted(known))}")


def _show(status: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, words, style in _lines(status):
        table.add_row(label, Text(printable(words), style))
    Console(highlight=False).print(table)


def _lines(status: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Label, words and style of each line; only a list's first line has a label."""
    from arbtui.monitoring.delivery import alert_troubles

    run, pnl, kill = status["run"], status["pnl"], status["kill"]
    name = f"{status['profile']} {status['mode'] or ''}"
    lines = [("profile", name, "bold"), ("state in", status["folder"], ""), _engine_line(status)]
    if others := other_modes_in_words(status["other_modes"]):
        lines.append(("other modes", others, "bold red"))
    if status["wedged"]:
        lines.append(("", _wedged(status), "bold red"))
    if kill["latched"]:
        missing = "" if kill["flag"] else " (the flag is gone; the journal has it)"
        words = f"LATCHED by {kill['source']} at {kill['ts']}: {kill['reason'] or 'no reason given'}{missing}. "
        words += f"Nothing is sent until it is re-armed: key r in the console, or arbtui rearm --profile {status['profile']}"
        lines.append(("kill", words, "bold red"))
    else:
        lines.append(("kill", "none", ""))
    if status["disarmed"] is not None:
        until = f"no order leaves until somebody arms it: key r in the console, or arbtui rearm --profile {status['profile']}"
        lines.append(("disarmed", f"{status['disarmed']}; {until}".removeprefix("; "), "yellow"))
    if drill := status["drill"]:
        lines.append(("kill drill", f"{drill['words']}, {_age(drill['age_s'])} ago", ""))
    if status["guardian"]["watches"] or status["mode"] == "live":
        lines.append(("guardian", status["guardian"]["words"], "" if status["guardian"]["holds_keys"] else "yellow"))
    lines += [("halt", f"{row['words']}; {_ends(row, status['profile'])} ends it", "bold red") for row in status["halts"]]
    if alerts := status["alerts"]:
        lines += [("alerts", words, "bold red") for words in alert_troubles(alerts)] or [("alerts", "none waits", "")]
    if limits := status["limits"]:
        most, unit = limits["global"], limits["currency"]
        sizes = f"max_unhedged {most['max_unhedged']:g} {unit}, max_loss_day {most['max_loss_day']:g} {unit}"
        words = f"{limits['set']} set: {sizes}, max_open_cycles {most['max_open_cycles']} (as the profile stands now)"
        lines.append(("limits", words, ""))
    if own := status["limits_set"]:
        words = ", ".join(f"{row['scope']} {row['value']:g} by {row['by']}" for row in own)
        lines.append(("", f"set in the journal, the stricter holds: {words} (arbtui limits)", ""))
    if run:
        ended = "still running" if status["running"] else "no end recorded"
        if run["ended"]:
            ended = f"ended {run['ended']}, {run['stop_reason']}, exit code {run['exit_code']}"
        lines.append(("last run", f"{run['id']}, started {run['started']}, {ended}", ""))
        lines.append(("last event", f"{status['last_event']}, {_age(status['last_event_age_s'])} ago", ""))
    if start := status["start"]:
        lines += _as_left("start", lambda: _start(start))
    if accounts := status["reconciliation"]:
        lines += _as_left("accounts", lambda: _accounts(accounts, is_running=status["running"]))
    if last := status["last_end"]:
        crashed = last["ending"] in ("CRASHED", "POWER_CUT", "FAILED")
        lines.append(("before it" if status["running"] else "last end", last["words"], "yellow" if crashed else ""))
    if pnl:
        today = f"PnL {pnl['day']}" if pnl["day"] else "PnL today"
        lines += [(today, _pnl(pnl["today"]), ""), ("PnL in all", _pnl(pnl["all"]), "")]
        lines.append(("cycles", ", ".join(f"{count} {state}" for state, count in status["cycles"].items()) or "none", ""))
        lines += [(f"{row['asset']} exposure", _open_fx(row), "") for row in status["open_fx"]]
    if status["denials"]:
        lines.append(("why not", _why_not(status["denials"]), ""))
    left: dict[str, list[str]] = {}
    for row in status["residuals"]:
        left.setdefault(row["cycle_id"], []).append(f"{row['qty']} {row['asset']}")
    for label, rows, style in (("open", status["open_cycles"], ""), ("residual", status["residual_cycles"], "bold red")):
        told = [f"{row['id']} {row['route']} {' '.join(left.get(row['id'], ()))} since {row['opened']} {row['reason']}" for row in rows]
        lines += _listed(label, [" ".join(words.split()) for words in told], style)
    if status["open_orders"]:
        shown = ("client_order_id", "exchange", "market", "side", "qty", "state")
        told = [" ".join(row[name] for name in shown) for row in status["open_orders"]]
        lines += _listed("orders", told, "yellow")
    if status["transfers"]:
        told = [f"{row['id']} {row['state']}: {row['qty']} {row['asset']} {row['from']} > {row['to']}" for row in status["transfers"]]
        lines += _listed("transfers", told, "yellow")
    if status["disputes"]:
        told = [f"{row['exchange']} {row['asset']}: {row['ours']} here, {row['theirs']} there" for row in status["disputes"]]
        lines += _listed("disputed", told, "bold red")
    lines += _listed("notices", [_notice(row) for row in status["notices"] if row["next"] or row["standing"]], "yellow")
    return lines + _listed("breaches", [_breach(row) for row in reversed(status["breaches"])], "yellow")


def _ends(halt: dict[str, Any], profile: str) -> str:
    """The command that takes ``halt`` away; a file that could not be understood is named in its words."""
    return "arbtui rearm --scope" if halt["source"] == DOUBT else f"arbtui rearm --profile {profile} --scope {halt['scope']}"


def _breach(row: dict[str, Any]) -> str:
    more = f" (and {counted(row['repeats'], 'time')} more, the last {row['last']})" if row["repeats"] else ""
    return f"{row['severity']} {row['ts']} {row['kind']} {row['scope']}: {row['detail']}{more}"


def _notice(row: dict[str, Any]) -> str:
    """``upbit delisting XRP: title (XRP REDUCING; XRP HALTED in 01:02:03) link``."""
    what = "; ".join([*row["standing"], *([f"{row['next']} in {timedelta(seconds=round(row['due_s']))}"] if row["next"] else [])])
    return f"{row['exchange']} {' '.join(row['kinds'])} {', '.join(row['coins'])}: {row['title']} ({what}) {row['url'] or ''}".rstrip()


def _as_left(label: str, lines: Callable[[], list[tuple[str, str, str]]]) -> list[tuple[str, str, str]]:
    """``lines`` of a file that a session left; one line where another version, or somebody else, wrote it."""
    try:
        return lines()
    except (KeyError, TypeError, ValueError, AttributeError):
        return [(label, "what the last session left of it cannot be read", "yellow")]


def _start(start: dict[str, Any]) -> list[tuple[str, str, str]]:
    """How the latest start went, then the steps that are not as they should be, or under way."""
    steps = [step for step in start["steps"] if not step["ok"] or step["result"] is None]
    return [("start", f"{len(start['steps'])} steps in {start['seconds']:.1f} s", "")] + [
        ("", f"{step['no']} {step['name']}: {step['result'] or 'under way'}", "yellow") for step in steps
    ]


def _accounts(accounts: dict[str, Any], *, is_running: bool) -> list[tuple[str, str, str]]:
    """How journal and venues compare, then the newest differences, and what is not answered or late."""
    done = sum(check["done"] for check in accounts["checks"])
    when = "now" if is_running else "at its end"
    found = f"{accounts['found']} differences found" if accounts["found"] else "no difference"
    lines = [
        ("accounts", f"{found} in {done} comparisons of {accounts['run']}, {when}: {accounts['ts']}", "yellow" if accounts["found"] else "")
    ]
    lines += [
        ("", f"{one['ts']} {one['exchange']} {one['check']}: {one['what']}", "yellow") for one in accounts["differences"][:_DIFFERENCES]
    ]
    for check in accounts["checks"]:
        if check["why"] or check["behind"]:
            why = check["why"] or f"every {check['real_s']:.0f} s, not {check['every_s']:g}: rate limits or answers leave no more"
            lines.append(("", f"{check['exchange']} {check['check']}: {why}", "yellow"))
    return lines


def _why_not(denials: list[dict[str, Any]]) -> str:
    """What kept us from gaps in the last hour; over the day where the hour has nothing."""
    span = "hour" if any(one["hour"]["times"] or one["hour"]["seconds"] for one in denials) else "day"
    held = sorted(denials, key=lambda one: -one[span]["seconds"])
    words = [
        f"{one['reason']} {_age(one[span]['seconds'])} x{one[span]['times']}" for one in held if one[span]["times"] or one[span]["seconds"]
    ]
    more = f", and {len(words) - _REASONS} more" if len(words) > _REASONS else ""
    return f"last {span}, all routes: {', '.join(words[:_REASONS])}{more} (ledger --denials)"


def _engine_line(status: dict[str, Any]) -> tuple[str, str, str]:
    if not status["running"]:
        return "engine", f"{status['state']}: none runs", "yellow" if status["state"] == "CRASHED" else ""
    who = f"pid {status['pid']}" if status["pid"] else "pid not known"
    if status["process_state"] in STOPPED:
        who += f", stopped (state {status['process_state']}; it goes on with: kill -CONT {status['pid']}),"
    return "engine", f"{status['state']}, runs as {who} since {status['since']}", "green" if status["state"] == "ARMED" else "yellow"


def _wedged(status: dict[str, Any]) -> str:
    age = status["last_snapshot_age_s"]
    newest = f"its newest snapshot is {_age(age)} old" if age is not None else "it has stored no snapshot"
    return f"wedged? {newest}, one is due every {status['snapshot_interval_s']:.3g} s"


def _listed(label: str, words: list[str], style: str) -> list[tuple[str, str, str]]:
    if not words:
        return [(label, "none", "")]
    more = [f"and {len(words) - _SHOWN} more: --json"] if len(words) > _SHOWN else []
    return [(f"{label} {len(words)}" if place == 0 else "", text, style) for place, text in enumerate([*words[:_SHOWN], *more])]


def _open_fx(row: dict[str, Any]) -> str:
    value = "no price" if row["value"] is None else f"{float(row['value']):,.2f} {row['currency']}"
    age = "" if row["age_s"] is None else f" for {_age(row['age_s'])}"
    converted = f"{float(row['converted']):,.0f} {row['currency']} converted for {float(row['cost']):,.2f}"
    return f"{float(row['amount']):+,.0f} ({value}){age}; {converted}"


def _pnl(parts: dict[str, Any] | None) -> str:
    if parts is None:
        return "nothing yet"
    split = ", ".join(f"{name} {parts[name]}" for name in ("trading", "fees", "fx_open", "fx_stock", "inventory"))
    return f"{parts['total']} {parts['currency']} ({split})"


def _age(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
