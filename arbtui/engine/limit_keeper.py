"""The limits that hold now: the profile's and those that operators have set, put to the guards and to the routes' terms."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from arbtui.engine.components import EngineComponents
from arbtui.engine.machine_watch import MachineSample
from arbtui.model.clock import iso_ms
from arbtui.model.counted import counted
from arbtui.portfolio.operator_events import untyped
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.limit_book import LimitBook, LimitRow, Used
from arbtui.risk.limit_names import LimitScope, parse_scope
from arbtui.risk.notices.rules import NoticeRules
from arbtui.risk.state import trading_state

log = logging.getLogger("arbtui")

#: States in which no order of the engine's own may leave: a limit may be raised.
_MAY_RAISE = (TradingState.DISARMED, TradingState.HALTED, TradingState.HALTED_DIRTY)


class LimitKeeper:
    """Puts limits into force, and takes an operator's changes of them.

    Args:
        share: of ``order_value``, as the first minutes after a re-arm have it.
        machine: its last sample; None where nothing measures it.
    """

    def __init__(self, components: EngineComponents, share: Callable[[], float], machine: Callable[[], MachineSample | None]) -> None:
        self._components = components
        self._share = share
        self._sample = machine
        execution, risk = components.execution, components.risk
        self.book = LimitBook(risk.config, execution.order_value, execution.min_edge_bps, components.portfolio.state.limits)

    def apply(self) -> None:
        """Hold what the book says: at a start, after each change, and when the share of a re-arm changes."""
        book = self.book
        routes, usual = self._components.universe.routes, self._components.universe.terms
        self._components.risk.take_limits(book, routes)
        share, named = self._share(), book.names_of_its_own()
        of_all = book.value("order_value"), book.value("min_edge_bps")
        for route in routes:
            value, least = of_all
            if route.symbol in named or route.id in named:
                names = {"symbol": route.symbol, "route": route.id}
                value, least = book.value("order_value", **names), book.value("min_edge_bps", **names)
            size, edge = min(usual.order_value, value) * share, max(usual.min_edge_bps, least)
            if self._components.risk.is_gated(route):
                size *= NoticeRules.shipped().gated_share
            if (size, edge) != (route.terms.order_value, route.terms.min_edge_bps):
                route.set_terms(replace(usual, order_value=size, min_edge_bps=edge))

    def tell(self) -> None:
        """At a start: which limits of the journal hold beside the profile's."""
        for row in self.book.rows():
            if row.journal is not None:
                said = f"set by {row.by} at {iso_ms(row.since_ms)}{f': {row.reason}' if row.reason else ''}"
                log.info("limit %s: %g (profile %g, journal %g, %s)", row.scope, row.holds, row.profile, row.journal, said)

    def rows(self) -> Sequence[LimitRow]:
        """Every limit, with how much of it is used now."""
        return self.book.rows(self.used)

    def set(self, scope: str, value: float | None, typed_name: str, reason: str, by: str) -> str | None:
        """Set a limit, or with None take its own value away; None when done, else why not.

        What allows more than before needs the profile's name and a reason; what allows less needs neither.
        """
        parts = self._components
        if parts.journal.failure is not None:
            return "the journal failed: nothing can be recorded; stop, mend the disk, and start again"
        event = self.book.change(scope, value, by, reason.strip(), armed=self.armed, known=self._known())
        if isinstance(event, str):
            return event
        parsed = parse_scope(event.scope)
        if isinstance(parsed, LimitScope) and self.book.loosens(parsed, value):
            refusal = untyped(parts.profile, typed_name, reason)
            if refusal is not None:
                return refusal
        parts.journal.post(event)
        self.apply()
        after = "the profile's again" if event.new is None else f"{event.new:g}"
        log.info("limit %s: %s by %s%s", event.scope, after, by, f": {reason.strip()}" if reason.strip() else "")
        return None

    @property
    def armed(self) -> str:
        """The state, where orders may leave in it and nothing may be raised; else empty."""
        parts = self._components
        state = trading_state(parts.portfolio, parts.halt, parts.journal)
        return "" if state in _MAY_RAISE else state.value

    def used(self, scope: LimitScope) -> Used:
        """How much of a limit is used now, in its unit; the most of any where it holds for several; None where nothing is counted."""
        risk, portfolio = self._components.risk, self._components.portfolio
        now = self._components.clock.monotonic()
        venues = [guard for name, guard in risk.exchange.items() if scope.name in ("", name)]
        match scope.limit.name:
            case "max_unhedged":
                return risk.total.unhedged
            case "max_factor_exposure":
                coins, bets = risk.factor.bets(risk.total.limits.factor_correlation)
                return risk.factor.largest, f"{counted(coins, 'coin')}, as {bets:.1f} bets" if coins else ""
            case "max_in_transit":
                return risk.in_transit.total()
            case "max_uncovered_in_transit":
                return risk.in_transit.uncovered()
            case "max_asset_in_transit":
                return risk.in_transit.largest()
            case "max_loss_day":
                return max(0.0, risk.total.loss_today)
            case "max_loss_hour":
                return max(0.0, risk.total.loss_hour)
            case "max_drawdown":
                return max(0.0, risk.total.drawdown)
            case "max_orders_s" | "max_orders_min" | "max_orders_day" as name:
                second, minute, day = risk.pace.counts()
                return float({"max_orders_s": second, "max_orders_min": minute}.get(name, day))
            case "max_cycles_unattended":
                return float(portfolio.state.unattended)
            case "max_loop_lag_ms" | "max_commit_ms" | "min_free_disk_mb" as name:
                return self._machine(name)
            case "max_one_leg_hour":
                routes = portfolio.state.routes
                return float(max((risk.route.one_leg(route) for route in routes if self._falls_under(route, scope)), default=0))
            case "max_open_cycles":
                return float(len(portfolio.open_cycles))
            case "max_in_flight_orders":
                return float(max((guard.in_flight for guard in venues), default=0))
            case "max_unknown_orders":
                return float(max((guard.unknown for guard in venues), default=0))
            case "max_message_age_ms":
                return max((guard.silent_ms(now) for guard in venues), default=0.0)
            case "max_consecutive_losses":
                routes = portfolio.state.routes
                return float(max((record.losses for name, record in routes.items() if self._falls_under(name, scope)), default=0))
            case _:
                return None

    def _machine(self, name: str) -> float | None:
        sample = self._sample()
        if sample is None:
            return None
        return {"max_loop_lag_ms": sample.lag_ms, "max_commit_ms": sample.commit_ms}.get(name, sample.free_disk_mb)

    def _falls_under(self, route_id: str, scope: LimitScope) -> bool:
        if not scope.name:
            return True
        route = self._components.universe.by_id.get(route_id)
        return scope.name == (route_id if scope.tier == "route" or route is None else route.symbol)

    def _known(self) -> Mapping[str, Collection[str]]:
        routes = self._components.universe.routes
        return {
            "exchange": tuple(self._components.risk.exchange),
            "symbol": {route.symbol for route in routes},
            "route": {route.id for route in routes},
        }
