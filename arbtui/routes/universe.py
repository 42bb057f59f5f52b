"""All routes, and the index from a book to the routes that its change touches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import CoinRate, RateWatch
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.routes.finder import Exclusion, Liquidity, PairsOf, RouteFinder
from arbtui.routes.hops import Node, TradeHop
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms
from arbtui.routes.rules import RouteRules

#: What finds the opportunities among routes at a time (monotonic s); see :meth:`ArbRoute.evaluate_all`.
Evaluate = Callable[[Sequence[ArbRoute], float, list[ArbRoute] | None], list[Opportunity]]


_class_of: Callable[[ArbRoute], type[ArbRoute]] = type


def evaluate_all(routes: Iterable[ArbRoute], now: float, refused: list[ArbRoute] | None = None) -> list[Opportunity]:
    """The opportunities among ``routes``, of whatever classes, at ``now`` (monotonic s); see :meth:`ArbRoute.evaluate_all`."""
    found = []
    for of_class, same in groupby(routes, _class_of):
        found += of_class.evaluate_all(same, now, refused)
    return found


def evaluate_until_one(routes: Iterator[ArbRoute], now: float, refused: list[ArbRoute]) -> list[Opportunity]:
    """The same up to the first that may pay, which is in what is returned or in ``refused``; ``routes`` stands behind it then."""
    for of_class, same in groupby(routes, _class_of):
        told = len(refused)
        found = of_class.evaluate_all(same, now, refused, until_one=True)
        if found or len(refused) > told:
            return found
    return []


def _evaluate_sorted(routes: Sequence[ArbRoute], now: float, refused: list[ArbRoute] | None = None) -> list[Opportunity]:
    """The same, of routes that come by class: those of most books are of one, and need one call."""
    if routes and type(routes[0]) is type(routes[-1]):
        return type(routes[0]).evaluate_all(routes, now, refused)
    return evaluate_all(routes, now, refused)


class ArbUniverse:
    """The routes of a run: every asset that both venues of a pair trade, in both directions, and what other routes the rules let in.

    Args:
        markets: the markets to trade, grouped by nothing.
        books: the live book of every market, by (exchange, code).
        rates: the exchange rates between settlement currencies.
        terms: what routes are priced with.
        shadow_bps_at_empty: price of the last unit of a stock.
        symbols: assets in the order in which routes are listed, the most liquid first.
        pairs: of which two venues each asset may be traded between; None: any two.
        settlement: the settlement currencies; None: every quote that is no symbol.
        rules: which routes are listed.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        books: Mapping[tuple[str, str], OrderBook],
        rates: RateBook,
        terms: RouteTerms,
        shadow_bps_at_empty: float,
        symbols: Sequence[str],
        pairs: PairsOf | None = None,
        settlement: Collection[str] | None = None,
        rules: RouteRules | None = None,
    ) -> None:
        self.rates = rates
        self.terms = terms  #: as the profile has them
        self.symbols = tuple(symbols)
        self.markets = tuple(markets)
        self.version = 0  #: rises with every change of the list
        self.nodes: dict[tuple[str, str], Node] = {}
        self.routes: list[ArbRoute] = []  #: of whatever class, in the order in which they are listed
        self.by_id: dict[str, ArbRoute] = {}
        self._of_asset: dict[str, list[ArbRoute]] = {symbol: [] for symbol in symbols}
        #: The routes that a change of a book touches, by class; a book that only gives a rate touches none, and is not in it.
        self.touched_by: dict[OrderBook, tuple[ArbRoute, ...]] = {}
        self.evaluate: Evaluate = _evaluate_sorted  #: for what :attr:`touched_by` holds
        self._classes: list[type[ArbRoute]] = []  # that were ever listed
        if settlement is None:
            settlement = {market.quote for market in markets} - set(symbols)
        self.finder = RouteFinder(
            markets, books, rates, terms, self.node, settlement, symbols, pairs, shadow_bps_at_empty, rules or RouteRules()
        )
        self._books = books
        self._listed = dict.fromkeys(markets)  # those that routes are found among
        self._listings = 0  # how often that changed
        self.on_removed: Callable[[Sequence[ArbRoute]], None] = lambda _: None  #: told of routes that were taken off the list
        self._watches: Sequence[RateWatch] = ()
        self._coins: dict[tuple[OrderBook, OrderBook], CoinRate] = {}
        self.add(self.finder.two_leg(markets))
        #: Ids of the routes that the finder's rules may remove again, in list order, so that removals are reported in that order.
        self._longer: dict[str, None] = {}
        self._add_longer(route for route in self.finder.longer(markets, _unmeasured) if route is not None)

    def list_market(self, market: Market, liquidity: Liquidity = lambda market: None) -> list[ArbRoute]:
        """A market has appeared, or trades again: add the routes through it, and only those. Its book must be among the books.

        Returns what was added, which nobody has looked at yet.
        """
        if market in self._listed:
            return []
        self._listed[market] = None
        self._listings += 1
        if market not in self.markets:
            self.markets = (*self.markets, market)
        self.finder.exclusions.pop(market.key, None)
        made = list(self.finder.two_leg(self._listed, market))
        self.add(made)
        room = self.finder.rules.max_routes - len(self._longer)
        return [*made, *self._add_longer(self.finder.through(market, self._listed, liquidity, room))]

    def delist_market(self, market: Market, why: str) -> list[ArbRoute]:
        """A market halts or is taken off its venue: take the routes through it away, and only those. Returns what was taken away."""
        if market not in self._listed:
            return []
        del self._listed[market]
        self._listings += 1
        gone = list(self.touched_by.get(self._books[market.exchange, market.code], ()))
        self.remove(gone)
        self.finder.exclusions[market.key] = Exclusion(market.key, why)
        return gone

    def refreshing(self, liquidity: Liquidity) -> Iterator[Sequence[ArbRoute] | None]:
        """Find the longer routes anew, by what markets trade now; None now and then, to give others their turn.

        Last come the routes that are new on the list. Those that are on it and are found again stay the objects that they are.
        """
        if not self.finder.rules.wants_more:
            return
        found: dict[str, ArbRoute] = {}
        listings = self._listings
        for route in self.finder.longer(list(self._listed), liquidity):
            if route is not None:
                found[route.id] = route
            yield None
            if listings != self._listings:  # what was found is of other markets; they have their routes, the order waits for the next time
                yield ()
                return
        self.remove([self.by_id[name] for name in self._longer if name not in found])
        yield self._add_longer(route for name, route in found.items() if name not in self.by_id)

    def _add_longer(self, routes: Iterable[ArbRoute]) -> list[ArbRoute]:
        made = list(routes)
        self.add(made)
        self._longer.update(dict.fromkeys(route.id for route in made))
        return made

    def add(self, routes: Iterable[ArbRoute]) -> None:
        """List ``routes``, of whatever class, after those that are there: from now on a change of one of their books looks at them.

        Raises:
            ValueError: a route of that id is there already.
        """
        self.version += 1
        touched: dict[OrderBook, list[ArbRoute]] = {}
        by_id, of_asset = self.by_id, self._of_asset
        for route in routes:
            if route.id in by_id:
                raise ValueError(f"route {route.id} is listed twice")
            self.routes.append(route)
            by_id[route.id] = route
            if type(route) not in self._classes:
                self._classes.append(type(route))
            for asset in route.coins:
                if asset not in of_asset:
                    of_asset[asset] = []
                of_asset[asset].append(route)
            for book in route.books:
                if book not in touched:
                    touched[book] = [route]
                elif touched[book][-1] is not route:  # it trades there twice
                    touched[book].append(route)
            if self._watches:
                self._confirm(route)
        for book, more in touched.items():
            self._index(book, [*self.touched_by.get(book, ()), *more])
        self.evaluate = self._classes[0].evaluate_all if len(self._classes) == 1 else _evaluate_sorted

    def remove(self, routes: Iterable[ArbRoute]) -> None:
        """Take ``routes`` off the list: nothing looks at them any more. A cycle that runs on one goes on to its end."""
        gone = {route.id: route for route in routes if self.by_id.pop(route.id, None) is not None}
        if not gone:
            return
        self.version += 1
        for name in gone:
            self._longer.pop(name, None)
        self.routes[:] = [route for route in self.routes if route.id not in gone]
        for asset in dict.fromkeys(asset for route in gone.values() for asset in route.coins):
            self._of_asset[asset] = [route for route in self._of_asset[asset] if route.id not in gone]
        for book in dict.fromkeys(book for route in gone.values() for book in route.books):
            self._index(book, [route for route in self.touched_by[book] if route.id not in gone])
        self.on_removed(list(gone.values()))

    def _index(self, book: OrderBook, routes: list[ArbRoute]) -> None:
        if routes:
            self.touched_by[book] = tuple(sorted(routes, key=lambda route: self._classes.index(type(route))))
        else:
            self.touched_by.pop(book, None)

    def node(self, exchange: str, asset: str) -> Node:
        """The node of ``asset`` at ``exchange``, made on first use."""
        key = (exchange, asset)
        if key not in self.nodes:
            self.nodes[key] = Node(exchange, asset)
        return self.nodes[key]

    def of_symbol(self, symbol: str) -> Sequence[ArbRoute]:
        """Every route that trades one asset."""
        return self._of_asset.get(symbol, ())

    def elsewhere(self, route: ArbRoute, hop: TradeHop) -> list[tuple[ArbRoute, TradeHop]]:
        """The same trade as ``hop`` of ``route`` at other venues: listed routes that are the same but for its venue, each with that trade.

        So the coin is known to be one asset at that venue and at the venues of the other trades. What moves coins is another route.
        """
        rest = [other for other in route.trades if other.place != hop.place]
        others = {(other.place, other.side) for other in rest}
        touched = [self.touched_by.get(other.book, ()) for other in rest]  # a coin may have ten thousands of routes
        found: list[tuple[ArbRoute, TradeHop]] = []
        for one in min(touched, key=len, default=self.of_symbol(hop.market.base)):
            if len(one.trades) != len(others) + 1 or one.transfers:
                continue
            left = [each for each in one.trades if (each.place, each.side) not in others]
            if len(left) != 1:
                continue
            is_same = left[0].market.base == hop.market.base and left[0].side is hop.side
            if is_same and left[0].market.exchange != hop.market.exchange:
                found.append((one, left[0]))
        return found

    def watch_rates(self, watches: Sequence[RateWatch]) -> None:
        """Let ``watches`` see every asset that is traded in both of a rate's currencies, and the routes what they find of theirs.

        A coin's book at a venue that has the rate itself confirms that venue's rate; elsewhere the first of its two currencies.
        """
        self._watches = watches
        for route in self.routes:
            self._confirm(route)
        for watch in watches:
            same = {watch.market.base, watch.market.quote}
            watch.confirm_by([one for one in watches if one is not watch and {one.market.base, one.market.quote} == same])

    def _confirm(self, route: ArbRoute) -> None:
        """Tell ``route`` what is watched of its coin."""
        sides = {hop.market.quote: hop.book for hop in route.trades if hop.market.base == route.symbol}
        if len(sides) < 2:
            return
        its = [watch for watch in self._watches if sides.keys() == {watch.market.base, watch.market.quote}]
        own = [watch for watch in its if watch.market.book.exchange == sides[watch.market.quote].exchange]
        for watch in (own or its)[:1]:
            books = sides[watch.market.quote], sides[watch.market.base]
            if books not in self._coins:
                self._coins[books] = watch.add(route.symbol, *books)
            route.coin = self._coins[books]


def _unmeasured(_market: Market) -> float | None:
    """At a start nobody knows what trades: the order of the symbols stands for it."""
    return None
