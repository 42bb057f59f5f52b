"""Counters of one exchange's public streams."""

from collections.abc import Iterable

from arbtui.model.book import OrderBook

_MOST_KINDS = 50  #: kinds counted separately; further ones (from a changed venue or an attacker) are summed under "..."


class ExchangeCounts:
    """Counters of one exchange since the start. ``read`` = ``decoded`` + all ``named`` + all ``malformed``.

    Args:
        books: the exchange's books.
    """

    __slots__ = (
        "_books",
        "asked",
        "diffs",
        "failures",
        "gaps",
        "malformed",
        "merged",
        "merged_raw",
        "named",
        "old",
        "outside",
        "read",
        "resyncs",
        "snapshots",
        "touches",
        "trades",
    )

    def __init__(self, books: Iterable[OrderBook] = ()) -> None:
        self._books = list(books)
        self.read = 0  #: frames received
        self.named: dict[str, int] = {}  #: frames of types known by name and not used
        self.malformed: dict[str, int] = {}  #: frames that could not be decoded, by kind
        self.outside = 0  #: decoded, but of a market outside the universe
        self.snapshots = 0  #: whole books decoded, in the universe (likewise the next three)
        self.diffs = 0
        self.touches = 0
        self.trades = 0
        self.old = 0  #: diffs, touches and snapshots not newer than what the book already had
        self.merged = 0  #: of the updates, how many were conflated with an earlier one of the same batch
        self.merged_raw = 0  #: frames replaced by a newer one before they were decoded; not in ``read``
        self.failures: dict[str, int] = {}  #: connections and requests that failed, by kind
        self.gaps = 0  #: updates found missing
        self.asked = 0  #: snapshots requested
        self.resyncs = 0  #: books brought back LIVE after a gap

    @property
    def decoded(self) -> int:
        """Frames that held book or trade data, in the universe or outside it."""
        return self.read - sum(self.named.values()) - sum(self.malformed.values())

    @property
    def updates(self) -> int:
        """Times a book of the exchange changed; each book counts its own."""
        return sum(book.updates for book in self._books)

    def name(self, kind: str) -> None:
        """Count a frame of a type that is not used."""
        _count(self.named, kind)

    def reject(self, kind: str) -> None:
        """Count a frame that could not be decoded."""
        _count(self.malformed, kind)

    def fail(self, kind: str) -> None:
        """Count a connection or a request that failed."""
        _count(self.failures, kind)


def _count(table: dict[str, int], kind: str) -> None:
    kind = kind[:40]
    if kind not in table and len(table) >= _MOST_KINDS:
        kind = "..."
    table[kind] = table.get(kind, 0) + 1
