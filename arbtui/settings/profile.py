"""The settings of a run: every package's settings in one frozen object, composed of flags, environment, profile and defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from arbtui.console.config import ConsoleConfig
from arbtui.exchanges.config import ExchangeConfig, HealthConfig
from arbtui.exchanges.venues import VENUES, is_bank_money
from arbtui.execution.config import ExecutionConfig, NettingConfig
from arbtui.failover.config import FailoverConfig, ReconcileConfig
from arbtui.journal.config import JournalConfig
from arbtui.marketdata.config import MarketDataConfig, RatesConfig
from arbtui.monitoring.config import AlertsConfig, EmailConfig, MetricsConfig, ServicesConfig, TelegramConfig
from arbtui.portfolio.config import DeskConfig, RebalanceConfig
from arbtui.risk.config import MONEY_LIMITS, LimitSet, RiskConfig, default_limits
from arbtui.routes.config import CostsConfig, RankingConfig, UniverseConfig
from arbtui.settings.environment import EnvironmentSource
from arbtui.settings.guardian_config import GuardianConfig
from arbtui.simulation.config import SimulatorConfig

Mode = Literal["sim", "paper", "live"]
_ORDERS = (10, 50, 200, 500)
"""Orders of 100 dollars in each of :data:`arbtui.routes.capacity.SIZES`."""

NOT_IN_A_PROFILE = ("name", "path", "mode")


class Settings(BaseSettings):
    """All settings of a run. Created by :func:`arbtui.settings.load.load_profile` only, from layers.

    The layers, strongest first: ``flags``, the environment (``ARBTUI_EXECUTION__ORDER_VALUE=50``), ``profile``, and the
    defaults; [risk] falls back to the limit set of the mode, [exchanges.NAME] to the venue's known values.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", strict=True)

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

    ranking: RankingConfig = RankingConfig()
    """which of several routes goes first."""

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

    alerts: AlertsConfig = AlertsConfig()
    """how alerts are told."""

    telegram: TelegramConfig = TelegramConfig()
    """alerts to a phone, and commands from it."""

    email: EmailConfig = EmailConfig()
    """alerts by e-mail."""

    services: ServicesConfig = ServicesConfig()
    """alerts to other services."""

    metrics: MetricsConfig = MetricsConfig()
    """where Prometheus reads how the engine does."""

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
        data, given = dict(data), data
        exchanges = data.get("exchanges")
        if isinstance(exchanges, dict):
            data["exchanges"] = {name: _laid_over(_venue_defaults(name), given) for name, given in exchanges.items()}
            data["universe"] = _laid_over({"pairs": _usual_pairs(exchanges)}, data.get("universe", {}))
            data["desk"] = _laid_over({"currency": _usual_currency(data["exchanges"])}, data.get("desk", {}))
            data["desk"] = _laid_over(_usual_sizes(data), data["desk"])
        data["risk"] = _laid_over(default_limits(_limit_set(data)), data.get("risk", {}))
        if missing := _missing_money(data, given):
            raise ValueError(
                f"desk.currency: {data['desk']['currency']} is no dollar coin, and the defaults of money are for dollars; "
                f"this profile must set {', '.join(missing)}"
            )
        return data

    @model_validator(mode="after")
    def _venues_make_a_pair(self) -> Self:
        for name, exchange in self.exchanges.items():
            if name not in VENUES:
                raise ValueError(f"exchanges.{name}: no such venue is built")
            built = VENUES[name].quotes
            if exchange.quote not in built:
                raise ValueError(f"exchanges.{name}.quote: {exchange.quote} markets of {name} are not built; expected {' or '.join(built)}")
            if exchange.real_orders and not VENUES[name].is_proven_in(exchange.quote):
                where = f"{name} in {exchange.quote}" if VENUES[name].is_proven else name
                raise ValueError(
                    f"exchanges.{name}.real_orders: real orders were never proven at {where}; leave it out: live reaches the sandbox, and "
                    "paper the venue's real streams (docs/real-orders.md)"
                )
        if len(self.exchanges) < 2:
            raise ValueError(
                f"exchanges: a profile names two venues or more, this one has {len(self.exchanges)}; there are: {', '.join(VENUES)}"
            )
        return self

    @model_validator(mode="after")
    def _every_venue_is_in_a_pair(self) -> Self:
        names = list(self.exchanges)
        if not self.universe.pairs:
            example = f'[["{names[0]}", "{names[1]}"], ["{names[0]}", "{names[2]}"]]'
            raise ValueError(f"universe.pairs: of {len(names)} venues it must be told which trade with each other, such as {example}")
        paired = dict.fromkeys(name for pair in self.universe.pairs for name in pair)
        if unknown := [name for name in paired if name not in self.exchanges]:
            raise ValueError(f"universe.pairs: {unknown[0]} is no venue of this profile; {', '.join(names)}")
        if alone := [name for name in names if name not in paired]:
            raise ValueError(
                f"universe.pairs: {alone[0]} is in no pair, so nothing would be traded there: add one, or take out exchanges.{alone[0]}"
            )
        return self

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of venues between which assets are traded, in the profile's order."""
        return tuple((one, other) for one, other in self.universe.pairs)

    @model_validator(mode="after")
    def _desk_counts_in_what_a_venue_quotes(self) -> Self:
        quotes = list(dict.fromkeys(exchange.quote for exchange in self.exchanges.values()))
        if not self.desk.currency:
            raise ValueError(f"desk.currency: the venues settle in {' and '.join(quotes)}; say which of them PnL and limits are counted in")
        if self.desk.currency not in quotes:
            raise ValueError(f"desk.currency: {self.desk.currency} is quoted by none of this profile's venues; {' or '.join(quotes)}")
        return self

    @model_validator(mode="after")
    def _cross_quotes_are_traded(self) -> Self:
        for name, exchange in self.exchanges.items():
            there = VENUES[name].cross_quotes
            for quote in exchange.cross_quotes:
                key = f"exchanges.{name}.cross_quotes"
                if quote in self.settlement:
                    raise ValueError(
                        f"{key}: {quote} is a settlement currency of this profile, and its markets are the rate's; take it out"
                    )
                if quote not in there:
                    other = f"expected {' or '.join(there)}" if there else f"it trades against {exchange.quote} only; take the key out"
                    raise ValueError(f"{key}: no markets of {name} against {quote} are built: {other}")
                symbols = self.universe.symbols
                if quote in self.universe.exclude or (isinstance(symbols, list) and quote not in symbols):
                    raise ValueError(
                        f"{key}: {quote} itself is not traded (universe.symbols, universe.exclude), so nothing says what it is worth"
                    )
            if len(set(exchange.cross_quotes)) < len(exchange.cross_quotes):
                raise ValueError(f"exchanges.{name}.cross_quotes: {', '.join(exchange.cross_quotes)} names one twice")
        return self

    @property
    def quotes(self) -> dict[str, str]:
        """The currency that each venue settles in."""
        return {name: exchange.quote for name, exchange in self.exchanges.items()}

    @property
    def cross_quotes(self) -> dict[str, tuple[str, ...]]:
        """The coins that each venue's markets are listed against beside its own currency; without the venues that have none."""
        return {name: tuple(exchange.cross_quotes) for name, exchange in self.exchanges.items() if exchange.cross_quotes}

    @property
    def settlement(self) -> tuple[str, ...]:
        """The currencies that the profile's venues settle in, in its order."""
        return tuple(dict.fromkeys(exchange.quote for exchange in self.exchanges.values()))

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
    def tells_somebody(self) -> bool:
        """Whether alerts leave this machine, by whichever way."""
        return self.telegram.enabled or self.email.enabled or self.services.enabled

    @property
    def is_sandbox(self) -> bool:
        """True when every URL is a loopback address."""
        return all(exchange.urls.is_loopback for exchange in self.exchanges.values())

    @property
    def goes_to_real_venues(self) -> bool:
        """Whether a start with these settings sends orders anywhere but to this machine."""
        return self.mode == "live" and not self.is_sandbox


def _usual_pairs(exchanges: Mapping[str, Any]) -> list[list[str]]:
    """The one pair of two venues; none where there is a choice."""
    return [list(exchanges)] if len(exchanges) == 2 else []


def _usual_currency(exchanges: Mapping[str, Any]) -> str:
    """The dollar coin that these venues settle in, else the one currency that they all do; empty where there is a choice."""
    quotes = dict.fromkeys(str(one.get("quote", "")) for one in exchanges.values() if isinstance(one, Mapping))
    dollars = [quote for quote in quotes if not is_bank_money(quote)]
    found = dollars or list(quotes)
    return found[0] if len(found) == 1 else ""


def _usual_sizes(data: Mapping[str, Any]) -> dict[str, list[float]]:
    """Of a desk that counts in won, the sizes of its curves: as many orders as those of a dollar desk. Else nothing: the default holds."""
    desk, execution = data.get("desk"), data.get("execution")
    order_value = execution.get("order_value") if isinstance(execution, Mapping) else None
    if not isinstance(desk, Mapping) or not is_bank_money(str(desk.get("currency"))) or not isinstance(order_value, int | float):
        return {}
    return {"sizes": [orders * float(order_value) for orders in _ORDERS]}


def _missing_money(data: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Settings in money that ``given`` leaves to a default, though the defaults are for another currency."""
    desk = data.get("desk")
    if not isinstance(desk, Mapping) or not _are_several(data.get("exchanges")) or not is_bank_money(str(desk.get("currency"))):
        return []
    risk, execution = given.get("risk"), given.get("execution")
    limits = risk.get("global") if isinstance(risk, Mapping) else None
    told = {f"risk.global.{name}" for name in limits} if isinstance(limits, Mapping) else set()
    told |= {f"execution.{name}" for name in execution} if isinstance(execution, Mapping) else set()
    return [key for key in ("execution.order_value", *(f"risk.global.{name}" for name in MONEY_LIMITS)) if key not in told]


def _are_several(exchanges: Any) -> bool:
    return isinstance(exchanges, Mapping) and len(exchanges) > 1


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
