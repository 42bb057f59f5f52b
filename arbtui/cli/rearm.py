"""``arbtui rearm``: a person takes a halt away, by typing the profile's name and a reason."""

from pathlib import Path

from arbtui.cli.confirmation import Confirmation
from arbtui.cli.no_state import refuse_unknown
from arbtui.cli.running_engine import ask_engine
from arbtui.cli.stopped_journal import commit_events
from arbtui.model.errors import UsageError
from arbtui.model.scoped_halts import FOLDER_NAME, archive_halt, file_name, file_of, read_halts
from arbtui.settings.lock import ProfileLock, holder
from arbtui.settings.output import tell
from arbtui.settings.person import person
from arbtui.settings.state import chosen_mode, existing_root, mode_folder, profile_folder, profile_name


def rearm_scope(profile: str, scope: str, confirmation: Confirmation, mode: str | None, state_dir: str | None) -> int:
    """Take away the halt of ``scope``, or the file of that name in ``halt.d``; 0 when done.

    Raises:
        UsageError: no such profile, halt or mode, no confirmation, a journal that has vanished, or an engine that refuses or does not
            answer.
    """
    name, root = profile_name(profile), existing_root(state_dir)
    folder = profile_folder(root, name)
    refuse_unknown(profile, folder)
    file = file_of(folder, scope)
    standing, troubles = read_halts(folder)
    if FOLDER_NAME in troubles:  # no halt is read, and all are held for it
        raise UsageError(
            f"{name}: {folder / FOLDER_NAME}: {troubles[FOLDER_NAME]}; nothing opens until it can: mend it, or move away what stands there"
        )
    halt = next((one for one in standing if not one.is_doubt and file_name(one.scope) == file), None)
    if halt is None and file not in troubles:
        stand = ", ".join(one.scope for one in standing) or "none"
        raise UsageError(f"{name}: no halt of {scope} stands in {folder / FOLDER_NAME}; standing: {stand}")
    wanted = halt.scope if halt is not None else file
    tell(f"{name}: take away: {halt.in_words() if halt is not None else f'{file}: {troubles[file]}'}\n")
    typed, why = confirmation.take(name, "to do it")
    if holder(folder) is not None:
        ask_engine(folder, {"verb": "rearm_scope", "scope": wanted, "confirm": typed, "reason": why, "by": person()})
    else:
        _take_away(folder, file, wanted, why, _journal(root, name, mode))
    tell("done, and journaled\n")
    return 0


def rearm_all(profile: str, confirmation: Confirmation, mode: str | None, state_dir: str | None, *, override: bool) -> int:
    """Open the gate after a kill, or arm what is DISARMED, of an engine that runs, headless or not, or of none; 0 when done.

    Raises:
        UsageError: no such profile, nothing to re-arm, no such mode, a journal that has vanished, the checklist is not clean, no
            confirmation, or the engine refuses or does not answer.
    """
    name, root = profile_name(profile), existing_root(state_dir)
    folder = profile_folder(root, name)
    refuse_unknown(profile, folder)
    if holder(folder) is None:
        from arbtui.cli.rearm_stopped import rearm_stopped

        return rearm_stopped(name, folder, _journal(root, name, mode), confirmation, override=override)
    found = ask_engine(folder, {"verb": "checklist"})
    if found.get("state") in ("ARMED", "PAUSED", "REDUCING"):
        raise UsageError(f"{name}: nothing to re-arm: it is {found['state']}; a smaller halt is taken away with --scope")
    cause = f" {found['cause']}" if found.get("cause") else ""
    tell(f"{name}: {found.get('state')}{cause}{', ' + found['detail'] if found.get('detail') else ''}\n")
    for check in found.get("checks", ()):
        tell(f"  {'ok ' if check['fine'] else 'NOT'}  {check['name']}: {check['words']}\n")
    failing = [check for check in found.get("checks", ()) if not check["fine"]]
    musts = [check for check in failing if check["must"]]
    if musts or (failing and not override):
        names, instead = ", ".join(check["name"] for check in failing), "" if musts else ", or add --override"
        raise UsageError(f"the checklist is not clean ({names}): mend it{instead}; nothing was changed")
    typed, why = confirmation.take(name, "to arm it")
    wish = {"verb": "rearm", "confirm": typed, "reason": why, "by": person(), "kills": found.get("kills"), "override": override}
    ask_engine(folder, wish)
    tell("armed, and journaled; the header and arbtui status show the state\n")
    return 0


def _journal(root: Path, name: str, mode: str | None) -> Path | None:
    """The journal that it is written into where no engine runs: of ``mode``, else of the latest run; None where there is none yet."""
    chosen = chosen_mode(root, name, mode)
    path = mode_folder(root, name, chosen) / "journal.db" if chosen is not None else None
    if path is not None and not path.exists():
        raise UsageError(f"profile {name} has no journal of mode {chosen} ({path})")
    return path


def _take_away(folder: Path, file: str, scope: str, reason: str, path: Path | None) -> None:
    """Without an engine: first the journal, then the file; a halt that stands although the journal says otherwise is found again."""
    from arbtui.journal.events import ScopeRearmed

    with ProfileLock(folder):
        if path is not None:
            commit_events(path, lambda _: (ScopeRearmed(scope, person(), reason),))
        try:
            gone = archive_halt(folder, file) is None
        except OSError as error:
            raise UsageError(f"the halt cannot be taken away ({error.strerror or error}, {error.filename}); it stands") from None
        if gone:
            raise UsageError(f"no halt of {scope} stands any more")
