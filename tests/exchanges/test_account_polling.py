"""A venue without a private stream: what becomes of the account is asked for."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from arbtui.exchanges.account_polling import AccountPolling
from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.clock import LoopClock
from arbtui.model.errors import RateLimited, VenueFailed
from arbtui.model.order import Balance, OrderState
from arbtui.model.virtual_loop import run_virtual
from tests.exchanges.scripted_venue import order_of


class Polled:
    """A venue whose answers the test sets; None fails."""

    name = "upbit"
    absence_proof_s = 30.0

    def __init__(self) -> None:
        self.reports: dict[str, OrderReport | None] = {}
        self.is_away = False
        self.looks: list[str] = []
        self.balances = 0

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        self.looks.append(client_order_id)
        if self.is_away:
            raise VenueFailed("upbit: no answer")
        return self.reports.get(client_order_id)

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        if self.is_away:
            raise VenueFailed("upbit: no answer")
        self.balances += 1
        return {"KRW": Balance(Decimal(1), Decimal(0))}


class Account(AccountEvents):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.reports: list[OrderReport] = []

    def on_order(self, report: OrderReport) -> None:
        self.reports.append(report)

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        assert (exchange, list(balances)) == ("upbit", ["KRW"])

    def on_reconnected(self, exchange: str) -> None:
        self.told.append("on")

    def on_disconnected(self, exchange: str) -> None:
        self.told.append("off")


def report(state: OrderState, filled: str = "0") -> OrderReport:
    return OrderReport("upbit", "a1", "v1", state, Decimal(filled))


def test_orders_are_asked_for_until_they_end_and_balances_then() -> None:
    async def main() -> None:
        venue, account = Polled(), Account()
        polling = AccountPolling(venue, LoopClock(asyncio.get_running_loop()), None)
        task = asyncio.create_task(polling.run(account))
        await asyncio.sleep(0.1)
        assert (account.told, venue.looks, venue.balances) == (["on"], [], 1)
        venue.reports["a1"] = report(OrderState.ACCEPTED)
        polling.sent(order_of("upbit"))
        await asyncio.sleep(1.5)
        assert {one.state for one in account.reports} == {OrderState.ACCEPTED}
        assert venue.balances == 1
        venue.reports["a1"] = report(OrderState.CANCELED)
        await asyncio.sleep(1.0)
        assert account.reports[-1].state is OrderState.CANCELED
        assert venue.balances == 2
        looks = len(venue.looks)
        await asyncio.sleep(3.0)
        assert len(venue.looks) == looks
        task.cancel()

    run_virtual(main())


def test_an_end_whose_fills_are_not_told_is_asked_for_again() -> None:
    async def main() -> None:
        venue, account = Polled(), Account()
        polling = AccountPolling(venue, LoopClock(asyncio.get_running_loop()), None)
        venue.reports["a1"] = report(OrderState.FILLED, "10")
        polling.sent(order_of("upbit"))
        task = asyncio.create_task(polling.run(account))
        await asyncio.sleep(5.0)
        assert len(venue.looks) >= 5
        task.cancel()

    run_virtual(main())


def test_an_order_that_is_not_found_is_given_up_when_its_absence_is_proven() -> None:
    async def main() -> None:
        venue, account = Polled(), Account()
        polling = AccountPolling(venue, LoopClock(asyncio.get_running_loop()), None)
        polling.sent(order_of("upbit"))
        task = asyncio.create_task(polling.run(account))
        await asyncio.sleep(25.0)
        looks = len(venue.looks)
        assert looks > 20
        await asyncio.sleep(10.0)
        looks = len(venue.looks)
        await asyncio.sleep(10.0)
        assert len(venue.looks) == looks
        task.cancel()

    run_virtual(main())


def test_a_silent_venue_counts_as_disconnected_until_it_answers_again() -> None:
    async def main() -> None:
        venue, account = Polled(), Account()
        polling = AccountPolling(venue, LoopClock(asyncio.get_running_loop()), None)
        task = asyncio.create_task(polling.run(account))
        await asyncio.sleep(1.0)
        venue.is_away = True
        await asyncio.sleep(30.0)
        assert account.told == ["on", "off"]
        venue.is_away = False
        await asyncio.sleep(6.0)
        assert account.told == ["on", "off", "on"]
        task.cancel()

    run_virtual(main())


def polled(
    seconds: float, venue: Polled, *, sent_at: float | None = None, health: object = None
) -> tuple[list[float], list[float], list[str]]:
    """When orders and balances were asked for, and what the account was told, over so many seconds."""
    orders: list[float] = []
    balances: list[float] = []
    account = Account()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        fetch_order, fetch_balances = venue.fetch_order, venue.fetch_balances

        async def order(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
            assert (code, client_order_id) == ("KRW-XRP", "a1")
            orders.append(loop.time() - start)
            return await fetch_order(code, client_order_id, lane)

        async def balance(lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
            balances.append(loop.time() - start)
            return await fetch_balances(lane)

        venue.fetch_order, venue.fetch_balances = order, balance  # type: ignore[method-assign]
        polling = AccountPolling(venue, LoopClock(loop), health)  # type: ignore[arg-type]
        task = asyncio.create_task(polling.run(account))
        if sent_at is not None:
            loop.call_later(sent_at, polling.sent, order_of("upbit"))
        await asyncio.sleep(seconds)
        task.cancel()

    run_virtual(main())
    return orders, balances, account.told


def test_balances_are_asked_for_every_five_seconds_and_when_an_order_has_ended() -> None:
    assert polled(10.75, Polled())[1] == [0.0, 5.0, 10.0]
    ended = Polled()
    ended.reports["a1"] = report(OrderState.CANCELED)
    orders, balances, _ = polled(10.75, ended, sent_at=1.75)
    assert (orders, balances) == ([2.0], [0.0, 2.0, 5.0, 10.0])


def test_balances_without_an_answer_are_asked_for_again_at_once() -> None:
    away = Polled()
    away.is_away = True
    assert polled(1.75, away) == ([], [0.0, 0.5, 1.0, 1.5], [])


def test_an_order_that_is_not_found_is_asked_for_until_the_proof_of_its_absence() -> None:
    orders, balances, _ = polled(40.25, Polled(), sent_at=0.25)
    assert orders == [0.5 * number for number in range(1, 62)], "from 30.25 s on it is not there"
    assert 30.5 in balances


def test_an_account_of_which_nothing_is_heard_for_ten_seconds_is_lost_and_a_question_that_was_not_asked_says_nothing() -> None:
    class Silenced(Polled):
        async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
            self.balances += 1
            if self.balances > 1:
                raise RateLimited("no room", 1.0)
            return {"KRW": Balance(Decimal(1), Decimal(0))}

    assert polled(9.75, Silenced())[2] == ["on"]
    assert polled(10.25, Silenced())[2] == ["on", "off"]


def test_the_health_may_end_a_pause() -> None:
    slept: list[float] = []

    class Health:
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await asyncio.sleep(seconds)

    polled(1.25, Polled(), health=Health())
    assert slept == [0.5, 0.5, 0.5]
