"""PublicRest: the few REST queries of market data, each within its rate limit and size."""

from collections.abc import Awaitable, Callable, Collection, Mapping

import aiohttp

from arbtui.exchanges.subscriptions import RestCall
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.connection_errors import Failure, failure_of, retry_after_s
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError


class RestRefused(ArbtuiError):
    """A query was not answered usably."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class PublicRest:
    """One venue's public REST interface.

    Args:
        exchange: for messages.
        origin: its URL without a path.
        session: carries the requests.
        config: deadline and size of an answer.
        clock: measures how long answers take.
        turn: waits for the rate limit.
        observe: called with every answer's status and headers, and the groups of the limits that the query counted in.
        on_answer: called for each query: answered or not, and after how many ms.
    """

    def __init__(
        self,
        exchange: str,
        origin: str,
        session: aiohttp.ClientSession,
        config: MarketDataConfig,
        clock: Clock,
        turn: Callable[[Mapping[str, float]], Awaitable[None]],
        observe: Callable[[int, Mapping[str, str], Collection[str]], None],
        on_answer: Callable[[bool, float], None],
    ) -> None:
        self._exchange = exchange
        self._origin = origin
        self._session = session
        self._limit = config.frame_limit_kb * 1024
        self._timeout = aiohttp.ClientTimeout(total=config.connect_timeout_s)
        self._clock = clock
        self._turn = turn
        self._observe = observe
        self._on_answer = on_answer

    async def ask(self, call: RestCall) -> bytes:
        """The body of the answer to a query, sent once the rate limit allows.

        Raises:
            ArbtuiError: RateLimited, or RestRefused for anything but a JSON answer within the size limit.
        """
        await self._turn(call.costs)
        url = self._origin + call.path
        began = self._clock.monotonic()
        answered = False
        try:
            async with self._session.get(url, timeout=self._timeout, allow_redirects=False) as answer:
                body = await answer.content.read(self._limit + 1)
                while len(body) <= self._limit and not answer.content.at_eof():
                    body += await answer.content.read(self._limit + 1 - len(body))
                self._observe(answer.status, answer.headers, call.costs.keys())
                answered = answer.status == 200
                self._refuse(answer, body)
                return body
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RestRefused(failure_of(self._exchange, url, error)) from None
        finally:
            self._on_answer(answered, (self._clock.monotonic() - began) * 1000)

    def _refuse(self, answer: aiohttp.ClientResponse, body: bytes) -> None:
        where = f"{self._exchange} at {self._origin}: {answer.url.path}"
        if answer.status != 200:
            wait = retry_after_s(answer.headers.get("Retry-After"))
            raise RestRefused(Failure(f"HTTP {answer.status}", f"{where}: HTTP {answer.status}; trying again", wait))
        if len(body) > self._limit:
            raise RestRefused(Failure("answer too big", f"{where}: an answer of more than {self._limit // 1024} kB; trying again"))
        if body.lstrip()[:1] not in (b"{", b"["):
            raise RestRefused(Failure("not json", f"{where}: a web page or nothing where an answer should be; trying again"))
