"""The one screen that stays: the panes, the engine's verbs, and the keys that only change what is seen."""

from math import isfinite
from typing import Any, ClassVar

from textual import events, on
from textual.binding import BindingType

from arbtui.console.bindings import MAIN_BINDINGS
from arbtui.console.grid import Grid
from arbtui.console.panes.filter_bar import FilterBar
from arbtui.console.panes.routes import RoutesPane
from arbtui.console.panes.stock import StockPane
from arbtui.console.query import ROUTES, STOCK
from arbtui.console.row_json import row_json
from arbtui.console.screens.help import HelpScreen
from arbtui.console.screens.verbs import VerbsScreen
from arbtui.console.screens.whole import WholeScreen, whole_of

COPIES = ("routes", "fills", "risk", "log", "detail", "stock")
"""Panes with rows to copy."""


class MainScreen(VerbsScreen):
    """Filter, order, detail, copy, freeze and help, over the verbs and the panes."""

    BINDINGS: ClassVar[list[BindingType]] = MAIN_BINDINGS

    def action_filter(self) -> None:
        """Open the filter line."""
        if self.too_small.display or self._is_frozen("filters"):
            return
        if self._active == "stock":
            self.filter_bar.open(self.stock.query_filter.text, self._model.stock(), STOCK)
        else:
            self._show("routes")
            self.filter_bar.open(self.routes.query_filter.text, self._model.routes, ROUTES)
        self.add_class("filtering")

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        table = self._table
        table.set_query(event.query)
        table.show_from_top(settled=event.done)
        if event.done:
            self.remove_class("filtering")
            self.set_focus(table, scroll_visible=False)
        self.tick_all()

    def action_sort(self) -> None:
        """Order by the next column."""
        if self._has_table("sort", "sorts") and not self._is_frozen("sorts"):
            self.flash.say(f"ordered by {self._table.next_sort()}   {self._keys['sort.reverse']} reverses")
            self.tick_all()

    def action_reverse(self) -> None:
        """The other way round."""
        if self._has_table("sort.reverse", "reverses") and not self._is_frozen("reverses"):
            self._table.reverse_sort()
            self.tick_all()

    @property
    def _table(self) -> RoutesPane | StockPane:
        """The table that is filtered and ordered."""
        return self.stock if self._active == "stock" else self.routes

    def _has_table(self, key: str, what: str) -> bool:
        return self._active == "stock" or self._needs("routes", key, what)

    def action_detail(self) -> None:
        """What is under the cursor in full: a route beside the routes where there is room, else in their place; all else in a box."""
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
        """The line under the cursor of Fills, Risk, Log or Stock, with all that it says."""
        pane.claim()
        opened = whole_of(pane.current, self._model)
        if opened is None:
            self.flash.say(f"nothing to open here: {pane.empty_text()}", "warn")
        else:
            self.app.push_screen(opened)

    @on(Grid.CursorMoved)
    def _follow_cursor(self, event: Grid.CursorMoved) -> None:
        row = self.routes.current
        if not self.is_small and self._active == "routes" and row is not None and not self.freeze.is_on:
            self.detail.route_id = row.id

    @on(Grid.CursorMoved)
    def _show_refilling_route(self, event: Grid.CursorMoved) -> None:
        """Beside the stock, the detail shows the route that fills the emptiest venue from the fullest."""
        row = self.stock.current
        if self.is_small or self._active != "stock" or row is None or self.freeze.is_on:
            return
        fullest = max((cell for cell in row.cells if isfinite(cell.share)), key=lambda cell: cell.share, default=None)
        wanted = (row.asset, row.emptiest, "" if fullest is None else fullest.exchange)
        route = next((one for one in self._model.routes if (one.symbol, one.venues[0], one.venues[-1]) == wanted), None)
        if route is not None:
            self.detail.route_id = route.id

    def action_copy(self) -> None:
        """The row under the cursor to the clipboard of whoever sits at the terminal."""
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

    def action_accounts(self) -> None:
        """How journal and venues compare."""
        facts = self._model.reconciliation()
        if facts:
            self.app.push_screen(WholeScreen("Journal and venues", facts))
        else:
            self.flash.say("journal and venues have not been compared yet", "warn")

    def action_freeze(self) -> None:
        """Stand still, or go on."""
        frozen = self.freeze.toggle(self._monotonic())
        self.flash.say(f"display frozen: the engine trades on. {self._keys['freeze']} goes on" if frozen else "display live again")
        self.tick_all()

    def action_back(self) -> None:
        """Leave zoom, or clear the filter."""
        if self.has_class("zoomed"):
            self.action_zoom()
        elif self._active == "detail":
            self._show("routes")
        elif self._table.query_filter.text:
            self.filter_bar.action_clear()
        else:
            self.flash.say(f"nothing to leave: {self._keys['back']} ends zoom, detail and filter; {self._keys['quit']} quits")

    def action_help(self) -> None:
        """Explain everything."""
        self.app.push_screen(HelpScreen(self._active, self._keys))

    def on_key(self, event: events.Key) -> None:
        """A key that nothing took: say so, instead of leaving the operator to guess."""
        if event.key in self.active_bindings:
            return
        name = event.character if event.character and event.is_printable else event.key.replace("ctrl+", "^")
        self.flash.say(f"{name} does nothing here; {self._keys['help']} lists the keys", "soft")
