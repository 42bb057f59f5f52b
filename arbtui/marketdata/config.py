"""Settings of market data: table ``[marketdata]``."""

from pydantic import Field

from arbtui.model.config import Config


class MarketDataConfig(Config):
    """When a stream counts as dead, how sockets are kept up, and how much may wait for a snapshot."""

    stream_silence_ms: int = Field(default=1500, ge=100, le=600_000)
    """ms without any order book message after which all books of that venue are STALE; both venues send many messages a second."""

    buffer_limit: int = Field(default=2000, ge=10, le=1_000_000)
    """messages kept for one market while its snapshot is awaited (200 s at Binance's 100 ms grid); more starts the sync anew."""

    probe_after_ms: int = Field(default=3000, ge=200, le=600_000)
    """ms without an update of one market after which the venue is asked for its best prices, to tell frozen from quiet."""

    connect_timeout_s: float = Field(default=10.0, ge=0.1, le=300)
    """s for a connection to be made and answered; a healthy venue needs less than one."""

    ping_after_s: float = Field(default=3.0, ge=0.1, le=60)
    """s of silence on a socket after which it is pinged; without an answer in half that time it is opened anew."""

    reconnect_max_s: float = Field(default=30.0, ge=0.1, le=3600)
    """s between two attempts at most, doubling from 0.25 with jitter; a venue's Retry-After is waited out in full."""

    rollover_h: float = Field(default=23.0, gt=0, le=168)
    """h after which a socket is replaced, the new one being up before the old one closes; Binance cuts at 24."""

    sockets: int = Field(default=2, ge=1, le=50)
    """sockets that one venue's markets are spread over at least: the loss of one takes away only its share of the books."""

    frame_limit_kb: int = Field(default=1024, ge=16, le=65_536)
    """kB of one frame or answer at most; the largest real one (100 levels a side) is about 20."""
