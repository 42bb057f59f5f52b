"""The kinds of notices, most severe first."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice is about. Its order is that of severity."""

    DELISTING = "delisting"  #: a coin, or a market of it, leaves: also by a swap, a new ticker or new units
    MAINTENANCE = "maintenance"  #: a venue, or a market of it, stands still for a while
    CAUTION = "caution"  #: the venue warns of a coin: often the first step to a delisting
    WALLET = "wallet"  #: deposits or withdrawals are suspended
    RULES = "rules"  #: price units, least orders or fees change
    LISTING = "listing"  #: a coin, or a market of it, is new
    OVER = "over"  #: what an earlier notice announced has ended; a person lifts what it led to
    OTHER = "other"  #: anything else about a coin that is traded or held

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(NoticeKind).index(self)
