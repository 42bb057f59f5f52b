"""The executable exchange rates between settlement currencies: a small graph of markets. No rate means no trade.

Nodes are currencies, edges are markets that trade one for another (KRW-USDT at each won venue, USDC-USDT at a dollar venue), each with its
own sides, size, fee, age and doubt. A conversion goes over two markets at most.
"""

from collections.abc import Collection, Iterator, Sequence
from math import inf, prod

from arbtui.marketdata.rate_market import Conversion, RateMarket
from arbtui.model.book import LIVE, OrderBook
from arbtui.model.reason import Reason

_Path = tuple[Conversion, ...]  #: one market's conversion, or two that follow each other


class BestConversion(Conversion):
    """The best of several ways from one currency into another, as of :meth:`choose`.

    What may not be used now is left out; where that is all of them, it stands on the first one and is refused for its reason.
    """

    __slots__ = ("paths",)

    def __init__(self, paths: Sequence[_Path]) -> None:
        super().__init__(0.0, 0.0)
        self.paths = tuple(paths)  #: those over one market first

    def choose(self, now: float) -> bool:
        """Compare all ways at ``now`` (monotonic seconds); True when what it is worth has changed.

        Compared is what a way gives less its margin, so that a rate that the coins do not confirm is not chosen for being better.
        """
        best, most = self.paths[0], -1.0
        for path in self.paths:
            worth = 1.0
            for step in path:
                if step.refusal(now) is not None:
                    break
                worth *= step.value * (1.0 - step.margin_bps / 1e4)
            else:
                if worth > most:
                    best, most = path, worth
        before = self.value, self.gross
        self.value, self.gross = after = prod(step.value for step in best), prod(step.gross for step in best)
        self.margin_bps = sum(step.margin_bps for step in best)
        self.markets = tuple(market for step in best for market in step.markets)
        return after != before

    def refusal(self, now: float) -> Reason | None:
        """See :class:`Conversion`; another way is taken where the one at hand may not be used any more."""
        if super().refusal(now) is None:
            return None
        self.choose(now)
        return super().refusal(now)


class RateBook:
    """All markets of exchange rates of a run, and the conversions that routes share.

    Args:
        markets: the edges of the graph, in the order of the profile's venues.
        currency: what sizes are counted in (that of PnL).
        order_value: of the order that a conversion is priced for, in ``currency``; 0.0 prices the touches.
    """

    def __init__(self, markets: Sequence[RateMarket] = (), currency: str = "", order_value: float = 0.0) -> None:
        self.markets = tuple(markets)
        self.currency = currency
        self.order_value = order_value
        self._of_book: dict[OrderBook, RateMarket] = {market.book: market for market in markets}
        self.books: Collection[OrderBook] = self._of_book.keys()  #: of every market
        self.currencies = frozenset(currency for market in markets for currency in (market.base, market.quote))  #: that any of them trades
        self._conversions: dict[tuple[str, str], Conversion] = {}
        self._best: dict[RateMarket, list[BestConversion]] = {market: [] for market in markets}
        self._alone: set[RateMarket] = set()  # whose conversion is shared as it is
        self._resized = {market for market in markets if market.base != currency and order_value > 0.0}
        self._now = 0.0
        for market in markets:
            if market.base == currency:
                market.size = order_value

    def conversion(self, source: str, target: str) -> Conversion:
        """The shared factor from ``source`` to ``target``: executable sides for the size, after fees. For edges, never for money.

        Base is sold at the bid and bought at the ask. Two currencies that no two markets join stay at 0.0.
        """
        found = self._conversions.get((source, target))
        if found is None:
            found = self._conversions[source, target] = self._made(source, target)
        return found

    def refresh(self, books: Collection[OrderBook] | None = None, now: float | None = None) -> bool:
        """Read changed books again (None: all of them); True when a conversion that routes share has changed.

        ``now``: monotonic seconds, for the age of what is compared; None: as at the last look.
        """
        if now is not None:
            self._now = now
        moved = False
        for book in self.books if books is None else books:
            market = self._of_book.get(book)
            if market is None:
                continue
            if market in self._resized:
                market.size = self._size(market)
            if market.refresh() and market in self._alone:
                moved = True
            for best in self._best[market]:
                moved |= best.choose(self._now)
        return moved

    def look(self, now: float) -> None:
        """Compare again at ``now``: a rate has grown old, is doubted, or is believed again, and no book has changed."""
        self._now = now
        for best in {id(best): best for bests in self._best.values() for best in bests}.values():
            best.choose(now)

    def between(self, one: str, other: str) -> list[RateMarket]:
        """The markets that trade these two currencies, in the order of the profile's venues."""
        pair = {one, other}
        return [market for market in self.markets if {market.base, market.quote} == pair]

    def mid(self, source: str, target: str) -> float:
        """Target currency for one unit of source at the middle of a book, for display, sizes and marks; 0.0 when unknown."""
        return 1.0 if source == target else self.middle(source, target)[0]

    def middle(self, source: str, target: str) -> tuple[float, RateMarket | None]:
        """:meth:`mid` with the market that it is read from, the first of two; 0.0 and None when unknown."""
        direct = self._middle(source, target)
        if direct[1] is not None:
            return direct
        for between in sorted(self.currencies):
            first, market = self._middle(source, between)
            if market is not None and (last := self._middle(between, target)[0]) > 0.0:
                return first * last, market
        return 0.0, None

    def value(self, currency: str) -> float:
        """What one unit of ``currency`` is worth in the currency of sizes, at the middle; 0.0 when unknown."""
        return self.mid(currency, self.currency)

    def shown(self) -> RateMarket | None:
        """The market whose rate stands for all where there is room for one; None without any."""
        return next((market for market in self.markets if _is_fit(market)), self.markets[0] if self.markets else None)

    def _middle(self, source: str, target: str) -> tuple[float, RateMarket | None]:
        """Over one market: the first that is LIVE and not doubted, else the first that has both sides."""
        fallback: RateMarket | None = None
        for market in self.markets:
            if (market.base == source and market.quote == target) or (market.quote == source and market.base == target):
                if _is_fit(market):
                    return _one_way(market, source), market
                if fallback is None and market.mid() > 0.0:
                    fallback = market
        return (0.0, None) if fallback is None else (_one_way(fallback, source), fallback)

    def _size(self, market: RateMarket) -> float:
        """The order's value in base; ``inf`` while that is unknown, which no book shows."""
        value = self.value(market.base)
        return self.order_value / value if value > 0.0 else inf

    def _made(self, source: str, target: str) -> Conversion:
        if source == target:
            return Conversion(1.0, 1.0)
        paths = list(self._paths(source, target))
        if not paths:
            return Conversion(0.0, 0.0)
        if len(paths) == 1 and len(paths[0]) == 1:
            step = paths[0][0]
            self._alone.update(step.markets)
            return step
        made = BestConversion(paths)
        for market in dict.fromkeys(market for path in paths for step in path for market in step.markets):
            self._best[market].append(made)
        made.choose(self._now)
        return made

    def _paths(self, source: str, target: str) -> Iterator[_Path]:
        """Every way over one market, then every way over two."""
        yield from ((step,) for end, step in self._steps(source) if end == target)
        for between, step in self._steps(source):
            if between != target:
                yield from ((step, last) for end, last in self._steps(between) if end == target)

    def _steps(self, source: str) -> Iterator[tuple[str, Conversion]]:
        """What ``source`` can be traded for on one market, and how."""
        for market in self.markets:
            if market.base == source:
                yield market.quote, market.sold
            elif market.quote == source:
                yield market.base, market.bought


def _is_fit(market: RateMarket) -> bool:
    return market.book.state is LIVE and not market.doubted and market.mid() > 0.0


def _one_way(market: RateMarket, source: str) -> float:
    mid = market.mid()
    return mid if market.base == source else 1.0 / mid if mid > 0.0 else 0.0
