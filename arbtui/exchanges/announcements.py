"""What a venue announces to everybody: notices as they are published, over a socket or in a list that is asked for."""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Announcement:
    """One notice as its venue published it. Times are ms since the epoch, UTC.

    Attributes:
        id: the venue's own, or one made of what never changes of it; what is published again after a change has the same.
        categories: the venue's words for what kind it is; may be empty.
        body: empty where the venue leaves it out, as it does when it is long.
        utc_hours: hours ahead of UTC of the times in it that name no zone.
    """

    exchange: str
    id: str
    title: str
    body: str
    url: str
    categories: tuple[str, ...]
    published_ms: int
    utc_hours: int

    @property
    def key(self) -> str:
        """What it is known by here: one of a state folder."""
        return f"{self.exchange}:{self.id}"

    @property
    def digest(self) -> str:
        """The same for the same words: whether it has changed since it was read."""
        return sha256(f"{self.title}\n{self.body}".encode()).hexdigest()[:16]
