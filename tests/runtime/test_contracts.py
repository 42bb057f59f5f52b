"""Before markets are paired, venues that publish contract addresses are asked for them; one that does not answer is warned of."""

import asyncio
import logging
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from arbtui.exchanges.assets import Quarantine
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.model.errors import VenueFailed
from arbtui.runtime.real_venues import _networks
from arbtui.runtime.tradable import tradable_symbols
from arbtui.settings.load import load_profile
from arbtui.settings.sign_offs import SignOffs


def _terms(contract: str) -> Networks:
    return {"XRP": [NetworkTerms("XRP", "ETH", deposits=True, withdrawals=True, contract=contract)]}


class _Adapter:
    """What is asked of an adapter here; counts the questions."""

    def __init__(self, *, publishes: bool, answer: Networks | Exception) -> None:
        self.capabilities = Capabilities(publishes_contracts=publishes)
        self.answer = answer
        self.asked: list[str] = []

    async def measure_clock(self) -> None:
        """A signed request needs the venue's time first."""
        self.asked.append("time")

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """One question about all assets."""
        self.asked.append(",".join(sorted(assets)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_only_venues_that_publish_them_are_asked_once_and_silence_is_no_contradiction(caplog: pytest.LogCaptureFixture) -> None:
    adapters = {
        "upbit": _Adapter(publishes=False, answer=_terms("0xa")),
        "binance": _Adapter(publishes=True, answer=_terms("0xb")),
        "okx": _Adapter(publishes=True, answer=VenueFailed("no answer")),
    }
    with caplog.at_level(logging.WARNING, "arbtui"):
        found = asyncio.run(_networks(cast(ExchangeRegistry, SimpleNamespace(adapters=adapters)), {"XRP", "BTC"}))
    assert found == {"binance": _terms("0xb")}
    assert [adapter.asked for adapter in adapters.values()] == [[], ["time", "BTC,XRP"], ["time", "BTC,XRP"]]
    assert [record.getMessage() for record in caplog.records] == ["okx: contract addresses are not compared with other venues': no answer"]


def test_a_symbol_with_two_contracts_is_not_traded_and_remembered_with_that_reason(home: Path, tmp_path: Path) -> None:
    settings = load_profile("upbit-binance", {"universe": {"symbols": 5}})
    listed = {"upbit": ["XRP", "BTC"], "binance": ["BTC", "XRP"]}
    differing = {"upbit": _terms("0xa"), "binance": _terms("0xb")}
    assert list(tradable_symbols(settings, tmp_path, listed, networks=differing)) == ["BTC"]
    assert [(one.symbol, one.reason) for one in SignOffs(tmp_path).quarantined()] == [("XRP", Quarantine.CONTRACT)]
    assert list(tradable_symbols(settings, tmp_path, listed, networks={"binance": _terms("0xb")})) == ["XRP", "BTC"]
