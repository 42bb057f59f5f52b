"""A venue's signed call, as its door's table lists it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arbtui.sandbox.faults import Part
from arbtui.sandbox.keys import Key

Open = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Answers a call without a signature, from its parameters."""
Signed = Callable[[Key, Mapping[str, Any]], Awaitable[Any]]
"""Answers a signed one, from its key and parameters."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A signed call: the limit it counts in, what kind of request it is, and who answers it."""

    group: str
    part: Part
    ask: Signed
