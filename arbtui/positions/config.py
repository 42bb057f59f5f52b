"""Settings of stock and its return: table ``[rebalance]``."""

from pydantic import Field

from arbtui.model.config import Config


class RebalanceConfig(Config):
    """What scarce stock is worth."""

    shadow_bps_at_empty: float = Field(default=0.0, ge=0, le=1000)
    """bps asked on top of the threshold for the last unit of a stock, falling to 0 at its target; 0 trades until it is used up."""
