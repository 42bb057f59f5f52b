"""A market and its rules: price unit, lot, minimum, fees."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from arbtui.model.money import ZERO, ceil_to, floor_to


class FeeTakenIn(StrEnum):
    """Which asset a venue takes its fee in."""

    QUOTE = "quote"  #: always the quote currency (Upbit)
    RECEIVED = "received"  #: the asset received: base on a buy, quote on a sell (Binance without BNB)
    COIN = "coin"  #: a coin of its own, whatever is traded (BNB at Binance, where the account has switched it on)


class PriceUnits(Protocol):
    """The grid that a market's prices lie on."""

    def at(self, price: Decimal) -> Decimal:
        """The price unit (tick) that holds at ``price``."""
        ...


@dataclass(frozen=True, slots=True)
class FixedUnit:
    """One price unit for every price (Binance's PRICE_FILTER tickSize)."""

    unit: Decimal

    def at(self, price: Decimal) -> Decimal:
        """The price unit, whatever ``price`` is."""
        return self.unit


@dataclass(frozen=True, slots=True)
class BandedUnits:
    """Price units by band: ``bands`` are (lowest price of the band, unit), highest band first (Upbit KRW)."""

    bands: tuple[tuple[Decimal, Decimal], ...]

    def at(self, price: Decimal) -> Decimal:
        """The unit of the band that ``price`` lies in; below the lowest band, the lowest band's."""
        for floor, unit in self.bands:
            if price >= floor:
                return unit
        return self.bands[-1][1]


@dataclass(frozen=True, slots=True)
class Fees:
    """A market's fee rates as fractions (0.0005 is 5 bps) and the asset they are taken in."""

    taker: Decimal
    maker: Decimal
    taken_in: FeeTakenIn
    coin: str = ""  #: the coin of :attr:`FeeTakenIn.COIN`


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """One spot (or linear perpetual) market of one venue.

    Quantities are in base, prices and costs in quote. ``code`` is the venue's own name of the market (``KRW-BTC``,
    ``BTCUSDT``). Compared by identity: the registry creates each market once.
    """

    exchange: str
    code: str
    base: str
    quote: str
    price_units: PriceUnits
    lot_step: Decimal
    min_qty: Decimal
    max_qty: Decimal
    min_cost: Decimal  #: least price x quantity of an order, in quote (Upbit 5,000 KRW; Binance NOTIONAL)
    fees: Fees

    @property
    def key(self) -> str:
        """``exchange:code``, unique over all venues."""
        return f"{self.exchange}:{self.code}"

    def price_down(self, price: Decimal) -> Decimal:
        """``price`` rounded down to the price unit that holds there."""
        return floor_to(price, self.price_units.at(price))

    def price_up(self, price: Decimal) -> Decimal:
        """``price`` rounded up to the price unit that holds there."""
        return ceil_to(price, self.price_units.at(price))

    def qty_down(self, qty: Decimal) -> Decimal:
        """``qty`` rounded down to the lot step."""
        return floor_to(qty, self.lot_step)

    def qty_up(self, qty: Decimal) -> Decimal:
        """``qty`` rounded up to the lot step."""
        return ceil_to(qty, self.lot_step)

    def refusal(self, price: Decimal, qty: Decimal) -> str | None:
        """The rule that a limit order would break, as a message that begins with the rule's name; None when it breaks none."""
        if qty <= ZERO or self.qty_down(qty) != qty:
            return f"LOT_STEP {qty} is not a multiple of {self.lot_step} of {self.key}"
        return self.refusal_of_lots(price, qty)

    def refusal_of_lots(self, price: Decimal, qty: Decimal) -> str | None:
        """:meth:`refusal` of a quantity that is a whole number of lots, since it was rounded to them."""
        if price <= ZERO or self.price_down(price) != price:
            return f"PRICE_UNIT {price} is not on the unit {self.price_units.at(price)} of {self.key}"
        if not self.min_qty <= qty <= self.max_qty:
            return f"LOT_SIZE {qty} is outside {self.min_qty} to {self.max_qty} of {self.key}"
        if price * qty < self.min_cost:
            return f"MIN_COST {price * qty} {self.quote} is under {self.min_cost} of {self.key}"
        return None
