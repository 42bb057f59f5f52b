"""The figure: the same shapes as SVG and as PNG, and the rows' own values in them."""

import re
from xml.etree import ElementTree

import pytest

from arbtui.runtime.load_test.plot.drawing import Box, Dot, Drawing, Line, Shape, Text
from arbtui.runtime.load_test.plot.figure import BLUE, figure
from arbtui.runtime.load_test.plot.font import dots
from arbtui.runtime.load_test.plot.panel import Curve, Panel
from arbtui.runtime.load_test.plot.png import SCALE, png
from arbtui.runtime.load_test.plot.svg import svg
from arbtui.runtime.load_test.rows import Row
from tests.runtime.load_test.made import row
from tests.runtime.load_test.pixels import Pixels

RED, WHITE = "#ff0000", "#ffffff"


def words(text: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(text).iter() if element.tag.endswith("text")]


def test_the_figure_names_counts_and_exponents() -> None:
    told = words(svg(figure("a title", [row(10), row(1000)])))
    assert told[0] == "a title"
    assert {"10", "1000"} <= set(told)
    assert "engine  ~N^0.50" in told
    assert "offered  ~N^0.60" in told


def test_every_point_is_a_dot_in_both() -> None:
    drawing = figure("t", [row(10), row(50), row(1000)])
    marks = [shape for shape in drawing.shapes if isinstance(shape, Dot)]
    assert len(marks) == 3 * 9
    assert svg(drawing).count("<circle") == len(marks)
    painted = Pixels(png(drawing))
    last = marks[-1]
    assert painted.at(int(last.x * SCALE), int(last.y * SCALE)) == last.color


def test_more_is_higher_and_further_right() -> None:
    drawing = Drawing(400, 300, WHITE)
    Panel(50, 50, 300, 200, "t", [Curve("c", RED, [(10.0, 1.0), (100.0, 10.0), (1000.0, 100.0)])]).draw(drawing)
    marks = [shape for shape in drawing.shapes if isinstance(shape, Dot)]
    assert marks[0].x < marks[1].x < marks[2].x
    assert marks[0].y > marks[1].y > marks[2].y
    assert marks[2].x - marks[1].x == pytest.approx(marks[1].x - marks[0].x)
    assert all(50 <= mark.x <= 350 and 50 <= mark.y <= 250 for mark in marks)


@pytest.mark.parametrize("rows", [[], [row(10)], [row(10, summary=None)], [row(10, capacity=None), row(20)]], ids=len)
def test_any_number_of_rows_can_be_drawn(rows: list[Row]) -> None:
    drawing = figure("t", rows)
    ElementTree.fromstring(svg(drawing))
    assert not any("nan" in word for word in words(svg(drawing)))
    Pixels(png(drawing))


def test_one_row_has_no_exponent() -> None:
    assert not [word for word in words(svg(figure("t", [row(10)]))) if "~N" in word]


def test_a_value_of_nothing_has_no_point() -> None:
    drawing = figure("t", [row(10, simulator__rss_mb=0.0), row(20)])
    assert sum(isinstance(shape, Dot) for shape in drawing.shapes) == 2 * 9 - 1


def test_svg_escapes_text() -> None:
    drawing = Drawing(10, 10, WHITE, [Text(0, 0, "a<b & c", RED)])
    assert words(svg(drawing)) == ["a<b & c"]


class TestPng:
    def test_shapes_are_where_they_belong(self) -> None:
        shapes: list[Shape] = [Box(10, 10, 5, 5, RED), Line([(30, 5), (30, 45)], BLUE, 2.0), Dot(50, 25, 4, RED)]
        painted = Pixels(png(Drawing(60, 50, WHITE, shapes)))
        assert (painted.width, painted.height) == (60 * SCALE, 50 * SCALE)
        assert painted.at(12 * SCALE, 12 * SCALE) == RED
        assert painted.at(16 * SCALE, 12 * SCALE) == WHITE
        assert painted.at(30 * SCALE, 25 * SCALE) == BLUE
        assert painted.at(33 * SCALE, 25 * SCALE) == WHITE
        assert painted.at(50 * SCALE, 25 * SCALE) == RED
        assert painted.at(55 * SCALE, 25 * SCALE) == WHITE

    def test_a_slanted_line_is_whole(self) -> None:
        painted = Pixels(png(Drawing(50, 50, WHITE, [Line([(5, 5), (45, 25)], BLUE, 2.0)])))
        assert all(painted.at(x * SCALE, round((5 + (x - 5) / 2) * SCALE)) == BLUE for x in range(6, 45))

    def test_a_dashed_line_has_gaps(self) -> None:
        painted = Pixels(png(Drawing(50, 10, WHITE, [Line([(0, 5), (50, 5)], BLUE, 2.0, dashed=True)])))
        assert {painted.at(x, 5 * SCALE) for x in range(100)} >= {BLUE, WHITE}

    def test_what_lies_outside_is_cut_off(self) -> None:
        Pixels(png(Drawing(10, 10, WHITE, [Box(-5, -5, 50, 50, RED), Line([(-9, -9), (99, 99)], BLUE), Text(-20, 40, "abc", RED)])))

    def test_text_is_painted_in_its_place(self) -> None:
        painted = Pixels(png(Drawing(100, 20, WHITE, [Text(90, 15, "IT", RED, anchor="end")])))
        inked = [(x, y) for x in range(200) for y in range(40) if painted.at(x, y) == RED]
        assert max(x for x, _ in inked) == 90 * SCALE - 1
        assert (min(y for _, y in inked), max(y for _, y in inked)) == (15 * SCALE - 14, 15 * SCALE - 1)


def test_the_font_has_every_printable_character() -> None:
    shapes = {character: tuple(dots(character)) for character in map(chr, range(0x21, 0x7F))}
    assert all(shapes.values())
    assert len(set(shapes.values())) == len(shapes)
    assert dots(" ") == []
    assert dots("\u20a9") == dots("?")


def test_what_the_figure_writes_can_be_written_with_the_font() -> None:
    assert all(re.fullmatch(r"[ -~]*", word) for word in words(svg(figure("upbit-binance", [row(10), row(20)]))))
