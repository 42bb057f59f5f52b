"""The public streams that can be decoded, by the exchange's name in profiles and recordings."""

from collections.abc import Iterable

from arbtui.exchanges.public_stream import PublicStream
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import UsageError

PUBLIC_STREAMS: dict[str, PublicStream] = {name: venue.public() for name, venue in VENUES.items()}


def require_decoders(exchanges: Iterable[str], where: str) -> None:
    """Check that each of ``exchanges`` can be decoded.

    Raises:
        UsageError: one cannot; ``where`` (a file, a profile's table) begins the message.
    """
    for exchange in exchanges:
        if exchange not in PUBLIC_STREAMS:
            raise UsageError(f"{where}: no decoder for {exchange}; there are decoders for {', '.join(PUBLIC_STREAMS)}")
