"""``CrossExchangePositionSync``: compares what the portfolio holds with what each venue says, asset by asset.

An asset is compared while no own order of it is open or unknown and no fill of it came for a moment; pushed balances and
balances that were asked for count alike. The same difference in several reads, a second apart, is a dispute: nothing new
opens there in that asset until an operator has decided, or the venue says the same as we do again. What is too small to
trade is booked quietly, so much a venue and day.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import inf

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.journal.events import Adjusted, BalanceDisputed, DisputeClosed, Event, TransferArrived, TransferLeft
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Balance
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfers import TransferAccount

#: An asset is left alone so long after its last fill, in seconds: the venue's balance may follow late.
_SETTLES_S = 2.0
#: So many reads in a row must show the same difference, no two of them within a second.
_READS = 3
_APART_S = 1.0
#: Steps of transfers that are looked for in one change of a balance, at most.
_MOST_TOGETHER = 4
#: Dust of cash, in dollars; that of a coin is one lot of its coarsest market.
_DUST_OF_CASH = Decimal("0.01")
#: The most that is booked quietly at one venue on one day, in dollars.
_DUST_A_DAY = Decimal(1)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A balance on which a venue and the portfolio disagree."""

    exchange: str
    asset: str
    ours: Decimal
    theirs: Decimal


@dataclass(slots=True)
class _Doubt:
    """A difference that was seen; ``reads`` in a row, the last at ``at`` (monotonic s)."""

    ours: Decimal
    theirs: Decimal
    reads: int
    at: float


class CrossExchangePositionSync:
    """Compares, journals disputes and dust, and closes disputes that are over.

    Args:
        lots: coarsest quantity step by coin.
        dollar: roughly what one is worth, in the PnL currency: what is dust is told in dollars.
        on_dispute: called with each new dispute.
    """

    def __init__(
        self,
        *,
        adapters: Mapping[str, ExchangeAdapter],
        portfolio: Portfolio,
        journal: Journal,
        clock: Clock,
        lots: Mapping[str, Decimal],
        dollar: Decimal = ONE,
        on_dispute: Callable[[Mismatch], None] = lambda _: None,
    ) -> None:
        self._adapters = adapters
        self._portfolio = portfolio
        self._journal = journal
        self._clock = clock
        self._lots = lots
        self._dollar = dollar
        self._doubts: dict[tuple[str, str], _Doubt] = {}
        self._moved: dict[tuple[str, str], float] = {}
        self.on_dispute = on_dispute
        self.read_at: dict[str, float] = {}  #: monotonic s of the last read by venue

    def moved(self, exchange: str, *assets: str) -> None:
        """A fill moved ``assets`` at ``exchange`` just now."""
        now = self._clock.monotonic()
        for asset in assets:
            self._moved[exchange, asset] = now

    async def check(self, within_s: float | None = None) -> Mapping[str, str]:
        """Ask every venue, all at once, and compare; by venue, why one could not be: unknown is not zero.

        ``within_s``: seconds after which no answer is waited for any more; None waits as long as the venues' limits let a query wait.
        """

        async def ask(name: str, adapter: ExchangeAdapter) -> str:
            asked = self.held(name)
            try:
                async with asyncio.timeout(within_s):
                    balances = await adapter.fetch_balances()
            except TimeoutError:
                return f"no balances within {within_s:g} s"
            except ArbtuiError as error:
                return str(error)
            self.compare_answer(name, balances, asked)
            return ""

        whys = await asyncio.gather(*(ask(name, adapter) for name, adapter in self._adapters.items()))
        return {name: why for name, why in zip(self._adapters, whys, strict=True) if why}

    def held(self, exchange: str) -> Mapping[str, Decimal]:
        """What we hold at ``exchange`` now, in all, by asset; to be kept while its balances are asked for."""
        return dict(self._portfolio.state.balances.get(exchange, {}))

    def disputed(self, exchange: str) -> frozenset[str]:
        """The assets that ``exchange`` and the portfolio disagree on."""
        return frozenset(self._portfolio.state.disputes.get(exchange, {}))

    @property
    def has_doubts(self) -> bool:
        """Whether a difference was seen that is not decided yet: worth asking again soon."""
        return bool(self._doubts)

    def compare_answer(self, exchange: str, balances: Mapping[str, Balance], asked: Mapping[str, Decimal]) -> None:
        """Compare all balances of ``exchange``, which were asked for when we held ``asked`` there. What moved meanwhile says nothing."""
        ours = self._portfolio.state.balances.get(exchange, {})
        self._compare_all(exchange, [asset for asset in {**ours, **balances} if ours.get(asset) == asked.get(asset)], balances)

    def compare(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        """Compare what ``exchange`` has pushed: what it does not name is unchanged."""
        self._compare_all(exchange, balances, balances)

    def _compare_all(self, exchange: str, assets: Iterable[str], balances: Mapping[str, Balance]) -> None:
        now = self._clock.monotonic()
        self.read_at[exchange] = now
        ours = self._portfolio.state.balances.get(exchange, {})
        intents = [order.intent for order in self._portfolio.open_orders if order.intent.exchange == exchange]
        traded = {asset for intent in intents for asset in (intent.base, intent.quote)}
        for asset in assets:
            if asset in traded or now - self._moved.get((exchange, asset), -inf) < _SETTLES_S:
                self._doubts.pop((exchange, asset), None)
            else:
                theirs = balances[asset].total if asset in balances else ZERO
                self._compare(exchange, asset, ours.get(asset, ZERO), theirs, now)

    def _compare(self, exchange: str, asset: str, ours: Decimal, theirs: Decimal, now: float) -> None:
        key = (exchange, asset)
        disputed = asset in self._portfolio.state.disputes.get(exchange, {})
        if ours == theirs:
            self._doubts.pop(key, None)
            if disputed:
                self._journal.post(DisputeClosed(exchange, asset, "venue", "the venue says the same as we do again"))
            return
        doubt = self._doubts.get(key)
        if doubt is None or (doubt.ours, doubt.theirs) != (ours, theirs):
            self._doubts[key] = _Doubt(ours, theirs, 1, now)
            return
        if now - doubt.at < _APART_S:
            return
        doubt.reads, doubt.at = doubt.reads + 1, now
        if doubt.reads < _READS:
            return
        del self._doubts[key]
        self.decide(exchange, asset, ours, theirs)

    def decide(self, exchange: str, asset: str, ours: Decimal, theirs: Decimal) -> bool:
        """Several reads agree on a difference: a transfer's end or dust is booked, the rest disputed. True when it is disputed."""
        known = self._portfolio.state.disputes.get(exchange, {}).get(asset)
        moved = self._moved_by_transfer(exchange, asset, theirs - ours)
        if moved:
            closed = [] if known is None else [DisputeClosed(exchange, asset, "transfer", "a transfer explains it")]
            self._journal.post(*moved, *closed)
            return False
        if self.is_dust(exchange, asset, theirs - ours):
            events: list[Event] = [Adjusted(exchange, asset, theirs - ours, "the venue keeps fewer digits than we do", "dust")]
            if known is not None:
                events.append(DisputeClosed(exchange, asset, "dust", "what is left is too small to ask about"))
            self._journal.post(*events)
            return False
        if known is None or (known.ours, known.theirs) != (ours, theirs):
            self._journal.post(BalanceDisputed(exchange, asset, ours, theirs))
            self.on_dispute(Mismatch(exchange, asset, ours, theirs))
        return True

    def is_awaited(self, exchange: str, asset: str) -> bool:
        """Whether a transfer of ``asset`` to ``exchange`` is under way."""
        return any((one.receiver, one.asset) == (exchange, asset) for one in self._portfolio.open_transfers)

    def _moved_by_transfer(self, exchange: str, asset: str, change: Decimal) -> list[Event]:
        """What transfers that were begun have to do with ``change``: one left, or came, or several did; nothing where none fits."""
        transfers = [one for one in self._portfolio.open_transfers if one.asset == asset]
        several = _together(transfers, exchange, change)
        if several:
            return several
        for one in transfers:
            if one.sender == exchange and one.fits_departure(change):
                return [TransferLeft(one.id, exchange, asset, -change)]
        coming = [one for one in transfers if one.receiver == exchange and change > ZERO and one.fits_arrival(change)]
        if not coming:
            return []
        # What a cycle has moved is moved whole, so that a part is rather of a move of stock.
        one = min(coming, key=lambda one: (bool(one.cycle_id) and not one.completes(change), abs(one.expected - change)))
        left = [] if one.left_ms is not None else [TransferLeft(one.id, one.sender, asset, one.qty)]  # it came, so it has left
        return [*left, TransferArrived(one.id, exchange, asset, change)]

    def is_dust(self, exchange: str, asset: str, change: Decimal) -> bool:
        """Whether ``change``, in units, is too small to trade, and the day's allowance holds it."""
        mark = self._portfolio.price(asset)
        if mark is None:
            return False
        worth, state = abs(change) * mark / self._dollar, self._portfolio.state
        is_small = worth <= _DUST_OF_CASH if asset in state.settlement else abs(change) < self._lots.get(asset, ZERO)
        return is_small and state.quiet.get(exchange, ZERO) / self._dollar + worth <= _DUST_A_DAY


def _together(transfers: Sequence[TransferAccount], exchange: str, change: Decimal) -> list[Event]:
    """Several steps that together make just ``change``, where two or more were made between two reads; else nothing.

    To the last digit, as they were begun: what is only nearly so may be something else.
    """
    steps: list[tuple[Decimal, list[Event]]] = []
    for one in transfers:
        left, came = TransferLeft(one.id, one.sender, one.asset, one.qty), TransferArrived(one.id, exchange, one.asset, one.expected)
        if one.sender == exchange and one.waiting > ZERO:
            steps.append((-one.qty, [left]))
        elif one.receiver == exchange and one.expected > ZERO:
            steps.append((one.expected, [came] if one.left_ms is not None else [left, came]))
    for count in range(2, min(len(steps), _MOST_TOGETHER) + 1):
        for made in combinations(steps, count):
            if sum((amount for amount, _ in made), ZERO) == change:
                return [event for _, events in made for event in events]
    return []


def coarsest_lots(lots: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """The coarsest quantity step of each coin, from (coin, step) pairs."""
    found: dict[str, Decimal] = {}
    for coin, lot in lots:
        found[coin] = max(lot, found.get(coin, ZERO))
    return found
