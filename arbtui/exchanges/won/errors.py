"""These venues' error object, the same from REST and from a socket."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError


def error_of(error: Mapping[str, Any]) -> VenueError:
    """``{"name", "message"}`` of an error; the name is a number where a market or path is not there, or a parameter is missing."""
    name = error.get("name")
    return VenueError("" if name is None else str(name), str(error.get("message", ""))[:EXCERPT])
