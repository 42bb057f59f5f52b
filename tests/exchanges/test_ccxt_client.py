"""What a venue's client tells the rate limits and the venue's health of each answer, and how its requests are made."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any, cast

import pytest

from arbtui.exchanges.answers import EXCERPT, Answer, RequestFailed
from arbtui.exchanges.ccxt_client import CcxtClient, _error_of_body
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.rate_limits import RateLimitManager, Spent
from arbtui.exchanges.refusals import Meaning, Refusal, Retry, Scope
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import OrderAbandoned, RateLimited
from tests.exchanges.scripted_venue import Reply, ScriptedVenue, body, config_of, cut, made_up_keys, never, scripted, value
from tests.exchanges.test_own_signing import REST, OwnSigning

ROWS = {
    "4": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "too many requests"),
    "5": Refusal(Scope.ACCOUNT, Meaning.RATE_LIMITED, Retry.LATER, "too many orders"),
    "6": Refusal(Scope.ORDER, Meaning.REFUSED, Retry.NEVER, "too small", "MIN_COST"),
}


class Hand:
    """A clock that goes on by 10 s while a request waits for its turn, and by 0.25 s with each answer."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time_ms(self) -> int:
        return 1_700_000_000_000


class Limits:
    """Notes what it is told; ``refuses``: there is no room."""

    def __init__(self, clock: Hand) -> None:
        self._clock = clock
        self.told: list[tuple[Any, ...]] = []
        self.banned_until = 0.0
        self.refuses = False

    async def turn(self, lane: Lane, costs: Mapping[str, float]) -> Spent:
        self.told.append(("turn", lane, dict(costs)))
        self._clock.now += 10.0
        if self.refuses:
            raise RateLimited("no room", 1.0)
        return []

    def give_back(self, spent: Spent) -> None:
        pass

    def observe(self, status: int, headers: Mapping[str, str], groups: Collection[str] = (), code: str = "") -> None:
        self._clock.now += 0.25
        self.told.append(("observe", status, headers.get("X-Used", ""), sorted(groups), code))

    def silence(self, status: int, until_ms: int | None) -> None:
        self.told.append(("silence", status, until_ms))


class Health:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def on_answer(self, ok: bool, ms: float, *, poll: bool) -> None:
        self.told.append(("answer", ok, ms, poll))

    def on_clock(self, ms: int) -> None:
        self.told.append(("clock", ms))

    def on_server_time(self, skew_ms: int, round_trip_ms: float) -> None:
        self.told.append(("server time", skew_ms, round_trip_ms))

    def on_throttled(self, until: float) -> None:
        self.told.append(("throttled", until))


class Told:
    """A client, and what it tells."""

    def __init__(self, client: CcxtClient, limits: Limits, health: Health) -> None:
        self.client, self.limits, self.health = client, limits, health


@asynccontextmanager
async def client_of(venue: ScriptedVenue) -> AsyncIterator[Told]:
    clock = Hand()
    limits, health = Limits(clock), Health()
    config = config_of(venue.url, "upbit").model_copy(update={"cross_quotes": ["BTC"]})
    client = CcxtClient(
        "own", replace(REST, signing=lambda: OwnSigning), config, made_up_keys(), cast(Any, clock),
        cast(RateLimitManager, limits), cast(ExchangeHealthMonitor, health),
    )  # fmt: skip
    client.refusals = lambda code, message: ROWS.get(code)
    try:
        yield Told(client, limits, health)
    finally:
        await client.close()


def run(main: Any) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), scripted() as venue, client_of(venue) as told:
            work: Coroutine[Any, Any, None] = main(venue, told)
            await work

    asyncio.run(bounded())


async def ask(told: Told) -> Any:
    return await told.client.request("public", "GET", "markets", lane=Lane.DATA, costs={"all": 2.0})


async def order(told: Told, *, gated: bool = True) -> Any:
    admit = (lambda: None) if gated else None
    return await told.client.request("private", "POST", "order/limit", {}, lane=Lane.ENTRY, costs={"all": 1.0}, admit=admit)


@pytest.mark.parametrize(
    ("answer", "status", "code", "ok"),
    [
        ('{"a": 1}', 200, "", True),
        ('{"result": "error", "error_code": "6", "error_msg": "x"}', 400, "6", True),
        ('{"result": "error", "error_code": "7", "error_msg": "x"}', 499, "7", True),
        ('{"result": "error", "error_code": "6", "error_msg": "x"}', 500, "6", False),
        ('{"result": "error", "error_code": "6", "error_msg": "x"}', 200, "", True),  # what a body says under 200 is read later
        ('{"odd": 1}', 400, "", True),
        ("no JSON", 400, "", True),
        ("[" * 100_000, 400, "", True),
    ],
)
def test_an_answer_is_told_to_the_limits_before_it_is_read_and_to_the_health_after(answer: str, status: int, code: str, ok: bool) -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("GET", "/v9/markets", body(answer, status))
        with nullcontext() if answer == '{"a": 1}' else pytest.raises(RequestFailed):
            await ask(told)
        assert told.limits.told == [("turn", Lane.DATA, {"all": 2.0}), ("observe", status, "", ["all"], code)]
        assert told.health.told == [("answer", ok, 250.0, True)]  # from its turn on: waiting for it is not the venue's

    run(main)


def test_headers_are_told_to_the_limits() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("GET", "/v9/markets", value([], headers={"X-Used": "7"}))
        assert await ask(told) == []
        assert told.limits.told[-1] == ("observe", 200, "7", ["all"], "")

    run(main)


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize(
    ("reply", "ok", "ms"),
    [(value({"a": 1}), True, 250.0), (value({"odd": 1}, 503), False, 250.0), (cut, False, 0.0)],
    ids=["taken", "status 503", "cut"],
)
def test_an_order_is_reported_by_its_tracker_and_a_request_without_a_gate_here(reply: Reply, ok: bool, ms: float, gated: bool) -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("POST", "/v9/order/limit", reply)
        with nullcontext() if ok else pytest.raises(RequestFailed):
            await order(told, gated=gated)
        assert told.health.told == ([] if gated else [("answer", ok, ms, True)])
        assert len(venue.asked) == 1

    run(main)


def test_a_query_whose_connection_broke_twice_is_one_failure() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("GET", "/v9/markets", cut)
        with pytest.raises(RequestFailed, match="the connection broke before an answer") as failed:
            await ask(told)
        assert (failed.value.answer.sent, failed.value.answer.status) == (True, None)
        assert told.health.told == [("answer", False, 0.0, True)]
        assert len(venue.asked) == 2
        venue.on("GET", "/v9/markets", cut, value([1]))
        assert await ask(told) == [1]
        assert told.health.told[1:] == [("answer", True, 250.0, True)]

    run(main)


def test_text_that_is_no_json_is_a_failure_of_the_venue() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("GET", "/v9/markets", body("7"))
        with pytest.raises(RequestFailed, match=r"own GET markets: not JSON: 7 \(HTTP 200\)") as failed:
            await ask(told)
        assert failed.value.answer == Answer(200, "", "not JSON: 7", sent=True)
        assert told.health.told == [("answer", False, 250.0, True)]

    run(main)


def test_what_finds_no_room_or_is_refused_by_the_gate_says_nothing_of_the_venue() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        def shut() -> None:
            raise OrderAbandoned("halted")

        with pytest.raises(OrderAbandoned):
            await told.client.request("private", "POST", "order/limit", {}, lane=Lane.ENTRY, costs={}, admit=shut)
        told.limits.refuses = True
        with pytest.raises(RateLimited):
            await ask(told)
        assert (venue.asked, told.health.told) == ([], [])

    run(main)


@pytest.mark.parametrize(
    ("code", "status", "retry_at", "said"),
    [
        ("4", 429, None, [("silence", 429, None)]),
        ("4", 200, None, [("silence", 200, None)]),
        ("4", 418, 1_800_000_000_000, [("silence", 418, 1_800_000_000_000)]),
        ("5", 429, None, []),  # the limits have it from the answer itself
        ("5", 429, 1_800_000_000_000, [("silence", 429, 1_800_000_000_000)]),
        ("5", 200, None, [("observe", 429, "", ["all"], "5")]),  # what a status of 429 says elsewhere
        ("6", 400, None, []),
    ],
)
def test_a_refusal_for_too_many_requests_silences_what_it_concerns(
    code: str, status: int, retry_at: int | None, said: list[tuple[Any, ...]]
) -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        refused = {"result": "error", "error_code": code, "error_msg": "x", "retry_at": retry_at}
        venue.on("GET", "/v9/markets", value(refused, status))
        with pytest.raises(RequestFailed):
            await ask(told)
        assert told.limits.told[2:] == said

    run(main)


def test_a_refusal_without_a_request_has_no_group_to_silence() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        def refused(code: str, status: int) -> RequestFailed:
            return RequestFailed("own", "private stream", Answer(status, code, "x", sent=True), told.client.refusals)

        told.client.on_refusal(refused("4", 400))
        assert told.limits.told == [("silence", 400, None)]
        told.client.on_refusal(refused("5", 200))
        told.client.on_refusal(refused("6", 400))
        assert told.limits.told == [("silence", 400, None)]
        venue.on("GET", "/v9/markets", value([]))
        await ask(told)
        told.limits.told.clear()
        told.client.on_refusal(refused("5", 200))
        assert told.limits.told == [], "nor that of a request which is over"

    run(main)


@pytest.mark.parametrize(("banned_until", "throttled"), [(100.0, []), (100.5, [("throttled", 100.5)])])
def test_a_ban_that_lasts_is_told_to_the_health(banned_until: float, throttled: list[tuple[Any, ...]]) -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        told.limits.banned_until = banned_until
        told.client._tell_silence()  # it is 100.0 by the clock
        assert told.health.told == throttled

    run(main)


def test_the_clocks_difference_is_taken_from_every_request_and_told_to_the_health() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        before = told.client.clock_skew_ms
        told.client.set_clock_skew(120, 35.5)
        assert (before, told.client.clock_skew_ms) == (None, 120)
        assert told.health.told == [("clock", -120), ("server time", 120, 35.5)]
        assert told.client.signing.now_ms() == 1_700_000_000_000 - 120

    run(main)


def test_how_a_client_is_made() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        ccxt = told.client._ccxt
        assert (ccxt.enableRateLimit, ccxt.timeout, ccxt.verify) == (False, 10_000, False)
        assert ccxt.options["maxRetriesOnFailure"] == 0
        assert (ccxt.options["recvWindow"], ccxt.options["timeDifference"]) == (5000, 0)
        assert ccxt.milliseconds() == 1_700_000_000_000
        assert told.client.quotes == ("KRW", "BTC")
        connector = told.client.session.connector
        assert connector is not None
        assert connector.limit == 0  # requests that hang do not make a cancel wait
        assert logging.getLogger("ccxt.base.exchange").level == logging.WARNING
        assert told.client.cancels("POST", "order/cancel") is True
        assert told.client.cancels("POST", "order/limit") is False
        assert told.client.refusals("1", "x") is None
        assert told.client.in_use is told.client.keys.current()

    run(main)


def test_of_a_page_where_an_answer_should_be_no_word_is_told_and_of_other_text_its_beginning() -> None:
    assert _error_of_body(" <html>secret").message.startswith("a web page where the venue's answer should be")
    assert _error_of_body("x" * 300) == ("", "x" * EXCERPT, None)
    assert _error_of_body("") == ("", "", None)


def test_closing_waits_for_the_peer_no_longer_than_it_is_told() -> None:
    async def main(venue: ScriptedVenue, told: Told) -> None:
        closed: list[str] = []

        async def hang() -> None:
            closed.append("asked")
            await asyncio.Event().wait()

        close = told.client._ccxt.close
        told.client._ccxt.close = hang
        await told.client.close(0.01)
        assert closed == ["asked"]
        assert told.client.session.closed
        told.client._ccxt.close = close
        await told.client.close()

    run(main)


def test_a_request_that_is_not_answered_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.ccxt_client._REQUEST_S", 0.05)

    async def main(venue: ScriptedVenue, told: Told) -> None:
        venue.on("GET", "/v9/markets", never)
        with pytest.raises(RequestFailed, match="no answer in time") as failed:
            await ask(told)
        assert (failed.value.answer.sent, failed.value.meaning) == (True, Meaning.UNKNOWN)
        assert len(venue.asked) == 1  # it is not asked again: the venue may be at it

    run(main)


def test_what_is_an_order_a_cancel_and_a_question_at_each_venue() -> None:
    written = {venue.name: (venue.rest.orders, venue.rest.cancels, venue.rest.tests, venue.rest.questions) for venue in VENUES.values()}
    for name, (orders, cancels, tests, questions) in written.items():
        assert not orders & (cancels | tests | questions), name
        assert not cancels & (tests | questions), name
        adapter = VENUES[name].adapter
        if adapter is not None:
            assert adapter().cancel_order in cancels, name
            assert adapter().look_up[0] == "GET" or adapter().look_up in questions, name
        assert bool(tests) == (VENUES[name].capabilities.test_orders and adapter is not None), name
