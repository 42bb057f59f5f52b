"""What an operator does about a part of the desk: hold back one exchange, symbol or route, and set it free again."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from arbtui.engine.components import EngineComponents
from arbtui.engine.scope_watch import ScopeWatch
from arbtui.model.errors import UsageError
from arbtui.model.scoped_halts import FOLDER_NAME, GLOBAL, WALLET, Depth, ScopedHalt, archive_halt, depth_of, file_of, scope_of, write_halt
from arbtui.risk.guard import assets_of


class ScopeVerbs:
    """Each verb returns None when done, else why not.

    Args:
        untyped: why the profile's name and the reason are not as they must be typed; None when they are.
    """

    def __init__(self, components: EngineComponents, scopes: ScopeWatch, untyped: Callable[[str, str], str | None]) -> None:
        self._components = components
        self._scopes = scopes
        self._untyped = untyped

    def of_route(self, route_id: str) -> Sequence[str]:
        """The scopes that cover ``route_id``, the narrowest first; of no route, every exchange."""
        route = self._components.universe.by_id.get(route_id)
        if route is None:
            return [f"exchange.{name}" for name in self._components.adapters]
        return [f"route.{route.id}", f"symbol.{route.symbol}", *(f"exchange.{name}" for name in dict.fromkeys(route.exchanges))]

    def halt(self, scope: str, depth: str, source: str, by: str, reason: str) -> str | None:
        """Hold back ``scope``; one that stands as deep or deeper is left as it is, and said."""
        try:
            halt = ScopedHalt(scope_of(scope), depth_of(depth), source, by, reason.strip(), self._components.clock.time_ms())
        except UsageError as error:
            return str(error)
        if halt.scope == GLOBAL and halt.depth is Depth.HALTED:
            return "everything HALTED is the kill: its key asks nothing"
        if (refusal := self._covers_nothing(halt)) is not None:
            return refusal
        try:
            standing, written = write_halt(self._components.halt.folder, halt)
        except OSError as error:
            return f"the halt cannot be written: {error.strerror} ({error.filename})"
        self._scopes.look()
        return None if written else f"it is held back as deep already: {standing.in_words()}"

    def rearm(self, scope: str, typed_name: str, reason: str, by: str) -> str | None:
        """Take away the halt of ``scope``, or the file of that name that nobody understands. Its file is archived."""
        refusal = self._untyped(typed_name, reason)
        if refusal is not None:
            return refusal
        folder = self._components.halt.folder
        try:
            name = file_of(folder, scope)
            self._scopes.taken_by(scope if name == scope else scope_of(scope), by, reason.strip())
            if archive_halt(folder, name) is None:
                return f"no halt of {scope} stands"
        except UsageError as error:
            return str(error)
        except OSError as error:
            return f"the halt cannot be taken away: {error.strerror} ({error.filename})"
        self._scopes.look()
        return None

    def seen(self, scope: str) -> str | None:
        """Whether the halt of ``scope`` holds back anything of this run; else what is wrong."""
        self._scopes.look()
        parts = self._components
        halt = next((one for one in parts.risk.halts.standing if one.scope == scope), None)
        if halt is None:
            return f"the engine sees no halt of {scope} in {parts.halt.folder / FOLDER_NAME}"
        return self._covers_nothing(halt)

    def _covers_nothing(self, halt: ScopedHalt) -> str | None:
        """That nothing of this run falls under ``halt``, with what was probably meant; None where something does."""
        parts = self._components
        routes = parts.universe.routes
        if any(halt.covers(route.exchanges, assets_of(route), route.id) for route in routes):
            return None
        kind, _, name = halt.scope.partition(".")
        if kind == WALLET:
            wallets = [*parts.adapters, *(f"{place}:{asset}" for place, asset in parts.universe.nodes)]
            close = get_close_matches(name, wallets, n=1, cutoff=0.5)
            meant = f"; did you mean wallet.{close[0]}?" if close else ""
            return None if name in wallets else f"nothing that it trades falls under {halt.scope}{meant}"
        symbols = {name for route in routes for name in (route.symbol, *(f"{place}:{route.symbol}" for place in route.exchanges))}
        known = {"exchange": set(parts.adapters), "symbol": symbols, "route": {route.id for route in routes}}
        close = get_close_matches(name, sorted(known.get(kind, ())), n=1, cutoff=0.5)
        return f"nothing that it trades falls under {halt.scope}{f'; did you mean {kind}.{close[0]}?' if close else ''}"
