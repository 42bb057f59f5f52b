"""Small random universes, and what a closed sequence of trades is, told by the words and by nothing of the routes' own code."""

import itertools
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.routes.route import ArbRoute
from tests.routes.venues import MONEY, market

VENUES = ("u", "b", "o")
COINS = ("BTC", "ETH", "XRP", "SOL")
ONE_MONEY = {"u": ("KRW",), "b": ("KRW",), "o": ("USDT",)}
Trades = tuple[tuple[Market, Side], ...]
Links = set[tuple[str, frozenset[str]]]  #: (coin, two venues) between which it may be closed out of stock
Pairs = dict[str, list[tuple[str, str]]]
#: By coin, which pairs of venues; None: any.
PAIRS: st.SearchStrategy[Pairs | None] = st.none() | st.fixed_dictionaries(
    {coin: st.lists(st.sampled_from([("u", "b"), ("b", "o")]), unique=True) for coin in COINS}
)


@st.composite
def listings(draw: st.DrawFn, money: Mapping[str, Sequence[str]] = dict.fromkeys(VENUES, MONEY)) -> list[Market]:
    """Up to nine markets of three venues, coins priced in money or in another coin; ``money``: by venue, which."""
    possible = [(venue, base, quote) for venue in VENUES for base in COINS for quote in (*money[venue], *COINS[: COINS.index(base)])]
    chosen = draw(st.lists(st.sampled_from(possible), min_size=2, max_size=9, unique=True))
    return [market(*one) for one in chosen]


def ends(trade: tuple[Market, Side]) -> tuple[str, str]:
    """What a trade spends, and what it brings."""
    one, side = trade
    return (one.quote, one.base) if side is Side.BUY else (one.base, one.quote)


def links_of(pairs: Pairs | None) -> Links | None:
    return None if pairs is None else {(coin, frozenset(pair)) for coin, of in pairs.items() for pair in of}


def closes(trades: Trades, linked: Links | None) -> bool:
    """Whether the books close after each of ``trades``, no asset is passed twice, and money somewhere; ``linked`` None: any venues."""
    passed: list[set[str]] = []
    has_money = False
    for number, trade in enumerate(trades):
        after = trades[(number + 1) % len(trades)]
        brings, spends = ends(trade)[1], ends(after)[0]
        if brings in MONEY and spends in MONEY:
            has_money = True
        elif brings != spends or (
            trade[0].exchange != after[0].exchange
            and linked is not None
            and (brings, frozenset((trade[0].exchange, after[0].exchange))) not in linked
        ):
            return False
        passed.append({brings, spends})
    return has_money and all(one.isdisjoint(other) for one, other in itertools.combinations(passed, 2))


def named(trades: Trades) -> list[tuple[str, str]]:
    return [(one.key, side) for one, side in trades]


def turned(trades: Trades) -> Trades:
    """The same closed sequence from its first trade by name on: one for all of its rotations."""
    return min((trades[at:] + trades[:at] for at in range(len(trades))), key=named)


def trades_of(route: ArbRoute) -> Trades:
    return turned(tuple((hop.market, hop.side) for hop in route.trades))
