"""How one venue's public frames are asked for and decoded, and how its books are kept in sync."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from arbtui.exchanges.subscriptions import Keepalive, PublicFraming
from arbtui.exchanges.wire import MarketDataSink, WireDecoder


class Numbering(Enum):
    """How a missing update of a book shows at a venue."""

    WHOLE = "whole"  #: every message is a whole book; nothing can be missing
    SPOT = "spot"  #: Binance spot: an update's first id follows the last id of the one before
    USDM = "usdm"  #: Binance USD-M: an update names the last id of the one before (``pu``)
    #: The stream itself brings whole books; an update after one names the id of the one before, or, where it names none, follows it by one.
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class PublicStream:
    """One venue's public streams.

    ``resubscription``: the messages that make a stream send a market's whole book again, where books come over it; ``keepalive``: what the
    venue wants to hear from us so that it does not close the connection.
    """

    decoder: Callable[[MarketDataSink], WireDecoder]
    numbering: Numbering
    framing: PublicFraming
    resubscription: Callable[[str], Sequence[bytes]] | None = None
    keepalive: Keepalive | None = None
