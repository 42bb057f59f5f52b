"""All routes, and the index from a book to the routes that its change touches."""

from collections.abc import Collection, Mapping, Sequence

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import CoinRate, RateWatch
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.routes.hops import InventoryHop, Node, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.route import RouteTerms

PairsOf = Mapping[str, Collection[tuple[str, str]]]  #: by asset, pairs of venues


class ArbUniverse:
    """Every asset that both venues of a pair trade, in both directions.

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
        self.routes: list[InventoryRoute] = []
        self.by_id: dict[str, InventoryRoute] = {}
        self._of_symbol: dict[str, list[InventoryRoute]] = {symbol: [] for symbol in symbols}
        by_asset: dict[str, list[Market]] = {symbol: [] for symbol in symbols}
        for market in markets:
            if market.base in by_asset and market.quote not in by_asset:  # one coin against another is paired with nothing
                by_asset[market.base].append(market)
        touched: dict[OrderBook, list[InventoryRoute]] = {}
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
                    self.routes.append(route)
                    self.by_id[route.id] = route
                    self._of_symbol[symbol].append(route)
                    touched.setdefault(ask_book, []).append(route)
                    touched.setdefault(bid_book, []).append(route)
        #: The routes that a change of a book touches; a book that only gives a rate touches none, and is not in it.
        self.touched_by: Mapping[OrderBook, tuple[InventoryRoute, ...]] = {book: tuple(routes) for book, routes in touched.items()}

    def node(self, exchange: str, asset: str) -> Node:
        """The node of ``asset`` at ``exchange``, made on first use."""
        key = (exchange, asset)
        if key not in self.nodes:
            self.nodes[key] = Node(exchange, asset)
        return self.nodes[key]

    def of_symbol(self, symbol: str) -> Sequence[InventoryRoute]:
        """Every route of one asset."""
        return self._of_symbol.get(symbol, ())

    def watch_rates(self, watches: Sequence[RateWatch]) -> None:
        """Let ``watches`` see every asset that is traded in both of a rate's currencies, and the routes what they find of theirs.

        A coin's book at a venue that has the rate itself confirms that venue's rate; elsewhere the first of its two currencies.
        """
        coins: dict[tuple[OrderBook, OrderBook], CoinRate] = {}
        for route in self.routes:
            sides = {route.bought.market.quote: route.ask_book, route.sold.market.quote: route.bid_book}
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
