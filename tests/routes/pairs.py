"""Markets, books and routes made by hand, for every test above the routes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import BookState, Level, OrderBook
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.order import Side
from arbtui.routes.hops import InventoryHop, Node, TradeHop, TransferHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.route import RouteTerms
from arbtui.routes.transfer_route import TransferRoute

UPBIT_XRP = krw_market("XRP")
BINANCE_XRP = spot_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5))
#: USDT too, the fee in quote: a second venue of one currency.
OTHER_XRP = Market(
    "other", "XRP-USDT", "XRP", "USDT", FixedUnit(Decimal("0.0001")), Decimal("0.01"), Decimal("0.01"), Decimal("1e9"), Decimal(5),
    Fees(Decimal("0.0008"), Decimal("0.0008"), FeeTakenIn.QUOTE),
)  # fmt: skip
TERMS = RouteTerms(min_edge_bps=3.0, slippage_bps=0.0, order_value=100.0, value_currency="USDT", price_ratio=(0.8, 1.25))
NOW = 100.0


def book(exchange: str, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_init: float = NOW) -> OrderBook:
    made = OrderBook(exchange, code)
    made.replace(bids, asks)
    made.state = BookState.LIVE
    made.ts_init = ts_init
    return made


def rate_book(bid: float = 1400.0, ask: float = 1401.0, fee: float = 0.0005, max_age_s: float = 5.0) -> RateBook:
    return one_rate(book("upbit", "KRW-USDT", [(bid, 1e6)], [(ask, 1e6)]), max_age_s, fee)


def one_rate(of: OrderBook, max_age_s: float = 5.0, fee: float = 0.0005, size: float = 0.0) -> RateBook:
    """The rate of a single market that trades USDT for won, read once. ``size``: of an order, in USDT."""
    rates = RateBook([RateMarket(of, "USDT", "KRW", max_age_s, fee)], "USDT", size)
    rates.refresh()
    return rates


@dataclass
class Pair:
    """Two books of XRP and the two routes between them. ``dear`` says where XRP is dearer by about 1 %."""

    upbit: OrderBook = field(
        default_factory=lambda: book("upbit", "KRW-XRP", [(3030.0, 400.0), (3029.0, 500.0)], [(3031.0, 400.0), (3032.0, 500.0)])
    )
    binance: OrderBook = field(
        default_factory=lambda: book("binance", "XRPUSDT", [(2.1397, 300.0), (2.1396, 500.0)], [(2.14, 300.0), (2.1401, 500.0)])
    )
    rates: RateBook = field(default_factory=rate_book)
    terms: RouteTerms = TERMS
    shadow_bps_at_empty: float = 0.0

    def __post_init__(self) -> None:
        self.stock = {name: Node(name, "XRP", 1000.0, 1000.0) for name in ("upbit", "binance")}
        self.cash = {"upbit": Node("upbit", "KRW", 3e6), "binance": Node("binance", "USDT", 2000.0)}
        self.to_upbit = self._route("binance", "upbit")  #: bought at Binance, sold at Upbit
        self.to_binance = self._route("upbit", "binance")

    def over_network(self) -> TransferRoute:
        """Bought at Binance, moved, sold at Upbit; nobody has told anything of the network yet."""
        buy, sell = self.to_upbit.trades
        return TransferRoute("XRP", buy, TransferHop("XRP", "binance", "upbit"), sell, self.cash["binance"], self.rates, self.terms)

    def _route(self, bought: str, sold: str) -> InventoryRoute:
        markets = {"upbit": UPBIT_XRP, "binance": BINANCE_XRP}
        books = {"upbit": self.upbit, "binance": self.binance}
        return InventoryRoute(
            "XRP",
            TradeHop(markets[bought], books[bought], Side.BUY),
            TradeHop(markets[sold], books[sold], Side.SELL),
            InventoryHop(self.stock[bought], self.stock[sold], self.shadow_bps_at_empty),
            self.cash[bought],
            self.rates,
            self.terms,
        )
