"""These venues' error object, the same from REST and from a socket."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, ToldError


def told_error(error: Mapping[str, Any]) -> ToldError:
    """``{"name", "message"}`` of an error; the name is a number where a market or path is not there, or a parameter is missing."""
    name = error.get("name")
    return ToldError("" if name is None else str(name), str(error.get("message", ""))[:EXCERPT])
