"""A venue's fills as a list that is read from ``venue.db`` a page at a time while somebody goes through it.

What an account is compared by every five minutes are thousands of fills. All of them as objects at once were some 4 MB for a moment, and
the allocator keeps what a moment has needed: with each busier one the process grew (docs/performance.md).
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from arbtui.model.order import Fill

PAGE = 200
"""Fills that are objects at the same time."""

#: Fills with a trade id above the first number, up to the second.
Reading = Callable[[int, int], Sequence[Fill]]


class StoredFills(Sequence[Fill]):
    """Those that were there when it was made, in the order of ``trade_ids``; one that became part of a sum since is left out."""

    def __init__(self, trade_ids: "array[int]", read: Reading) -> None:
        self._trade_ids = trade_ids
        self._read = read

    def __len__(self) -> int:
        return len(self._trade_ids)

    def __iter__(self) -> Iterator[Fill]:
        for start in range(0, len(self._trade_ids), PAGE):
            yield from self._page(self._trade_ids[start : start + PAGE])

    @overload
    def __getitem__(self, at: int) -> Fill: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Fill]: ...
    def __getitem__(self, at: int | slice) -> Fill | Sequence[Fill]:
        if isinstance(at, slice):
            return StoredFills(self._trade_ids[at], self._read)
        return self._page(array("q", [self._trade_ids[at]]))[0]

    def _page(self, trade_ids: "array[int]") -> list[Fill]:
        """Trades are numbered one after the other, so those of a page are neighbours, also where a clock was put back."""
        read = {int(fill.trade_id): fill for fill in self._read(min(trade_ids) - 1, max(trade_ids))}
        return [read[one] for one in trade_ids if one in read]
