"""A venue that ccxt does not sign for: its own signing, errors under status 200, questions by POST, through the same gated sender."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from arbtui.exchanges.answers import EXCERPT, Meaning, RequestFailed, VenueError
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.keys import VenueKeys
from arbtui.exchanges.rate_limit import Lane, RateLimit, VenueLimits
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.refusals import THROTTLED, Refusal, Retry, Scope
from arbtui.exchanges.signing import RestFacts, Signed, Signing
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderAbandoned, OrderRejected
from arbtui.model.reason import Reason
from tests.exchanges.scripted_venue import SECRET, ScriptedVenue, cut, made_up_keys, scripted, value


class OwnSigning(Signing):
    """Every private request is a POST with its JSON signed as a whole."""

    def use(self, keys: VenueKeys) -> None:
        self._secret = keys.secret.get_secret_value()

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        if section == "public":
            return Signed(f"{self._origin}/v9/{path}", None, None)
        body = json.dumps(params, separators=(",", ":"))
        return Signed(f"{self._origin}/v9/{path}", {"X-Signed": self.signature(body), "Content-Type": "application/json"}, body)

    def signature(self, body: str) -> str:
        return hmac.digest(self._secret.encode(), body.encode(), "sha512").hex()

    def stream_login(self) -> dict[str, Any]:
        return {"op": "login", "sign": self.signature("login")}

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        if not isinstance(answer, dict) or answer.get("result") != "error":
            return None
        return VenueError(str(answer.get("error_code", "")), str(answer.get("error_msg", ""))[:EXCERPT], answer.get("retry_at"))


REST = RestFacts(
    ccxt_class="Exchange",
    orders=frozenset({("POST", "order/limit")}),
    cancels=frozenset({("POST", "order/cancel")}),
    questions=frozenset({("POST", "account/balance")}),
    signing=lambda: OwnSigning,
)
LIMITS = VenueLimits([RateLimit("all", "all", 100, 1.0)])


def refusals(code: str, message: str) -> Refusal | None:
    order_count = Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many orders")
    return {"4": THROTTLED, "5": order_count, "108": Refusal(Scope.ORDER, Meaning.REFUSED, Retry.NEVER, "too small", "MIN_COST")}.get(code)


@asynccontextmanager
async def client_of(venue: ScriptedVenue, rest: str = "") -> AsyncIterator[CcxtClient]:
    url = rest or venue.url
    config = ExchangeConfig(quote="KRW", urls=UrlsConfig(rest=url, stream=url.replace("http", "ws"), private=url.replace("http", "ws")))
    clock = SystemClock()
    client = CcxtClient("own", REST, config, made_up_keys(), clock, RateLimitManager("own", clock, LIMITS))
    client.refusals = refusals
    try:
        yield client
    finally:
        await client.close()


def run(main: Callable[[ScriptedVenue, CcxtClient], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60), scripted() as venue, client_of(venue) as client:
            await main(venue, client)

    asyncio.run(whole())


async def order(client: CcxtClient, admit: Callable[[], None] = lambda: None) -> Any:
    params = {"qty": "1.50", "price": "3000"}
    return await client.request("private", "POST", "order/limit", params, lane=Lane.ENTRY, costs={"all": 1}, admit=admit)


def test_an_order_leaves_once_as_it_was_signed_after_the_gate_was_asked() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/order/limit", value({"result": "success", "order_id": "x1"}))
        asked: list[str] = []
        assert await order(client, lambda: asked.append("gate")) == {"result": "success", "order_id": "x1"}
        assert asked == ["gate"]
        (sent,) = venue.asked
        assert sent.body == '{"qty":"1.50","price":"3000"}'
        assert sent.headers["X-Signed"] == hmac.digest(SECRET.encode(), sent.body.encode(), "sha512").hex()

    run(main)


def test_an_order_that_the_gate_refuses_does_not_leave() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        def refused() -> None:
            raise OrderAbandoned(Reason.HALTED)

        with pytest.raises(OrderAbandoned):
            await order(client, refused)
        assert venue.asked == []

    run(main)


def test_an_error_under_status_200_is_a_refusal_with_its_code_and_words() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/order/limit", value({"result": "error", "error_code": "108", "error_msg": "under the minimum"}))
        with pytest.raises(RequestFailed, match="under the minimum") as caught:
            await order(client)
        assert (caught.value.answer.status, caught.value.answer.code, caught.value.meaning) == (200, "108", Meaning.REFUSED)

    run(main)


def test_too_many_requests_under_status_200_silences_until_the_time_that_the_venue_tells() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        until = SystemClock().time_ms() + 30_000
        venue.on("POST", "/v9/order/limit", value({"result": "error", "error_code": "4", "error_msg": "blocked", "retry_at": until}))
        with pytest.raises(RequestFailed) as caught:
            await order(client)
        assert caught.value.meaning is Meaning.RATE_LIMITED
        assert client.limits is not None
        assert 25 < client.limits.banned_until - SystemClock().monotonic() <= 31

    run(main)


def test_a_full_count_under_status_200_silences_the_groups_of_the_request() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/order/limit", value({"result": "error", "error_code": "5", "error_msg": "too many orders"}))
        with pytest.raises(RequestFailed):
            await order(client)
        assert client.limits is not None
        assert client.limits.refusal(Lane.ENTRY, {"all": 1}) is not None

    run(main)


@pytest.mark.parametrize("path", ["withdraw/coin", "account/transfer", "order/limit/all", "account/balance/x"])
def test_a_post_that_is_neither_an_order_nor_a_declared_question_is_not_sent(path: str) -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        with pytest.raises(ValueError, match="nothing else is ever written"):
            await client.request("private", "POST", path, {}, lane=Lane.DATA, costs={})
        assert venue.asked == []

    run(main)


def test_a_question_by_post_is_asked() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/account/balance", value({"result": "success", "balances": []}))
        answer = await client.request("private", "POST", "account/balance", {}, lane=Lane.DATA, costs={"all": 1})
        assert answer == {"result": "success", "balances": []}

    run(main)


def test_no_post_is_sent_twice_when_its_connection_breaks() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/order/limit", cut)
        with pytest.raises(RequestFailed) as caught:
            await order(client)
        assert (caught.value.answer.sent, caught.value.meaning) == (True, Meaning.UNKNOWN)
        assert len(venue.asked) == 1

    run(main)


def test_no_order_leaves_this_machine_where_real_orders_are_not_open() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        async with client_of(venue, "https://api.example.com") as far:
            with pytest.raises(OrderRejected, match="real_orders"):
                await order(far)

    run(main)


def test_a_secret_is_in_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        venue.on("POST", "/v9/order/limit", cut)
        with pytest.raises(RequestFailed) as caught:
            await order(client)
        assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__context__} {caplog.text}"

    run(main)


def test_a_login_is_signed_with_the_keys_in_use() -> None:
    async def main(venue: ScriptedVenue, client: CcxtClient) -> None:
        assert client.signing.stream_login() == {"op": "login", "sign": hmac.digest(SECRET.encode(), b"login", "sha512").hex()}

    run(main)


def test_a_venue_that_takes_headers_has_no_login() -> None:
    class OfHeaders(OwnSigning):
        stream_login = Signing.stream_login

    assert OfHeaders.stream_login(OfHeaders.__new__(OfHeaders)) == {}
