"""Whether the rules of the markets that are traded are still those that were read at the start."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from arbtui.engine.components import EngineComponents
from arbtui.model.market import Market
from arbtui.model.money import plain

#: Upbit and Bithumb are asked market by market, at no more than a share of thirty a second.
_ANSWER_S = 180.0


@dataclass(frozen=True, slots=True)
class RulesRead:
    """What a comparison found. ``differ``: by market's code, its base and what differs in words; ``untold``: codes that were left out."""

    asked: int
    differ: Mapping[str, tuple[str, str]]
    untold: Collection[str]


class RulesCheck:
    """Asks a venue for its rules, and for what they are for this account."""

    def __init__(self, components: EngineComponents) -> None:
        self._components = components

    async def read(self, exchange: str, coins: Collection[str]) -> RulesRead | None:
        """Compare the rules of our markets of ``coins`` there, of all where none is named; None where the venue tells no rules.

        Raises:
            ArbtuiError, TimeoutError: no usable answer.
        """
        parts = self._components
        ours = [
            one for one in parts.universe.markets if one.exchange == exchange and (not coins or one.base in coins or one.quote in coins)
        ]
        async with asyncio.timeout(_ANSWER_S):
            theirs = await parts.adapters[exchange].fetch_rules([market.code for market in ours])
        if theirs is None:
            return None
        found = {}
        for market in ours:
            if market.code in theirs:  # one that does not trade is MarketWatch's
                why = _difference(market, theirs[market.code], parts.aggregator.books[exchange, market.code].mid)
                if why:
                    found[market.code] = market.base, why
        return RulesRead(len(ours), found, [market.code for market in ours if market.code not in theirs])


def _difference(ours: Market, theirs: Market, mid: float) -> str:
    """What differs, in words; empty where nothing does, or costs and asks less than we reckon with."""
    differs = []
    if isfinite(mid) and mid > 0:
        price = Decimal(repr(mid))
        before, after = ours.price_units.at(price), theirs.price_units.at(price)
        if before != after:
            differs.append(f"its price unit is {plain(after)}, not {plain(before)}")
    elif ours.price_units != theirs.price_units:
        differs.append("its price units are others")
    if theirs.lot_step != ours.lot_step:
        differs.append(f"its lot is {plain(theirs.lot_step)}, not {plain(ours.lot_step)}")
    if theirs.min_qty > ours.min_qty:
        differs.append(f"its least quantity is {plain(theirs.min_qty)}, not {plain(ours.min_qty)}")
    if theirs.max_qty < ours.max_qty:
        differs.append(f"its largest quantity is {plain(theirs.max_qty)}, not {plain(ours.max_qty)}")
    if theirs.min_cost > ours.min_cost:
        differs.append(f"its least order is {plain(theirs.min_cost)} {ours.quote}, not {plain(ours.min_cost)}")
    for what, before, after in (("taker", ours.fees.taker, theirs.fees.taker), ("maker", ours.fees.maker, theirs.fees.maker)):
        if after > before:
            differs.append(f"its {what} fee is {plain(after * 100)} %, not {plain(before * 100)} %")
    if (ours.fees.taken_in, ours.fees.coin) != (theirs.fees.taken_in, theirs.fees.coin):
        differs.append("its fees are taken in another asset")
    return ", ".join(differs)
