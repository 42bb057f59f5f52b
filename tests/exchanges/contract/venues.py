"""The venues that the contract is tried on: the paper exchange, and the live adapters against the sandbox's real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.venues import VENUES, documented_limits
from arbtui.model.clock import SystemClock
from arbtui.model.market import Market
from arbtui.model.order import Order, OrderState, Purpose, Side, TimeInForce
from arbtui.model.rng import Rng
from arbtui.sandbox.doors import door_names, door_of
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key, play_key
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.venue import VenueCore
from tests.simulation.worlds import BINANCE_XRP, HandBook

_ids = count(1)


@dataclass
class VenueUnderTest:
    """One venue, its book in the test's hand, and a look at its truth. Bids 100 at 2.9 and 50 under it; asks 40 at 3 and 60 above.

    Prices are times :data:`SCALE` of the market's quote.
    """

    adapter: ExchangeAdapter
    market: Market
    book: HandBook
    core: VenueCore
    requests: Callable[[], int]  #: that the venue has got, of any kind
    sandbox: Sandbox | None = None
    sent: list[Order] = field(default_factory=list)

    @property
    def cut_off(self) -> OrderState:
        """How an order ends whose rest the book does not take: by the venue, or by us where it takes no immediate orders."""
        return OrderState.EXPIRED if self.adapter.capabilities.immediate_orders else OrderState.CANCELED

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """Place an order as the engine does: an immediate one, where none are taken, as a limit order that is cancelled and looked up."""
        if self.adapter.capabilities.immediate_orders or order.tif is TimeInForce.GTC:
            return await self.adapter.place(order, admit)
        order.tif = TimeInForce.GTC
        await self.adapter.place(order, admit)
        await self.adapter.cancel(order.market.code, order.client_order_id)
        found = await self.adapter.fetch_order(order.market.code, order.client_order_id)
        assert found is not None
        return found

    def order(self, side: Side, qty: str, price: str, tif: TimeInForce = TimeInForce.IOC) -> Order:
        """An order that was never sent. Prices are in tenths of the best ask's unit price 3."""
        client_order_id = f"a{next(_ids):04}contract"
        return Order(client_order_id, self.market, side, Decimal(qty), Decimal(price), "c1", 0, 1, Purpose.ENTRY, 0, 0.0, 1e9, tif)

    async def fee_total(self, currency: str) -> Decimal:
        """What the venue has taken as fees in ``currency``."""
        return sum((fill.fee for fill in self.core.fills_since(0) if fill.fee_currency == currency), Decimal(0))


#: What the best ask is divided by 3.
SCALE = {"KRW": 1000.0, "USDT": 1.0, "BTC": 0.00001}

Factory = Callable[[Path], AbstractAsyncContextManager[VenueUnderTest]]


def hand_book(scale: float) -> HandBook:
    """Two levels a side; ``scale`` is the price of the best ask divided by 3."""
    return HandBook(
        [(round(2.9 * scale, 9), 100.0), (round(2.8 * scale, 9), 50.0)], [(round(3.0 * scale, 9), 40.0), (round(3.1 * scale, 9), 60.0)]
    )


@asynccontextmanager
async def paper(folder: Path) -> AsyncIterator[VenueUnderTest]:
    """The paper exchange, in real time and with little latency."""
    ledger = await VenueLedger.open(folder / "venue.db", "aio")
    book = hand_book(1.0)
    core = VenueCore("binance", {"XRPUSDT": BINANCE_XRP}, lambda _: book, ledger, SystemClock())
    await core.open_account({"USDT": Decimal(100_000), "XRP": Decimal(1000)})
    adapter = PaperExchange(core, Rng(1), (0, 2))
    try:
        yield VenueUnderTest(adapter, BINANCE_XRP, book, core, lambda: core._last_order_id)
    finally:
        await adapter.close()
        await ledger.close()


def holder_of(*keys: Key) -> VenueKeyHolder:
    """``keys`` in turn, as the operator stores them one after the other; the last stays."""
    found = [VenueKeys(SecretStr(key.key), SecretStr(key.secret), "a test", SecretStr(key.passphrase)) for key in keys]
    return VenueKeyHolder(lambda: found.pop(0) if len(found) > 1 else found[0])


def keys_of(exchange: str) -> VenueKeyHolder:
    """The keys that a sandbox prints."""
    return holder_of(play_key(exchange, passphrase=door_of(exchange).wants_passphrase))


#: Of venues whose least order is a quantity alone, which the test's smallest order is not below: a rule that came since. By quote.
LEAST_COST = {("okx", "USDT"): "5", ("okx", "BTC"): "0.00005"}


def _code(box: Sandbox, exchange: str, quote: str) -> str:
    """Of the venue's market of XRP against ``quote``."""
    (code,) = (market.code for market in box.cores[exchange].markets.values() if (market.base, market.quote) == ("XRP", quote))
    return code


@asynccontextmanager
async def registry_of(box: Sandbox, exchange: str, quote: str) -> AsyncIterator[ExchangeRegistry]:
    """A registry with one venue of ``box``, connected to XRP against ``quote``, its own currency or a coin."""
    code = _code(box, exchange, quote)
    own = VENUES[exchange].quote
    crosses = [] if quote == own else [quote]
    config = ExchangeConfig(quote=own, cross_quotes=crosses, urls=UrlsConfig(**box.urls[exchange]))
    limits = {exchange: RateLimitManager(exchange, SystemClock(), documented_limits(exchange))}
    registry = await ExchangeRegistry.open({exchange: config}, {exchange: keys_of(exchange)}, SystemClock(), limits, {})
    try:
        markets = await registry.connect({exchange: [code]})
        assert list(markets[exchange]) == [code]
        yield registry
    finally:
        await registry.close()


def _live(exchange: str, coin: str = "") -> Factory:
    """``coin``: XRP is traded against it, instead of the venue's own currency."""
    quote = coin or VENUES[exchange].quote
    symbols, crosses = (["XRP", coin], {exchange: [coin]}) if coin else (["XRP"], {})

    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[VenueUnderTest]:
        options = SandboxOptions(port=0, symbols=symbols, venues=[exchange], state_dir=folder, cross_quotes=crosses)
        async with sandbox(options) as box:
            book = hand_book(SCALE[quote])
            core = box.cores[exchange]
            core._books = lambda _: book  # its truth in the test's hand; the market goes on talking
            if least := LEAST_COST.get((exchange, quote)):
                box.fault(WireFault(exchange, WireFaultKind.RULES, symbol=_code(box, exchange, quote), min_cost=least))
            async with registry_of(box, exchange, quote) as registry:
                adapter = registry.adapters[exchange]
                (market,) = adapter.markets.values()
                front = box.fronts[exchange]
                yield VenueUnderTest(adapter, market, book, core, lambda: front.requests, box)

    return opened


#: Every venue that has a door.
FACTORIES: dict[str, Factory] = {"paper": paper, **{name: _live(name) for name in door_names()}}
#: Markets of one coin against another, of every venue that has some.
CROSS_FACTORIES: dict[str, Factory] = {
    f"{name} {coin}": _live(name, coin) for name in door_names() if name in VENUES for coin in VENUES[name].cross_quotes
}


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine, for two minutes at most."""

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await main()

    asyncio.run(bounded())
