"""What an error of Bitget's says: ``{"code": "43012", "msg": "...", "requestTime": ..., "data": null}``, under any status.

``code`` is ``00000`` for success (bitget.com/api-doc, "Quick Start"); over a socket it is a number or text, 0 for a login that was taken.
"""

from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError

SUCCESS = "00000"


def error_of(error: Any) -> VenueError | None:
    """What an answer says is wrong; None where it does not say."""
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, str | int) or code == SUCCESS:
        return None
    return VenueError(str(code), str(error.get("msg") or error.get("message") or "")[:EXCERPT])
