"""What an operator decides of positions and balances, as events: the same whether an engine runs or not."""

from collections.abc import Sequence
from decimal import Decimal

from arbtui.journal.events import Adjusted, DisputeClosed, Event, ResidualSettled, TargetSet
from arbtui.model.money import ZERO, plain
from arbtui.portfolio.accounts import CycleAccount, amount_at
from arbtui.portfolio.portfolio import Portfolio


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
    """The events that take the venue's word for a disputed balance, or why there are none."""
    dispute = portfolio.state.disputes.get(exchange, {}).get(asset)
    if dispute is None:
        return f"{exchange} disputes no balance of {asset}"
    change = dispute.theirs - portfolio.total(exchange, asset)
    text = f"{reason} (the venue says {plain(dispute.theirs)})"
    return Adjusted(exchange, asset, change, text, "operator", by), DisputeClosed(exchange, asset, by, reason)


def new_target(portfolio: Portfolio, exchange: str, asset: str, target: Decimal, by: str, reason: str) -> Sequence[Event] | str:
    """The event that sets how much of ``asset`` ``exchange`` should hold, in units, or why there is none."""
    state = portfolio.state
    places = dict.fromkeys([*state.balances, *state.targets])
    if exchange not in places:
        return f"no venue {exchange!r} in this journal; there are {', '.join(sorted(places)) or 'none yet'}"
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


def write_off_preview(cycle_id: str) -> str:
    """What :func:`write_off` does, in words."""
    return f"write off what cycle {cycle_id} left: it counts as stock from then on, balances stay as they are"


def adjustment_preview(exchange: str, asset: str) -> str:
    """What :func:`adjustment` does, in words."""
    return f"take {exchange}'s word for its balance of {asset}: ours is adjusted to it, and entries there are allowed again"


def settling_adjustment_preview(cycle_id: str) -> str:
    """What :func:`settle_by_adjustment` does, in words."""
    return f"take the venue's word for the balance that differs by what cycle {cycle_id} left, which is settled by that"


def untyped(profile: str, typed_name: str, reason: str) -> str | None:
    """Why a typed confirmation does not do, or None."""
    if typed_name.strip() != profile:
        return f"type the profile's name, {profile}"
    return None if reason.strip() else "a reason is needed: it is kept in the journal"
