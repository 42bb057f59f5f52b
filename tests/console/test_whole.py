"""Enter on a line of Fills, Risk or Log: all of it."""

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.views import CycleLine, TradeLine
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint, screen_text

LONG = "SOL: sell leg rejected by BINANCE: INSUFFICIENT_BALANCE, completing within 20 bps; the venue said: " + "word " * 30 + "the end"


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_a_long_log_line_can_be_read_to_its_end(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.say("ERROR", LONG)
        await pilot.press("5")
        text = await repaint(app, pilot)
        assert "the end" not in text
        assert "⏎ read" in text
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "the end" in text
        assert "INSUFFICIENT_BALANCE" in text
        await pilot.press("escape")
        assert app.screen is app.main

    drive(steps, size)


def test_a_long_breach_can_be_read_to_its_end() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.now_ms += 1_000
        model.breach("CRIT", "RESIDUAL", "SOL", LONG)
        await pilot.press("3")
        text = await repaint(app, pilot)
        assert "the end" not in text
        assert "⏎ read" in text
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        for words in ("the end", "REDUCE", "not acknowledged yet", "a cycle left something"):
            assert words in text

    drive(steps)


def test_a_cycle_shows_both_its_legs() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("2", "j")
        assert "⏎ legs" in await repaint(app, pilot)
        row = app.main.fills.current
        assert row is not None
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        for words in (f"BUY {row.trades[0].exchange}", "at worst", "filled", "on average", "0.05 USDT", f"v-{row.id}-buy", row.state):
            assert words in text
        await pilot.press("j", "ctrl+k")
        assert model.kills == ["KEY"]

    drive(steps)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_a_cycle_in_which_nothing_filled_says_why(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        line = CycleLine("c0", model.now_ms, "SEI", "UPBIT→BINANCE", (), 0.0, 12.0, "UNWOUND", "IN_FLIGHT")
        model._cycles.appendleft(line)
        model.cycles_version += 1
        assert "UPBIT→BINANCE nothing filled: IN_FLIGHT" in await repaint(app, pilot)

    drive(steps, size)


UNDONE = (
    TradeLine("BINANCE", "buy", "SEI", "USDT", 46.7, 2.14),
    TradeLine("UPBIT", "sell", "SEI", "KRW", 20.0, 3030.0),
    TradeLine("BINANCE", "sell", "SEI", "USDT", 26.7, 2.1399),
)


@pytest.mark.parametrize(
    ("width", "shows"),
    [
        (76, "BUY BINANCE     46.70  SELL BINANCE+"),
        (118, "BUY BINANCE     46.70 @2.1400      → SELL BINANCE+@2.1399 "),
        (150, "BUY BINANCE     46.70 @2.1400      → SELL BINANCE+    26.70 @2.1399 "),
    ],
)
def test_a_side_that_filled_at_two_venues_is_marked(width: int, shows: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        line = CycleLine("c0", model.now_ms, "SEI", "BINANCE→UPBIT", UNDONE, -0.2, 12.0, "UNWOUND", "INSUFFICIENT_DEPTH")
        text = "".join(span for span, _ in app.main.fills.spans(line, width))
        assert shows in text
        inks = {span.strip(): ink for span, ink in app.main.fills.spans(line, width)}
        assert inks.get("26.70", "text") == "text"  # all that was bought was sold again
        if width == 150:
            assert "UNWOUND  also SELL UPBIT 20.00 SEI" in text

    drive(steps)


@pytest.mark.parametrize(("width", "shows"), [(76, "SELL UPBIT       71.39   "), (150, "SELL UPBIT       71.39 @1,400.0   ")])
def test_a_cycle_of_one_leg_that_sells_shows_what_it_sold_first(width: int, shows: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        sold = TradeLine("UPBIT", "sell", "USDT", "KRW", 71.39, 1400.0)
        line = CycleLine("c0", model.now_ms, "USDT", "UPBIT", (sold,), -0.05, 12.0, "HEDGED")
        spans = app.main.fills.spans(line, width)
        assert shows in "".join(span for span, _ in spans)
        assert "warn" not in {ink for _, ink in spans}  # no side is missing

    drive(steps)


def test_a_cycle_under_way_shows_only_what_has_filled() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        line = CycleLine("c0", model.now_ms, "SEI", "BINANCE→UPBIT", (), 0.0, 12.0, "OPEN")
        assert "BINANCE→UPBIT nothing filled yet" in "".join(span for span, _ in app.main.fills.spans(line, 100))
        line = CycleLine("c0", model.now_ms, "SEI", "BINANCE→UPBIT", UNDONE[:1], 0.0, 12.0, "OPEN")
        text = "".join(span for span, _ in app.main.fills.spans(line, 100))
        assert "BUY BINANCE     46.70  SELL -  " in text
        assert "UPBIT" not in text

    drive(steps)


def test_where_nothing_stands_enter_says_so() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("2", "enter")
        assert "nothing to open here: no fills yet" in await repaint(app, pilot)

    drive(steps, model=DemoModel())


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_how_journal_and_venues_compare_is_a_key_away_from_every_pane(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        for pane in ("1", "3", "7"):
            await pilot.press(pane, "c")
            await pilot.pause()
            text = screen_text(app)
            for words in (
                "Journal and venues",
                "compared within 12 s, 1 found",
                "UPBIT",
                "trades",
                "every 10 s, last 8 s ago, 106 done, 2 not",
            ):
                assert words in text
            if size[1] > 24:
                assert "that nobody had told" in text
            await pilot.press("escape")
            assert app.screen is app.main

    drive(steps, size)
