"""Where a simulated story's alerts go: a chat beyond the network, whose server takes messages and does not always say so."""

import asyncio
from typing import TYPE_CHECKING

from arbtui.monitoring.channel import Channel, Pace, SendLater
from arbtui.runtime.simulate.faults import ALERTS, FaultKind

if TYPE_CHECKING:
    from arbtui.runtime.simulate.world import World

NAME = "simulated:1"
_PATIENCE_S = 10.0
_ONE_WAY_S = 0.15


class SimulatedChat(Channel):
    """One process's way to the chat; what has arrived there is the world's."""

    def __init__(self, world: "World") -> None:
        self.name = NAME
        self.pace = Pace(1.0)
        self._world = world

    async def send(self, text: str) -> None:
        """See :meth:`Channel.send`; whoever calls it keeps the turn."""
        fault = self._world.take(ALERTS)
        if fault is not None:
            self._world.story.fire(fault.number, fault.kind, f"{fault.kind}: {text.splitlines()[0][:60]}")
        if fault is None or fault.kind is FaultKind.ALERT_UNHEARD:
            await asyncio.sleep(_ONE_WAY_S)
            self._world.told.append(text)
        if fault is not None:
            await asyncio.sleep(_PATIENCE_S)
            raise SendLater(f"no answer in {_PATIENCE_S:g} s")
        await asyncio.sleep(_ONE_WAY_S)
