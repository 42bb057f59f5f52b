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
from arbtui.settings.load import load_profile
from tests.exchanges.scripted_venue import made_up_keys

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


@pytest.mark.usefixtures("unproven")
def test_so_is_an_adapter_whatever_made_its_settings() -> None:
    urls = VENUES["upbit"].urls
    config = ExchangeConfig(quote="KRW", real_orders=True, urls=UrlsConfig(rest=urls.rest, stream=urls.stream, private=urls.private))
    with pytest.raises(UsageError, match="never proven"):
        asyncio.run(ExchangeRegistry.open({"upbit": config}, {"upbit": made_up_keys()}, SystemClock(), {}, {}))
