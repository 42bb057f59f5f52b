"""The universe as a graph, and the bounded enumeration of its closed sequences of trades.

Nodes are assets at venues, edges are trades: a market is two of them, one each way. Between two trades the books close without an act
where what one brings is what the next spends: the same asset at the same venue; the same coin at a venue that it may be exchanged with
out of stock; any two settlement currencies, since money is counted together.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from arbtui.model.market import Market
from arbtui.model.order import Side

#: The fewest and the most trades of a closed sequence.
FEWEST_TRADES, MOST_TRADES = 2, 4


@dataclass(frozen=True, slots=True, eq=False)
class Trade:
    """An edge: ``spends`` one asset at ``exchange`` and ``gives`` another there."""

    market: Market
    side: Side
    exchange: str
    spends: str
    gives: str


ClosedPath = tuple[Trade, ...]
"""Trades in their order, the first one a purchase with money."""


class TradeGraph:
    """The trades of the markets that are in it.

    A closed path has two to four trades, passes no asset twice and no market twice, and somewhere spends money: a settlement currency.
    What would pass an asset twice is two closed paths, and each of them is found alone. A market of two settlement currencies is no
    edge: it is an exchange rate, with which paths are closed.

    Args:
        settlement: the settlement currencies.
        linked: whether a coin bought at one venue may be sold from stock at another: (coin, one venue, the other).
    """

    def __init__(self, settlement: Collection[str], linked: Callable[[str, str, str], bool]) -> None:
        self._settlement = frozenset(settlement)
        self._money = tuple(sorted(self._settlement))  # in one order, whatever process looks: it decides which routes are found first
        self._linked = linked
        self._trades: dict[Market, tuple[Trade, Trade]] = {}
        self._spending: dict[str, dict[Trade, None]] = {}  # by what they spend
        self._giving: dict[str, dict[Trade, None]] = {}  # by what they give
        self._between: dict[tuple[str, str], dict[Trade, None]] = {}  # by what they spend, and what they give

    def __contains__(self, market: object) -> bool:
        return market in self._trades

    def add(self, market: Market) -> None:
        """Put the two trades of ``market`` in; of an exchange rate there are none."""
        if market in self._trades or (market.base in self._settlement and market.quote in self._settlement):
            return
        made = (
            Trade(market, Side.BUY, market.exchange, market.quote, market.base),
            Trade(market, Side.SELL, market.exchange, market.base, market.quote),
        )
        self._trades[market] = made
        for trade in made:
            self._spending.setdefault(trade.spends, {})[trade] = None
            self._giving.setdefault(trade.gives, {})[trade] = None
            self._between.setdefault((trade.spends, trade.gives), {})[trade] = None

    def remove(self, market: Market) -> None:
        """Take them out again."""
        for trade in self._trades.pop(market, ()):
            del self._spending[trade.spends][trade]
            del self._giving[trade.gives][trade]
            del self._between[trade.spends, trade.gives][trade]

    def paths_through(self, market: Market, trades: int) -> Iterator[ClosedPath]:
        """Every closed path of so many ``trades`` that trades on ``market``, each once. Costs about what it finds."""
        for first in self._trades.get(market, ()):
            for found in self._closed((first,), frozenset(), trades):
                if (path := self._from_money(found)) is not None:
                    yield path

    def _closed(self, path: tuple[Trade, ...], passed: frozenset[str], trades: int) -> Iterator[tuple[Trade, ...]]:
        """``path`` made longer in every way that closes it; ``passed``: the assets between its trades.

        It grows at the end that a coin leads on from: what money can buy is everything.
        """
        first, last = path[0], path[-1]
        if len(path) == trades - 1:
            yield from self._closing(path, passed)
        elif last.gives in self._settlement and first.spends not in self._settlement:
            here = first.spends
            if here not in passed:
                for trade in self._giving.get(here, ()):
                    if self._joins(trade, first) and not _is_on(trade.market, path):
                        yield from self._closed((trade, *path), passed | {here}, trades)
        else:
            for spends in self._after(last.gives):
                if last.gives in passed or spends in passed:
                    continue
                for trade in self._spending.get(spends, ()):
                    if self._joins(last, trade) and not _is_on(trade.market, path):
                        yield from self._closed((*path, trade), passed | {last.gives, spends}, trades)

    def _closing(self, path: tuple[Trade, ...], passed: frozenset[str]) -> Iterator[tuple[Trade, ...]]:
        """``path`` with each one trade that closes it."""
        first, last = path[0], path[-1]
        if last.gives in passed or first.spends in passed:
            return
        for spends in self._after(last.gives):
            if spends in passed or spends == first.spends or last.gives == first.spends:
                continue
            for gives in self._after(first.spends):  # symmetric: what may be spent after it is what it may be spent after
                if gives in passed or gives in (last.gives, spends):
                    continue
                for trade in self._between.get((spends, gives), ()):
                    if self._joins(last, trade) and self._joins(trade, first) and not _is_on(trade.market, path):
                        yield (*path, trade)

    def _after(self, asset: str) -> Collection[str]:
        """What may be spent once ``asset`` has come in: itself, or of money any."""
        return self._money if asset in self._settlement else (asset,)

    def _joins(self, one: Trade, other: Trade) -> bool:
        """Whether the books close from ``one`` to ``other``, whose assets match."""
        if one.exchange == other.exchange or one.gives in self._settlement:
            return True
        return self._linked(one.gives, one.exchange, other.exchange)

    def _from_money(self, path: tuple[Trade, ...]) -> ClosedPath | None:
        """The same path from a trade on that spends money, the first by its market's name of several; None where none does."""
        starts = [place for place, trade in enumerate(path) if trade.spends in self._settlement]
        if not starts:
            return None
        at = min(starts, key=lambda place: path[place].market.key)
        return path[at:] + path[:at]


def _is_on(market: Market, path: Iterable[Trade]) -> bool:
    return any([trade.market is market for trade in path])
