"""Which profiles a kill is for. Standard library only: ``arbtui kill`` must work when everything else fails."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from arbtui.model.errors import UsageError
from arbtui.settings.lock import holder
from arbtui.settings.state import is_path, profile_folder, profile_name


def running(root: Path) -> tuple[str, ...]:
    """The profiles below ``root`` that an engine runs on at this moment."""
    try:
        return tuple(sorted(folder.name for folder in root.iterdir() if holder(folder) is not None))
    except OSError:
        return ()


def alike(name: str, known: Sequence[str]) -> str:
    """The one of ``known`` that ``name`` probably means; empty when none is similar."""
    if not known:
        return ""
    from difflib import get_close_matches

    folded = {one.casefold(): one for one in known}
    return next((folded[one] for one in get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)), "")


def targets(profile: str, root: Path, *, everything: bool) -> tuple[str, ...]:
    """The names of the profiles to kill.

    Args:
        profile: by name or by file, as typed; empty where it was left out.
        root: the folder that holds every profile's state.
        everything: each one that runs, whatever its name.

    Raises:
        UsageError: no such profile, or the name was left out and not exactly one engine runs.
    """
    if everything:
        if profile:
            raise UsageError(f"kill: --all kills every profile that runs; leave out {profile}, or leave out --all")
        return running(root)
    if not profile:
        return (_only_one(root),)
    name = profile_name(profile)
    if not is_known(profile, name, root):
        raise UsageError(_unknown(name, root))
    return (name,)


def is_known(profile: str, name: str, root: Path) -> bool:
    """Whether there is state of ``name``, a file at that path, or a profile of that name; in doubt there is."""
    if os.path.lexists(profile_folder(root, name)) or (root.exists() and not root.is_dir()):
        return True
    if is_path(profile):
        return os.path.exists(os.path.expanduser(profile))
    try:
        from arbtui.settings.locations import all_profiles

        return any(one.name == name for one in all_profiles())
    except OSError:
        return True


def _only_one(root: Path) -> str:
    runs = running(root)
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise UsageError(f"kill: which profile? {', '.join(runs)} run in {root}: arbtui kill --profile NAME, or arbtui kill --all")
    raise UsageError(f"kill: which profile? None runs in {root}: arbtui kill --profile NAME [--state-dir DIR]")


def _unknown(name: str, root: Path) -> str:
    """The complaint about a name that nobody knows: what still runs comes first."""
    runs = running(root)
    meant = alike(name, runs)
    if meant:
        return (
            f"NOTHING WAS STOPPED, {meant} STILL RUNS: no profile is named {name}; did you mean {meant}? "
            f"arbtui kill --profile {meant} --state-dir {shlex.quote(str(root))} (running there: {', '.join(runs)})"
        )
    from arbtui.settings.locations import all_profiles

    known = {one.name for one in all_profiles()}
    if root.is_dir():
        known |= {folder.name for folder in root.iterdir() if folder.is_dir()}
    near = alike(name, sorted(known))
    what = f"no profile is named {name}, and {root} holds no state of one{f'; did you mean {near}?' if near else ''}"
    others = f"; running there: {', '.join(runs)}" if runs else ""
    return f"nothing was stopped: {what}{others}"
