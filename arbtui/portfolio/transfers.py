"""Transfers between venues that a person has begun: what left, what is under way, what came."""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from arbtui.model.clock import iso_ms
from arbtui.model.money import ZERO, plain
from arbtui.portfolio.accounts import Settled

#: Breached after so many times the usual minutes.
LATE_AFTER = 2.0


class TransferAccount(Struct):
    """One transfer of ``asset``; quantities in units, times ms.

    ``qty``, ``fee``, ``minutes``: as it was begun: what should leave, what of it the network should keep, what it usually takes.
    ``left``, ``received``: what the venues' balances have shown.

    What a cycle has bought and has moved is that cycle's: it is reserved by its account wherever it is, and refills no stock.
    """

    id: str
    asset: str
    sender: str
    receiver: str
    network: str
    qty: Decimal
    fee: Decimal
    minutes: float
    by: str
    reason: str
    begun_ms: int
    left: Decimal = ZERO
    left_ms: int | None = None
    received: Decimal = ZERO
    received_ms: int | None = None
    settled: Settled | None = None
    cycle_id: str = ""  #: of the cycle whose coins they are; empty where stock is moved

    @property
    def is_complete(self) -> bool:
        """Whether all of it came, but for a fee that may be up to twice the one that was told."""
        return self.left_ms is not None and self.received_ms is not None and self.left - self.received <= 2 * self.fee

    @property
    def is_open(self) -> bool:
        """Whether anything of it is still waited for."""
        return self.settled is None and not self.is_complete

    @property
    def waiting(self) -> Decimal:
        """What should leave the sender and has not yet: no cycle may use it."""
        return self.qty if self.is_open and self.left_ms is None else ZERO

    @property
    def under_way(self) -> Decimal:
        """What has left and not come; counted in equity, at no venue."""
        return self.left - self.received if self.is_open else ZERO

    @property
    def expected(self) -> Decimal:
        """What should still be credited to the receiver."""
        if not self.is_open:
            return ZERO
        return max(ZERO, (self.qty if self.left_ms is None else self.left) - self.fee - self.received)

    @property
    def state(self) -> str:
        """BEGUN, IN_TRANSIT, PARTIAL (some of it came), ARRIVED, or how a person settled it."""
        if self.settled is not None:
            return self.settled.how.upper()
        if self.is_complete:
            return "ARRIVED"
        if self.left_ms is None:
            return "BEGUN"
        return "PARTIAL" if self.received else "IN_TRANSIT"

    def due_at_ms(self) -> float:
        """When it should be there: the usual minutes after it left, or was begun."""
        return (self.left_ms or self.begun_ms) + self.minutes * 60_000

    def late_at_ms(self) -> float:
        """When it is late: twice the usual minutes after it left, or was begun."""
        return (self.left_ms or self.begun_ms) + LATE_AFTER * self.minutes * 60_000

    def fits_departure(self, change: Decimal) -> bool:
        """Whether a fall of the sender's balance by ``-change`` is this one leaving; venues that add their fee take it on top."""
        return self.waiting > ZERO and abs(-change - self.qty) <= self.fee

    def completes(self, change: Decimal) -> bool:
        """Whether it is complete once ``change``, of it by :meth:`fits_arrival`, has come."""
        return self.left_ms is None or self.under_way - change <= 2 * self.fee

    def looks_like(self, qty: Decimal, fee: Decimal) -> bool:
        """Whether one change of a balance, that of all of it, could be that of a transfer of ``qty`` that costs ``fee``.

        Either network may keep twice its fee.
        """
        apart = 2 * max(fee, self.fee)
        return any(abs(qty - mine) <= apart for mine in (self.qty, self.to_come))

    @property
    def to_come(self) -> Decimal:
        """The most that one credit at the receiver can be of it: all of it, or what is still under way."""
        return self.qty if self.left_ms is None else self.under_way

    def fits_arrival(self, change: Decimal) -> bool:
        """Whether a rise of the receiver's balance by ``change`` is of this one. Before it was seen to leave, only all of it is."""
        if self.left_ms is None:
            return self.is_open and self.qty - 2 * self.fee <= change <= self.qty
        return ZERO < change <= self.under_way


def transfer_facts(one: TransferAccount) -> dict[str, Any]:
    """A transfer as JSON can hold it."""
    amounts = {name: plain(getattr(one, name)) for name in ("qty", "fee", "left", "received", "expected")}
    place = {"id": one.id, "state": one.state, "asset": one.asset, "from": one.sender, "to": one.receiver, "network": one.network}
    cycle = {"cycle_id": one.cycle_id or None}
    times = {"begun": iso_ms(one.begun_ms), "late_after": iso_ms(int(one.late_at_ms())) if one.is_open else None}
    settled = None if one.settled is None else {"how": one.settled.how, "by": one.settled.by, "reason": one.settled.reason}
    return {**place, **cycle, **amounts, "minutes": one.minutes, **times, "by": one.by, "reason": one.reason, "settled": settled}
