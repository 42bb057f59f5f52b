"""Where profiles are found: the operator's own folder first, then those shipped with the program."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

import arbtui
from arbtui.model.errors import UsageError
from arbtui.settings.state import is_path, platform_folder, profile_name


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """One profile that can be started by name."""

    name: str
    path: Path
    shipped: bool


def own_profiles() -> Path:
    """The operator's folder of profiles, where ``arbtui init`` writes: ``$XDG_CONFIG_HOME/arbtui/profiles`` or the platform's."""
    return platform_folder("XDG_CONFIG_HOME", ".config") / "arbtui" / "profiles"


def shipped_profiles() -> Path:
    """The shipped profiles: inside the package when installed, beside it in a checkout."""
    package = Path(arbtui.__file__).resolve().parent
    inside = package / "profiles"
    return inside if inside.is_dir() else package.parent / "profiles"


def all_profiles() -> list[ProfileFile]:
    """Every profile by name, sorted; the operator's own hides a shipped one of the same name."""
    found: dict[str, ProfileFile] = {}
    for folder, shipped in ((shipped_profiles(), True), (own_profiles(), False)):
        if folder.is_dir():
            found.update({path.stem: ProfileFile(path.stem, path, shipped) for path in folder.glob("*.toml")})
    return [found[name] for name in sorted(found)]


def find_profile(name_or_path: str) -> Path:
    """The file of a profile given by name or path; not checked for being readable.

    Raises:
        UsageError: there is none; the message lists the known ones and the nearest.
    """
    if is_path(name_or_path):
        path = Path(os.path.expanduser(name_or_path))
        profile_name(name_or_path)
        if not path.exists():
            raise UsageError(f"profile {name_or_path}: no such file{_nearest_beside(path)}")
        return path
    name = profile_name(name_or_path)
    profiles = all_profiles()
    for profile in profiles:
        if profile.name == name:
            return profile.path
    raise UsageError(f"no profile is named {name}; {nearest(name, [profile.name for profile in profiles])}")


def nearest(word: str, known: list[str]) -> str:
    """A clause that lists ``known`` and names the one nearest to ``word``."""
    if not known:
        return f"there is none yet: `arbtui init NAME` writes one to {own_profiles()}"
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return (f"did you mean {close[0]}? There are: " if close else "there are: ") + ", ".join(known)


def _nearest_beside(path: Path) -> str:
    folder = path.parent
    names = sorted(other.name for other in folder.glob("*.toml")) if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    if close:
        return f"; did you mean {folder / close[0]}?"
    return f"; {nearest(path.stem, [profile.name for profile in all_profiles()])}"
