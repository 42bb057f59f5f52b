"""What a person can do about one asset's stock: set a target, record a transfer, or say how one ended."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from arbtui.model.money import plain
from arbtui.portfolio.operator_events import Transfer, settle_transfer_preview

if TYPE_CHECKING:  # `status` reads this package without an engine
    from arbtui.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class StockWay:
    """One of them. ``text`` says what it does; nothing of it trades or sends anything."""

    verb: str  #: target, begin, cancelled, returned, lost
    asset: str
    where: str  #: the venue of a target, the plan of a transfer to begin, else the transfer
    text: str
    amount: str = ""  #: units that are taken where none are typed; empty: some must be, or none make sense
    takes_amount: bool = False
    transfer: Transfer | None = None


def stock_ways(engine: "Engine", asset: str) -> list[StockWay]:
    """Transfers that a plan proposes, those that are under way, then the target of each venue."""
    portfolio, found = engine.portfolio, list[StockWay]()
    for plan in engine.wallets.plans(asset):
        rail = plan.best
        if rail is not None and rail.fee is not None and rail.minutes is not None:
            wanted = Transfer(asset, plan.sender, plan.receiver, rail.amount, rail.network, rail.fee, rail.minutes)
            text = f"begin: you make it at {plan.sender} yourself: {wanted.in_words()}"
            found.append(StockWay("begin", asset, plan.id, text, plain(rail.amount), takes_amount=True, transfer=wanted))
    for one in portfolio.open_transfers:
        if one.asset == asset:
            for how in ("cancelled",) if one.left_ms is None else ("returned", "lost"):
                found.append(StockWay(how, asset, one.id, f"settle {settle_transfer_preview(portfolio, one.id, how)}"))
    state = portfolio.state
    for exchange in dict.fromkeys([*state.balances, *state.targets]):
        if asset in state.balances.get(exchange, ()) or asset in state.targets.get(exchange, ()):
            target = state.targets.get(exchange, {}).get(asset, Decimal(0))
            text = f"target at {exchange}: {plain(target)} now, it holds {plain(portfolio.total(exchange, asset))}; nothing is traded"
            found.append(StockWay("target", asset, exchange, text, takes_amount=True))
    return found


def do_stock_way(engine: "Engine", way: StockWay, amount: str, typed_name: str, reason: str) -> str | None:
    """Do ``way`` with ``amount`` units, or with its own where none are given; None when done, else why not."""
    operator = engine.operator
    units = amount or way.amount
    if way.verb == "target":
        return operator.set_target(way.where, way.asset, units, typed_name, reason)
    if way.transfer is None:
        return operator.settle_transfer(way.where, way.verb, typed_name, reason)
    try:
        wanted = replace(way.transfer, qty=Decimal(units))
    except ArithmeticError:
        return f"{units!r} is no amount"
    return operator.begin_transfer(wanted, typed_name, reason)
