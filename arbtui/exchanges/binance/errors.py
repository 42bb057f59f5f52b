"""Binance's error object, the same from REST and from a socket."""

import re
from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError

#: Where the message states a ban's end, in ms since the epoch.
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")


def error_of(error: Mapping[str, Any]) -> VenueError:
    """``{"code", "msg", "data": {"retryAfter"}}`` of an error; the end of a ban is in its data, or in its words."""
    code, message = error.get("code"), str(error.get("msg", ""))[:EXCERPT]
    data = error.get("data")
    retry_at_ms = data.get("retryAfter") if isinstance(data, dict) else None
    if not isinstance(retry_at_ms, int):
        found = _BANNED_UNTIL.search(message)
        retry_at_ms = int(found[1]) if found is not None else None
    return VenueError("" if code is None else str(code), message, retry_at_ms)
