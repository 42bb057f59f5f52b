"""A histogram of milliseconds in bounded memory: exponential buckets, 2 % wide, the exact largest value and the exact sum.

Counts are plain 64-bit numbers in an array: in a list each count beyond 256 would be an object of its own, 32 bytes more, and a
histogram that counts for hours would grow for hours.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

_LOWEST_MS = 0.001
_GROWTH = 1.02
_LOG_GROWTH = math.log(_GROWTH)
BUCKETS = 1000
"""0.001 ms times 1.02 to the 1000th: from 1 us to about six minutes."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """In milliseconds; all zero while nothing has been recorded."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    count: int = 0


class Histogram:
    """Counts values by magnitude. Adding and merging are exact; a quantile is the upper edge of its bucket, at most the maximum."""

    __slots__ = ("_counts", "count", "largest", "total_ms")

    def __init__(self) -> None:
        self._counts = _zeros()
        self.count = 0
        self.largest = 0.0
        self.total_ms = 0.0  #: all values together

    def add(self, value_ms: float) -> None:
        """Record one value; below the lowest bucket (also negative) counts as the lowest."""
        self._counts[_index(value_ms)] += 1
        self.count += 1
        self.total_ms += value_ms
        if value_ms > self.largest:
            self.largest = value_ms

    def merge(self, other: "Histogram") -> None:
        """Add everything that ``other`` has recorded."""
        for index, count in enumerate(other._counts):
            if count:
                self._counts[index] += count
        self.count += other.count
        self.total_ms += other.total_ms
        self.largest = max(self.largest, other.largest)

    def copy(self) -> "Histogram":
        """What was recorded so far."""
        copied = Histogram()
        copied._counts, copied.count, copied.largest = self._counts[:], self.count, self.largest
        copied.total_ms = self.total_ms
        return copied

    def since(self, earlier: "Histogram") -> "Histogram":
        """What was recorded after ``earlier`` was copied from this one; its largest value is that of all."""
        fresh = Histogram()
        fresh._counts = array("Q", [now - then for now, then in zip(self._counts, earlier._counts, strict=True)])
        fresh.count, fresh.largest = self.count - earlier.count, self.largest
        fresh.total_ms = self.total_ms - earlier.total_ms
        return fresh

    def clear(self) -> None:
        """Reset to empty."""
        self._counts = _zeros()
        self.count = 0
        self.largest = 0.0
        self.total_ms = 0.0

    def at_most(self, bounds_ms: Sequence[float]) -> list[int]:
        """How many records do not exceed each of ``bounds_ms`` (ascending); right to the width of a bucket, 2 % of the bound."""
        found, seen, start = [], 0, 0
        for bound in bounds_ms:
            end = _index(bound) + 1
            seen += sum(self._counts[start:end])
            found.append(seen)
            start = end
        return found

    def quantile(self, share: float) -> float:
        """The value that ``share`` (0 to 1) of the records do not exceed; 0 without records."""
        rank = max(1, math.ceil(share * self.count))
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= rank:
                return min(self.largest, _LOWEST_MS * _GROWTH**index)
        return 0.0

    def quantiles(self) -> Quantiles:
        """p50, p99, the largest and how many."""
        return Quantiles(self.quantile(0.5), self.quantile(0.99), self.largest, self.count)


def _zeros() -> "array[int]":
    return array("Q", bytes(8 * BUCKETS))


def _index(value_ms: float) -> int:
    """The bucket that a value belongs to."""
    return 0 if value_ms <= _LOWEST_MS else min(BUCKETS - 1, math.ceil(math.log(value_ms / _LOWEST_MS) / _LOG_GROWTH))
