"""The registry over the sandbox: rules, keys, and what may not be opened."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.config import ExchangeConfig, HealthConfig, UrlsConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.venues import VENUES, documented_limits
from arbtui.model.clock import SystemClock
from arbtui.model.errors import UsageError, VenueFailed, VenueRefused
from arbtui.model.order import Balance
from arbtui.sandbox.binance.venue import BinanceVenue
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from tests.exchanges.contract.venues import holder_of, keys_of, run


def _configs(box: Sandbox) -> dict[str, ExchangeConfig]:
    return {name: ExchangeConfig(quote=VENUES[name].quote, urls=UrlsConfig(**box.urls[name])) for name in ("upbit", "binance")}


async def _open(box: Sandbox, keys: dict[str, VenueKeyHolder]) -> ExchangeRegistry:
    limits = {name: RateLimitManager(name, SystemClock(), documented_limits(name)) for name in keys}
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
                everything = (await registry.connect())["binance"]
                assert set(everything) == {"BTCUSDT", "XRPUSDT", "SHIBUSDT", "BNBUSDT"}  # BNB pays Binance's fees
            finally:
                await registry.close()

    run(main)


def test_a_key_that_can_withdraw_is_refused_with_exit_code_5(tmp_path: Path) -> None:
    async def main() -> None:
        thief = Key("thief", "thief-secret", can_withdraw=True)
        keys = {"upbit": Key("u", "u-secret"), "binance": thief}
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path, keys=keys)) as box:
            given = {name: holder_of(key) for name, key in keys.items()}
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
                keys[wrong] = holder_of(Key("nobody", "nothing" * 8))
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
    urls = VENUES["binanceusdm"].urls
    config = ExchangeConfig(quote="USDT", urls=UrlsConfig(rest=urls.rest, stream=urls.stream, private=urls.private))
    with pytest.raises(UsageError, match=r"exchanges\.binanceusdm"):
        asyncio.run(ExchangeRegistry.open({"binanceusdm": config}, {}, SystemClock(), {}, {}))


def test_ccxt_is_loaded_by_opening_a_registry_and_not_by_importing_it() -> None:
    code = "import sys, arbtui.exchanges.registry; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_of_ccxt_no_more_is_loaded_than_the_venues_need_and_the_rest_is_there_for_who_asks() -> None:
    code = """
import sys
from arbtui.exchanges.ccxt_packages import ccxt_pro

pro = ccxt_pro()
for name in ("upbit", "binance"):
    assert getattr(pro, name).__mro__[1] is getattr(sys.modules["ccxt.async_support"], name), name
import ccxt.async_support

assert issubclass(pro.binance, ccxt.async_support.Exchange)
assert pro.NotSupported is ccxt.NotSupported and issubclass(ccxt.NotSupported, ccxt.BaseError)
assert not [name for name in sys.modules if name.rpartition(".")[2] in ("kraken", "okx")]
assert ccxt.kraken.__name__ == "kraken"
assert not hasattr(pro, "no_exchange_of_this_name")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Deaf(AccountEvents):
    """Nobody who listens."""

    def on_order(self, report: OrderReport) -> None: ...

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None: ...

    def on_reconnected(self, exchange: str) -> None: ...

    def on_disconnected(self, exchange: str) -> None: ...


class Heard(logging.Handler):
    """Waits for the word on new keys."""

    def __init__(self) -> None:
        super().__init__()
        self.decided = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "from now on" in record.getMessage() or "is not used" in record.getMessage():
            self.decided.set()


@pytest.mark.parametrize(("second_may_withdraw", "taken"), [(False, "second"), (True, "first")])
def test_refused_keys_are_replaced_by_the_operators_new_ones_unless_those_may_withdraw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, second_may_withdraw: bool, taken: str
) -> None:
    monkeypatch.setattr("arbtui.exchanges.refusal_watch._KEYS_EVERY_S", 0.05)

    async def main() -> None:
        first, second = (
            Key("first-of-two-keys", "first-secret"),
            Key("second-of-two-keys", "second-secret", can_withdraw=second_may_withdraw),
        )
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path, keys={"binance": first, "upbit": first})) as box:
            config = {"binance": _configs(box)["binance"]}
            registry = await ExchangeRegistry.open(config, {"binance": holder_of(first, second)}, SystemClock(), {}, {})
            adapter = registry.adapters["binance"]
            heard = Heard()
            logging.getLogger("arbtui").addHandler(heard)
            task = asyncio.create_task(adapter.run(Deaf()))
            try:
                await registry.connect({"binance": ["XRPUSDT"]})
                known = box.door(BinanceVenue)._auth.keys
                known.clear()
                known[second.key] = second
                with pytest.raises(VenueRefused):
                    await adapter.fetch_balances()
                async with asyncio.timeout(30):
                    await heard.decided.wait()
                if taken == "second":
                    assert await adapter.fetch_balances()
                else:
                    with pytest.raises(VenueRefused):
                        await adapter.fetch_balances()
                    assert "withdraw" in caplog.text
            finally:
                logging.getLogger("arbtui").removeHandler(heard)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await registry.close()

    run(main)


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_pings_tell_the_venues_health_without_an_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: str) -> None:
    monkeypatch.setattr("arbtui.exchanges.ccxt_adapter._PING_EVERY_S", 0.02)

    class Told(ExchangeHealthMonitor):
        def __init__(self) -> None:
            super().__init__(exchange, SystemClock(), HealthConfig())
            self.answers: asyncio.Queue[bool] = asyncio.Queue()

        def on_answer(self, ok: bool, ms: float, *, poll: bool = False) -> None:
            super().on_answer(ok, ms, poll=poll)
            self.answers.put_nowait(ok)

    async def main() -> None:
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], state_dir=tmp_path)) as box:
            health = Told()
            config = {exchange: _configs(box)[exchange]}
            registry = await ExchangeRegistry.open(config, {exchange: keys_of(exchange)}, SystemClock(), {}, {exchange: health})
            task = asyncio.create_task(registry.adapters[exchange].run(Deaf()))
            try:
                assert await health.answers.get()
                box.fault(WireFault(venue=exchange, kind=WireFaultKind.CRASH, seconds=60.0))
                while await health.answers.get():
                    pass  # until the venue is seen to be gone
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await registry.close()

    run(main)
