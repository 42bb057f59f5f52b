"""What a venue's own list of markets warns of: flags that it sets on a market for everybody to see."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from arbtui.model.errors import WireError


@dataclass(frozen=True, slots=True, order=True)
class MarketFlag:
    """One flag. ``word``: the venue's own, of visible ASCII without blanks; making one of another raises WireError.

    ``is_grave``: the venue has decided on it, and it is often the first step to a delisting; else it comes and goes by figures alone.
    """

    word: str
    is_grave: bool

    def __post_init__(self) -> None:
        """Refuse here what would fail later, deep inside: it is journaled, compared by its words, and shown."""
        if not isinstance(self.word, str) or re.fullmatch(r"[!-~]{1,64}", self.word) is None:
            raise WireError("market flag", f"{self.word!a} is none")


#: The flags of one market, none where nothing is warned of; None where the venue's list tells no flags.
Flags = frozenset[MarketFlag] | None


def untold(codes: Iterable[str]) -> dict[str, Flags]:
    """``codes`` of a venue whose list of markets tells no flags."""
    return dict.fromkeys(codes)
