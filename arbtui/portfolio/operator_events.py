"""What an operator decides of positions and balances, as events: the same whether an engine runs or not."""

from collections.abc import Sequence

from arbtui.journal.events import Adjusted, DisputeClosed, Event, ResidualSettled
from arbtui.model.money import plain
from arbtui.portfolio.portfolio import Portfolio


def write_off(portfolio: Portfolio, cycle_id: str, by: str, reason: str) -> Sequence[Event] | str:
    """The events that take the residual of a cycle for stock, or why there are none. Balances stay as they are."""
    cycle = portfolio.cycle(cycle_id)
    if cycle is None or not cycle.is_position:
        open_ones = ", ".join(position.id for position in portfolio.positions) or "none"
        return f"{cycle_id} leaves no position; open positions: {open_ones}"
    return (ResidualSettled(cycle_id, "written off", by, reason),)


def adjustment(portfolio: Portfolio, exchange: str, asset: str, by: str, reason: str) -> Sequence[Event] | str:
    """The events that take the venue's word for a disputed balance, or why there are none."""
    dispute = portfolio.state.disputes.get(exchange, {}).get(asset)
    if dispute is None:
        return f"{exchange} disputes no balance of {asset}"
    change = dispute.theirs - portfolio.total(exchange, asset)
    text = f"{reason} (the venue says {plain(dispute.theirs)})"
    return Adjusted(exchange, asset, change, text, "operator", by), DisputeClosed(exchange, asset, by, reason)


def write_off_preview(cycle_id: str) -> str:
    """What :func:`write_off` does, in words."""
    return f"write off what cycle {cycle_id} left: it counts as stock from then on, balances stay as they are"


def adjustment_preview(exchange: str, asset: str) -> str:
    """What :func:`adjustment` does, in words."""
    return f"take {exchange}'s word for its balance of {asset}: ours is adjusted to it, and entries there are allowed again"


def untyped(profile: str, typed_name: str, reason: str) -> str | None:
    """Why a typed confirmation does not do, or None."""
    if typed_name.strip() != profile:
        return f"type the profile's name, {profile}"
    return None if reason.strip() else "a reason is needed: it is kept in the journal"
