"""Bybit's error objects, of REST and of sockets."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError


def error_of(answer: Mapping[str, Any]) -> VenueError | None:
    """``{"retCode", "retMsg"}``; None where it says that all is well (v5, "Common response parameters")."""
    code = answer.get("retCode")
    if code is None or str(code) == "0":
        return None
    return VenueError(str(code), str(answer.get("retMsg", ""))[:EXCERPT])
