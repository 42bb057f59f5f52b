"""All routes, and the index from a book to the routes that its change touches."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import CoinRate, RateWatch
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.routes.hops import InventoryHop, Node, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms

PairsOf = Mapping[str, Collection[tuple[str, str]]]  #: by asset, pairs of venues


#: Looks at the routes of one book at a time (monotonic s), with the list that those are added to that may pay and do not.
Look = Callable[[float, list[ArbRoute] | None], list[Opportunity]]


def evaluate_all(routes: Iterable[ArbRoute], now: float, refused: list[ArbRoute] | None = None) -> list[Opportunity]:
    """The opportunities among ``routes``, of whatever classes, at ``now`` (monotonic s); see :meth:`ArbRoute.evaluate_all`."""
    found = []
    for of_class, same in groupby(routes, _class_of):
        found += of_class.evaluate_all(same, now, refused)
    return found


def _look_at(routes: tuple[ArbRoute, ...]) -> Look:
    """One call for all routes of one class, which is all that a book of most profiles has."""
    classes = list(dict.fromkeys(map(_class_of, routes)))
    if len(classes) == 1:
        return partial(classes[0].evaluate_all, routes)
    return partial(evaluate_all, sorted(routes, key=lambda route: classes.index(_class_of(route))))


def _class_of(route: ArbRoute) -> type[ArbRoute]:
    return type(route)


class ArbUniverse:
    """Every asset that both venues of a pair trade, in both directions; and whatever other routes are added.

    Args:
        markets: the markets to trade, grouped by nothing; those of one asset at the two venues of a pair are paired.
        books: the live book of every market, by (exchange, code).
        rates: the exchange rates between settlement currencies.
        terms: what routes are priced with.
        shadow_bps_at_empty: price of the last unit of a stock.
        symbols: assets in the order in which routes are listed.
        pairs: of which two venues each asset may be traded between; None: any two.
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
    ) -> None:
        self.rates = rates
        self.terms = terms  #: as the profile has them
        self.symbols = tuple(symbols)
        self.markets = tuple(markets)
        self.nodes: dict[tuple[str, str], Node] = {}
        self.routes: list[ArbRoute] = []  #: of whatever class, in the order in which they are listed
        self.by_id: dict[str, ArbRoute] = {}
        self._of_asset: dict[str, list[ArbRoute]] = {symbol: [] for symbol in symbols}
        #: The routes that a change of a book touches; a book that only gives a rate touches none, and is not in it.
        self.touched_by: dict[OrderBook, tuple[ArbRoute, ...]] = {}
        #: The same, ready to be called for that change: the opportunities among them at a time.
        self.looks: dict[OrderBook, Look] = {}
        made: list[ArbRoute] = []
        by_asset: dict[str, list[Market]] = {symbol: [] for symbol in symbols}
        for market in markets:
            if market.base in by_asset:
                by_asset[market.base].append(market)
        for symbol, listed in by_asset.items():
            allowed = None if pairs is None else {frozenset(pair) for pair in pairs.get(symbol, ())}
            for buy in listed:
                for sell in listed:
                    if buy.exchange == sell.exchange or (allowed is not None and frozenset((buy.exchange, sell.exchange)) not in allowed):
                        continue
                    ask_book, bid_book = books[buy.exchange, buy.code], books[sell.exchange, sell.code]
                    inventory = InventoryHop(self.node(buy.exchange, symbol), self.node(sell.exchange, symbol), shadow_bps_at_empty)
                    route = InventoryRoute(
                        symbol,
                        TradeHop(buy, ask_book, Side.BUY),
                        TradeHop(sell, bid_book, Side.SELL),
                        inventory,
                        self.node(buy.exchange, buy.quote),
                        rates,
                        terms,
                    )
                    made.append(route)
        self.add(made)

    def add(self, routes: Iterable[ArbRoute]) -> None:
        """List ``routes``, of whatever class, after those that are there: from now on a change of one of their books looks at them.

        Raises:
            ValueError: a route of that id is there already.
        """
        touched: dict[OrderBook, list[ArbRoute]] = {}
        for route in routes:
            if route.id in self.by_id:
                raise ValueError(f"route {route.id} is listed twice")
            self.routes.append(route)
            self.by_id[route.id] = route
            for asset in route.coins:
                self._of_asset.setdefault(asset, []).append(route)
            for book in dict.fromkeys(route.books):
                touched.setdefault(book, []).append(route)
        for book, more in touched.items():
            self._index(book, (*self.touched_by.get(book, ()), *more))

    def remove(self, routes: Iterable[ArbRoute]) -> None:
        """Take ``routes`` off the list: nothing looks at them any more. A cycle that runs on one goes on to its end."""
        gone = {route.id: route for route in routes if self.by_id.pop(route.id, None) is not None}
        if not gone:
            return
        self.routes[:] = [route for route in self.routes if route.id not in gone]
        for asset in dict.fromkeys(asset for route in gone.values() for asset in route.coins):
            self._of_asset[asset] = [route for route in self._of_asset[asset] if route.id not in gone]
        for book in dict.fromkeys(book for route in gone.values() for book in route.books):
            self._index(book, tuple(route for route in self.touched_by[book] if route.id not in gone))

    def _index(self, book: OrderBook, routes: tuple[ArbRoute, ...]) -> None:
        if routes:
            self.touched_by[book], self.looks[book] = routes, _look_at(routes)
        else:
            self.touched_by.pop(book, None)
            self.looks.pop(book, None)

    def node(self, exchange: str, asset: str) -> Node:
        """The node of ``asset`` at ``exchange``, made on first use."""
        key = (exchange, asset)
        if key not in self.nodes:
            self.nodes[key] = Node(exchange, asset)
        return self.nodes[key]

    def of_symbol(self, symbol: str) -> Sequence[ArbRoute]:
        """Every route that trades one asset."""
        return self._of_asset.get(symbol, ())

    def watch_rates(self, watches: Sequence[RateWatch]) -> None:
        """Let ``watches`` see every asset that is traded in both of a rate's currencies, and the routes what they find of theirs.

        A coin's book at a venue that has the rate itself confirms that venue's rate; elsewhere the first of its two currencies.
        """
        coins: dict[tuple[OrderBook, OrderBook], CoinRate] = {}
        for route in self.routes:
            sides = {hop.market.quote: hop.book for hop in route.trades if hop.market.base == route.symbol}
            if len(sides) < 2:
                continue
            its = [watch for watch in watches if sides.keys() == {watch.market.base, watch.market.quote}]
            own = [watch for watch in its if watch.market.book.exchange == sides[watch.market.quote].exchange]
            for watch in (own or its)[:1]:
                books = sides[watch.market.quote], sides[watch.market.base]
                if books not in coins:
                    coins[books] = watch.add(route.symbol, *books)
                route.coin = coins[books]
        for watch in watches:
            same = {watch.market.base, watch.market.quote}
            watch.confirm_by([one for one in watches if one is not watch and {one.market.base, one.market.quote} == same])
