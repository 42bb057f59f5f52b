"""The paper venue beside the sandbox: each order of a live session is given to both, and both must make as much of it.

``python -m tests.proof paper-beside-live`` runs it for ten minutes, the suite for twenty seconds.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.model.clock import SystemClock
from arbtui.model.order import Fill, Order, Purpose, Side
from arbtui.model.rng import Rng
from arbtui.runtime.venues import book_of
from arbtui.sandbox.faults import WireFaultKind as K
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from arbtui.simulation.venue import VenueCore
from tests.faults.desk import DEADLINE_S, Desk, desk, play
from tests.proof.steps import SECONDS

#: ms from sending an order to its arrival, at both: markets move meanwhile, so an order fills for less, or not at all.
TRAVEL_MS = 100
#: Most that the two may be apart, as a share of the live one.
APART = 0.10
#: Orders at a venue under which nothing is compared.
FEWEST = 30
SYMBOLS = ("XRP", "SOL", "DOGE", "ADA", "AVAX", "LINK")
PLENTY = Decimal(10) ** 12


@dataclass
class Twin:
    """One venue's entry orders by cycle, and what the paper venue makes of each."""

    paper: PaperExchange
    orders: dict[str, Order] = field(default_factory=dict)
    played: dict[str, "asyncio.Task[OrderReport]"] = field(default_factory=dict)
    on_order: Callable[[str], object] = len

    def watch(self, adapter: ExchangeAdapter) -> None:
        """Give whatever ``adapter`` sends to the paper venue, too, at the same moment."""
        send = adapter.place

        async def place(order: Order, admit: Callable[[], None]) -> OrderReport:
            def leaves() -> None:
                admit()
                if order.purpose is Purpose.ENTRY:
                    self.on_order(order.cycle_id)
                    self.orders[order.cycle_id] = order
                    self.played[order.cycle_id] = asyncio.create_task(self.paper.place(order, lambda: None))

            return await send(order, leaves)

        adapter.place = place  # type: ignore[method-assign]

    async def fills(self) -> dict[str, Sequence[Fill]]:
        """The paper venue's, by cycle."""
        return {cycle: (await task).fills for cycle, task in self.played.items()}


Fills = dict[str, dict[str, Sequence[Fill]]]
"""By venue and cycle."""


def edge(cycles: Iterable[str], fills: Fills, rates: dict[str, Decimal]) -> float:
    """What the fills of ``cycles`` make of what was bought, in bps, fees apart; won at the rate of when they were sent."""
    bought = sold = Decimal(0)
    for cycle in cycles:
        for by_cycle in fills.values():
            for fill in by_cycle[cycle]:
                value = fill.cost / rates[cycle] if fill.quote == "KRW" else fill.cost
                bought += value if fill.side is Side.BUY else 0
                sold += value if fill.side is Side.SELL else 0
    return float((sold - bought) / bought) * 1e4


def filled(fills: Sequence[Fill], order: Order) -> bool:
    """Whether the whole order has."""
    return sum((fill.qty for fill in fills), Decimal(0)) == order.qty


def apart(live: float, paper: float) -> float:
    """As a share of the live one."""
    return abs(paper - live) / abs(live)


async def twins_of(d: Desk, ledger: VenueLedger) -> dict[str, Twin]:
    """A paper venue beside each of the sandbox's, on the session's own books; so rich that it never refuses for lack of money."""
    twins = {}
    for name in VENUES:
        markets = d.venues.markets[name]
        core = VenueCore(name, markets, partial(book_of, d.venues, name), ledger, SystemClock())
        assets = {asset for market in markets.values() for asset in (market.base, market.quote)}
        await core.open_account(dict.fromkeys(sorted(assets), PLENTY))
        twins[name] = Twin(PaperExchange(core, Rng(1), (TRAVEL_MS, TRAVEL_MS)))
        twins[name].watch(d.venues.adapters[name])
    return twins


def fills_of(d: Desk, twins: dict[str, Twin]) -> Fills:
    """The sandbox's, of the orders that both were given."""
    found: Fills = {name: {cycle: [] for cycle in twin.orders} for name, twin in twins.items()}
    cycle_of = {order.client_order_id: cycle for twin in twins.values() for cycle, order in twin.orders.items()}
    for (exchange, _), fill in d.venue_fills().items():
        if cycle := cycle_of.get(fill.client_order_id):
            found[exchange][cycle] = [*found[exchange][cycle], fill]
    return found


def compare(twins: dict[str, Twin], live: Fills, paper: Fills, rates: dict[str, Decimal]) -> None:
    """For each venue: as many whole fills, and the same realised edge where its fills are the paper venue's instead of the sandbox's."""
    pairs = sorted(set.intersection(*(set(twin.orders) for twin in twins.values())))
    whole = [
        one for one in pairs if all(filled(fills[name][one], twin.orders[one]) for fills in (live, paper) for name, twin in twins.items())
    ]
    parts = [filled(live[name][one], order) for name, twin in twins.items() for one, order in twin.orders.items()]
    assert not all(parts), "nothing ever moved under way: nothing was tried"
    real = edge(whole, live, rates)
    print()
    for name, twin in twins.items():
        shares = [sum(filled(fills[name][one], order) for one, order in twin.orders.items()) / len(twin.orders) for fills in (live, paper)]
        played = edge(whole, {**live, name: paper[name]}, rates)
        orders = f"{len(twin.orders)} orders, {shares[0]:.2%} filled whole live, {shares[1]:.2%} on paper"
        edges = f"{len(whole)} cycles whole on both, edge {real:.3f} bps live, {played:.3f} with its paper fills"
        print(f"PAPER {name}: {orders}; {edges}: {apart(real, played):.2%} apart")
        assert apart(*shares) < APART, name
        assert apart(real, played) < APART, name


def rates_of(d: Desk, twins: dict[str, Twin]) -> dict[str, Decimal]:
    """Filled in as orders are sent: KRW for one USDT at that moment, by cycle."""
    rates: dict[str, Decimal] = {}
    book = d.venues.books["upbit", "KRW-USDT"]
    for twin in twins.values():
        twin.on_order = lambda cycle: rates.setdefault(cycle, Decimal(str(book.mid)))
    return rates


def test_paper_makes_of_an_order_what_the_sandbox_makes_of_it(tmp_path: Path) -> None:
    """An order arrives a tenth of a second after it was sent, at both, so that the market has moved: by as much, at both."""
    seconds = float(os.environ.get(SECONDS, "20"))

    async def main() -> None:
        async with desk(tmp_path, SYMBOLS) as d:
            ledger = await VenueLedger.open(tmp_path / "paper.db", "aio")
            try:
                for name in VENUES:
                    d.fault(name, K.LATE, ms=TRAVEL_MS, seconds=seconds + DEADLINE_S)
                twins = await twins_of(d, ledger)
                rates = rates_of(d, twins)
                end = asyncio.get_running_loop().time() + seconds
                await d.until(lambda: asyncio.get_running_loop().time() >= end, "the time is over", seconds + DEADLINE_S)
                await d.until(lambda: all(len(twin.played) >= FEWEST for twin in twins.values()), "there are orders to compare")
                await d.settle()
                live = fills_of(d, twins)
                paper = {name: await twin.fills() for name, twin in twins.items()}
                compare(twins, live, paper, rates)
                await d.agree()
                for twin in twins.values():
                    await twin.paper.close()
            finally:
                await ledger.close()

    play(main)
