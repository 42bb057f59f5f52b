"""The end of an immediate order, looked up after each pause until it is known whole."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.order_outcome import OrderOutcomes, pause_until
from arbtui.model.errors import VenueFailed
from arbtui.model.order import OrderState, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from tests.exchanges.scripted_venue import order_of

TAKEN = OrderReport("upbit", "a1", "u1", OrderState.ACCEPTED, Decimal(0))
PART = OrderReport("upbit", "a1", "u1", OrderState.PARTIALLY_FILLED, Decimal(3))
ENDED = OrderReport("upbit", "a1", "u1", OrderState.EXPIRED, Decimal(0))


def outcome(
    found: Sequence[OrderReport | Exception | None],
    pauses_s: Sequence[float] = (1.0, 2.0, 4.0),
    told_at: float | None = None,
    tif: TimeInForce = TimeInForce.IOC,
) -> tuple[OrderReport, list[float]]:
    """What becomes of an order whose look-ups give ``found``, and when they were made."""
    looked: list[float] = []

    async def fetch(code: str, client_order_id: str) -> OrderReport | None:
        assert (code, client_order_id) == ("KRW-XRP", "a1")
        looked.append(asyncio.get_running_loop().time())
        one = found[len(looked) - 1]
        if isinstance(one, Exception):
            raise one
        return one

    async def main() -> OrderReport:
        outcomes = OrderOutcomes(fetch, pauses_s)
        if told_at is not None:
            asyncio.get_running_loop().call_later(told_at, outcomes.on_report, ENDED)
        order = order_of("upbit")
        order.tif = tif
        started = asyncio.get_running_loop().time()
        report = await outcomes.of(order, TAKEN)
        looked[:] = [at - started for at in looked]
        assert outcomes._awaited == {}
        return report

    return run_virtual(main()), looked


@pytest.mark.parametrize(
    ("found", "report", "at"),
    [
        ([ENDED], ENDED, [1.0]),
        ([None, ENDED], ENDED, [1.0, 3.0]),
        ([VenueFailed("x"), PART, ENDED], ENDED, [1.0, 3.0, 7.0]),
        ([PART, VenueFailed("x"), None], PART, [1.0, 3.0, 7.0]),
        ([None, None, None], TAKEN, [1.0, 3.0, 7.0]),
    ],
)
def test_it_is_looked_up_after_each_pause_until_its_end_is_known(
    found: list[OrderReport | Exception | None], report: OrderReport, at: list[float]
) -> None:
    assert outcome(found) == (report, at)


def test_the_streams_word_ends_a_pause_and_no_more_than_that_one() -> None:
    assert outcome([None, ENDED], told_at=0.25) == (ENDED, [0.25, 2.25])


def test_an_order_that_may_rest_is_told_as_it_was_taken() -> None:
    assert outcome([], tif=TimeInForce.GTC) == (TAKEN, [])


def test_a_word_of_another_order_or_of_no_end_wakes_nobody() -> None:
    async def main() -> None:
        outcomes = OrderOutcomes(lambda code, client_order_id: asyncio.sleep(0, ENDED), ())
        event = outcomes._awaited["a1"] = asyncio.Event()
        outcomes.on_report(PART)
        outcomes.on_report(OrderReport("upbit", "b2", "u2", OrderState.EXPIRED, Decimal(0)))
        assert not event.is_set()
        outcomes.on_report(ENDED)
        assert event.is_set()

    run_virtual(main())


def test_a_pause_ends_with_its_event_or_its_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        event, start = asyncio.Event(), loop.time()
        await pause_until(event, 3.0)
        assert loop.time() - start == 3.0
        loop.call_later(1.0, event.set)
        await pause_until(event, 3.0)
        assert loop.time() - start == 4.0
        await pause_until(event, 3.0)
        assert loop.time() - start == 4.0

    run_virtual(main())
