"""What the tests of the paper venues share: markets, books made by hand, orders, and a venue on a fresh disk."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.model.book import Level
from arbtui.model.clock import LoopClock
from arbtui.model.market import Market
from arbtui.model.order import Order, Purpose, Side, TimeInForce
from arbtui.model.rng import Rng
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.venue import VenueCore

UPBIT_XRP = krw_market("XRP")
BINANCE_XRP = spot_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5))
MARKETS: dict[str, dict[str, Market]] = {"upbit": {"KRW-XRP": UPBIT_XRP}, "binance": {"XRPUSDT": BINANCE_XRP}}
FUNDS = {"upbit": {"KRW": Decimal(1_000_000), "XRP": Decimal(500)}, "binance": {"USDT": Decimal(1000), "XRP": Decimal(500)}}


@dataclass
class HandBook:
    """An external book that changes only by a test's hand."""

    bid_levels: list[Level] = field(default_factory=list)
    ask_levels: list[Level] = field(default_factory=list)

    def bids(self) -> Iterator[Level]:
        return iter(self.bid_levels)

    def asks(self) -> Iterator[Level]:
        return iter(self.ask_levels)


def order(market: Market, side: Side, qty: str, price: str, client_order_id: str = "a1", tif: TimeInForce = TimeInForce.IOC) -> Order:
    return Order(client_order_id, market, side, Decimal(qty), Decimal(price), "c1", 0, 1, Purpose.ENTRY, 0, 0.0, 1e9, tif)


@dataclass
class World:
    """Two paper venues on one ledger, with books by hand."""

    ledger: VenueLedger
    books: dict[str, HandBook]
    venues: dict[str, PaperExchange]

    @property
    def upbit(self) -> PaperExchange:
        return self.venues["upbit"]

    @property
    def binance(self) -> PaperExchange:
        return self.venues["binance"]


@asynccontextmanager
async def world(path: Path, funds: Mapping[str, Mapping[str, Decimal]] = FUNDS, seed: int = 1) -> AsyncIterator[World]:
    """Open (or open again) the venues whose ledger is at ``path``; needs a virtual-time loop."""
    clock = LoopClock(asyncio.get_running_loop())
    ledger = await VenueLedger.open(path, "sync")
    books = {
        "upbit": HandBook([(2999.0, 100.0), (2998.0, 50.0)], [(3000.0, 40.0), (3001.0, 60.0)]),
        "binance": HandBook([(2.1399, 100.0), (2.1398, 50.0)], [(2.14, 40.0), (2.1401, 60.0)]),
    }
    venues = {}
    for name, markets in MARKETS.items():
        core = VenueCore(name, markets, lambda _, book=books[name]: book, ledger, clock)  # type: ignore[misc]
        await core.open_account(funds[name])
        venues[name] = PaperExchange(core, Rng(seed))
    try:
        yield World(ledger, books, venues)
    finally:
        for venue in venues.values():
            await venue.close()
        await ledger.close()
