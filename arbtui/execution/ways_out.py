"""What a person can do about the residual of an ended cycle, and what each way costs now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from arbtui.execution.plan import needs
from arbtui.model.book import BookState, OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ONE, ZERO, decimal_of, plain
from arbtui.model.order import Side
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.operator_events import adjustment_preview, equal_disputes
from arbtui.portfolio.portfolio import Portfolio
from arbtui.routes.size import kept_of_bought

COMPLETE, FLATTEN, WRITE_OFF, ADJUST = "complete", "flatten", "write-off", "adjust"
VERBS = (COMPLETE, FLATTEN, WRITE_OFF, ADJUST)
#: Those that send orders.
TRADES = (COMPLETE, FLATTEN)
_COST_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class WayOut:
    """One way to settle a residual: ``qty`` of ``asset`` in units, ``price`` the worst allowed, in the market's quote.

    ``cycle_id``: whose residual; empty for a disputed balance that is no cycle's. ``cost``: what it costs against the live mark, fees
    included, in ``currency``, the PnL's; negative where it earns; None where a price is missing. ``why_not``: why it cannot be done
    now; empty when it can.
    """

    verb: str
    cycle_id: str
    asset: str
    qty: Decimal
    currency: str
    exchange: str = ""
    market: Market | None = None
    side: Side | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    shown: Decimal = ZERO  #: of ``qty``, what the book shows within ``price``
    why_not: str = ""
    preview: str = ""  #: of a disputed balance that is no cycle's: what taking the venue's word does

    @property
    def text(self) -> str:
        """What it does, in a few words."""
        amount = f"{plain(self.qty)} {self.asset}"
        if self.verb == WRITE_OFF:
            return f"{self.verb}: what {self.cycle_id} left counts as stock from then on"
        if self.verb == ADJUST and self.cycle_id:
            return f"{self.verb} {self.exchange}: its balance differs by {amount}; take its word, {self.cycle_id} is settled by that"
        if self.verb == ADJUST:
            return f"{self.verb} {self.exchange}: {self.preview}"
        if self.price is None or self.market is None:
            return f"{self.verb} {self.exchange} {amount}"
        bound = "more" if self.side is Side.SELL else "less"
        return f"{self.verb} {self.exchange}: {self.side} {amount} at {plain(self.price)} {self.market.quote} or {bound}"

    @property
    def price_tag(self) -> str:
        """What it costs or earns, or why it cannot be done, in a few words."""
        if self.why_not:
            return f"not now: {self.why_not}"
        if self.verb not in TRADES:
            return "nothing is traded"
        if self.cost is None:
            return "cost unknown"
        thin = f", book shows {plain(self.shown)}" if self.shown < self.qty else ""
        word = "earns" if self.cost < ZERO else "costs"
        return f"{word} {plain(abs(self.cost))} {self.currency}{thin}"

    def facts(self) -> dict[str, str | None]:
        """As JSON can hold it; numbers as strings."""
        return {
            "verb": self.verb,
            "exchange": self.exchange or None,
            "market": None if self.market is None else self.market.code,
            "side": None if self.side is None else self.side.value,
            "asset": self.asset,
            "qty": plain(self.qty),
            "price": None if self.price is None else plain(self.price),
            "quote": None if self.market is None else self.market.quote,
            "cost": None if self.cost is None else plain(self.cost),
            "currency": self.currency,
            "why_not": self.why_not or None,
            "text": self.text,
            "price_tag": self.price_tag,
        }


class WaysOut:
    """Finds the ways out of a residual.

    Args:
        markets: those of this run.
        books: the live book of each, by (exchange, code).
        unwind_bps: how far from the touch an order may go.
    """

    def __init__(
        self,
        markets: Iterable[Market],
        books: Mapping[tuple[str, str], OrderBook],
        portfolio: Portfolio,
        marks: LiveMarks,
        unwind_bps: float,
    ) -> None:
        self._markets = tuple(markets)
        self._books = books
        self._portfolio = portfolio
        self._marks = marks
        self._collar = unwind_bps / 1e4

    def book_of(self, market: Market) -> OrderBook:
        """The live book of ``market``."""
        return self._books[market.exchange, market.code]

    def of(self, cycle: CycleAccount) -> list[WayOut]:
        """Every way for ``cycle``, the possible ones of each asset first; none where it leaves no position."""
        ways: list[WayOut] = []
        if cycle.is_position:
            for asset, amount in self._portfolio.left(cycle).items():
                trades = sorted(self._trades(cycle, asset, amount), key=lambda way: (bool(way.why_not), _cost_of(way)))
                ways += trades or [self._no_market(cycle, asset, amount)]
            ways += self._by_hand(cycle)
        return ways

    def of_dispute(self, exchange: str, asset: str) -> list[WayOut]:
        """The ways to settle a disputed balance: take the venue's word, also for the residual that it equals."""
        dispute = self._portfolio.state.disputes.get(exchange, {}).get(asset)
        if dispute is None:
            return []
        equal = [
            way
            for cycle in self._portfolio.positions
            for way in self._by_hand(cycle)
            if (way.verb, way.exchange, way.asset) == (ADJUST, exchange, asset)
        ]
        change = abs(dispute.theirs - self._portfolio.total(exchange, asset))
        preview = adjustment_preview(self._portfolio, exchange, asset)
        return [*equal, WayOut(ADJUST, "", asset, change, self._portfolio.state.currency, exchange, cost=ZERO, preview=preview)]

    def trade(self, cycle: CycleAccount, asset: str, market: Market) -> WayOut | None:
        """The same as one of :meth:`of`, looked at anew; None where nothing of ``asset`` is left."""
        amount = self._portfolio.left(cycle).get(asset)
        if amount is None:
            return None
        return self._trade(cycle, asset, amount, market, _verb(cycle, asset, amount, market))

    def _trades(self, cycle: CycleAccount, asset: str, amount: Decimal) -> Iterator[WayOut]:
        for market in self._markets:
            if market.base == asset and market.quote in self._portfolio.state.settlement:
                verb = _verb(cycle, asset, amount, market)
                if verb == FLATTEN or _is_planned(cycle, amount, market):
                    yield self._trade(cycle, asset, amount, market, verb)

    def _trade(self, cycle: CycleAccount, asset: str, amount: Decimal, market: Market, verb: str) -> WayOut:
        side = Side.SELL if amount > ZERO else Side.BUY
        kept = kept_of_bought(market) if side is Side.BUY else ONE
        qty = min(market.qty_down(abs(amount) / kept), market.max_qty)  # never beyond the residual
        book = self.book_of(market)
        currency = self._portfolio.state.currency
        if not 0.0 < book.bid < book.ask < inf or book.state is not BookState.LIVE:
            why = f"its book is {'empty' if book.state is BookState.LIVE else book.state}"
            return WayOut(verb, cycle.id, asset, qty or abs(amount), currency, market.exchange, market, side, why_not=why)
        if side is Side.SELL:
            price = market.price_up(decimal_of(book.bid * (1.0 - self._collar)))
        else:
            price = market.price_down(decimal_of(book.ask * (1.0 + self._collar)))
        shown, notional = _walk(book, side, qty, price)
        cost = self._cost(market, side, qty, notional)
        why = self._why_not(cycle, market, side, qty, price)
        return WayOut(verb, cycle.id, asset, qty or abs(amount), currency, market.exchange, market, side, price, cost, shown, why)

    def _why_not(self, cycle: CycleAccount, market: Market, side: Side, qty: Decimal, price: Decimal) -> str:
        waiting = next((order for order in cycle.orders.values() if not order.state.is_final), None)
        if waiting is not None:
            return f"its order {waiting.intent.client_order_id} is {waiting.state}: what it did is not known yet"
        if qty <= ZERO or qty < market.min_qty or price * qty < market.min_cost:
            return f"under the venue's minimum of {plain(market.min_cost)} {market.quote}"
        exchange, asset, amount = needs(market, side, qty, price)
        free = self._portfolio.available(exchange, asset, cycle.id)
        return "" if free >= amount else f"needs {plain(amount)} {asset}, free are {plain(free)}"

    def _cost(self, market: Market, side: Side, qty: Decimal, notional: Decimal) -> Decimal | None:
        """What an order costs against the live marks, its fee included, in the PnL currency."""
        unit, money = self._marks.value(market.base), self._marks.value(market.quote)
        if unit is None or money is None:
            return None
        fee = market.fees.taker
        if side is Side.SELL:
            cost = qty * unit - notional * (ONE - fee) * money
        elif market.fees.taken_in is FeeTakenIn.RECEIVED:
            cost = notional * money - qty * (ONE - fee) * unit
        else:
            cost = notional * (ONE + fee) * money - qty * unit
        return cost.quantize(_COST_STEP)

    def _by_hand(self, cycle: CycleAccount) -> Iterator[WayOut]:
        """What nothing is traded for."""
        currency = self._portfolio.state.currency
        for exchange, asset, change in equal_disputes(self._portfolio, cycle):
            yield WayOut(ADJUST, cycle.id, asset, abs(change), currency, exchange, cost=ZERO)
        left = self._portfolio.left(cycle)
        if left:  # all of it at once, whatever it is
            yield WayOut(WRITE_OFF, cycle.id, ", ".join(left), abs(next(iter(left.values()))), currency, cost=ZERO)

    def _no_market(self, cycle: CycleAccount, asset: str, amount: Decimal) -> WayOut:
        why = f"{asset} is not among the symbols of this run: start with it to trade it"
        return WayOut(FLATTEN, cycle.id, asset, abs(amount), self._portfolio.state.currency, why_not=why)


def _verb(cycle: CycleAccount, asset: str, amount: Decimal, market: Market) -> str:
    """Whether an order at ``market`` takes back what was traded there, or trades what is missing."""
    there = cycle.held(asset).get(market.exchange, ZERO)
    return FLATTEN if there * amount > ZERO else COMPLETE


def _is_planned(cycle: CycleAccount, amount: Decimal, market: Market) -> bool:
    """Whether a leg was to trade there that way; true of every market where the plan is not known any more."""
    side = Side.SELL if amount > ZERO else Side.BUY
    return not cycle.legs or any((leg.exchange, leg.market, leg.side) == (market.exchange, market.code, side) for leg in cycle.legs)


def _walk(book: OrderBook, side: Side, qty: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
    """How much of ``qty`` the book shows within ``price``, and what ``qty`` comes to; what it does not show counts at ``price``."""
    shown = notional = ZERO
    for level, size in book.bids() if side is Side.SELL else book.asks():
        at = decimal_of(level)
        if (at < price if side is Side.SELL else at > price) or shown == qty:
            break
        part = min(decimal_of(size), qty - shown)
        shown, notional = shown + part, notional + part * at
    return shown, notional + (qty - shown) * price


def _cost_of(way: WayOut) -> Decimal:
    return Decimal("Infinity") if way.cost is None else way.cost
