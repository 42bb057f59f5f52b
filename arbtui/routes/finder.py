"""Finds the routes of a universe: the two-leg ones of every pair of venues, and beyond them the closed paths that the rules let in."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, log2

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.model.order import Side
from arbtui.routes.graph import FEWEST_TRADES, MOST_TRADES, TradeGraph
from arbtui.routes.hops import InventoryHop, Node, TradeHop, TransferHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.route import ArbRoute, RouteTerms
from arbtui.routes.rules import RouteRules
from arbtui.routes.split_route import SplitRoute
from arbtui.routes.trade_route import TradeRoute, path_shape
from arbtui.routes.transfer_route import TransferRoute

PairsOf = Mapping[str, Collection[tuple[str, str]]]  #: by asset, pairs of venues

#: What a market trades in a minute, in the PnL currency; None where nobody has measured it.
Liquidity = Callable[[Market], float | None]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is not listed, and why: ``what`` is a route's id or a market's ``exchange:code``."""

    what: str
    reason: str


class RouteFinder:
    """Makes routes; who lists them is the universe.

    Args:
        markets: those that there are at the start.
        books: the live book of every market, by (exchange, code).
        node_of: the node of an asset at a venue.
        settlement: the settlement currencies.
        symbols: assets in the order in which routes are listed, the most liquid first.
        pairs: of which two venues each asset may be traded between; None: any two.
        rules: what is let in.
    """

    def __init__(
        self,
        markets: Collection[Market],
        books: Mapping[tuple[str, str], OrderBook],
        rates: RateBook,
        terms: RouteTerms,
        node_of: Callable[[str, str], Node],
        settlement: Collection[str],
        symbols: Sequence[str],
        pairs: PairsOf | None,
        shadow_bps_at_empty: float,
        rules: RouteRules,
    ) -> None:
        self.rules = rules
        self.exclusions: dict[str, Exclusion] = {}  #: of markets and of routes, as of the last look at each, by what they are of
        self.beyond = False  #: there were more than ``rules.max_routes``
        self._books = books
        self._rates = rates
        self._terms = terms
        self._node_of = node_of
        self._settlement = frozenset(settlement)
        self._places = {symbol: place for place, symbol in enumerate(symbols)}
        self._allowed = None if pairs is None else _both_ways(pairs)
        self._shadow_bps = shadow_bps_at_empty
        self._hops_of: dict[tuple[Market, Side], TradeHop] = {}  # one for all routes that trade there so
        self._stock: dict[tuple[str, str, str], InventoryHop] = {}  # likewise, by coin, where it is bought, where sold
        #: Of each venue the currency that its markets are priced in, as far as it is known: what ids of routes need not say.
        self._quotes: dict[str, str] = {}
        money = [(one.exchange, one.quote) for one in markets if one.quote in self._settlement]
        for exchange, quote in sorted(dict.fromkeys(money), key=lambda one: -money.count(one)):
            self._quotes.setdefault(exchange, quote)

    def two_leg(self, markets: Iterable[Market], through: Market | None = None) -> Iterator[ArbRoute]:
        """Both ways between every two venues of a pair, asset by asset: from stock, and over a network.

        ``through``: only those that trade on this market.
        """
        by_asset: dict[str, list[Market]] = {symbol: [] for symbol in self._places}
        for market in markets:
            if market.base in by_asset and market.quote in self._settlement:
                by_asset[market.base].append(market)
        for symbol, listed in by_asset.items():
            for buy in listed:
                for sell in listed:
                    if through is not None and through is not buy and through is not sell:
                        continue
                    if buy.exchange != sell.exchange and self._linked(symbol, buy.exchange, sell.exchange):
                        if self._lets_in(route := self._inventory_route(symbol, buy, sell)):
                            yield route
                        if "cross_chain" in self.rules.shapes and self._lets_in(moved := self._transfer_route(symbol, buy, sell)):
                            yield moved

    def longer(self, markets: Iterable[Market], liquidity: Liquidity) -> Iterator[ArbRoute | None]:
        """All other routes, the shortest first, of each length the most liquid first; None now and then, to give others their turn.

        A route is as liquid as its least liquid market. No more than ``rules.max_routes`` are found.
        """
        if not self.rules.wants_more:
            return
        ordered = self._ordered(markets, liquidity)
        left = self.rules.max_routes
        self.beyond = False
        for trades in range(FEWEST_TRADES, MOST_TRADES + 1):
            graph = TradeGraph(self._settlement, self._linked if trades > FEWEST_TRADES else _at_one_venue)
            forks: dict[str, list[Market]] = {}
            for market in ordered:
                graph.add(market)
                self._add_to(forks, market)
                yield None
                for route in self._through(market, graph, forks, trades):
                    if left == 0:
                        self.beyond = True
                        return
                    if route is not None:
                        left -= 1
                    yield route

    def through(self, market: Market, markets: Iterable[Market], liquidity: Liquidity, most: int) -> Iterator[ArbRoute]:
        """All other routes through ``market``, which has just appeared among ``markets``: ``most`` at most."""
        ordered = self._ordered(markets, liquidity) if self.rules.wants_more else []
        if market not in ordered:
            return
        graph = TradeGraph(self._settlement, self._linked)
        forks: dict[str, list[Market]] = {}
        for one in ordered:
            graph.add(one)
            self._add_to(forks, one)
        for trades in range(FEWEST_TRADES, MOST_TRADES + 1):
            for route in self._through(market, graph, forks, trades):
                if most <= 0:
                    self.beyond = True
                    return
                if route is not None:
                    most -= 1
                    yield route

    def _through(self, market: Market, graph: TradeGraph, forks: Mapping[str, Sequence[Market]], trades: int) -> Iterator[ArbRoute | None]:
        """Of every closed path through ``market`` with so many trades its route, or None where the rules keep it out."""
        for path in graph.paths_through(market, trades):
            if trades == FEWEST_TRADES and path[0].exchange != path[1].exchange:
                continue  # a two-leg route, which is there already
            shape = path_shape(path)
            if shape not in self.rules.shapes:
                continue
            hops = [self._hop(trade.market, trade.side) for trade in path]
            made = TradeRoute(path, hops, self._node_of, self._stock_of, self._rates, self._terms, self._settlement, shape)
            yield made if self._lets_in(made) else None
        if trades == FEWEST_TRADES + 1 and "split_leg" in self.rules.shapes:
            yield from self._splits(market, forks.get(market.base, ()))

    def _add_to(self, forks: dict[str, list[Market]], market: Market) -> None:
        """A fork is over markets of one coin, each in its venue's own currency: put it with those of its coin, if it is one."""
        if market.quote == self._quotes.get(market.exchange) and market.base in self._places:
            forks.setdefault(market.base, []).append(market)

    def _splits(self, market: Market, same: Sequence[Market]) -> Iterator[ArbRoute | None]:
        """One venue against two others, with ``market`` among the three; both ways. ``same``: what may be forked of its coin."""
        if market not in same:
            return
        coin = market.base
        for pair in combinations([one for one in same if one is not market], 2):
            three = (market, *pair)
            if len({one.exchange for one in three}) < len(three):
                continue
            for alone in three:
                forked = sorted((one for one in three if one is not alone), key=lambda one: one.exchange)
                if all(self._linked(coin, alone.exchange, one.exchange) for one in forked):
                    for made in (self._split_route([alone], forked), self._split_route(forked, [alone])):
                        yield made if self._lets_in(made) else None

    def _lets_in(self, route: ArbRoute) -> bool:
        """Whether the rules let ``route`` in; where not, why is told."""
        reason = self.rules.refusal(route)
        if reason is None:
            self.exclusions.pop(route.id, None)
        elif route.shape in self.rules.shapes:  # what no rule names is told by its shape
            self.exclusions[route.id] = Exclusion(route.id, reason)
        return reason is None

    def _ordered(self, markets: Iterable[Market], liquidity: Liquidity) -> list[Market]:
        """Those that longer routes may trade on, the most liquid first; a factor of two counts as equal, so that ranks hold still."""
        kept: list[tuple[float, int, int, Market]] = []
        for number, market in enumerate(markets):
            traded = liquidity(market)
            reason = self._unfit(market, traded)
            if reason is not None:
                self.exclusions[market.key] = Exclusion(market.key, reason)
                continue
            self.exclusions.pop(market.key, None)
            last = len(self._places)
            place = max(
                self._places.get(market.base, last), 0 if market.quote in self._settlement else self._places.get(market.quote, last)
            )
            rank = -round(log2(traded)) if traded is not None and traded > 0.0 else inf if traded is not None else 0.0
            kept.append((rank, place, number, market))
        return [market for *_, market in sorted(kept, key=lambda row: row[:3])]

    def _unfit(self, market: Market, traded: float | None) -> str | None:
        """Why no longer route trades on ``market``, in words. What is not known yet keeps nothing out."""
        if market.base in self._settlement and market.quote in self._settlement:
            return "an exchange rate closes routes, and is no leg of one"
        if traded is not None and traded < self.rules.min_liquidity:
            return f"traded {traded:,.0f} in the last minute, and universe.min_liquidity is {self.rules.min_liquidity:,g}"
        mid = self._books[market.exchange, market.code].mid
        if self.rules.max_tick_bps < inf and 0.0 < mid < inf:
            tick_bps = float(market.price_units.at(decimal_of(mid))) / mid * 1e4
            if tick_bps > self.rules.max_tick_bps:
                return f"its price unit is {tick_bps:.1f} bps, and universe.max_tick_bps is {self.rules.max_tick_bps:g}"
        return None

    def _linked(self, coin: str, one: str, other: str) -> bool:
        return self._allowed is None or (one, other) in self._allowed.get(coin, ())

    def _hop(self, market: Market, side: Side) -> TradeHop:
        hop = self._hops_of.get((market, side))
        if hop is None:
            hop = self._hops_of[market, side] = TradeHop(market, self._books[market.exchange, market.code], side)
        return hop

    def _stock_of(self, coin: str, bought_at: str, sold_at: str) -> InventoryHop:
        key = (coin, bought_at, sold_at)
        hop = self._stock.get(key)
        if hop is None:
            hop = self._stock[key] = InventoryHop(self._node_of(bought_at, coin), self._node_of(sold_at, coin), self._shadow_bps)
        return hop

    def _transfer_route(self, symbol: str, buy: Market, sell: Market) -> TransferRoute:
        return TransferRoute(
            symbol,
            self._hop(buy, Side.BUY),
            TransferHop(symbol, buy.exchange, sell.exchange),
            self._hop(sell, Side.SELL),
            self._node_of(buy.exchange, buy.quote),
            self._rates,
            self._terms,
            ""
            if self._is_usual(buy, sell)
            else f"{symbol}:{buy.exchange}/{buy.quote}>{symbol},chain,{sell.exchange}/{symbol}>{sell.quote}",
        )

    def _is_usual(self, *markets: Market) -> bool:
        """Whether each is priced in its venue's own currency."""
        return all([self._quotes.setdefault(one.exchange, one.quote) == one.quote for one in markets])

    def _inventory_route(self, symbol: str, buy: Market, sell: Market) -> InventoryRoute:
        bought, sold = f"{buy.exchange}/{buy.quote}>{symbol}", f"{sell.exchange}/{symbol}>{sell.quote}"
        return InventoryRoute(
            symbol,
            self._hop(buy, Side.BUY),
            self._hop(sell, Side.SELL),
            self._stock_of(symbol, buy.exchange, sell.exchange),
            self._node_of(buy.exchange, buy.quote),
            self._rates,
            self._terms,
            "" if self._is_usual(buy, sell) else f"{symbol}:{bought},{sold}",
        )

    def _split_route(self, buys: Sequence[Market], sells: Sequence[Market]) -> SplitRoute:
        return SplitRoute(
            [self._hop(market, Side.BUY) for market in buys],
            [self._hop(market, Side.SELL) for market in sells],
            self._node_of,
            self._stock_of,
            self._rates,
            self._terms,
        )


def _both_ways(pairs: PairsOf) -> dict[str, frozenset[tuple[str, str]]]:
    """Of each asset which venue may be followed by which; assets of the same pairs share one set."""
    made: dict[tuple[tuple[str, str], ...], frozenset[tuple[str, str]]] = {}
    found = {}
    for coin, of in pairs.items():
        key = tuple((one, other) for one, other in of)
        if key not in made:
            made[key] = frozenset([*key, *((other, one) for one, other in key)])
        found[coin] = made[key]
    return found


def _at_one_venue(_coin: str, _one: str, _other: str) -> bool:
    """Of two trades only those of one venue: two-leg routes over two are found by pairs."""
    return False
