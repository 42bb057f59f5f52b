"""The settings of a run: every package's settings in one frozen object, composed of flags, environment, profile and defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from arbtui.console.config import ConsoleConfig
from arbtui.exchanges.config import ExchangeConfig, HealthConfig
from arbtui.exchanges.venues import VENUES
from arbtui.execution.config import ExecutionConfig, NettingConfig
from arbtui.failover.config import FailoverConfig, ReconcileConfig
from arbtui.journal.config import JournalConfig
from arbtui.marketdata.config import MarketDataConfig, RatesConfig
from arbtui.monitoring.config import TelegramConfig
from arbtui.portfolio.config import DeskConfig, RebalanceConfig
from arbtui.risk.config import LimitSet, RiskConfig, default_limits
from arbtui.routes.config import CostsConfig, UniverseConfig
from arbtui.settings.environment import EnvironmentSource
from arbtui.settings.guardian_config import GuardianConfig
from arbtui.simulation.config import SimulatorConfig

Mode = Literal["sim", "paper", "live"]
NOT_IN_A_PROFILE = ("name", "path", "mode")


class Settings(BaseSettings):
    """All settings of a run. Created by :func:`arbtui.settings.load.load_profile` only, from layers.

    The layers, strongest first: ``flags``, the environment (``ARBTUI_EXECUTION__ORDER_VALUE=50``), ``profile``, and the
    defaults; [risk] falls back to the limit set of the mode, [exchanges.NAME] to the venue's known values.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    name: str
    """the profile's name: its file's stem, and the name of its state folder."""

    path: Path
    """the profile's file."""

    mode: Mode = "sim"
    """``sim``, ``paper`` or ``live``; chosen at each start (``--mode``, ``ARBTUI_MODE``), never by a profile."""

    exchanges: dict[str, ExchangeConfig]
    """the venues, in the profile's order."""

    desk: DeskConfig = DeskConfig()
    """where the desk sits."""

    universe: UniverseConfig = UniverseConfig()
    """which assets are traded."""

    health: HealthConfig = HealthConfig()
    """when a venue is fit to open something new at."""

    rates: RatesConfig = RatesConfig()
    """the exchange rate between the quote currencies."""

    costs: CostsConfig = CostsConfig()
    """costs beyond the venues' fees."""

    risk: RiskConfig = RiskConfig()
    """the four tiers of limits."""

    execution: ExecutionConfig = ExecutionConfig()
    """when a cycle opens and how it ends."""

    netting: NettingConfig = NettingConfig()
    """what cycles leave open of the won, and when it is traded back."""

    rebalance: RebalanceConfig = RebalanceConfig()
    """what scarce stock is worth."""

    journal: JournalConfig = JournalConfig()
    """the journal."""

    marketdata: MarketDataConfig = MarketDataConfig()
    """market data."""

    simulator: SimulatorConfig = SimulatorConfig()
    """the embedded market simulator, used in mode ``sim``."""

    telegram: TelegramConfig = TelegramConfig()
    """alerts to a phone, and commands from it."""

    failover: FailoverConfig = FailoverConfig()
    """what a start does that nobody confirms."""

    reconcile: ReconcileConfig = ReconcileConfig()
    """how often the journal is compared with the venues while it runs."""

    guardian: GuardianConfig = GuardianConfig()
    """the process that watches the engine."""

    console: ConsoleConfig = ConsoleConfig()
    """the console."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Strongest first: flags, environment, profile."""
        layers = init_settings()
        return (
            InitSettingsSource(settings_cls, layers["flags"]),
            EnvironmentSource(settings_cls),
            InitSettingsSource(settings_cls, layers["profile"]),
        )

    @model_validator(mode="before")
    @classmethod
    def _lay_over_defaults(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Fill in the defaults that depend on something else: on the venue's name, on the mode."""
        data = dict(data)
        exchanges = data.get("exchanges")
        if isinstance(exchanges, dict):
            data["exchanges"] = {name: _laid_over(_venue_defaults(name), given) for name, given in exchanges.items()}
        data["risk"] = _laid_over(default_limits(_limit_set(data)), data.get("risk", {}))
        return data

    @model_validator(mode="after")
    def _venues_make_a_pair(self) -> Self:
        for name, exchange in self.exchanges.items():
            right = VENUES[name].quote if name in VENUES else exchange.quote
            if exchange.quote != right:
                raise ValueError(f"exchanges.{name}.quote: {exchange.quote} markets of {name} are not built; expected {right}")
            if exchange.real_orders and name in VENUES and not VENUES[name].is_proven:
                raise ValueError(
                    f"exchanges.{name}.real_orders: real orders were never proven at {name}; leave it out: live reaches the sandbox, and "
                    "paper the venue's real streams (docs/real-orders.md)"
                )
        if len(self.exchanges) != 2:
            raise ValueError(f"exchanges: a profile names two venues, this one has {len(self.exchanges)}; there are: {', '.join(VENUES)}")
        return self

    @model_validator(mode="after")
    def _entry_orders_are_of_its_venues(self) -> Self:
        for name in self.execution.entry_orders:
            venues = name.partition(":")[2].split(">") if ":" in name else []
            if unknown := [venue for venue in venues if venue not in self.exchanges]:
                raise ValueError(
                    f"execution.entry_orders: {name!r} names {unknown[0]}; this profile's venues are {', '.join(self.exchanges)}"
                )
            if len(set(venues)) < len(venues):
                raise ValueError(f"execution.entry_orders: {name!r} buys and sells at one venue; a route goes from one venue to another")
        return self

    @property
    def is_sandbox(self) -> bool:
        """True when every URL is a loopback address."""
        return all(exchange.urls.is_loopback for exchange in self.exchanges.values())

    @property
    def goes_to_real_venues(self) -> bool:
        """Whether a start with these settings sends orders anywhere but to this machine."""
        return self.mode == "live" and not self.is_sandbox


def _limit_set(data: Mapping[str, Any]) -> LimitSet:
    if data.get("mode", "sim") != "live":
        return "paper"
    exchanges = data.get("exchanges")
    try:
        venues = [ExchangeConfig.model_validate(one) for one in exchanges.values()] if isinstance(exchanges, dict) else []
    except ValueError:  # invalid, and reported elsewhere
        return "live"
    return "paper" if venues and all(one.urls.is_loopback for one in venues) else "live"


def _venue_defaults(name: str) -> dict[str, Any]:
    venue = VENUES.get(name)
    if venue is None:
        return {}
    return {"quote": venue.quote, "urls": {"rest": venue.urls.rest, "stream": venue.urls.stream, "private": venue.urls.private}}


def _laid_over(under: Mapping[str, Any], over: Any) -> Any:
    """``over`` with the keys it lacks taken from ``under``, table by table; other values are left to validation."""
    if not isinstance(over, dict):
        return over
    merged = dict(under)
    for key, value in over.items():
        merged[key] = _laid_over(under[key], value) if isinstance(under.get(key), dict) else value
    return merged
