"""Settings of a start and of the comparison with the venues: tables ``[failover]`` and ``[reconcile]``."""

from typing import Literal

from pydantic import Field

from arbtui.model.config import Config

Resume = Literal["mode", "manual", "clean", "always"]


class FailoverConfig(Config):
    """What a start does that nobody confirms."""

    resume: Resume = Field(default="mode")
    """whether it arms by itself: "manual" never, "clean" after a run that ended in order and a recovery that found nothing, "always"
    after any clean recovery; "mode": manual in live, always else. Once armed, cycles that the last run left half done are hedged on, by
    "clean" where the recovery found nothing else, by "manual" never: they are positions that a person settles."""

    resume_age_s: float = Field(default=300.0, ge=0, le=86_400)
    """s since its opening up to which a half done cycle is hedged on; the market of an older one has gone on, and a person decides."""

    resume_wait_s: float = Field(default=60.0, ge=1, le=600)
    """s that a half done cycle waits for its venues and for fresh books; then it ends RESIDUAL, and a person decides."""


class ReconcileConfig(Config):
    """How often the journal is compared with the venues while a run goes on. Where a venue's rate limits leave no room, less often."""

    in_flight_s: float = Field(default=2.0, ge=0.5, le=60)
    """s between two look-ups of an order whose end is not known, after closer ones in its first seconds; its reservation, and the hedge of
    its cycle, wait for them."""

    open_orders_s: float = Field(default=5.0, ge=1, le=300)
    """s between two comparisons with the venue's list of open orders; somebody else's order on the account is noticed within that."""

    trades_s: float = Field(default=10.0, ge=1, le=300)
    """s between two questions for the account's trades, and at once after a reconnect; so long a fill can be missed that nobody told."""

    balances_s: float = Field(default=30.0, ge=1, le=600)
    """s between two comparisons of balances; what nothing else shows, shows there. A difference is read again after one second."""

    report_s: float = Field(default=300.0, ge=10, le=3600)
    """s between two full reports, for which everything is compared once more, trades as far back as the last report."""
