"""RateWatch: whether the exchange rate on one market between two settlement currencies may be believed.

Every coin that is traded in both currencies implies a rate: its price in the one over its price in the other. When all of
them move away from the rate's own book at once, no coin has an edge: the rate is wrong, and every route that is priced
with it would trade at a loss in the same direction. So the rate is compared with the median of what the coins imply, and where
there are too few of them, with the same rate at other venues.
Deviations are in bps, positive when the book's rate (quote per base) is dearer than the coins say.
"""

from collections import deque
from collections.abc import Sequence
from math import inf, log, nan, sqrt

from arbtui.marketdata.config import RatesConfig
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import LIVE, OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason

#: The median is taken of so many coins at most, the most active ones: it is taken whenever an opportunity is found.
_REFERENCE_COINS = 11
#: The deviation must be so many standard errors of the median, whatever the limits: a few coins that swing on their own say little.
_SURE, _NOT_SURE = 4.0, 2.0
#: For normal values: the standard error of a median over that of a mean, and the standard deviation over the mean absolute one.
_MEDIAN_ERROR = _STANDARD_OF_MEAN = 1.2533
#: s that one sample of the rate counts at most: what came before a pause was not observed during the pause.
_SAMPLE_S = 5.0
_BUCKETS = 60


class CoinRate:
    """The rate that one coin implies, and whether that coin has parted from the others.

    Args:
        watch: who compares it with the others.
        symbol: the coin.
        local: its book in the quote of the watched rate, at the rate's own venue where that lists it.
        foreign: its book in the base.
    """

    __slots__ = ("doubted", "fine_since", "foreign", "local", "symbol", "watch")

    def __init__(self, watch: "RateWatch", symbol: str, local: OrderBook, foreign: OrderBook) -> None:
        self.watch = watch
        self.symbol = symbol
        self.local = local
        self.foreign = foreign
        self.doubted = False
        self.fine_since: float | None = None

    def implied(self) -> float:
        """Local per foreign at the mids; 0.0 while either book is not LIVE and two-sided."""
        local, foreign = self.local, self.foreign
        if local.state is not LIVE or foreign.state is not LIVE:
            return 0.0
        if not (0.0 < local.bid < local.ask < inf and 0.0 < foreign.bid < foreign.ask < inf):
            return 0.0
        return (local.bid + local.ask) / (foreign.bid + foreign.ask)


class _RecentMean:
    """Mean of a value over the last ``window_s`` seconds of observation, as if it had been ``start`` before."""

    __slots__ = ("_buckets", "_sum", "_weight", "_window", "value")

    def __init__(self, window_s: float, start: float) -> None:
        each = window_s / _BUCKETS
        self._window = window_s
        self._buckets: deque[list[float]] = deque([each, each * start] for _ in range(_BUCKETS))
        self._weight, self._sum = window_s, window_s * start
        self.value = start

    def add(self, value: float, weight: float) -> None:
        newest = self._buckets[-1]
        if newest[0] >= self._window / _BUCKETS:
            newest = [0.0, 0.0]
            self._buckets.append(newest)
        newest[0] += weight
        newest[1] += weight * value
        self._weight += weight
        self._sum += weight * value
        while self._weight - self._buckets[0][0] >= self._window:
            weight_gone, sum_gone = self._buckets.popleft()
            self._weight -= weight_gone
            self._sum -= sum_gone
        self.value = self._sum / self._weight


class _Stood:
    """A value that the rate had until the next one: since when, its logarithm, and that of the coins' median, as last seen beside it."""

    __slots__ = ("median", "rate", "since")

    def __init__(self, since: float, rate: float, median: float) -> None:
        self.since = since
        self.rate = rate
        self.median = median


class RateWatch:
    """Compares one market's rate with what the coins imply, and tells the :class:`RateMarket` what it found.

    Three tests. The *deviation* of the book's mid from the coins' median, less its own mean of the last ten minutes (before there
    is any history, zero: the two are one price). A *jump* of the rate within a second that the coins do not follow. And between
    the limits, where neither blocks, the *margin*: what the rate has moved and the coins have not is taken off every edge that
    gains by it, so that nothing opens that would not pay at the coins' rate as well.

    Without ``min_coins`` coins whose books are LIVE on both sides the same rate at other venues (:meth:`confirm_by`) stands for them:
    one that itself jumped alone, or that its own coins contradict, tells nothing; of two that part slowly, both are doubted. Where
    nobody tells, only the jump test runs, on the rate itself.

    A look is a pure function of the books and of the times at which the rate changed; it costs some microseconds, and happens
    at every change of the rate, at every opportunity, and a few times a second.

    Args:
        market: whose rate it is; it calls :meth:`on_rate` whenever its book changed.
        limits: table ``[rates]``.
        clock: times the changes.
    """

    def __init__(self, market: RateMarket, limits: RatesConfig, clock: Clock) -> None:
        self.market = market
        self.limits = limits
        self._min_coins, self._clear_bps = limits.min_coins, limits.clear_deviation_bps
        self._books: list[tuple[int, OrderBook, OrderBook]] = []  # of each coin, which one first; those of one coin together
        self._numbers: dict[str, int] = {}
        self._peers: tuple[RateWatch, ...] = ()
        self._clock = clock
        self.coins: list[CoinRate] = []  #: that are traded in both currencies, the most active first; see :meth:`add`
        self._deviation_mean = _RecentMean(limits.mean_s, 0.0)
        self._rate_mean: _RecentMean | None = None
        self._stood: deque[_Stood] = deque()
        self._sampled_at = nan
        self._bad_at = 0.0
        self._fine_since: float | None = None
        self._log_median = nan  # that the jump test follows
        self._log_reference = nan  # that the rate is compared with
        self._error_bps = 0.0  # of the median; measured only where it decides
        self.live_coins = 0  #: coins whose books were LIVE on both sides at the last look
        self.median = 0.0  #: of the rates that they imply; 0.0 while there are too few
        self.deviation_bps = nan  #: less its mean; NaN while there is no median or no rate
        self.why = ""  #: why the rate is doubted, in words
        self.is_contradicted = False  #: another venue's rate parted from it slowly, and nobody tells which of them is wrong
        self._has_peers = False  # that told at the last look
        market.watch = self

    def add(self, symbol: str, local: OrderBook, foreign: OrderBook) -> CoinRate:
        """Watch one more coin, or one more pair of books of the last one: the first of them that is LIVE counts in the median."""
        coin = CoinRate(self, symbol, local, foreign)
        self.coins.append(coin)
        number = self._numbers.setdefault(symbol, len(self._numbers))
        self._books.append((number, local, foreign))
        return coin

    def confirm_by(self, peers: Sequence["RateWatch"]) -> None:
        """Let the same rate at other venues tell where there are too few coins."""
        self._peers = tuple(peers)

    @property
    def needs_coins(self) -> bool:
        """True while only the jump test runs, for want of coins and of another venue's rate."""
        return self.live_coins < self.limits.min_coins and not self._has_peers

    def on_rate(self) -> None:
        """The rate's book changed: the jump test, and one more sample of the means."""
        now = self._clock.monotonic()
        mid = self.market.mid()
        if not mid > 0.0:
            return  # no rate blocks by itself
        rate = log(mid)
        self._measure(rate, now)
        jump = self._jump(rate, now)
        self._learn(rate, now)
        self._judge(now, jump)

    def look(self, now: float) -> None:
        """Compare anew: the coins may have moved since the rate did."""
        mid = self.market.mid()
        if mid > 0.0:
            self._measure(log(mid), now)
        else:
            self.deviation_bps = nan
        self._judge(now, 0.0)

    def look_at(self, coin: CoinRate, now: float) -> None:
        """Compare anew, and see whether ``coin`` has parted from the median of all, or has come back: it is about to be priced."""
        self.look(now)
        self._judge_coin(coin, now)

    def look_at_all(self, now: float) -> None:
        """The same for every coin; a few times a second."""
        self.look(now)
        for coin in self.coins:
            self._judge_coin(coin, now)

    def _judge_coin(self, coin: CoinRate, now: float) -> None:
        """No mean of its own is taken off, unlike the rate's: a wallet may be closed for weeks."""
        implied = coin.implied()
        if not (self.median > 0.0 and implied > 0.0):
            return
        parted_bps = abs(implied / self.median - 1.0) * 1e4
        limit = self.limits.max_coin_deviation_bps
        if not parted_bps <= limit:
            coin.doubted, coin.fine_since = True, None
        elif coin.doubted:
            if parted_bps >= limit / 2:
                coin.fine_since = None
            elif coin.fine_since is None:
                coin.fine_since = now
            elif now - coin.fine_since >= self.limits.clear_s:
                coin.doubted = False

    def _measure(self, rate: float, now: float) -> None:
        """Median, deviation and margin as of ``now``; ``rate`` is the logarithm of the book's mid."""
        reference: list[float] = []
        counted, left = -1, _REFERENCE_COINS
        for number, local, foreign in self._books:  # CoinRate.implied, written out: this runs whenever an opportunity is found
            if number != counted and local.state is LIVE and foreign.state is LIVE and local.bid > 0.0 < foreign.bid:
                implied = (local.bid + local.ask) / (foreign.bid + foreign.ask)
                if 0.0 < implied < inf:  # else a side without an offer
                    counted = number
                    reference.append(implied)
                    left -= 1
                    if not left:
                        break
        count = self.live_coins = len(reference)
        self._has_peers = False
        if count < self._min_coins:
            self._log_median, self._error_bps = nan, 0.0
            median = self._of_peers(now) if self._peers else 0.0
            if not median > 0.0:
                self.median, self.deviation_bps = 0.0, nan
                self.market.set_margin(0.0, 0.0)
                return
            self._has_peers = True
            self._log_reference = log(median)
        else:
            median = _median(reference)
            self._log_median = self._log_reference = log(median)
        self.median = median
        deviation = self.deviation_bps = (rate - self._log_reference - self._deviation_mean.value) * 1e4
        # What the rate has moved away by itself; and what the coins have moved away, as far as they agree on it.
        moved = (rate - self._rate_mean.value) * 1e4 if self._rate_mean is not None else 0.0
        is_dear = deviation > 0.0
        if not is_dear:
            deviation, moved = -deviation, -moved
        margin = 0.0 if moved < 0.0 else moved if moved < deviation else deviation
        if deviation > self._clear_bps and not self._has_peers:
            self._error_bps = self._standard_error_bps(reference)
            margin = max(margin, deviation - _NOT_SURE * self._error_bps)
        if is_dear:
            self.market.set_margin(margin, 0.0)
        else:
            self.market.set_margin(0.0, margin)

    def _of_peers(self, now: float) -> float:
        """The rate at other venues, of those that may be believed; of two and more the median with our own. 0.0 where nobody tells.

        ``_log_median``, which the jump test follows, is that of all that are fresh: two that jump together confirm each other, even
        where the first of them was doubted for a moment.
        """
        told: list[float] = []
        believed: list[float] = []
        for peer in self._peers:
            market = peer.market
            if market.refusal(now) not in (None, Reason.RATE_DOUBTED):
                continue
            mid = market.mid() if market.quote == self.market.quote else 1.0 / market.mid()
            told.append(mid)
            if not market.doubted or peer.is_contradicted:
                believed.append(mid)
        if told:
            self._log_median = log(_median(told))
        if len(believed) > 1:
            believed.append(self.market.mid())
        return _median(believed) if believed else 0.0

    def _standard_error_bps(self, reference: Sequence[float]) -> float:
        """Standard error of the median, from how far the coins are from each other; those that have parted tell nothing."""
        median, limit = self.median, self.limits.max_coin_deviation_bps
        apart = [bps for implied in reference if (bps := abs(implied / median - 1.0) * 1e4) <= limit]
        if len(apart) < 2:
            return 0.0
        deviation = _STANDARD_OF_MEAN * sum(apart) / (len(apart) - 1)
        return _MEDIAN_ERROR * deviation / sqrt(len(apart))

    def _jump(self, rate: float, now: float) -> float:
        """The largest move of the rate within the last second that the coins have not followed by half, in bps; 0.0 under the limit."""
        stood = self._stood
        while len(stood) > 1 and stood[1].since <= now - 1.0:  # replaced before the last second began
            stood.popleft()
        largest = 0.0
        for before in stood:
            jump = (rate - before.rate) * 1e4
            followed = (self._log_median - before.median) * 1e4
            if abs(jump) > max(self.limits.max_jump_bps, abs(largest)) and not abs(jump - followed) <= abs(jump) / 2:  # NaN: nobody tells
                largest = jump
        if not stood or stood[-1].rate != rate:
            stood.append(_Stood(now, rate, self._log_median))
        else:
            stood[-1].median = self._log_median
        return largest

    def _learn(self, rate: float, now: float) -> None:
        if self._rate_mean is None:
            self._rate_mean = _RecentMean(self.limits.mean_s, rate)
        elif now > self._sampled_at:
            weight = min(now - self._sampled_at, _SAMPLE_S)
            self._rate_mean.add(rate, weight)
            if self.median > 0.0:
                self._deviation_mean.add(rate - self._log_reference, weight)
        self._sampled_at = now

    def _judge(self, now: float, jump_bps: float) -> None:
        deviation, doubted = abs(self.deviation_bps), self.market.doubted
        if not (doubted or jump_bps or deviation > self._clear_bps):
            return  # the usual answer
        limits = self.limits
        if jump_bps or deviation > max(limits.max_deviation_bps, _SURE * self._error_bps):
            self._bad_at, self._fine_since = now, None
            if jump_bps:
                self.why = f"the rate alone moved {jump_bps:+.0f} bps within a second (limit {limits.max_jump_bps:g})"
            elif not doubted:
                told_by = "the same rate at other venues" if self._has_peers else f"what {self.live_coins} coins imply"
                self.why = f"the rate is {self.deviation_bps:+.0f} bps from {told_by} (limit {limits.max_deviation_bps:g})"
                self.is_contradicted = self._has_peers
            self.market.doubted = True
            if self.is_contradicted and not doubted:
                for peer in self._peers:  # the other one is doubted on this same update: nobody tells which of them is wrong
                    peer.look(now)
        elif not doubted:
            return
        elif self.needs_coins:
            if now - self._bad_at >= limits.jump_block_s:
                self._clear()
        elif not deviation < max(limits.clear_deviation_bps, _NOT_SURE * self._error_bps):  # NaN: there is no rate now
            self._fine_since = None
        elif self._fine_since is None:
            self._fine_since = now
        elif now - self._fine_since >= limits.clear_s:
            self._clear()

    def _clear(self) -> None:
        self.market.doubted = self.is_contradicted = False
        self._fine_since = None
        self.why = ""


def _median(values: list[float]) -> float:
    values.sort()
    count = len(values)
    return (values[count // 2] + values[(count - 1) // 2]) / 2
