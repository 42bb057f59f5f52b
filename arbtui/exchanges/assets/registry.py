"""AssetRegistry: pairs two venues' listings by what an asset is, never by its ticker alone."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from arbtui.exchanges.assets.contracts import contradiction
from arbtui.exchanges.networks import Networks


class Quarantine(StrEnum):
    """Why two listings are not paired."""

    UNKNOWN = "UNKNOWN"  #: not in the table and not signed off by the operator
    CLASH = "CLASH"  #: known to be two assets
    RENAMED = "RENAMED"  #: a venue changed the ticker; a similar ticker at the other venue proves nothing
    TICKER_DIFFERS = "TICKER_DIFFERS"  #: one asset under two tickers: its balances cannot be combined yet
    CONTRACT = "CONTRACT"  #: the venues name two contract addresses on one network
    PRICE_RATIO = "PRICE_RATIO"  #: the two prices are outside the asset's band, or one is missing


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. ``networks``: those it exists on, where that is certain.

    ``price_ratio``: least and greatest ratio of two venues' prices.
    """

    symbol: str
    name: str
    networks: tuple[str, ...]
    price_ratio: tuple[float, float]
    tickers: Mapping[str, str] = field(default_factory=dict)  #: by exchange, where it is not the symbol

    def ticker(self, exchange: str) -> str:
        """Its ticker at ``exchange``."""
        return self.tickers.get(exchange, self.symbol)


@dataclass(frozen=True, slots=True)
class SignOff:
    """The operator's signed statement that one ticker is the same asset at the venues that the profile had then.

    ``exchanges``: those; empty in a statement from before profiles could have more than two.
    """

    symbol: str
    by: str
    ts_ms: int
    reason: str
    exchanges: tuple[str, ...] = ()

    def is_of(self, one: str, other: str, venues: int) -> bool:
        """Whether it says so of these two, in a profile of ``venues``."""
        return one in self.exchanges and other in self.exchanges if self.exchanges else venues == 2


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A pair of listings that is not traded."""

    symbol: str
    reason: Quarantine
    detail: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """The assets that two venues have in common. ``tradable`` is in the first venue's order."""

    tradable: tuple[Asset, ...]
    quarantined: tuple[Quarantined, ...]


class AssetRegistry:
    """The known assets.

    Args:
        assets: by symbol.
        clashes: tickers that are different assets, with each venue's meaning.
        renamed: by exchange, tickers that the venue has changed to distinguish two assets.
        price_ratio: the band of assets that the operator signed off.
    """

    def __init__(
        self,
        assets: Mapping[str, Asset],
        clashes: Mapping[str, Mapping[str, str]],
        renamed: Mapping[str, Sequence[str]],
        price_ratio: tuple[float, float],
    ) -> None:
        self.assets = assets
        self.clashes = clashes
        self.renamed = renamed
        self.price_ratio = price_ratio

    @classmethod
    def shipped(cls) -> "AssetRegistry":
        """The table shipped with the program."""
        return _shipped()

    def refuses(self, symbol: str) -> Quarantined | None:
        """Why ``symbol`` cannot be signed off; None where it can."""
        if symbol in self.clashes:
            meanings = ", ".join(f"{meaning} at {exchange}" for exchange, meaning in self.clashes[symbol].items())
            return Quarantined(symbol, Quarantine.CLASH, f"two assets: {meanings}")
        for exchange, tickers in self.renamed.items():
            if symbol in tickers:
                return Quarantined(symbol, Quarantine.RENAMED, f"{exchange} has changed this ticker, so no other venue's is the same")
        if symbol in self.assets and self.assets[symbol].tickers:
            names = ", ".join(f"{ticker} at {exchange}" for exchange, ticker in self.assets[symbol].tickers.items())
            return Quarantined(symbol, Quarantine.TICKER_DIFFERS, f"{names}: not traded under two names yet")
        return None

    def pair(
        self,
        listed: Mapping[str, Sequence[str]],
        signed: Mapping[str, SignOff],
        prices: Mapping[str, Mapping[str, float]] | None = None,
        networks: Mapping[str, Networks] | None = None,
    ) -> Pairing:
        """Pair what two venues list.

        Args:
            listed: tickers by exchange, each venue's in its own order; exactly two venues.
            signed: sign-offs by symbol.
            prices: by exchange and ticker, all in one currency; None where none are known yet (the routes check the ratio again at
                every price). Where they are given, an asset without a price is quarantined.
            networks: by exchange, with contract addresses, of the venues that publish them; no signature outweighs two addresses on one
                network.
        """
        (here, first), (there, second) = listed.items()
        at = {here: frozenset(first), there: frozenset(second)}
        known = {asset.ticker(here): asset for asset in self.assets.values()}
        tradable: list[Asset] = []
        quarantined = [
            Quarantined(ticker, Quarantine.RENAMED, f"{exchange} lists {ticker}, {other} lists {ticker.rstrip('0123456789')}")
            for exchange, other in ((here, there), (there, here))
            for ticker in self.renamed.get(exchange, ())
            if ticker in at[exchange] and ticker.rstrip("0123456789") in at[other]
        ]
        for ticker in first:
            asset = known.get(ticker)
            elsewhere = ticker if asset is None else asset.ticker(there)
            if elsewhere not in at[there]:
                continue
            asset = asset or self._signed(ticker, signed)
            found = self.refuses(ticker if asset is None else asset.symbol)
            if found is None and asset is None:
                detail = f"{here} and {there} list it; `arbtui assets sign {ticker}` once you have made sure that it is one asset"
                found = Quarantined(ticker, Quarantine.UNKNOWN, detail)
            if found is None and asset is not None and networks is not None:
                terms = networks.get(here, {}).get(ticker, ()), networks.get(there, {}).get(elsewhere, ())
                why = contradiction(here, terms[0], there, terms[1])
                found = None if why is None else Quarantined(asset.symbol, Quarantine.CONTRACT, why)
            if found is None and asset is not None and prices is not None:
                found = self._out_of_band(asset, prices[here].get(ticker, 0.0), prices[there].get(elsewhere, 0.0))
            if found is not None:
                quarantined.append(found)
            elif asset is not None:
                tradable.append(asset)
        return Pairing(tuple(tradable), tuple(quarantined))

    def _signed(self, ticker: str, signed: Mapping[str, SignOff]) -> Asset | None:
        if ticker not in signed:
            return None
        return Asset(ticker, f"signed by {signed[ticker].by}", (), self.price_ratio)

    def _out_of_band(self, asset: Asset, price: float, other: float) -> Quarantined | None:
        low, high = asset.price_ratio
        if not (price > 0.0 and other > 0.0):
            return Quarantined(asset.symbol, Quarantine.PRICE_RATIO, "a venue reports no price for it")
        if not low <= price / other <= high:
            detail = f"the prices' ratio is {price / other:.4g}, its band {low:g} to {high:g}"
            return Quarantined(asset.symbol, Quarantine.PRICE_RATIO, detail)
        return None


@cache
def _shipped() -> AssetRegistry:
    table: dict[str, Any] = tomllib.loads(files(__package__).joinpath("assets.toml").read_text(encoding="utf-8"))
    band = _band(table["price_ratio"])
    assets = {
        symbol: Asset(
            symbol,
            row["name"],
            tuple(row["networks"]),
            _band(row["price_ratio"]) if "price_ratio" in row else band,
            row.get("tickers", {}),
        )
        for symbol, row in table["assets"].items()
    }
    return AssetRegistry(assets, table["clashes"], table["renamed"], band)


def _band(bounds: Sequence[float]) -> tuple[float, float]:
    low, high = bounds
    return float(low), float(high)
