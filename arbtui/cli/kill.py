"""``arbtui kill``: closes the gate from another shell. Standard library only: it must work when nothing else does.

The flag is written from the profile's *name*; the profile itself is not read, so a broken one can be killed too.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME, read_flag, write_flag
from arbtui.settings.lock import holder
from arbtui.settings.state import keep_private, profile_folder, profile_name, state_root

USAGE = """Usage: arbtui kill --profile NAME|PATH [--state-dir DIR] [--json]

Close the gate of the profile at once: no order is sent until a person re-arms in the console (key r).
Works while the profile runs, hangs or is stopped. Orders and legs that are open stay as they are.

Exit codes: 0 the gate of a running engine is closed; 1 the flag is written, but no engine runs on that folder
(or it could not be written); 2 wrong usage.
"""


@dataclass
class _Wish:
    profile: str = ""
    state_dir: str = ""
    as_json: bool = False
    ignored: tuple[str, ...] = ()


def kill(arguments: Sequence[str]) -> int:
    """Write the flag, then say whose gate it closed; the exit code."""
    if "--help" in arguments:
        sys.stdout.write(USAGE)
        return 0
    try:
        wish = _parse(arguments)
        name = profile_name(wish.profile)
    except UsageError as error:
        return _fail(str(error), error.exit_code)
    keep_private()
    root = state_root(wish.state_dir)
    folder = profile_folder(root, name)
    try:
        written = write_flag(folder, "CLI", "arbtui kill")
    except OSError as error:
        pid = holder(folder)
        stop = f"press ^K in its console, or stop it: kill {pid}" if pid else "no engine seems to run there"
        return _fail(f"the flag {folder / FLAG_NAME} could not be written ({error.strerror or error}); {stop}", 1)
    for word in wish.ignored:
        sys.stderr.write(f"arbtui: kill took no notice of {word}\n")
    return _tell(name, folder, written, wish.as_json)


def _tell(name: str, folder: Path, written: bool, as_json: bool) -> int:
    pid = holder(folder)
    cause = read_flag(folder)
    if as_json:
        told = {
            "profile": name,
            "folder": str(folder),
            "flag": str(folder / FLAG_NAME),
            "written": written,
            "source": cause.source if cause else None,
            "running": pid is not None,
            "pid": pid,
        }
        sys.stdout.write(json.dumps(told) + "\n")
    before = "" if written else f" (it was closed already, by {cause.source if cause else 'unknown'})"
    if pid is None:
        others = _running(folder.parent)
        hint = f"; running there: {', '.join(others)}" if others else ""
        return _fail(f"no engine runs on {folder}{hint}. The kill flag stands there all the same{before}: {name} will start halted", 1)
    if not as_json:
        process = f"process {pid}" if pid else "a process that does not tell its number"
        left = "Open legs stay as they are; re-arm in the console with r"
        sys.stdout.write(f"arbtui: the gate of {name} ({process}) is closed{before}. {left}\n")
    return 0


def _running(root: Path) -> list[str]:
    """The profiles that an engine runs on at this moment, so that a mistyped name is seen."""
    try:
        return sorted(folder.name for folder in root.iterdir() if holder(folder) is not None)
    except OSError:
        return []


def _parse(arguments: Sequence[str]) -> _Wish:
    """Read the flags. What is not known is passed over and told, not refused: the wish to stop is clear enough."""
    wish, rest = _Wish(), list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--json":
            wish.as_json = True
        elif name in ("--profile", "--state-dir"):
            if not equals:
                value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
            if not value:
                raise UsageError(f"kill: {name} lacks its value; arbtui kill --profile NAME [--state-dir DIR]")
            setattr(wish, name.strip("-").replace("-", "_"), value)
        elif not word.startswith("-") and not wish.profile:
            wish.profile = word
        else:
            wish.ignored += (word,)
    if not wish.profile:
        raise UsageError("kill: which profile? arbtui kill --profile NAME [--state-dir DIR]")
    return wish


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"arbtui: {message}\n")
    return code
