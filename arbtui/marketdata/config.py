"""Settings of market data: table ``[marketdata]``."""

from pydantic import Field

from arbtui.model.config import Config


class MarketDataConfig(Config):
    """When a stream counts as dead, and how much may wait for a snapshot."""

    stream_silence_ms: int = Field(default=1500, ge=100, le=600_000)
    """ms without any order book message after which all books of that venue are STALE; both venues send many messages a second."""

    buffer_limit: int = Field(default=2000, ge=10, le=1_000_000)
    """messages kept for one market while its snapshot is awaited (200 s at Binance's 100 ms grid); more starts the sync anew."""
