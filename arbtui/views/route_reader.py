"""Reads one route of a running engine: only while somebody looks at it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf, isfinite

from arbtui.engine.denials import Denial
from arbtui.engine.engine import Engine
from arbtui.model.book import Level as BookLevel
from arbtui.model.book import OrderBook
from arbtui.model.money import plain
from arbtui.model.order import Order, Side
from arbtui.model.reason import Reason
from arbtui.routes.hops import TradeHop, TransferHop
from arbtui.routes.route import ArbRoute
from arbtui.views.detail import DecisionLine, DenialLine, DrainedStock, EdgeHistory, HeldTime, Ladder, Level, RouteDetail, Step
from arbtui.views.route_costs import RouteCosts
from arbtui.views.stock import StockReader

LEVELS = 10
"""Levels read of each side of a book."""


class RouteReader:
    """Makes a :class:`RouteDetail` of a route of ``engine``; never writes to it."""

    def __init__(self, engine: Engine, stock: StockReader) -> None:
        self._engine = engine
        self._stock = stock
        self._costs = RouteCosts(engine)

    def read(self, route: ArbRoute, state: str, history: EdgeHistory) -> RouteDetail:
        """``route`` as of now; ``state`` as its row shows it."""
        now = self._engine.components.clock.monotonic()
        open_orders = [
            order
            for cycle in self._engine.executor.open.values()
            if cycle.plan.route is route
            for order in cycle.orders
            if not order.state.is_final
        ]
        falls = route.waterfall()
        steps = () if falls is None else (Step("gross", falls.gross), *(Step(fall.name, fall.bps) for fall in falls.falls))
        return RouteDetail(
            id=route.id,
            symbol=route.symbol,
            ladders=[_ladder(hop, hop.side.value, open_orders, now) for hop in route.trades],
            state=state,
            steps=steps,
            net_bps=falls.net if falls is not None else 0.0,
            threshold_bps=falls.threshold if falls is not None else route.terms.min_edge_bps,
            history=history.until(int(now)),
            drains=self._drains(route),
            decisions=[
                DecisionLine(one.ts_ms, one.word, one.edge_bps, one.detail, one.count) for one in self._engine.decisions.of_route(route.id)
            ],
            why_not=denial_lines(self._engine.denials.of_route(route.id)),
            ways=[*(way_words(hop, now) for hop in route.transfers), *self._gates(route)],
            shape=route.shape,
            value=falls.value if falls is not None else 0.0,
            capacity=self._costs.capacity(route, now),
            health=self._costs.health(route, now),
            slippage=self._costs.slippage(route),
        )

    def _gates(self, route: ArbRoute) -> list[str]:
        """Its coins that cannot be moved from or to one of its venues now, a line each."""
        halts = self._engine.risk.halts
        places = dict.fromkeys((hop.market.exchange, asset) for hop in route.trades for asset in (hop.market.base, hop.market.quote))
        return [f"gated: {asset} is not moved from or to {venue.upper()}" for venue, asset in places if halts.is_gated(venue, asset)]

    def _drains(self, route: ArbRoute) -> list[DrainedStock]:
        """The coins that it sells from stock and the cash that it buys with, where a stock of them is known."""
        found = []
        for node in route.uses:
            cell = self._stock.cell(node.exchange, node.asset)
            if cell is not None:
                found.append(DrainedStock(node.asset, cell.exchange, cell.share, cell.hours, cell.drain_hours, cell.refill_first))
        return found


def way_words(hop: TransferHop, now: float) -> str:
    """What a person would move, over which network, at what cost, in what time and at what risk; what of it is not known or closed."""
    path = hop.path
    if path is None or hop.refusal(now) is Reason.NETWORK_UNKNOWN:
        return f"moves {hop.asset} {hop.sender.upper()}→{hop.receiver.upper()}: no network is known"
    fee = "fee not told" if path.fee is None else f"fee {plain(path.fee)} {hop.asset}"
    minutes = "time not told" if path.minutes is None else f"{path.minutes:g} min"
    risk = "risk not measured" if hop.sigma is None else f"1 sd {hop.risk_bps:.1f} bp"
    closed = f", CLOSED: {path.why_not}" if path.why_not else ""
    return f"moves {hop.asset} {hop.sender.upper()}→{hop.receiver.upper()} by {path.network}, {fee}, {minutes}, {risk}{closed}"


def denial_lines(denials: Sequence[Denial]) -> list[DenialLine]:
    """``denials`` for a screen."""
    return [DenialLine(one.reason, *(HeldTime(held.seconds, held.times) for held in (one.minute, one.hour, one.day))) for one in denials]


def _ladder(hop: TradeHop, acts: str, orders: list[Order], now: float) -> Ladder:
    book, market = hop.book, hop.market
    ours = [(order.side, float(order.price), float(order.leaves_qty)) for order in orders if order.market is market]
    whole = _is_whole(book)
    age = now - book.ts_init
    return Ladder(
        exchange=market.exchange.upper(),
        currency=market.quote,
        acts=acts,
        asks=_levels(book.asks(), [(price, qty) for side, price, qty in ours if side is Side.BUY], 1.0),
        bids=_levels(book.bids(), [(price, qty) for side, price, qty in ours if side is Side.SELL], -1.0),
        mid=book.mid if whole else 0.0,
        spread_bps=(book.ask - book.bid) / book.mid * 1e4 if whole else 0.0,
        age_ms=age * 1000 if isfinite(age) else inf,
        state=book.state.value,
        base=market.base,
    )


def _is_whole(book: OrderBook) -> bool:
    return book.bid > 0.0 and book.ask < inf


def _levels(levels: Iterator[BookLevel], ours: list[tuple[float, float]], sign: float) -> list[Level]:
    """The best levels; an order of ours is marked at the deepest one that its worst price reaches, or else at the touch."""
    read = list(islice(levels, LEVELS))
    marks = [0.0] * len(read)
    for price, qty in ours:
        within = [i for i, level in enumerate(read) if level[0] * sign <= price * sign]
        if read:
            marks[within[-1] if within else 0] += qty
    return [Level(price, qty, mark) for (price, qty), mark in zip(read, marks, strict=True)]
