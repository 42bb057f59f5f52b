"""The registry over the sandbox: rules, keys, and what may not be opened."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from arbtui.exchanges.config import VENUES, ExchangeConfig, UrlsConfig
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.model.clock import SystemClock
from arbtui.model.errors import UsageError, VenueFailed, VenueRefused
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from tests.exchanges.contract.venues import Keys, keys_of, run


def _configs(box: Sandbox) -> dict[str, ExchangeConfig]:
    return {name: ExchangeConfig(quote=VENUES[name].quote, urls=UrlsConfig(**box.urls[name])) for name in ("upbit", "binance")}


async def _open(box: Sandbox, keys: dict[str, Keys]) -> ExchangeRegistry:
    limits = {name: RateLimitManager(name, SystemClock()) for name in keys}
    return await ExchangeRegistry.open(_configs(box), keys, SystemClock(), limits, {})


def test_both_venues_rules_are_read_for_the_codes_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with sandbox(SandboxOptions(port=0, symbols=["BTC", "XRP", "SHIB"], state_dir=tmp_path)) as box:
            registry = await _open(box, {name: keys_of(name) for name in box.urls})
            try:
                codes = {"upbit": ["KRW-BTC", "KRW-XRP", "KRW-USDT", "KRW-NONE"], "binance": ["BTCUSDT", "XRPUSDT", "NONEUSDT"]}
                markets = await registry.connect(codes)
                assert {name: list(listed) for name, listed in markets.items()} == {
                    "upbit": ["KRW-BTC", "KRW-XRP", "KRW-USDT"],
                    "binance": ["BTCUSDT", "XRPUSDT"],
                }
                for name, listed in markets.items():
                    for code, market in listed.items():
                        truth = box.cores[name].markets[code]
                        rules = (market.lot_step, market.min_cost, market.fees.taker, market.fees.taken_in, market.base, market.quote)
                        assert rules == (truth.lot_step, truth.min_cost, truth.fees.taker, truth.fees.taken_in, truth.base, truth.quote)
                assert len((await registry.connect())["binance"]) == 3  # None: everything that is listed
            finally:
                await registry.close()

    run(main)


def test_a_key_that_can_withdraw_is_refused_with_exit_code_5(tmp_path: Path) -> None:
    async def main() -> None:
        thief = Key("thief", "thief-secret", can_withdraw=True)
        keys = {"upbit": Key("u", "u-secret"), "binance": thief}
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path, keys=keys)) as box:
            given = {name: Keys(SecretStr(key.key), SecretStr(key.secret)) for name, key in keys.items()}
            registry = await _open(box, given)
            try:
                with pytest.raises(VenueRefused, match="withdraw") as caught:
                    await registry.connect({"upbit": ["KRW-XRP"], "binance": ["XRPUSDT"]})
                assert caught.value.exit_code == 5
            finally:
                await registry.close()

    run(main)


def test_wrong_keys_are_refused_with_exit_code_5(tmp_path: Path) -> None:
    async def main() -> None:
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path)) as box:
            for wrong in ("upbit", "binance"):
                keys = {name: keys_of(name) for name in box.urls}
                keys[wrong] = Keys(SecretStr("nobody"), SecretStr("nothing" * 8))
                registry = await _open(box, keys)
                try:
                    with pytest.raises(VenueRefused) as caught:
                        await registry.connect({"upbit": ["KRW-XRP"], "binance": ["XRPUSDT"]})
                    assert caught.value.exit_code == 5
                    assert wrong in str(caught.value)
                finally:
                    await registry.close()

    run(main)


def test_a_venue_that_is_not_there_is_a_failure_and_not_an_empty_market(tmp_path: Path) -> None:
    async def main() -> None:
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path)) as box:
            registry = await _open(box, {name: keys_of(name) for name in box.urls})
            try:
                await box.fronts["upbit"].close()
                with pytest.raises(VenueFailed, match="upbit"):
                    await registry.connect({"upbit": ["KRW-XRP"], "binance": ["XRPUSDT"]})
            finally:
                await registry.close()

    run(main)


def test_a_venue_without_an_order_side_is_a_mistake_in_the_profile() -> None:
    venue = VENUES["binanceusdm"]
    config = ExchangeConfig(quote="USDT", urls=UrlsConfig(rest=venue.rest, stream=venue.stream, private=venue.private))
    with pytest.raises(UsageError, match=r"exchanges\.binanceusdm"):
        asyncio.run(ExchangeRegistry.open({"binanceusdm": config}, {}, SystemClock(), {}, {}))


def test_ccxt_is_loaded_by_opening_a_registry_and_not_by_importing_it() -> None:
    code = "import sys, arbtui.exchanges.registry; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
