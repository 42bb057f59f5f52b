"""Paints the main screen slice by slice, so that the engine never waits for a whole frame."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from textual.app import App

from arbtui.console.frame import SLICES, FrameRate
from arbtui.console.freeze import Freeze
from arbtui.console.grid import Grid
from arbtui.console.keys import KeyNames
from arbtui.console.lines import Lines, is_seen
from arbtui.console.panes.detail import EVERY_S as DETAIL_EVERY_S
from arbtui.console.panes.detail import DetailPane
from arbtui.console.panes.fills import FillsPane
from arbtui.console.panes.filter_bar import FilterBar
from arbtui.console.panes.flash import Flash
from arbtui.console.panes.footer import Footer
from arbtui.console.panes.header import HALTED_STATES, Header
from arbtui.console.panes.log import LogPane
from arbtui.console.panes.risk import RiskPane
from arbtui.console.panes.routes import RoutesPane
from arbtui.console.panes.stock import StockPane
from arbtui.console.panes.system import SystemPane
from arbtui.console.panes.tabs import Tabs
from arbtui.console.panes.too_small import TooSmall
from arbtui.views import HeaderView, ReadModel

HEADER_EVERY_S = 0.25
"""Ages in the header change four times a second, which is readable. A change of state shows at once."""

GAUGES_EVERY_S = 1.0


class Panes(Protocol):
    """The main screen, as the painter uses it."""

    header: Header
    tabs: Tabs
    routes: RoutesPane
    fills: FillsPane
    risk: RiskPane
    system: SystemPane
    log_pane: LogPane
    detail: DetailPane
    stock: StockPane
    flash: Flash
    footer: Footer
    too_small: TooSmall
    filter_bar: FilterBar
    freeze: Freeze

    @property
    def app(self) -> App[Any]:
        """The app, for its bell."""
        ...

    @property
    def active(self) -> str:
        """The active pane."""
        ...

    def painted(self) -> Iterable[Lines | Grid[Any]]:
        """All widgets with cached lines."""
        ...

    def close_outlived(self, header: HeaderView) -> None:
        """Close an arm dialog that a later kill has invalidated."""
        ...


class Painter:
    """Brings ``screen`` up to date with ``model``; ``monotonic`` in seconds paces what is not painted in every frame."""

    def __init__(self, screen: Panes, model: ReadModel, frame: FrameRate, monotonic: Callable[[], float], keys: KeyNames) -> None:
        self._screen = screen
        self._model = model
        self._frame = frame
        self._monotonic = monotonic
        self._keys = keys
        self._header_at = self._gauges_at = self._detail_at = -1e9
        self.state = ""
        """The trading state as last painted."""

    def tick(self, number: int, due: bool) -> None:
        """One slice of a frame, 0 to 3, between which the engine runs; ``due``: new figures are painted in this frame.

        The header, the risks and the flash line are painted also while frozen.
        """
        now = self._monotonic()
        if number == 0 and due and not self._screen.freeze.is_on:
            self._tick_panes()
        elif number == 1:
            self._tick_header(now)
        elif number == 2 and not self._screen.freeze.is_on:
            self._tick_detail(now)
        elif number == 3:
            self._tick_gauges(now)
        if number and not self._screen.freeze.is_on:
            self._paint_rest(number)

    def _tick_panes(self) -> None:
        if is_seen(self._screen.routes):
            self._screen.routes.tick(self._frame.hz)
        for pane in (self._screen.fills, self._screen.log_pane, self._screen.stock):
            if is_seen(pane):
                pane.tick()

    def _tick_header(self, now: float) -> None:
        header = self._model.header()
        self._screen.close_outlived(header)
        if header.state == self.state and now - self._header_at < HEADER_EVERY_S:
            return
        self._header_at = now
        if header.state in HALTED_STATES and self.state not in HALTED_STATES:
            self._screen.app.bell()
        if header.state == "DISARMED" and not self.state:
            self._screen.flash.say(f"DISARMED: no order leaves until {self._keys['rearm']} arms it, by name and reason", "warn")
        self.state = header.state
        if self._screen.too_small.display:
            self._screen.too_small.tick(header)
        self._screen.header.tick(header, self._screen.freeze.banner(now))
        self._screen.footer.tick(header.state, self._screen.active, self._screen.freeze.is_on)
        table = self._screen.stock if self._screen.active == "stock" else self._screen.routes
        order, text = table.order_word, table.query_filter.text
        self._screen.tabs.tick(self._screen.active, len(self._model.routes), header.breaches_open, text, order)
        if self._screen.filter_bar.is_open:
            self._screen.filter_bar.tick()

    def _tick_detail(self, now: float) -> None:
        detail, current = self._screen.detail, self._screen.routes.current
        if not is_seen(detail):
            return
        follows = current is not None and (self._screen.active not in ("detail", "stock") or not detail.route_id)
        if follows and current is not None and detail.route_id != current.id:
            detail.route_id = current.id
            self._detail_at = -1e9
        if now - self._detail_at >= DETAIL_EVERY_S:
            self._detail_at = now
            detail.tick()

    def _tick_gauges(self, now: float) -> None:
        if now - self._gauges_at >= GAUGES_EVERY_S:
            self._gauges_at = now
            gauges = self._model.gauges()
            self._frame.observe(now, gauges.lag_p99_ms, self._drops())
            self._screen.system.tick(gauges, self._frame.hz, self._frame.drops)
        fresh = self._screen.risk.tick()
        if fresh is not None:
            self._screen.app.bell()
        if fresh is not None and fresh.kind != "KILL":  # the header says that in red already, and the flash line says what next
            self._screen.flash.say(f"! CRIT {fresh.kind} {fresh.scope} {fresh.detail}   {self._keys['pane.risk']} opens Risk", "kill")
        self._screen.flash.tick()

    def _paint_rest(self, number: int) -> None:
        """Paint some of the rows and lines left over by earlier slices. Slice 2 is reserved for the detail: routes alone could fill all."""
        screen = self._screen
        panes = (screen.routes, screen.stock, screen.fills, screen.log_pane, screen.detail)
        for pane in (screen.detail, *panes) if number == 2 else panes:
            if is_seen(pane) and pane.paint_changed():
                return

    def tick_all(self) -> None:
        """Paint one whole frame at once: after a kill, a change of pane or of theme."""
        self._header_at = self._gauges_at = self._detail_at = -1e9
        for number in range(SLICES):
            self.tick(number, due=True)
        screen = self._screen
        for pane in (screen.routes, screen.stock, screen.fills, screen.log_pane, screen.risk, screen.detail):
            while is_seen(pane) and pane.paint_changed():
                pass

    def repaint(self) -> None:
        """Clear every cached line: the theme changed."""
        for widget in self._screen.painted():
            widget.repaint()
        self.tick_all()

    def _drops(self) -> int:
        return int(getattr(self._screen.app._driver, "drops", 0))
