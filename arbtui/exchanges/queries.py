"""What is asked of a venue beside its orders: each query has one answer, or one error that says what is known."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from arbtui.exchanges.amounts import read
from arbtui.exchanges.answers import Meaning, RequestFailed
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.standing import VenueStanding
from arbtui.model.clock import Clock
from arbtui.model.errors import RateLimited, VenueFailed, WireError

#: What :meth:`VenueQueries.find` returns for an order of which the venue keeps no more than that it ended without a fill.
ARCHIVED = object()

log = logging.getLogger("arbtui")

Costs = Mapping[str, float]
T = TypeVar("T")


class VenueQueries:
    """Queries over one venue's client. A refusal of the key or the account goes to :attr:`standing`, which stops the venue."""

    def __init__(self, client: CcxtClient, clock: Clock) -> None:
        self.name = client.exchange
        self.client = self._client = client
        self._clock = clock
        self._unviewed: dict[str, str] = {}  # path -> why it was not answered last
        self.standing = VenueStanding(client.exchange, clock, client.health)

    async def query(
        self, section: str, method: str, path: str, params: Mapping[str, Any] | None = None, *, costs: Costs, lane: Lane = Lane.DATA
    ) -> Any:
        """Send a query; the venue's answer as parsed JSON.

        Raises:
            RateLimited: the venue's rate limits leave no room for it.
            VenueRefused: the keys are refused.
            VenueFailed: no usable answer, so nothing is known.
        """
        try:
            return await self._client.request(section, method, path, params, lane=lane, costs=costs)
        except RequestFailed as error:
            if section != "public":
                self.standing.refused(error)
            raise error.of_query() from None

    async def find(self, method: str, path: str, params: Mapping[str, Any], *, costs: Costs, lane: Lane) -> Any | None:
        """As :meth:`query`, for something that may not exist.

        None when the venue answers that it does not know it; :data:`ARCHIVED` when it answers that it ended without a fill long ago.
        """
        try:
            return await self._client.request("private", method, path, params, lane=lane, costs=costs)
        except RequestFailed as error:
            if error.meaning is Meaning.NOT_FOUND:
                return None
            if error.meaning is Meaning.ARCHIVED:
                return ARCHIVED
            self.standing.refused(error, of_order=self._client.cancels(method, path))
            raise error.of_query() from None

    async def ask_aside(self, section: str, path: str, params: Mapping[str, Any] | None = None, *, costs: Costs) -> Any:
        """A question (GET) that no order depends on: the venue's answer as parsed JSON. Its refusal says nothing of the venue or the keys.

        Raises:
            VenueFailed: no usable answer, a refusal, or no room in the rate limits.
        """
        try:
            return await self._client.request(section, "GET", path, params, lane=Lane.DATA, costs=costs)
        except (RequestFailed, RateLimited) as error:
            raise VenueFailed(f"{self.name}: {path} is not known: {error}") from None

    async def viewed(self, path: str, params: Mapping[str, str], kind: type[T]) -> T | None:
        """The answer to a question that not every key may ask; None without one, which is a warning until the same is said again."""
        try:
            answer = self.read_aside(await self.ask_aside("private", path, params, costs={"default": 1}), kind, path)
        except VenueFailed as error:
            words = str(error)
            log.log(logging.INFO if self._unviewed.get(path) == words else logging.WARNING, "%s", words)
            self._unviewed[path] = words
            return None
        self._unviewed.pop(path, None)
        return answer

    async def pages(self, ask: Callable[[str | None], Awaitable[list[T]]], key: Callable[[T], str], most: int) -> list[T]:
        """All rows of a list that comes in pages, each once, in the venue's order.

        Args:
            ask: a page: the rows behind that key; None for the first one.
            key: what the venue knows a row by.
            most: how many rows a page has at most; one with fewer is the last.
        """
        rows: dict[str, T] = {}
        after: str | None = None
        while True:
            page = await ask(after)
            before = len(rows)
            rows |= {key(row): row for row in page}
            if len(page) < most or len(rows) == before:  # none is new: the list leads in a circle
                return list(rows.values())
            after = key(page[-1])

    def read_aside(self, answer: Any, kind: type[T], what: str) -> T:
        """An answer of :meth:`ask_aside` as ``kind``; raises VenueFailed for one that cannot be read."""
        with self.reading():
            return read(answer, kind, what)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Answers are read in this block: one that cannot be read (WireError) is VenueFailed to whoever asked."""
        try:
            yield
        except WireError as error:
            raise unreadable(self.name, error) from error


def unreadable(exchange: str, error: WireError) -> VenueFailed:
    """The error for an answer to a query that cannot be read."""
    return VenueFailed(f"{exchange}: an answer cannot be read: {error}")
