"""The guard that every order passes: four tiers, first refusal wins, every refusal counted by its reason."""

from collections.abc import Callable, Iterable, Mapping
from math import inf

from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.model.book import BookState, OrderBook
from arbtui.model.market import Market
from arbtui.model.order import Order, Purpose
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalts
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.blocks import Blocks
from arbtui.risk.config import RiskConfig
from arbtui.risk.factor import FactorExposure
from arbtui.risk.in_transit import InTransitGuard
from arbtui.risk.limit_book import LimitBook
from arbtui.risk.open_fx import OpenFxGuard
from arbtui.risk.order_pace import OrderPace
from arbtui.risk.price_jumps import PriceJumps
from arbtui.risk.tiers import ExchangeGuard, GlobalGuard, RouteGuard, SymbolGuard
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute

#: An asset rests for so long after a price of it jumped, in seconds.
_JUMP_RESTS_S = 60.0
_SCOPED = {Depth.PAUSED: Reason.SCOPE_PAUSED, Depth.REDUCING: Reason.SCOPE_REDUCING, Depth.HALTED: Reason.SCOPE_HALTED}


class RiskGuard:
    """All four tiers in the path of every order.

    Args:
        config: limits by tier.
        exchanges: names of the venues.
        portfolio: what is open, one-sided and lost.
        marks: live prices.
        state: what the engine may do now.
        last_message: monotonic seconds of a venue's last frame (``-inf`` before the first).
        health: each venue's monitor.
        throttled: for each venue, why its rate limits leave no room for an order now, or None.
        halts: what is held back of exchanges, symbols and routes.
        time_ms: wall clock: what is counted over an hour or a day is counted over restarts.
        max_open_fx: the most that cycles may leave open of a settlement currency, in the PnL currency.
    """

    def __init__(
        self,
        config: RiskConfig,
        exchanges: Iterable[str],
        *,
        portfolio: Portfolio,
        marks: LiveMarks,
        state: Callable[[], TradingState],
        last_message: Callable[[str], float],
        health: Mapping[str, ExchangeHealthMonitor],
        throttled: Mapping[str, Callable[[], str | None]],
        halts: ScopedHalts,
        time_ms: Callable[[], int],
        max_open_fx: float = inf,
    ) -> None:
        self.total = GlobalGuard(config.global_, portfolio, marks, state)
        self.exchange = {
            name: ExchangeGuard(name, config.exchange, portfolio, last_message, health[name], throttled[name]) for name in exchanges
        }
        self.pace, self.blocks, self.jumps = OrderPace(portfolio, time_ms), Blocks(), PriceJumps()
        self.factor = FactorExposure(portfolio, marks)
        self.in_transit = InTransitGuard(portfolio, marks)
        self.symbol = SymbolGuard(config.symbol, marks)
        self.route = RouteGuard(config.route, portfolio, time_ms)
        self.open_fx = OpenFxGuard(max_open_fx, portfolio, marks)
        self.config = config  #: as the profile has it; what operators have set comes on top (:meth:`take_limits`)
        self.halts = halts
        self.denials: dict[Reason, int] = {}
        self.on_order_refused: Callable[[str, Reason], None] = lambda _route_id, _reason: None  #: what the gate keeps from leaving

    def check_entry(
        self, route: ArbRoute, edge_bps: float, value: float, now: float, cycle_id: str = "", own: Iterable[str] = ()
    ) -> Reason | None:
        """Why no entry of ``route`` may be sent at ``now`` (monotonic seconds), or None: every tier, at each of the gate's looks.

        ``edge_bps``: net, as decided; ``value``: what it puts at risk, in the PnL currency. ``cycle_id``: the cycle itself
        once it is open, left out of what it is counted against; ``own``: client ids of its orders, likewise.
        """
        venues = [self.exchange[name] for name in route.exchanges]
        reason = (
            self.total.check(value, cycle_id, shrinks=route.shrinks_exposure)
            or self.factor.refusal(route, value, self.total.limits.max_factor_exposure, cycle_id)
            or self.in_transit.check(route, value, self.total.limits, cycle_id)
            or self.scoped(route)
            or self.route.check(route, edge_bps, now, cycle_id)
            or self.route.size(route, value)
            or self.open_fx.check(route, value, cycle_id)
            or self._unfit(route, venues, now, cycle_id)
            or self.symbol.check(route, now)
            or self.blocked(route, now)
        )
        if reason is not None:
            return reason
        for venue in venues:
            if (reason := venue.check(now, own)) is not None:
                return reason
        if cycle_id:  # once it is open, its requests have their places
            return None
        if not self.pace.allows(len(route.trades), self.total.limits):
            return Reason.ORDER_PACE
        for venue in venues:
            if (reason := venue.budget()) is not None:
                return reason
        return None

    def _unfit(self, route: ArbRoute, venues: Iterable[ExchangeGuard], now: float, cycle_id: str) -> Reason | None:
        """Whether a venue of ``route`` is ill, untried, refuses one of its markets, disputes what we hold or takes fees nothing prices."""
        if all([venue.is_clear(now) for venue in venues]):
            return None
        for venue in venues:
            if (reason := venue.unfit(now)) is not None:
                return reason
        for venue in venues:
            if (reason := venue.untried(cycle_id)) is not None:
                return reason
        for hop in route.trades:
            if (reason := self.exchange[hop.market.exchange].rests(hop.market.code, now)) is not None:
                return reason
        for venue in venues:
            if venue.has_disputes and (reason := venue.disputed(*route.assets_at(venue.exchange))) is not None:
                return reason
            if (reason := venue.unpriced_fees()) is not None:
                return reason
        return None

    def blocked(self, route: ArbRoute, now: float) -> Reason | None:
        """What holds ``route`` back for a while: our own machine, or a price that jumped just now or a moment ago."""
        limits = self.symbol.of_symbol.get(route.symbol, self.symbol.limits)
        for book in route.books:
            short, long = self.jumps.moved_bps(book)
            if not (short <= limits.max_jump_1s_bps and long <= limits.max_jump_10s_bps):
                self.blocks.hold(route.symbol, Reason.PRICE_JUMP, now, _JUMP_RESTS_S)
        return self.blocks.standing(("", route.symbol), now)

    def take_limits(self, book: LimitBook, routes: Iterable[ArbRoute]) -> None:
        """Hold the limits of ``book`` from now on, each tier its own."""
        self.total.limits = book.total()
        for name, guard in self.exchange.items():
            guard.limits = book.exchange(name)
        self.symbol.limits, self.route.limits = book.symbol(""), book.route()
        named = book.names_of_its_own()
        own = [route for route in routes if route.symbol in named or route.id in named]
        self.symbol.of_symbol = {route.symbol: book.symbol(route.symbol) for route in own}
        self.route.of_route = {route.id: book.route(route.symbol, route.id) for route in own}

    def scoped(self, route: ArbRoute) -> Reason | None:
        """The deepest halt over any part of ``route``; nothing opens under one of any depth, but what shrinks exposure under REDUCING.

        Nor does a route whose coins would have to be moved over a wallet that is halted.
        """
        self.halts.look()
        return self.held_back(route)

    def held_back(self, route: ArbRoute) -> Reason | None:
        """:meth:`scoped` without reading the folder of halts again: a caller that asks about many routes reads it once."""
        if not self.halts.standing:
            return None
        if any(self.halts.is_gated(venue, hop.asset) for hop in route.transfers for venue in (hop.sender, hop.receiver)):
            return Reason.SCOPE_PAUSED
        depth = self.halts.depth(route.exchanges, assets_of(route), route.id)
        if depth is None or (depth is Depth.REDUCING and route.shrinks_exposure):
            return None
        return _SCOPED[depth]

    def is_gated(self, route: ArbRoute) -> bool:
        """Whether a coin of ``route`` cannot be moved from or to one of its venues now: stock that it uses up there does not come back."""
        if not self.halts.gates:
            return False
        return any(self.halts.is_gated(hop.market.exchange, asset) for hop in route.trades for asset in (hop.market.base, hop.market.quote))

    def scope_halted(self, order: Order, route_id: str) -> Reason | None:
        """Whether a halt of depth HALTED stands over ``order`` of the route ``route_id``: then it may not leave, whatever it is for."""
        self.halts.look()
        return self._halted(order.market, route_id)

    def _halted(self, market: Market, route_id: str) -> Reason | None:
        if not self.halts.standing:
            return None
        depth = self.halts.depth((market.exchange,), (market.base, market.quote), route_id)
        return Reason.SCOPE_HALTED if depth is Depth.HALTED else None

    def closed(self, market: Market, book: OrderBook, route_id: str, now: float) -> Reason | None:
        """Why no order of the route ``route_id`` may leave on ``market`` now, not even one that shrinks exposure; None where one may."""
        return self._halted(market, route_id) or self._useless(market, book, now)

    def check_move(self, route: ArbRoute, hop: TradeHop, cycle: CycleAccount, now: float) -> Reason | None:
        """Why no leg of ``cycle`` may move to ``hop``, which is where ``route`` trades it, at ``now`` (monotonic seconds); or None.

        The venues of its plan must be gone on with, whatever they are like. Going to another one is a choice, and is held to what keeps
        an entry from there: its health, halts of any depth, disputed balances, a route that is disabled, a market that another cycle is on,
        rates and prices that are not to be believed, exposure that legs of that kind add.
        """
        market, venue = hop.market, self.exchange[hop.market.exchange]
        self.halts.look()
        depth = self.halts.depth((market.exchange,), (market.base, market.quote), route.id)
        if depth is not None:
            return _SCOPED[depth]
        if self.route.is_disabled(route.id):
            return Reason.DISABLED
        if self.route.is_busy(route, cycle.id):
            return Reason.ROUTE_BUSY
        return (
            route.rate_refusal(now)
            or route.asset_refusal()
            or self.factor.refusal(route, cycle.value, self.total.limits.max_factor_exposure, cycle.id)
            or self.open_fx.check(route, cycle.value, cycle.id)
            or venue.unfit(now)
            or (None if venue.health.is_proven else Reason.VENUE_UNTRIED)
            or venue.rests(market.code, now)
            or venue.disputed(market.base, market.quote)
            or venue.unpriced_fees()
            or venue.check(now)
            or self.symbol.unfit(route, hop, now)
        )

    def check_hedge(self, order: Order, book: OrderBook, now: float) -> Reason | None:
        """Why an order that shrinks exposure may not be sent: only limits marked "also what shrinks exposure"."""
        if self.total.journal_failed:
            return Reason.JOURNAL
        state = self.total.state()
        if not (state.allows_settling if order.purpose is Purpose.SETTLE else state.allows_hedges):
            return Reason.HALTED
        return self._useless(order.market, book, now)

    def _useless(self, market: Market, book: OrderBook, now: float) -> Reason | None:
        if book.state is not BookState.LIVE:
            return Reason.STALE
        silence = self.exchange[market.exchange].silence(now)
        # A venue whose stream is silent may have answered a question about this book a moment ago.
        return silence if silence is not None and not self.exchange[market.exchange].is_fresh(book, now) else None

    def count(self, reason: Reason) -> None:
        """Count one refusal."""
        self.denials[reason] = self.denials.get(reason, 0) + 1

    def count_order(self, reason: Reason, route_id: str) -> None:
        """Count an order of an open cycle that the gate did not let leave."""
        self.count(reason)
        self.on_order_refused(route_id, reason)


def assets_of(route: ArbRoute) -> set[str]:
    """Everything that ``route`` moves, and the name that it is listed under: what a halt of a symbol is compared with."""
    return {route.symbol, *(asset for hop in route.trades for asset in (hop.market.base, hop.market.quote))}
