"""``profiles``, ``init`` and ``locate``: the known profiles, a new one, and where files are."""

import json
import os
from pathlib import Path

from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME
from arbtui.monitoring.log import FILE_NAME
from arbtui.settings.locations import all_profiles, find_profile, own_profiles, shipped_profiles
from arbtui.settings.output import tell
from arbtui.settings.state import MODES, is_path, keep_private, mode_folder, profile_folder, profile_name, state_root

EXAMPLE = "upbit-binance"


def print_profiles(as_json: bool) -> int:
    """List the profiles by name, with their files."""
    found = all_profiles()
    if as_json:
        rows = [{"name": one.name, "path": str(one.path), "shipped": one.shipped} for one in found]
        tell(json.dumps(rows, indent=2) + "\n")
        return 0
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        tell(f"{one.name:<{width}}  {'shipped' if one.shipped else 'yours  '}  {one.path}\n")
    return 0


def write_example(name: str, as_json: bool) -> int:
    """Write the shipped example as ``name`` into the operator's folder.

    Raises:
        UsageError: the name is a path or invalid, a profile of that name exists or is shipped, or the folder cannot be written.
    """
    if is_path(name):
        raise UsageError(f"init {name}: give a name, not a path; the profile is written to {own_profiles()}")
    path = own_profiles() / f"{profile_name(name)}.toml"
    if not path.exists() and (shipped_profiles() / path.name).exists():
        raise UsageError(
            f"init {name}: a shipped profile has that name, which yours would hide from --profile {name}, and share its state; "
            f"choose another, such as my-{name}"
        )
    text = (shipped_profiles() / f"{EXAMPLE}.toml").read_text(encoding="utf-8")
    keep_private()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists already and is not overwritten; edit it, or choose another name") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror or error}): mend that folder, or name another with XDG_CONFIG_HOME"
        ) from None
    facts = {"name": name, "path": str(path)}
    tell(json.dumps(facts) + "\n" if as_json else f"{path}\nStart it with: arbtui --profile {name}\n")
    return 0


def print_places(profile: str | None, state_dir: str | None, as_json: bool) -> int:
    """Print the folders that the program reads and writes; with ``profile``, also where that one's file and state are.

    Raises:
        UsageError: neither a profile of that name nor any state of one.
    """
    root = state_root(state_dir)
    places: dict[str, str | None] = {"profiles": str(own_profiles()), "shipped_profiles": str(shipped_profiles()), "state": str(root)}
    places |= _places_of(profile, root) if profile else {}
    if as_json:
        tell(json.dumps(places, indent=2) + "\n")
        return 0
    for what, where in places.items():
        tell(f"{what.replace('_', ' '):<17} {where or 'none'}\n")
    return 0


def _places_of(name_or_path: str, root: Path) -> dict[str, str | None]:
    """File and folders of one profile, existing or not. State may exist without its profile."""
    name = profile_name(name_or_path)
    folder = profile_folder(root, name)
    file: str | None = None
    try:
        file = str(find_profile(name_or_path).absolute())
    except UsageError:
        if not folder.exists():
            raise
    journals = {f"{mode}_journal": str(mode_folder(root, name, mode) / "journal.db") for mode in MODES}
    return {"profile": file, "profile_state": str(folder), "log": str(folder / FILE_NAME), "kill_flag": str(folder / FLAG_NAME), **journals}
