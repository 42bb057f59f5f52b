"""The keys of the main screen that act on the engine. KILL is the app's: it works from everywhere."""

from collections.abc import Callable
from functools import partial

from arbtui.console.frame import FrameRate
from arbtui.console.keys import KeyNames
from arbtui.console.panes.header import HALTED_STATES
from arbtui.console.screens.disarm import DisarmScreen
from arbtui.console.screens.limit import LimitScreen
from arbtui.console.screens.panes import PanesScreen
from arbtui.console.screens.rearm import RearmScreen
from arbtui.console.screens.scopes import HaltScopeScreen, RearmScopeScreen
from arbtui.console.screens.settle import SettleScreen
from arbtui.console.screens.stock import StockScreen
from arbtui.console.styles import Styles
from arbtui.console.type_ahead import TypeAhead
from arbtui.views import HALT, Controls, HeaderView, ReadModel, RouteRow


class SettlementEnd:
    """Takes how a settlement ended, whenever it does: at once, or after the dialog has gone and orders have come back."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.words = ""

    def __call__(self, words: str) -> None:
        """It ended, ``words`` say how."""
        self.words = words
        self._say(words)


class VerbsScreen(PanesScreen):
    """The panes, and what a person may ask of the engine from them: each verb calls ``controls``."""

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
        super().__init__(inks, model, frame, monotonic, keys)
        self._controls = controls
        self._type_ahead = type_ahead

    def action_pause(self) -> None:
        """Pause or resume."""
        if self._painter.state in (*HALTED_STATES, "DISARMED"):
            word = "arms" if self._painter.state == "DISARMED" else "re-arms"
            self.flash.say(f"{self._keys['pause']} does nothing while {self._painter.state}: {self._keys['rearm']} {word} first", "warn")
            return
        answer = self._controls.toggle_pause()
        paused = f"paused: no new entries; open cycles finish. {self._keys['pause']} resumes"
        said = {"PAUSED": paused, "ARMED": "resumed: new entries allowed"}
        self.flash.say(said.get(answer, answer), "warn" if answer != "ARMED" else "up")
        self.tick_all()

    def action_disarm(self) -> None:
        """Ask once, when it can be disarmed."""
        refusal, header = self._controls.disarm_refusal(), self._model.header()
        if refusal is None:
            self.app.push_screen(DisarmScreen(header, self._controls, self._keys["rearm"]), self._disarmed)
            return
        hints = {"ARMED": f"   {self._keys['pause']} pauses, {self._keys['kill']} halts now", "DISARMED": f": {self._keys['rearm']} arms"}
        self.flash.say(refusal + hints.get(header.state, ""), "warn")

    def _disarmed(self, done: bool | None) -> None:
        said = f"disarmed, also after a restart: no order leaves until {self._keys['rearm']} arms it"
        self.flash.say(said if done else f"left as it is: state is {self._model.header().state}", "warn" if done else "text")
        self.tick_all()

    def action_rearm(self) -> None:
        """Ask for name and reason, when there is something to re-arm."""
        header = self._model.header()
        if header.scopes and header.state not in (*HALTED_STATES, "DISARMED"):
            breach = self.risk.breach if self._active == "risk" else None
            first = breach.scope if breach is not None and breach.kind == HALT else ""
            self.app.push_screen(RearmScopeScreen(header, first, self._controls), self._scope_rearmed)
            return
        if header.state not in ("HALTED", "HALTED_DIRTY", "DISARMED"):
            why = f"still halting, {header.halt_detail}" if header.state == "HALTING" else f"not halted, state is {header.state}"
            self.flash.say(f"{self._keys['rearm']} re-arms only after a halt: {why}", "warn")
            return
        word = "armed" if header.state == "DISARMED" else "re-armed"
        self.app.push_screen(RearmScreen(header, self._controls), partial(self._rearmed, word))

    def action_halt_scope(self) -> None:
        """Ask which exchange, symbol or route to hold back, and how deep: of the route under the cursor, or in detail, first."""
        route = ""
        if self._active == "detail":
            route = self.detail.route_id
        elif self._active == "routes":
            if (row := self._aimed_at("scope")) is None:
                return
            route = row.id
        dialog = HaltScopeScreen(self._model.header(), self._controls.scopes(route), self._controls)
        self.app.push_screen(dialog, self._scope_halted)

    def _scope_halted(self, done: bool | None) -> None:
        said = f"held back, in Risk it is listed: {self._keys['rearm']} sets it free" if done else "nothing more is held back"
        self.flash.say(said, "warn" if done else "text")
        self.tick_all()

    def _scope_rearmed(self, done: bool | None) -> None:
        self.flash.say("set free, and journaled" if done else "it stays held back", "up" if done else "warn")
        self.tick_all()

    def close_outlived(self, header: HeaderView) -> None:
        """Close an arm dialog that a kill has outlived."""
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

    def action_acknowledge(self) -> None:
        """A person has seen the breach under the cursor."""
        if not self._needs("risk", "acknowledge", "acknowledges breaches"):
            return
        breach = self.risk.breach
        if breach is None or breach.acknowledged:
            self.flash.say("nothing to acknowledge here", "warn")
            return
        if breach.kind == HALT:
            self.flash.say(f"{breach.scope} is held back until {self._keys['rearm']} sets it free: there is nothing to acknowledge", "warn")
            return
        answer = self._controls.acknowledge(breach.id)
        self.flash.say(answer or f"acknowledged: {breach.kind} {breach.scope}", "warn" if answer else "text")
        self.tick_all()

    def action_settle(self) -> None:
        """Ask which way, for name and reason, where the breach or the stock under the cursor can be settled."""
        if self._active == "stock":
            self._act_on_stock()
            return
        if not self._needs("risk", "settle", "settles positions and disputed balances"):
            return
        breach = self.risk.breach
        ways = self._controls.ways(breach.id) if breach is not None else ()
        if breach is None or not ways:
            what = f"{breach.kind} {breach.scope}" if breach is not None else "nothing here"
            self.flash.say(f"{what}: nothing to settle; one-sided positions and disputed balances are", "warn")
            return
        ended = SettlementEnd(self._say_end)
        dialog = SettleScreen(self._model.header().profile, breach, ways, self._controls, ended)
        self.app.push_screen(dialog, partial(self._settled, f"{breach.kind} {breach.scope}", ended))

    def _act_on_stock(self) -> None:
        row = self.stock.current
        ways = self._controls.stock_ways(row.asset) if row is not None else ()
        if row is None or not ways:
            self.flash.say("nothing to do about the stock here", "warn")
            return
        self.stock.claim()
        dialog = StockScreen(self._model.header().profile, row.asset, ways, self._controls)
        self.app.push_screen(dialog, partial(self._stock_done, row.asset))

    def _stock_done(self, asset: str, done: bool | None) -> None:
        self.flash.say(f"journaled: stock of {asset}" if done else f"left as it is: stock of {asset}", "up" if done else "warn")
        self.tick_all()

    def action_risk_view(self) -> None:
        """The next view of Risk."""
        if self._active != "risk":
            self._show("risk")
        else:
            self.risk.next_view()
        self.tick_all()

    def action_limit(self) -> None:
        """Ask for a value, name and reason, for the limit under the cursor."""
        if not self._needs("risk", "limit", "sets limits"):
            return
        if self.risk.view != "limits":
            self.risk.show("limits")
            self.flash.say(f"{self._keys['limit']} again sets the limit under the cursor")
        elif (line := self.risk.limit) is not None:
            self.risk.claim()
            self.app.push_screen(LimitScreen(self._model.header().profile, line, self._controls), partial(self._limit_set, line.scope))
        self.tick_all()

    def _limit_set(self, scope: str, done: bool | None) -> None:
        self.flash.say(f"set: {scope}" if done else f"left as it is: {scope}", "up" if done else "warn")
        self.tick_all()

    def _settled(self, what: str, ended: "SettlementEnd", done: bool | None) -> None:
        if not done:
            self.flash.say(f"left as it is: {what}", "warn")
        elif ended.words:
            self._say_end(ended.words)
        else:
            self.flash.say(f"orders are under way: {what}", "key")
        self.tick_all()

    def _say_end(self, words: str) -> None:
        if self.is_attached:
            self.flash.say(words, "up" if "is settled" in words else "warn")

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
        said = self._controls.toggle_route(route)
        again = f"   {self._keys['route.toggle']} enables it again" if "disabled" in said else ""
        self.flash.say(said + again, "warn" if again else "up")
        self.tick_all()

    def _aimed_at(self, key: str) -> RouteRow | None:
        """The route under the cursor, which keeps the cursor from now on; None, said why, when nobody aimed at one."""
        aimed, row = self.routes.pinned, self.routes.current
        if row is None:
            self.flash.say(f"no route under the cursor: {self.routes.empty_text()}", "warn")
        elif not self.routes.claim():
            self.flash.say(f"{aimed} has left the list; under the cursor is {row.id}: {self._keys[key]} again acts on that", "warn")
            row = None
        return row
