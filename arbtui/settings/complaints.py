"""Turns errors in the settings into messages an operator can act on: where, which key, what is expected, the nearest valid one."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from arbtui.exchanges.venues import VENUES
from arbtui.settings.environment import variable_of
from arbtui.settings.keys import is_table, nearest_key, owner
from arbtui.settings.profile import NOT_IN_A_PROFILE, Mode

#: Flags by the key that they set.
FLAGS: Mapping[tuple[str, ...], str] = {
    ("mode",): "--mode",
    ("universe", "symbols"): "--symbols",
    ("simulator", "seed"): "--seed",
}
_SECRET = re.compile(r"(^|_)(keys?|secrets?|tokens?|passwords?|passphrase|credentials?|apikey)(_|$)", re.IGNORECASE)
_KEY_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_\"'. -\t")
#: Sentences for so many wrong keys; the nearest right one of each takes a millisecond to find.
_MOST_TOLD = 50
_LONGEST_SENTENCE = 400


class Complaints:
    """Turns errors into messages; knows which layer set each key, and so which one to name."""

    def __init__(self, path: Path, text: str, flags: Mapping[str, Any], profile: Mapping[str, Any]) -> None:
        self._path = path
        self._lines = line_of_each_key(text)
        self._flags = flags
        self._profile = profile

    def of_profile(self) -> list[str]:
        """Keys that no profile may hold, whatever their value."""
        secrets = self._secrets(self._profile, ())
        if len(secrets) > _MOST_TOLD:
            secrets[_MOST_TOLD:] = [f"{self._path}: {len(secrets) - _MOST_TOLD:,} more keys look like secrets"]
        return [*secrets, *self._not_here()]

    def of(self, error: ValidationError) -> list[str]:
        """One message for each wrong key, in the order of the settings."""
        by_key: dict[tuple[str, ...], list[ErrorDetails]] = {}
        for detail in error.errors(include_url=False):
            path = tuple(str(part) for part in detail["loc"])
            key = owner(path)
            by_key.setdefault(key.path if key and detail["type"] != "extra_forbidden" else path, []).append(detail)
        told = [self._sentence(path, details) for path, details in islice(by_key.items(), _MOST_TOLD)]
        if len(by_key) > _MOST_TOLD:
            told.append(f"{self._path}: {len(by_key) - _MOST_TOLD:,} more keys are wrong")
        return list(dict.fromkeys(_short(sentence) for sentence in told))

    def _sentence(self, path: tuple[str, ...], details: Sequence[ErrorDetails]) -> str:
        detail = min(details, key=_rank)
        if detail["type"] == "extra_forbidden":
            return self._unknown(path)
        dotted = ".".join(path)
        if path[:1] == ("exchanges",) and len(path) > 1 and path[1] not in VENUES:
            return f"{self._place(path[:2])}{_unknown_venue(path[1])}"
        if detail["type"] == "value_error":
            return self._refused(path, str(detail["ctx"]["error"]))
        if detail["type"] == "missing" and len(detail["loc"]) == len(path):
            hint = f"; a profile names two venues or more of {', '.join(VENUES)}" if dotted == "exchanges" else _help(path)
            return f"{self._path}: {dotted} is missing{hint}"
        if is_table(path) or dotted == "exchanges":
            return f"{self._place(path)}{dotted} is a table: write [{dotted}] and its keys below it"
        key = owner(path)
        value = _shown(detail["input"] if len(detail["loc"]) == len(path) else self._given(path))
        if path == ("mode",):
            return f"{self._place(path)}mode {value}: expected {', '.join(get_args(Mode))}"
        expected = key.expected if key else detail["msg"]
        return f"{self._place(path)}{dotted} = {value}: expected {expected}{_near_value(detail)}{_help(path)}"

    def _refused(self, path: tuple[str, ...], message: str) -> str:
        """A validator's own message; one about a whole table starts with the key that it means."""
        start, _, rest = message.partition(": ")
        inner = (*path, *start.split("."))
        if inner[:1] == ("exchanges",) and len(inner) == 2 and inner[1] not in VENUES:
            return f"{self._place(inner)}{_unknown_venue(inner[1])}"
        if rest and (is_table(inner) or owner(inner)):
            path, message = inner, rest
        return f"{self._place(path)}{'.'.join(path)}: {message}"

    def _unknown(self, path: tuple[str, ...]) -> str:
        dotted = ".".join(path)
        near = nearest_key(path)
        hint = f"; did you mean {near}?" if near else ""
        return f"{self._place(path)}{dotted} is no key of a profile{hint}"

    def _not_here(self) -> list[str]:
        return [
            f"{self._place((key,))}{key} is not set by a profile; "
            + ("a mode is chosen at each start, with --mode" if key == "mode" else "a profile is named by its file")
            for key in NOT_IN_A_PROFILE
            if key in self._profile
        ]

    def _secrets(self, table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
        found: list[str] = []
        for name, value in table.items():
            if isinstance(value, dict):
                found += self._secrets(value, (*path, name))
            elif _SECRET.search(name):
                dotted = ".".join((*path, name))
                place = self._place((*path, name))
                found.append(f"{place}{dotted} looks like a secret: a profile holds none; take it out and change that key")
        return found

    def _given(self, path: tuple[str, ...]) -> Any:
        for layer in (self._flags, self._profile):
            value: Any = layer
            for part in path:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                return value
        return os.environ.get(variable_of(path), "")

    def _place(self, path: tuple[str, ...]) -> str:
        """Where the key was set: the flag, the variable, or the profile's line."""
        for length in range(len(path), 0, -1):
            part = path[:length]
            if part in FLAGS and _holds(self._flags, part):
                return f"{FLAGS[part]}: "
            if variable_of(part) in os.environ:
                return f"{variable_of(part)} in the environment: "
            if part in self._lines:
                return f"{self._path}:{self._lines[part]}: "
        below = [name for name in sorted(os.environ) if path and name.startswith(variable_of(path) + "__")]
        return f"{below[0]} in the environment: " if below else f"{self._path}: "


def line_of_each_key(text: str) -> dict[tuple[str, ...], int]:
    """The line (from 1) of each table and key of a TOML text. Keys inside inline tables have none."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _header(line):
            table = _parts(header)
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
            continue
        key, equals, _ = line.partition("=")
        if equals and key.strip() and _KEY_LETTERS.issuperset(key):
            lines.setdefault((*table, *_parts(key)), number)
    return lines


def _header(line: str) -> str:
    """What stands in the brackets of a table's header; empty for any other line. A pattern for it would take cubic time."""
    name, closed, rest = line.strip().removeprefix("[").partition("]")
    is_header = line.lstrip().startswith("[") and closed and "[" not in name and rest.lstrip()[:1] in ("", "#")
    return name.strip() if is_header else ""


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _holds(layer: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = layer
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _rank(detail: ErrorDetails) -> int:
    """Of several errors about one key (a union's branches), the most informative one."""
    return 0 if detail["type"] in ("value_error", "extra_forbidden") else 1 if detail.get("ctx") else 2


def _near_value(detail: ErrorDetails) -> str:
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return ""
    right = re.findall(r"'([^']+)'", str(detail.get("ctx", {}).get("expected", "")))
    close = difflib.get_close_matches(detail["input"].lower(), right, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _help(path: tuple[str, ...]) -> str:
    key = owner(path)
    return f" ({key.help.rstrip('.').replace('``', '')})" if key else ""


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    text = text.replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST_SENTENCE else f"{sentence[: _LONGEST_SENTENCE - 3]}..."


def _unknown_venue(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), list(VENUES), n=1, cutoff=0.5)
    hint = f"did you mean exchanges.{close[0]}? There" if close else "there"
    return f"exchanges.{name} is no venue that is built; {hint} are: {', '.join(VENUES)}"
