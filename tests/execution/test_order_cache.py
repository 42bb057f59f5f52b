"""Which orders are listened for, and what is remembered of those that are not any more."""

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.execution.order_cache import OrderCache, TrackedOrder
from arbtui.model.order import Fill, Side
from tests.portfolio.telling import fill_of
from tests.simulation.worlds import UPBIT_XRP, order


def fill(trade_id: str, client_order_id: str) -> Fill:
    return fill_of("upbit", Side.SELL, UPBIT_XRP.lot_step, UPBIT_XRP.lot_step, trade_id, client_order_id=client_order_id)


def tracked(client_order_id: str, sent_at: float = 0.0) -> TrackedOrder:
    """With two fills of its own."""
    fills = [fill(f"{client_order_id}-{number}", client_order_id) for number in range(2)]
    owner = SimpleNamespace(fills_of=lambda asked: fills if asked == client_order_id else [])
    return TrackedOrder(cast(Any, owner), order(UPBIT_XRP, Side.SELL, "1", "3000", client_order_id), sent_at)


def test_the_oldest_that_ended_makes_room_and_its_fills_stay_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 3)
    cache = OrderCache()
    for name in ("a", "b", "c"):
        cache.add(tracked(name), {"a"})
    assert all(cache.of(name) is not None for name in ("a", "b", "c"))
    cache.add(tracked("d"), {"a", "c", "d"})
    assert [name for name in ("a", "b", "c", "d") if cache.of(name) is None] == ["b"], "a is open"
    assert not cache.is_stray(fill("b-1", "b"))
    assert cache.is_stray(fill("z-1", "z"))
    cache.add(tracked("e"), {"a", "c", "d", "e"})
    assert cache.of("c") is not None, "where all are open none is forgotten"


def test_fills_of_forgotten_orders_are_bounded_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 1)
    monkeypatch.setattr("arbtui.execution.order_cache._BOOKED", 2)
    monkeypatch.setattr("arbtui.execution.order_cache._BLOCK", 1)
    cache = OrderCache()
    for name in ("a", "b", "c"):
        cache.add(tracked(name), ())
    assert cache.is_stray(fill("a-0", "a"))
    assert not cache.is_stray(fill("b-0", "b"))
    assert not cache.is_stray(fill("b-1", "b"))


def test_every_fill_of_the_time_that_venues_are_asked_for_stays_known_and_older_ones_go() -> None:
    """However many they are: one that is not known is looked for in the journal, and a report lists five minutes of them at once."""
    cache = OrderCache()
    rate, names = 20, []
    for number in range(rate * 700):
        names.append(f"o{number}")
        cache.add(tracked(names[-1], number / rate), ())
    followed = [name for name in names if cache.of(name) is not None]
    known = [name for name in names if not cache.is_stray(fill(f"{name}-1", name))]
    asked_for = names[-rate * 360 : -len(followed)]
    assert set(asked_for) <= set(known)
    assert rate * 360 < len(known) < rate * 500


def test_a_fill_that_is_known_as_booked_takes_little_memory() -> None:
    """At 500 symbols there are 50,000 of them: as keys of a dict they were most of what a session grew by after its second minute."""
    fills, cache = [fill(str(each), "a") for each in range(5000)], OrderCache()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for one in fills:
            cache.book(one)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not any(map(cache.is_stray, fills))
    assert (after - before) / len(fills) < 16, "bytes a fill"


def test_booked_fills_are_told_apart_by_venue_and_number_in_whatever_order_they_came() -> None:
    cache = OrderCache()
    for each in (7, 3, 9, 1):
        cache.book(fill(str(each), "a"))
    assert [each for each in range(12) if not cache.is_stray(fill(str(each), "a"))] == [1, 3, 7, 9]
    assert cache.is_stray(replace(fill("7", "a"), exchange="binance"))


def test_an_order_that_ended_wakes_who_waits_and_one_that_goes_on_is_waited_for_again() -> None:
    one = tracked("a")
    waited = one.ended
    assert not waited.is_set()
    one.end()
    assert waited.is_set()
    assert one.ended.is_set()
    assert one.claimed is None
    one.go_on()
    assert not one.ended.is_set()
