"""Common base of the live adapters: each order is sent once, through the gate, and each answer has one meaning."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from arbtui.exchanges.account_polling import AccountPolling
from arbtui.exchanges.adapter import AccountEvents, ExchangeAdapter, OrderReport
from arbtui.exchanges.answers import Answer, Meaning, RequestFailed
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.private_stream import PrivateStream, StreamRefused
from arbtui.exchanges.queries import Costs, VenueQueries
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusal_watch import RefusalWatch
from arbtui.exchanges.refusals import RefusalTable
from arbtui.exchanges.signing import RECV_WINDOW_MS, Request
from arbtui.exchanges.subscriptions import Keepalive
from arbtui.exchanges.venue_clock import VenueClock
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, MarketUnknown, OrderAbandoned, OrderRejected, OrderUnknown, RateLimited, VenueFailed, WireError
from arbtui.model.ids import unused_id
from arbtui.model.market import Market
from arbtui.model.money import ceil_to
from arbtui.model.order import Order, Purpose

#: No request is executed this long after it was sent: twice Binance's window, and at least 30 s, since Upbit has no
#: window and a request can hang in a proxy. From then on "not found" is believed, once it was answered three times.
ABSENCE_PROOF_S = max(2 * RECV_WINDOW_MS / 1000, 30.0)

#: s between two pings: so a revoked key, a drifting clock and an unreachable venue are noticed without an order, and a
#: connection is open when an order comes.
_PING_EVERY_S = 10.0
#: The same while nothing is received, so that the venue's return is noticed soon.
_PING_AWAY_S = 2.0

#: So many odd markets are named in one line.
_NAMED = 5
#: Over a market's least value, for a test order whose price moves under way.
_OVER_MINIMUM = Decimal("1.1")

log = logging.getLogger("arbtui")


@dataclass(frozen=True, slots=True)
class Listing:
    """A market from public data. ``price``: the last one, in quote; 0.0 where it was not queried."""

    market: Market
    price: float = 0.0


class CcxtAdapter(VenueQueries, ExchangeAdapter):
    """One venue through its own ccxt instance. Subclasses know the venue's formats.

    ``order_costs``: what one order costs of the venue's rate limits; ``query_costs``: one query of an order, or its cancel.
    ``refusals``: the venue's documented refusals, by code and message. ``look_up``, ``cancel_order``: method and path of the query of one
    order, and of its cancel. ``keepalive``: of its private stream.
    """

    order_costs: Costs
    query_costs: Costs
    refusals: RefusalTable
    look_up: Request = ("GET", "order")
    cancel_order: Request = ("DELETE", "order")
    keepalive: Keepalive | None = None

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock) -> None:
        super().__init__(client, clock)
        self.markets: dict[str, Market] = {}
        self.quotes = client.quotes  #: what the markets of the profile are priced in, where the venue is asked market by market
        self.odd: dict[str, str] = {}  #: markets that were left out because what the venue tells of them makes no sense: code to why
        self.absence_proof_s = ABSENCE_PROOF_S
        self._redeemed: set[str] = set()  # orders under way that were paid for when their cycle opened
        self._private_url = private_url
        client.refusals = self.refusals
        self._venue_clock = VenueClock(client, clock, self._venue_time_ms)
        self._polling = AccountPolling(self, clock, client.health)

    @property
    def clock_skew_ms(self) -> int | None:
        """How far our clock is ahead of the venue's; None where requests carry no time, or before it was measured."""
        return self._client.clock_skew_ms

    @property
    def has_keys(self) -> bool:
        """False where only public data is queried."""
        return bool(self._client.keys.current().key.get_secret_value())

    def any_market(self) -> Market:
        """A market to ask with.

        Raises:
            VenueFailed: the rules of none were read.
        """
        for market in self.markets.values():
            return market
        raise VenueFailed(f"{self.name}: no market's rules were read, so no test order can be made")

    def unused_id(self) -> str:
        """A client id that no order ever had."""
        return unused_id(self._clock.time_ms())

    def tell_odd(self, before: int) -> None:
        """Name once what was left out since there were ``before`` odd markets."""
        new = list(self.odd.items())[before:]
        if new:
            named = "; ".join(f"{code}: {why}" for code, why in new[:_NAMED])
            more = f"; and {len(new) - _NAMED} more, which `arbtui check` lists" if len(new) > _NAMED else ""
            log.warning("%s: %d of its markets left out: %s%s", self.name, len(new), named, more)

    @property
    def key_name(self) -> str:
        """Identifies the key in use. It contains the key's id, so it is never shown or stored unhashed."""
        return f"key {self._client.keys.current().key.get_secret_value()}"

    @property
    def key_tail(self) -> str:
        """The last characters of the key in use, and where it was found."""
        keys = self._client.keys.current()
        return f"{keys.tail} from {keys.source}"

    @abstractmethod
    async def listed(self) -> Mapping[str, Listing]:
        """Every market that is listed now, by code, from public data: fees are the documented ones.

        Raises:
            VenueFailed: the venue does not answer usably.
        """
        ...

    async def fetch_rules(self, codes: Collection[str]) -> Mapping[str, Market]:
        """See :meth:`ExchangeAdapter.fetch_rules`: what :meth:`connect` would read, of ``codes`` alone."""
        before = len(self.odd)
        with self.reading():
            told = await self._rules(list(codes))
        self.tell_odd(before)
        return told

    @abstractmethod
    async def _rules(self, codes: Sequence[str] | None) -> dict[str, Market]:
        """As :meth:`fetch_rules`, of all markets for None; raises WireError for an answer that cannot be read."""
        ...

    async def fetch_trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        """See :meth:`ExchangeAdapter.fetch_trading`: from public data."""
        before = len(self.odd)
        with self.reading():
            trading = await self._trading(codes)
        self.tell_odd(before)
        return trading

    @abstractmethod
    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        """As :meth:`fetch_trading`; raises WireError for an answer that cannot be read."""
        ...

    @abstractmethod
    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """Check the keys, set the clock and read the rules of the markets ``codes`` (None: all) into :attr:`markets`.

        A code that the venue does not list, or does not trade now, is left out; look at :attr:`markets`. Each call makes
        new market objects, and markets are compared by identity: call it once, before they are used.

        Raises:
            VenueRefused: the keys are refused, or have permissions that no key here may have.
            VenueFailed: the venue does not answer usably.
        """
        ...

    @abstractmethod
    async def check_keys(self) -> str:
        """Check that the venue accepts the keys in use and that they have no forbidden permission; the result as text.

        Raises:
            VenueRefused: it does not, or they have a forbidden permission.
            VenueFailed: no usable answer.
            WireError: the answer cannot be read.
        """
        ...

    async def check_account(self) -> None:
        """Ask whether the account may trade, where the venue reports that.

        Raises:
            VenueRefused: it may not.
            VenueFailed: the venue does not answer usably.
        """

    async def test_order(self) -> None:
        """Let the venue look at the smallest order that keeps all rules, without making it; not called where ``test_orders`` is False.

        Raises:
            RequestFailed: what it says against it, or no answer.
            VenueFailed, RateLimited, WireError: it could not be asked.
        """
        raise VenueFailed(f"{self.name}: an order cannot be tested")

    @abstractmethod
    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """What a query of an order, and its cancel, name it by."""
        ...

    async def ping(self) -> None:
        """Send one cheap query: the venue's time, which compares the clocks again. A venue that has none asks something else."""
        await self.measure_clock()

    @abstractmethod
    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        """Send ``order``; the venue's answer."""
        ...

    @abstractmethod
    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        """The report from ``answer``, and from further queries where an immediate order's end is not in it."""
        ...

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        """Ask for the account's events over a private socket just opened and wait until the venue confirms them.

        ``take`` is given the frames that come before. Raises WireError when the venue refuses. A venue without a private stream has
        neither this nor :meth:`_on_frame`.
        """
        raise NotImplementedError

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """Decode one private frame and hand it to ``account``; raises WireError for one that cannot be read."""
        raise NotImplementedError

    def _stream_headers(self) -> Mapping[str, str]:
        """What the private stream's handshake carries; a venue that signs its subscription instead needs nothing."""
        return self._client.signing.stream_headers()

    async def run(self, account: AccountEvents) -> None:
        """See :meth:`ExchangeAdapter.run`: the private stream, or questions in its place, pings, and probes while the venue refuses us."""
        async with asyncio.TaskGroup() as tasks:
            if self.capabilities.private_stream:
                tasks.create_task(self._listen(account), name=f"{self.name} private stream")
            else:
                tasks.create_task(self._polling.run(account), name=f"{self.name} account")
            if self.capabilities.notices:
                tasks.create_task(self.watch_notices(account), name=f"{self.name} notices")
            tasks.create_task(self.keep_warm(), name=f"{self.name} pings")
            tasks.create_task(RefusalWatch(self).run(), name=f"{self.name} refusals")

    async def watch_notices(self, account: AccountEvents) -> None:
        """Pass the venue's notices to ``account`` until cancelled; returns at once where the private stream brings them.

        Nothing here is an order's or the account's: what goes wrong is logged, and says nothing of the venue's health.
        """
        return

    async def _listen(self, account: AccountEvents) -> None:
        stream: PrivateStream = PrivateStream(
            self.name,
            self._private_url,
            headers=self._stream_headers,
            subscribe=self._subscribe,
            on_frame=lambda frame: self._on_frame(frame, account, stream),
            on_open=lambda: account.on_reconnected(self.name),
            on_close=lambda: account.on_disconnected(self.name),
            on_refused=self.stream_refused,
            limits=self._client.limits,
            health=self._client.health,
            keepalive=self.keepalive,
        )
        await stream.run()

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """See :meth:`ExchangeAdapter.place`."""
        refusal = order.market.refusal(order.price, order.qty)
        if refusal is not None:
            raise OrderRejected(refusal)
        lane = Lane.ENTRY if order.purpose is Purpose.ENTRY else Lane.HEDGE
        try:
            await self._venue_clock.settle()
            if not self.capabilities.private_stream:
                self._polling.sent(order)
            answer = await self._submit(order, lane, admit)
        except OrderAbandoned:
            self._keep_share(order)
            raise
        except (RateLimited, VenueFailed) as error:  # before the order's own request: it was not sent
            self._keep_share(order)
            word = Meaning.RATE_LIMITED if isinstance(error, RateLimited) else Meaning.CLOCK
            raise OrderRejected(f"{word} {error}") from None
        except RequestFailed as error:
            if error.meaning is Meaning.CLOCK:
                self._venue_clock.doubt()
            self.standing.refused(error, order.market.code, of_order=True)
            raise error.of_order() from None
        finally:
            self._redeemed.discard(order.client_order_id)
        self.standing.accepted(order.market.code)
        try:
            return await self._outcome(order, answer)
        except WireError as error:  # it was accepted, and the answer cannot be read
            raise OrderUnknown(f"{self.name}: the answer to {order.client_order_id} cannot be read: {error}") from error

    def throttled(self) -> str | None:
        """See :meth:`ExchangeAdapter.throttled`."""
        limits = self._client.limits
        return None if limits is None else limits.refusal(Lane.ENTRY, self.order_costs)

    def reserve_orders(self, cycle_id: str, entries: int) -> str | None:
        """See :meth:`ExchangeAdapter.reserve_orders`."""
        limits = self._client.limits
        return None if limits is None else limits.reserve(cycle_id, self.order_costs, entries, self.order_costs)

    def release_orders(self, cycle_id: str) -> None:
        """See :meth:`ExchangeAdapter.release_orders`."""
        if self._client.limits is not None:
            self._client.limits.release(cycle_id)

    def costs_of(self, order: Order) -> Costs:
        """What the request of ``order`` still costs of the limits: nothing where its cycle took the share when it opened."""
        limits = self._client.limits
        if limits is None:
            return self.order_costs
        if order.purpose.is_planned and limits.redeem(order.cycle_id):
            self._redeemed.add(order.client_order_id)
            return dict.fromkeys(self.order_costs, 0.0)  # taken already; a ban of these groups holds for it all the same
        if order.purpose is not Purpose.ENTRY:
            limits.use_hold(order.cycle_id)
        return self.order_costs

    def _keep_share(self, order: Order) -> None:
        """``order`` was not sent: what its cycle took of the limits for it is its cycle's again, until that ends."""
        if order.client_order_id in self._redeemed and self._client.limits is not None:
            self._client.limits.restore(order.cycle_id)

    async def measure_clock(self) -> None:
        """Measure the clocks' difference; does nothing for a venue whose requests carry no timestamp.

        Raises:
            VenueFailed: no usable answer.
        """
        await self._venue_clock.measure()

    async def _venue_time_ms(self) -> int | None:
        """Ask for the venue's time, in ms since the epoch; None, unasked, where its requests carry no time.

        Raises:
            VenueFailed: no usable answer.
        """
        return None

    async def ask(self, method: str, path: str, params: Mapping[str, Any]) -> None:
        """Send a signed query of an order, or its cancel, whose answer is in what is raised; nothing acts on it.

        Raises:
            RequestFailed, RateLimited: as :meth:`CcxtClient.request`.
        """
        await self._client.request("private", method, path, params, lane=Lane.HEDGE, costs=self.query_costs)

    async def query_of_market(
        self, code: str, section: str, path: str, params: Mapping[str, Any] | None = None, *, costs: Costs
    ) -> Any | None:
        """As :meth:`query` (GET), about market ``code``: None, named in :attr:`odd`, where it is refused for that market's sake."""
        try:
            return await self._client.request(section, "GET", path, params, lane=Lane.DATA, costs=costs)
        except RequestFailed as error:
            if error.is_of_one_market:
                self.odd[code] = str(error)
                return None
            if section != "public":
                self.standing.refused(error)
            raise error.of_query() from None

    async def cancel_one(self, code: str, client_order_id: str, params: Mapping[str, Any], *, costs: Costs) -> None:
        """Cancel an order. A refusal counts as success only where it says that the order does not exist, or a look-up finds its end."""
        try:
            await self._client.request("private", *self.cancel_order, params, lane=Lane.CANCEL, costs=costs)
        except RequestFailed as error:
            if error.meaning in (Meaning.NOT_FOUND, Meaning.ARCHIVED):
                return
            self.standing.refused(error, code, of_order=True)
            if error.meaning is not Meaning.RATE_LIMITED:
                found = await self.fetch_order(code, client_order_id)
                if found is not None and found.state.is_final:
                    return
            raise error.of_query() from None

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`: the open orders are listed, then each is cancelled by itself."""
        standing = await self.list_standing()
        done = await asyncio.gather(*(self.cancel_standing(order) for order in standing), return_exceptions=True)
        for result in done:  # every order is tried before the first refusal is raised
            if isinstance(result, BaseException):
                raise result
        return len(standing)

    def stream_refused(self, error: StreamRefused) -> None:
        """The venue answered a private subscription with an error: a ban holds for all traffic, a refused key for all orders."""
        facts = Answer(error.status or 400, error.code, error.message, sent=True, retry_at_ms=error.retry_at_ms)
        failure = RequestFailed(self.name, "private stream", facts, self._client.refusals)
        self._client.on_refusal(failure)
        self.standing.refused(failure)

    async def keep_warm(self) -> None:
        """Ping regularly and report the result to the venue's health. Runs until cancelled."""
        health = self._client.health
        while True:
            pause = _PING_EVERY_S if health is None or not health.is_away else min(_PING_EVERY_S, _PING_AWAY_S)
            await (asyncio.sleep(pause) if health is None else health.sleep(pause))
            try:
                await self.ping()
            except RateLimited:
                continue  # it was not asked
            except ArbtuiError as error:
                log.warning("%s does not answer a ping: %s", self.name, error)

    def market(self, code: str) -> Market:
        """The market of ``code``.

        Raises:
            MarketUnknown: the rules of that market were never read.
        """
        try:
            return self.markets[code]
        except KeyError:
            raise MarketUnknown(f"{self.name}: {code} is not among the {len(self.markets)} markets whose rules were read") from None

    async def close(self) -> None:
        """See :meth:`ExchangeAdapter.close`."""
        await self._client.close()


def smallest_order(market: Market, price: Decimal) -> tuple[Decimal, Decimal]:
    """Quantity and price of the smallest order near ``price`` that keeps the market's rules."""
    price = market.price_down(price)
    return max(ceil_to(market.min_cost * _OVER_MINIMUM / price, market.lot_step), market.min_qty), price
