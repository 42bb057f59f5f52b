"""Made-up venues with markets of several quotes, and books to go with them: what longer routes are tested on."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import BookState, OrderBook
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.routes.route import RouteTerms
from arbtui.routes.rules import SHAPES, RouteRules
from arbtui.routes.universe import ArbUniverse
from tests.routes.pairs import NOW, TERMS, rate_book

MONEY = ("KRW", "USDT")
ALL = RouteRules(SHAPES, max_routes=100_000)


def market(
    exchange: str,
    base: str,
    quote: str,
    fee: str = "0.0005",
    taken_in: FeeTakenIn = FeeTakenIn.QUOTE,
    tick: str = "0.00000001",
    lot: str = "0.00000001",
    least: str = "0",
) -> Market:
    """One with a fine grid, unless told otherwise."""
    fees = Fees(Decimal(fee), Decimal(fee), taken_in)
    units, step = FixedUnit(Decimal(tick)), Decimal(lot)
    return Market(exchange, f"{base}-{quote}", base, quote, units, step, step, Decimal("1e12"), Decimal(least), fees)


def books_of(
    markets: Iterable[Market], touches: Mapping[tuple[str, str], tuple[float, float]] | None = None
) -> dict[tuple[str, str], OrderBook]:
    """LIVE books, by default one empty; ``touches``: bid and ask by (exchange, code), a thousand of each."""
    books = {}
    for one in markets:
        book = books[one.exchange, one.code] = OrderBook(one.exchange, one.code)
        book.state, book.ts_init = BookState.LIVE, NOW
        if touches is not None and (one.exchange, one.code) in touches:
            bid, ask = touches[one.exchange, one.code]
            book.replace([(bid, 1000.0)], [(ask, 1000.0)])
    return books


def universe(
    markets: Iterable[Market],
    books: Mapping[tuple[str, str], OrderBook],
    rules: RouteRules = ALL,
    terms: RouteTerms = TERMS,
    rates: RateBook | None = None,
    pairs: Mapping[str, list[tuple[str, str]]] | None = None,
    held: float = 1e12,
) -> ArbUniverse:
    """All routes of ``markets``, with more than enough at every place."""
    listed = list(markets)
    symbols = [coin for coin in dict.fromkeys(one.base for one in listed) if coin not in MONEY]
    made = ArbUniverse(listed, books, rates or rate_book(), terms, 0.0, symbols, pairs, MONEY, rules)
    for node in made.nodes.values():
        node.available = held
    return made
