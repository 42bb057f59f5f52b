"""Settings of risk: tables ``[risk.global]``, ``[risk.exchange]``, ``[risk.symbol]`` and ``[risk.route]``.

Two sets of defaults: ``live``, for real orders, and ``paper``, for everything that trades play money (also ``sim`` and
the sandbox). A class's own defaults are the ``live`` ones, so that whoever forgets to choose gets the tighter set.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from arbtui.model.config import Config


class GlobalLimits(Config):
    """Limits over everything that runs."""

    max_unhedged: float = Field(default=300.0, gt=0)
    """in desk.currency: legs not yet covered by their counterpart, over all cycles; live 300 (three orders), paper 2000."""

    max_loss_day: float = Field(default=100.0, gt=0)
    """in desk.currency: lost in the desk's day, one-sided positions at live prices included, after which everything halts; live 100, paper
    1000."""

    max_loss_hour: float = Field(default=50.0, gt=0)
    """in desk.currency: lost within the last hour, counted as max_loss_day, after which everything halts; live 50, paper 500 (half a day's
    limit)."""

    max_drawdown: float = Field(default=150.0, gt=0)
    """in desk.currency: below the best result of the last 24 hours at which everything halts; live 150, paper 1500 (over midnight too)."""

    max_factor_exposure: float = Field(default=2500.0, gt=0)
    """in desk.currency: stock, all coins together, that may have moved to (or from) the venues of one other currency; live 2500, paper
    25000: a usual day's move of the premium that all coins share (207 bps) then costs half of max_loss_day."""

    factor_correlation: float = Field(default=0.9, ge=0, le=1)
    """assumed between the premiums of any two coins, for the number of bets that is shown; 0.9: what all coins share was 56 to 97 % of
    a premium's variance, 92 % in the middle (Upbit and OKX, ten coins, 5 minutes, 2026)."""

    max_in_transit: float = Field(default=1000.0, gt=0)
    """in desk.currency: everything on its way between venues, stock too, beyond which no cycle opens that would put more there; live 1000,
    paper 10000 (it is at neither venue: a wallet that closes meanwhile may hold it for days)."""

    max_uncovered_in_transit: float = Field(default=110.0, gt=0)
    """in desk.currency: what cycles have bought, moves, and is sold only on arrival; live 110 (one order and its slack), paper 550."""

    max_asset_in_transit: float = Field(default=110.0, gt=0)
    """in desk.currency: likewise of one asset: its price may fall for as long as its network takes; live 110, paper 220."""

    max_open_cycles: int = Field(default=4, ge=1, le=10_000)
    """cycles open at once; live 4, paper 50."""

    max_orders_s: int = Field(default=10, ge=1, le=100_000)
    """orders of any kind within a second from which on nothing opens; live 10, paper 400 (four cycles open at once send eight)."""

    max_orders_min: int = Field(default=120, ge=1, le=1_000_000)
    """orders within a minute, likewise; live 120, paper 20000 (a route rests a second after a cycle; paper: 200 busy symbols)."""

    max_orders_day: int = Field(default=5000, ge=1, le=1_000_000_000)
    """orders of the running hour and the 23 before it, likewise; live 5000, paper 20000000."""

    max_cycles_unattended: int = Field(default=500, ge=1, le=1_000_000_000)
    """cycles since a person did anything (armed, resumed, acknowledged, set a limit) at which nothing opens until one does; live
    500, paper 100000000."""

    max_loop_lag_ms: int = Field(default=2000, ge=10, le=600_000)
    """ms that our own loop may have stood still within ten seconds; live 2000, paper 10000 (prices, cancels and deadlines wait for it)."""

    max_commit_ms: int = Field(default=250, ge=1, le=600_000)
    """ms that 99 of 100 commits of the journal may take over half a minute; live 250, paper 5000 (each order waits for one)."""

    min_free_disk_mb: int = Field(default=500, ge=0, le=1_000_000_000)
    """MB (10^6 bytes) that must be free where the journal is; live 500, paper 100 (a full disk ends the run with cycles open)."""


class ExchangeLimits(Config):
    """Limits for each venue."""

    max_in_flight_orders: int = Field(default=4, ge=1, le=10_000)
    """orders sent and not yet answered at one venue; live 4, paper 50 (a venue that stops answering must not collect orders)."""

    max_unknown_orders: int = Field(default=2, ge=1, le=10_000)
    """orders of unknown fate at one venue at which nothing new opens there; live 2, paper 5 (one is an accident)."""

    max_message_age_ms: int = Field(default=1000, ge=10, le=600_000)
    """ms since the venue's last message of any market; live 1000, paper 1500 (a silent venue's prices are nobody's prices)."""


class SymbolLimits(Config):
    """Limits for each asset."""

    max_book_age_ms: int = Field(default=3000, ge=10, le=600_000)
    """ms since a book was last known to be current: by its own change or, with live data, by any frame of its socket; live 3000,
    paper 5000 (thin books change once in seconds and are right all the same)."""

    price_band_bps: float = Field(default=300.0, gt=0, le=10_000)
    """bps between the two venues' mid prices in one currency; live 300, paper 500 (beyond it a book is wrong or a venue is shut)."""

    max_excess_delay_ms: int = Field(default=250, ge=1, le=600_000)
    """ms that a stream may come later than it usually does, by the venue's own clock; live 250, paper 1000 (prices received just now
    may be seconds old; paper trading often runs on a busy machine)."""

    max_jump_1s_bps: float = Field(default=300.0, gt=0, le=1_000_000)
    """bps that a venue's mid may move within a second, else the asset rests for a minute; live 300, paper 2000 (it is wrong, or news)."""

    max_jump_10s_bps: float = Field(default=800.0, gt=0, le=1_000_000)
    """bps within ten seconds, likewise; live 800, paper 4000."""

    max_leg_skew_ms: int = Field(default=250, ge=1, le=600_000)
    """ms between the venue times that the two streams of a route have reached, each put on our clock by its usual delay; live 250,
    paper 1000 (an edge between two different moments is none)."""


class RouteLimits(Config):
    """Limits for each route."""

    max_edge_bps: float = Field(default=100.0, gt=0, le=10_000)
    """bps net above which an edge is too good to be true; live 100, paper 200."""

    max_consecutive_losses: int = Field(default=3, ge=1, le=10_000)
    """cycles lost in a row after which the route pauses; live 3, paper 5."""

    loss_pause_s: float = Field(default=300.0, ge=0, le=86_400)
    """s of that pause; live 300, paper 60."""

    max_one_leg_hour: int = Field(default=3, ge=1, le=100_000)
    """cycles of the last hour that ended with a leg taken back or left over, at which a route rests until fewer did; live 3, paper 60."""

    refusal_pause_s: float = Field(default=300.0, ge=0, le=3600)
    """s that a symbol rests after a venue refused an order of it, doubled each time in a row, up to an hour; live 300, paper 60
    (a halted market, or rules that have changed, would refuse the next one as well)."""


class RiskConfig(Config):
    """All four tiers."""

    global_: GlobalLimits = Field(default=GlobalLimits(), validation_alias="global", serialization_alias="global")
    """limits over everything that runs."""

    exchange: ExchangeLimits = ExchangeLimits()
    """limits for each venue."""

    symbol: SymbolLimits = SymbolLimits()
    """limits for each asset."""

    route: RouteLimits = RouteLimits()
    """limits for each route."""


LimitSet = Literal["live", "paper"]

#: Limits in money, all of table [risk.global]: their defaults are for dollars.
MONEY_LIMITS = (
    *("max_unhedged", "max_loss_day", "max_loss_hour", "max_drawdown", "max_factor_exposure"),
    *("max_in_transit", "max_uncovered_in_transit", "max_asset_in_transit"),
)

_PAPER: Mapping[str, Mapping[str, Any]] = {
    "global": {
        "max_unhedged": 2000.0,
        "max_loss_day": 1000.0,
        "max_loss_hour": 500.0,
        "max_drawdown": 1500.0,
        "max_factor_exposure": 25_000.0,
        "factor_correlation": 0.9,
        "max_in_transit": 10_000.0,
        "max_uncovered_in_transit": 550.0,
        "max_asset_in_transit": 220.0,
        "max_open_cycles": 50,
        "max_orders_s": 400,
        "max_orders_min": 20_000,
        "max_orders_day": 20_000_000,
        "max_cycles_unattended": 100_000_000,
        "max_loop_lag_ms": 10_000,
        "max_commit_ms": 5000,
        "min_free_disk_mb": 100,
    },
    "exchange": {"max_in_flight_orders": 50, "max_unknown_orders": 5, "max_message_age_ms": 1500},
    "symbol": {
        "max_book_age_ms": 5000,
        "price_band_bps": 500.0,
        "max_excess_delay_ms": 1000,
        "max_jump_1s_bps": 2000.0,
        "max_jump_10s_bps": 4000.0,
        "max_leg_skew_ms": 1000,
    },
    "route": {"max_edge_bps": 200.0, "max_consecutive_losses": 5, "loss_pause_s": 60.0, "max_one_leg_hour": 60, "refusal_pause_s": 60.0},
}


def default_limits(which: LimitSet) -> dict[str, dict[str, Any]]:
    """The default set by table and key, as a profile would write it; what a profile sets is laid over it."""
    if which == "paper":
        return {tier: dict(limits) for tier, limits in _PAPER.items()}
    return RiskConfig().model_dump(by_alias=True)


def risk_defaults(which: LimitSet) -> RiskConfig:
    """The default set ``live`` or ``paper``."""
    return RiskConfig.model_validate(default_limits(which))
