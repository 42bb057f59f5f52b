"""StreamDelay: how much later than usual a socket's market data comes, by the venue's own clock.

Age alone cannot tell: a socket that falls seconds behind sends one message after the other, each just received, and its prices
are seconds old. So each socket has a *watermark*, the newest venue time seen on it over all its markets; frames without a time
borrow it. What receipt lies behind the watermark is the delay, what is usual of it the *base*, and the rest is excess.

Receipt is counted on our monotonic clock, the watermark on the venue's: their difference is part of the base, so neither clock
need be right, and a recording's receive times serve as well as today's.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import inf, nan

from arbtui.marketdata.config import MarketDataConfig
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason

_WINDOW_S = 600  #: seconds over which the base is taken
_PERCENTILE = 0.01
_RISE_MS_PER_S = 10.0 / 60.0  #: a base that rose with every delay would call none of them an excess
_OVER_CLOCK_MS = 50.0  #: what a venue's stream may take beyond half a round trip and the clocks' difference
_LEARNING_FRAMES, _LEARNING_S = 50, 10.0
_CLOCK_STEP_MS = 100.0
#: ms that a market's frame may be older than the one before it, out of order. A lag never goes back in time.
_PUT_BACK_MS = 500


class StreamDelay:
    """One socket. All in ms, but ``heard_at`` in seconds of whatever clock receipt is counted on."""

    __slots__ = (
        "_first_at",
        "_kept",
        "_least",
        "_sorted",
        "_turn_at",
        "base",
        "cap",
        "delay",
        "frames",
        "heard_at",
        "watermark",
    )

    def __init__(self) -> None:
        self.cap = inf  #: the base is never above it
        self.learn()

    def learn(self) -> None:
        """Forget what was usual."""
        self.watermark = 0  #: newest venue time seen
        self.delay = nan  #: of the last stamped frame
        self.base = nan
        self.frames = 0  #: stamped ones since then
        self.heard_at = -inf
        self._first_at = inf
        self._least = inf  # of this second
        self._turn_at = -inf
        self._kept: deque[float] = deque()  # the least of each second
        self._sorted: list[float] = []  # the same, ascending

    def seen(self, ts_event: int, before: int, now: float) -> None:
        """A frame of the venue's time ``ts_event`` came at ``now`` (seconds of receipt); its market's last one was of ``before`` (0: none).

        On the way of every stamped update.
        """
        if ts_event > self.watermark:
            self.watermark = ts_event
        elif ts_event < before - _PUT_BACK_MS:  # its clock was put back: what it showed before is no measure any more
            self.learn()
            self.watermark = ts_event
        delay = self.delay = now * 1000.0 - self.watermark
        if delay < self.base - _CLOCK_STEP_MS:  # its clock was put ahead, or what was learnt was a lag that is over
            self.learn()
            self.watermark = ts_event
            self.delay = delay
        self.heard_at = now
        self.frames += 1
        if delay < self._least:
            self._least = delay
        if now >= self._turn_at:
            self._turn(now)

    @property
    def is_learning(self) -> bool:
        """True while too little came to know what is usual."""
        return self.frames < _LEARNING_FRAMES and not self.heard_at - self._first_at >= _LEARNING_S

    @property
    def excess(self) -> float:
        """How much later than usual the last stamped frame came; negative when it came sooner; NaN before the first."""
        return self.delay - self.base

    def _turn(self, now: float) -> None:
        """A second is over: the base is the first percentile of each second's least, over ten minutes."""
        if self._first_at == inf:
            self._first_at = now
        insort(self._sorted, self._least)
        self._kept.append(self._least)
        if len(self._kept) > _WINDOW_S:
            self._sorted.remove(self._kept.popleft())
        usual = self._sorted[int(_PERCENTILE * len(self._sorted))]
        if not self.is_learning and self.base == self.base:
            passed = min(now - self._turn_at + 1.0, _WINDOW_S)
            usual = min(usual, self.base + _RISE_MS_PER_S * passed)
        self.base = min(usual, self.cap)
        self._least = inf
        self._turn_at = now + 1.0


class StreamDelays:
    """The delays of all sockets, and what they mean for two books that are to be traded on together.

    A socket's markets are told by :meth:`share`; until then all of an exchange share one.

    Args:
        config: how long a market is quarantined.
        clock: its wall time is watched for steps.
    """

    def __init__(self, config: MarketDataConfig, clock: Clock) -> None:
        self._clock = clock
        self._quarantine_s = config.quarantine_ms / 1000
        self._quarantined: dict[OrderBook, float] = {}
        self._of: dict[str, dict[str, StreamDelay]] = {}  # by exchange and code
        self._all: list[StreamDelay] = []
        self._due_since = -inf
        self._offset_ms = self._wall_offset_ms()
        self.old_news: set[OrderBook] = set()  #: books whose last update was old by its venue's clock when it came
        self.is_quiet_fine = False  #: somebody asks the venue about quiet books (FreezeWatch): one on a live socket is current

    def open(self, exchange: str, codes: Iterable[str]) -> Mapping[str, StreamDelay]:
        """One delay for all ``codes`` of an exchange; the mapping that its sink looks them up in."""
        self._of[exchange] = dict.fromkeys(codes, self._new())
        return self._of[exchange]

    def share(self, exchange: str, codes: Iterable[str]) -> None:
        """These markets come over a socket of their own."""
        delay = self._new()
        known = self._of.get(exchange, {})
        known.update({code: delay for code in codes if code in known})

    def of(self, book: OrderBook) -> StreamDelay:
        """The delay of the socket that carries ``book``."""
        return self._of[book.exchange][book.code]

    def due(self) -> Sequence[float]:
        """When the newest frame of each socket that was heard since the last call would have come with its usual delay.

        In seconds of receipt; asked after every batch. A socket of which nothing is known yet is left out.
        """
        since = self._due_since
        heard = [delay for delay in self._all if delay.heard_at > since and delay.base == delay.base]
        if not heard:
            return ()
        self._due_since = max([delay.heard_at for delay in heard])
        return [delay.heard_at - delay.excess / 1000.0 for delay in heard]

    def _new(self) -> StreamDelay:
        self._all.append(StreamDelay())
        return self._all[-1]

    def sockets(self, exchange: str) -> list[StreamDelay]:
        """Every socket's delay."""
        return list(dict.fromkeys(self._of.get(exchange, {}).values()))

    def quarantine(self, book: OrderBook) -> None:
        """``book`` has just come back, by a new connection or a new snapshot: nothing opens on it for a moment."""
        self._quarantined[book] = self._clock.monotonic() + self._quarantine_s

    def refusal(self, books: Sequence[OrderBook], now: float, max_excess_ms: float, max_skew_ms: float) -> Reason | None:
        """Why ``books`` may not be traded on together at ``now``, as far as their streams' delays tell.

        The skew is that of the two watermarks, each put on our clock by its base, as they were at their last frames: how long
        ago those were is no lag, but a quiet moment.
        """
        streams = [self.of(book) for book in books]
        if any(stream.is_learning for stream in streams):
            return Reason.LEARNING
        excesses = [stream.excess for stream in streams]
        if not all(excess <= max_excess_ms for excess in excesses):
            return Reason.EXCESS_DELAY
        if not max(excesses) - min(excesses) <= max_skew_ms:
            return Reason.LEG_SKEW
        if self._quarantined and any([self._is_quarantined(book, now) for book in books]):
            return Reason.QUARANTINED
        return None

    def current_at(self, book: OrderBook) -> float:
        """When ``book`` was last known to be current, in monotonic seconds: its own last change, or its live socket's last frame."""
        if not self.is_quiet_fine or book in self.old_news:
            return book.ts_init
        return max(book.ts_init, self.of(book).heard_at)

    def watch_clock(self) -> None:
        """A few times a second: after a step of our wall clock the venues' times mean something else, and all is learnt anew."""
        offset_ms = self._wall_offset_ms()
        if abs(offset_ms - self._offset_ms) > _CLOCK_STEP_MS:
            for exchange in self._of:
                for delay in self.sockets(exchange):
                    delay.learn()
        self._offset_ms = offset_ms

    def limit_base(self, exchange: str, ahead_ms: float, round_trip_ms: float) -> None:
        """The venue's server time was asked for: our clock is ``ahead_ms`` of it. A base above what that allows was learnt from a lag."""
        cap = ahead_ms + round_trip_ms / 2 + _OVER_CLOCK_MS - self._wall_offset_ms()
        for delay in self.sockets(exchange):
            delay.cap = cap
            if delay.base > cap:
                delay.base = cap

    def _is_quarantined(self, book: OrderBook, now: float) -> bool:
        until = self._quarantined.get(book)
        if until is None:
            return False
        if now >= until:
            del self._quarantined[book]
            return False
        return True

    def _wall_offset_ms(self) -> float:
        """Wall time less monotonic time."""
        return self._clock.time_ms() - self._clock.monotonic() * 1000.0
