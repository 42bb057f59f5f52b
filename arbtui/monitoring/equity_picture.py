"""The picture that goes with ``/pnl``: equity, and below it what trading has earned, over the last day of the run.

Drawn by Pillow, which is loaded only where somebody may ask for a picture. Pure: what it draws is what it is given.
"""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arbtui.views.equity import EquityPoint
from arbtui.views.numbers import signed

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIZE = (900, 620)  #: pixels: twice what a phone held upright shows across, so that it is sharp
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 130, 24, 90, 34, 60
_EQUITY_SHARE = 0.62  #: of the height that both charts have together
_BACKGROUND, _GRID, _TEXT, _TITLE, _EQUITY, _TRADING = "#12161c", "#2a323d", "#9aa7b8", "#e6edf3", "#4aa3ff", "#f0b44c"
_STEPS, _TIME_STEPS_S = 4, (60, 300, 600, 1800, 3600, 7200, 14_400, 21_600)


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float


def load() -> None:
    """Load what drawing takes, which holds a loop up for some 60 ms: called where nothing waits for that yet."""
    from PIL import Image, ImageFont

    Image.preinit()
    ImageFont.load_default(18)


def draw_equity(points: Sequence[EquityPoint], currency: str, title: str, time_of: Callable[[int], datetime]) -> bytes:
    """A PNG.

    Args:
        points: oldest first, at least two at different times.
        currency: of all amounts.
        title: whose they are.
        time_of: the desk's time at a moment in ms.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", SIZE, _BACKGROUND)
    draw, font, large = ImageDraw.Draw(image), ImageFont.load_default(18), ImageFont.load_default(22)
    width, height = SIZE
    room = height - _TOP - _BOTTOM - _GAP
    upper = _Box(_LEFT, _TOP, width - _RIGHT, _TOP + room * _EQUITY_SHARE)
    lower = _Box(_LEFT, upper.bottom + _GAP, width - _RIGHT, height - _BOTTOM)
    first, last = points[0], points[-1]
    draw.text((16, 10), f"{_plain(title)}   {time_of(last.ts_ms):%Y-%m-%d %H:%M %Z}", fill=_TITLE, font=large)
    change = signed(last.equity - first.equity)
    draw.text(
        (16, upper.top - 36), f"equity {last.equity:,.2f} {currency}   {change} since {time_of(first.ts_ms):%m-%d %H:%M}", _EQUITY, font
    )
    draw.text((16, lower.top - 36), f"trading, net of fees, this run {signed(last.trading)} {currency}", _TRADING, font)
    for ts_ms in _moments(first.ts_ms, last.ts_ms, time_of):
        x = _across(lower, ts_ms, first.ts_ms, last.ts_ms)
        for box in (upper, lower):
            draw.line((x, box.top, x, box.bottom), fill=_GRID)
        draw.text((x, height - _BOTTOM + 6), f"{time_of(ts_ms):%H:%M}", fill=_TEXT, font=font, anchor="ma")
    _chart(draw, upper, [(one.ts_ms, one.equity) for one in points], _EQUITY, font)
    _chart(draw, lower, [(one.ts_ms, one.trading) for one in points], _TRADING, font)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _chart(draw: "ImageDraw", box: _Box, series: Sequence[tuple[int, float]], ink: str, font: Any) -> None:
    """One line over its grid."""
    low, high, step = _scale([value for _, value in series])
    decimals = max(0, -math.floor(math.log10(step)))
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        y = box.bottom - (value - low) / (high - low) * (box.bottom - box.top)
        draw.line((box.left, y, box.right, y), fill=_GRID)
        draw.text((box.left - 10, y), f"{value:,.{decimals}f}", fill=_TEXT, font=font, anchor="rm")
    begins, ends = series[0][0], series[-1][0]
    line = [
        (_across(box, ts_ms, begins, ends), box.bottom - (value - low) / (high - low) * (box.bottom - box.top)) for ts_ms, value in series
    ]
    draw.line(line, fill=ink, width=3)


def _across(box: _Box, ts_ms: int, begins: int, ends: int) -> float:
    return box.left + (ts_ms - begins) / (ends - begins) * (box.right - box.left)


def _scale(values: Sequence[float]) -> tuple[float, float, float]:
    """Least and greatest value of an axis that holds ``values``, and its step: 1, 2 or 5 times a power of ten."""
    low, high = min(values), max(values)
    span = max(high - low, abs(high) * 1e-6, 0.01)
    rough = span / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return (low, high, step) if high > low else (low - step, low + step, step)


def _moments(begins: int, ends: int, time_of: Callable[[int], datetime]) -> list[int]:
    """Round moments of the desk's clock from ``begins`` to ``ends``, at most eight, in ms."""
    step = next((s for s in _TIME_STEPS_S if (ends - begins) / 1000 / s <= 8), _TIME_STEPS_S[-1]) * 1000
    offset = time_of(begins).utcoffset()
    ahead = 0 if offset is None else round(offset.total_seconds() * 1000)
    first = -((begins + ahead) // -step) * step - ahead
    return list(range(first, ends + 1, step))


def _plain(text: str) -> str:
    """Letters that the font has; a question mark for each other one."""
    return text.encode("latin-1", "replace").decode("latin-1")
