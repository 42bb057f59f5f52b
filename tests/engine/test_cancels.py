"""Cancelling by a venue's own list, against a venue that answers as a test says: what counts as confirmed, and that it ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from arbtui.engine.cancels import Cleared, cancel_standing
from arbtui.exchanges.adapter import ExchangeAdapter, StandingOrder
from arbtui.model.errors import VenueFailed
from arbtui.model.ids import client_order_id, is_ours
from arbtui.model.virtual_loop import run_virtual

OURS = StandingOrder("KRW-XRP", client_order_id("salt", "r1-1", 0, 0), "1")
LATE = StandingOrder("KRW-ADA", client_order_id("salt", "r1-2", 0, 0), "2")
FOREIGN = StandingOrder("KRW-BTC", "by-hand", "3")


class ListingVenue:
    """Answers each list by the next of ``lists`` (the last one repeats); a cancel takes an order off unless it is ``stubborn``."""

    def __init__(self, *lists: Sequence[StandingOrder] | Exception, stubborn: bool = False) -> None:
        self.lists, self.stubborn = list(lists), stubborn
        self.asked, self.cancelled = 0, list[StandingOrder]()

    async def list_standing(self) -> Sequence[StandingOrder]:
        self.asked += 1
        now = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(now, Exception):
            raise now
        return [one for one in now if self.stubborn or one not in self.cancelled]

    async def cancel_standing(self, order: StandingOrder) -> None:
        self.cancelled.append(order)


def clear(venue: ListingVenue, **more: Any) -> Cleared:
    async def main() -> Cleared:
        async with asyncio.timeout(120):
            return await cancel_standing("upbit", cast(ExchangeAdapter, venue), **{"exclusive": False, **more})

    return cast(Cleared, run_virtual(main()))


@pytest.mark.parametrize("one", [OURS.client_order_id, LATE.client_order_id])
def test_our_ids_are_ours(one: str) -> None:
    assert is_ours(one)


@pytest.mark.parametrize(
    "one", ["", "a", "by-hand", OURS.client_order_id.upper(), OURS.client_order_id + "x", "b" + OURS.client_order_id[1:], "a" + "1" * 17]
)
def test_others_are_not(one: str) -> None:
    assert not is_ours(one)


def test_ours_are_cancelled_and_others_named() -> None:
    venue = ListingVenue([OURS, FOREIGN])
    found = clear(venue)
    assert venue.cancelled == [OURS]
    assert found.is_confirmed
    assert found.in_words() == "UPBIT ok, 1 foreign order left alone (KRW-BTC by-hand)"


def test_all_are_cancelled_on_an_account_of_our_own() -> None:
    venue = ListingVenue([OURS, FOREIGN])
    assert clear(venue, exclusive=True).in_words() == "UPBIT ok"
    assert set(venue.cancelled) == {OURS, FOREIGN}


def test_one_empty_list_is_not_believed() -> None:
    venue = ListingVenue([], [LATE], [])
    assert clear(venue).is_confirmed
    assert venue.cancelled == [LATE]
    assert venue.asked == 4


def test_while_a_fate_is_unknown_the_list_is_asked_on() -> None:
    lists: list[Sequence[StandingOrder]] = [[] for _ in range(5)]
    venue = ListingVenue(*lists, [LATE], [])
    unsure: Callable[[], bool] = lambda: LATE not in venue.cancelled  # noqa: E731
    assert clear(venue, is_unsure=unsure, within_s=10.0).is_confirmed
    assert venue.cancelled == [LATE]


def test_a_fate_that_stays_unknown_does_not_hold_it_for_ever() -> None:
    venue = ListingVenue([])
    assert clear(venue, is_unsure=lambda: True, within_s=10.0).is_confirmed
    assert 5 <= venue.asked <= 20


def test_an_order_that_stays_listed_although_its_cancel_was_taken_is_told() -> None:
    found = clear(ListingVenue([OURS], stubborn=True))
    assert not found.is_confirmed
    assert found.in_words() == "UPBIT cancels not confirmed (1 order still listed)"


def test_a_venue_that_does_not_answer_is_tried_four_times_in_a_row() -> None:
    venue = ListingVenue(VenueFailed("upbit: no answer"))
    assert clear(venue).in_words() == "UPBIT cancels not confirmed (upbit: no answer)"
    assert venue.asked == 4
    flaky = ListingVenue(VenueFailed("x"), VenueFailed("x"), VenueFailed("x"), [OURS])
    assert clear(flaky).is_confirmed


def test_many_foreign_orders_are_counted() -> None:
    many = [StandingOrder("KRW-BTC", "", str(number)) for number in range(5)]
    assert clear(ListingVenue(many)).in_words() == "UPBIT ok, 5 foreign orders left alone (KRW-BTC 0, KRW-BTC 1, KRW-BTC 2 and 2 more)"
