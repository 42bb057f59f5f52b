"""One HTTP request as a venue's handlers read it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``query`` is the raw query string."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
