"""One leg of a route on its way through a book: how much it has traded, at which level it stands, and what the next unit brings there."""

from collections.abc import Iterator
from math import inf

from arbtui.marketdata.rate_market import Conversion
from arbtui.model.book import Level
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Side
from arbtui.routes.hops import Node, TradeHop

#: A level of which less than this share of all that was traded is left is used up: what floats cannot tell from nothing.
_NOTHING = 1e-12
_NO_LEVELS: Iterator[Level] = iter(())


class LegWalk:
    """A trade's walk from the touch on. ``spends`` and ``brings`` are of the leg, fees in; quantities in base are those of its order.

    Args:
        hop: the trade.
        place: where what it spends is held.
        conversion: of what the leg before it brings into what it spends; None where that is one asset.
        direct: it may spend what the leg before it brings: the same asset at the same venue.
    """

    __slots__ = ("brings", "buys", "conversion", "direct", "hop", "kept", "left", "levels", "notional", "pays", "place", "price", "qty")

    def __init__(self, hop: TradeHop, place: Node, conversion: Conversion | None = None, *, direct: bool = False) -> None:
        self.hop = hop
        self.place = place
        self.conversion = conversion
        self.direct = direct
        self.buys = hop.side is Side.BUY
        fee, in_coin = hop.fee, hop.market.fees.taken_in is FeeTakenIn.RECEIVED
        self.kept = 1.0 - fee if self.buys and in_coin else 1.0  #: of the base that is bought
        self.pays = 1.0 if in_coin else 1.0 + fee  #: in quote for one bought, per unit of price
        self.brings = 1.0 - fee  #: in quote of one sold, per unit of price
        self.levels = _NO_LEVELS
        self.price = 0.0  #: of the level at hand
        self.left = 0.0  #: base that it still has
        self.qty = 0.0  #: base traded so far
        self.notional = 0.0  #: quote traded so far, without fees

    @property
    def factor(self) -> float:
        """What one unit that it spends brings, but for the price."""
        return self.kept / self.pays if self.buys else self.brings

    @property
    def rate(self) -> float:
        """What one unit that it spends brings at the level at hand."""
        return self.factor / self.price if self.buys else self.factor * self.price

    @property
    def room(self) -> float:
        """How much of what it spends the level at hand still takes."""
        return self.left * self.price * self.pays if self.buys else self.left

    @property
    def spent(self) -> float:
        """How much of what it spends was spent so far."""
        return self.notional * self.pays if self.buys else self.qty

    @property
    def average(self) -> float:
        """The price of all that was traded so far."""
        return self.notional / self.qty

    def begin(self) -> None:
        """Go back to the touch, with nothing traded."""
        book = self.hop.book
        self.levels = book.asks() if self.buys else book.bids()
        self.qty = self.notional = 0.0
        self.price, self.left = next(self.levels, (inf if self.buys else 0.0, 0.0))

    def end(self) -> None:
        """It goes no deeper; what was traded stays. The levels that are held no longer are work that no garbage collection has."""
        self.levels = _NO_LEVELS

    def take(self, amount: float) -> None:
        """Spend ``amount`` at the level at hand, which must have room for it."""
        qty = amount / (self.price * self.pays) if self.buys else amount
        self.qty += qty
        self.notional += qty * self.price
        self.left -= qty

    def advance(self) -> bool:
        """Go on to the next level where the one at hand is used up; False where there is none."""
        if self.left > _NOTHING * self.qty:
            return True
        level = next(self.levels, None)
        if level is None:
            return False
        self.price, self.left = level
        return True

    def cost(self, qty: float) -> float:
        """The quote of ``qty`` by the book as it is now, without fees; what it does not show counts at its last level."""
        book, total, price = self.hop.book, 0.0, 0.0
        for price, size in book.asks() if self.buys else book.bids():
            if qty <= size:
                return total + qty * price
            total += size * price
            qty -= size
        return total + qty * price
