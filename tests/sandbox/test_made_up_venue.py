"""A third venue plays and opens a door with nothing but its own two packages: no shared code names a venue."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from statistics import pstdev

import aiohttp
import pytest

import arbtui.sandbox
import arbtui.simulation
from arbtui.cli.sandbox import _start_text
from arbtui.exchanges.feed import Frame
from arbtui.model.errors import UsageError
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.sandbox import SandboxOptions, sandbox
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.played_venue import played_venue
from tests.simulation.market_worlds import Batch, play

HERE = Path(__file__).parent / "made_up"
THREE = ["upbit", "lunar", "binance"]


@pytest.fixture(autouse=True)
def _beside_the_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, folder in ((arbtui.simulation, "simulation"), (arbtui.sandbox, "sandbox")):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(HERE / folder)])


def test_it_is_played_beside_the_others_with_a_basis_and_a_rate_of_its_own() -> None:
    mids: dict[str, list[float]] = defaultdict(list)
    places = {"upbit": "KRW-XRP", "lunar": "XRP_KRW", "binance": "XRPUSDT"}

    def look(sim: MarketSimulator, _: Batch) -> None:
        for name, code in {**places, "rate at upbit": "KRW-USDT", "rate at lunar": "USDT_KRW"}.items():
            book = sim.book(name.removeprefix("rate at "), code)
            mids[name].append((next(book.bids())[0] + next(book.asks())[0]) / 2)

    sim = play(["XRP", "BTC"], 120, look, venues=THREE)
    assert list(sim.markets) == ["upbit", "lunar", "binance"]
    won = [1e4 * (lunar / upbit - 1.0) for lunar, upbit in zip(mids["lunar"], mids["upbit"], strict=True)]
    assert max(won) > 15.0
    assert min(won) < -15.0, "won against won clears its costs both ways"
    rates = [1e4 * (lunar / upbit - 1.0) for lunar, upbit in zip(mids["rate at lunar"], mids["rate at upbit"], strict=True)]
    assert 0.1 < pstdev(rates) < 10.0


def test_what_it_saved_goes_on_and_what_others_saved_is_kept() -> None:
    sim = play(["XRP"], 10, lambda *_: None, venues=THREE)
    state = json.loads(json.dumps(sim.state()))
    again = play(["XRP"], 0.02, lambda *_: None, venues=["lunar", "binance"], state=state)
    after = again.state()
    assert after["markets"]["upbit"] == state["markets"]["upbit"]
    assert after["markets"]["lunar"]["XRP"][0] >= state["markets"]["lunar"]["XRP"][0]
    assert after["generation"] == 1


def test_a_crash_troubles_it_too_and_won_venues_alone_can_be_played() -> None:
    frames: list[Frame] = []
    sim = play(["XRP", "BTC"], 400, lambda _, batch: frames.extend(batch), venues=["upbit", "lunar"], scenario="crash")
    assert sim.troubles is not None
    assert {incident.exchange for incident in sim.troubles.history} == {"upbit", "lunar"}
    assert {frame.exchange for frame in frames} == {"upbit", "lunar"}


def test_it_has_a_door_with_its_own_key_urls_and_ids(tmp_path: Path) -> None:
    async def main() -> None:
        async with sandbox(SandboxOptions(port=0, symbols=["XRP"], venues=THREE, state_dir=tmp_path)) as box:
            assert list(box.urls) == THREE
            text = _start_text(box, None, None)
            assert "ARBTUI_LUNAR_PASSPHRASE=sandbox-lunar-passphrase" in text
            assert "ARBTUI_UPBIT_PASSPHRASE" not in text
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(box.urls["lunar"]["stream"]) as socket:
                    await socket.send_str("all")
                    assert json.loads((await socket.receive(30)).data).get("t")
                ask = next(box.simulator.book("lunar", "XRP_KRW").asks())[0]
                order = {"id": "one", "code": "XRP_KRW", "qty": "10", "price": str(round(ask * 1.05, -1))}
                url = box.urls["lunar"]["rest"] + "/buy"
                async with session.get(url, params=order) as refused:
                    assert refused.status == 401
                async with session.get(url, params=order, headers={"Passphrase": box.keys["lunar"].passphrase}) as answer:
                    placed = await answer.json()
            assert placed["filled"] == "10"
            assert {exchange for exchange, trade in box.trades() if trade.startswith("lunar-")} == {"lunar"}
            for kind in (WireFaultKind.SHUTDOWN, WireFaultKind.FEE_COIN, WireFaultKind.OLD_DEPTH):
                with pytest.raises(UsageError, match="lunar"):
                    box.fault(WireFault("lunar", kind))
            await box.transfer("XRP", "lunar", "binance", "5", minutes=0)

    asyncio.run(main())


def test_a_venue_that_nobody_plays_is_named_with_those_that_are() -> None:
    for name in ("mars", "assets", "os.path"):
        with pytest.raises(UsageError, match=f"not {name}"):
            played_venue(name)
