"""The public streams that can be decoded, by the exchange's name in profiles and recordings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from arbtui.exchanges.binance.subscriptions import BinanceFraming
from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.exchanges.subscriptions import PublicFraming
from arbtui.exchanges.upbit.subscriptions import UpbitFraming
from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.exchanges.wire import MarketDataSink, WireDecoder
from arbtui.model.errors import UsageError


class Numbering(Enum):
    """How a missing update of a book shows at a venue."""

    WHOLE = "whole"  #: every message is a whole book; nothing can be missing
    SPOT = "spot"  #: Binance spot: an update's first id follows the last id of the one before
    USDM = "usdm"  #: Binance USD-M: an update names the last id of the one before (``pu``)


@dataclass(frozen=True, slots=True)
class PublicStream:
    """How one exchange's public frames are asked for and decoded, and how its books are kept in sync."""

    decoder: Callable[[MarketDataSink], WireDecoder]
    numbering: Numbering
    framing: PublicFraming


def _binance_usdm(sink: MarketDataSink) -> WireDecoder:
    return BinanceDecoder(sink, usdm=True)


PUBLIC_STREAMS: dict[str, PublicStream] = {
    "upbit": PublicStream(UpbitDecoder, Numbering.WHOLE, UpbitFraming()),
    "binance": PublicStream(BinanceDecoder, Numbering.SPOT, BinanceFraming()),
    "binanceusdm": PublicStream(_binance_usdm, Numbering.USDM, BinanceFraming(usdm=True)),
}


def require_decoders(exchanges: Iterable[str], where: str) -> None:
    """Check that each of ``exchanges`` can be decoded.

    Raises:
        UsageError: one cannot; ``where`` (a file, a profile's table) begins the message.
    """
    for exchange in exchanges:
        if exchange not in PUBLIC_STREAMS:
            raise UsageError(f"{where}: no decoder for {exchange}; there are decoders for {', '.join(PUBLIC_STREAMS)}")
