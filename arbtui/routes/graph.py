"""The universe as a graph, and the bounded enumeration of its closed sequences of trades.

Nodes are assets at venues, edges are trades: a market is two of them, one each way. Between two trades the books close without an act
where what one brings is what the next spends: the same asset at the same venue; the same coin at a venue that it may be exchanged with
out of stock; any two settlement currencies, since money is counted together.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

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

    def _closed(self, path: ClosedPath, passed: frozenset[str], trades: int) -> Iterable[ClosedPath]:
        """``path`` made longer in every way that closes it; ``passed``: the assets between its trades."""
        if len(path) == trades - 1:
            return self._closing(path, passed)
        return chain.from_iterable(self._closed(longer, wider, trades) for longer, wider in self._longer(path, passed))

    def _longer(self, path: ClosedPath, passed: frozenset[str]) -> Iterator[tuple[ClosedPath, frozenset[str]]]:
        """``path`` with each one trade more, at the end that a coin leads on from: what money can buy is everything."""
        first, last = path[0], path[-1]
        markets = [trade.market for trade in path]
        if last.gives in self._settlement and first.spends not in self._settlement:
            here = first.spends
            if here in passed:
                return
            wider = passed | {here}
            for trade in self._giving.get(here, ()):
                if trade.market not in markets and self._meets(here, trade, first):
                    yield (trade, *path), wider
            return
        for spends in self._after(last.gives):
            if last.gives in passed or spends in passed:
                continue
            wider = passed | {last.gives, spends}
            for trade in self._spending.get(spends, ()):
                if trade.market not in markets and self._meets(last.gives, last, trade):
                    yield (*path, trade), wider

    def _closing(self, path: ClosedPath, passed: frozenset[str]) -> Iterable[ClosedPath]:
        """``path`` with each one trade that closes it: most are closed by none."""
        first, last = path[0], path[-1]
        brought, spent = last.gives, first.spends
        if brought in passed or spent in passed or brought == spent:
            return ()
        markets = [trade.market for trade in path]
        found = []
        for spends in self._after(brought):
            if spends in passed or spends == spent:
                continue
            for gives in self._after(spent):  # symmetric: what may be spent after it is what it may be spent after
                if gives in passed or gives in (brought, spends):
                    continue
                for trade in self._between.get((spends, gives), ()):
                    if trade.market not in markets and self._meets(brought, last, trade) and self._meets(spent, trade, first):
                        found.append((*path, trade))
        return found

    def _after(self, asset: str) -> Collection[str]:
        """What may be spent once ``asset`` has come in: itself, or of money any."""
        return self._money if asset in self._settlement else (asset,)

    def _meets(self, asset: str, one: Trade, other: Trade) -> bool:
        """Whether ``other`` may spend for ``asset``, which ``one`` brings: money anywhere, a coin there or where it is held, too."""
        return asset in self._settlement or one.exchange == other.exchange or self._linked(asset, one.exchange, other.exchange)

    def _from_money(self, path: ClosedPath) -> ClosedPath | None:
        """The same path from a trade on that spends money, the first by its market's name of several; None where none does."""
        starts = [place for place, trade in enumerate(path) if trade.spends in self._settlement]
        if not starts:
            return None
        at = min(starts, key=lambda place: path[place].market.key)
        return path[at:] + path[:at]
