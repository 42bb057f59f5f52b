"""What an engine is built from; the runtime makes these, tests make them too."""

from collections.abc import Mapping
from dataclasses import dataclass

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.execution.config import ExecutionConfig
from arbtui.journal.journal import Journal
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.clock import Clock
from arbtui.model.halt import Halt
from arbtui.positions.coordinator import PositionCoordinator
from arbtui.risk.guard import RiskGuard
from arbtui.routes.universe import ArbUniverse


@dataclass(frozen=True, slots=True)
class EngineComponents:
    """The floors below the engine, wired to each other."""

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
    positions: PositionCoordinator
    execution: ExecutionConfig
    rate_watch: RateWatch | None = None  #: None where one currency is traded, or nobody doubts the rate
