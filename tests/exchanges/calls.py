"""One call of an adapter: what its venue answers, what it is asked for, word for word, and what the call gives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rate_limit import Lane
from tests.exchanges.scripted_venue import Reply, adapter_of, scripted, value

Request = tuple[str, str, str, dict[str, Any], Lane, dict[str, float]]  #: section, method, path, parameters, lane, costs


@dataclass
class Call:
    """One call, what the venue answers by (method, path), and what it is asked for. A tuple of answers is given in turn."""

    name: str
    exchange: str
    make: Callable[[CcxtAdapter], Awaitable[Any]]
    answers: Mapping[tuple[str, str], Any]
    asked: list[Request]
    gives: Any = None

    def replies(self, place: tuple[str, str]) -> list[Reply]:
        """What the venue answers there."""
        answer = self.answers[place]
        return [value(one) for one in (answer if isinstance(answer, tuple) else (answer,))]


def made(call: Call) -> tuple[list[Request], Any]:
    """Make it at a scripted venue: the requests in order, and what it gave."""
    seen: list[Request] = []

    async def main() -> Any:
        async with asyncio.timeout(60), scripted() as venue, adapter_of(venue, call.exchange) as adapter:
            for place in call.answers:
                venue.on(*place, *call.replies(place))
            send = adapter.client.request

            async def request(
                section: str, method: str, path: str, params: Any = None, *, lane: Lane, costs: Any, admit: Any = None
            ) -> Any:
                seen.append((section, method, path, dict(params or {}), lane, dict(costs)))
                return await send(section, method, path, params, lane=lane, costs=costs, admit=admit)

            adapter.client.request = request  # type: ignore[method-assign]
            return await call.make(adapter)

    given = asyncio.run(main())
    return seen, given
