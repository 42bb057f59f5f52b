"""The keys that an operator may remap, by the id of their action, and the rules of a remapping. Without Textual: settings read it."""

import difflib
import re
from collections.abc import Mapping

DEFAULT_KEYS: Mapping[str, str] = {
    "kill": "ctrl+k",
    "quit": "ctrl+q",
    "interrupt": "ctrl+c",
    "palette": "ctrl+p",
    "pause": "p",
    "disarm": "D",
    "rearm": "r",
    "filter": "/",
    "sort": "s",
    "sort.reverse": "S",
    "detail": "enter",
    "route.toggle": "x",
    "copy": "y",
    "freeze": "space",
    "acknowledge": "a",
    "settle": "w",
    "risk.view": "v",
    "limit": "l",
    "scope": "h",
    "accounts": "c",
    "pane.routes": "1",
    "pane.fills": "2",
    "pane.risk": "3",
    "pane.system": "4",
    "pane.log": "5",
    "pane.detail": "6",
    "pane.stock": "7",
    "pane.next": "tab",
    "pane.previous": "shift+tab",
    "zoom": "z",
    "back": "escape",
    "help": "?",
    "grid.down": "j,down",
    "grid.up": "k,up",
    "grid.top": "g,home",
    "grid.end": "G,end",
    "grid.page-down": "pagedown",
    "grid.page-up": "pageup",
}
"""Several keys for one action are separated by commas."""

ANYWHERE = ("kill", "quit", "interrupt", "palette")
"""Work in inputs and dialogs too, so they need a key that is not used there: ctrl and a letter."""

_NAMED = (
    *("space", "enter", "tab", "escape", "backspace", "delete", "insert"),
    *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
    *(f"f{number}" for number in range(1, 13)),
)
_ALIKE = {"h": "backspace", "i": "tab", "j": "enter", "m": "enter"}
"""Terminals send the same byte for ctrl and these letters as for those keys."""

_CHORD = re.compile(r"(?:ctrl|alt|shift)\+")
_SHOWN = {"enter": "⏎", "escape": "Esc", "tab": "Tab", "space": "Space", "shift+tab": "⇧Tab", "pagedown": "PgDn", "pageup": "PgUp"}


def check(remapping: Mapping[str, str]) -> None:
    """Check that a remapping can work.

    Raises:
        ValueError: ``id: what is wrong, and what would be valid``.
    """
    for name, keys in remapping.items():
        if name not in DEFAULT_KEYS:
            close = difflib.get_close_matches(name, DEFAULT_KEYS, n=1, cutoff=0.4)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(DEFAULT_KEYS)}"
            raise ValueError(f"{name}: no such action; {hint}")
        for key in parts(keys):
            complaint = _complaint(name, key)
            if complaint:
                raise ValueError(f"{name}: {complaint}")
    owners: dict[str, str] = {}
    for name, keys in {**DEFAULT_KEYS, **remapping}.items():
        for key in parts(keys):
            other = owners.setdefault(key, name)
            if other != name:
                first, second = (name, other) if name in remapping else (other, name)
                raise ValueError(f"{first}: {key} is the key of {second} already; give {second} another one too")


def parts(keys: str) -> list[str]:
    """The single keys of ``"j,down"``; a comma alone is the comma key."""
    return [","] if keys.strip() == "," else [key.strip() for key in keys.split(",")]


def shown(key: str) -> str:
    """A key as screens print it: ``^K``, ``Esc``, ``/``."""
    first = parts(key)[0]
    return _SHOWN.get(first) or (f"^{first[5:].upper()}" if first.startswith("ctrl+") else first.upper() if first[1:].isdigit() else first)


def _complaint(name: str, key: str) -> str:
    if name in ANYWHERE:
        if not re.fullmatch(r"ctrl\+[a-z]", key):
            return f"{key!r} will not do: it must work everywhere, also where one types; give ctrl and a letter, such as ctrl+k"
        if key[5:] in _ALIKE:
            return f"{key} will not do: a terminal sends the same for {_ALIKE[key[5:]]}"
        return ""
    if not key:
        return "give a key, such as f5 or ctrl+t"
    bare = _CHORD.sub("", key)
    if (len(bare) == 1 and bare.isprintable() and bare != " ") or bare in _NAMED:
        return ""
    close = difflib.get_close_matches(bare.lower(), _NAMED, n=1, cutoff=0.5)
    return f"{key!r} is no key; {f'did you mean {close[0]}?' if close else 'give one character, a name such as f5 or pageup, or ctrl+t'}"


class KeyNames:
    """The keys in force, by id, as the footer, the help and the flash line print them.

    Args:
        told: the remapping, checked.
    """

    def __init__(self, remapping: Mapping[str, str]) -> None:
        self.remapping = dict(remapping)
        self._keys: dict[str, str] = {**DEFAULT_KEYS, **remapping}

    def __getitem__(self, name: str) -> str:
        """The first key of ``name`` as printed."""
        return shown(self._keys[name])

    def all_of(self, name: str) -> str:
        """Every key of ``name`` as printed."""
        return " ".join(shown(key) for key in parts(self._keys[name]))

    @property
    def anywhere(self) -> frozenset[str]:
        """The keys that work in inputs and dialogs too."""
        return frozenset(key for name in ANYWHERE for key in parts(self._keys[name]))

    @property
    def moving(self) -> frozenset[str]:
        """The keys that move the cursor of a pane and do nothing else."""
        return frozenset(key for name in self._keys if name.startswith("grid.") for key in parts(self._keys[name]))

    @property
    def kill_letter(self) -> str:
        """The letter that, with ctrl, halts trading."""
        return self._keys["kill"][5:]
