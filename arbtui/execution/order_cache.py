"""Orders that were sent and are still listened for: the open ones, and the last that ended."""

import asyncio
from array import array
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field

from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.order_owner import OrderOwner
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import fill_key

#: So many orders are followed; a fill of one that ended before those is looked up in the journal.
_REMEMBERED = 1000
#: Seconds for which fills of older ones are remembered as booked: as far back as venues are asked for them, whatever there is in it.
_BOOKED_S = 420.0
#: And at most so many, in 1 MB: those of seven minutes at 240 a second.
_BOOKED = 100_000
#: They are forgotten together, a block of so many seconds or so many fills at a time.
_BLOCK_S, _BLOCK = 60, 8192

#: What whoever waits for the end of an ended order is given.
_OVER = asyncio.Event()
_OVER.set()


@dataclass(slots=True, eq=False)
class TrackedOrder:
    """An order that was sent, or is about to be, and its cycle."""

    cycle: OrderOwner
    order: Order
    sent_at: float  #: monotonic seconds of the decision to send
    left_at: float | None = None  #: monotonic seconds at which the gate let its request go; before that, no byte of it can be anywhere
    claimed: OrderReport | None = None  #: the venue calls it ended, and has not told all its fills
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """It is over: wake whoever waits, and keep nothing that only the waiting needed."""
        self.ended.set()
        self.ended, self.claimed = _OVER, None

    def go_on(self) -> None:
        """It was not over after all."""
        self.ended = asyncio.Event()


class _Block:
    """Fills that were booked within the same minute: the hashes of their keys, in order, and the second of the first."""

    __slots__ = ("hashes", "second")

    def __init__(self, second: int) -> None:
        self.second = second
        self.hashes = array("q")

    def __contains__(self, key: int) -> bool:
        at = bisect_left(self.hashes, key)
        return at < len(self.hashes) and self.hashes[at] == key


class BookedFills:
    """Which fills are booked, by the 64 bits of their key's hash: 8 bytes each, where the keys themselves take 110.

    What is not here may be booked all the same. That a fill is taken for another one needs two equal hashes, by a random key, among
    at most 100,000: one in 10^14 for each fill that is not here; the comparison of balances would find it.
    """

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()  # newest last
        self._count = 0

    def __contains__(self, fill: Fill) -> bool:
        key = _hash_of(fill)
        return any(key in block for block in self._blocks)

    def add(self, fill: Fill, second: int, kept_s: float) -> None:
        """Remember one, booked at a monotonic ``second``. The oldest block goes ``kept_s`` after its last, and where there are too many."""
        blocks = self._blocks
        if not blocks or second - blocks[-1].second >= _BLOCK_S or len(blocks[-1].hashes) >= _BLOCK:
            blocks.append(_Block(second))
        insort(blocks[-1].hashes, _hash_of(fill))
        self._count += 1
        # None of a block is newer than the first of the next one.
        while self._count > _BOOKED or (len(blocks) > 1 and second - blocks[1].second > kept_s):
            self._count -= len(blocks.popleft().hashes)


def _hash_of(fill: Fill) -> int:
    return hash(fill_key(fill.exchange, fill.trade_id))


class OrderCache:
    """By client order id. Bounded: of those that ended long ago only the fills are known, so that they are told from strangers'."""

    def __init__(self) -> None:
        self.booked_s = _BOOKED_S  #: how long fills of orders that are not followed any more stay known
        self._orders: dict[str, TrackedOrder] = {}  # oldest first
        self._booked = BookedFills()  # of orders that were forgotten
        self._second = 0  # monotonic, of the newest order

    def add(self, followed: TrackedOrder, is_open: Container[str]) -> None:
        """Follow one more; the oldest that is not open makes room."""
        self._second = int(followed.sent_at)
        if len(self._orders) >= _REMEMBERED:
            ended = next((key for key in self._orders if key not in is_open), None)
            if ended is not None:
                self._forget(self._orders.pop(ended))
        self._orders[followed.order.client_order_id] = followed

    def of(self, client_order_id: str) -> TrackedOrder | None:
        """The order of that id, or None."""
        return self._orders.get(client_order_id)

    def is_stray(self, fill: Fill) -> bool:
        """Whether a fill of an order that is not followed is not known to be booked either: only the journal can tell then."""
        return fill not in self._booked

    def book(self, fill: Fill) -> None:
        """A fill of an order that is not followed is booked."""
        self._booked.add(fill, self._second, self.booked_s)

    def _forget(self, followed: TrackedOrder) -> None:
        for fill in followed.cycle.fills_of(followed.order.client_order_id):
            self.book(fill)
