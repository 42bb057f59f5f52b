"""What can be read of a portfolio: what is held and free, what is under way, what it is worth.

Nothing here changes anything; what changes it is an event (:meth:`arbtui.portfolio.portfolio.Portfolio.apply`).
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from arbtui.model.money import ONE, ZERO
from arbtui.portfolio.accounts import CycleAccount, OrderRecord, amount_at, fill_key
from arbtui.portfolio.counters import Baseline, Counters
from arbtui.portfolio.flow import Runway, runway
from arbtui.portfolio.open_cycles import OpenCycles
from arbtui.portfolio.open_fx import OpenFx
from arbtui.portfolio.state import PortfolioState
from arbtui.portfolio.transfers import TransferAccount
from arbtui.portfolio.valuation import Pnl, Valuation, value


class Readings:
    """Answers from a portfolio's state. Quantities in units of their asset, money in the PnL currency.

    Args:
        state: all that is known; a reading is always of what it holds now.
    """

    def __init__(self, state: PortfolioState) -> None:
        self.state = state
        # Found without a search; the fold keeps them in step with the cycles.
        self.under_way = self._open_cycles()  #: the open cycles, and what they come to all together
        self._owners = {key: cycle for cycle in state.cycles.values() for key in cycle.orders}  # by client order id
        self._standing = self._standing_orders()
        self._positions = {cycle.id: None for cycle in state.cycles.values() if cycle.is_position}
        self._unreserved = {  # by client id: orders that may still fill, and for which nothing was set aside
            key: order
            for cycle in state.cycles.values()
            for key, order in cycle.orders.items()
            if (order.is_revived or cycle.uses_what_is_free(order.intent)) and not order.state.is_final
        }

    def _open_cycles(self) -> OpenCycles:
        return OpenCycles((cycle for cycle in self.state.cycles.values() if cycle.is_open), self.state.settlement)

    def _standing_orders(self) -> dict[str, OrderRecord]:
        """By client id: orders that may still fill, whatever their cycle."""
        orders = ((key, order) for cycle in self.state.cycles.values() for key, order in cycle.orders.items())
        return {key: order for key, order in orders if not order.state.is_final}

    def out_of_step(self) -> list[str]:
        """Which of the indexes and sums that are kept beside the state are not what the state says, by name: none, or the fold is wrong."""
        kept, fresh = self.under_way.sums(), self._open_cycles().sums()
        wrong = [name for name, value in fresh.items() if kept[name] != value]
        return wrong if self._standing == self._standing_orders() else [*wrong, "open orders"]

    # what is held

    def total(self, exchange: str, asset: str) -> Decimal:
        """All that is held of ``asset`` at ``exchange``."""
        return amount_at(self.state.balances, exchange, asset)

    def reserved(self, exchange: str, asset: str) -> Decimal:
        """What open cycles keep for themselves there, what orders for which nothing was set aside may still use, and what is to leave."""
        kept = self.under_way.reserved(exchange, asset)
        if self.state.transfers:
            kept += self.leaving(exchange, asset)
        return kept + self._still_used(exchange, asset) if self._unreserved else kept

    def available(self, exchange: str, asset: str, cycle_id: str = "") -> Decimal:
        """What a new cycle may use there; for ``cycle_id``, what that one may use: its own reservation is its own."""
        free = self.total(exchange, asset) - self.reserved(exchange, asset)
        mine = self.state.cycles.get(cycle_id)
        if mine is None:
            return free
        return free + mine.still_reserved(exchange, asset) + self._still_used(exchange, asset, cycle_id)

    def runway(self, exchange: str, asset: str, ts_ms: int | None = None) -> Runway:
        """How long what is free there lasts at the measured flow, at ``ts_ms`` (wall clock), or at the last event."""
        flow = self.state.flows.get(exchange, {}).get(asset)
        return runway(float(self.available(exchange, asset)), flow, self.state.time.seconds(ts_ms))

    def _still_used(self, exchange: str, asset: str, cycle_id: str = "") -> Decimal:
        """What orders may still use there for which nothing was set aside, fees apart: their worst price covers those.

        ``cycle_id``: of that cycle alone.
        """
        orders = [order for order in self._unreserved.values() if cycle_id in ("", order.intent.cycle_id)]
        return sum((order.still_uses(exchange, asset) for order in orders), ZERO)

    @property
    def open_transfers(self) -> list[TransferAccount]:
        """Transfers of which anything is still waited for, oldest first."""
        return [transfer for transfer in self.state.transfers.values() if transfer.is_open]

    def leaving(self, exchange: str, asset: str) -> Decimal:
        """What is to leave there by a transfer of stock, and has not yet; what a cycle has moved, its account keeps."""
        mine = (one for one in self.state.transfers.values() if (one.sender, one.asset, one.cycle_id) == (exchange, asset, ""))
        return sum((one.waiting for one in mine), ZERO)

    def coming(self, exchange: str, asset: str) -> Decimal:
        """What should still be credited there by transfers of stock, fees apart."""
        mine = (one for one in self.state.transfers.values() if (one.receiver, one.asset, one.cycle_id) == (exchange, asset, ""))
        return sum((one.expected for one in mine), ZERO)

    def in_transit(self) -> dict[str, Decimal]:
        """What has left one venue and not come to the other, by asset; in equity, and at no venue."""
        found: dict[str, Decimal] = {}
        for transfer in self.state.transfers.values():
            if transfer.under_way:
                found[transfer.asset] = found.get(transfer.asset, ZERO) + transfer.under_way
        return found

    def differences(self, exchange: str, theirs: Mapping[str, Decimal]) -> list[tuple[str, Decimal, Decimal]]:
        """(asset, ours, theirs) wherever the venue's total is another than ours."""
        ours = self.state.balances.get(exchange, {})
        return [
            (asset, ours.get(asset, ZERO), theirs.get(asset, ZERO))
            for asset in [*ours, *(asset for asset in theirs if asset not in ours)]
            if ours.get(asset, ZERO) != theirs.get(asset, ZERO)
        ]

    # cycles and orders

    @property
    def open_cycles(self) -> Collection[CycleAccount]:
        """Cycles that have not ended, oldest first."""
        return self.under_way.by_id.values()

    @property
    def positions(self) -> list[CycleAccount]:
        """Ended cycles that leave something one-sided, oldest first."""
        return [self.state.cycles[key] for key in self._positions]

    @property
    def has_positions(self) -> bool:
        """Whether there is any of :attr:`positions`."""
        return bool(self._positions)

    @property
    def open_orders(self) -> list[OrderRecord]:
        """Orders that may still fill, oldest first, whatever their cycle."""
        return list(self._standing.values())

    @property
    def unreserved_orders(self) -> Collection[OrderRecord]:
        """Orders that may still fill, with nothing set aside for them: of settlements, of legs that have moved, and revived ones."""
        return self._unreserved.values()

    def revived_orders(self) -> list[OrderRecord]:
        """Orders that had counted as absent, or whose cycle has ended, and that may still fill."""
        return [order for order in self._unreserved.values() if order.is_revived]

    def cycle(self, cycle_id: str) -> CycleAccount | None:
        """One cycle, if it is still kept."""
        return self.state.cycles.get(cycle_id)

    def cycle_of_order(self, client_order_id: str) -> CycleAccount | None:
        """The cycle of an order that may still fill or prove to be there; None for any other."""
        return self._owners.get(client_order_id)

    def knows_fill(self, exchange: str, trade_id: str, cycle_id: str) -> bool:
        """Whether a fill is booked already."""
        key = fill_key(exchange, trade_id)
        cycle = self.state.cycles.get(cycle_id)
        return key in self.state.recent_fills or (cycle is not None and key in cycle.fill_keys)

    def left(self, cycle: CycleAccount) -> dict[str, Decimal]:
        """What ``cycle`` leaves one-sided, by asset, in units."""
        return cycle.left(self.state.settlement)

    # money

    def prices(self) -> dict[str, Decimal]:
        """The last mark of each asset, in the PnL currency for one unit."""
        return {asset: mark.price for asset, mark in self.state.marks.items()} | {self.state.currency: ONE}

    def price(self, asset: str) -> Decimal | None:
        """The last mark of ``asset``, in the PnL currency for one unit; None while it has none."""
        if asset == self.state.currency:
            return ONE
        mark = self.state.marks.get(asset)
        return None if mark is None else mark.price

    def value(self, marks: Mapping[str, Decimal] | None = None) -> Valuation:
        """What it is worth at ``marks``, or at the last ones that were taken."""
        return value(self.state.counters, self.prices() if marks is None else marks, self.state.currency, self.state.settlement)

    def pnl_since(self, baseline: Baseline | None, marks: Mapping[str, Decimal] | None = None) -> Pnl:
        """The PnL since a run or a day began; since the journal began without one."""
        now = self.value(marks)
        return now.so_far if baseline is None else now.since(self.value_at(baseline))

    def value_at(self, baseline: Baseline) -> Valuation:
        """What the portfolio was worth at ``baseline``, at the prices that it counts from."""
        return value(baseline.counters, baseline.marks, self.state.currency, self.state.settlement)

    def open_amount(self, asset: str) -> Decimal:
        """What trading left open of a settlement currency, in units: balance less target, over all exchanges."""
        return self.state.counters.open_fx.get(asset, ZERO)

    def open_fx(self, marks: Mapping[str, Decimal] | None = None, since: Baseline | None = None) -> list[OpenFx]:
        """What is open of every settlement currency but the PnL's; what conversions came to and cost since then, or since ever."""
        state = self.state
        prices = self.prices() if marks is None else marks
        start = Counters() if since is None else since.counters
        found = []
        for asset in state.settlement:
            if asset == state.currency or asset not in state.counters.qty:
                continue
            amount, price = self.open_amount(asset), prices.get(asset)
            worth = None if price is None else amount * price
            converted = state.counters.converted.get(asset, ZERO) - start.converted.get(asset, ZERO)
            cost = state.counters.conversion_cost.get(asset, ZERO) - start.conversion_cost.get(asset, ZERO)
            found.append(OpenFx(asset, amount, worth, state.open_since.get(asset), converted, cost, state.currency))
        return found

    def position_gain(self, marks: Mapping[str, Decimal]) -> Decimal:
        """What prices did to what open cycles and positions hold one-sidedly, since they traded it."""
        held = [*self.under_way.one_sided(), *((cycle, cycle.net(self.state.settlement)) for cycle in self.positions)]
        return sum((gain(cycle, net, marks) for cycle, net in held), ZERO)

    def loss_today(self, marks: Mapping[str, Decimal]) -> Decimal:
        """What the desk's day has lost so far, for the loss limit: trading, fees, rotation, and what prices did to one-sided positions."""
        return self.loss_of_day(self.result(marks))

    def loss_of_day(self, result: Decimal) -> Decimal:
        """The same, computed from a :meth:`result` that the caller has already."""
        day = self.state.day
        return -(result - _earned(day.counters) - day.residual if day is not None else result)

    def rebalance_spent_today(self) -> Decimal:
        """What reverse trades have cost in the desk's day; never less than nothing."""
        state = self.state
        return state.rebalance_spent - (state.day.rebalance_spent if state.day is not None else ZERO)

    def rebalance_at_stake(self) -> Decimal:
        """What open reverse trades may still cost, beyond what they have been charged."""
        return sum((max(ZERO, cycle.most_cost - cycle.charged) for cycle in self.open_cycles if cycle.most_cost), ZERO)

    def result(self, marks: Mapping[str, Decimal]) -> Decimal:
        """What trading has made since the journal began, at ``marks``: for the limits of a day, an hour and a drawdown."""
        return _earned(self.state.counters) + self.position_gain(marks) + self.state.settled_value


def gain(cycle: CycleAccount, net: Mapping[str, Decimal], marks: Mapping[str, Decimal]) -> Decimal:
    """What prices did to ``net``, which ``cycle`` holds one-sidedly, since it traded it; in the PnL currency."""
    found = ZERO
    for asset, amount in net.items():
        mark = marks.get(asset)
        if mark is not None:
            found += amount * mark - cycle.booked.get(asset, ZERO)
    return found


def _earned(counters: Counters) -> Decimal:
    return counters.trading - counters.fees + counters.rotation
