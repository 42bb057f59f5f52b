"""``arbtui kill --drill``: a kill that is rehearsed, measured and taken back, where no real money is at stake."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arbtui.journal.database import connect_read_only
from arbtui.model.errors import UsageError
from arbtui.model.halt import write_flag
from arbtui.model.loopback import is_loopback
from arbtui.settings.drill import DRILL_NAME, drill_words
from arbtui.settings.kill_signal import CONFIRM_S
from arbtui.settings.kill_signal import ask as signal_engine
from arbtui.settings.lock import holder
from arbtui.settings.person import person
from arbtui.settings.requests import ask
from arbtui.settings.state import latest_mode, mode_folder, profile_folder

#: For how long the engine is waited for until it has settled its orders, in s.
_SETTLE_S = 30.0
_PAUSE_S = 0.1
#: Kills that a drill makes: its flag, and its signal.
_KILLS = 2


def drill(name: str, root: Path) -> dict[str, Any]:
    """Kill the engine that runs on ``name`` below ``root``, measure, and re-arm it; what was measured, which is remembered, too.

    Only the drill's own kill is taken back: one that comes meanwhile stands.

    Raises:
        UsageError: it trades real money, is not armed, does not answer, or was not armed again (then it says that it is halted).
    """
    folder = profile_folder(root, name)
    if holder(folder) is None:
        raise UsageError(f"kill --drill: no engine runs on {folder}; start {name} first")
    mode = latest_mode(root, name)
    if mode is None or (mode == "live" and not _is_sandbox(mode_folder(root, name, mode) / "journal.db")):
        raise UsageError(f"kill --drill: {name} trades at real venues; rehearse on a paper profile, or at arbtui sandbox")
    before = _asked(folder, {"verb": "checklist"})
    if before is None:
        raise UsageError(f"kill --drill: the engine of {name} does not answer; see arbtui status")
    if before.get("state") != "ARMED":
        raise UsageError(f"kill --drill: {name} is {before.get('state')}; only an armed engine is rehearsed on")
    started = time.monotonic()
    try:
        is_ours = write_flag(folder, "CLI", "drill")
    except OSError as error:
        raise UsageError(f"kill --drill: the flag could not be written ({error.strerror or error})") from None
    if not is_ours:
        raise UsageError(f"kill --drill: a kill of {name} has come just now; it stands, and nothing was rehearsed")
    answer = signal_engine(folder)
    gate_ms = (time.monotonic() - started) * 1000
    if answer is None or not answer.confirmed:
        raise UsageError(f"kill --drill: THE DRILL FAILED, {name} IS HALTED: its engine has not confirmed within {CONFIRM_S:g} s")
    settled = _settled(folder)
    found = _asked(folder, {"verb": "checklist"}) or {}
    wish = {"verb": "rearm", "confirm": name, "reason": "drill", "by": person(), "kills": found.get("kills"), "override": True}
    # The flag and the signal are one kill and one repetition of it: whatever goes beyond that is not the drill's to take back.
    others = found.get("kills", 0) - before.get("kills", 0) > _KILLS
    refusal = "another kill came meanwhile" if others else (_asked(folder, wish) or {"refusal": "no answer"}).get("refusal")
    cancel_ms = settled.get("cancel_began_ms")
    facts = {
        "ts_ms": time.time_ns() // 1_000_000,
        "by": person(),
        "mode": mode,
        "gate_ms": round(gate_ms, 3),
        "cancel_began_ms": round(cancel_ms, 3) if cancel_ms is not None else None,
    }
    _remember(folder, facts)
    if refusal:
        raise UsageError(f"kill --drill: {drill_words(facts)}; {name} STAYS HALTED: {refusal}")
    return {**facts, "words": drill_words(facts)}


def _asked(folder: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return ask(folder, request)
    except OSError:
        return None


def _settled(folder: Path) -> dict[str, Any]:
    give_up_at = time.monotonic() + _SETTLE_S
    told: dict[str, Any] = {}
    while time.monotonic() < give_up_at:
        told = _asked(folder, {"verb": "halt_detail"}) or {}
        if told and not told.get("refusal"):
            break
        time.sleep(_PAUSE_S)
    return told


def _is_sandbox(journal: Path) -> bool:
    """Whether every venue of the journal's last run is on this machine."""
    try:
        with closing(connect_read_only(journal)) as db:
            row = db.execute("SELECT payload FROM event WHERE type = 'RunStarted' ORDER BY seq DESC LIMIT 1").fetchone()
        origins = json.loads(row[0])["origins"].values()
        return bool(origins) and all(is_loopback(urlsplit(origin).hostname or "") for origin in origins)
    except (sqlite3.Error, TypeError, ValueError, KeyError):
        return False


def _remember(folder: Path, facts: dict[str, Any]) -> None:
    part = folder / f".{DRILL_NAME}.{os.getpid()}"
    try:
        part.write_text(json.dumps(facts))
        part.chmod(0o600)
        part.replace(folder / DRILL_NAME)
    except OSError as error:
        raise UsageError(f"kill --drill: {drill_words(facts)}, which could not be remembered ({error.strerror or error})") from None
