"""Queue positions of our resting orders in one market's book, and the fills that the market gives them.

An order queues behind everything that the external book shows at its price when it arrives. What others add later queues
behind us. What others *cancel* may have been before or behind us, which public data does not show: so a cancel counts only
where it must have been ahead, that is where the level shows less than was assumed to be ahead. That is the
pessimistic assumption: a real order fills at least as soon.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of, floor_to
from arbtui.model.order import Side
from arbtui.simulation.matching import ConsumedDepth, ExternalBook
from arbtui.simulation.venue_order import VenueOrder

#: The quantity ahead of an order whose level the book does not reach: unknown.
OUT_OF_SIGHT = Decimal("Infinity")


class Progress(NamedTuple):
    """An order that moved up in its queue (``qty`` 0) or fills ``qty`` at its own price."""

    order: VenueOrder
    qty: Decimal


class OrderQueue:
    """Our resting orders of one market; price first, then time. It computes fills, and books nothing."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._orders: dict[Side, list[VenueOrder]] = {Side.BUY: [], Side.SELL: []}

    def __len__(self) -> int:
        return len(self._orders[Side.BUY]) + len(self._orders[Side.SELL])

    def add(self, order: VenueOrder) -> None:
        """Add ``order``, whose :attr:`VenueOrder.ahead` is already set."""
        orders = self._orders[order.side]
        orders.append(order)
        orders.sort(key=lambda o: (-o.price if o.side is Side.BUY else o.price, o.venue_order_id))

    def remove(self, order: VenueOrder) -> None:
        """Remove ``order``: it is final."""
        self._orders[order.side].remove(order)

    def on_book(self, book: ExternalBook, consumed: ConsumedDepth) -> list[Progress]:
        """Update from the external book: queues that shrank, and orders that the other side has reached.

        An order that is reached fills as maker, with no more than what the other side shows at its price or better.
        """
        result: list[Progress] = []
        for side, orders in self._orders.items():
            opposite = next(iter(book.asks() if side is Side.BUY else book.bids()), None) if orders else None
            if opposite is None:
                continue  # nothing rests, or the other side is empty, which shows nothing new
            best = decimal_of(opposite[0])
            for order in orders:
                before = order.ahead
                if order.price == best or order.is_before(best):
                    order.ahead = ZERO
                    taken = consumed.match(self._market, side, order.leaves_qty, order.price, book)
                    qty = sum((execution.qty for execution in taken), ZERO)
                else:
                    order.ahead = min(order.ahead, shown_ahead(side, order.price, book))
                    qty = ZERO
                if qty or order.ahead != before:
                    result.append(Progress(order, qty))
        return result

    def on_trade(self, price: Decimal, qty: Decimal, taker: Side) -> Sequence[Progress]:
        """A public trade of ``qty`` at ``price``; ``taker`` is the aggressor's side. It fills us as far as our turn in the queue had come.

        A trade at a worse price than ours has passed our level: nothing was ahead any more.
        """
        result: list[Progress] = []
        passed = ZERO  # of the queue at ``price``, by this trade so far
        for order in self._orders[taker.opposite]:
            through = order.is_before(price)
            if not through and order.price != price:
                break
            before = order.ahead
            if through:
                order.ahead = ZERO
            else:
                taken = min(qty, max(order.ahead - passed, ZERO))
                passed += taken
                qty -= taken
                order.ahead = max(order.ahead - passed, ZERO)
            fill = min(order.leaves_qty, floor_to(qty, self._market.lot_step)) if order.ahead == ZERO else ZERO
            qty -= fill
            if fill or order.ahead != before:
                result.append(Progress(order, fill))
        return result


def shown_ahead(side: Side, price: Decimal, book: ExternalBook) -> Decimal:
    """The quantity that ``book`` shows at ``price`` on ``side``; :data:`OUT_OF_SIGHT` when the price lies beyond its last level."""
    for level, qty in book.bids() if side is Side.BUY else book.asks():
        exact = decimal_of(level)
        if exact == price:
            return decimal_of(qty)
        if exact < price if side is Side.BUY else exact > price:
            return ZERO
    return OUT_OF_SIGHT
