"""What must hold at every order that leaves, and all the time: looked at from outside the parts whose duty it is."""

import os
import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING

from arbtui.engine.engine import Engine
from arbtui.execution.cycle import ArbCycle
from arbtui.model.book import BookState
from arbtui.model.halt import FLAG_NAME
from arbtui.model.money import ZERO
from arbtui.model.order import Order, Purpose
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.simulate.story import Story

if TYPE_CHECKING:
    from arbtui.runtime.simulate.world import World

_RUN_BEFORE = """SELECT type, json_extract(payload, '$.stop_reason') FROM event WHERE type IN ('RunStarted', 'RunEnded')
    ORDER BY seq DESC LIMIT 1 OFFSET 1"""  # the newest is the run that asks
_INTENT = "SELECT 1 FROM order_ WHERE client_order_id = ?"


def check_order(story: Story, engine: Engine, order: Order, journal: sqlite3.Connection, world: "World") -> None:
    """``order`` is about to leave."""
    client_id, about = order.client_order_id, (order.client_order_id, order.cycle_id)
    story.check("I1 no client id is sent twice", client_id not in world.sent, f"{client_id} leaves a second time", *about)
    world.sent[client_id] = None
    intended = journal.execute(_INTENT, (client_id,)).fetchone() is not None
    story.check("I2 an intent is durable before its order leaves", intended, f"{client_id} leaves, and no intent is on disk", *about)
    halt = engine.components.halt
    halted = halt.is_closed or os.path.lexists(halt.folder / FLAG_NAME)
    story.check("I6 nothing leaves while halted", not halted, f"{client_id} ({order.purpose}) leaves under a kill", *about)
    if order.purpose is Purpose.ENTRY:
        _check_entry(story, engine, order)


def _check_entry(story: Story, engine: Engine, order: Order) -> None:
    """An order that opens exposure is about to leave."""
    about = (order.client_order_id, order.cycle_id)
    portfolio, limits = engine.portfolio, engine.risk.total.limits
    cycle = engine.executor.open.get(order.cycle_id)
    shrinks = isinstance(cycle, ArbCycle) and cycle.plan.route.shrinks_exposure
    allowed = engine.state is TradingState.ARMED or (shrinks and engine.state is TradingState.REDUCING)
    story.check("I6 nothing opens unless ARMED", allowed, f"{order.client_order_id} opens while {engine.state}", *about)
    if cycle is not None and not any(one.filled_qty for one in cycle.orders):
        wanted: dict[tuple[str, str], Decimal] = {}
        for exchange, asset, amount in cycle.plan.reserved:
            wanted[exchange, asset] = wanted.get((exchange, asset), ZERO) + amount
        for (exchange, asset), amount in wanted.items():
            kept = portfolio.available(exchange, asset, cycle.id) - portfolio.available(exchange, asset)
            told = f"{exchange} {asset}: {kept} of {amount} is set aside for {cycle.id}"
            story.check("I5 what a plan needs is set aside", kept >= amount, told, *about)
    book = engine.components.aggregator.books[order.market.exchange, order.market.code]
    fine = book.state is BookState.LIVE and 0.0 < book.bid < book.ask
    story.check("I9 nothing opens on a book that is not LIVE", fine, f"{order.market.code} is {book.state} {book.bid}/{book.ask}", *about)
    if shrinks:
        return
    # At the first look the others and it were within the limit; what has come since may only have shrunk, or been priced anew.
    open_value = sum(one.value for one in portfolio.open_cycles)
    story.check(
        "I5 exposure within its limit", open_value <= limits.max_unhedged, f"{open_value:.2f} {portfolio.state.currency} open", *about
    )
    cycles = len(portfolio.open_cycles)
    story.check("I5 open cycles within their limit", cycles <= limits.max_open_cycles, f"{cycles} cycles open", *about)
    disputes = portfolio.state.disputes.get(order.market.exchange, {})
    disputed = order.market.base in disputes
    story.check("I10 nothing opens in a disputed asset", not disputed, f"{order.market.base} at {order.market.exchange}", *about)
    unresolved = [
        one.intent.client_order_id
        for one in portfolio.open_orders
        if one.run_id != engine.components.run_id and one.intent.base == order.market.base
    ]
    told = f"{order.market.base}: {', '.join(unresolved)} of an earlier run is not resolved"
    story.check("I10 nothing opens beside an unresolved order", not unresolved, told, *about)


def check_resume(story: Story, engine: Engine, journal: sqlite3.Connection, policy: str) -> None:
    """A start that nobody confirmed has just decided whether it arms by itself."""
    is_armed, why = engine.state is TradingState.ARMED, engine.portfolio.state.why
    run_before = journal.execute(_RUN_BEFORE).fetchone()
    in_order = run_before is not None and run_before[0] == "RunEnded" and run_before[1] != "error"
    allowed = policy == "always" or (policy == "clean" and in_order)
    told = f"it is {engine.state} under resume = {policy}, and the run before ended {'in order' if in_order else 'without a word'}"
    story.check("a start arms as its policy says", allowed or not is_armed, told)
    story.check("a start that does not arm says why", is_armed or bool(why) or engine.components.halt.is_closed, told)


def check_standing(story: Story, engine: Engine) -> None:
    """What must hold at any time."""
    portfolio = engine.portfolio
    for exchange, held in portfolio.state.balances.items():
        for asset, amount in held.items():
            story.check("I4 no balance below zero", amount >= ZERO, f"{exchange} {asset} {amount}")
            free = portfolio.available(exchange, asset)
            story.check("I5 nothing is reserved twice", free >= ZERO, f"{exchange} {asset}: {free} left of {amount} after reservations")
