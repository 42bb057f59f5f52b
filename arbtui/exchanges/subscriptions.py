"""A venue's rules for reading its public streams: subscriptions, limits, and which frames may be merged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Subscription:
    """One public socket: the markets it carries, and the messages to send once it is open, in this order."""

    codes: tuple[str, ...]
    messages: tuple[bytes, ...]
    streams: int  #: how many streams of the venue it carries, by the venue's own counting
    confirmations: int = 0  #: how many answers confirm it, where that is neither the framing's number nor one a message


@dataclass(frozen=True, slots=True)
class RestCall:
    """One public REST query: a path with its parameters, and its cost in the venue's rate limits."""

    path: str
    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Keepalive:
    """A message that a venue wants to hear every ``every_s`` seconds, where WebSocket pings do not keep a connection open."""

    message: str
    every_s: float


class NoticeKind(StrEnum):
    """What a frame that is no market data means for its connection."""

    CONFIRMED = "confirmed"  #: one of our messages was taken
    REFUSED = "refused"  #: the venue answers with an error
    UNLISTED = "unlisted"  #: one of our messages named a market that the venue does not have; nothing of that message was taken
    SHUTDOWN = "shutdown"  #: the venue is about to end the connection


@dataclass(frozen=True, slots=True)
class Notice:
    """What a frame says about the connection that it came over. ``words``: the venue's, of an error, or a market's code."""

    kind: NoticeKind
    words: str = ""


class PublicFraming(Protocol):
    """A venue's rules of its public streams."""

    confirmations: int  #: how many of a subscription's messages the venue confirms; 0: each
    message_gap_s: float  #: least seconds between two messages of ours over one socket
    connect_costs: Mapping[str, float]  #: what opening a socket costs in the venue's rate limits
    lifetime_s: float  #: seconds after which the venue itself closes a socket

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """The sockets that carry books and trades of ``codes``: ``sockets`` of them, where there are as many codes, or more."""
        ...

    def is_data(self, raw: bytes) -> bool:
        """Whether a frame is surely market data, read off its first bytes; the others are shown to :meth:`notice`."""
        ...

    def notice(self, raw: bytes) -> Notice | None:
        """What a frame says about its connection; None for every other one."""
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


def share(codes: int, most: int, sockets: int) -> int:
    """How many of ``codes`` one socket carries: ``most`` at most, and so few that there are ``sockets`` of them where that can be."""
    return max(1, min(most, -(-codes // max(sockets, 1))))
