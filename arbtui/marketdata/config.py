"""Settings of market data: tables ``[marketdata]`` and ``[rates]``."""

from typing import Self

from pydantic import Field, model_validator

from arbtui.model.config import Config


class MarketDataConfig(Config):
    """When a stream counts as dead, how sockets are kept open, and how much may wait for a snapshot."""

    stream_silence_ms: int = Field(default=1500, ge=100, le=600_000)
    """ms without any order book message after which all books of that venue are STALE; both venues send many messages a second."""

    buffer_limit: int = Field(default=2000, ge=10, le=1_000_000)
    """messages kept for one market while its snapshot is awaited (200 s at Binance's 100 ms grid); more restarts the sync."""

    probe_after_ms: int = Field(default=3000, ge=200, le=600_000)
    """ms without an update of one market after which the venue is queried for its best prices, to distinguish frozen from quiet."""

    connect_timeout_s: float = Field(default=10.0, ge=0.1, le=300)
    """s for a connection to be opened and answered; a healthy venue needs less than one."""

    ping_after_s: float = Field(default=3.0, ge=0.1, le=60)
    """s of silence on a socket after which it is pinged; without an answer in half that time it is reconnected."""

    reconnect_max_s: float = Field(default=30.0, ge=0.1, le=3600)
    """longest pause in s between two attempts, doubling from 0.25 with jitter; a venue's Retry-After is waited out in full."""

    rollover_h: float = Field(default=23.0, gt=0, le=168)
    """h after which a socket is replaced, the new one being open before the old one closes; Binance closes at 24."""

    sockets: int = Field(default=2, ge=1, le=50)
    """sockets that one venue's markets are spread over at least: the loss of one takes away only its share of the books."""

    quarantine_ms: int = Field(default=500, ge=0, le=60_000)
    """ms in which nothing opens on a market after a reconnect or a new snapshot; the first frames may be old ones that had queued."""

    frame_limit_kb: int = Field(default=1024, ge=16, le=65_536)
    """kB of one frame or answer at most; the largest real one (100 levels a side) is about 20."""


class RatesConfig(Config):
    """The exchange rate between the two quote currencies, and when it is doubted.

    Until ``record`` has seen real days of KRW-USDT beside the coins, the limits of doubt are guesses.
    """

    max_age_ms: int = Field(default=5000, ge=100, le=600_000)
    """ms after which the KRW/USDT rate is too old and every route that needs it is blocked; the won moves 4 bps in 5 min."""

    max_deviation_bps: float = Field(default=40.0, gt=0, le=10_000)
    """bps between the rate and the median of the rates that the coins imply, less its own mean, from which every route that needs it
    is blocked: six of the rate's price units, and four times what is usual (a guess)."""

    clear_deviation_bps: float = Field(default=20.0, gt=0, le=10_000)
    """bps under which it is believed again: half of that (a guess)."""

    clear_s: float = Field(default=10.0, ge=0, le=3600)
    """s that it must be under it without a relapse (a guess)."""

    max_jump_bps: float = Field(default=30.0, gt=0, le=10_000)
    """bps that the rate may move within a second while the coins do not follow; four of its price units (a guess)."""

    jump_block_s: float = Field(default=30.0, ge=0, le=3600)
    """s that a jump blocks while too few coins can tell whether it was real (a guess)."""

    mean_s: float = Field(default=600.0, ge=10, le=86_400)
    """s over which the deviation's own mean is taken; what stands for so long is the market's price, and no fault (a guess)."""

    min_coins: int = Field(default=4, ge=3, le=11)
    """coins whose books must be LIVE at both venues for a median; two can be wrong together, of four one can be wrong alone."""

    max_coin_deviation_bps: float = Field(default=150.0, gt=0, le=10_000)
    """bps between one coin's implied rate and the median from which its own routes are blocked, until it is back within half of it:
    seven times a thin coin's usual one; a closed wallet, a split, another asset (a guess)."""

    @model_validator(mode="after")
    def _cleared_below_where_it_blocks(self) -> Self:
        if self.clear_deviation_bps > self.max_deviation_bps:
            raise ValueError(
                f"clear_deviation_bps: {self.clear_deviation_bps:g} is above max_deviation_bps ({self.max_deviation_bps:g}), "
                "so the rate would be doubted and believed at once"
            )
        return self
