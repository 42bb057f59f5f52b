"""Settings of the market simulator and its paper venues: table ``[simulator]``."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arbtui.model.config import Config
from arbtui.simulation.planted_gap import PlantedGap


def _currency(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{3,6}", code):
        raise ValueError(f"{code!r} is not a currency's code (capitals, such as KRW or USDT)")
    return code


Currency = Annotated[str, AfterValidator(_currency)]


def _gap(text: str) -> str:
    PlantedGap.read(text)
    return text


Gap = Annotated[str, AfterValidator(_gap)]
Money = Annotated[float, Field(ge=0, le=1e15)]
Delay = Annotated[int, Field(ge=0, le=60_000)]


class SimulatorConfig(Config):
    """The market that the embedded simulator plays, and the play money on its venues."""

    scenario: Literal["busy", "normal", "calm", "crash", "premium"] = "busy"
    """``busy``: every symbol trades often; ``normal``: calibrated on recorded markets, may idle for long; ``calm``: hardly
    moves; ``crash``: busier still, while streams, venues and markets fail on a schedule; ``premium``: coins stay dear against won, so
    that stock runs dry one way."""

    cash: dict[Currency, Money] = Field(default={"KRW": 100_000_000.0, "USDT": 70_000.0})
    """simulated cash at the first start, by quote currency, at each venue of that quote; about equal in value on both sides. A quote that
    is not named is held for as much as USDT is."""

    usdt_share: float = Field(default=0.2, ge=0, le=1)
    """share of the cash at a venue that trades another currency of cash (KRW-USDT) which it holds in that one at the first start: what is
    open is traded back with it."""

    stock_value: float = Field(default=2000.0, ge=0, le=1e9)
    """USDT worth of every asset at each venue at the first start: twenty orders of the default size."""

    latency_ms: tuple[Delay, Delay] = Field(default=(50, 200), strict=False)
    """ms from sending an order to its arrival at a venue, least and most; what Seoul to Tokyo and back usually takes."""

    rate_drift_bps: float = Field(default=0.0, ge=-10_000, le=10_000)
    """bps an hour by which KRW/USDT moves one way, beside its random walk; 0: it wanders around where it began."""
    person: Literal["none", "auto"] = "none"
    """who makes transfers in mode sim: ``auto`` carries out every plan by itself, as a person would at the venues; ``none``: nobody."""

    plant: list[Gap] = Field(default_factory=list)
    """gaps that are planted after each start, such as "upbit:BTC-ETH +80 bps at 30 s for 5 s": that market's price stands apart for so
    long, whatever the scenario does."""

    seed: int = Field(default=1, ge=0, lt=2**63)
    """number that determines the whole market: same seed, same bytes."""

    stock_currency: ClassVar[str] = "USDT"  #: that ``stock_value`` is in

    @model_validator(mode="after")
    def _latency_in_order(self) -> Self:
        if self.latency_ms[0] > self.latency_ms[1]:
            raise ValueError(f"latency_ms: the least ({self.latency_ms[0]} ms) is above the most ({self.latency_ms[1]} ms)")
        return self
