"""What an operator decides of positions and balances, as events: the same whether an engine runs or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.journal.events import (
    MARKET_GONE,
    TAKEN_OVER,
    Adjusted,
    CycleEnded,
    DisputeClosed,
    Event,
    OrderChanged,
    Phase,
    ResidualSettled,
    StateChanged,
    TargetSet,
    TransferBegun,
    TransferSettled,
)
from arbtui.model.clock import iso_ms
from arbtui.model.counted import counted
from arbtui.model.money import ZERO, plain
from arbtui.model.order import OrderState
from arbtui.portfolio.accounts import CycleAccount, OrderRecord, amount_at
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState


def write_off(portfolio: Portfolio, cycle_id: str, by: str, reason: str) -> Sequence[Event] | str:
    """The events that take the residual of a cycle for stock, or why there are none. Balances stay as they are."""
    cycle = portfolio.cycle(cycle_id)
    if cycle is None or not cycle.is_position:
        open_ones = ", ".join(position.id for position in portfolio.positions) or "none"
        return f"{cycle_id} leaves no position; open positions: {open_ones}"
    return (ResidualSettled(cycle_id, "written off", by, reason),)


def equal_disputes(portfolio: Portfolio, cycle: CycleAccount) -> list[tuple[str, str, Decimal]]:
    """Disputed balances that differ by just what ``cycle`` leaves one-sided: somebody traded it by hand. (exchange, asset, change)."""
    left = portfolio.left(cycle)
    found = []
    for exchange, disputed in portfolio.state.disputes.items():
        for asset, dispute in disputed.items():
            change = dispute.theirs - portfolio.total(exchange, asset)
            if asset in left and cycle.is_settled_by(asset, left[asset] + change):
                found.append((exchange, asset, change))
    return found


def settle_by_adjustment(portfolio: Portfolio, cycle_id: str, exchange: str, by: str, reason: str) -> Sequence[Event] | str:
    """The events that take the venue's word for a balance that differs by what a cycle leaves, which is settled by that; or why none.

    ``exchange``: where; empty where only one comes into question.
    """
    written = write_off(portfolio, cycle_id, by, reason)
    cycle = portfolio.cycle(cycle_id)
    if isinstance(written, str) or cycle is None:
        return written
    equal = [row for row in equal_disputes(portfolio, cycle) if row[0] == (exchange or row[0])]
    if len(equal) != 1 or len(portfolio.left(cycle)) != 1:
        return f"no disputed balance{f' at {exchange}' if exchange else ''} differs by what {cycle_id} leaves; see arbtui adjust"
    ((place, asset, _),) = equal
    adjusted = adjustment(portfolio, place, asset, by, reason)
    return adjusted if isinstance(adjusted, str) else (*adjusted, ResidualSettled(cycle_id, "adjusted", by, reason))


def adjustment(portfolio: Portfolio, exchange: str, asset: str, by: str, reason: str) -> Sequence[Event] | str:
    """The events that take the venue's word for a disputed balance, or why there are none.

    What we have traded since is not in that word: it is asked for again first.
    """
    dispute = portfolio.state.disputes.get(exchange, {}).get(asset)
    if dispute is None:
        places = _venues(portfolio)
        return f"{exchange} disputes no balance of {asset}" if exchange in places else _no_venue(exchange, places)
    held = portfolio.total(exchange, asset)
    if held != dispute.ours:
        moved = f"{exchange} said {plain(dispute.theirs)} {asset} when we held {plain(dispute.ours)}, and we hold {plain(held)} now"
        return f"{moved}: an engine that runs, or the next start, compares them again; decide then"
    change = dispute.theirs - held
    text = f"{reason} (the venue says {plain(dispute.theirs)})"
    return Adjusted(exchange, asset, change, text, "operator", by), DisputeClosed(exchange, asset, by, reason)


def lost_orders(portfolio: Portfolio) -> list[OrderRecord]:
    """Open orders whose market is gone from their venue: no start can find out what became of them."""
    return [order for order in portfolio.open_orders if order.reason == MARKET_GONE]


def end_order(portfolio: Portfolio, client_order_id: str, by: str, reason: str, ts_ms: int) -> Sequence[Event] | str:
    """The events that end an order whose market is gone, or why there are none.

    What it may have moved is in the venue's balances, so no dispute of them may be open. Its cycle ends with it, as what the fills that
    are known leave: hedging it on by itself could trade once more what a person has adjusted for. Other orders of the cycle that are
    lost in the same way end too. ``ts_ms``: now.
    """
    lost = {order.intent.client_order_id: order for order in lost_orders(portfolio)}
    chosen = lost.get(client_order_id)
    if chosen is None:
        if any(order.intent.client_order_id == client_order_id for order in portfolio.open_orders):
            return f"{client_order_id}: no venue has said that its market is gone: an engine that runs, or the next start, looks it up"
        return f"{client_order_id} is no open order; those whose market is gone: {', '.join(lost) or 'none'}"
    cycle_id = chosen.intent.cycle_id
    together = [order for order in lost.values() if order.intent.cycle_id == cycle_id]
    for order in together:
        for asset in (order.intent.base, order.intent.quote):
            if asset in portfolio.state.disputes.get(order.intent.exchange, {}):
                return f"{order.intent.exchange} disputes its balance of {asset}: decide that first, with arbtui adjust"
    for order in portfolio.open_orders:
        if order.intent.cycle_id == cycle_id and order not in together:
            other = order.intent.client_order_id
            return (
                f"order {other} of the same cycle is not known yet, and can be: an engine that runs, or the next start, looks it up first"
            )
    text = f"{TAKEN_OVER} by {by}: {reason}"
    events: list[Event] = [
        OrderChanged(order.intent.client_order_id, OrderState.CANCELED, order.venue_order_id, order.filled_qty, text) for order in together
    ]
    cycle = portfolio.cycle(cycle_id)
    if cycle is not None and cycle.is_open and not cycle.awaits:
        events.append(CycleEnded(cycle_id, ts_ms, TAKEN_OVER))
    return events


def end_order_preview(portfolio: Portfolio, client_order_id: str) -> str:
    """What :func:`end_order` does, in words."""
    order = next((order for order in lost_orders(portfolio) if order.intent.client_order_id == client_order_id), None)
    if order is None:
        return ""
    intent, cycle = order.intent, portfolio.cycle(order.intent.cycle_id)
    what = f"{intent.side} {plain(intent.qty)} {intent.base} at {plain(intent.price)} {intent.quote}"
    does = (
        f"end order {client_order_id} ({what} at {intent.exchange}), whose market is gone: what it moved is what the venue's balances say"
    )
    if cycle is None or not cycle.is_open:
        return does
    left = ", ".join(f"{plain(amount)} {asset}" for asset, amount in portfolio.left(cycle).items())
    return f"{does}; its cycle {cycle.id} ends, and {f'leaves {left} by the fills that are known' if left else 'leaves nothing'}"


DISARMED_ALREADY = "DISARMED already, also after a restart"


def disarmed(portfolio: Portfolio, by: str, source: str, reason: str, ts_ms: int) -> Sequence[Event] | str:
    """The event that disarms a profile on which no engine runs, for its next starts, or why there is none."""
    if portfolio.state.killed:
        return "HALTED: a kill holds, and is latched too"
    if portfolio.state.resume == TradingState.DISARMED:
        return DISARMED_ALREADY
    left = [cycle for cycle in portfolio.open_cycles if cycle.phase is not Phase.IN_TRANSIT]
    if left:  # a start that is DISARMED would not send its hedge
        return f"{counted(len(left), 'cycle')} left open by its last run: start it, and disarm once none is"
    return (StateChanged(TradingState.DISARMED, disarmed_since(ts_ms, f"{by} ({source})", reason), latched=True),)


def disarmed_since(ts_ms: int, by: str, reason: str) -> str:
    """``since 2026-11-29 10:33:46Z by ann (CLI): lunch``: what is kept of a disarming, and shown until somebody arms."""
    told = reason.strip()
    return f"since {iso_ms(ts_ms)[:19].replace('T', ' ')}Z by {by}{f': {told}' if told else ''}"


def _venues(portfolio: Portfolio) -> list[str]:
    return sorted({*portfolio.state.balances, *portfolio.state.targets})


def _no_venue(exchange: str, places: Sequence[str]) -> str:
    return f"no venue {exchange!r} in this journal; there are {', '.join(places) or 'none yet'}"


def new_target(portfolio: Portfolio, exchange: str, asset: str, target: Decimal, by: str, reason: str) -> Sequence[Event] | str:
    """The event that sets how much of ``asset`` ``exchange`` should hold, in units, or why there is none."""
    state, places = portfolio.state, _venues(portfolio)
    if exchange not in places:
        return _no_venue(exchange, places)
    if not target.is_finite() or target < ZERO:
        return f"{plain(target)} is no target: give 0 or more units of {asset}"
    if target > ZERO and all(asset not in {*state.balances.get(place, ()), *state.targets.get(place, ())} for place in places):
        return f"no venue holds {asset}, or ever did: name an asset of arbtui stock"
    before = amount_at(state.targets, exchange, asset)
    if target == before:
        return f"the target of {asset} at {exchange} is {plain(before)} already"
    return (TargetSet(exchange, asset, target, before, by, reason),)


def target_preview(portfolio: Portfolio, exchange: str, asset: str, target: Decimal) -> str:
    """What :func:`new_target` does, in words."""
    before, held = amount_at(portfolio.state.targets, exchange, asset), portfolio.total(exchange, asset)
    return f"target of {asset} at {exchange}: {plain(before)} -> {plain(target)} (it holds {plain(held)}); nothing is traded or moved"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that a person makes: ``qty`` leaves the sender, ``fee`` of it stays with the network."""

    asset: str
    sender: str
    receiver: str
    qty: Decimal
    network: str
    fee: Decimal
    minutes: float

    def in_words(self) -> str:
        """What it does."""
        way = f"{plain(self.qty)} {self.asset} from {self.sender} to {self.receiver} by {self.network}"
        return f"{way}, of which {plain(self.qty - self.fee)} should come in {self.minutes:g} min"


def begin_transfer(portfolio: Portfolio, wanted: Transfer, by: str, reason: str, cycle_id: str = "") -> Sequence[Event] | str:
    """The event that a person makes ``wanted`` at the venue, or why it cannot be recorded. Nothing is sent from here.

    ``cycle_id``: of the cycle that bought the coins and sells them once they have come.
    """
    places = dict.fromkeys([*portfolio.state.balances, *portfolio.state.targets])
    for name in (wanted.sender, wanted.receiver):
        if name not in places:
            return f"no venue {name!r} in this journal; there are {', '.join(sorted(places)) or 'none yet'}"
    if wanted.sender == wanted.receiver:
        return f"a transfer from {wanted.sender} to itself moves nothing"
    if not (wanted.qty.is_finite() and wanted.fee.is_finite() and wanted.qty > wanted.fee >= ZERO):
        return f"{plain(wanted.qty)} {wanted.asset} with a fee of {plain(wanted.fee)}: the amount must be more than the fee, both 0 or more"
    if not 0.0 < wanted.minutes <= 100_000.0:
        return f"{wanted.minutes:g} min: give what it usually takes, more than 0"
    for one in portfolio.open_transfers:
        same_way = (one.asset, one.sender, one.receiver) == (wanted.asset, wanted.sender, wanted.receiver)
        # A cycle's is moved whole, so that it can be told from one of stock by its amount.
        is_of_kind = bool(one.cycle_id) == bool(cycle_id)
        if same_way and (is_of_kind or one.looks_like(wanted.qty, wanted.fee)):
            return f"{one.id} moves {one.asset} from {one.sender} to {one.receiver} already ({one.state}): wait for it, or settle it"
    free = portfolio.available(wanted.sender, wanted.asset, cycle_id)
    if free < wanted.qty:
        return f"{wanted.sender} has {plain(free)} {wanted.asset} free, not {plain(wanted.qty)}"
    number = f"T{portfolio.state.seq + 1}"
    facts = (wanted.asset, wanted.sender, wanted.receiver, wanted.network, wanted.qty, wanted.fee, wanted.minutes)
    return (TransferBegun(number, *facts, by, reason, cycle_id),)


def settle_transfer(portfolio: Portfolio, transfer_id: str, how: str, by: str, reason: str) -> Sequence[Event] | str:
    """The event that ends a transfer which did not come whole, or why there is none."""
    transfer = portfolio.state.transfers.get(transfer_id)
    if transfer is None or not transfer.is_open:
        open_ones = ", ".join(one.id for one in portfolio.open_transfers) or "none"
        return f"{transfer_id} is not under way; open transfers: {open_ones}"
    allowed = ("cancelled",) if transfer.left_ms is None else ("returned", "lost")
    if how not in allowed:
        word = "it has not left yet" if transfer.left_ms is None else "it has left"
        return f"{transfer_id}: {word}, so it can be settled as {' or '.join(allowed)}"
    return (TransferSettled(transfer_id, how, by, reason),)


def settle_transfer_preview(portfolio: Portfolio, transfer_id: str, how: str) -> str:
    """What :func:`settle_transfer` does, in words."""
    transfer = portfolio.state.transfers.get(transfer_id)
    if transfer is None:
        return ""
    words = {
        "cancelled": f"nothing left {transfer.sender}: {plain(transfer.qty)} {transfer.asset} may be used there again",
        "returned": f"{plain(transfer.under_way)} {transfer.asset} are back at {transfer.sender}",
        "lost": f"{plain(transfer.under_way)} {transfer.asset} do not come any more: that is a loss",
    }
    return f"{transfer_id} {how}: {words.get(how, '')}"


def write_off_preview(cycle_id: str) -> str:
    """What :func:`write_off` does, in words."""
    return f"write off what cycle {cycle_id} left: it counts as stock from then on, balances stay as they are"


def adjustment_preview(portfolio: Portfolio, exchange: str, asset: str) -> str:
    """What :func:`adjustment` does, in words."""
    does = f"take {exchange}'s word for its balance of {asset}: ours is adjusted to it, and entries there are allowed again"
    if portfolio.price(asset) is not None:
        return does
    return f"{does}; nothing prices {asset}, so it will count in no equity and no PnL: the ledger lists it as unvalued"


def settling_adjustment_preview(cycle_id: str) -> str:
    """What :func:`settle_by_adjustment` does, in words."""
    return f"take the venue's word for the balance that differs by what cycle {cycle_id} left, which is settled by that"


def untyped(profile: str, typed_name: str, reason: str) -> str | None:
    """Why a typed confirmation does not do, or None."""
    if typed_name.strip() != profile:
        return f"type the profile's name, {profile}"
    return None if reason.strip() else "a reason is needed: it is kept in the journal"
