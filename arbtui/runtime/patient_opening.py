"""A start that nobody watches waits for venues that do not answer: were it to end, it would have to be started again by a person."""

import asyncio
from collections.abc import Awaitable, Callable

from arbtui.model.errors import ArbtuiError, MarketUnknown, RateLimited, VenueFailed
from arbtui.runtime.venues import Venues

#: s before venues are asked again for the first time; twice as long before each next one, up to the second.
FIRST_S, LONGEST_S = 1.0, 60.0


async def open_patiently(open_once: Callable[[], Awaitable[Venues]], on_silence: Callable[[ArbtuiError, float], Awaitable[None]]) -> Venues:
    """What ``open_once`` opens, once the venues have answered it.

    ``on_silence``: told each time why they were not opened, and in how many s they are asked again.

    Raises:
        ArbtuiError: whatever ``open_once`` raises that asking again is no use for: wrong keys, another engine on the account.
    """
    pause = FIRST_S
    while True:
        try:
            return await open_once()
        except MarketUnknown:
            raise
        except (VenueFailed, RateLimited) as error:
            wait = max(pause, error.retry_s) if isinstance(error, RateLimited) else pause
            await on_silence(error, wait)
        await asyncio.sleep(wait)
        pause = min(2 * pause, LONGEST_S)
