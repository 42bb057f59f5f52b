"""An order that rests at a sandbox's venue, far from the market, as a plan with a resting leg would leave one there."""

import asyncio
import urllib.request
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.venues import documented_limits
from arbtui.journal.events import CycleEnded, CycleOpened, OrderChanged, OrderIntended
from arbtui.journal.journal import Journal
from arbtui.model.clock import SystemClock
from arbtui.model.ids import client_order_id
from arbtui.model.money import decimal_of
from arbtui.model.order import Order, OrderState, Purpose, Side, TimeInForce
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.settings.load import load_profile
from arbtui.settings.venue_keys import key_holder
from arbtui.simulation.assets import select
from arbtui.simulation.played_venue import played_venue
from tests.lifecycle.waiting import DEADLINE_S


def ours(number: int = 0) -> str:
    """A client order id made as ours are, of no journal."""
    return client_order_id("by the test", "c1", 0, number)


def as_sent_before(journal: Path, *client_ids: str, assets: Mapping[str, str] | None = None, venue: str = "upbit") -> None:
    """Journal, while no engine runs, that orders of these ids were sent and counted as never placed.

    What then stands at a venue under one of them is ours, and lost. ``assets``: of what each is, where it is not XRP; a cycle each.
    """
    asyncio.run(_journal(journal, {client_id: (assets or {}).get(client_id, "XRP") for client_id in client_ids}, venue))


async def _journal(path: Path, orders: Mapping[str, str], venue: str) -> None:
    journal = await Journal.open(path, clock=SystemClock(), door="aio")
    try:
        journal.fold = ProjectingPortfolio(restore(path)[1])
        for client_id, asset in orders.items():
            cycle, market, one, price = f"lost-{client_id}", f"KRW-{asset}", Decimal(1), Decimal(1000)
            intent = (client_id, cycle, 0, 0, Purpose.ENTRY, venue, market, asset, "KRW", Side.BUY, one, price, TimeInForce.IOC, 0)
            await journal.commit(CycleOpened(cycle, f"{asset}:{venue}>binance", asset, 0.0, 0.0, (), (), SystemClock().time_ms()))
            await journal.commit(OrderIntended(*intent), OrderChanged(client_id, OrderState.REJECTED, "", Decimal(0), "NOT_PLACED"))
            await journal.commit(CycleEnded(cycle, SystemClock().time_ms(), "RECOVERED"))
    finally:
        await journal.close()


def rest_order(profile: Path, venue: str, asset: str, client_id: str) -> str:
    """Place a buy order at half the price; it rests. Its market."""
    config = load_profile(str(profile), {"mode": "live"}).exchanges[venue]
    code, framing = played_venue(venue).rules(select([asset])[0]).code, PUBLIC_STREAMS[venue].framing
    with urllib.request.urlopen(f"{config.urls.rest}{framing.probe(code).path}", timeout=DEADLINE_S) as answer:
        bid, _ = framing.read_probe(answer.read())
    asyncio.run(_rest(config, venue, code, decimal_of(bid), client_id))
    return code


async def _rest(config: ExchangeConfig, venue: str, code: str, bid: Decimal, client_id: str) -> None:
    clock = SystemClock()
    limits = {venue: RateLimitManager(venue, clock, documented_limits(venue))}
    registry = await ExchangeRegistry.open({venue: config}, {venue: key_holder(venue, live=True)}, clock, limits, {})
    try:
        market = (await registry.connect({venue: [code]}))[venue][code]
        price = market.price_down(bid / 2)
        qty = market.lot_step * int(market.min_cost * 3 / price / market.lot_step + 1)
        made = Order(client_id, market, Side.BUY, qty, price, "x", 0, 0, Purpose.ENTRY, 0, 0.0, 0.0, tif=TimeInForce.GTC)
        await registry.adapters[venue].place(made, lambda: None)
    finally:
        await registry.close()
