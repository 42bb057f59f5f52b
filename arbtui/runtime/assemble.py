"""Joins the floors below the engine for one set of venues."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from arbtui.engine.components import EngineComponents
from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.venues import per_dollar
from arbtui.journal.journal import Journal
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.marketdata.top_check import TopCheck
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.halt import Halt
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.model.scoped_halts import ScopedHalts
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync, coarsest_lots
from arbtui.risk.guard import RiskGuard
from arbtui.risk.state import trading_state
from arbtui.routes.config import UniverseConfig
from arbtui.routes.finder import PairsOf
from arbtui.routes.route import RouteTerms
from arbtui.routes.rules import RouteRules
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.garbage import uncollected
from arbtui.runtime.rates import rate_book_of
from arbtui.settings.profile import Settings


def rules_of(config: UniverseConfig) -> RouteRules:
    """Which routes a run lists, as table ``[universe]`` has it."""
    return RouteRules(config.shapes, config.allow, config.deny, config.max_routes, config.max_tick_bps, config.min_liquidity)


def assemble(
    settings: Settings,
    *,
    run_id: str,
    clock: Clock,
    halt: Halt,
    journal: Journal,
    adapters: Mapping[str, ExchangeAdapter],
    markets: Mapping[str, Mapping[str, Market]],
    symbols: Sequence[str],
    pairs: PairsOf,
    on_books: Callable[[Sequence[OrderBook]], None],
    request_snapshot: Callable[[str, str], None],
    portfolio: Portfolio,
    top_check: TopCheck | None = None,
    health: Mapping[str, ExchangeHealthMonitor] | None = None,
) -> EngineComponents:
    """The parts of an engine over ``adapters`` and ``markets`` (by exchange and code).

    ``health``: the monitors that streams and adapters report to; None where nothing but the engine does.
    """
    traded = [market for listed in markets.values() for market in listed.values()]
    aggregator = OrderbookAggregator(
        clock,
        settings.marketdata,
        [(market.exchange, market.code) for market in traded],
        on_books,
        request_snapshot,
        exchanges=list(settings.exchanges),
        top_check=top_check,
    )
    costs = settings.costs
    rates = rate_book_of(settings, traded, aggregator.books)
    terms = RouteTerms(
        min_edge_bps=settings.execution.min_edge_bps,
        slippage_bps=costs.slippage_bps,
        order_value=settings.execution.order_value,
        value_currency=settings.desk.currency,
        price_ratio=(settings.universe.price_ratio_low, settings.universe.price_ratio_high),
        min_cross_s=settings.execution.min_cross_ms / 1000,
        reserve_bps=settings.execution.completion_bps + settings.risk.route.max_edge_bps,
        transfer_risk_sd=costs.transfer_risk_sd,
        financing_pct_year=costs.financing_pct_year,
        sizes=tuple(settings.desk.sizes),
    )
    with uncollected():
        universe = ArbUniverse(
            traded,
            aggregator.books,
            rates,
            terms,
            settings.rebalance.shadow_bps_at_empty,
            symbols,
            pairs,
            settings.settlement,
            rules_of(settings.universe),
        )
    marks = LiveMarks(settings.desk.currency, rates, [(market, aggregator.books[market.exchange, market.code]) for market in traded], clock)
    rate_watches = [RateWatch(market, settings.rates, clock) for market in rates.markets]
    universe.watch_rates(rate_watches)
    if health is None:
        health = {name: ExchangeHealthMonitor(name, clock, settings.health) for name in settings.exchanges}
    risk = RiskGuard(
        settings.risk,
        settings.exchanges,
        portfolio=portfolio,
        marks=marks,
        state=partial(trading_state, portfolio, halt, journal),
        last_message=lambda exchange: aggregator.watches[exchange].last_message,
        health=health,
        throttled={name: adapter.throttled for name, adapter in adapters.items()},
        halts=ScopedHalts(halt.folder),
        time_ms=clock.time_ms,
        max_open_fx=settings.netting.limit_for(settings.execution.order_value),
    )
    risk.symbol.delays = aggregator.delays
    return EngineComponents(
        profile=settings.name,
        run_id=run_id,
        clock=clock,
        halt=halt,
        journal=journal,
        adapters=adapters,
        aggregator=aggregator,
        rates=rates,
        universe=universe,
        risk=risk,
        portfolio=portfolio,
        marks=marks,
        sync=CrossExchangePositionSync(
            adapters=adapters,
            portfolio=portfolio,
            journal=journal,
            clock=clock,
            lots=coarsest_lots((market.base, market.lot_step) for market in traded),
            dollar=decimal_of(per_dollar(settings.desk.currency)),
        ),
        execution=settings.execution,
        desk=settings.desk,
        refresh_book=request_snapshot,
        rebalance=settings.rebalance,
        rate_watches=rate_watches,
        netting=settings.netting,
        costs=settings.costs,
        ranking=settings.ranking,
        reconcile=settings.reconcile,
        failover=settings.failover,
    )
