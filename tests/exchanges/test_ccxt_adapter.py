"""What every live adapter does alike: an order once, a cancel until it is done, pings, and what is left out."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.capabilities import EVERYTHING, Capabilities
from arbtui.exchanges.ccxt_adapter import ABSENCE_PROOF_S, CcxtAdapter, Listing, smallest_order
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.market_flags import Flags
from arbtui.exchanges.private_stream import PrivateStream, StreamRefused
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusals import Meaning, Refusal, Retry, Scope
from arbtui.model.clock import LoopClock
from arbtui.model.errors import MarketUnknown, OrderRejected, OrderUnknown, RateLimited, VenueFailed, VenueRefused, WireError
from arbtui.model.order import Order, OrderState, Purpose
from arbtui.model.virtual_loop import run_virtual
from tests.exchanges.scripted_venue import UPBIT_XRP, made_up_keys, order_of
from tests.exchanges.test_answers import ROWS

TABLE: Mapping[str, Refusal] = {
    **ROWS,
    "old": Refusal(Scope.ORDER, Meaning.ARCHIVED, Retry.NEVER, "long ago"),
    "late": Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set the clock"),
}
TAKEN = OrderReport("upbit", "a1", "u1", OrderState.ACCEPTED, Decimal(0))
ENDED = OrderReport("upbit", "a1", "u1", OrderState.CANCELED, Decimal(0))


def refused(code: str, status: int = 400) -> RequestFailed:
    return RequestFailed("upbit", "x", Answer(status, code, "words", sent=True), lambda code, message: TABLE.get(code))


class Client:
    """Answers what a test says, and notes what it was asked."""

    exchange = "upbit"
    quotes = ("KRW",)
    clock_skew_ms: int | None = 7

    def __init__(self, health: Any = None, limits: Any = None) -> None:
        self.keys = made_up_keys()
        self.health, self.limits = health, limits
        self.refusals: Any = None
        self.signing = SimpleNamespace(stream_headers=lambda: {"a": "b"})
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[Any] = []
        self.told: list[Any] = []

    async def request(
        self, section: str, method: str, path: str, params: Mapping[str, Any] | None = None, *, lane: Lane, costs: Any, admit: Any = None
    ) -> Any:
        self.asked.append((section, method, path, params, lane, costs))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def set_clock_skew(self, ms: int, round_trip_ms: float) -> None:
        self.clock_skew_ms = ms
        self.told.append(("skew", ms, round_trip_ms))

    def on_refusal(self, failure: RequestFailed) -> None:
        self.told.append(("refusal", failure))

    async def close(self) -> None:
        self.told.append("closed")


class Plain(CcxtAdapter):
    """The least that an adapter is."""

    order_costs = {"order": 2.0}  # noqa: RUF012
    query_costs = {"query": 3.0}  # noqa: RUF012

    @staticmethod
    def refusals(code: str, message: str) -> Refusal | None:
        return TABLE.get(code)

    def __init__(self, client: Client, clock: Any) -> None:
        super().__init__(cast(CcxtClient, client), "wss://private", clock)
        self.capabilities = EVERYTHING
        self.markets = {UPBIT_XRP.code: UPBIT_XRP}
        self.fake = client
        self.told: list[tuple[Any, ...]] = []
        self.standing = cast(Any, SimpleNamespace(refused=self._refused, accepted=lambda code: self.told.append(("accepted", code))))
        self.look_ups: list[tuple[str, str]] = []
        self.found: OrderReport | None = None
        self.times: list[int | None] = []
        self.outcome: OrderReport | WireError = TAKEN
        self.new_odd: dict[str, str] = {}
        self.open: list[StandingOrder] = []

    def _refused(self, error: RequestFailed, market: str = "", *, of_order: bool = False) -> None:
        self.told.append(("refused", error.answer.code, market, of_order))

    async def listed(self) -> Mapping[str, Listing]:
        return {}

    async def _rules(self, codes: Sequence[str] | None) -> Any:
        self.odd |= self.new_odd
        return {"asked": codes}

    async def _trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        self.odd |= self.new_odd
        return dict.fromkeys(codes)

    async def connect(self, codes: Sequence[str] | None = None) -> None: ...

    async def check_keys(self) -> str:
        return ""

    def unknown_order(self, market: Any, client_order_id: str) -> Mapping[str, Any]:
        return {}

    async def _venue_time_ms(self) -> int | None:
        return self.times.pop(0) if self.times else None

    async def _submit(self, order: Order, lane: Lane, admit: Callable[[], None]) -> Any:
        costs = self.costs_of(order)
        return await self._client.request("private", "POST", "order", {"id": order.client_order_id}, lane=lane, costs=costs, admit=admit)

    async def _outcome(self, order: Order, answer: Any) -> OrderReport:
        assert (order.client_order_id, answer) == ("a1", {"taken": 1})
        if isinstance(self.outcome, WireError):
            raise self.outcome
        return self.outcome

    async def cancel(self, code: str, client_order_id: str) -> None:
        await self.cancel_one(code, client_order_id, {"id": client_order_id}, costs={"cancel": 1})

    async def list_standing(self) -> Sequence[StandingOrder]:
        return self.open

    async def cancel_standing(self, order: StandingOrder) -> None:
        await self.cancel_one(order.code, order.client_order_id, {"venue id": order.venue_order_id}, costs={"cancel": 1})

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        self.look_ups.append((code, client_order_id))
        return self.found

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        return []

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Any:
        return []

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Any:
        return {}

    async def fetch_networks(self, assets: Collection[str]) -> Any:
        return {}


def run(main: Callable[[Plain], Any], health: Any = None, limits: Any = None, capabilities: Capabilities = EVERYTHING) -> Any:
    async def made() -> Any:
        adapter = Plain(Client(health, limits), LoopClock(asyncio.get_running_loop()))
        adapter.capabilities = capabilities
        return await main(adapter)

    return run_virtual(made())


def admit() -> None:
    """The gate says yes."""


# an order


def test_an_order_goes_in_its_lane_and_its_answer_is_read() -> None:
    async def main(adapter: Plain) -> None:
        for purpose, lane in ((Purpose.ENTRY, Lane.ENTRY), (Purpose.COMPLETE, Lane.HEDGE), (Purpose.UNWIND, Lane.HEDGE)):
            adapter.fake.answers, adapter.fake.asked, adapter.told = [{"taken": 1}], [], []
            order = order_of("upbit")
            order.purpose = purpose
            assert await adapter.place(order, admit) is TAKEN
            assert adapter.fake.asked == [("private", "POST", "order", {"id": "a1"}, lane, {"order": 2.0})]
            assert adapter.told == [("accepted", "KRW-XRP")]

    run(main)


def test_an_order_that_breaks_a_rule_of_its_market_is_not_sent() -> None:
    async def main(adapter: Plain) -> None:
        with pytest.raises(OrderRejected, match=r"^MIN_COST"):
            await adapter.place(order_of("upbit", qty="1"), admit)
        assert (adapter.fake.asked, adapter.told) == ([], [])

    run(main)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RateLimited("no room", 1.0), OrderRejected, r"^RATE_LIMITED no room"),
        (VenueFailed("no time"), OrderRejected, r"^CLOCK no time"),
        (refused("order"), OrderRejected, r"^MIN_COST upbit x"),
        (refused("", 503), OrderUnknown, r"^upbit x"),
    ],
)
def test_an_order_that_was_not_taken_says_what_is_known(error: Exception, kind: type[Exception], words: str) -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers = [error]
        with pytest.raises(kind, match=words):
            await adapter.place(order_of("upbit"), admit)
        assert adapter.told == ([("refused", error.answer.code, "KRW-XRP", True)] if isinstance(error, RequestFailed) else [])

    run(main)


def test_an_answer_that_cannot_be_read_leaves_the_order_unknown() -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers, adapter.outcome = [{"taken": 1}], WireError("order", "odd")
        with pytest.raises(OrderUnknown) as told:
            await adapter.place(order_of("upbit"), admit)
        assert str(told.value) == f"upbit: the answer to a1 cannot be read: {WireError('order', 'odd')}"
        assert adapter.told == [("accepted", "KRW-XRP")]

    run(main)


def test_after_a_no_to_its_time_the_clocks_are_compared_before_the_next_order() -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers = [refused("order")]
        with pytest.raises(OrderRejected):
            await adapter.place(order_of("upbit"), admit)
        adapter.times, adapter.fake.answers = [1, 1, 1], [refused("late")]
        with pytest.raises(OrderRejected):
            await adapter.place(order_of("upbit"), admit)
        assert len(adapter.times) == 3, "nothing was doubted yet"
        adapter.fake.answers = [{"taken": 1}, {"taken": 1}]
        await adapter.place(order_of("upbit"), admit)
        await adapter.place(order_of("upbit"), admit)
        assert adapter.times == []
        assert len(adapter.fake.told) == 1

    run(main)


@pytest.mark.parametrize("private_stream", [True, False])
def test_without_a_stream_an_order_is_polled_from_before_it_is_sent(private_stream: bool) -> None:
    async def main(adapter: Plain) -> None:
        polled: list[Order] = []
        adapter._polling = cast(Any, SimpleNamespace(sent=polled.append))
        adapter.fake.answers = [refused("order")]
        order = order_of("upbit")
        with pytest.raises(OrderRejected):
            await adapter.place(order, admit)
        assert polled == ([] if private_stream else [order])

    run(main, capabilities=replace(EVERYTHING, private_stream=private_stream))


# what it costs


class Shares:
    """Rate limits that note what is asked of them; ``has``: a share was taken before."""

    def __init__(self, has: bool = False) -> None:
        self.has = has
        self.told: list[tuple[Any, ...]] = []

    def refusal(self, lane: Lane, costs: Any) -> str | None:
        self.told.append(("refusal", lane, costs))
        return "full"

    def reserve(self, cycle_id: str, entry: Any, entries: int, hedge: Any) -> str | None:
        self.told.append(("reserve", cycle_id, entry, entries, hedge))
        return "full"

    def release(self, cycle_id: str) -> None:
        self.told.append(("release", cycle_id))

    def redeem(self, cycle_id: str) -> bool:
        self.told.append(("redeem", cycle_id))
        return self.has

    def use_hold(self, cycle_id: str) -> None:
        self.told.append(("hold", cycle_id))


def test_shares_are_taken_and_given_back_by_cycle() -> None:
    limits = Shares()

    async def main(adapter: Plain) -> None:
        assert adapter.throttled() == "full"
        assert adapter.reserve_orders("c1", 2) == "full"
        adapter.release_orders("c1")

    run(main, limits=limits)
    order = {"order": 2.0}
    assert limits.told == [("refusal", Lane.ENTRY, order), ("reserve", "c1", order, 2, order), ("release", "c1")]


def test_without_limits_nothing_is_held_up() -> None:
    async def main(adapter: Plain) -> None:
        assert adapter.throttled() is None
        assert adapter.reserve_orders("c1", 2) is None
        adapter.release_orders("c1")
        assert adapter.costs_of(order_of("upbit")) == {"order": 2.0}

    run(main)


@pytest.mark.parametrize(
    ("purpose", "has", "costs", "told"),
    [
        (Purpose.ENTRY, True, 0.0, [("redeem", "c1")]),
        (Purpose.ENTRY, False, 2.0, [("redeem", "c1")]),
        (Purpose.COMPLETE, True, 2.0, [("hold", "c1")]),
        (Purpose.UNWIND, True, 2.0, [("hold", "c1")]),
    ],
)
def test_what_an_order_still_costs(purpose: Purpose, has: bool, costs: float, told: list[tuple[Any, ...]]) -> None:
    limits = Shares(has)

    async def main(adapter: Plain) -> None:
        order = order_of("upbit")
        order.purpose = purpose
        assert order.purpose.is_planned is (purpose is Purpose.ENTRY)
        assert adapter.costs_of(order) == {"order": costs}

    run(main, limits=limits)
    assert limits.told == told


# a cancel


@pytest.mark.parametrize("code", ["gone", "old"])
def test_a_cancel_of_what_is_not_there_is_done(code: str) -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers = [refused(code)]
        await adapter.cancel("KRW-XRP", "a1")
        assert adapter.fake.asked == [("private", "DELETE", "order", {"id": "a1"}, Lane.CANCEL, {"cancel": 1})]
        assert (adapter.told, adapter.look_ups) == ([], [])

    run(main)


@pytest.mark.parametrize(("found", "done"), [(ENDED, True), (TAKEN, False), (None, False)])
def test_a_refused_cancel_is_done_where_a_look_up_finds_its_end(found: OrderReport | None, done: bool) -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers, adapter.found = [refused("order")], found
        if done:
            await adapter.cancel("KRW-XRP", "a1")
        else:
            with pytest.raises(VenueFailed, match=r"^upbit x: order words"):
                await adapter.cancel("KRW-XRP", "a1")
        assert adapter.told == [("refused", "order", "KRW-XRP", True)]
        assert adapter.look_ups == [("KRW-XRP", "a1")]

    run(main)


def test_a_cancel_that_was_refused_for_its_number_asks_nothing_more() -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers, adapter.found = [refused("busy")], ENDED
        with pytest.raises(VenueFailed):
            await adapter.cancel("KRW-XRP", "a1")
        assert adapter.look_ups == []

    run(main)


def test_every_standing_order_is_tried_before_the_first_refusal_is_raised() -> None:
    async def main(adapter: Plain) -> None:
        assert await adapter.cancel_all() == 0
        adapter.open = [StandingOrder("KRW-XRP", f"a{number}", f"u{number}") for number in range(3)]
        assert await adapter.cancel_all() == 3
        assert [asked[3] for asked in adapter.fake.asked] == [{"venue id": f"u{number}"} for number in range(3)]
        adapter.fake.answers = [refused("key", 401), {}, {}]
        with pytest.raises(VenueRefused):
            await adapter.cancel_all()
        assert len(adapter.fake.asked) == 6

    run(main)


# questions


def test_a_question_of_a_right_costs_what_a_look_up_does() -> None:
    async def main(adapter: Plain) -> None:
        await adapter.ask("GET", "order", {"id": "a1"})
        assert adapter.fake.asked == [("private", "GET", "order", {"id": "a1"}, Lane.HEDGE, {"query": 3.0})]
        adapter.fake.answers = [refused("key", 401)]
        with pytest.raises(RequestFailed):
            await adapter.ask("GET", "order", {})
        assert adapter.told == []

    run(main)


@pytest.mark.parametrize(
    ("section", "code", "status", "odd", "told"),
    [
        ("private", "symbol", 400, True, []),
        ("public", "symbol", 400, True, []),
        ("private", "key", 401, False, [("refused", "key", "", False)]),
        ("public", "key", 401, False, []),
    ],
)
def test_a_question_of_one_market(section: str, code: str, status: int, odd: bool, told: list[tuple[Any, ...]]) -> None:
    async def main(adapter: Plain) -> None:
        adapter.fake.answers = [[7], refused(code, status)]
        assert await adapter.query_of_market("KRW-XRP", section, "rules", {"a": 1}, costs={"b": 1}) == [7]
        assert adapter.fake.asked == [(section, "GET", "rules", {"a": 1}, Lane.DATA, {"b": 1})]
        if odd:
            assert await adapter.query_of_market("KRW-XRP", section, "rules", costs={}) is None
            assert adapter.odd == {"KRW-XRP": f"upbit x: {code} words (HTTP {status})"}
        else:
            with pytest.raises(VenueRefused):
                await adapter.query_of_market("KRW-XRP", section, "rules", costs={})
            assert adapter.odd == {}
        assert adapter.told == told

    run(main)


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (0, None),
        (1, "upbit: 1 of its markets left out: M0: why 0"),
        (5, "upbit: 5 of its markets left out: M0: why 0; M1: why 1; M2: why 2; M3: why 3; M4: why 4"),
        (
            7,
            "upbit: 7 of its markets left out: M0: why 0; M1: why 1; M2: why 2; M3: why 3; M4: why 4; "
            "and 2 more, which `arbtui check` lists",
        ),
    ],
)
def test_what_was_left_out_is_named_once(count: int, line: str | None, caplog: pytest.LogCaptureFixture) -> None:
    async def main(adapter: Plain) -> None:
        adapter.odd = {"OLD": "known"}
        adapter.new_odd = {f"M{number}": f"why {number}" for number in range(count)}
        rules: Any = await adapter.fetch_rules(["A", "B"])
        assert rules == {"asked": ["A", "B"]}
        assert caplog.messages == ([] if line is None else [line])
        caplog.clear()
        assert await adapter.fetch_trading(["A"]) == {"A": None}
        assert caplog.messages == [], "it is known"
        adapter.odd = {"OLD": "known"}
        await adapter.fetch_trading(["A"])
        assert caplog.messages == ([] if line is None else [line])

    run(main)


def test_a_market_is_one_whose_rules_were_read() -> None:
    async def main(adapter: Plain) -> None:
        assert adapter.market("KRW-XRP") is adapter.any_market() is UPBIT_XRP
        with pytest.raises(MarketUnknown, match="upbit: KRW-ADA is not among the 1 markets whose rules were read"):
            adapter.market("KRW-ADA")
        adapter.markets = {}
        with pytest.raises(VenueFailed, match="upbit: no market's rules were read, so no test order can be made"):
            adapter.any_market()

    run(main)


def test_what_an_adapter_tells_of_itself() -> None:
    async def main(adapter: Plain) -> None:
        assert adapter.fake.refusals is adapter.refusals
        assert (adapter.name, adapter.quotes, adapter.clock_skew_ms) == ("upbit", ("KRW",), 7)
        assert adapter.absence_proof_s == ABSENCE_PROOF_S == 30.0
        assert adapter.has_keys is True
        assert adapter.key_name == "key k3y-of-a-test"
        assert adapter.key_tail == "...test from a test"
        assert adapter._stream_headers() == {"a": "b"}
        assert Listing(UPBIT_XRP).price == 0.0
        with pytest.raises(VenueFailed, match="upbit: an order cannot be tested"):
            await adapter.test_order()
        await adapter.check_account()
        for stub in (adapter._subscribe(cast(Any, None), lambda frame: None),):
            with pytest.raises(NotImplementedError):
                await stub
        with pytest.raises(NotImplementedError):
            adapter._on_frame(b"", cast(AccountEvents, None), cast(PrivateStream, None))
        await adapter.watch_notices(cast(AccountEvents, None))
        await adapter.close()
        assert adapter.fake.told == ["closed"]

    run(main)


def test_an_id_that_was_never_used_is_of_this_moment_and_of_no_other() -> None:
    async def main(adapter: Plain) -> None:
        first = adapter.unused_id()
        await asyncio.sleep(1.0)
        assert first != adapter.unused_id()

    run(main)


@pytest.mark.parametrize(
    ("price", "qty", "at"),
    [("3000", "1.83333334", "3000"), ("3000.9", "1.83333334", "3000"), ("1e9", "0.00000550", "1000000000")],
)
def test_the_smallest_order_is_a_tenth_over_the_least_value(price: str, qty: str, at: str) -> None:
    assert smallest_order(UPBIT_XRP, Decimal(price)) == (Decimal(qty), Decimal(at))
    assert smallest_order(replace(UPBIT_XRP, min_qty=Decimal(2)), Decimal(3000)) == (Decimal(2), Decimal(3000))


# what runs beside the orders


def test_a_refused_stream_silences_and_stops_as_a_refused_request_does() -> None:
    async def main(adapter: Plain) -> None:
        for status, facts in ((None, 400), (429, 429)):
            adapter.told, adapter.fake.told = [], []
            adapter.stream_refused(StreamRefused("key", "words", status=status, retry_at_ms=1_800_000_000_000))
            ((_, failure),) = adapter.fake.told
            assert failure.answer == Answer(facts, "key", "words", sent=True, retry_at_ms=1_800_000_000_000)
            assert str(failure) == f"upbit private stream: key words (HTTP {facts})"
            assert adapter.told == [("refused", "key", "", False)]

    run(main)


class Pinged(Plain):
    """Notes when it is pinged; ``answers`` are raised in turn."""

    def pinged(self, *errors: Exception | None) -> list[float]:
        at: list[float] = []
        left = list(errors)

        async def ping() -> None:
            at.append(asyncio.get_running_loop().time())
            error = left.pop(0) if left else None
            if error is not None:
                raise error

        self.ping = ping  # type: ignore[method-assign]
        return at


def pings(seconds: float, *errors: Exception | None, health: Any = None) -> list[float]:
    async def main() -> list[float]:
        adapter = Pinged(Client(health), LoopClock(asyncio.get_running_loop()))
        start = asyncio.get_running_loop().time()
        at = adapter.pinged(*errors)
        task = asyncio.create_task(adapter.keep_warm())
        await asyncio.sleep(seconds)
        task.cancel()
        return [one - start for one in at]

    found: list[float] = run_virtual(main())
    return found


def test_a_venue_is_pinged_every_ten_seconds_whatever_it_answers(caplog: pytest.LogCaptureFixture) -> None:
    assert pings(35.0, RateLimited("no room", 1.0), VenueFailed("no answer")) == [10.0, 20.0, 30.0]
    assert caplog.messages == ["upbit does not answer a ping: no answer"]
    assert caplog.records[0].levelno == logging.WARNING


def test_a_venue_of_which_nothing_is_heard_is_pinged_every_two_seconds() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(seconds)

    health = SimpleNamespace(is_away=True, sleep=sleep)
    assert pings(5.0, health=health) == [2.0, 4.0]
    health.is_away = False
    assert pings(15.0, health=health) == [10.0]
    assert slept == [2.0, 2.0, 2.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("capabilities", "tasks"),
    [
        (EVERYTHING, {"private stream", "pings", "refusals"}),
        (Capabilities(private_stream=False), {"account", "pings", "refusals"}),
        (Capabilities(notices=True), {"private stream", "notices", "pings", "refusals"}),
    ],
)
def test_what_runs_while_a_venue_is_traded(capabilities: Capabilities, tasks: set[str]) -> None:
    async def main(adapter: Plain) -> None:
        started: list[str] = []

        async def note(*of: Any) -> None:
            task = asyncio.current_task()
            assert task is not None
            started.append(task.get_name())
            await asyncio.Event().wait()

        adapter._listen = note  # type: ignore[assignment, method-assign]
        adapter.watch_notices = note  # type: ignore[assignment, method-assign]
        adapter.keep_warm = note  # type: ignore[method-assign]
        adapter._polling = cast(Any, SimpleNamespace(run=note))
        watch = SimpleNamespace(run=note)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("arbtui.exchanges.ccxt_adapter.RefusalWatch", lambda of: watch)
            task = asyncio.create_task(adapter.run(cast(AccountEvents, None)))
            await asyncio.sleep(1.0)
        task.cancel()
        assert set(started) == {f"upbit {name}" for name in tasks}

    run(main, capabilities=capabilities)


def test_the_private_stream_is_made_of_the_adapters_own_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}

    class Stream:
        def __init__(self, exchange: str, url: str, **parts: Any) -> None:
            made.update(parts, exchange=exchange, url=url, stream=self)

        async def run(self) -> None:
            made["ran"] = True

    monkeypatch.setattr("arbtui.exchanges.ccxt_adapter.PrivateStream", Stream)
    heard: list[tuple[Any, ...]] = []
    account = cast(
        AccountEvents,
        SimpleNamespace(
            on_reconnected=lambda exchange: heard.append(("on", exchange)), on_disconnected=lambda exchange: heard.append(("off", exchange))
        ),
    )

    async def main(adapter: Plain) -> None:
        frames: list[tuple[Any, ...]] = []
        adapter._on_frame = lambda *of: frames.append(of)  # type: ignore[method-assign]
        await adapter._listen(account)
        assert (made["exchange"], made["url"], made["ran"]) == ("upbit", "wss://private", True)
        assert made["headers"]() == {"a": "b"}
        assert made["limits"] is adapter.fake.limits
        assert made["health"] is adapter.fake.health
        made["on_frame"](b"x")
        assert frames == [(b"x", account, made["stream"])]
        made["on_open"]()
        made["on_close"]()
        assert heard == [("on", "upbit"), ("off", "upbit")]
        assert made["on_refused"] == adapter.stream_refused
        assert made["subscribe"] == adapter._subscribe

    run(main, health=SimpleNamespace(), limits=object())
