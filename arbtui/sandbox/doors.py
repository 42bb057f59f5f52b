"""The doors of the sandbox, found by the venue's name: ``DOOR`` of the module ``arbtui.sandbox.NAME.venue``."""

import importlib
import pkgutil
from typing import TYPE_CHECKING

from arbtui.model.errors import UsageError

if TYPE_CHECKING:
    from arbtui.sandbox.venue import Venue


def door_of(name: str) -> "type[Venue]":
    """The door of the venue of that name.

    Raises:
        UsageError: the sandbox has none.
    """
    package = f"{__package__}.{name}"
    try:
        door: type[Venue] | None = getattr(importlib.import_module(f"{package}.venue"), "DOOR", None) if name.isidentifier() else None
    except ModuleNotFoundError as error:
        if error.name not in (package, f"{package}.venue"):
            raise
        door = None
    if door is None:
        raise UsageError(f"venue {name!r} is not played; there are {' and '.join(door_names())}")
    return door


def door_names() -> list[str]:
    """The names of all venues that have a door."""
    return [found.name for found in pkgutil.iter_modules(importlib.import_module(str(__package__)).__path__) if found.ispkg]
