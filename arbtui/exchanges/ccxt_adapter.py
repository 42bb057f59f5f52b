"""What the live adapters have in common: orders that leave once, through the gate, and answers that mean one thing."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.exchanges.answers import Answer, Meaning, RequestFailed
from arbtui.exchanges.ccxt_client import RECV_WINDOW_MS, CcxtClient
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.rate_limits import Lane
from arbtui.exchanges.standing import VenueStanding
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, OrderRejected, OrderUnknown, RateLimited, VenueFailed, WireError
from arbtui.model.market import Market
from arbtui.model.money import ceil_to
from arbtui.model.order import Order, Purpose

#: No request may come to be so long after it was sent: twice Binance's window, and never under 30 s, for Upbit has no
#: window at all and a request can hang in a proxy. From then on "not found" is believed (it must be said three times).
ABSENCE_PROOF_S = max(2 * RECV_WINDOW_MS / 1000, 30.0)

#: s between two pings: a revoked key, a clock that drifts and a venue that is gone are noticed without an order, and a
#: connection stands when one comes.
_PING_EVERY_S = 10.0
#: The same while nothing comes back: its return is seen soon.
_PING_AWAY_S = 2.0

#: What :meth:`CcxtAdapter.find` gives for an order of which the venue keeps no more than that it ended without a fill.
ARCHIVED = object()
#: So many odd markets are named in one line.
_NAMED = 5
#: Over a market's least value, for a test order whose price moves under way.
_OVER_MINIMUM = Decimal("1.1")

log = logging.getLogger("arbtui")

Costs = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Listing:
    """A market as everybody may read it. ``price``: its last one in quote, 0.0 where the venue was not asked."""

    market: Market
    price: float = 0.0


class CcxtAdapter(ExchangeAdapter):
    """One venue through its own ccxt instance. Subclasses know the venue's words.

    ``order_costs``: what one order takes of the venue's limits; ``query_costs``: one question about an order, or its cancel.
    """

    order_costs: Costs
    query_costs: Costs

    def __init__(self, client: CcxtClient, clock: Clock) -> None:
        self.name = client.exchange
        self.markets: dict[str, Market] = {}
        self.odd: dict[str, str] = {}  #: markets that were left out because what the venue tells of them makes no sense: code to why
        self.absence_proof_s = ABSENCE_PROOF_S
        self.client = self._client = client
        self._clock = clock
        self._doubts_clock = False
        self.standing = VenueStanding(client.exchange, clock, client.health)

    @property
    def clock_skew_ms(self) -> int | None:
        """How far our clock is ahead of the venue's; None where requests carry no time, or before it was measured."""
        return self._client.clock_skew_ms

    @property
    def has_keys(self) -> bool:
        """False where only what everybody may read is asked for."""
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
        return f"arbtui{self._clock.time_ms():x}"

    def tell_odd(self, before: int) -> None:
        """Name once what was left out since there were ``before`` odd markets."""
        new = list(self.odd.items())[before:]
        if new:
            named = "; ".join(f"{code}: {why}" for code, why in new[:_NAMED])
            more = f"; and {len(new) - _NAMED} more, which `arbtui check` lists" if len(new) > _NAMED else ""
            log.warning("%s: %d of its markets left out: %s%s", self.name, len(new), named, more)

    @property
    def key_tail(self) -> str:
        """The last characters of the key in use, and where it was found."""
        keys = self._client.keys.current()
        return f"{keys.tail} from {keys.source}"

    @abstractmethod
    async def listed(self) -> Mapping[str, Listing]:
        """Every market that is listed now, by code, with what the venue tells of it without a key: fees are the documented ones.

        Raises:
            VenueFailed: the venue does not answer usably.
        """
        ...

    @abstractmethod
    async def connect(self, codes: Sequence[str] | None = None) -> None:
        """Check the keys, set the clock and read the rules of the markets ``codes`` (None: all) into :attr:`markets`.

        A code that the venue does not list, or does not trade now, is left out; look at :attr:`markets`. Each call makes
        the markets anew, and markets are compared by identity: call it once, before they are used.

        Raises:
            VenueRefused: the keys are refused, or may do what no key here may do.
            VenueFailed: the venue does not answer usably.
        """
        ...

    @abstractmethod
    async def check_keys(self) -> str:
        """Ask the venue whether it takes the keys in use, and whether they may do only what they should; what it tells, in words.

        Raises:
            VenueRefused: it does not, or they may do more.
            VenueFailed: it does not tell.
            WireError: it tells nonsense.
        """
        ...

    @abstractmethod
    async def check_account(self) -> None:
        """Ask whether the account may trade, where the venue tells.

        Raises:
            VenueRefused: it may not.
            VenueFailed: the venue does not answer usably.
        """
        ...

    @abstractmethod
    async def test_order(self) -> None:
        """Let the venue look at the smallest order that keeps all rules, without making it.

        Raises:
            RequestFailed: what it says against it, or no answer.
            VenueFailed, RateLimited, WireError: it could not be asked.
        """
        ...

    @abstractmethod
    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """What ``GET`` and ``DELETE order`` name an order by."""
        ...

    @abstractmethod
    async def ping(self) -> None:
        """One cheap question."""
        ...

    @abstractmethod
    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        """Send ``order``; the venue's answer."""
        ...

    @abstractmethod
    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        """What ``answer`` says, and whatever must be asked to know an immediate order's end."""
        ...

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """See :meth:`ExchangeAdapter.place`."""
        refusal = order.market.refusal(order.price, order.qty)
        if refusal is not None:
            raise OrderRejected(refusal)
        lane = Lane.ENTRY if order.purpose is Purpose.ENTRY else Lane.HEDGE
        try:
            await self.settle_clock()
            answer = await self._submit(order, lane, admit)
        except (RateLimited, VenueFailed) as error:  # before the order's own request: nothing of it has left
            word = Meaning.RATE_LIMITED if isinstance(error, RateLimited) else Meaning.CLOCK
            raise OrderRejected(f"{word} {error}") from None
        except RequestFailed as error:
            self._doubts_clock = self._doubts_clock or error.meaning is Meaning.CLOCK
            self.standing.refused(error, order.market.code, of_order=True)
            raise error.of_order() from None
        self.standing.accepted(order.market.code)
        try:
            return await self._outcome(order, answer)
        except WireError as error:  # it was taken, and what was said of it makes no sense
            raise OrderUnknown(f"{self.name}: the answer to {order.client_order_id} cannot be read: {error}") from error

    def throttled(self) -> str | None:
        """See :meth:`ExchangeAdapter.throttled`."""
        limits = self._client.limits
        return None if limits is None else limits.refusal(Lane.ENTRY, self.order_costs)

    async def measure_clock(self) -> None:
        """Learn how far the clocks are apart; a venue whose requests carry no time has none to compare.

        Raises:
            VenueFailed: it does not tell.
        """

    async def settle_clock(self) -> None:
        """Measure the clocks again when an answer has shown that they differ; a venue without timestamps has none to settle."""

    async def ask(self, method: str, path: str, params: Mapping[str, Any]) -> None:
        """A signed question about an order, or its cancel, whose answer is in what is raised; nothing acts on it.

        Raises:
            RequestFailed, RateLimited: as :meth:`CcxtClient.request`.
        """
        await self._client.request("private", method, path, params, lane=Lane.HEDGE, costs=self.query_costs)

    async def query(
        self, section: str, method: str, path: str, params: Mapping[str, Any] | None = None, *, costs: Costs, lane: Lane = Lane.DATA
    ) -> Any:
        """Ask, and raise what whoever asked must know.

        Raises:
            RateLimited: the question has no room in the venue's limits.
            VenueRefused: the keys are refused.
            VenueFailed: no usable answer: no information.
        """
        try:
            return await self._client.request(section, method, path, params, lane=lane, costs=costs)
        except RequestFailed as error:
            if section != "public":
                self.standing.refused(error)
            raise error.of_query() from None

    async def find(self, method: str, path: str, params: Mapping[str, Any], *, costs: Costs, lane: Lane) -> Any | None:
        """As :meth:`query` for something that may not be there.

        None when the venue says that it does not know it; :data:`ARCHIVED` when it says that it ended without a fill long ago.
        """
        try:
            return await self._client.request("private", method, path, params, lane=lane, costs=costs)
        except RequestFailed as error:
            if error.meaning is Meaning.NOT_FOUND:
                return None
            if error.meaning is Meaning.ARCHIVED:
                return ARCHIVED
            self.standing.refused(error, of_order=method == "DELETE")
            raise error.of_query() from None

    async def cancel_one(self, code: str, client_order_id: str, params: Mapping[str, Any], *, costs: Costs) -> None:
        """Cancel an order. A refusal counts as done only where it says that the order is not there, or a look-up finds its end."""
        try:
            await self._client.request("private", "DELETE", "order", params, lane=Lane.CANCEL, costs=costs)
        except RequestFailed as error:
            if error.meaning in (Meaning.NOT_FOUND, Meaning.ARCHIVED):
                return
            self.standing.refused(error, code, of_order=True)
            if error.meaning is not Meaning.RATE_LIMITED:
                found = await self.fetch_order(code, client_order_id)
                if found is not None and found.state.is_final:
                    return
            raise error.of_query() from None

    def stream_refused(self, error: StreamRefused) -> None:
        """The venue answered a private subscription with an error: a ban holds for all traffic, a refused key for all orders."""
        facts = Answer(error.status or 400, error.code, error.message, sent=True, retry_at_ms=error.retry_at_ms)
        failure = RequestFailed(self.name, "private stream", facts)
        self._client.on_refusal(failure)
        self.standing.refused(failure)

    async def keep_warm(self) -> None:
        """Ping from time to time; the venue's health hears how it went. Runs until cancelled."""
        health = self._client.health
        while True:
            pause = _PING_EVERY_S if health is None or not health.is_away else min(_PING_EVERY_S, _PING_AWAY_S)
            await (asyncio.sleep(pause) if health is None else health.sleep(pause))
            try:
                await self.ping()
            except ArbtuiError as error:
                log.warning("%s does not answer a ping: %s", self.name, error)

    def market(self, code: str) -> Market:
        """The market of ``code``.

        Raises:
            VenueFailed: the rules of that market were never read.
        """
        try:
            return self.markets[code]
        except KeyError:
            raise VenueFailed(f"{self.name}: {code} is not among the {len(self.markets)} markets whose rules were read") from None

    def timed(self, report: OrderReport) -> OrderReport:
        """``report`` with the time of its receipt for fills whose own time is not told."""
        if all(fill.ts_event for fill in report.fills):
            return report
        now_ms = self._clock.time_ms()
        return replace(report, fills=tuple(fill if fill.ts_event else replace(fill, ts_event=now_ms) for fill in report.fills))

    async def close(self) -> None:
        """See :meth:`ExchangeAdapter.close`."""
        await self._client.close()


def unreadable(exchange: str, error: WireError) -> VenueFailed:
    """A query's answer that makes no sense is no information."""
    return VenueFailed(f"{exchange}: an answer cannot be read: {error}")


def smallest_order(market: Market, price: Decimal) -> tuple[Decimal, Decimal]:
    """Quantity and price of the smallest order near ``price`` that keeps the market's rules."""
    price = market.price_down(price)
    return max(ceil_to(market.min_cost * _OVER_MINIMUM / price, market.lot_step), market.min_qty), price


async def pause_until(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, ``seconds`` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
