"""What an operator who is not at the console may do to the engine, beside the kill: hold back. Nothing here sets anything free."""

from typing import Protocol

from arbtui.engine.engine import Engine


class RemoteControls(Protocol):
    """The verbs of one person. Every call is synchronous and returns at once; None when done, else why not."""

    @property
    def by(self) -> str:
        """Who it is, as the journal names them."""
        ...

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """Hold back everything, or one exchange, symbol or route: PAUSED or REDUCING."""
        ...


class EngineRemoteControls:
    """They, of a running engine, by the verbs that the console has. See :class:`RemoteControls`.

    Args:
        source: from where, as in TELEGRAM; ``by``: who, as the journal names them.
    """

    def __init__(self, engine: Engine, source: str, by: str) -> None:
        self._engine = engine
        self._source = source
        self._by = by

    @property
    def by(self) -> str:
        """See :class:`RemoteControls`."""
        return self._by

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """See :class:`RemoteControls`."""
        return self._engine.operator.scopes.halt(scope, depth, self._source, self._by, reason)
