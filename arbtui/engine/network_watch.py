"""Keeps what routes over networks cost in step: the network that would be used, and how much the price moves on the way."""

from collections.abc import Iterator
from functools import cache
from math import inf

from arbtui.engine.components import EngineComponents
from arbtui.engine.wallets import Wallets
from arbtui.exchanges.networks import NetworkPath, network_paths

_EVERY_S = 10.0
#: Routes looked at between two looks at the clock of the loop: well under a millisecond.
_SLICE = 50
#: A standard deviation of fewer seconds of marks than this is no measurement.
_LEAST_S = 240.0


class NetworkWatch:
    """Passes the state of wallets and networks to the transfer hops of all routes; a route over an unknown network does not trade."""

    def __init__(self, components: EngineComponents, wallets: Wallets) -> None:
        self._components = components
        self._wallets = wallets
        self._due = -inf
        self._work: Iterator[None] | None = None

    def look(self, now: float) -> None:
        """Do a slice of what is due at ``now`` (monotonic seconds)."""
        if self._work is None:
            if now < self._due:
                return
            self._due = now + _EVERY_S
            self._work = self._slices(now)
        self._work = self._work if next(self._work, self) is None else None

    def _slices(self, now: float) -> Iterator[None]:
        networks, asked = self._wallets.networks, self._wallets.asked_ms
        time_ms = self._components.clock.time_ms()

        @cache
        def paths(asset: str, sender: str, receiver: str) -> tuple[NetworkPath, ...]:
            sends, takes = networks.get(sender, {}), networks.get(receiver, {})
            return network_paths(asset, sender, receiver, sends.get(asset, ()), takes.get(asset, ()))

        routes = [route for route in self._components.universe.routes if route.transfers]
        for at in range(0, len(routes), _SLICE):
            for route in routes[at : at + _SLICE]:
                for hop in route.transfers:
                    told_ms = min(asked.get(hop.sender, 0), asked.get(hop.receiver, 0))
                    told_at = now - (time_ms - told_ms) / 1000
                    hop.take(paths(hop.asset, hop.sender, hop.receiver), told_at, self._sigma(hop.asset), route.touch_size())
                route.set_terms(route.terms)
            yield

    def _sigma(self, asset: str) -> float | None:
        """What the price of ``asset`` moves in a minute, one standard deviation, as a share; None while that is not measured."""
        moves = self._components.portfolio.state.volatility.get(asset)
        return None if moves is None or moves.seconds < _LEAST_S else moves.over(1.0)
