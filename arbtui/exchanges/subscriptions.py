"""A venue's rules for reading its public streams: subscriptions, limits, and which frames may be merged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Subscription:
    """One public socket: the markets it carries, and the messages to send once it is open, in this order."""

    codes: tuple[str, ...]
    messages: tuple[bytes, ...]
    streams: int  #: how many streams of the venue it carries, by the venue's own counting


@dataclass(frozen=True, slots=True)
class RestCall:
    """One public REST query: a path with its parameters, and its cost in the venue's rate limits."""

    path: str
    costs: Mapping[str, float]


class PublicFraming(Protocol):
    """A venue's rules of its public streams."""

    answers: int  #: how many frames the venue answers each of our messages with
    message_gap_s: float  #: least seconds between two messages of ours over one socket
    connect_costs: Mapping[str, float]  #: what opening a socket costs in the venue's rate limits
    lifetime_s: float  #: seconds after which the venue itself closes a socket

    def subscriptions(self, codes: Sequence[str]) -> list[Subscription]:
        """The sockets that carry books and trades of ``codes``."""
        ...

    def snapshot(self, code: str) -> RestCall | None:
        """The query whose answer starts a book; None where the stream itself brings whole books."""
        ...

    def probe(self, code: str) -> RestCall:
        """The cheapest query for a market's best prices now."""
        ...

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """Best bid and ask of the answer to :meth:`probe`; 0.0 and ``inf`` where a side is empty.

        Raises:
            WireError: it is not such an answer.
        """
        ...

    def merge_key(self, raw: bytes) -> bytes | None:
        """The key of a frame that a newer frame with the same key supersedes; None for every frame that must be kept.

        Read off the first bytes, without decoding: whole books and best prices of one market have a key, depth diffs, trades and
        anything unusual have none.
        """
        ...
