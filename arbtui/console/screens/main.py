"""The main screen: every pane, shown or hidden by size, active pane and zoom."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from arbtui.console.bindings import MAIN_BINDINGS
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
from arbtui.console.panes.header import HALTED_STATES, Header
from arbtui.console.panes.log import LogPane
from arbtui.console.panes.risk import RiskPane
from arbtui.console.panes.routes import RoutesPane
from arbtui.console.panes.system import SystemPane
from arbtui.console.panes.tabs import PANES, Tabs
from arbtui.console.panes.too_small import TooSmall
from arbtui.console.row_json import row_json
from arbtui.console.screens.help import HelpScreen
from arbtui.console.screens.rearm import RearmScreen
from arbtui.console.screens.whole import whole_of
from arbtui.console.styles import Styles
from arbtui.console.type_ahead import TypeAhead
from arbtui.views import Controls, HeaderView, ReadModel, RouteRow

COPIES = ("routes", "fills", "risk", "log", "detail")
"""Panes with rows to copy."""


class MainScreen(Screen[None]):
    """Panes over ``model``; keys that act call ``controls``."""

    AUTO_FOCUS = None

    BINDINGS: ClassVar[list[BindingType]] = MAIN_BINDINGS

    def __init__(
        self,
        inks: Styles,
        model: ReadModel,
        controls: Controls,
        frame: FrameRate,
        monotonic: Callable[[], float],
        keys: KeyNames,
        type_ahead: TypeAhead,
    ) -> None:
        super().__init__()
        self._type_ahead = type_ahead
        self._model = model
        self._controls = controls
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
        self.risk = RiskPane(inks, model)
        self.system = SystemPane(inks)
        self.log_pane = LogPane(inks, model)
        self.detail = DetailPane(inks, model)
        self.flash = Flash(inks, monotonic)
        self.footer = Footer(inks, keys)
        self.too_small = TooSmall(inks, keys)
        self.filter_bar = FilterBar(inks, model.routes)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.header
        yield self.tabs
        with Container(id="upper"):
            yield self.routes
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
        return dict(zip(PANES, (self.routes, self.fills, self.risk, self.system, self.log_pane, self.detail), strict=True))

    @property
    def active(self) -> str:
        """The active pane."""
        return self._active

    @property
    def is_small(self) -> bool:
        """Whether one pane at a time is shown, chosen with the digits."""
        return not (self.size.width >= 150 and self.size.height >= 36)

    @property
    def shows_routes_only(self) -> bool:
        """Whether the terminal is too small for the other panes."""
        return self.size.width < 80 or self.size.height < 24

    # frames

    def tick(self, number: int, due: bool) -> None:
        """One slice of a frame; see :meth:`Painter.tick`."""
        self._painter.tick(number, due)

    def tick_all(self) -> None:
        """Paint one whole frame at once: after a kill, a change of pane or of theme."""
        self._painter.tick_all()

    def repaint(self) -> None:
        """Clear every cached line: the theme changed."""
        self._painter.repaint()

    def painted(self) -> Iterable[Lines | Grid[Any]]:
        """All widgets with cached lines."""
        return (*self.query(Lines), *self.query(Grid))

    # layout

    def on_resize(self, event: events.Resize) -> None:
        """Choose what is shown by size; the style sheet has the layout."""
        if self.shows_routes_only and self._active != "routes":
            self._show("routes")
        self._rearrange()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        """Restore the focus after the terminal was too small for any pane."""
        if self.focused is None and self.app.app_focus:
            self.set_focus(self.filter_bar.query_one(Input) if self.filter_bar.is_open else self.panes[self._active], scroll_visible=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click on a pane makes it the active one."""
        for name, pane in self.panes.items():
            if pane is event.widget and name != self._active:
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

    def action_pause(self) -> None:
        """Pause or resume."""
        if self._painter.state in (*HALTED_STATES, "DISARMED"):
            word = "arms" if self._painter.state == "DISARMED" else "re-arms"
            self.flash.say(f"{self._keys['pause']} does nothing while {self._painter.state}: {self._keys['rearm']} {word} first", "warn")
            return
        answer = self._controls.toggle_pause()
        paused = f"paused: no new entries; open cycles finish. {self._keys['pause']} resumes"
        messages = {"PAUSED": paused, "ARMED": "resumed: new entries allowed"}
        self.flash.say(messages.get(answer, answer), "warn" if answer != "ARMED" else "up")
        self.tick_all()

    def action_rearm(self) -> None:
        """Ask for name and reason, when there is something to re-arm."""
        header = self._model.header()
        if header.state not in ("HALTED", "HALTED_DIRTY", "DISARMED"):
            why = f"still halting, {header.halt_detail}" if header.state == "HALTING" else f"not halted, state is {header.state}"
            self.flash.say(f"{self._keys['rearm']} re-arms only after a halt: {why}", "warn")
            return
        word = "armed" if header.state == "DISARMED" else "re-armed"
        self.app.push_screen(RearmScreen(header, self._controls), partial(self._rearmed, word))

    def close_outlived(self, header: HeaderView) -> None:
        """Close an arm dialog that a later kill has invalidated."""
        for dialog in self.app.screen_stack[-1:]:  # none at all while the app ends
            if isinstance(dialog, RearmScreen) and dialog.is_outlived(header):
                dialog.dismiss(None)
                self._type_ahead.cut()

    def _rearmed(self, word: str, done: bool | None) -> None:
        state = self._model.header().state
        if done is None:
            self.flash.say(f"not {word}: a kill came meanwhile. Look again, then {self._keys['rearm']}", "kill")
        else:
            self.flash.say(f"{word}: state is {state}" if done else f"not {word}: state is {state}", "up" if done else "warn")
        self.tick_all()

    def action_filter(self) -> None:
        """Open the filter line."""
        if self.too_small.display or self._is_frozen("filters"):
            return
        if self._active != "routes":
            self._show("routes")
        self.filter_bar.open(self.routes.query_filter.text)
        self.add_class("filtering")

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        self.routes.set_query(event.query)
        if event.done:
            self.remove_class("filtering")
            self.set_focus(self.routes, scroll_visible=False)
        self.tick_all()

    def action_sort(self) -> None:
        """Order by the next column."""
        if self._needs("routes", "sort", "sorts") and not self._is_frozen("sorts"):
            self.flash.say(f"ordered by {self.routes.next_sort()}   {self._keys['sort.reverse']} reverses")
            self.tick_all()

    def action_reverse(self) -> None:
        """Reverse the order."""
        if self._needs("routes", "sort.reverse", "reverses") and not self._is_frozen("reverses"):
            self.routes.reverse_sort()
            self.tick_all()

    def action_acknowledge(self) -> None:
        """Acknowledge the breach under the cursor."""
        if not self._needs("risk", "acknowledge", "acknowledges breaches"):
            return
        breach = self.risk.current
        if breach is None or breach.acknowledged:
            self.flash.say("nothing to acknowledge here", "warn")
            return
        answer = self._controls.acknowledge(breach.id)
        self.flash.say(answer or f"acknowledged: {breach.kind} {breach.scope}", "warn" if answer else "text")
        self.tick_all()

    def action_detail(self) -> None:
        """Show the row under the cursor in full: a route beside the routes or in their place, others in a box."""
        pane = self.panes[self._active]
        if isinstance(pane, Grid) and pane is not self.routes:
            self._open_whole(pane)
            return
        if not self._needs("routes", "detail", "opens the detail of a route") or self._is_frozen("opens another route"):
            return
        if self.shows_routes_only:
            self.flash.say("the detail of a route needs 80x24", "warn")
            return
        if (row := self._aimed_at("detail")) is None:
            return
        self.detail.route_id = row.id
        if self.is_small or self.has_class("zoomed"):
            self._show("detail")
            self.flash.say(f"{row.id}: {self._keys['back']} goes back, {self._keys['route.toggle']} disables it")
        else:
            self.flash.say(f"{self._keys['pane.detail']} Detail shows {row.id}; moving the cursor moves it")
        self.tick_all()

    def _open_whole(self, pane: Grid[Any]) -> None:
        """Show the full line under the cursor of Fills, Risk or Log."""
        pane.claim()
        opened = whole_of(pane.current, self._model)
        if opened is None:
            self.flash.say(f"nothing to open here: {pane.empty_text()}", "warn")
        else:
            self.app.push_screen(opened)

    def _aimed_at(self, key: str) -> RouteRow | None:
        """The route under the cursor, which keeps the cursor from now on; None, with a message, when none was chosen."""
        aimed, row = self.routes.pinned, self.routes.current
        if row is None:
            self.flash.say(f"no route under the cursor: {self.routes.empty_text()}", "warn")
        elif not self.routes.claim():
            self.flash.say(f"{aimed} has left the list; under the cursor is {row.id}: {self._keys[key]} again acts on that", "warn")
            row = None
        return row

    @on(Grid.CursorMoved)
    def _follow_cursor(self, event: Grid.CursorMoved) -> None:
        row = self.routes.current
        if not self.is_small and self._active == "routes" and row is not None and not self.freeze.is_on:
            self.detail.route_id = row.id

    def action_toggle_route(self) -> None:
        """Disable or enable the route under the cursor, or the one in detail."""
        if self._active == "detail" and self.detail.route_id:
            route = self.detail.route_id
        elif self._needs("routes", "route.toggle", "disables a route"):
            row = self._aimed_at("route.toggle")
            route = row.id if row is not None else ""
        else:
            route = ""
        if not route:
            return
        answer = self._controls.toggle_route(route)
        again = f"   {self._keys['route.toggle']} enables it again" if "disabled" in answer else ""
        self.flash.say(answer + again, "warn" if again else "up")
        self.tick_all()

    def action_copy(self) -> None:
        """Copy the row under the cursor to the clipboard of the operator's terminal."""
        pane = self.panes[self._active]
        row: object = None
        name = ""
        if pane is self.routes:
            if (route := self._aimed_at("copy")) is None:
                return
            row, name = route, f"{route.id}: "
        elif isinstance(pane, Grid):
            pane.claim()
            row = pane.current
        elif pane is self.detail and self.detail.route_id:
            row, name = self._model.detail(self.detail.route_id), f"{self.detail.route_id}: "
        if row is None:
            self.flash.say(f"nothing to copy here: {self._keys['copy']} copies a row of {', '.join(COPIES)}", "warn")
            return
        text = row_json(row)
        self.app.copy_to_clipboard(text)
        self.flash.say(f"{name}copied {len(text)} letters of JSON (OSC 52; tmux: set -g set-clipboard on)")

    def action_freeze(self) -> None:
        """Freeze or unfreeze the display."""
        frozen = self.freeze.toggle(self._monotonic())
        self.flash.say(f"display frozen: the engine trades on. {self._keys['freeze']} goes on" if frozen else "display live again")
        self.tick_all()

    def _is_frozen(self, what: str) -> bool:
        if self.freeze.is_on:
            self.flash.say(f"nothing {what} while the display is frozen: {self._keys['freeze']} goes on first", "warn")
        return self.freeze.is_on

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

    def action_back(self) -> None:
        """Leave zoom, or clear the filter."""
        if self.has_class("zoomed"):
            self.action_zoom()
        elif self._active == "detail":
            self._show("routes")
        elif self.routes.query_filter.text:
            self.filter_bar.action_clear()
        else:
            self.flash.say(f"nothing to leave: {self._keys['back']} ends zoom, detail and filter; {self._keys['quit']} quits")

    def action_help(self) -> None:
        """Open the help."""
        self.app.push_screen(HelpScreen(self._active, self._keys))

    def on_key(self, event: events.Key) -> None:
        """Report a key that has no effect."""
        if event.key in self.active_bindings:
            return
        name = event.character if event.character and event.is_printable else event.key.replace("ctrl+", "^")
        self.flash.say(f"{name} does nothing here; {self._keys['help']} lists the keys", "soft")

    def _needs(self, pane: str, key: str, what: str) -> bool:
        if self._active == pane:
            return True
        self.flash.say(f"{self._keys[key]} {what} in {pane.capitalize()}: {self._keys[f'pane.{pane}']} goes there", "warn")
        return False
