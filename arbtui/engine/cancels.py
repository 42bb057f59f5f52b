"""Cancelling everything that stands at a venue: a kill's second act, after the gate is closed."""

import asyncio

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.model.errors import ArbtuiError

#: How long one attempt may take, and how many there are: a cancel may be repeated, as no order may.
_ANSWER_S = 2.0
_ATTEMPTS = 4
#: Between two attempts, in seconds.
_PAUSE_S = 0.25


async def cancel_all(name: str, adapter: ExchangeAdapter) -> str:
    """Cancel everything at ``adapter``; in words whether the venue has confirmed it."""
    why = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_PAUSE_S)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await adapter.cancel_all()
        except (ArbtuiError, TimeoutError) as error:
            why = str(error) or "no answer"
        else:
            return f"{name.upper()} ok"
    return f"{name.upper()} cancels not confirmed ({why})"
