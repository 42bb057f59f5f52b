"""Numbers as an operator reads them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from arbtui.console import numbers
from arbtui.console.columns import COLUMNS, columns_for
from arbtui.console.ladder import WIDTH, ladder_lines
from arbtui.console.lines import width_of
from arbtui.console.panes.fills import FillsPane
from arbtui.console.panes.stock import StockPane
from arbtui.console.sparkline import sparkline
from arbtui.views import CycleLine, Ladder, Level, RouteRow, StockCell, StockRow, TradeLine
from tests.console.demo import DemoModel, demo_app


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (numbers.price(201_300.0), "201,300"),
        (numbers.price(712.0), "712.00"),
        (numbers.price(0.5156), "0.515600"),
        (numbers.price(0), "-"),
        (numbers.price(math.nan), "-"),
        (numbers.quantity(1_250), "1,250.0"),
        (numbers.quantity(0.02883), "0.02883"),
        (numbers.price(150_000_000.0, 11), "150,000,000"),
        (numbers.price(150_000_000.0, 10), "150.00M"),
        (numbers.price(0.00000812, 11), "0.00000812"),
        (numbers.price(0.0000243), "0.00002430"),
        (numbers.price(8.1234e-7, 11), "0.000000812"),
        (numbers.price(8.1234e-7, 8), "8.12e-07"),
        (numbers.quantity(1_234_567_890.0, 10), "1,234.57M"),
        (numbers.quantity(1_234_567_890.0), "1,234,567,890"),
        (numbers.quantity(0.00012345, 10), "0.00012345"),
        (numbers.quantity(12_345_678.0, 9), "12.35M"),
        (numbers.signed(1_234_567.89, 2, 8), "+1,235k"),
        (numbers.signed(-123_456.7, 1, 7), "-123.5k"),
        (numbers.short(1_500_000_000.0), "1.5B"),
        (numbers.short(40_000), "40k"),
        (numbers.short(1_100), "1.1k"),
        (numbers.short(88), "88"),
        (numbers.signed(1_284.2), "+1,284.20"),
        (numbers.signed(-0.004), "0.00"),
        (numbers.signed(math.nan), "-"),
        (numbers.age(40), "40ms"),
        (numbers.age(2_400), "2.4s"),
        (numbers.age(59_999), "60s"),
        (numbers.age(600_000), "10m"),
        (numbers.age(math.inf), "-"),
        (numbers.duration(22_364), "06:12:44"),
        (numbers.clock(1_767_258_845_812), "09:14:05.812"),
        (numbers.fit("비트코인", 6), "비트 …"),
        (numbers.fit("a\x1b[2J", 12), "a\\u001b[2J  "),
        (numbers.fit_right("123456", 4), "####"),
        (sparkline([0, 1, 2, 4], 6), "  ▁▂▄█"),
        (sparkline([], 3), "   "),
    ],
)
def test_formats(got: str, wanted: str) -> None:
    assert got == wanted


@given(st.text(max_size=30), st.integers(0, 20))
def test_texts_fill_their_cells_exactly(text: str, width: int) -> None:
    assert cell_len(numbers.fit(text, width)) == width


@given(st.floats(), st.floats(), st.floats(), st.integers(0, 10**7))
def test_cells_have_their_column_s_width(px: float, edge: float, age: float, fills: int) -> None:
    row = RouteRow("r", "X", ("UPBIT", "BINANCE"), (px, px), edge, edge, px, px, age, fills, "READY")
    for column in COLUMNS:
        assert len(column.cell(row)[0]) == column.width


@given(st.floats(1e-9, 1e13), st.integers(8, 13))
def test_a_number_fits_and_is_never_far_off(value: float, width: int) -> None:
    for text in (numbers.price(value, width), numbers.quantity(value, width), numbers.signed(value, 1, width) if value > 100 else "1"):
        assert len(text) <= width
        assert "#" not in text
    for text in (numbers.price(value, width), numbers.quantity(value, width)):
        unit = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1.0)
        assert float(text.rstrip("kMBT").replace(",", "")) * unit == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(("px", "qty"), [(150_000_000.0, 0.00012345), (0.00000812, 1_234_567_890.0), (99_999_999.0, 99_999_999_999.0)])
def test_no_column_of_the_routes_overflows_with_the_prices_of_won_or_of_a_small_coin(px: float, qty: float) -> None:
    row = RouteRow("r", "X", ("UPBIT", "BINANCE"), (px, px), 123_456.7, -1_234_567.8, qty, qty, 3e8, 10**7, "READY")
    cells = {column.key: column.cell(row)[0] for column in COLUMNS}
    assert not [cell for cell in cells.values() if "#" in cell]
    assert float(cells["buypx"].replace(",", "")) == px


WIDE = [(150_000_000.0, 0.00012345), (0.00000812, 1_234_567_890.0), (99_999_999.0, 99_999_999_999.0), (0.00002134, 0.00101)]
"""Prices and quantities of BTC in won, of SHIB and PEPE in dollars, of a cross market."""


@pytest.mark.parametrize(("px", "qty"), WIDE)
def test_a_ladder_shows_every_price_and_quantity(px: float, qty: float) -> None:
    asks, bids = [Level(px * 1.0001, qty, qty)], [Level(px, qty)]
    book = Ladder("BINANCE", "KRW", "sell", asks, bids, px, 12_345.6, 224.0, "LIVE", "BTC")
    lines = ["".join(text for text, _ in line) for line in ladder_lines(book, 3)]
    assert {len(line) for line in lines} == {WIDTH}
    assert "#" not in "".join(lines)
    middle = next(line for line in lines if " bp " in line)
    assert float(middle.strip("─ ").split()[0].replace(",", "")) == px
    assert lines[0].split()[:3] == ["SELL", "BINANCE", "BTC/KRW"]


@pytest.mark.parametrize(("px", "qty"), WIDE)
@pytest.mark.parametrize("width", [78, 104, 158])
def test_the_blotter_and_the_stock_show_every_number(px: float, qty: float, width: int) -> None:
    inks = demo_app(DemoModel())._inks
    trades = (TradeLine("BINANCE", "buy", "PEPE", "KRW", qty, px), TradeLine("UPBIT", "sell", "PEPE", "KRW", qty, px))
    cycle = CycleLine("c", 0, "PEPE", "BINANCE→UPBIT", trades, -123_456_789.12, 3_600_000.0, "HEDGED")
    line = FillsPane(inks, DemoModel()).spans(cycle, width)
    cell = StockCell("UPBIT", qty, qty, 0.0, 0.0, qty, 1.0, coming=qty)
    row = StockPane(inks, DemoModel()).spans(StockRow("KRW", (cell,), 160_027_325_123.0), width)
    assert not [text for text, _ in (*line, *row) if "#" in text]
    assert width_of(line) <= width
    assert not re.search(r"\d[→▲▼]", "".join(text for text, _ in line))


@pytest.mark.parametrize("width", [78, 104, 158])
def test_states_stand_in_one_column_whatever_filled(width: int) -> None:
    bought, sold = TradeLine("BINANCE", "buy", "XRP", "USDT", 10.0, 2.5), TradeLine("UPBIT", "sell", "XRP", "KRW", 10.0, 3_300.0)
    both, alone = "BINANCE→UPBIT", "UPBIT"
    pane = FillsPane(demo_app(DemoModel())._inks, DemoModel())
    places = set()
    for planned, trades, state in (
        (both, (bought, sold), "HEDGED"),
        (alone, (sold,), "HEDGED"),
        (both, (), "ABANDONED"),
        (both, (sold,), "OPEN"),
    ):
        cycle = CycleLine("c", 0, "XRP", planned, trades, 0.2, 30.0, state, "" if state == "HEDGED" else "INSUFFICIENT_DEPTH")
        text = "".join(words for words, _ in pane.spans(cycle, width))
        places.add(text.index(state))
        assert len(text) <= width
    assert len(places) == 1


@pytest.mark.parametrize("width", [78, 104, 158])
@pytest.mark.parametrize("state", ["OPEN", "MISSED", "ABANDONED", "RESIDUAL"])
def test_the_blotter_shows_the_whole_state_of_a_cycle_without_trades(state: str, width: int) -> None:
    cycle = CycleLine("c", 0, "1000SATS", "COINONE→BINANCE", (), 0.0, 3.0, state, "buy DECISION_AGE, sell DECISION_AGE")
    line = FillsPane(demo_app(DemoModel())._inks, DemoModel()).spans(cycle, width)
    assert "".join(text for text, _ in line).split()[-1] == state
    assert width_of(line) <= width


@pytest.mark.parametrize(
    ("exchange", "base", "quote", "age_ms", "head"),
    [
        ("UPBIT", "XRP", "BTC", 40.0, " BUY UPBIT XRP/BTC     40ms"),
        ("BINANCE", "DOGE", "USDT", 224.0, "BUY BINANCE DOGE/USDT 224ms"),
        ("BITHUMB", "1000SATS", "USDT", 40.0, "BUY BITHUMB 1000SATS/… 40ms"),
        ("COINONE", "DOGE", "KRW", 1e9, " BUY COINONE DOGE/KRW  278h"),
    ],
)
def test_a_ladder_names_its_market_and_its_age(exchange: str, base: str, quote: str, age_ms: float, head: str) -> None:
    book = Ladder(exchange, quote, "buy", [], [], 0.0, 0.0, age_ms, "LIVE", base)
    assert "".join(text for text, _ in ladder_lines(book, 1)[0]) == head


@pytest.mark.parametrize("width", range(40, 260, 7))
def test_columns_fit_and_the_important_ones_stay(width: int) -> None:
    columns, gap = columns_for(width)
    assert sum(column.width for column in columns) + gap * (len(columns) - 1) <= width
    assert {"sym", "net", "state"} <= {column.key for column in columns}


def test_of_routes_of_several_shapes_a_narrow_row_says_which_it_is_and_shows_no_prices_of_different_things() -> None:
    assert "shape" not in {column.key for column in columns_for(78)[0]}
    columns, _ = columns_for(78, has_shapes=True)
    assert "shape" in {column.key for column in columns}
    multi = RouteRow("r", "X", ("A", "B", "C"), (98_000.0, 0.002, 172.0), 1.0, 1.0, shape="multi_hop")
    split = RouteRow("r", "X", ("A", "B", "C"), (172.0, 173.0, 173.5), 1.0, 1.0, shape="split_leg")
    shown = {column.key: [column.text(row) for row in (multi, split)] for column in COLUMNS}
    assert shown["buypx"] == ["-", "172.00"]
    assert shown["sellpx"] == ["-", "173.50"]
