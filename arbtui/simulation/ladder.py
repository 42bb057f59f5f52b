"""One side of a simulated book: integer price keys, with each level's text as sent on the wire."""

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator
from statistics import NormalDist

from arbtui.model.book import Level

#: Sizes of one market are drawn from this many quantiles of their distribution, written out once.
PALETTE = 32
SIZE_SIGMA = 1.06  #: of the logarithm: p90 over p10 is 15, as recorded

GONE = "0.00000000"  #: the size that removes a level, where a venue does not write another

_QUANTILES = tuple(NormalDist().inv_cdf((i + 0.5) / PALETTE) for i in range(PALETTE))

Size = tuple[str, float]


def size_palette(mean: float, lot: float, text: Callable[[float], str]) -> tuple[Size, ...]:
    """Lognormal sizes with ``mean`` (in base), in multiples of ``lot``, as (text, value that the text reads back as)."""
    median = mean * math.exp(-(SIZE_SIGMA**2) / 2)
    lots = (max(1, round(median * math.exp(SIZE_SIGMA * z) / lot)) for z in _QUANTILES)
    texts = [text(n * lot) for n in lots]
    return tuple((t, float(t)) for t in texts)


def top_palette(mean: float, share: float, lot: float, text: Callable[[float], str], palette: tuple[Size, ...]) -> tuple[Size, ...]:
    """The sizes of the best level, ``share`` of ``mean``; ``palette``, those of any other, where lots are too coarse for different ones."""
    if share == 1.0:
        return palette
    thinner = size_palette(share * mean, lot, text)
    return thinner if len(set(thinner)) > 1 else palette


class LadderSide:
    """Levels of one side, best first. A key is a price in units, negated for bids, so that keys always ascend.

    Sizes are drawn from ``palette``, those of the best level from ``top``.

    ``changed`` gathers, in order of change, the levels that differ from those last sent: price and size as on the wire.
    """

    __slots__ = ("_gap", "_gone", "_palette", "_random", "_text", "_top", "changed", "depth", "keys", "prices", "qtys", "sizes")

    def __init__(
        self,
        stream: random.Random,
        palette: tuple[Size, ...],
        top: tuple[Size, ...],
        depth: int,
        text: Callable[[int], str],
        gap: float,
        gone: str = GONE,
    ) -> None:
        self._random = stream.random
        self._palette = palette
        self._top = top
        self._text = text
        self._gap = gap
        self._gone = gone
        self.depth = depth
        self.keys: list[int] = []
        self.prices: list[str] = []
        self.sizes: list[str] = []
        self.qtys: list[float] = []
        self.changed: dict[int, tuple[str, str]] = {}

    def clear(self, text: Callable[[int], str], gap: float) -> None:
        """Remove every level, because the price unit has changed to that of ``text``; ``gap`` is in new units."""
        self._text, self._gap = text, gap
        self.keys, self.prices, self.sizes, self.qtys = [], [], [], []
        self.changed.clear()

    def move(self, best: int) -> None:
        """Make ``best`` the best key: levels before it are removed, missing ones at the far end are added."""
        keys, prices, changed = self.keys, self.prices, self.changed
        if keys and keys[0] < best:
            gone = bisect_left(keys, best)
            for index in range(gone):
                changed[keys[index]] = (prices[index], self._gone)
            del keys[:gone], prices[:gone], self.sizes[:gone], self.qtys[:gone]
        if not keys or keys[0] != best:
            self._insert(0, best)
            if len(keys) > 1 and keys[1] - best > 4.0 * self._gap:  # else price swings would leave holes in the ladder
                self._insert(1, min(best + self._step(), keys[1] - 1))
        while len(keys) < self.depth:
            self._insert(len(keys), keys[-1] + self._step())
        while len(keys) > self.depth:
            changed[keys.pop()] = (prices.pop(), self._gone)
            del self.sizes[-1], self.qtys[-1]

    def resize(self, index: int) -> None:
        """Give the level at ``index`` another size."""
        old, palette = self.sizes[index], self._palette if index else self._top
        size, qty = palette[int(self._random() * PALETTE)]
        while size == old:
            size, qty = palette[int(self._random() * PALETTE)]
        self.sizes[index] = size
        self.qtys[index] = qty
        self.changed[self.keys[index]] = (self.prices[index], size)

    def resize_below(self) -> None:
        """Give one level behind the best another size, mostly one near the best."""
        share = self._random()
        self.resize(1 + int(share * share * (self.depth - 1)))

    def levels(self) -> Iterator[Level]:
        """Every level as (price, quantity), best first."""
        return ((float(price), qty) for price, qty in zip(self.prices, self.qtys, strict=True))

    def tell_gone(self) -> None:
        """Mark every level as removed in the output, though it is kept here."""
        for key, price in zip(self.keys, self.prices, strict=True):
            self.changed[key] = (price, self._gone)

    def tell_all(self) -> None:
        """Mark every level as changed, with its present size."""
        for key, price, size in zip(self.keys, self.prices, self.sizes, strict=True):
            self.changed[key] = (price, size)

    def take_changes(self, tail: str = "") -> str:
        """The levels changed since the last call, as the inside of a JSON array of [price, size] strings; ``tail``: more of each."""
        changes = ",".join([f'["{price}","{size}"{tail}]' for price, size in self.changed.values()])
        self.changed.clear()
        return changes

    def whole(self, tail: str = "") -> str:
        """Every level, as :meth:`take_changes` writes them."""
        return ",".join([f'["{price}","{size}"{tail}]' for price, size in zip(self.prices, self.sizes, strict=True)])

    def _insert(self, index: int, key: int) -> None:
        size, qty = (self._palette if index else self._top)[int(self._random() * PALETTE)]
        self.keys.insert(index, key)
        price = self._text(key)
        self.prices.insert(index, price)
        self.sizes.insert(index, size)
        self.qtys.insert(index, qty)
        self.changed[key] = (price, size)

    def _step(self) -> int:
        """Units to the next level: exponential around the mean gap, at least one."""
        return 1 + int(-math.log(1.0 - self._random()) * (self._gap - 1.0)) if self._gap > 1.0 else 1
