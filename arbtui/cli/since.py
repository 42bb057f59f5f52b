"""``--since`` and ``--until``: a duration back from now, or a moment."""

import re
from datetime import UTC, datetime

from arbtui.model.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def since_ms(text: str, now_ms: int, flag: str = "--since") -> int:
    """``60s``, ``5m``, ``1h`` and ``2d`` before ``now_ms``, or an ISO 8601 time (UTC when it names no zone); ms since the epoch.

    Raises:
        UsageError: it is none of them.
    """
    if back := re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])", text.strip()):
        return max(0, now_ms - round(float(back[1]) * _UNITS[back[2]] * 1000))
    try:
        moment = datetime.fromisoformat(text.strip())
        return max(0, round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise UsageError(f"{flag} {text!r}: expected 60s, 5m, 1h, 2d, or a time such as 2026-01-31T09:00:00Z") from None
