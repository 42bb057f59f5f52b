"""A venue at which real orders were never proven takes none, whatever a profile says."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.venues import VENUES
from arbtui.model.clock import SystemClock
from arbtui.model.errors import UsageError
from arbtui.runtime.arming import refuse_real_orders
from arbtui.settings.load import load_profile
from tests.exchanges.scripted_venue import made_up_keys

#: Those at which real orders were proven (docs/real-orders.md); every other venue that can be traded at stays closed.
PROVEN = {"upbit", "binance"}
CLOSED = sorted(name for name, venue in VENUES.items() if venue.adapter is not None and name not in PROVEN)
PROFILE = "[exchanges.upbit]\nreal_orders = true\n[exchanges.binance]\nreal_orders = true\n"


@pytest.fixture
def unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", VENUES), "upbit", replace(VENUES["upbit"], is_proven=False))


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "desk.toml"
    path.write_text(PROFILE)
    return str(path)


def test_a_profile_opens_proven_venues(profile: str) -> None:
    assert load_profile(profile).exchanges["upbit"].real_orders


@pytest.mark.usefixtures("unproven")
def test_a_profile_that_opens_an_unproven_one_is_refused_with_a_sentence(profile: str) -> None:
    with pytest.raises(UsageError, match=r"exchanges\.upbit\.real_orders: real orders were never proven at upbit"):
        load_profile(profile)


@pytest.mark.parametrize("exchange", CLOSED)
def test_no_profile_and_no_settings_open_a_venue_without_a_proof_of_its_own(exchange: str, tmp_path: Path) -> None:
    partner = "binance" if VENUES[exchange].quote == "KRW" else "upbit"
    path = tmp_path / "desk.toml"
    path.write_text(f"[exchanges.{exchange}]\nreal_orders = true\n[exchanges.{partner}]\nreal_orders = true\n")
    with pytest.raises(UsageError, match=rf"exchanges\.{exchange}\.real_orders: real orders were never proven at {exchange}"):
        load_profile(str(path), {"mode": "live"})
    urls = VENUES[exchange].urls
    config = ExchangeConfig(
        quote=VENUES[exchange].quote, real_orders=True, urls=UrlsConfig(rest=urls.rest, stream=urls.stream, private=urls.private)
    )
    with pytest.raises(UsageError, match="never proven"):
        asyncio.run(ExchangeRegistry.open({exchange: config}, {exchange: made_up_keys()}, SystemClock(), {}, {}))
    path.write_text(path.read_text().replace("real_orders = true\n", "", 1))
    with pytest.raises(UsageError, match=rf"exchanges\.{exchange}\.urls leads to {urls.rest}, and its real_orders is false"):
        refuse_real_orders(load_profile(str(path), {"mode": "live"}))


def test_a_currency_that_was_never_proven_is_closed_at_a_proven_venue(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('[exchanges.upbit]\nreal_orders = true\n[exchanges.binance]\nquote = "USDC"\nreal_orders = true\n')
    with pytest.raises(UsageError, match=r"exchanges\.binance\.real_orders: real orders were never proven at binance in USDC"):
        load_profile(str(path), {"mode": "live"})
    urls = VENUES["binance"].urls
    config = ExchangeConfig(quote="USDC", real_orders=True, urls=UrlsConfig(rest=urls.rest, stream=urls.stream, private=urls.private))
    with pytest.raises(UsageError, match="never proven at binance in USDC"):
        asyncio.run(ExchangeRegistry.open({"binance": config}, {"binance": made_up_keys()}, SystemClock(), {}, {}))


def test_five_venues_are_closed() -> None:
    assert CLOSED == ["bitget", "bithumb", "bybit", "coinone", "okx"]
    assert {name for name, venue in VENUES.items() if venue.is_proven} == PROVEN


@pytest.mark.usefixtures("unproven")
def test_so_is_an_adapter_whatever_made_its_settings() -> None:
    urls = VENUES["upbit"].urls
    config = ExchangeConfig(quote="KRW", real_orders=True, urls=UrlsConfig(rest=urls.rest, stream=urls.stream, private=urls.private))
    with pytest.raises(UsageError, match="never proven"):
        asyncio.run(ExchangeRegistry.open({"upbit": config}, {"upbit": made_up_keys()}, SystemClock(), {}, {}))
