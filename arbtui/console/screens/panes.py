"""The panes of the main screen: which are shown at which size, which one is active, and how they are painted."""

from collections.abc import Callable, Iterable
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from arbtui.console.frame import FrameRate
from arbtui.console.freeze import Freeze
from arbtui.console.grid import Grid
from arbtui.console.keys import KeyNames
from arbtui.console.lines import Lines
from arbtui.console.painter import Painter
from arbtui.console.panes.detail import DetailPane
from arbtui.console.panes.fills import FillsPane
from arbtui.console.panes.filter_bar import FilterBar
from arbtui.console.panes.flash import Flash
from arbtui.console.panes.footer import Footer
from arbtui.console.panes.header import Header
from arbtui.console.panes.log import LogPane
from arbtui.console.panes.risk import RiskPane
from arbtui.console.panes.routes import RoutesPane
from arbtui.console.panes.stock import StockPane
from arbtui.console.panes.system import SystemPane
from arbtui.console.panes.tabs import PANES, Tabs
from arbtui.console.panes.too_small import TooSmall
from arbtui.console.styles import Styles
from arbtui.views import HeaderView, ReadModel


class PanesScreen(Screen[None]):
    """Every pane over ``model``, shown or hidden by size, active pane and zoom."""

    AUTO_FOCUS = None

    def __init__(
        self,
        inks: Styles,
        model: ReadModel,
        frame: FrameRate,
        monotonic: Callable[[], float],
        keys: KeyNames,
    ) -> None:
        super().__init__()
        self._model = model
        self._monotonic = monotonic
        self._keys = keys
        self._painter = Painter(self, model, frame, monotonic, keys)
        self.freeze = Freeze()
        self._active = PANES[0]
        self.inks = inks
        self.header = Header(inks)
        self.tabs = Tabs(inks)
        self.routes = RoutesPane(inks, model, monotonic)
        self.fills = FillsPane(inks, model)
        self.risk = RiskPane(inks, model, keys)
        self.system = SystemPane(inks)
        self.log_pane = LogPane(inks, model)
        self.detail = DetailPane(inks, model)
        self.stock = StockPane(inks, model, monotonic)
        self.flash = Flash(inks, monotonic)
        self.footer = Footer(inks, keys)
        self.too_small = TooSmall(inks, keys)
        self.filter_bar = FilterBar(inks)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.header
        yield self.tabs
        with Container(id="upper"):
            yield self.routes
            yield self.stock
            yield self.detail
        with Container(id="lower"):
            yield self.fills
            yield self.risk
        yield self.system
        yield self.log_pane
        yield self.flash
        yield self.filter_bar
        yield self.footer
        yield self.too_small

    def on_mount(self) -> None:
        """Start on the routes."""
        self.add_class(f"active-{self._active}")
        self.set_focus(self.routes, scroll_visible=False)

    @property
    def panes(self) -> dict[str, Widget]:
        """The panes by name, in the order of their digits."""
        return dict(zip(PANES, (self.routes, self.fills, self.risk, self.system, self.log_pane, self.detail, self.stock), strict=True))

    @property
    def active(self) -> str:
        """The pane that keys go to."""
        return self._active

    @property
    def is_small(self) -> bool:
        """One pane at a time, chosen with the digits."""
        return not (self.size.width >= 150 and self.size.height >= 36)

    @property
    def shows_routes_only(self) -> bool:
        """Too low or too narrow for the other panes."""
        return self.size.width < 80 or self.size.height < 24

    # frames

    def tick(self, number: int, due: bool) -> None:
        """One slice of a frame; see :meth:`Painter.tick`."""
        self._painter.tick(number, due)

    @property
    def state(self) -> str:
        """The trading state as last painted."""
        return self._painter.state

    def tick_all(self) -> None:
        """One frame with nothing held back: after a kill, a change of pane or of theme."""
        self._painter.tick_all()

    def repaint(self) -> None:
        """Forget every cached line: the theme changed."""
        self._painter.repaint()

    def painted(self) -> Iterable[Lines | Grid[Any]]:
        """Everything that keeps painted lines."""
        return (*self.query(Lines), *self.query(Grid))

    def close_outlived(self, header: HeaderView) -> None:
        """Close what a kill has outlived, on top of this screen."""

    # layout

    def on_resize(self, event: events.Resize) -> None:
        """Sizes decide what is shown; the style sheet says how."""
        if self.shows_routes_only and self._active != "routes":
            self._show("routes")
        self._rearrange()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        """A terminal that was too small for anything took the focus away."""
        if self.focused is None:
            self.set_focus(self.filter_bar.query_one(Input) if self.filter_bar.is_open else self.panes[self._active], scroll_visible=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click on a pane makes it the active one, unless another has the focus by now: they would take turns for ever."""
        for name, pane in self.panes.items():
            if pane is event.widget and pane is self.focused and name != self._active:
                self._show(name)

    def _show(self, pane: str) -> None:
        self.remove_class(f"active-{self._active}")
        self._active = pane
        if pane == "detail" and self.routes.current is not None:
            self.routes.claim()
            self.detail.route_id = self.routes.current.id
        self.add_class(f"active-{pane}")
        self.set_focus(self.panes[pane], scroll_visible=False)
        self._rearrange()

    def _rearrange(self) -> None:
        zoomed = self.has_class("zoomed")
        for name, pane in self.panes.items():
            if isinstance(pane, Grid):
                pane.show_title(not (self.is_small and name == self._active) or (zoomed and not self.is_small))
        self.call_after_refresh(self.tick_all)

    # keys

    def action_pane(self, pane: str) -> None:
        """Go to a pane."""
        if self.shows_routes_only and pane != "routes":
            self.flash.say("only Routes fits here: the other panes need 80x24", "warn")
            return
        self._show(pane)

    def action_next_pane(self, step: int) -> None:
        """The next or previous pane."""
        self.action_pane(PANES[(PANES.index(self._active) + step) % len(PANES)])

    def action_zoom(self) -> None:
        """Only this pane, or all again."""
        self.toggle_class("zoomed")
        self._rearrange()

    def _needs(self, pane: str, key: str, what: str) -> bool:
        if self._active == pane:
            return True
        self.flash.say(f"{self._keys[key]} {what} in {pane.capitalize()}: {self._keys[f'pane.{pane}']} goes there", "warn")
        return False

    def _is_frozen(self, what: str) -> bool:
        if self.freeze.is_on:
            self.flash.say(f"nothing {what} while the display is frozen: {self._keys['freeze']} goes on first", "warn")
        return self.freeze.is_on
