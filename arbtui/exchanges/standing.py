"""VenueStanding: whether a venue takes our orders, from what it refused. The one place that acts on a refusal's scope.

- Key, address, account or venue refused: nothing opens there from the first refusal on, until the venue takes an order or a probe
  (a test order that makes none, and the question whether it takes the key).
- A test order that is taken while real ones are refused proves nothing. Then one more try is let through after a long pause.
- A code that no table has stops the account, too. When a probe is taken and the code came for one market only, that market rests
  and the others go on.
- Whatever returns a third time waits for a person.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.refusals import Refusal, Scope
from arbtui.model.clock import Clock

log = logging.getLogger("arbtui")

#: s to the first probe, and at most between two; it doubles in between.
FIRST_PROBE_S, LONGEST_PROBE_S = 5.0, 300.0
#: s between two probes at most where the key or its address is refused: a person mends that, and watches.
LONGEST_KEY_PROBE_S = 30.0
#: s that a market rests whose orders alone were refused with a code that no table has.
SYMBOL_REST_S = 3600.0
#: s before real orders are tried again where a test order cannot tell, at the first refusal and at the second.
TRIAL_S = (120.0, 300.0)
#: A refusal that comes back so often is not over by itself.
_A_PERSON = 3


@dataclass(slots=True)
class Block:
    """Why nothing opens at the venue now."""

    refusal: Refusal
    code: str
    words: str  #: what was refused, in the venue's words
    of_order: bool  #: a real order was refused, not a question
    due: float  #: monotonic s of the next probe or, where ``is_trial``, of the next try
    probes: int = 0
    is_trial: bool = False  #: no probe can tell whether it is over
    waits_for_person: bool = False


@dataclass(slots=True)
class _Returns:
    """How often one code stopped the venue, and for which markets."""

    count: int = 0
    markets: dict[str, None] = field(default_factory=dict)


class VenueStanding:
    """One venue's. ``on_change`` is called whenever a block begins, ends, or has another due time."""

    def __init__(self, exchange: str, clock: Clock, health: ExchangeHealthMonitor | None = None) -> None:
        self.exchange = exchange
        self.block: Block | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._clock = clock
        self._health = health
        self._returns: dict[str, _Returns] = {}
        if health is not None:
            health.on_release = self.release
            health.is_proven = False

    def refused(self, failure: RequestFailed, market: str = "", *, of_order: bool = False) -> None:
        """Something was refused. ``market``: of the order; ``of_order``: it was an order or a cancel, not a question."""
        row, code = failure.refusal, failure.answer.code
        if not row.stops_entries or (not of_order and not row.is_listed and row.scope is Scope.ACCOUNT):
            return  # this request or its market, no more; or a question with an odd answer
        now = self._clock.monotonic()
        if not row.is_listed and self._health is not None and self._health.rests(market, now):
            self._health.rest(market, now + SYMBOL_REST_S)  # a cycle that was open tries to complete its leg: nothing new
            return
        returns = self._returns.setdefault(code, _Returns())
        if market:
            returns.markets[market] = None
        if self.block is not None:  # what was under way when the first one was refused
            self.block.of_order = self.block.of_order or of_order
            return
        if of_order:
            returns.count += 1
        # A documented refusal is probed at once: only a probe that is refused now can later show that it is over.
        due = now if row.is_listed else now + FIRST_PROBE_S
        if self._health is not None:
            self._health.is_proven = False  # after it, one order goes first again
        self.block = Block(row, code, str(failure), of_order, due)
        if returns.count >= _A_PERSON:
            self._await_person()
        log.error("%s: no entries there until it is over, the %s is refused: %s; %s", self.exchange, row.scope, failure, row.say)
        self._tell()

    def accepted(self, market: str = "") -> None:
        """The venue took an order of ``market``: whatever stopped it is over, or is a matter of the markets that were refused."""
        if self._health is not None:
            self._health.is_proven = True
        block = self.block
        if block is None:
            return
        if not block.refusal.is_listed and market not in self._returns[block.code].markets:
            self._narrow(block)
            return
        self._returns.pop(block.code, None)
        self._lift("it took an order")

    def probed(self, taken: bool, said: str, *, tested: bool = True) -> None:
        """A probe was answered: the venue takes the key and a test order, or it does not (``said``: its words).

        ``tested``: False where the venue tests no orders, so that only another real one can tell whether it takes them.
        """
        block = self.block
        if block is None or block.is_trial or block.waits_for_person:
            return
        block.probes += 1
        if not taken:
            longest = LONGEST_KEY_PROBE_S if block.refusal.scope in (Scope.KEY, Scope.IP) else LONGEST_PROBE_S
            block.due = self._clock.monotonic() + min(FIRST_PROBE_S * 2.0 ** min(block.probes - 1, 20), longest)
            self._tell()
        elif block.of_order and not tested:
            self._distrust(block)
        elif not block.refusal.is_listed and block.refusal.scope is Scope.ACCOUNT:
            self._narrow(block)
        elif block.of_order and block.probes == 1:
            self._distrust(block)
        else:
            self._lift(said or "it takes a test order")

    def probe_failed(self) -> None:
        """A probe brought no answer: asked again after a while."""
        if self.block is not None:
            self.block.due = self._clock.monotonic() + FIRST_PROBE_S
            self._tell()

    def keys_changed(self) -> None:
        """Other keys are in use, and the venue takes them."""
        if self.block is not None and self.block.refusal.scope in (Scope.KEY, Scope.IP):
            self._returns.pop(self.block.code, None)
            self._lift("it takes the new key")

    def try_again(self) -> None:
        """The pause before the next real order is over."""
        if self.block is not None and self.block.is_trial:
            self._lift("tried again, since a test order cannot tell")

    def release(self) -> None:
        """A person has dealt with it."""
        if self.block is not None:
            self._returns.pop(self.block.code, None)
            self._lift("a person says that it is dealt with")

    def due_in(self) -> float | None:
        """Seconds to the next probe or try; None when there is none."""
        if self.block is None or self.block.waits_for_person:
            return None
        return max(self.block.due - self._clock.monotonic(), 0.0)

    def _narrow(self, block: Block) -> None:
        """The account is well, so the code was of its markets."""
        markets = list(self._returns[block.code].markets)
        until = self._clock.monotonic() + SYMBOL_REST_S
        for market in markets:
            log.warning("%s: %s rests for an hour: %s, while a test order is taken", self.exchange, market, block.words)
            if self._health is not None:
                self._health.rest(market, until)
        self._lift(f"it takes a test order; {', '.join(markets) or 'no market'} rests")

    def _distrust(self, block: Block) -> None:
        """A test order is taken at the very moment when real ones are refused."""
        block.is_trial = True
        count = self._returns[block.code].count
        block.due = self._clock.monotonic() + TRIAL_S[min(count, len(TRIAL_S)) - 1]
        self._tell()

    def _await_person(self) -> None:
        if self.block is not None:
            self.block.waits_for_person = True
            self.block.due = inf

    def _lift(self, why: str) -> None:
        self.block = None
        log.warning("%s: orders may go there again: %s", self.exchange, why)
        self._tell()

    def _tell(self) -> None:
        block = self.block
        if self._health is not None:
            self._health.on_refused(None if block is None else self._words(block))
        self.on_change()

    def _words(self, block: Block) -> str:
        name = {Scope.KEY: "API key", Scope.IP: "API key's address", Scope.ACCOUNT: "account", Scope.VENUE: "trading"}[block.refusal.scope]
        then = "asked again"
        if block.waits_for_person:
            then = "came back: acknowledge it in the Risk pane once it is dealt with"
        elif block.is_trial:
            then = "a test order cannot tell, so it is tried again later"
        return f"it refuses our {name}: {block.words}; {block.refusal.say}; {then}"
