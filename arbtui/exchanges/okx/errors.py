"""What an error of OKX's says, under any HTTP status: ``{"code": "50111", "msg": "...", "data": []}`` (okx.com/docs-v5, "Error Code").

``code`` is ``0`` for success. An order or a cancel that was refused has code ``1`` and its own ``sCode`` and ``sMsg`` in its row ("Place
order", Response Parameters).
"""

from typing import Any

from arbtui.exchanges.answers import EXCERPT, VenueError

SUCCESS = "0"
#: An operation failed; what happened stands in its row.
_FAILED = ("1", "2")


def error_of(answer: Any) -> VenueError | None:
    """What an answer says is wrong; None where it does not say."""
    code = answer.get("code") if isinstance(answer, dict) else None
    if not isinstance(code, str | int) or str(code) == SUCCESS:
        return None
    code, message = str(code), str(answer.get("msg") or "")
    rows = answer.get("data")
    if code in _FAILED and isinstance(rows, list):
        for row in rows:
            own = str(row.get("sCode", SUCCESS)) if isinstance(row, dict) else SUCCESS
            if own != SUCCESS:
                code, message = own, str(row.get("sMsg") or message)
                break
    return VenueError(code, message[:EXCERPT])
