"""Matching our orders against an external book, and tracking the depth we have consumed."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple, Protocol

from arbtui.model.book import Level
from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of, floor_to
from arbtui.model.order import Side

#: Most consumed levels remembered a side; beyond it the oldest are dropped (prices far from today's market).
MEMORY = 64


class ExternalBook(Protocol):
    """The orders of others: levels as (price, quantity), best first."""

    def bids(self) -> Iterator[Level]:
        """Bid levels, highest price first."""
        ...

    def asks(self) -> Iterator[Level]:
        """Ask levels, lowest price first."""
        ...


BookSource = Callable[[str], ExternalBook]  #: market code -> the external book as it is now


class Execution(NamedTuple):
    """A price and how much of the order traded there."""

    price: Decimal
    qty: Decimal


class _Taken(NamedTuple):
    external: float  #: quantity that the level showed when we consumed from it
    qty: Decimal  #: what we have consumed of it


class ConsumedDepth:
    """What we have consumed of each level of one market, until that level shows another quantity.

    An external book does not react to our fills: without this memory the same quantity could be bought again and again.
    """

    def __init__(self) -> None:
        self._taken: dict[Side, dict[float, _Taken]] = {Side.BUY: {}, Side.SELL: {}}

    def match(
        self, market: Market, side: Side, qty: Decimal, limit: Decimal, book: ExternalBook, *, whole: bool = False
    ) -> list[Execution]:
        """Fill up to ``qty`` at ``limit`` or better, one execution a level; what is consumed here is not available to the next order.

        ``whole``: fill all of ``qty`` or nothing.
        """
        memory = self._taken[side]
        kept: dict[float, _Taken] = {}
        executions: list[Execution] = []
        for price, external in book.asks() if side is Side.BUY else book.bids():
            exact = decimal_of(price)
            if exact > limit if side is Side.BUY else exact < limit:
                break
            taken = memory.get(price)
            before = taken.qty if taken is not None and taken.external == external else ZERO
            available = floor_to(decimal_of(external) - before, market.lot_step)
            fill = min(qty, available)
            if fill > 0:
                executions.append(Execution(exact, fill))
                qty -= fill
                before += fill
            if before > 0:
                kept[price] = _Taken(external, before)
            if qty <= 0:
                break
        if whole and qty > 0:
            return []
        self._remember(side, kept, book)
        return executions

    def _remember(self, side: Side, kept: dict[float, _Taken], book: ExternalBook) -> None:
        """Replace what is remembered up to the last level walked by ``kept``; of the levels beyond it, those stay that still stand."""
        if not kept:
            return
        last = next(reversed(kept))
        behind = {price: taken for price, taken in self._taken[side].items() if (price > last if side is Side.BUY else price < last)}
        if behind:
            behind = _standing(side, behind, book)
        memory = self._taken[side] = behind | kept
        while len(memory) > MEMORY:
            del memory[next(iter(memory))]


def _standing(side: Side, taken: dict[float, _Taken], book: ExternalBook) -> dict[float, _Taken]:
    """Of ``taken``, the levels that ``book`` shows with the quantity of then, and those beyond all that it shows: they may come back."""
    shown: dict[float, float] = {}
    farthest = max(taken) if side is Side.BUY else min(taken)
    edge = 0.0
    for edge, qty in book.asks() if side is Side.BUY else book.bids():
        shown[edge] = qty
        if edge >= farthest if side is Side.BUY else edge <= farthest:
            break
    return {
        price: level
        for price, level in taken.items()
        if shown.get(price) == level.external or (price > edge if side is Side.BUY else price < edge)
    }
