"""The four tiers. Each answers with the first limit that an opportunity would break, or None.

What is open, lost and one-sided is the portfolio's to say; a tier only compares. Comparisons are written so that NaN is a
breach: ``not value <= limit``. A missing input denies. ``docs/limits.md`` lists every limit, its tier and where it is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Final

from arbtui.exchanges.health import ExchangeHealthMonitor, Health
from arbtui.marketdata.stream_delay import StreamDelays
from arbtui.model.book import OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.reason import Reason
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.operator_events import Transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.recent import within_hour
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import ExchangeLimits, GlobalLimits, RouteLimits, SymbolLimits
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute

#: Members by a name of their own, for what every decision asks (:data:`arbtui.model.book.LIVE`).
_COIN: Final = FeeTakenIn.COIN
_HEALTHY: Final = Health.HEALTHY
#: Why nothing opens in a state; in every other one, because it is halted.
_NO_ENTRIES = {
    TradingState.PAUSED: Reason.PAUSED,
    TradingState.DISARMED: Reason.DISARMED,
    TradingState.RECOVERING: Reason.DISARMED,
}


class GlobalGuard:
    """Exposure and loss over everything that runs. Amounts in the PnL currency, at live marks.

    Args:
        state: what the engine may do now.
    """

    def __init__(self, limits: GlobalLimits, portfolio: Portfolio, marks: LiveMarks, state: Callable[[], TradingState]) -> None:
        self.limits = limits
        self.state = state
        self.journal_failed = False
        self._portfolio = portfolio
        self._marks = marks
        self.loss_today = 0.0  #: as of the last :meth:`measure`
        self.result = 0.0  #: likewise: since the journal began
        self.loss_hour = self.drawdown = 0.0  #: as whoever knows the time says
        self.positions_value = 0.0  #: of residual positions, and of what orders of ended cycles may add; ``inf`` where one has no mark

    def measure(self) -> None:
        """Price what is one-sided at live marks: at each fill, at each end of a cycle, and every second."""
        portfolio = self._portfolio
        held = [portfolio.left(cycle) for cycle in portfolio.positions]
        held += [{order.intent.base: order.intent.qty - order.filled_qty} for order in portfolio.revived_orders()]  # as if all of it filled
        sided = {asset for _, net in portfolio.under_way.one_sided() for asset in net}
        prices = self._marks.prices(sided.union(*held))
        result = portfolio.result(prices)
        self.loss_today, self.result = float(portfolio.loss_of_day(result)), float(result)
        self.positions_value = sum(
            float(abs(amount) * prices[asset]) if asset in prices else inf for left in held for asset, amount in left.items()
        )

    def check(self, value: float, cycle_id: str = "", *, shrinks: bool = False) -> Reason | None:
        """May a cycle of ``value`` open, or go on to its entry orders? ``cycle_id``: itself, which does not count against it.

        ``shrinks``: it only takes exposure away, so no limit of exposure stops it, and it may also while only that is allowed.
        """
        if self.journal_failed:
            return Reason.JOURNAL
        state = self.state()
        if not (state.allows_entries or (shrinks and state is TradingState.REDUCING)):
            return _NO_ENTRIES.get(state, Reason.HALTED)
        if shrinks:
            return None
        limits, under_way = self.limits, self._portfolio.under_way
        others = len(under_way.by_id) - (cycle_id in under_way.by_id)
        if not others < limits.max_open_cycles:
            return Reason.OPEN_CYCLES
        if not under_way.value(cycle_id) + self.positions_value + value <= limits.max_unhedged:
            return Reason.UNHEDGED
        if not self._portfolio.state.unattended - bool(cycle_id) < limits.max_cycles_unattended:
            return Reason.UNATTENDED
        if not self.loss_today <= limits.max_loss_day:
            return Reason.LOSS_DAY
        if not self.loss_hour <= limits.max_loss_hour:
            return Reason.LOSS_HOUR
        return None if self.drawdown <= limits.max_drawdown else Reason.DRAWDOWN

    def losses(self) -> Sequence[tuple[Reason, float, float]]:
        """What is lost in each way that has a limit, and that limit."""
        limits = self.limits
        return (
            (Reason.LOSS_DAY, self.loss_today, limits.max_loss_day),
            (Reason.LOSS_HOUR, self.loss_hour, limits.max_loss_hour),
            (Reason.DRAWDOWN, self.drawdown, limits.max_drawdown),
        )

    @property
    def unhedged(self) -> float:
        """Worst-case open exposure: a cycle counts with its whole value until it has ended, a residual position until it is settled."""
        return self._portfolio.under_way.value() + self.positions_value


#: Nothing opens at a venue that is not HEALTHY.
_UNFIT = {Health.DEGRADED: Reason.VENUE_DEGRADED, Health.FROZEN: Reason.VENUE_FROZEN, Health.DOWN: Reason.VENUE_DOWN}


class ExchangeGuard:
    """A venue's unanswered orders, its silence, its health, its rate limits and the balances it disputes.

    Args:
        last_message: gives monotonic seconds of the venue's last frame.
        throttled: why the venue's rate limits leave no room for an order now, or None.
    """

    def __init__(
        self,
        exchange: str,
        limits: ExchangeLimits,
        portfolio: Portfolio,
        last_message: Callable[[str], float],
        health: ExchangeHealthMonitor,
        throttled: Callable[[], str | None],
    ) -> None:
        self.exchange = exchange
        self.limits = limits
        self.health = health
        self._portfolio = portfolio
        self._throttled = throttled
        self._unanswered: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self.earlier_unknown = 0  #: orders of earlier runs whose fate is not known yet
        self._last_message = last_message

    @property
    def unknown(self) -> int:
        """Orders of unknown fate, of earlier runs too."""
        return len(self._unknown) + self.earlier_unknown

    @property
    def in_flight(self) -> int:
        """Orders admitted and not yet answered, those of unknown fate among them."""
        return len(self._unanswered)

    def admitted(self, client_order_id: str) -> None:
        """Count an order, from the gate's first look on: legs of two cycles must not pass it on one free place."""
        self._unanswered[client_order_id] = None

    def lost_sight(self, client_order_id: str) -> None:
        """An order was sent, and it is not known whether it stands."""
        self._unknown[client_order_id] = None

    def settled(self, client_order_id: str) -> None:
        """An order's end is known."""
        self._unknown.pop(client_order_id, None)

    def answered(self, client_order_id: str) -> None:
        """Count it no longer: its fate is known, or it was never sent."""
        self._unanswered.pop(client_order_id, None)

    def check(self, now: float, own: Iterable[str] = ()) -> Reason | None:
        """May an entry order go to this venue at ``now``? ``own``: client ids of the cycle that asks, not in their own way."""
        unanswered = self._unanswered
        mine = sum([client_order_id in unanswered for client_order_id in own]) if own else 0
        if not len(unanswered) - mine < self.limits.max_in_flight_orders:
            return Reason.IN_FLIGHT
        return self.silence(now)

    def is_clear(self, now: float) -> bool:
        """Whether nothing at all speaks against opening here: the usual answer of :meth:`unfit` and of all that follow it, in one look."""
        health, state = self.health, self._portfolio.state
        health.on_message(self._last_message(self.exchange))
        return (
            health.state(now) is _HEALTHY
            and not (self._unknown or self.earlier_unknown or health.resting)
            and health.is_proven
            and not (state.disputes or state.unpriced_fees)
        )

    def silent_ms(self, now: float) -> float:
        """The age of the venue's last message in ms; ``inf`` before the first."""
        return (now - self._last_message(self.exchange)) * 1000

    def silence(self, now: float) -> Reason | None:
        """Whether the venue's stream has said nothing for too long."""
        return None if self.silent_ms(now) <= self.limits.max_message_age_ms else Reason.MESSAGE_AGE

    def is_fresh(self, book: OrderBook, now: float) -> bool:
        """Whether ``book`` itself is younger than the venue's last message may be."""
        return (now - book.ts_init) * 1000 <= self.limits.max_message_age_ms

    @property
    def has_disputes(self) -> bool:
        """Whether there is any asset of which the venue says that it holds another amount."""
        return bool(self._portfolio.state.disputes.get(self.exchange))

    def disputed(self, *assets: str) -> Reason | None:
        """Whether the venue says that it holds another amount of one of ``assets``."""
        open_here = self._portfolio.state.disputes.get(self.exchange)
        return Reason.DISPUTED if open_here and not open_here.keys().isdisjoint(assets) else None

    def unpriced_fees(self) -> Reason | None:
        """Whether the venue took fees of this run in a coin that nothing prices: what trading costs here is not known."""
        return Reason.NO_MARK if self._portfolio.state.unpriced_fees.get(self.exchange) else None

    def budget(self) -> Reason | None:
        """Whether an order has room in the venue's limits. Asked when a cycle is decided: a leg sent alone would wait for its other."""
        return Reason.RATE_LIMITED if self._throttled() is not None else None

    def unfit(self, now: float) -> Reason | None:
        """Why nothing new may open at this venue at ``now``. Hedges do not ask: a leg left open is worse than a late answer."""
        self.health.on_message(self._last_message(self.exchange))
        unfit = _UNFIT.get(self.health.state(now))
        if unfit is None and not self.unknown < self.limits.max_unknown_orders:
            return Reason.ORDERS_UNKNOWN
        return unfit

    def rests(self, code: str, now: float) -> Reason | None:
        """Whether the venue refuses orders of this one market, with an error code that no document has."""
        return Reason.REFUSED if self.health.rests(code, now) else None

    def untried(self, cycle_id: str = "") -> Reason | None:
        """Why a cycle must wait until the venue has accepted an order of ours, which one cycle finds out alone. ``cycle_id``: itself.

        What an earlier run left open finds nothing out, and may be open for long.
        """
        if self.health.is_proven:
            return None
        run_id = self._portfolio.state.tally.run_id
        is_alone = all(cycle.id == cycle_id or cycle.run_id != run_id for cycle in self._portfolio.open_cycles)
        return None if is_alone else Reason.VENUE_UNTRIED

    def why_unfit(self, now: float) -> str:
        """What :meth:`unfit` comes from, in words."""
        return self.health.why(now) or f"{self.unknown} orders of unknown fate, looked up and never sent again"


class SymbolGuard:
    """Age, price and marks of an asset's books."""

    def __init__(self, limits: SymbolLimits, marks: LiveMarks) -> None:
        self.limits = limits
        self.of_symbol: dict[str, SymbolLimits] = {}  #: of symbols that have limits of their own
        self.delays: StreamDelays | None = None  #: of the streams; None: two books are compared by when they were received
        self._marks = marks
        self._marked: set[Market] = set()  # whose orders move nothing without a mark: once known, a price stays known

    def check(self, route: ArbRoute, now: float) -> Reason | None:
        """May the books of ``route`` be traded on at ``now``?"""
        books, limits = route.books, self.of_symbol.get(route.symbol, self.limits)
        for book in books:
            if not self.is_current(book, now, limits):
                return Reason.BOOK_AGE
        if self.delays is not None:
            late = self.delays.refusal(books, now, limits.max_excess_delay_ms, limits.max_leg_skew_ms)
            if late is not None:
                return late
        else:
            received = [book.ts_init for book in books]
            if not (max(received) - min(received)) * 1000 <= limits.max_leg_skew_ms:
                return Reason.LEG_SKEW
        if (outside := _outside(route, limits)) is not None:
            return outside
        for hop in route.trades:
            if hop.market not in self._marked and (unmarked := self.unmarked(hop.market)) is not None:
                return unmarked
        return None

    def unfit(self, route: ArbRoute, hop: TradeHop, now: float) -> Reason | None:
        """Why ``hop`` alone of ``route`` may not be traded on at ``now``, or None: the other books are not asked how old they are."""
        limits = self.of_symbol.get(route.symbol, self.limits)
        if not self.is_current(hop.book, now, limits):
            return Reason.BOOK_AGE
        if self.delays is not None:
            late = self.delays.refusal((hop.book,), now, limits.max_excess_delay_ms, limits.max_leg_skew_ms)
            if late is not None:
                return late
        return _outside(route, limits) or self.unmarked(hop.market)

    def is_young(self, book: OrderBook, now: float) -> bool:
        """Whether ``book`` changed lately enough to price an order with, without asking the venue."""
        return (now - book.ts_init) * 1000 <= self.limits.max_book_age_ms

    def is_current(self, book: OrderBook, now: float, limits: SymbolLimits | None = None) -> bool:
        """Whether ``book`` changed lately, or has nothing to tell on a socket that is heard: entries may be priced with it.

        ``limits``: of its symbol, where it has limits of its own.
        """
        current_at = book.ts_init if self.delays is None else self.delays.current_at(book)
        return (now - current_at) * 1000 <= (limits or self.limits).max_book_age_ms

    def unmarked(self, market: Market) -> Reason | None:
        """Whether an order on ``market`` would move an asset whose price is not known: its fee's coin, too."""
        coin = market.fees.coin if market.fees.taken_in is _COIN else market.quote
        known = self._marks.is_known
        if not (known(market.base) and known(market.quote) and known(coin)):
            return Reason.NO_MARK
        self._marked.add(market)
        return None


def _outside(route: ArbRoute, limits: SymbolLimits) -> Reason | None:
    """Whether the prices of ``route`` are too far apart to be believed."""
    return None if abs(route.price_ratio() - 1.0) * 1e4 <= limits.price_band_bps else Reason.PRICE_BAND


#: A size is cut at the touch, so its value may exceed ``order_value`` by deeper levels and by a lot (at most a fiftieth), and no more.
VALUE_SLACK = 1.05


class RouteGuard:
    """One route's recent past."""

    def __init__(self, limits: RouteLimits, portfolio: Portfolio, time_ms: Callable[[], int]) -> None:
        self.limits = limits
        self._time_ms = time_ms
        self.of_route: dict[str, RouteLimits] = {}  #: of routes that have limits of their own, or whose symbol has
        self._portfolio = portfolio
        self.paused_until: dict[str, float] = {}
        self.refused_until: dict[str, float] = {}  #: by symbol: a venue refused an order that was to open a cycle
        self.cooling_until: dict[str, float] = {}  #: by route; its flag, which spares even the pricing, only follows this
        self._counted: dict[str, int] = {}  # losses in a row, by route, that have led to a pause already

    def limits_of(self, route_id: str) -> RouteLimits:
        """What holds for one route."""
        return self.of_route.get(route_id, self.limits)

    def check(self, route: ArbRoute, edge_bps: float, now: float, cycle_id: str = "") -> Reason | None:
        """May ``route`` open a cycle with ``edge_bps`` at ``now``? ``cycle_id``: itself, once it is open."""
        if self.has_residual(route):
            return Reason.RESIDUAL
        if self.is_busy(route, cycle_id):
            return Reason.ROUTE_BUSY
        route_id = route.id
        record = self._portfolio.state.routes.get(route_id)
        if record is not None and not record.enabled:
            return Reason.DISABLED
        if self.cools(route_id, now):
            return Reason.COOLDOWN
        if now < self.refused_until.get(route.symbol, -inf):
            return Reason.REFUSED
        if now < self.paused_until.get(route_id, -inf):
            return Reason.LOSSES
        limits = self.of_route.get(route_id, self.limits)
        parted = within_hour(record.parted, self._time_ms()) if record is not None else 0
        if not parted < limits.max_one_leg_hour:
            return Reason.ONE_LEG
        return None if edge_bps <= limits.max_edge_bps else Reason.EDGE_TOO_GOOD

    def is_disabled(self, route_id: str) -> bool:
        """Whether the operator has disabled a route."""
        record = self._portfolio.state.routes.get(route_id)
        return record is not None and not record.enabled

    def size(self, route: ArbRoute, value: float) -> Reason | None:
        """May a cycle of ``value`` open? Sizes are cut to ``order_value``; this is the look that does not rely on it."""
        return None if value <= route.terms.order_value * VALUE_SLACK else Reason.ORDER_VALUE

    def has_residual(self, route: ArbRoute) -> bool:
        """Whether a residual position of an asset that ``route`` trades waits for somebody to look at it."""
        if not self._portfolio.has_positions:
            return False
        waiting = self.residual_assets()
        return bool(waiting) and any(not waiting.isdisjoint((hop.market.base, hop.market.quote)) for hop in route.trades)

    def residual_assets(self) -> set[str]:
        """What residual positions are of that wait for somebody to look at them."""
        return {asset for cycle in self._portfolio.positions if not cycle.acknowledged_by for asset in self._portfolio.left(cycle)}

    def is_on_busy_market(self, route: ArbRoute, cycle_id: str = "") -> bool:
        """Whether an open cycle trades on a market of ``route``. ``cycle_id``: itself, which is not in its own way.

        A cycle whose coins are on their way trades nowhere meanwhile.
        """
        under_way = self._portfolio.under_way
        return not under_way.is_free(route.markets) and any(
            key != cycle_id for market in route.markets for key in under_way.on_market(market)
        )

    def is_busy(self, route: ArbRoute, cycle_id: str = "") -> bool:
        """Whether an open cycle trades on a market of ``route``, or moves what it moves at one of its places.

        ``cycle_id``: itself, which is not in its own way. A leg that has moved to another venue trades there, too.
        """
        if self.is_on_busy_market(route, cycle_id):
            return True
        for order in self._portfolio.unreserved_orders:
            intent = order.intent
            if intent.cycle_id != cycle_id and (intent.exchange, intent.market) in route.markets:
                return True
        return bool(route.transfers) and self.is_moved_alike(route, cycle_id)

    def is_moved_alike(self, route: ArbRoute, cycle_id: str = "") -> bool:
        """Whether another cycle's transfer of what ``route`` moves is under way at one of its places: two of an order's size look alike.

        ``cycle_id``: its own. One of stock is in its way only by its amount (:meth:`mistaken`).
        """
        return bool(self._portfolio.state.transfers) and any(
            one.asset == hop.asset and not {one.sender, one.receiver}.isdisjoint((hop.sender, hop.receiver))
            for one in self._portfolio.open_transfers
            if one.cycle_id and one.cycle_id != cycle_id
            for hop in route.transfers
        )

    def mistaken(self, wanted: Iterable[Transfer]) -> Reason | None:
        """Whether any of ``wanted``, a cycle's, could be taken for a transfer that is under way at one of its places."""
        for move in wanted:
            for one in self._portfolio.open_transfers if self._portfolio.state.transfers else ():
                is_near = one.asset == move.asset and not {one.sender, one.receiver}.isdisjoint((move.sender, move.receiver))
                if is_near and one.looks_like(move.qty, move.fee):
                    return Reason.ROUTE_BUSY
        return None

    def one_leg(self, route_id: str) -> int:
        """How many cycles ended with a leg taken back or left over within the last hour, in earlier runs too."""
        record = self._portfolio.state.routes.get(route_id)
        return within_hour(record.parted, self._time_ms()) if record is not None else 0

    def cools(self, route_id: str, now: float) -> bool:
        """True while a route rests after its last cycle."""
        return now < self.cooling_until.get(route_id, -inf)

    def look(self, route_id: str, now: float) -> bool:
        """Whether losses in a row, late ones too, make a route pause from now on."""
        record = self._portfolio.state.routes.get(route_id)
        if record is None or record.losses == 0:
            self._counted.pop(route_id, None)
            return False
        limits = self.limits_of(route_id)
        if record.losses - self._counted.get(route_id, 0) < limits.max_consecutive_losses:
            return False
        self._counted[route_id] = record.losses
        self.paused_until[route_id] = now + limits.loss_pause_s
        return True
