"""One HTTP request as a venue's handlers read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from arbtui.sandbox.answer import Refusal


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``query`` is the raw query string."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]

    def parameters(self, invalid: Refusal) -> dict[str, Any]:
        """What the query says, or the body of a POST; raises ``invalid`` for a body that is no JSON object."""
        if self.method != "POST":
            return dict(parse_qsl(self.query, keep_blank_values=True))
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise invalid from None
