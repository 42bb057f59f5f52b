"""How one venue's public frames are asked for and decoded, and how its books are kept in sync."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from arbtui.exchanges.subscriptions import PublicFraming
from arbtui.exchanges.wire import MarketDataSink, WireDecoder


class Numbering(Enum):
    """How a missing update of a book shows at a venue."""

    WHOLE = "whole"  #: every message is a whole book; nothing can be missing
    SPOT = "spot"  #: Binance spot: an update's first id follows the last id of the one before
    USDM = "usdm"  #: Binance USD-M: an update names the last id of the one before (``pu``)


@dataclass(frozen=True, slots=True)
class PublicStream:
    """One venue's public streams."""

    decoder: Callable[[MarketDataSink], WireDecoder]
    numbering: Numbering
    framing: PublicFraming
