"""What a route is made of: nodes (an asset at a venue), and the hops that join them into a closed sequence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import inf, sqrt

from arbtui.exchanges.networks import NetworkPath
from arbtui.marketdata.rate_market import Conversion
from arbtui.model.book import LIVE, OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.pieces import Piece, trade_pieces


@dataclass(slots=True, eq=False)
class Node:
    """An asset at a venue, and how much of it a new cycle may use.

    ``available`` is the float shadow of the inventory's free-minus-reserved, kept by its owner for sizing; the exact
    reservation is made in Decimal. ``target`` is the stock that counts as full (0: no target, no shadow price). ``urgency``: how scarce
    it is by its runway, 0 to 1, kept by whoever measures that.
    """

    exchange: str
    asset: str
    available: float = 0.0
    target: float = 0.0
    urgency: float = 0.0

    @property
    def scarcity(self) -> float:
        """0 with a full stock that lasts, 1 with none."""
        if self.target <= 0.0:
            return 0.0
        return min(1.0, max(0.0, self.urgency, 1.0 - self.available / self.target))


@dataclass(frozen=True, slots=True)
class TradeHop:
    """An act: trade on one market.

    What follows from the market and the side is worked out once: the routes of a start ask for it some hundred thousand times.
    """

    market: Market
    book: OrderBook
    side: Side
    place: tuple[str, str] = field(init=False, repr=False, compare=False)  #: exchange and code of its market
    spends: str = field(init=False, repr=False, compare=False)  #: the asset that goes in
    gives: str = field(init=False, repr=False, compare=False)  #: the asset that comes out
    fee: float = field(init=False, repr=False, compare=False)  #: of a taker, a fraction
    kept: float = field(init=False, repr=False, compare=False)  #: the share that the fee leaves of what comes out, whatever it is taken in

    def __post_init__(self) -> None:
        market, fee, buys = self.market, float(self.market.fees.taker), self.side is Side.BUY
        spends, gives = (market.quote, market.base) if buys else (market.base, market.quote)
        kept = 1.0 / (1.0 + fee) if buys and not self._fee_is_base else 1.0 - fee
        for name, value in (("place", (market.exchange, market.code)), ("spends", spends), ("gives", gives), ("fee", fee), ("kept", kept)):
            object.__setattr__(self, name, value)

    @property
    def touch_price(self) -> float:
        """The best price that it can trade at now, in quote; ``inf`` or 0.0 where that side of the book is empty."""
        return self.book.ask if self.side is Side.BUY else self.book.bid

    @property
    def touch_qty(self) -> float:
        """The base quantity there."""
        return self.book.ask_qty if self.side is Side.BUY else self.book.bid_qty

    @property
    def touch_rate(self) -> float:
        """What comes out for one unit that goes in, at the touch and before the fee; 0.0 where that side of the book is empty."""
        price = self.touch_price
        if not 0.0 < price < inf:
            return 0.0
        return 1.0 / price if self.side is Side.BUY else price

    def pieces(self) -> Iterator[Piece]:
        """What comes out by what goes in, fee included, as far as the book goes."""
        levels = self.book.asks() if self.side is Side.BUY else self.book.bids()
        return trade_pieces(self.side, levels, self.fee, from_base=self._fee_is_base)

    def order_qty(self, into: float, out: float) -> float:
        """The base quantity of the order that turns ``into`` into ``out``."""
        if self.side is Side.SELL:
            return into
        return out / self.kept if self._fee_is_base else out

    @property
    def _fee_is_base(self) -> bool:
        return self.market.fees.taken_in is FeeTakenIn.RECEIVED

    def depth_to(self, worst_price: float) -> float:
        """The base quantity that the book holds at ``worst_price`` (quote) or better."""
        if self.side is Side.BUY:
            return sum(size for price, size in self.book.asks() if price <= worst_price)
        return sum(size for price, size in self.book.bids() if price >= worst_price)

    def would_fill(self, qty: float, worst_price: float) -> bool:
        """Whether the book, as it is now, holds ``qty`` (base) at ``worst_price`` (quote) or better. False unless it is LIVE."""
        if self.book.state is not LIVE:
            return False
        buys = self.side is Side.BUY
        for price, size in self.book.asks() if buys else self.book.bids():
            if price > worst_price if buys else price < worst_price:
                return False
            qty -= size
            if qty <= 0.0:
                return True
        return False


@dataclass(frozen=True, slots=True)
class InventoryHop:
    """Closes the books without an act: the asset bought at one venue is the one sold at another, from stock."""

    bought_at: Node
    sold_at: Node
    shadow_bps_at_empty: float

    def shadow_bps(self) -> float:
        """Signed price of moving a unit of stock: positive where it drains a scarce stock, negative where it refills one."""
        return self.shadow_bps_at_empty * (self.sold_at.scarcity - self.bought_at.scarcity)


@dataclass(frozen=True, slots=True)
class RateMark:
    """Closes the books without an act: what the sale brought, counted in the currency that the purchase cost."""

    source: str
    target: str


rate_mark = cache(RateMark)  # there are few, and each of thousands of routes has one


@dataclass(slots=True, eq=False)
class TransferHop:
    """An act of a person: the asset bought at one venue is moved over a network to the one where it is sold. No program path withdraws.

    ``path``: the network that would be used now, as both venues told it at ``told_at`` (monotonic s); None while none is known.
    ``sigma``: how much a price moves, as a share of it, in one standard deviation over one minute; None while it is not measured.
    All three are kept by whoever asks the venues (:meth:`take`).
    """

    asset: str
    sender: str
    receiver: str
    path: NetworkPath | None = None
    told_at: float = -inf
    sigma: float | None = None

    @property
    def fee(self) -> float:
        """Units that the network keeps; ``inf`` while that is not told."""
        return inf if self.path is None or self.path.fee is None else float(self.path.fee)

    @property
    def minutes(self) -> float:
        """What it usually takes; ``inf`` while that is not told."""
        return inf if self.path is None or self.path.minutes is None else self.path.minutes

    @property
    def risk_bps(self) -> float:
        """How far the price moves on the way, in one standard deviation; ``inf`` while that is not known."""
        return inf if self.sigma is None else self.sigma * sqrt(self.minutes) * 1e4

    def pieces(self) -> list[Piece]:
        """What comes out by what goes in: the network's fee first, whatever the size, then all of it; nothing while the fee is not told."""
        return [(0.0, self.fee), (1.0, inf)] if 0.0 < self.fee < inf else [(0.0 if self.fee else 1.0, inf)]

    def take(self, paths: Sequence[NetworkPath], told_at: float, sigma: float | None, units: float) -> None:
        """Use that of ``paths`` from now on that costs least for ``units`` of the asset: its fee, and what the price may do meanwhile.

        Where none is open and known, the first says why not.
        """
        open_now = [path for path in paths if path.is_known and not path.why_not]

        def cost(path: NetworkPath) -> float:
            return float(path.fee or 0) + units * (sigma or 0.0) * sqrt(path.minutes or 0.0)

        self.path = min(open_now, key=cost) if open_now else next(iter(paths), None)
        self.told_at, self.sigma = told_at, sigma

    def refusal(self, now: float) -> Reason | None:
        """Why nothing is sent over it at ``now`` (monotonic s), or None: what is not known is never free, and never at once."""
        if self.path is None or now - self.told_at > TOLD_FOR_S:
            return Reason.NETWORK_UNKNOWN
        if self.path.why_not:
            return Reason.WALLET_CLOSED
        if not self.path.is_known:
            return Reason.NETWORK_UNKNOWN
        return Reason.TRANSFER_RISK if self.sigma is None else None


#: What the venues told of their wallets holds so long, in seconds: they are asked every ten minutes.
TOLD_FOR_S = 1800.0

Hop = TradeHop | InventoryHop | RateMark | TransferHop


def conversion_pieces(source: str, conversion: Conversion) -> list[Iterator[Piece]]:
    """The stages of a conversion from ``source`` through the books that it is made over now, fees included; none where there is no way."""
    stages, asset = [], source
    for market in conversion.markets:
        side = Side.SELL if market.base == asset else Side.BUY
        levels = market.book.bids() if side is Side.SELL else market.book.asks()
        stages.append(trade_pieces(side, levels, market.fee, from_base=False))
        asset = market.quote if side is Side.SELL else market.base
    return stages
