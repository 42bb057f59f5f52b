"""OrderCalls: what the signed calls of a door stand on: the account, halts, and ids for orders that come without one."""

from collections.abc import Callable

from arbtui.sandbox.account import Account
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaults

#: Client ids that begin with this were made here for orders sent without one, and are never sent.
UNNAMED = "~"


class OrderCalls:
    """The handlers of a venue's signed calls are its subclass's."""

    def __init__(self, account: Account, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock) -> None:
        self._account = account
        self._faults = faults
        self._is_halted = is_halted
        self._clock = clock
        self._unnamed = 0

    def takes_no_order(self, code: str) -> bool:
        """Whether an order of ``code`` meets a halt, scripted or the market's own; scripted faults that it meets are counted."""
        return self._faults.stops_order(code) or self._is_halted(code)

    def make_id(self) -> str:
        """A client id for an order that was sent without one."""
        self._unnamed += 1
        return f"{UNNAMED}{self._clock.time_ms():x}-{self._unnamed}"


def sent_id(client_order_id: str) -> str:
    """The id as its order was sent with it; empty where that had none."""
    return "" if client_order_id.startswith(UNNAMED) else client_order_id
