"""What a venue's own list of markets warns of: flags that it sets on a market for everybody to see."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class MarketFlag:
    """One flag. ``word``: the venue's own, without blanks.

    ``is_grave``: the venue has decided on it, and it is often the first step to a delisting; else it comes and goes by figures alone.
    """

    word: str
    is_grave: bool


#: The flags of one market, none where nothing is warned of; None where the venue's list tells no flags.
Flags = frozenset[MarketFlag] | None


def untold(codes: Iterable[str]) -> dict[str, Flags]:
    """``codes`` of a venue whose list of markets tells no flags."""
    return dict.fromkeys(codes)
