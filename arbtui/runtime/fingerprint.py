"""Fingerprint: what a run's engine saw and found, as two hashes, so that a run and its replay can be compared from a shell."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from arbtui.exchanges.feed import Deliver, Frame
from arbtui.model.book import OrderBook
from arbtui.routes.route import Opportunity


class Fingerprint:
    """Hashes the top of every book that a batch changed, and every opportunity, each with the number of its batch.

    Equal hashes mean: after each batch the same books were the same, and the same routes were found in the same order with the
    same sizes, worst prices and net edge. Two runs can only agree on opportunities when neither opens any
    (``execution.enabled = false``): a cycle changes stock and rests its route, at moments that are not in a recording.
    """

    def __init__(self) -> None:
        self.batches = 0
        self.decisions = 0
        self.beside = 0  #: changes of books that no frame brought: silence, a lost connection, a venue's word that one is frozen
        self._books = sha256()
        self._found = sha256()
        self._delivering = False

    def around(self, deliver: Deliver) -> Deliver:
        """``deliver``, counted: what it brings about belongs to a batch."""

        def counted(frames: Sequence[Frame]) -> None:
            self.batches += 1
            self._delivering = True
            try:
                deliver(frames)
            finally:
                self._delivering = False

        return counted

    def on_books(self, books: Sequence[OrderBook]) -> None:
        """These books changed."""
        if not self._delivering:
            self.beside += len(books)
            return
        for book in books:
            top = f"{book.bid!r} {book.bid_qty!r} {book.ask!r} {book.ask_qty!r}"
            self._books.update(f"{self.batches} {book.exchange} {book.code} {book.state} {top}\n".encode())

    def on_found(self, found: Sequence[Opportunity]) -> None:
        """These opportunities were found."""
        self.decisions += len(found)
        for one in found:
            legs = " ".join(f"{order.qty} {order.price}" for order in one.orders)
            self._found.update(f"{self.batches} {one.route.id} {legs} {one.edge_bps!r}\n".encode())

    def summary(self) -> dict[str, Any]:
        """For the ``--json`` summary."""
        return {
            "batches": self.batches,
            "decisions": self.decisions,
            "beside": self.beside,
            "books_sha256": self._books.hexdigest(),
            "decisions_sha256": self._found.hexdigest(),
        }
