"""Whether the rules of the markets that are traded are still those that were read at the start."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite

from arbtui.engine.components import EngineComponents
from arbtui.model.market import Market
from arbtui.model.money import plain

_ANSWER_S = 60.0


class RulesCheck:
    """Asks a venue for its rules. Fees are left out: they are the account's, and fills tell them."""

    def __init__(self, components: EngineComponents) -> None:
        self._components = components

    async def differences(self, exchange: str) -> Mapping[str, tuple[str, str]]:
        """By code of each market of ours whose rules are others now: its base, and what differs in words.

        Raises:
            ArbtuiError, TimeoutError: no usable answer.
        """
        parts = self._components
        ours = [market for market in parts.universe.markets if market.exchange == exchange]
        async with asyncio.timeout(_ANSWER_S):
            theirs = await parts.adapters[exchange].fetch_rules([market.code for market in ours])
        if theirs is None:
            return {}
        found = {}
        for market in ours:
            why = _difference(market, theirs.get(market.code), parts.aggregator.books[exchange, market.code].mid)
            if why:
                found[market.code] = market.base, why
        return found


def _difference(ours: Market, theirs: Market | None, mid: float) -> str:
    """What differs, in words; empty where nothing does."""
    if theirs is None:
        return "it is no longer listed, or does not trade"
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
    if theirs.min_cost > ours.min_cost:  # an account may have a higher one than the venue tells everybody
        differs.append(f"its least order is {plain(theirs.min_cost)} {ours.quote}, not {plain(ours.min_cost)}")
    return ", ".join(differs)
