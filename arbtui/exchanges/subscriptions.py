"""What has to be known of a venue to read its public streams: what to subscribe to, within which limits, and what may be merged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Subscription:
    """One public socket: the markets it carries, and what is sent over it, in this order, once it is open."""

    codes: tuple[str, ...]
    messages: tuple[bytes, ...]
    streams: int  #: how many streams of the venue it carries, by the venue's own counting


@dataclass(frozen=True, slots=True)
class RestCall:
    """One public REST question: a path with its query, and what it costs of the venue's budgets."""

    path: str
    costs: Mapping[str, float]


class PublicFraming(Protocol):
    """A venue's rules of its public streams."""

    answers: int  #: frames with which the venue answers each message of ours
    message_gap_s: float  #: least seconds between two messages of ours over one socket
    connect_costs: Mapping[str, float]  #: what opening a socket costs of the venue's budgets
    lifetime_s: float  #: seconds after which the venue itself closes a socket

    def subscriptions(self, codes: Sequence[str]) -> list[Subscription]:
        """The sockets that carry books and trades of ``codes``."""
        ...

    def snapshot(self, code: str) -> RestCall | None:
        """The question whose answer starts a book; None where the stream itself brings whole books."""
        ...

    def probe(self, code: str) -> RestCall:
        """The cheapest question that tells a market's best prices now."""
        ...

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """Best bid and ask of the answer to :meth:`probe`; 0.0 and ``inf`` where a side is empty.

        Raises:
            WireError: it is no such answer.
        """
        ...

    def merge_key(self, raw: bytes) -> bytes | None:
        """What a frame that a newer one of the same key makes worthless is known by; None for every frame that counts.

        Read off the first bytes, without decoding: whole books and best prices of one market have a key, depth diffs, trades and
        whatever looks unusual have none.
        """
        ...
