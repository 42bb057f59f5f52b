"""Reading a profile: from a name or a path, with flags and environment on top, to checked settings."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from arbtui.model.errors import UsageError
from arbtui.settings.complaints import Complaints
from arbtui.settings.locations import find_profile
from arbtui.settings.profile import Settings
from arbtui.settings.state import profile_name
from arbtui.settings.structure import odd_text, odd_value

LARGEST_PROFILE = 100_000  #: bytes; a profile is a page of text, and more than this is something else


class ProfileError(UsageError):
    """A profile, or a flag or variable on top of it, is wrong. The message is the first problem; ``problems`` holds all."""

    def __init__(self, name_or_path: str, problems: list[str]) -> None:
        rest = len(problems) - 1
        more = f" (and {rest} more: arbtui check --profile {name_or_path})" if rest else ""
        super().__init__(problems[0] + more)
        self.problems = problems


def load_profile(name_or_path: str, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a profile given by name or path, with ``overrides`` (flags, as nested tables) on top of it.

    Raises:
        UsageError: there is no such profile, it cannot be read, or it is not TOML.
        ProfileError: it is wrong; it holds every problem.
    """
    path = find_profile(name_or_path)
    text = read_text(path)
    profile = _parse(path, text)
    flags = dict(overrides or {})
    complaints = Complaints(path, text, flags, profile)
    if problems := complaints.of_profile():
        raise ProfileError(name_or_path, problems)
    layers: dict[str, Any] = {"flags": {**flags, "name": profile_name(str(path)), "path": path}, "profile": profile}
    try:
        return Settings(**layers)
    except ValidationError as error:
        raise ProfileError(name_or_path, complaints.of(error)) from None


def read_text(path: Path) -> str:
    """A profile's text.

    Raises:
        UsageError: it is a folder, cannot be read, is far too large or not UTF-8 text.
    """
    try:
        if path.is_dir():
            raise UsageError(f"profile {path} is a folder; name a .toml file")
        if not path.is_file():
            raise UsageError(f"profile {path} is no ordinary file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_PROFILE + 1)
    except OSError as error:
        raise UsageError(f"profile {path} cannot be read ({error.strerror or error})") from None
    is_large = len(raw) > LARGEST_PROFILE
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if is_large and error.end >= len(raw):  # only cut in the midst of a letter
            raise _too_large(path) from None
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: byte {raw[error.start]:#04x} is no UTF-8; a profile is a TOML text in UTF-8") from None
    if is_large:
        raise _too_large(path)
    return text


def _too_large(path: Path) -> UsageError:
    return UsageError(f"profile {path} is larger than {LARGEST_PROFILE:,} bytes; that is no profile")


def _parse(path: Path, text: str) -> dict[str, Any]:
    if odd := odd_text(text):
        raise UsageError(f"{path}: no profile: {odd}")
    try:
        profile = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: no valid TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"{path}: no valid TOML: nested too deeply") from None
    except ValueError:  # Python's own limit on the digits of a number
        raise UsageError(f"{path}: no profile: a number of thousands of digits") from None
    if odd := odd_value(profile):
        raise UsageError(f"{path}: no profile: it holds {odd}")
    return profile
