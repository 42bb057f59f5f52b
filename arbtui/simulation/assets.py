"""The simulated universe: real assets first, then invented ones, each with its rank, price and steps."""

import difflib
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import takewhile

from arbtui.model.errors import UsageError
from arbtui.simulation.asset_table import REAL_ASSETS

UNIVERSE = 1000  #: number of simulated assets
RATE = 1400.0  #: KRW per USDT that the walk starts from

_FINEST_DECIMALS = 8
_TICK_CEILING = -2  #: 0.01: venues of USDT quote even BTC to the cent
_MAJORS = 20  #: ranks whose price unit is a tenth of what others of that price have


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. ``rank`` is its place by liquidity from 1, ``price`` where its walk starts, in USDT."""

    symbol: str
    rank: int
    price: float

    @property
    def tick(self) -> Decimal:
        """The price unit in USDT: 0.1 to 1 bps of the price for majors, 1 to 10 bps below, as real ones are."""
        digits = 4 if self.rank <= _MAJORS else 3
        exponent = min(_TICK_CEILING, math.floor(math.log10(self.price)) - digits)
        return Decimal(1).scaleb(max(exponent, -_FINEST_DECIMALS))

    @property
    def lot(self) -> Decimal:
        """The lot step at venues of USDT: worth 1 USDT at most, so that an order of 100 USDT holds a hundred lots or more."""
        return Decimal(1).scaleb(min(math.floor(-math.log10(self.price)), 0))

    def tick_in(self, coin: "Asset", digits: int) -> Decimal:
        """The price unit in ``coin``: so many digits below the price's first one, eight decimals at most."""
        return Decimal(1).scaleb(max(math.floor(math.log10(self.price / coin.price)) - digits, -_FINEST_DECIMALS))

    def lot_in(self, tick: Decimal, lot: Decimal) -> Decimal:
        """``lot``, or the finest with which what an order comes to has eight decimals, as balances of dollar venues have."""
        return max(lot, Decimal(1).scaleb(-_FINEST_DECIMALS) / tick)


@cache
def universe() -> dict[str, Asset]:
    """All simulated assets by symbol, in order of rank."""
    assets = {symbol: Asset(symbol, rank, price) for rank, (symbol, price) in enumerate(REAL_ASSETS, 1)}
    for rank in range(len(REAL_ASSETS) + 1, UNIVERSE + 1):
        symbol = f"S{rank:04}"
        assets[symbol] = Asset(symbol, rank, _made_up_price(symbol))
    return assets


def invented() -> list[str]:
    """The symbols of :func:`universe` that no real venue lists."""
    return [asset.symbol for asset in universe().values() if asset.rank > len(REAL_ASSETS)]


def select(selection: int | Sequence[str]) -> list[Asset]:
    """The first ``selection`` assets by rank, or those named, in the order of their naming.

    Raises:
        UsageError: a number out of range, no name, or a name that is not simulated (with the nearest one that is). Naming the source
            is left to the caller.
    """
    known = universe()
    if isinstance(selection, int):
        if not 1 <= selection <= len(known):
            raise UsageError(f"the simulator has 1 to {len(known)} symbols, not {selection}")
        return list(known.values())[:selection]
    if not selection:
        raise UsageError("no symbol is named")
    return [_named(symbol, known) for symbol in dict.fromkeys(name.strip().upper() for name in selection)]


def _named(symbol: str, known: dict[str, Asset]) -> Asset:
    try:
        return known[symbol]
    except KeyError:
        near = max(known, key=lambda name: _likeness(symbol, name))
        raise UsageError(f"{symbol} is not among the {len(known)} simulated symbols; the nearest is {near}") from None


def _likeness(wrong: str, name: str) -> tuple[float, int]:
    """How alike two tickers are; ties are decided by a common beginning."""
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(wrong, name, strict=False)))
    return difflib.SequenceMatcher(None, wrong, name).ratio(), common


def _made_up_price(symbol: str) -> float:
    """0.05 to 20 USDT, three digits, from the name alone."""
    share = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:4], "big") / 2**32
    price = 0.05 * math.pow(400.0, share)
    return round(price, 2 - math.floor(math.log10(price)))
