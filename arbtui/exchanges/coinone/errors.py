"""Coinone's errors: of REST, under whatever status, and of a socket."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError


def error_of(answer: Mapping[str, Any]) -> VenueError:
    """``error_code`` and ``error_msg`` of a REST answer (``errorCode``, ``errorMsg`` of older versions), ``message`` of a socket's."""
    code = answer.get("error_code", answer.get("errorCode", ""))
    words = answer.get("error_msg", answer.get("errorMsg", answer.get("message", "")))
    return VenueError(str(code), str(words)[:EXCERPT])
