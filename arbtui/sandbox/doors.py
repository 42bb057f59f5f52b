"""The doors of the sandbox, found by the venue's name: ``DOOR`` of the module ``arbtui.sandbox.NAME.venue``."""

import importlib
import importlib.util
import pkgutil
from typing import ClassVar, Protocol

from arbtui.model.errors import UsageError
from arbtui.simulation.played_venue import DEFAULT_VENUES


class Door(Protocol):
    """What is known of a door before it opens (:class:`~arbtui.sandbox.venue.Venue`)."""

    wants_passphrase: ClassVar[bool]  #: whether the venue's keys have a passphrase
    errors_have_codes: ClassVar[bool]  #: whether its errors have a number (key ``code`` of a fault)
    error_pattern: ClassVar[str]  #: what ``error`` of a fault must look like
    error_example: ClassVar[str]
    announces_shutdown: ClassVar[bool]  #: whether it tells its sockets before it ends them
    flags: ClassVar[tuple[str, ...]]  #: what its list of markets may warn of (fault ``flag``)
    answers_depth: ClassVar[bool]  #: whether a REST answer is where a client's book begins (fault ``old_depth``)


def door_of(name: str) -> type[Door]:
    """The door of the venue of that name.

    Raises:
        UsageError: the sandbox has none.
    """
    package = f"{__package__}.{name}"
    try:
        door: type[Door] | None = getattr(importlib.import_module(f"{package}.venue"), "DOOR", None) if name.isidentifier() else None
    except ModuleNotFoundError as error:
        if error.name not in (package, f"{package}.venue"):
            raise
        door = None
    if door is None:
        raise UsageError(f"venue {name!r} is not played; there are {' and '.join(door_names())}")
    return door


def door_names() -> list[str]:
    """The names of all venues that have a door, the default ones first."""
    packages = pkgutil.iter_modules(importlib.import_module(str(__package__)).__path__)
    found = {one.name for one in packages if one.ispkg and importlib.util.find_spec(f"{__package__}.{one.name}.venue") is not None}
    return [*DEFAULT_VENUES, *sorted(found - set(DEFAULT_VENUES))]
