"""ExchangeHealthMonitor: whether new cycles may be opened at a venue, from what is received from it."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from math import inf
from typing import Final, NamedTuple

from arbtui.exchanges.config import HealthConfig
from arbtui.model.clock import Clock

#: Hysteresis: a state is left only once its cause has fallen to half of the value at which it is entered.
_LEFT_AT = 0.5
#: The p95 of the answers is over the limit when more than this share of them is.
_SLOW_SHARE = 0.05
#: A venue that was away so often in the window in which answers count comes and goes.
_OUTAGES = 3
#: Good answers in a row that end an outage.
_BACK = 3


class Health(StrEnum):
    """The health of a venue; entries need HEALTHY, hedges and cancels do not ask."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"  #: answers late or with errors, its clock differs from ours, or it asks for fewer requests
    FROZEN = "FROZEN"  #: its stream is open and its content does not change: prices may be old
    DOWN = "DOWN"  #: nothing is received, or it does not answer


_RANKS = {health: rank for rank, health in enumerate(Health)}
_Finding = tuple[Health, str]
_FINE: _Finding = (Health.HEALTHY, "")
#: Members by a name of their own, for what every decision asks (:data:`arbtui.model.book.LIVE`).
_HEALTHY: Final = Health.HEALTHY
_DEGRADED: Final = Health.DEGRADED
_DOWN: Final = Health.DOWN


class _Answer(NamedTuple):
    """How one request ended. ``poll``: no order."""

    when: float
    ok: bool
    slow: bool
    poll: bool


class ExchangeHealthMonitor:
    """One venue's health. A worse state is entered at once, a better one after ``recover_s`` without a relapse.

    Every report is O(1); ``state`` costs a few comparisons. Times are monotonic seconds of ``clock``.
    """

    def __init__(self, exchange: str, clock: Clock, config: HealthConfig) -> None:
        self.exchange = exchange
        self._clock = clock
        self._config = config
        # What every decision asks is kept here: a field of a model takes Python several times as long to find.
        self._silence_ms, self._skewed_from, self._least_answers = config.silence_ms, config.skew_block_ms, config.min_answers
        self._failing_from, self._down_from = config.failure_ratio, config.down_failure_ratio
        self._state = Health.DOWN
        self._why = "nothing was received yet"
        self._was_fit = False  # the first HEALTHY needs no waiting time
        self._is_fine = False  # HEALTHY at the last look, no bad answer in the window, nothing reported since: only silence can end that
        self._better_since: float | None = None
        self._last_message = -inf
        self._connected = True  # True until a socket reports otherwise
        self._unconfirmed = ""
        self._account_open = True  # True until an account stream reports otherwise
        self._frozen = False
        self._refusal: str | None = None
        self.is_proven = True  #: False where it is not known yet whether the venue takes our orders: nobody has sent one
        self.resting: dict[str, float] = {}  #: markets whose orders alone are refused: code to monotonic s of the end
        self.on_release: Callable[[], None] = lambda: None  #: a person has dealt with what the venue refuses
        self._throttled_until = -inf
        self._skew_ms = 0.0
        self._late_ms = 0.0
        self.server_time: tuple[float, float] | None = None  #: ms that our clock was ahead of the venue's, and of the round trip
        self._answers: deque[_Answer] = deque()
        self._run = 0  # polls that failed one after the other, before the good ones at the end
        self._run_since = -inf
        self._good = 0  # good polls at the end
        self._outages: deque[float] = deque()  # when each was over, in the window that answers count
        self._back_at = -inf  # when the last one was over
        self._sleepers: dict[asyncio.Future[None], None] = {}
        self.is_away = False  #: nothing has come back since something failed
        self._failed = 0
        self._slow = 0

    def on_message(self, now: float) -> None:
        """A message of the public stream came at ``now``."""
        if now > self._last_message:
            self._last_message = now

    def on_answer(self, ok: bool, ms: float, *, poll: bool = False) -> None:
        """A request ended after ``ms``. A definite refusal is an answer, too: ``ok`` is false for no answer or a server error.

        ``poll``: a question of our own making, no order. Polls that fail one after the other are an outage; with three good ones it
        is over and counts as one failure, so that what we asked during it does not keep us away from a venue that is back.
        """
        self._is_fine = False
        now, slow = self._clock.monotonic(), ms > self._config.slow_answer_ms
        if poll and slow and not ok and now - ms / 1000 < self._back_at:
            return  # asked during an outage that is over since, or ends just now
        self._answers.append(_Answer(now, ok, slow, poll))
        self._failed += not ok
        self._slow += slow
        self._forget(now)
        if poll:
            self._follow_outage(ok, now)
        if ok:
            self._wake()
        else:
            self.is_away = True

    def _follow_outage(self, ok: bool, now: float) -> None:
        if not ok:
            if self._good or not self._run:
                self._run, self._run_since = 0, now
            self._run, self._good = self._run + 1, 0
            return
        self._good += 1
        if self._run > 1 and self._good == 1:
            self._back_at = now
        if self._run > 1 and self._good == _BACK:
            self._end_outage(now)

    def on_unreachable(self) -> None:
        """A connection could not be made."""
        self.is_away = True

    def on_reachable(self) -> None:
        """A connection was made: whoever waits to try again need not wait."""
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Sleep before the next try; less where the venue answers again meanwhile, having answered nobody."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[sleeper] = None
        try:
            async with asyncio.timeout(seconds):
                await sleeper
        except TimeoutError:
            pass
        finally:
            self._sleepers.pop(sleeper, None)

    def _wake(self) -> None:
        if not self.is_away:
            return
        self.is_away = False
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    def _end_outage(self, now: float) -> None:
        """Let the polls that failed since it began count as one, whose slowness its failure has said."""
        kept: deque[_Answer] = deque()
        is_first = True
        for one in self._answers:
            if not one.poll or one.ok or one.when < self._run_since:
                kept.append(one)
                continue
            self._slow -= one.slow
            if is_first:
                kept.append(one._replace(slow=False))
                is_first = False
            else:
                self._failed -= 1
        self._answers = kept
        self._outages.append(now)

    @property
    def skew_ms(self) -> float:
        """How far the venue's clock is from ours, in ms; 0 before it was measured."""
        return self._skew_ms

    @property
    def is_clock_fine(self) -> bool:
        """Whether that is within what orders may open with."""
        return self._skew_ms < self._config.skew_block_ms

    def on_clock(self, skew_ms: float) -> None:
        """The venue's clock was measured ``skew_ms`` ahead of ours (behind: negative)."""
        self._is_fine = False
        self._skew_ms = abs(skew_ms) if skew_ms == skew_ms else inf

    def on_server_time(self, ahead_ms: float, round_trip_ms: float) -> None:
        """The venue was asked for its time: our clock is ``ahead_ms`` ahead of it, give or take half of the ``round_trip_ms``."""
        self.server_time = (ahead_ms, round_trip_ms)

    def on_late(self, ms: float) -> None:
        """The public stream's newest updates are, by their own times, ``ms`` old (negative: from the future)."""
        self._is_fine = False
        self._late_ms = ms if ms == ms else inf

    def on_throttled(self, until_monotonic: float) -> None:
        """The venue accepts no requests until then."""
        self._is_fine = False
        self._throttled_until = max(self._throttled_until, until_monotonic)

    def on_refused(self, why: str | None) -> None:
        """The venue refuses our key, account or every order, in words; None: it takes them again."""
        self._is_fine = False
        self._refusal = why

    @property
    def is_refused(self) -> bool:
        """True while the venue refuses our key, account or every order: somebody must be told, for it seldom mends itself."""
        return self._refusal is not None

    def rest(self, code: str, until: float) -> None:
        """Orders of this market alone are refused: none opens until then (monotonic s)."""
        self.resting[code] = until

    def rests(self, code: str, now: float) -> bool:
        """Whether this market rests at ``now``."""
        return bool(self.resting) and now < self.resting.get(code, -inf)

    def on_socket(self, connected: bool) -> None:
        """The public stream was connected or lost."""
        self._is_fine = False
        self._connected = connected

    def on_subscriptions(self, missing: str) -> None:
        """Which of the wanted streams the venue has not confirmed, as text; empty when there is none."""
        self._is_fine = False
        self._unconfirmed = missing

    def on_account(self, is_open: bool) -> None:
        """The account's private stream is open and everything missed was fetched, or it was lost."""
        self._is_fine = False
        self._account_open = is_open

    def on_frozen(self, frozen: bool) -> None:
        """The stream is open and its content has stopped changing, or changes again."""
        self._is_fine = False
        self._frozen = frozen

    def state(self, now: float) -> Health:
        """The venue's health at ``now``."""
        if self._is_fine and (now - self._last_message) * 1000 <= self._silence_ms:
            return _HEALTHY  # the usual answer
        found, why = self._worst(now)
        if found is _HEALTHY and not self._was_fit:
            self._was_fit = True
            self._enter(found, why)
        elif _RANKS[found] >= _RANKS[self._state]:
            self._enter(found, why)
        elif self._better_since is None:
            self._better_since = now
        elif now - self._better_since >= self._config.recover_s:
            self._enter(found, why)
        # Good answers grow old without a report: beside what is left of them, bad ones may then be too many.
        self._is_fine = found is _HEALTHY and self._state is _HEALTHY and not (self._failed or self._slow)
        return self._state

    def why(self, now: float) -> str:
        """The cause of the state, as text; at HEALTHY empty or a warning."""
        if self.state(now) is Health.HEALTHY:
            warn = self._config.skew_warn_ms
            return f"its clock is {self._skew_ms:.0f} ms from ours (limit {self._config.skew_block_ms})" if self._skew_ms > warn else ""
        if self._better_since is not None:
            return f"recovering: {self._why}"
        return self._why

    def _enter(self, state: Health, why: str) -> None:
        self._state, self._why, self._better_since = state, why, None

    def _worst(self, now: float) -> _Finding:
        """What is wrong at ``now``: the first that is, the worst of all looked at first."""
        self._forget(now)
        return self._down(now) or self._ill(now) or _FINE

    def _limit(self, entered: Health, at: float) -> float:
        """``at``, or half of it while the venue is in this state or a worse one (hysteresis)."""
        return at * _LEFT_AT if self._was_fit and _RANKS[self._state] >= _RANKS[entered] else at

    def _forget(self, now: float) -> None:
        while self._outages and now - self._outages[0] > self._config.answer_window_s:
            self._outages.popleft()
        while self._answers and now - self._answers[0].when > self._config.answer_window_s:
            old = self._answers.popleft()
            self._failed -= not old.ok
            self._slow -= old.slow

    def _down(self, now: float) -> _Finding | None:
        if not self._connected:
            return Health.DOWN, "its stream is disconnected"
        age_ms = (now - self._last_message) * 1000
        if not age_ms <= self._limit(_DOWN, self._silence_ms):
            return Health.DOWN, f"silent for {age_ms / 1000:.1f} s" if age_ms < inf else "nothing was received yet"
        if self._refusal is not None:
            return Health.DOWN, self._refusal
        if self._failed and self._are_failing(_DOWN, self._down_from):
            return Health.DOWN, self._failures()
        return None

    def _ill(self, now: float) -> _Finding | None:
        if self._frozen:
            return Health.FROZEN, "its stream is open and nothing in it moves"
        if now < self._throttled_until:
            return Health.DEGRADED, f"wants no requests for {self._throttled_until - now:.0f} s"
        if not self._account_open:
            return Health.DEGRADED, "its account stream is not open"
        if self._failed and self._are_failing(_DEGRADED, self._failing_from):
            return Health.DEGRADED, self._failures()
        if len(self._outages) >= _OUTAGES:
            return Health.DEGRADED, f"it was away {len(self._outages)} times in {self._config.answer_window_s:g} s"
        if self._unconfirmed:
            return Health.DEGRADED, self._unconfirmed
        count = len(self._answers)
        # A single late answer does not count: the network may have caused it.
        if count >= self._least_answers and self._slow > max(1.0, self._limit(_DEGRADED, _SLOW_SHARE) * count):
            return Health.DEGRADED, f"{self._slow} of {count} answers took over {self._config.slow_answer_ms} ms"
        most_ms = self._limit(_DEGRADED, self._skewed_from)
        if not self._skew_ms < most_ms:
            return Health.DEGRADED, f"its clock is {self._skew_ms:.0f} ms from ours"
        if not abs(self._late_ms) < most_ms:
            what = "old" if self._late_ms > 0 else "from the future: its clock is not ours"
            return Health.DEGRADED, f"what its stream brings is {abs(self._late_ms):.0f} ms {what}"
        return None

    def _are_failing(self, health: Health, ratio: float) -> bool:
        """Whether so large a share of the requests has failed that the venue is in this state, or a worse one."""
        count = len(self._answers)
        return count >= self._least_answers and self._failed / count >= self._limit(health, ratio)

    def _failures(self) -> str:
        return f"{self._failed} of {len(self._answers)} requests failed"
