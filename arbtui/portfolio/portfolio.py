"""``Portfolio.apply``: the only code that says what an event means for balances, cycles, residuals, PnL and trading state.

A running engine, a restart, ``ledger``, ``status`` and the tests all read the same fold: *live = fold(journal) = after
restart*. The journal applies each event as it gives it a number, so everything that reads the portfolio sees it at once;
that it is durable is waited for before anything is sent.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.journal.events import (
    Adjusted,
    BalanceDisputed,
    BalanceOpened,
    BreachAcknowledged,
    BreachRepeated,
    CycleAcknowledged,
    CycleEnded,
    CycleOpened,
    CycleState,
    DisputeClosed,
    FillRecorded,
    Killed,
    LimitChanged,
    Mark,
    MarksTaken,
    NoticeActed,
    NoticeRead,
    OrderChanged,
    OrderIntended,
    Phase,
    Rearmed,
    Recorded,
    ResidualSettled,
    RouteSwitched,
    RunStarted,
    ScopeRearmed,
    SettlementBegan,
    StateChanged,
    TargetSet,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE, ZERO, plain
from arbtui.model.order import OrderState, Purpose, Side
from arbtui.model.scoped_halts import scope_of
from arbtui.portfolio.accounts import (
    IN_TRANSIT,
    Amounts,
    CycleAccount,
    Dispute,
    OrderRecord,
    PendingRearm,
    RouteRecord,
    Settled,
    add_to,
    amount_at,
    fill_changes,
    fill_key,
    trifles_of,
)
from arbtui.portfolio.counters import Baseline
from arbtui.portfolio.flow import Flow
from arbtui.portfolio.readings import Readings, gain
from arbtui.portfolio.recent import HOUR_MS
from arbtui.portfolio.state import RULES, LimitRecord, PaidIn, PortfolioState, Repeats, RunTally
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.transfers import TransferAccount
from arbtui.portfolio.volatility import Volatility
from arbtui.routes.hops import Node

#: Ended cycles that a late fill is still re-evaluated with; one that comes later is a position of its own.
_KEPT_ENDED = 500
#: Fills by which one that is reported again is recognised, beside those of the cycles that are kept.
_KEPT_FILLS = 4000
_KEPT_PAID_IN = 19
#: Transfers that have ended, for screens.
_KEPT_TRANSFERS = 50
#: Breaches that were repeated: as many as are kept of all (:mod:`arbtui.engine.breaches`).
_REPEATS_KEPT = 500


_PHASES = {
    Purpose.ENTRY: Phase.WORKING,
    Purpose.FOLLOW: Phase.WORKING,
    Purpose.COMPLETE: Phase.HEDGING,
    Purpose.UNWIND: Phase.UNWINDING,
}
_PARTED = frozenset({CycleState.UNWOUND, CycleState.RESIDUAL})
_HEDGES = frozenset({Purpose.COMPLETE, Purpose.UNWIND})
_DONE_BY = {"complete": "completed", "flatten": "flattened"}


#: Why an engine is armed at a start, which is nobody's doing; and who acknowledges breaches that are over.
STARTED = "started"
BY_ITSELF = frozenset({"engine", "recovered"})


class Portfolio(Readings):
    """The fold of a journal's events: readings that only :meth:`apply` changes.

    Args:
        state: of a snapshot; a new one begins before the first event.
    """

    def __init__(self, state: PortfolioState | None = None) -> None:
        super().__init__(state or PortfolioState(rules=RULES))
        self.spans: list[Baseline] = []  #: further moments that a reader counts PnL from, beside the run's start and the day's
        self._nodes: Mapping[tuple[str, str], Node] = {}

    def follow(self, nodes: Mapping[tuple[str, str], Node]) -> None:
        """Keep the float ``available`` and ``target`` of the routes' nodes in step from now on."""
        self._nodes = nodes
        for exchange, asset in nodes:
            self._publish(exchange, asset)

    def apply(self, at: Recorded) -> None:
        """Take one event. Events come in the order of their numbers, each once.

        Raises:
            ValueError: an event is missing or comes again: the caller reads a damaged journal.
        """
        if at.seq != self.state.seq + 1:
            raise ValueError(f"event {at.seq} follows on {self.state.seq}: events are missing or out of order")
        rule = _RULES.get(type(at.event))
        if rule is not None:
            rule(self, at, at.event)
        self.state.seq = at.seq
        if at.run_id and at.run_id == self.state.tally.run_id:
            self.state.time.last_ms = at.ts_ms

    def _run_started(self, at: Recorded, event: RunStarted) -> None:
        state = self.state
        state.currency = event.currency
        if state.settlement != event.settlement:
            state.settlement = event.settlement
            self.under_way = self._open_cycles()
        state.run = Baseline(event.run_id, at.ts_ms, state.counters.copy(), self.prices())
        state.run_started = False
        state.unpriced_fees = {}  # a start reads anew what fees are paid in, and connects the market of that coin
        state.tally = RunTally(event.run_id)
        state.time.start(at.ts_ms)
        state.state = event.start_state
        state.why = state.why if state.resume == TradingState.DISARMED else ""  # who disarmed it, when and why outlives the run

    def _state_changed(self, at: Recorded, event: StateChanged) -> None:
        state = self.state
        state.state, state.why = event.state, event.why
        if event.state == TradingState.ARMED and event.why != STARTED:
            state.unattended = 0
        if event.latched:
            state.resume = event.state
        elif event.state == TradingState.ARMED:
            state.resume = ""
        if event.latched or event.state == TradingState.ARMED:
            state.pending_rearm = None

    def _killed(self, at: Recorded, event: Killed) -> None:
        self.state.killed = True
        self.state.pending_rearm = None

    def _rearmed(self, at: Recorded, event: Rearmed) -> None:
        self.state.killed, self.state.unattended = False, 0
        if event.unchecked:
            self.state.resume = ""
            self.state.pending_rearm = PendingRearm(event.by, event.reason, event.overridden)

    def _attended(self, at: Recorded, event: BreachAcknowledged) -> None:
        if event.by not in BY_ITSELF:
            self.state.unattended = 0

    def _breach_repeated(self, at: Recorded, event: BreachRepeated) -> None:
        before = self.state.repeats.pop(event.breach_id, None) or Repeats()
        self.state.repeats[event.breach_id] = Repeats(before.times + event.times, event.last_ms)
        if len(self.state.repeats) > _REPEATS_KEPT:
            del self.state.repeats[next(iter(self.state.repeats))]

    def _route_switched(self, at: Recorded, event: RouteSwitched) -> None:
        self._route(event.route).enabled = event.enabled
        self.state.unattended = 0

    def _limit_changed(self, at: Recorded, event: LimitChanged) -> None:
        self.state.unattended = 0
        scope = _as_written(event.scope)
        if event.new is None:
            self.state.limits.pop(scope, None)
        else:
            self.state.limits[scope] = LimitRecord(event.new, event.by, event.reason, at.ts_ms)

    def _notice_read(self, at: Recorded, event: NoticeRead) -> None:
        self.state.notices.take_read(event, at.ts_ms)

    def _notice_acted(self, at: Recorded, event: NoticeActed) -> None:
        self.state.notices.take_acted(event, at.ts_ms)

    def _scope_rearmed(self, at: Recorded, event: ScopeRearmed) -> None:
        self.state.notices.take_lifted(event.scope, at.ts_ms)

    def _cycle_opened(self, at: Recorded, event: CycleOpened) -> None:
        reserved: Amounts = {}
        for exchange, asset, amount in event.reserved:
            add_to(reserved, exchange, asset, amount)
        lots: dict[str, Decimal] = {}
        for leg in event.legs:
            lots[leg.base] = max(leg.lot, lots.get(leg.base, ZERO))
            if leg.quote not in self.state.settlement:  # of what one leg brings and another spends, less than an order is dust, too
                lots[leg.quote] = max(leg.least, leg.lot * leg.price, lots.get(leg.quote, ZERO))
        cycle = self.state.cycles[event.cycle_id] = CycleAccount(
            id=event.cycle_id,
            run_id=at.run_id,
            seq=at.seq,
            route=event.route,
            symbol=event.symbol,
            edge_bps=event.edge_bps,
            value=event.value,
            legs=event.legs,
            reserved=reserved,
            opened_ms=event.opened_ms,
            lots=lots,
            trifles=trifles_of(event.legs, self.state.settlement),
            most_cost=event.most_cost,
            transfers=event.transfers,
        )
        self.under_way.add(cycle)
        self.state.tally.opened += 1
        self.state.unattended += 1
        self._count(cycle, None)
        for exchange, asset, _ in event.reserved:
            self._publish(exchange, asset)

    def _order_intended(self, at: Recorded, event: OrderIntended) -> None:
        cycle = self._cycle(at, event.cycle_id, event.base)
        cycle.intended += 1
        cycle.hedges += event.purpose in _HEDGES
        self.state.orders.add(at.ts_ms)
        order = cycle.orders[event.client_order_id] = OrderRecord(event, at.run_id, at.ts_ms, at.ts_ms)
        self._owners[event.client_order_id] = cycle
        self._standing[event.client_order_id] = order
        if event.purpose is Purpose.UNWIND:
            cycle.unwinds.append(event.client_order_id)
        if event.purpose is Purpose.SETTLE:
            cycle.settling_orders.append(event.client_order_id)
        elif cycle.is_open:
            cycle.phase = _PHASES[event.purpose]
        if cycle.uses_what_is_free(event):
            self._unreserved[event.client_order_id] = order
            self._publish_order(event)

    def _order_changed(self, at: Recorded, event: OrderChanged) -> None:
        cycle = self._owners.get(event.client_order_id)
        if cycle is None:
            return
        order = cycle.orders[event.client_order_id]
        if (event.state is OrderState.ABANDONED) != (order.state is OrderState.ABANDONED):
            cycle.abandoned += 1 if event.state is OrderState.ABANDONED else -1
        is_back = order.is_revived or order.state.is_final or not cycle.is_open  # its cycle may have spent on another what it had for it
        order.is_revived = is_back and not (event.state.is_final or order.intent.purpose is Purpose.SETTLE)
        order.state, order.venue_order_id, order.reason = event.state, event.venue_order_id, event.reason
        order.changed_ms = at.ts_ms
        if event.state.is_final:
            self._standing.pop(event.client_order_id, None)
        else:
            self._standing[event.client_order_id] = order
        if event.client_order_id in self._unreserved or order.is_revived or cycle.uses_what_is_free(order.intent):
            if event.state.is_final:
                self._unreserved.pop(event.client_order_id, None)
            else:
                self._unreserved[event.client_order_id] = order
            self._publish_order(order.intent)
        if event.state in _DONE:  # what was refused or dropped may still prove to be there
            del cycle.orders[event.client_order_id], self._owners[event.client_order_id]

    def _fill_recorded(self, at: Recorded, event: FillRecorded) -> None:
        fill, state = event.fill, self.state
        key = fill_key(fill.exchange, fill.trade_id)
        if self.knows_fill(fill.exchange, fill.trade_id, event.cycle_id):
            return
        state.recent_fills[key] = None
        if len(state.recent_fills) > _KEPT_FILLS:
            del state.recent_fills[next(iter(state.recent_fills))]
        cycle = self._cycle(at, event.cycle_id, fill.base)
        for asset, price in event.marks.items():
            if asset not in state.settlement:
                cycle.references.setdefault(asset, price)
            if asset != state.currency and asset not in state.marks:  # equity must know what trading was booked at
                self._first_mark(asset, price)
                state.marks[asset] = Mark(price, "fill", 0)
        marks = {**event.marks, **cycle.references, state.currency: ONE}
        before, seen = cycle.pnl, {} if cycle.is_open else self.left(cycle)
        cycle.fill_keys.append(key)
        cycle.fills += 1
        cycle.undone = cycle.undone or fill.client_order_id in cycle.unwinds
        settles = fill.client_order_id in cycle.settling_orders
        cycle.traded_away = cycle.traded_away or settles
        for asset, change in fill_changes(fill):
            cycle.traded[asset] = None
            if asset not in state.settlement:
                cycle.largest[asset] = max(abs(change), cycle.largest.get(asset, ZERO))
                cycle.turned[asset] = cycle.turned.get(asset, ZERO) + abs(change)
            self._flow(cycle, fill.exchange, asset, change)
            self._move(fill.exchange, asset, change)
            self._leave_open(at, asset, change)
            worth = (state.counters.trade_back if cycle.most_cost else state.counters.trade)(asset, change, marks.get(asset))
            cycle.trading += worth
            if asset not in state.settlement:
                cycle.booked[asset] = cycle.booked.get(asset, ZERO) + worth
        self._flow(cycle, fill.exchange, fill.fee_currency, -fill.fee)
        self._move(fill.exchange, fill.fee_currency, -fill.fee)
        self._leave_open(at, fill.fee_currency, -fill.fee)
        fee_mark = marks.get(fill.fee_currency)
        if cycle.most_cost:
            paid = -state.counters.trade_back(fill.fee_currency, -fill.fee, fee_mark)
        else:
            paid = state.counters.pay(fill.fee_currency, fill.fee, fee_mark)
        cycle.fees += paid
        if fill.fee and fee_mark is None:
            state.unpriced_fees.setdefault(fill.exchange, {})[fill.fee_currency] = None
        if cycle.most_cost:
            self._charge(cycle)
        if fill.fee_currency in cycle.traded and fill.fee_currency not in state.settlement:
            cycle.booked[fill.fee_currency] = cycle.booked.get(fill.fee_currency, ZERO) - paid
        if fill.base in state.settlement and fill.quote in state.settlement and fill.base in marks and fill.quote in marks:
            foreign = fill.quote if fill.quote != state.currency else fill.base
            state.counters.convert(foreign, fill.cost * marks[fill.quote], before - cycle.pnl)
        order = cycle.orders.get(fill.client_order_id)
        if order is not None:
            order.filled_qty += fill.qty
            if fill.client_order_id in self._unreserved:
                self._publish_order(order.intent)
        state.tally.fills += 1
        route = self._route(cycle.route)
        route.fills += 1
        if not cycle.is_open:
            had_parted = cycle.state in _PARTED
            self._re_evaluate(cycle, at.ts_ms)
            held = ((seen.get(asset, ZERO), amount) for asset, amount in self.left(cycle).items())
            if not all(min(was, ZERO) <= amount <= max(was, ZERO) for was, amount in held):
                cycle.acknowledged_by = ""  # what a person has seen of it was less, or on the other side
            if cycle.state in _PARTED and not had_parted:
                self._part(route, at)
            if cycle.pnl < before and not settles and not self._is_meant_to_cost(cycle):  # nor is what a person pays to settle
                route.losses += 1
            self._note_result(at)

    def _cycle_ended(self, at: Recorded, event: CycleEnded) -> None:
        cycle = self.state.cycles.get(event.cycle_id)
        if cycle is None or not cycle.is_open:
            return
        cycle.closed_ms, cycle.ended_in, cycle.reason = event.closed_ms, at.run_id, event.reason
        places = [(exchange, asset) for amounts in (cycle.reserved, cycle.flows) for exchange, held in amounts.items() for asset in held]
        self.under_way.remove(cycle.id)
        self._re_evaluate(cycle, at.ts_ms)
        for exchange, asset in dict.fromkeys(places):
            self._publish(exchange, asset)
        if cycle.state is CycleState.HEDGED:
            self._flowed(cycle, at.ts_ms)
        if cycle.fills and not self._is_meant_to_cost(cycle):
            route = self._route(cycle.route)
            if cycle.pnl < ZERO:
                route.losses += 1
            elif cycle.pnl > ZERO:
                route.losses = 0
        if cycle.state in _PARTED:
            self._part(self._route(cycle.route), at)
        self._note_result(at)

    def _cycle_acknowledged(self, at: Recorded, event: CycleAcknowledged) -> None:
        cycle = self.state.cycles.get(event.cycle_id)
        if cycle is not None:
            cycle.acknowledged_by = event.by

    def _settlement_began(self, at: Recorded, event: SettlementBegan) -> None:
        cycle = self.state.cycles.get(event.cycle_id)
        if cycle is not None and cycle.is_position:
            cycle.settling = Settled(_DONE_BY.get(event.how, event.how), event.by, event.reason, at.ts_ms)

    def _residual_settled(self, at: Recorded, event: ResidualSettled) -> None:
        state, cycle = self.state, self.state.cycles.get(event.cycle_id)
        if cycle is None or not cycle.is_position:
            return
        state.settled_value += gain(cycle, cycle.net(state.settlement), self.prices())
        left, traded = cycle.left(state.settlement), [asset for asset in cycle.traded if asset not in state.settlement]
        for asset in traded:
            for exchange, change in cycle.held(asset).items():
                if asset in left and exchange != IN_TRANSIT:  # the stock that is left is what counts as full from now on
                    add_to(state.targets, exchange, asset, change)
                    self._publish(exchange, asset)
                add_to(cycle.taken, exchange, asset, change)
            cycle.booked.pop(asset, None)  # what its price does from now on is the stock's business
        cycle.settled = Settled(event.how, event.by, event.reason, at.ts_ms)
        self._keep_ended(cycle)

    def _balance_opened(self, at: Recorded, event: BalanceOpened) -> None:
        state = self.state
        for amounts in (state.balances, state.opening, state.targets):
            add_to(amounts, event.exchange, event.asset, event.total)
        mark = self.price(event.asset)
        for counters in (state.counters, *(baseline.counters for baseline in self._baselines())):
            # What a journal begins with is there when its first run and day begin.
            counters.open(event.asset, event.total, mark)
        self._publish(event.exchange, event.asset)

    def _adjusted(self, at: Recorded, event: Adjusted) -> None:
        state = self.state
        add_to(state.balances, event.exchange, event.asset, event.change)
        add_to(state.targets, event.exchange, event.asset, event.change)
        price = self.price(event.asset)
        state.counters.adjust(event.asset, event.change, price)
        if event.kind == "dust" and price is not None:
            state.quiet[event.exchange] = state.quiet.get(event.exchange, ZERO) + abs(event.change) * price
        if event.asset in state.settlement and event.change > ZERO and event.kind == "operator":
            state.paid_in = [*state.paid_in[-_KEPT_PAID_IN:], PaidIn(event.exchange, event.asset, event.change, at.ts_ms)]
        self._publish(event.exchange, event.asset)

    def _target_set(self, at: Recorded, event: TargetSet) -> None:
        state = self.state
        change = event.target - amount_at(state.targets, event.exchange, event.asset)
        state.targets.setdefault(event.exchange, {})[event.asset] = event.target
        if event.asset in state.settlement and event.asset != state.currency:
            state.counters.retarget(event.asset, change, self.price(event.asset))
            self._date_open(at, event.asset, before=state.counters.open_fx[event.asset] + change)
        self._publish(event.exchange, event.asset)

    def _transferred(self, at: Recorded, event: Transferred) -> None:
        state = self.state
        for exchange, change in ((event.from_exchange, -event.sent), (event.to_exchange, event.received)):
            add_to(state.balances, exchange, event.asset, change)
            add_to(state.targets, exchange, event.asset, change)
            self._publish(exchange, event.asset)
        state.counters.rotate(event.asset, event.received - event.sent, self.price(event.asset))

    def _transfer_begun(self, at: Recorded, event: TransferBegun) -> None:
        transfers = self.state.transfers
        transfers[event.transfer_id] = TransferAccount(
            event.transfer_id,
            event.asset,
            event.from_exchange,
            event.to_exchange,
            event.network,
            event.qty,
            event.fee,
            event.minutes,
            event.by,
            event.reason,
            at.ts_ms,
            cycle_id=event.cycle_id,
        )
        cycle = self.under_way.by_id.get(event.cycle_id)
        if cycle is not None:
            cycle.phase, cycle.awaits = Phase.IN_TRANSIT, event.transfer_id
            self.under_way.moves(cycle)
        ended = [key for key, transfer in transfers.items() if not transfer.is_open]
        for key in ended[:-_KEPT_TRANSFERS]:
            del transfers[key]
        self._publish(event.from_exchange, event.asset)

    def _transfer_left(self, at: Recorded, event: TransferLeft) -> None:
        transfer = self.state.transfers.get(event.transfer_id)
        if transfer is None or not transfer.is_open or transfer.left_ms is not None:
            return
        transfer.left, transfer.left_ms = event.qty, at.ts_ms
        self._carry(transfer, transfer.sender, IN_TRANSIT, event.qty)
        self._move(transfer.sender, transfer.asset, -event.qty)

    def _transfer_arrived(self, at: Recorded, event: TransferArrived) -> None:
        transfer = self.state.transfers.get(event.transfer_id)
        if transfer is None or not transfer.is_open:
            return
        transfer.received += event.qty
        transfer.received_ms = at.ts_ms
        self._carry(transfer, IN_TRANSIT, transfer.receiver, event.qty)
        self._move(transfer.receiver, transfer.asset, event.qty)
        if transfer.is_complete:
            self._kept_by_network(transfer, transfer.left - transfer.received)
            self._is_over(transfer, at.ts_ms)

    def _transfer_settled(self, at: Recorded, event: TransferSettled) -> None:
        transfer = self.state.transfers.get(event.transfer_id)
        if transfer is None or not transfer.is_open:
            return
        missing = transfer.under_way
        transfer.settled = Settled(event.how, event.by, event.reason, at.ts_ms)
        if event.how == "returned":
            self._carry(transfer, IN_TRANSIT, transfer.sender, missing)
            self._move(transfer.sender, transfer.asset, missing)
        else:
            self._kept_by_network(transfer, missing)
            self._publish(transfer.sender, transfer.asset)
        self._is_over(transfer, at.ts_ms)

    def _carry(self, transfer: TransferAccount, left: str, came_to: str, qty: Decimal) -> None:
        """What a cycle has moved is that cycle's wherever it is."""
        cycle = self.state.cycles.get(transfer.cycle_id)
        if cycle is not None and qty:
            self._flow(cycle, left, transfer.asset, -qty)
            self._flow(cycle, came_to, transfer.asset, qty)

    def _kept_by_network(self, transfer: TransferAccount, qty: Decimal) -> None:
        """``qty`` of a transfer does not come: the network's fee, or lost. A cycle's is a fee of that cycle, that of stock rotation."""
        if not qty:
            return
        asset, cycle = transfer.asset, self.state.cycles.get(transfer.cycle_id)
        if cycle is None:
            self.state.counters.rotate(asset, -qty, self.price(asset))
            return
        self._flow(cycle, IN_TRANSIT, asset, -qty)
        cycle.network_fees[asset] = cycle.network_fees.get(asset, ZERO) + qty
        paid = self.state.counters.pay(asset, qty, cycle.references.get(asset) or self.price(asset))
        cycle.fees += paid
        if asset not in self.state.settlement:
            cycle.booked[asset] = cycle.booked.get(asset, ZERO) - paid
        if transfer.settled is not None and transfer.settled.how == "lost" and cycle.is_open:
            cycle.lost = transfer.settled

    def _is_over(self, transfer: TransferAccount, ts_ms: int) -> None:
        """Nothing more of ``transfer`` is waited for: what came of it, or is back, may be sold."""
        cycle = self.state.cycles.get(transfer.cycle_id)
        if cycle is not None and cycle.awaits == transfer.id:
            cycle.awaits, cycle.moved_ms = "", ts_ms
            self.under_way.moves(cycle)

    def _balance_disputed(self, at: Recorded, event: BalanceDisputed) -> None:
        self.state.disputes.setdefault(event.exchange, {})[event.asset] = Dispute(event.ours, event.theirs, at.ts_ms)

    def _dispute_closed(self, at: Recorded, event: DisputeClosed) -> None:
        self.state.disputes.get(event.exchange, {}).pop(event.asset, None)

    def _marks_taken(self, at: Recorded, event: MarksTaken) -> None:
        state = self.state
        for asset, mark in event.marks.items():
            if asset not in state.marks:
                self._first_mark(asset, mark.price)
            state.marks[asset] = mark
            state.volatility.setdefault(asset, Volatility()).add(float(mark.price), at.ts_ms)
        if event.cause == "start" and state.run is not None and not state.run_started:
            state.run_started = True
            state.run.marks.update(self.prices())
        if event.cause == "day" or state.day is None:
            prices = self.prices()
            residual = self.position_gain(prices) + state.settled_value
            state.quiet = {}
            state.day = Baseline(event.day, at.ts_ms, state.counters.copy(), prices, state.rebalance_spent, residual)
        state.results.add(at.ts_ms, self.result(self.prices()))

    # parts of the rules

    def _cycle(self, at: Recorded, cycle_id: str, symbol: str) -> CycleAccount:
        """The cycle of that id; one that was forgotten, flat as it was, begins anew as ended."""
        cycle = self.state.cycles.get(cycle_id)
        if cycle is None:
            cycle = CycleAccount(cycle_id, at.run_id, at.seq, "", symbol, state=CycleState.HEDGED, closed_ms=at.ts_ms, reason="LATE_FILL")
            self.state.cycles[cycle_id] = cycle
            self._count(cycle, None)
        return cycle

    def _route(self, route_id: str) -> RouteRecord:
        record = self.state.routes.get(route_id)
        if record is None:
            record = self.state.routes[route_id] = RouteRecord()
        return record

    @staticmethod
    def _part(route: RouteRecord, at: Recorded) -> None:
        """A cycle of ``route`` ended with a leg taken back or left over, or a late fill has left it so."""
        route.parted = [*(one for one in route.parted if one > at.ts_ms - HOUR_MS), at.ts_ms]

    def _note_result(self, at: Recorded) -> None:
        """What has been made, where nothing is one-sided: no price is needed to know it. Between marks, else."""
        if not self.open_cycles and not self._positions:
            self.state.results.add(at.ts_ms, self.result({}))

    def _charge(self, cycle: CycleAccount) -> None:
        """Charge what a reverse trade has cost so far to the budget of rebalancing.

        What one of an earlier day gives back was that day's: it is nothing that this one may spend.
        """
        cost, day = max(ZERO, -cycle.pnl), self.state.day
        change = cost - cycle.charged
        self.state.rebalance_spent += change
        if change < ZERO and day is not None and cycle.opened_ms < day.ts_ms:
            day.rebalance_spent += change
        cycle.charged = cost

    def _flowed(self, cycle: CycleAccount, ts_ms: int) -> None:
        """Count what a hedged cycle moved at each place: how long stock lasts is measured by it."""
        now_s = self.state.time.seconds(ts_ms)
        for exchange, changes in cycle.flows.items():
            if exchange == IN_TRANSIT:
                continue
            flows = self.state.flows.setdefault(exchange, {})
            for asset, change in changes.items():
                flows.setdefault(asset, Flow()).add(float(change), now_s)

    def _re_evaluate(self, cycle: CycleAccount, ts_ms: int) -> None:
        """Set how an ended cycle stands from what its orders and fills say."""
        before, was_settled, cycle.state = cycle.state, cycle.settled is not None, cycle.outcome(self.state.settlement)
        if cycle.state is not before:
            self._count(cycle, before)
        left = cycle.left(self.state.settlement)
        if not cycle.leaves_trifles(self.state.settlement):
            cycle.settled = None  # also where something came after it was settled
        elif cycle.state is CycleState.RESIDUAL and cycle.settled is None:
            by = cycle.settling or cycle.lost
            if by is not None:
                cycle.settled = Settled(by.how, by.by, by.reason, ts_ms)
            elif left:
                amounts = ", ".join(f"{plain(amount)} {asset}" for asset, amount in left.items())
                cycle.settled = Settled("dust", "", f"{amounts}: too little for an order", ts_ms)
            else:
                cycle.settled = Settled("completed by a late fill", "", "", ts_ms)
        if cycle.is_position:
            if before is not CycleState.RESIDUAL or was_settled:
                cycle.acknowledged_by = ""  # of what it is now, nobody has seen anything
            self.state.ended.pop(cycle.id, None)
            self._positions[cycle.id] = None
        else:
            self._keep_ended(cycle)

    def _keep_ended(self, cycle: CycleAccount) -> None:
        cycle.legs, cycle.transfers, cycle.reserved = (), (), {}
        self._positions.pop(cycle.id, None)
        self.state.ended[cycle.id] = None
        while len(self.state.ended) > _KEPT_ENDED:
            oldest = next((key for key in self.state.ended if self._is_settled(self.state.cycles[key])), None)
            if oldest is None:
                return
            del self.state.ended[oldest]
            for key in self.state.cycles.pop(oldest).orders:
                del self._owners[key]

    @staticmethod
    def _is_settled(cycle: CycleAccount) -> bool:
        return all(order.state.is_final for order in cycle.orders.values())

    def _count(self, cycle: CycleAccount, before: CycleState | None) -> None:
        """``cycle`` stands as it does now, and as ``before`` no more. A run counts what was opened or ended in it, no other."""
        state, tally = self.state, self.state.tally
        is_own, ended_here = cycle.run_id == tally.run_id, cycle.ended_in == tally.run_id
        changes = [(cycle.state, 1)] if before is None else [(before, -1), (cycle.state, 1)]
        for one, change in changes:
            state.outcomes[one] = state.outcomes.get(one, 0) + change
            if is_own if one is CycleState.OPEN else is_own or ended_here:
                tally.outcomes[one] = tally.outcomes.get(one, 0) + change

    def _baselines(self) -> Iterator[Baseline]:
        for baseline in (self.state.run, self.state.day, *self.spans):
            if baseline is not None:
                yield baseline

    def _move(self, exchange: str, asset: str, change: Decimal) -> None:
        add_to(self.state.balances, exchange, asset, change)
        self._publish(exchange, asset)

    def _flow(self, cycle: CycleAccount, exchange: str, asset: str, change: Decimal) -> None:
        """``cycle`` has moved ``asset`` at a place."""
        add_to(cycle.flows, exchange, asset, change)
        self.under_way.flowed(cycle, exchange, asset)

    def _is_meant_to_cost(self, cycle: CycleAccount) -> bool:
        """Whether a loss of ``cycle`` says nothing against its route: it trades a currency back, or brings stock back."""
        return bool(cycle.most_cost) or cycle.converts(self.state.settlement)

    def _leave_open(self, at: Recorded, asset: str, change: Decimal) -> None:
        """Trading moved ``asset``: of a settlement currency other than the PnL's, so much more or less is open."""
        state = self.state
        if asset == state.currency or asset not in state.settlement or not change:
            return
        left = state.counters.leave_open(asset, change)
        self._date_open(at, asset, before=left - change)

    def _date_open(self, at: Recorded, asset: str, *, before: Decimal) -> None:
        """Since when it is open the way it is now."""
        state = self.state
        left = state.counters.open_fx[asset]
        if not left:
            state.open_since.pop(asset, None)
        elif not before or (before > ZERO) != (left > ZERO):
            state.open_since[asset] = at.ts_ms

    def _first_mark(self, asset: str, mark: Decimal) -> None:
        """Value what moved before ``asset`` had a mark, and price the spans that began before it."""
        for counters in (self.state.counters, *(baseline.counters for baseline in self._baselines())):
            counters.first_mark(asset, mark)
        for baseline in self._baselines():
            baseline.marks.setdefault(asset, mark)
        for coins in self.state.unpriced_fees.values():
            coins.pop(asset, None)

    def _publish_order(self, intent: OrderIntended) -> None:
        self._publish(intent.exchange, intent.base if intent.side is Side.SELL else intent.quote)

    def _publish(self, exchange: str, asset: str) -> None:
        node = self._nodes.get((exchange, asset))
        if node is not None:
            node.available = float(self.available(exchange, asset))
            node.target = float(amount_at(self.state.targets, exchange, asset))

    # snapshots

    def dump(self) -> dict[str, Any]:
        """All of it as JSON can hold it; money and quantities as strings."""
        dumped: dict[str, Any] = msgspec.to_builtins(self.state, str_keys=True)
        return dumped

    def encode(self) -> bytes:
        """What :meth:`dump` gives, written as JSON, without the dicts in between."""
        return msgspec.json.encode(self.state)

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> "Portfolio":
        """The portfolio that was dumped.

        Raises:
            ValueError: this is no dump of this version: what an earlier one did not count, only the events can tell.
        """
        missing = [name for name in PortfolioState.__struct_fields__ if name not in dumped]
        if missing:
            raise ValueError(f"an earlier version wrote it, without {', '.join(missing)}")
        state = msgspec.convert(dumped, PortfolioState, str_keys=True)
        if state.rules != RULES:
            raise ValueError(f"folded by the rules {state.rules}, these are {RULES}")
        return cls(state)


def _as_written(limit_scope: str) -> str:
    """A limit's scope as scopes are written: earlier versions journaled ``symbol.xrp.order_value``, which no limit is asked by."""
    place, _, limit = limit_scope.rpartition(".")
    try:
        return f"{scope_of(place)}.{limit}"
    except UsageError:  # for all of a tier, or of nothing that there is
        return limit_scope


#: An order that ended so can never fill again.
_DONE = frozenset({OrderState.FILLED, OrderState.EXPIRED, OrderState.CANCELED})


_RULES: dict[type[Any], Callable[[Portfolio, Recorded, Any], None]] = {
    RunStarted: Portfolio._run_started,
    StateChanged: Portfolio._state_changed,
    Killed: Portfolio._killed,
    Rearmed: Portfolio._rearmed,
    BreachRepeated: Portfolio._breach_repeated,
    BreachAcknowledged: Portfolio._attended,
    RouteSwitched: Portfolio._route_switched,
    LimitChanged: Portfolio._limit_changed,
    NoticeRead: Portfolio._notice_read,
    NoticeActed: Portfolio._notice_acted,
    ScopeRearmed: Portfolio._scope_rearmed,
    CycleOpened: Portfolio._cycle_opened,
    OrderIntended: Portfolio._order_intended,
    OrderChanged: Portfolio._order_changed,
    FillRecorded: Portfolio._fill_recorded,
    CycleEnded: Portfolio._cycle_ended,
    CycleAcknowledged: Portfolio._cycle_acknowledged,
    SettlementBegan: Portfolio._settlement_began,
    ResidualSettled: Portfolio._residual_settled,
    BalanceOpened: Portfolio._balance_opened,
    Adjusted: Portfolio._adjusted,
    TargetSet: Portfolio._target_set,
    Transferred: Portfolio._transferred,
    TransferBegun: Portfolio._transfer_begun,
    TransferLeft: Portfolio._transfer_left,
    TransferArrived: Portfolio._transfer_arrived,
    TransferSettled: Portfolio._transfer_settled,
    BalanceDisputed: Portfolio._balance_disputed,
    DisputeClosed: Portfolio._dispute_closed,
    MarksTaken: Portfolio._marks_taken,
}
