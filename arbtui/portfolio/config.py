"""Settings of stock and its return, table ``[rebalance]``, and of the desk itself, table ``[desk]``."""

from datetime import datetime, tzinfo
from typing import Annotated

from pydantic import Field, field_validator

from arbtui.model.clock import zone_of
from arbtui.model.config import Config
from arbtui.routes.capacity import SIZES


class RebalanceConfig(Config):
    """What scarce stock is worth, and what bringing it back may cost."""

    shadow_bps_at_empty: float = Field(default=0.0, ge=0, le=1000)
    """bps asked on top of the threshold for the last unit of a stock, falling to 0 at its target; 0 trades until it is used up."""

    shadow_runway_min: float = Field(default=0.0, ge=0, le=100_000)
    """min of runway under which stock counts as scarce, less where a refill is likely to come first; 0 looks at its level alone."""

    max_cost_bps_day: float = Field(default=0.0, ge=0, le=1000)
    """bps of the desk's equity at the day's beginning that reverse trades may cost in the desk's day, in live too; 0: none is made."""

    max_cost_bps: float = Field(default=25.0, ge=0, le=1000)
    """bps below break-even down to which one reverse trade may open, at an empty stock; fees of 20 and half of two spreads."""

    refill_below: float = Field(default=0.5, gt=0, le=1)
    """share of its target under which a stock is brought back; the threshold of the refilling route falls from there to 0."""


class DeskConfig(Config):
    """Where the desk sits, and what it counts in."""

    currency: str = Field(default="", pattern="^([A-Z]{3,6})?$")
    """currency that PnL, sizes and limits are counted in, one that the profile's venues quote; left out: their dollar coin, else their only
    currency. The defaults of money are for dollars: a profile that counts in won states each of them itself."""

    sizes: list[Annotated[float, Field(gt=0, le=1_000_000_000_000)]] = Field(
        default_factory=lambda: list(SIZES), min_length=1, max_length=6
    )
    """in desk.currency, ascending: sizes at which a route's detail gives net edge and profit; the last is as far as its picture goes. Left
    out: 1,000 5,000 20,000 and 50,000 dollars; of a desk that counts in won 10, 50, 200 and 500 of its orders."""

    timezone: str = "UTC"
    """IANA name of the time zone whose midnight begins the desk's day: of limits, PnL of the day, digest and exports. --json stays UTC."""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            zone_of(name)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone; take an IANA name, such as Asia/Seoul or UTC") from None
        return name

    @field_validator("sizes")
    @classmethod
    def _ascend(cls, sizes: list[float]) -> list[float]:
        if sorted(set(sizes)) != sizes:
            raise ValueError("give each size once, the smallest first")
        return sizes

    @property
    def zone(self) -> tzinfo:
        """Its time zone."""
        return zone_of(self.timezone)

    def day_of(self, ts_ms: int) -> str:
        """The desk's date at ``ts_ms``, as ``2026-11-29``."""
        return self.time_of(ts_ms).date().isoformat()

    def time_of(self, ts_ms: int) -> datetime:
        """The desk's time at ``ts_ms``."""
        return datetime.fromtimestamp(ts_ms / 1000, self.zone)
