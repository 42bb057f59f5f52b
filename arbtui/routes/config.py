"""Settings of routes: tables ``[universe]``, ``[costs]`` and ``[ranking]``."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arbtui.model.config import Config

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}")


def _asset(code: str) -> str:
    if not _SYMBOL.fullmatch(code):
        raise ValueError(f"{code!r} is not an asset's code (capitals and digits, such as BTC or 1INCH)")
    return code


Asset = Annotated[str, AfterValidator(_asset)]
VenuePair = Annotated[list[str], Field(min_length=2, max_length=2)]
Count = Annotated[int, Field(ge=1, le=1000)]
Shape = Literal["two_leg", "triangular", "split_leg", "multi_hop", "cross_chain"]


class UniverseConfig(Config):
    """Which assets are traded."""

    symbols: Count | list[Asset] = 20
    """assets: a number takes that many of the most active ones, a list names them; 20 fill one screen."""

    pairs: list[VenuePair] = Field(default_factory=list)
    """pairs of venues between which an asset is traded, both ways; left out: the one pair of a profile of two venues. With more it must be
    stated: all pairs of seven venues would be 42 routes an asset."""

    exclude: list[Asset] = Field(default_factory=list)
    """assets never traded, also when they are among the most active."""

    shapes: list[Shape] = Field(default_factory=lambda: list[Shape](("two_leg",)))
    """kinds of routes: "two_leg" (bought at one venue, sold at another), "triangular" (three trades at one), "split_leg" (one leg forked
    over two venues), "multi_hop" (three or four trades over several venues), "cross_chain" (bought, moved over a network, sold)."""

    allow: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    """patterns (* is any text) of which each route must match one, by its id, a market of it (upbit:KRW-XRP) or a coin; none: all may."""

    deny: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    """likewise of routes that are never listed; deny beats allow."""

    max_routes: int = Field(default=2000, ge=0, le=100_000)
    """routes beside the two-leg ones, the shortest first, of each length those whose least liquid market trades most; found anew every
    ten minutes."""

    max_tick_bps: float = Field(default=20.0, gt=0, le=10_000)
    """bps; a market with a coarser price unit is in no route but two-leg ones: each leg may lose as much by rounding."""

    min_liquidity: float = Field(default=0.0, ge=0)
    """in desk.currency; a market that traded less in the last minute is in no route but two-leg ones; 0 asks for nothing."""

    price_ratio_low: float = Field(default=0.8, gt=0, le=1)
    """ratio of two venues' prices (in one currency) under which two books of one ticker are taken for different assets."""

    price_ratio_high: float = Field(default=1.25, ge=1, le=100)
    """ratio above which likewise; premiums of 20 % have been real, a renamed ticker differs by far more."""

    @model_validator(mode="after")
    def _pairs_are_told_once(self) -> Self:
        seen: set[frozenset[str]] = set()
        for one, other in self.pairs:
            if one == other:
                raise ValueError(f"pairs: {one} makes no pair with itself")
            if frozenset((one, other)) in seen:
                raise ValueError(f"pairs: {one} and {other} are named twice; a pair is traded both ways")
            seen.add(frozenset((one, other)))
        return self

    @model_validator(mode="after")
    def _symbols_are_told_once(self) -> Self:
        if isinstance(self.symbols, list):
            if not self.symbols:
                raise ValueError("symbols: an empty list trades nothing; name at least one asset or give a number from 1 to 1000")
            seen: set[str] = set()
            for code in self.symbols:
                if code in seen:
                    raise ValueError(f"symbols: {code} is named twice")
                seen.add(code)
            if seen <= set(self.exclude):
                raise ValueError("symbols: every asset named is also in exclude; nothing is left to trade")
        return self


class CostsConfig(Config):
    """Costs of a route beyond the venues' own fees."""

    rate_fee_bps: float | None = Field(default=None, ge=0, le=1000)
    """bps of a taker on KRW-USDT, taken off every edge with the price that a whole order would get there; left out: the venue's own fee."""

    slippage_bps: float = Field(default=0.0, ge=0, le=1000)
    """bps taken off every edge for price moves between decision and fill; 0, since the completion rule already bounds them."""

    transfer_risk_sd: float = Field(default=1.0, ge=0, le=10)
    """standard deviations of the price's move on the way that the edge of a route over a network must pay for, beside its fee; 1: five
    times in six the price does not fall further (a normal move)."""

    financing_pct_year: float = Field(default=10.0, ge=0, le=1000)
    """percent a year that money on its way costs, taken off the edge of such a route; 10 is 0.02 bps in ten minutes."""
    learn_slippage: bool = False
    """whether what a route's own fills have cost beyond the prices that were expected is taken off its edge, too: measured always; off, so
    that what a profile says is what trades until somebody has looked at the figures."""


class RankingConfig(Config):
    """How much each factor of a route's health counts when several routes pay at once: an exponent, 0 leaves it out.

    Expected profit is multiplied by all of them; one that is not measured yet counts for nothing.
    """

    spread: float = Field(default=1.0, ge=0, le=10)
    """of narrow books: what lies behind the touch, and what an undone leg pays."""

    volume: float = Field(default=1.0, ge=0, le=10)
    """of the last minute's trades at the slowest market, against the size."""

    latency: float = Field(default=1.0, ge=0, le=10)
    """of how fresh the oldest book is."""

    flow: float = Field(default=1.0, ge=0, le=10)
    """of takers who take what we want."""

    survival: float = Field(default=1.0, ge=0, le=10)
    """of the share of gaps that are still there when our order would arrive."""

    realised: float = Field(default=1.0, ge=0, le=10)
    """of the share of the expected edge that the route's cycles brought."""

    runway: float = Field(default=1.0, ge=0, le=10)
    """of how many cycles the stock still holds."""

    def weights(self) -> Sequence[tuple[str, float]]:
        """Name and weight of each, in this order."""
        return [(name, getattr(self, name)) for name in type(self).model_fields]
