"""How long things took: a bounded histogram whose percentiles are right to two per cent, for as long as a run lasts."""

from math import ceil, floor, log

_GROWTH = 1.02  #: each bucket's width against the one before: the percentile's relative error
_LOW_MS = 0.001
_BUCKETS = 1_000  #: up to about 400 s


class LatencyHistogram:
    """Counts durations in ms, in buckets that grow by two per cent; memory does not grow with the run."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.max_ms = 0.0

    def add(self, ms: float) -> None:
        """Count one duration, in ms."""
        bucket = 0 if ms <= _LOW_MS else min(_BUCKETS - 1, floor(log(ms / _LOW_MS) / log(_GROWTH)))
        self._counts[bucket] += 1
        self.count += 1
        self.max_ms = max(self.max_ms, ms)

    def percentile(self, percent: float) -> float:
        """The duration in ms that ``percent`` of all counted do not exceed; 0 before the first."""
        wanted = ceil(self.count * percent / 100)
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(_LOW_MS * _GROWTH ** (bucket + 1), self.max_ms)
        return 0.0
