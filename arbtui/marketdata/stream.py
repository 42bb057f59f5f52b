"""MarketDataStream: the live public data of all exchanges of a profile, as a MarketDataFeed."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from arbtui.exchanges.config import UrlsConfig
from arbtui.exchanges.feed import Deliver, Frame
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.this_machine import socket_factory
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.connection_errors import Failure
from arbtui.marketdata.freeze import FreezeWatch
from arbtui.marketdata.intake import Intake
from arbtui.marketdata.line import Wiring
from arbtui.marketdata.public_rest import PublicRest, RestRefused
from arbtui.marketdata.snapshots import SnapshotRequester
from arbtui.marketdata.websocket_manager import SocketStatus, WebSocketManager
from arbtui.model.book import BookState
from arbtui.model.clock import Clock
from arbtui.model.rng import Rng

#: How often health and counts are updated, in seconds.
_TICK_S = 0.1
#: Seconds over which the newest update counts: after a stall of our own, delayed updates are reported with new ones.
_LATE_S = 1.0
#: Seconds after which a market without any diff gets a snapshot all the same: a quiet one may send none for minutes.
_QUIET_START_S = 1.0


class StreamHealth(Protocol):
    """What a venue's public streams report to its health monitor."""

    def on_message(self, now: float) -> None:
        """A frame arrived at ``now`` (monotonic s)."""
        ...

    def on_answer(self, ok: bool, ms: float, *, poll: bool = False) -> None:
        """A REST query was answered, or not."""
        ...

    def on_socket(self, connected: bool) -> None:
        """All sockets are open, or one is not."""
        ...

    def on_subscriptions(self, missing: str) -> None:
        """What of the wanted streams is not confirmed, in words; empty when nothing."""
        ...

    def on_reachable(self) -> None:
        """A connection was made."""
        ...

    def on_unreachable(self) -> None:
        """A connection could not be made, or was cut."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep before the next try; less where the venue answers again meanwhile."""
        ...

    def on_throttled(self, until_monotonic: float) -> None:
        """The venue asks for fewer requests until then."""
        ...

    def on_late(self, ms: float) -> None:
        """The stream's newest updates are, by their own times, ``late_ms`` old (negative: from the future)."""
        ...

    def on_frozen(self, frozen: bool) -> None:
        """The stream is open and frozen though the venue trades, or no longer."""
        ...


@dataclass(frozen=True, slots=True)
class VenueSource:
    """One venue whose public data is streamed."""

    exchange: str
    urls: UrlsConfig
    codes: Sequence[str]  #: markets, by the venue's own names
    limits: RateLimitManager | None = None  #: None: no limits (a test's venue)
    health: StreamHealth | None = None

    async def turn(self, costs: Mapping[str, float]) -> None:
        """Wait for the data lane's rate limit; raises RateLimited."""
        if self.limits is not None:
            await self.limits.turn(Lane.DATA, costs)

    def observe(self, status: int, headers: Mapping[str, str], groups: Collection[str]) -> None:
        """Read limits and bans from an answer of the venue to a request that counted in ``groups``."""
        if self.limits is not None:
            self.limits.observe(status, headers, groups)
            if status in (418, 429) and self.health is not None:
                self.health.on_throttled(self.limits.banned_until)


class MarketDataStream:
    """Live frames of all venues: sockets, snapshots, and the watch for frozen streams.

    :meth:`attach` comes before :meth:`run`. Nothing that a venue sends, or fails to send, is raised from :meth:`run`; only a
    defect in the receiver of the frames is.

    Args:
        sources: the venues.
        config: limits and deadlines.
        clock: real time.
        rng: jitter.
    """

    def __init__(self, sources: Sequence[VenueSource], config: MarketDataConfig, clock: Clock, rng: Rng) -> None:
        self._sources = {source.exchange: source for source in sources}
        self._config = config
        self._clock = clock
        self._rng = rng
        self._aggregator: OrderbookAggregator | None = None
        self._requesters: dict[str, SnapshotRequester] = {}
        self._managers: dict[str, WebSocketManager] = {}
        self._intake: Intake | None = None
        self.watches: dict[str, FreezeWatch] = {}

    def attach(self, aggregator: OrderbookAggregator) -> None:
        """Set the aggregator that these frames feed: it is notified of lost connections and frozen markets, and counts failures."""
        self._aggregator = aggregator
        aggregator.is_live = True
        aggregator.delays.is_quiet_fine = True  # a FreezeWatch asks about what is quiet

    async def run(self, deliver: Deliver) -> None:
        """Deliver batches until cancelled; raises what ``deliver`` raises."""
        aggregator = self._aggregator
        if aggregator is None:
            raise ValueError("attach an aggregator before the stream runs")
        framings = {name: PUBLIC_STREAMS[name].framing for name in self._sources}
        intake = self._intake = Intake(framings, self._clock, deliver)
        urls = [url for source in self._sources.values() for url in source.urls.all]
        all_here = all(socket_factory(url) is not None for url in urls)
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=30, socket_factory=socket_factory(urls[0]) if all_here and urls else None)
        # No cookies, no proxies of the environment, and never an Origin header: Upbit answers those once in 10 s only.
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=jar, middlewares=(refuse_redirects,)) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for source in self._sources.values():
                for name, work in self._open(source, session, aggregator, intake):
                    tasks.create_task(work, name=f"{name} {source.exchange}")
            tasks.create_task(self._tick(aggregator, intake), name="stream tick")
            tasks.create_task(_raise(intake.broken), name="stream errors")

    def request_snapshot(self, exchange: str, code: str) -> None:
        """Request one market's depth; its answer comes as a frame. A request under way is not repeated."""
        requester = self._requesters.get(exchange)
        if requester is not None:
            requester.want(code)

    def status(self) -> list[SocketStatus]:
        """Every socket of every venue."""
        return [status for manager in self._managers.values() for status in manager.status()]

    @property
    def intake(self) -> Intake | None:
        """Where frames wait; None before the start."""
        return self._intake

    @property
    def snapshots_asked(self) -> dict[str, int]:
        """REST depth queries sent since the start, by exchange."""
        return {name: requester.asked for name, requester in self._requesters.items()}

    def _open(
        self, source: VenueSource, session: aiohttp.ClientSession, aggregator: OrderbookAggregator, intake: Intake
    ) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """All parts of one venue's data, and the tasks that keep it going."""
        exchange, config, clock = source.exchange, self._config, self._clock
        public = PUBLIC_STREAMS[exchange]
        framing = public.framing
        counts = aggregator.counts[exchange]

        def on_failure(failure: Failure) -> None:
            counts.fail(failure.kind)

        def on_answer(ok: bool, ms: float) -> None:
            if source.health is not None:
                source.health.on_answer(ok, ms, poll=True)

        def on_change(codes: Sequence[str], up: bool) -> None:
            if not up:
                intake.flush()  # frames received before the loss must be applied before it
            aggregator.connected(exchange, codes, up)
            if source.health is not None:
                source.health.on_socket(manager.is_connected)
                source.health.on_subscriptions(manager.missing)
            if up and requester is not None:
                asyncio.get_running_loop().call_later(_QUIET_START_S, self._ask_for_the_quiet, aggregator, exchange, codes)

        def on_reach(reached: bool) -> None:
            if source.health is not None and reached:
                source.health.on_reachable()
            elif source.health is not None:
                source.health.on_unreachable()

        def on_frozen(frozen: bool) -> None:
            if source.health is not None:
                source.health.on_frozen(frozen)

        rest = PublicRest(exchange, source.urls.rest, session, config, clock, source.turn, source.observe, on_answer)

        async def fetch(code: str) -> None:
            if public.resubscription is not None:
                await manager.say(code, public.resubscription(code))
                return
            call = framing.snapshot(code)
            if call is None:
                return
            try:
                intake.put(Frame(exchange, await rest.ask(call), code))
            except RestRefused as error:
                counts.fail(error.failure.kind)
                raise

        async def probe(code: str) -> tuple[float, float]:
            return framing.read_probe(await rest.ask(framing.probe(code)))

        wiring = Wiring(
            exchange=exchange,
            url=source.urls.stream,
            framing=framing,
            session=session,
            config=config,
            clock=clock,
            intake=intake,
            turn=source.turn,
            observe=source.observe,
            on_change=on_change,
            on_failure=on_failure,
            pause=asyncio.sleep if source.health is None else source.health.sleep,
            on_reach=on_reach,
            keepalive=public.keepalive,
        )
        manager = self._managers[exchange] = WebSocketManager(source.codes, wiring, self._rng)
        if len(manager.sockets) > 1:
            for socket in manager.sockets:
                aggregator.delays.share(exchange, socket.subscription.codes)
        if source.health is not None:
            source.health.on_subscriptions(manager.missing)
        work: list[tuple[str, Coroutine[Any, Any, None]]] = [("sockets", manager.run())]
        requester: SnapshotRequester | None = None
        if source.codes and (public.resubscription is not None or framing.snapshot(source.codes[0]) is not None):
            requester = self._requesters[exchange] = SnapshotRequester(
                fetch, clock, self._rng.stream(f"snapshots {exchange}"), asyncio.sleep if source.health is None else source.health.sleep
            )
            work.append(("snapshots", requester.run()))
        watch = self.watches[exchange] = FreezeWatch(
            exchange, aggregator, probe, manager.live_since, manager.renew, on_frozen, clock, config.probe_after_ms / 1000
        )
        work.append(("freeze watch", watch.run()))
        return work

    def _ask_for_the_quiet(self, aggregator: OrderbookAggregator, exchange: str, codes: Sequence[str]) -> None:
        """Start the books of markets that have sent no diff since their connection was opened."""
        for code in codes:
            book = aggregator.books.get((exchange, code))
            if book is not None and book.state in (BookState.EMPTY, BookState.GAPPED):
                self.request_snapshot(exchange, code)

    async def _tick(self, aggregator: OrderbookAggregator, intake: Intake) -> None:
        """Update silent streams, health and counts."""
        seen = dict.fromkeys(self._managers, 0)
        judged = self._clock.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            aggregator.sweep()
            now = self._clock.monotonic()
            judges = now - judged >= _LATE_S
            judged = now if judges else judged
            for exchange, manager in self._managers.items():
                aggregator.counts[exchange].merged_raw = intake.merged[exchange]
                health, frames = self._sources[exchange].health, manager.frames
                if health is not None and frames != seen[exchange]:
                    health.on_message(now)
                if health is not None and judges and (late_ms := aggregator.watches[exchange].take_least_late()) is not None:
                    health.on_late(late_ms)
                seen[exchange] = frames


async def _raise(broken: asyncio.Future[None]) -> None:
    await broken
