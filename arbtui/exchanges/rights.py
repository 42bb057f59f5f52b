"""The rights of a venue's key that trading uses, each proved by the smallest question that shows it; nothing is traded."""

from collections.abc import Awaitable
from dataclasses import dataclass

from arbtui.exchanges.answers import Meaning, RequestFailed
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.refusals import Scope
from arbtui.model.errors import ArbtuiError, VenueRefused


@dataclass(frozen=True, slots=True)
class Right:
    """One right of a key, as the venue has shown it. ``is_given`` None: it did not show.

    ``can_be_proven``: False where the venue has no question that would show it, so that the first use does.
    """

    name: str
    is_given: bool | None
    words: str
    can_be_proven: bool = True

    def __str__(self) -> str:
        if not self.can_be_proven:
            return f"right to {self.name}: {self.words}"
        state = {True: "proven", False: f"REFUSED ({self.words})", None: f"not known ({self.words})"}[self.is_given]
        return f"right to {self.name}: {state}"


_UNTESTED = Right("order", None, "the first order will show it: the venue tests none", can_be_proven=False)


async def prove_rights(adapter: CcxtAdapter) -> list[Right]:
    """Reading: balances, and an order that never was; ordering: a test order; cancelling: an order that never was.

    A venue that tests no orders shows the right to order with the first real one.

    Raises:
        VenueFailed: the rules of no market were read, so that nothing can be asked about.
    """
    params = adapter.unknown_order(adapter.any_market(), adapter.unused_id())

    async def balances() -> None:
        await adapter.fetch_balances()

    return [
        await _right("read balances", balances()),
        await _right("read orders", adapter.ask(*adapter.look_up, params)),
        await _right("order", adapter.test_order()) if adapter.capabilities.test_orders else _UNTESTED,
        await _right("cancel", adapter.ask(*adapter.cancel_order, params)),
    ]


async def _right(name: str, question: Awaitable[None]) -> Right:
    """What the answer to ``question`` says of a right: a no to the order itself is a yes to the right."""
    try:
        await question
    except RequestFailed as error:
        refusal = error.refusal
        if refusal.meaning in (Meaning.KEYS, Meaning.ACCOUNT, Meaning.VENUE) or (refusal.stops_entries and refusal.scope is Scope.KEY):
            return Right(name, False, f"{error}; {refusal.say}")
        is_answer = bool(error.answer.code) and refusal.is_listed and refusal.meaning not in (Meaning.UNKNOWN, Meaning.RATE_LIMITED)
        return Right(name, True if is_answer else None, str(error))
    except VenueRefused as error:
        return Right(name, False, str(error))
    except ArbtuiError as error:
        return Right(name, None, str(error))
    return Right(name, True, "taken")
