"""The one screen that stays: every pane, shown or hidden by size, active pane and zoom."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from arbtui.console.frame import FrameRate
from arbtui.console.grid import Grid
from arbtui.console.ink import Inks
from arbtui.console.lines import Lines
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
from arbtui.console.screens.help import HelpScreen
from arbtui.console.screens.rearm import RearmScreen
from arbtui.views import Controls, ReadModel

HEADER_EVERY_S = 0.25
"""Ages in the header are read, not watched: four times a second is calm. A change of state shows at once."""

GAUGES_EVERY_S = 1.0


class MainScreen(Screen[None]):
    """Panes over ``model``; keys that act call ``controls``."""

    AUTO_FOCUS = None

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "pause", id="pause", tooltip="Pause new entries, or resume them; open cycles finish either way"),
        Binding("r", "rearm", "re-arm", id="rearm", tooltip="Open the gate again after a halt: asks for the profile's name and a reason"),
        Binding("slash", "filter", "filter", key_display="/", id="filter", tooltip="Filter routes: xrp edge>5 state:open net>3 !buy:upbit"),
        Binding("s", "sort", "sort", id="sort", tooltip="Order the routes by the next column"),
        Binding("S", "reverse", "reverse", id="sort.reverse", tooltip="Reverse the order"),
        Binding("a", "acknowledge", "ack", id="acknowledge", tooltip="Risk pane: acknowledge the breach under the cursor; it stays listed"),
        *(
            Binding(f"{number}", f"pane('{pane}')", pane.capitalize(), id=f"pane.{pane}", tooltip=f"Go to {pane.capitalize()}")
            for number, pane in enumerate(PANES, 1)
        ),
        Binding("tab", "next_pane(1)", "pane", id="pane.next", tooltip="Next pane"),
        Binding("shift+tab", "next_pane(-1)", "previous pane", id="pane.previous", tooltip="Previous pane"),
        Binding("z", "zoom", "zoom", id="zoom", tooltip="Only this pane, or all of them again"),
        Binding("escape", "back", "back", id="back", tooltip="Leave zoom; then clear the filter"),
        Binding("question_mark", "help", "help", key_display="?", id="help", tooltip="What columns, states and keys mean"),
    ]

    def __init__(self, inks: Inks, model: ReadModel, controls: Controls, frame: FrameRate, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._model = model
        self._controls = controls
        self._frame = frame
        self._monotonic = monotonic
        self._header_at = self._gauges_at = -1e9
        self._state = ""
        self._active = PANES[0]
        self.inks = inks
        self.header = Header(inks)
        self.tabs = Tabs(inks)
        self.routes = RoutesPane(inks, model, monotonic)
        self.fills = FillsPane(inks, model)
        self.risk = RiskPane(inks, model)
        self.system = SystemPane(inks)
        self.log_pane = LogPane(inks, model)
        self.flash = Flash(inks, monotonic)
        self.footer = Footer(inks)
        self.too_small = TooSmall(inks)
        self.filter_bar = FilterBar(inks, model.routes)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.header
        yield self.tabs
        yield self.routes
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
        return {"routes": self.routes, "fills": self.fills, "risk": self.risk, "system": self.system, "log": self.log_pane}

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

    def tick(self) -> None:
        """One frame: what is visible and changed."""
        now = self._monotonic()
        header = self._model.header()
        if header.state != self._state or now - self._header_at >= HEADER_EVERY_S:
            self._header_at = now
            if header.state in HALTED_STATES and self._state not in HALTED_STATES:
                self.app.bell()
            self._state = header.state
            if self.too_small.display:
                self.too_small.tick(header)
            self.header.tick(header)
            self.footer.tick(header.state, self._active)
            order, text = self.routes.order_word, self.routes.query_filter.text
            self.tabs.tick(self._active, len(self._model.routes), header.breaches_open, text, order)
            if self.filter_bar.is_open:
                self.filter_bar.tick()
        if now - self._gauges_at >= GAUGES_EVERY_S:
            self._gauges_at = now
            gauges = self._model.gauges()
            self._frame.observe(now, gauges.lag_p99_ms, self._drops())
            self.system.tick(gauges, self._frame.hz, self._frame.drops)
        if self.routes.display:
            self.routes.tick(self._frame.hz)
        for pane in (self.fills, self.log_pane):
            if pane.display:
                pane.tick()
        fresh = self.risk.tick()
        if fresh is not None and fresh.kind != "KILL":  # the header says that in red already, and the flash line says what next
            self.flash.say(f"! CRIT {fresh.kind} {fresh.scope} {fresh.detail}   3 opens Risk", "kill")
        self.flash.tick()

    def tick_all(self) -> None:
        """One frame with nothing held back: after a kill, a change of pane or of theme."""
        self._header_at = self._gauges_at = -1e9
        self.tick()

    def repaint(self) -> None:
        """Forget every cached line: the theme changed."""
        for widget in self.query(Lines):
            widget.repaint()
        for grid in self.query(Grid):
            grid.repaint()
        self.tick_all()

    def _drops(self) -> int:
        return int(getattr(self.app._driver, "drops", 0))

    # layout

    def on_resize(self, event: events.Resize) -> None:
        """Sizes decide what is shown; the style sheet says how."""
        if self.shows_routes_only and self._active != "routes":
            self._show("routes")
        self._rearrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click on a pane makes it the active one."""
        for name, pane in self.panes.items():
            if pane is event.widget and name != self._active:
                self._show(name)

    def _show(self, pane: str) -> None:
        self.remove_class(f"active-{self._active}")
        self._active = pane
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
        if self._state in HALTED_STATES:
            self.flash.say(f"p does nothing while {self._state}: r re-arms first", "warn")
            return
        answer = self._controls.toggle_pause()
        said = {"PAUSED": "paused: no new entries; open cycles finish. p resumes", "ARMED": "resumed: new entries allowed"}
        self.flash.say(said.get(answer, answer), "warn" if answer != "ARMED" else "up")
        self.tick_all()

    def action_rearm(self) -> None:
        """Ask for name and reason, when there is something to re-arm."""
        header = self._model.header()
        if header.state not in ("HALTED", "HALTED_DIRTY"):
            why = f"still halting, {header.halt_detail}" if header.state == "HALTING" else f"not halted, state is {header.state}"
            self.flash.say(f"r re-arms only after a halt: {why}", "warn")
            return
        self.app.push_screen(RearmScreen(self._model, self._controls), self._rearmed)

    def _rearmed(self, done: bool | None) -> None:
        state = self._model.header().state
        self.flash.say(f"re-armed: state is {state}" if done else f"not re-armed: state is {state}", "up" if done else "warn")
        self.tick_all()

    def action_filter(self) -> None:
        """Open the filter line."""
        if self.too_small.display:
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
        if self._needs("routes", "s sorts"):
            self.flash.say(f"ordered by {self.routes.next_sort()}   S reverses")
            self.tick_all()

    def action_reverse(self) -> None:
        """The other way round."""
        if self._needs("routes", "S reverses"):
            self.routes.reverse_sort()
            self.tick_all()

    def action_acknowledge(self) -> None:
        """A person has seen the breach under the cursor."""
        if not self._needs("risk", "a acknowledges breaches"):
            return
        breach = self.risk.current
        if breach is None or breach.acknowledged:
            self.flash.say("nothing to acknowledge here", "warn")
            return
        answer = self._controls.acknowledge(breach.id)
        self.flash.say(answer or f"acknowledged: {breach.kind} {breach.scope}", "warn" if answer else "text")
        self.tick_all()

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
        elif self.routes.query_filter.text:
            self.filter_bar.action_clear()
        else:
            self.flash.say("nothing to leave: Esc ends zoom and filter; ^Q quits")

    def action_help(self) -> None:
        """Explain everything."""
        self.app.push_screen(HelpScreen())

    def on_key(self, event: events.Key) -> None:
        """A key that nothing took: say so, instead of leaving the operator to guess."""
        if event.key in self.active_bindings:
            return
        name = event.character if event.character and event.is_printable else event.key.replace("ctrl+", "^")
        self.flash.say(f"{name} does nothing here; ? lists the keys", "soft")

    def _needs(self, pane: str, what: str) -> bool:
        if self._active == pane:
            return True
        self.flash.say(f"{what} in {pane.capitalize()}: {PANES.index(pane) + 1} goes there", "warn")
        return False
