"""The exchange rate's book lies under a live session (a KRW-USDT book 1.5 % off for twelve seconds made 40 losing cycles)."""

from pathlib import Path

from arbtui.model.reason import Reason
from arbtui.sandbox.faults import WireFaultKind as K
from tests.faults.desk import desk, play

_FOUR = ("XRP", "SOL", "DOGE", "ADA")


def test_08_a_rate_that_is_too_dear_opens_nothing_and_is_told_as_a_breach(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, _FOUR, settings={"rates": {"clear_s": 1.0}}) as d:
            watch = d.engine.components.rate_watches[0]
            assert watch is not None
            await d.cycles(1)
            await d.until(lambda: not watch.needs_coins, "four coins are LIVE")
            d.fault("upbit", K.PRICE, symbol="KRW-USDT", factor=1.015, seconds=4.0)
            await d.until(lambda: watch.market.doubted, "the rate is doubted")
            opened = [d.engine.portfolio.state.tally.opened]
            await d.until(lambda: bool(d.breaches("RATE_DOUBTED")), "it is told")
            assert all(route.data_refusal(0.0) is not None for route in d.engine.components.universe.routes)
            (breach,) = d.breaches("RATE_DOUBTED")
            assert breach.scope == "rate"

            def believed() -> bool:
                if watch.market.doubted:
                    opened.append(d.engine.portfolio.state.tally.opened)
                return not watch.market.doubted

            await d.until(believed, "it is believed again")
            assert len(opened) > 10
            assert len(set(opened)) == 1
            await d.until(lambda: breach.id in d.engine.breaches.acknowledged, "the breach is over by itself")
            await d.cycles(1)
            await d.agree()

    play(main)


def test_a_coin_whose_wallet_closed_is_blocked_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, (*_FOUR, "TRX"), settings={"rates": {"clear_s": 0.5}, "risk": {"route": {"max_edge_bps": 1000.0}}}) as d:
            await d.cycles(1)
            d.fault("upbit", K.PRICE, symbol="KRW-XRP", factor=1.03, count=1_000_000)
            await d.until(lambda: bool(d.breaches("COIN_DOUBTED")), "it is told")
            assert [breach.scope for breach in d.breaches("COIN_DOUBTED")] == ["XRP"]
            now = d.engine.components.clock.monotonic()
            assert {route.data_refusal(now) for route in d.engine.components.universe.of_symbol("XRP")} == {Reason.COIN_DOUBTED}
            await d.cycles(1, symbol="SOL")
            assert not d.engine.components.rates.markets[0].doubted

    play(main)


def test_with_three_coins_the_jump_alone_blocks_and_the_header_says_what_is_missing(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"rates": {"jump_block_s": 1.0}}) as d:
            watch = d.engine.components.rate_watches[0]
            assert watch is not None
            await d.cycles(1)
            assert watch.needs_coins
            d.fault("upbit", K.PRICE, symbol="KRW-USDT", factor=0.99, seconds=2.0)
            await d.until(lambda: watch.market.doubted, "the jump is seen")
            assert "moved" in watch.why
            await d.until(lambda: not watch.market.doubted, "the time is over")
            await d.cycles(1)

    play(main)
