"""The picture of equity: a PNG of what it is given; Pillow is loaded only where somebody may ask for one."""

import io
import math
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from PIL import Image

from arbtui.monitoring.equity_picture import SIZE, _moments, _scale, draw_equity
from arbtui.portfolio.config import DeskConfig
from arbtui.views.equity import EquityPoint

BEGAN = int(datetime(2026, 11, 30, 3, 17, tzinfo=UTC).timestamp() * 1000)
SEOUL, LONDON = DeskConfig(timezone="Asia/Seoul"), DeskConfig(timezone="Europe/London")


def points(count: int, rise: float = 1.0) -> list[EquityPoint]:
    return [EquityPoint(BEGAN + 60_000 * n, 141_000 + rise * n, rise * n / 2) for n in range(count)]


def drawn(course: list[EquityPoint], title: str = "upbit-binance SIM") -> Image.Image:
    image = Image.open(io.BytesIO(draw_equity(course, "USDT", title, SEOUL.time_of)))
    image.load()
    return image


def line_at(image: Image.Image, x: int) -> float:
    """The middle of the equity line's pixels in column ``x``."""
    found = [y for y in range(image.height) if image.getpixel((x, y)) == (0x4A, 0xA3, 0xFF)]
    assert found, f"no line at {x}"
    return sum(found) / len(found)


@pytest.mark.parametrize("count", [2, 60, 1441])
def test_it_is_a_png_whose_line_goes_where_equity_went(count: int) -> None:
    rising, falling = drawn(points(count)), drawn(points(count, -1.0))
    assert (rising.format, rising.size) == ("PNG", SIZE)
    assert line_at(rising, 200) > line_at(rising, 800)  # pixels count downwards
    assert line_at(falling, 200) < line_at(falling, 800)


@pytest.mark.parametrize("value", [0.0, 141_000.0, -3.5, 1e-9])
def test_what_never_moved_is_a_level_line(value: float) -> None:
    course = [EquityPoint(BEGAN + 60_000 * n, value, 0.0) for n in range(5)]
    image = drawn(course)
    assert line_at(image, 200) == line_at(image, 800)


def test_a_name_that_the_font_lacks_is_drawn_all_the_same() -> None:
    assert drawn(points(3), "김치 프리미엄").size == SIZE


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (140_523.1, 141_777.9), (-3.0, 7.0), (5.0, 5.0), (-1e-12, 1e-12), (1e12, 1e12 + 1)])
def test_an_axis_holds_its_values_in_a_few_round_steps(low: float, high: float) -> None:
    least, most, step = _scale([low, high])
    assert least <= low <= high <= most
    assert 1 <= round((most - least) / step) <= 6
    power = 10.0 ** math.floor(math.log10(step))
    assert round(step / power, 6) in (1, 2, 5, 10)


def test_times_are_round_ones_of_the_desks_clock() -> None:
    told = [f"{SEOUL.time_of(ts):%H:%M}" for ts in _moments(BEGAN, BEGAN + 86_400_000, SEOUL.time_of)]
    assert told == ["16:00", "20:00", "00:00", "04:00", "08:00", "12:00"]
    assert next(f"{LONDON.time_of(ts):%H:%M}" for ts in _moments(BEGAN, BEGAN + 240_000, LONDON.time_of)) == "03:17"


def test_pillow_is_not_loaded_with_the_module() -> None:
    program = "import sys, arbtui.runtime.operator_notifications; print(any(name.split('.')[0] == 'PIL' for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
