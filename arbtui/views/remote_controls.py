"""What an operator who is not at the console may do, beside the kill: hold back, and say that something was seen. Nothing is set free."""

from typing import Protocol

from arbtui.engine.engine import Engine


class RemoteControls(Protocol):
    """The verbs of one person. Every call is synchronous and returns at once; None when done, else why not."""

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """Hold back everything, or one exchange, symbol or route: PAUSED or REDUCING."""
        ...

    def acknowledge(self, breach_id: str) -> str | None:
        """The person has seen the breach; refused where something would trade again by that."""
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

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """See :class:`RemoteControls`."""
        return self._engine.operator.scopes.halt(scope, depth, self._source, self._by, reason)

    def acknowledge(self, breach_id: str) -> str | None:
        """See :class:`RemoteControls`."""
        return self._engine.operator.acknowledge_away(breach_id, self._by)
