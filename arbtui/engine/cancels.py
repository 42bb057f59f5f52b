"""Cancelling what stands at a venue: a kill's second act, after the gate is closed. The venue's own list says what stands.

Ours are the orders whose client order id is made as ours are (:func:`arbtui.model.ids.is_ours`). Others on the account are listed and
left alone, unless the profile says that the account is this program's alone (``[execution] exclusive_account``).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arbtui.exchanges.adapter import ExchangeAdapter, StandingOrder
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError
from arbtui.model.ids import is_ours

log = logging.getLogger("arbtui")

#: How long one request may take, and how many lists in a row may fail: a cancel may be repeated, as no order may.
_ANSWER_S = 2.0
_ATTEMPTS = 4
#: Between two lists, in seconds; the second while only an order of unknown fate is waited for.
_PAUSE_S = 0.25
_WAIT_PAUSE_S = 1.0
#: Lists in a row that must be empty: one may be older than an order that was on its way.
_EMPTY_LISTS = 2
#: Lists that may still hold orders although each cancel was accepted; after so many, the cancels count as not confirmed.
_ROUNDS = 12
#: Foreign orders that are named; the log names all.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Cleared:
    """What came of cancelling at one venue."""

    name: str
    why: str  #: why the venue has not confirmed that nothing of ours stands; empty when it has
    foreign: tuple[StandingOrder, ...]  #: orders of others that stand, as of the last list

    @property
    def is_confirmed(self) -> bool:
        """Whether the venue's own list, twice in a row, holds nothing that is to be cancelled."""
        return not self.why

    def in_words(self) -> str:
        """``UPBIT ok``, or what is not confirmed; and what others have standing there."""
        words = f"{self.name.upper()} cancels not confirmed ({self.why})" if self.why else f"{self.name.upper()} ok"
        if not self.foreign:
            return words
        named = ", ".join(_named(order) for order in self.foreign[:_NAMED])
        more = f" and {len(self.foreign) - _NAMED} more" if len(self.foreign) > _NAMED else ""
        return f"{words}, {counted(len(self.foreign), 'foreign order')} left alone ({named}{more})"


async def cancel_standing(
    name: str,
    adapter: ExchangeAdapter,
    *,
    exclusive: bool,
    covers: Callable[[StandingOrder], bool] = lambda _: True,
    is_unsure: Callable[[], bool] = lambda: False,
    within_s: float = 0.0,
) -> Cleared:
    """Cancel our orders at ``adapter`` until its list, twice in a row, holds none.

    Args:
        name: the venue's.
        adapter: the venue.
        exclusive: the account is ours alone: every order on it is cancelled.
        covers: which orders are meant at all; the others are neither cancelled nor named.
        is_unsure: whether an order may still come to stand there, whose fate is not known; the list is asked on meanwhile.
        within_s: for how long at most, in s, for such an order's sake; then it is told as not confirmed only by its own state.
    """
    loop = asyncio.get_running_loop()
    until, failures, rounds, empty, why = loop.time() + within_s, 0, 0, 0, ""
    foreign: tuple[StandingOrder, ...] = ()
    known: dict[str, None] = {}
    while True:
        try:
            async with asyncio.timeout(_ANSWER_S):
                standing = [order for order in await adapter.list_standing() if covers(order)]
            foreign = () if exclusive else tuple(order for order in standing if not is_ours(order.client_order_id))
            _tell_foreign(name, foreign, known)
            wanted = [order for order in standing if exclusive or is_ours(order.client_order_id)]
            why = await _cancel(adapter, wanted)
            failures = failures + 1 if why else 0
            empty, rounds = (0, rounds + 1) if wanted else (empty + 1, rounds)
            if rounds >= _ROUNDS:
                return Cleared(name, why or f"{counted(len(wanted), 'order')} still listed", foreign)
        except (ArbtuiError, TimeoutError) as error:
            why, failures, empty = str(error) or "no answer", failures + 1, 0
        if failures >= _ATTEMPTS:
            return Cleared(name, why, foreign)
        if empty >= _EMPTY_LISTS and (not is_unsure() or loop.time() >= until):
            return Cleared(name, "", foreign)
        await asyncio.sleep(_PAUSE_S if empty < _EMPTY_LISTS else _WAIT_PAUSE_S)


async def _cancel(adapter: ExchangeAdapter, orders: Sequence[StandingOrder]) -> str:
    """Cancel each of ``orders``; why one was not, or nothing."""

    async def one(order: StandingOrder) -> None:
        async with asyncio.timeout(_ANSWER_S):
            await adapter.cancel_standing(order)

    ends = await asyncio.gather(*(one(order) for order in orders), return_exceptions=True)
    failed = [end for end in ends if isinstance(end, BaseException)]
    for end in failed:
        if not isinstance(end, ArbtuiError | TimeoutError):
            raise end
    return next((str(end) or "no answer" for end in failed), "")


def _tell_foreign(name: str, foreign: Sequence[StandingOrder], known: dict[str, None]) -> None:
    for order in foreign:
        if order.venue_order_id not in known:
            known[order.venue_order_id] = None
            log.warning("%s: an order that is not ours stands and is left alone: %s", name, _named(order))


def _named(order: StandingOrder) -> str:
    return f"{order.code} {order.client_order_id or order.venue_order_id}"
