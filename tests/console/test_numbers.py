"""Numbers as an operator reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from arbtui.console import numbers
from arbtui.console.columns import COLUMNS, columns_for
from arbtui.console.sparkline import sparkline
from arbtui.views import RouteRow


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
