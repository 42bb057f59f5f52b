"""F78: keys that are changed at a venue while a session runs: no restart, and every order can still be cancelled."""

from pathlib import Path

import pytest

from arbtui.exchanges import refusal_watch, standing
from arbtui.model.order import Order
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.keys import Key
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import Desk, desk, play

NEW = Key("the-new-key-of-a-test", "the-new-secret-of-a-test")


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_watch, "_KEYS_EVERY_S", 0.5)
    monkeypatch.setattr(standing, "FIRST_PROBE_S", 0.5)


def known_keys(d: Desk, venue: str) -> dict[str, Key]:
    """The keys that the venue takes."""
    keys: dict[str, Key] = d.box.venues[venue]._auth.keys  # type: ignore[attr-defined]
    return keys


def put_there(venue: str, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``key`` where keys are found."""
    monkeypatch.setenv(f"ARBTUI_{venue.upper()}_KEY", key.key)
    monkeypatch.setenv(f"ARBTUI_{venue.upper()}_SECRET", key.secret)


async def cancel(d: Desk, venue: str, order: Order) -> None:
    """Cancel what rests there since before the keys were changed, and wait until it is at its end."""
    assert [one.client_order_id for one in d.box.cores[venue].open_orders()] == [order.client_order_id]
    await d.venues.adapters[venue].cancel(order.market.code, order.client_order_id)
    await d.until(lambda: order.state.is_final, "it is cancelled under the other key")
    assert d.box.cores[venue].open_orders() == ()


def in_use(d: Desk, venue: str) -> str:
    """The end of the key that requests go out under."""
    tail: str = d.venues.adapters[venue].client.in_use.tail  # type: ignore[attr-defined]
    return tail


@pytest.mark.parametrize("venue", VENUES)
def test_f78_a_key_that_is_replaced_while_an_order_rests_still_cancels_it(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            known = known_keys(d, venue)
            known.clear()
            known[NEW.key] = NEW
            await d.until(lambda: not d.health()[venue], "the venue refuses the old key")
            put_there(venue, NEW, monkeypatch)
            await d.until(lambda: in_use(d, venue) == f"...{NEW.key[-4:]}", "the new one is used")
            await cancel(d, venue, order)
            assert d.engine.state is TradingState.ARMED
            await d.healthy()
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f78_a_new_key_that_the_venue_refuses_is_not_used_and_the_old_one_goes_on(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            old = in_use(d, venue)
            known = known_keys(d, venue)
            before = dict(known)
            known.clear()
            await d.until(lambda: not d.health()[venue], "the venue refuses the old key")
            put_there(venue, NEW, monkeypatch)
            await d.until(lambda: f"the key ...{NEW.key[-4:]} is not used" in caplog.text, "the new one was tried")
            assert in_use(d, venue) == old
            known.update(before)
            await d.until(lambda: d.health()[venue], "the old key is taken again")
            await cancel(d, venue, order)
            await d.healthy()
            await d.agree()
            assert NEW.key not in caplog.text
            assert NEW.secret not in caplog.text

    play(main)
