"""What an engine is built from; the runtime makes these, tests make them too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.execution.config import ExecutionConfig, NettingConfig
from arbtui.failover.config import FailoverConfig, ReconcileConfig
from arbtui.journal.journal import Journal
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.clock import Clock
from arbtui.model.halt import Halt
from arbtui.portfolio.config import DeskConfig, RebalanceConfig
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync
from arbtui.risk.guard import RiskGuard
from arbtui.routes.config import CostsConfig, RankingConfig
from arbtui.routes.universe import ArbUniverse


@dataclass(frozen=True, slots=True)
class EngineComponents:
    """The floors below the engine, wired to each other. ``journal`` applies every event to ``portfolio``."""

    profile: str
    run_id: str
    clock: Clock
    halt: Halt
    journal: Journal
    adapters: Mapping[str, ExchangeAdapter]
    aggregator: OrderbookAggregator
    rates: RateBook
    universe: ArbUniverse
    risk: RiskGuard
    portfolio: Portfolio
    marks: LiveMarks
    sync: CrossExchangePositionSync
    execution: ExecutionConfig
    desk: DeskConfig
    refresh_book: Callable[[str, str], None]  #: asks a venue for a market's whole book: (exchange, code)
    rebalance: RebalanceConfig
    rate_watches: Sequence[RateWatch] = ()  #: one for each market of an exchange rate; none where one currency is traded
    netting: NettingConfig = field(default_factory=NettingConfig)
    costs: CostsConfig = field(default_factory=CostsConfig)
    ranking: RankingConfig = field(default_factory=RankingConfig)
    failover: FailoverConfig = field(default_factory=FailoverConfig)
    reconcile: ReconcileConfig = field(default_factory=ReconcileConfig)
