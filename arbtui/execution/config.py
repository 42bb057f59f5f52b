"""Settings of execution: tables ``[execution]`` and ``[netting]``."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from arbtui.model.config import Config

#: Which leg of a cycle leaves first: all at once, or the one whose book shows least at the touch, and the others for each of its fills.
EntryOrder = Literal["together", "hard leg first"]

#: An asset, or a route as it is written everywhere (bought at > sold at).
_ASSET_OR_ROUTE = re.compile(r"[A-Z0-9]{1,20}(:[a-z0-9]{1,20}>[a-z0-9]{1,20})?")


class ExecutionConfig(Config):
    """When a cycle is opened, and how it is brought to its end."""

    enabled: bool = True
    """false shows books and edges and opens nothing."""

    order_value: float = Field(default=100.0, gt=0, le=1_000_000_000_000)
    """in desk.currency, bought and sold by one cycle; far above both venues' minimum (5,000 KRW, 5 USDT), far below a usual top of book."""

    min_edge_bps: float = Field(default=3.0, ge=-1000, le=1000)
    """bps net of fees, rate and costs under which nothing is opened; covers what a move within the legs' latency usually takes."""

    min_cross_ms: int = Field(default=0, ge=0, le=60_000)
    """ms for which a route's prices must have stayed crossed, before fees, since it first paid; 0 takes an edge at once, more leaves
    out one that lasts for a single frame."""

    entry_order: EntryOrder = "together"
    """"together", or "hard leg first": the leg with the least depth leaves alone, and the other one for what it fills; one leg is then
    open for a round trip in every cycle, and a miss costs nothing."""

    entry_orders: dict[str, EntryOrder] = Field(default_factory=dict)
    """another entry_order for an asset ("XRP") or for one route ("XRP:upbit>binance"); a route's own beats its asset's."""

    leg_deadline_ms: int = Field(default=1000, ge=10, le=60_000)
    """ms for an order's answer; later it counts as UNKNOWN and is looked up, never sent again."""

    completion_bps: float = Field(default=20.0, ge=0, le=1000)
    """bps beyond the edge that may be paid to complete a missed or partial leg; dearer than that, the other leg is undone."""

    completion_attempts: int = Field(default=2, ge=0, le=100)
    """orders that may try to complete a leg, the first within the edge; after them, undoing is tried before completing, and what was
    refused waits for its turn."""

    completion_s: float = Field(default=10.0, ge=0, le=600)
    """s after which a leg is no longer completed first but undone."""

    unwind_bps: float = Field(default=50.0, ge=0, le=5000)
    """bps beyond the touch that undoing a leg may pay; past it the cycle ends RESIDUAL and a person decides."""

    max_attempts: int = Field(default=8, ge=1, le=100)
    """orders for one leg, the first one counted; then the cycle ends RESIDUAL."""

    cooldown_ms: int = Field(default=1000, ge=0, le=600_000)
    """ms that a route rests after a cycle; its books must first show what the cycle took."""

    max_decision_age_ms: int = Field(default=250, ge=1, le=60_000)
    """ms between decision and sending after which an order is dropped at the gate; an edge older than a few book updates is gone."""

    rearm_share: float = Field(default=0.25, gt=0, le=1)
    """share of order_value that cycles have in the first minutes after a re-arm; 1 trades at full size at once."""

    rearm_minutes: float = Field(default=5.0, ge=0, le=1440)
    """min after a re-arm for which rearm_share holds, over a restart too."""

    exclusive_account: bool = False
    """true: nothing else trades on these accounts, so a kill cancels every order on them; false: only ours, others are listed."""

    recovery_wait_s: float = Field(default=30.0, ge=0, le=600)
    """s that a start waits for a venue that does not answer about an order; then it stays blocked, and is looked up while the rest
    trades. An order still unresolved after as long is a critical breach: the slowest venue's proof that it never came takes 30."""

    @field_validator("entry_orders")
    @classmethod
    def _names_routes(cls, orders: dict[str, EntryOrder]) -> dict[str, EntryOrder]:
        for name in orders:
            if not _ASSET_OR_ROUTE.fullmatch(name):
                raise ValueError(f"{name!r} is neither an asset (XRP) nor a route (XRP:upbit>binance)")
        return orders

    def entry_order_of(self, symbol: str, route_id: str) -> EntryOrder:
        """Which leg of a cycle on this route leaves first."""
        return self.entry_orders.get(route_id) or self.entry_orders.get(symbol) or self.entry_order


class NettingConfig(Config):
    """When what cycles leave open of a settlement currency is traded back."""

    enabled: bool = True
    """false leaves the won open that cycles bring and take, up to max_open_fx; true trades it back over the best market of its rate (KRW-
    USDT)."""

    band: float | None = Field(default=None, gt=0, le=1_000_000_000_000)
    """in desk.currency: open won from which it is traded back, to the band's edge; left out: five orders (5 x execution.order_value), so
    that most cycles cancel out before they cost anything."""

    max_open_fx: float | None = Field(default=None, gt=0, le=1_000_000_000_000)
    """in desk.currency: open won beyond which no cycle opens that would add to it, whatever is in netting's way; left out: twice the
    band."""

    max_walk_bps: float = Field(default=10.0, ge=0, le=1000)
    """bps beyond the touch that one such trade may walk; what lies deeper waits for the next one. KRW-USDT has 3 to 7 bps a price unit."""

    @model_validator(mode="after")
    def _limit_is_not_under_the_band(self) -> Self:
        if self.band is not None and self.max_open_fx is not None and self.max_open_fx < self.band:
            raise ValueError(f"max_open_fx: {self.max_open_fx:g} is under the band of {self.band:g}, from which it is traded back")
        return self

    def band_for(self, order_value: float) -> float:
        """The band in the PnL currency for cycles of ``order_value``."""
        usual = _BAND_ORDERS * order_value
        if self.band is not None:
            return self.band
        return usual if self.max_open_fx is None else min(usual, self.max_open_fx / _LIMIT_BANDS)

    def limit_for(self, order_value: float) -> float:
        """The most that may be open, in the PnL currency, for cycles of ``order_value``."""
        return _LIMIT_BANDS * self.band_for(order_value) if self.max_open_fx is None else self.max_open_fx


_BAND_ORDERS, _LIMIT_BANDS = 5.0, 2.0
