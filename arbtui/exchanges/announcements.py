"""What a venue announces to everybody: notices as they are published, over a socket or in a list that is asked for."""

from dataclasses import dataclass
from hashlib import sha256

from arbtui.model.errors import WireError

#: ms since the epoch between which a publication can lie: from 2001, so that seconds are none, to the end of 2099.
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 4_102_444_799_999


@dataclass(frozen=True, slots=True)
class Announcement:
    """One notice as its venue published it. Times are ms since the epoch, UTC. Making one raises WireError where it can be none.

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

    def __post_init__(self) -> None:
        """Refuse here what would fail later, deep inside: a time that is none, and text that is no Unicode (half of a surrogate pair)."""
        at = self.published_ms
        if type(at) is not int or not _FIRST_MS <= at <= _LAST_MS:
            raise WireError("notice", "its time of publication is none: expected ms since the epoch")
        for text in (self.id, self.title, self.body, self.url, *self.categories):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise WireError("notice", f"{text[error.start]!a} in its text is no character") from error

    @property
    def key(self) -> str:
        """What it is known by here: one of a state folder."""
        return f"{self.exchange}:{self.id}"

    @property
    def digest(self) -> str:
        """The same for the same words: whether it has changed since it was read."""
        return sha256(f"{self.title}\n{self.body}".encode()).hexdigest()[:16]
