"""The engine's end of the guardian: tells its heartbeat, and whether anybody watches it."""

import asyncio

from arbtui.engine.engine import Engine
from arbtui.settings.guardian_post import read_word
from arbtui.settings.heartbeat import Heartbeat
from arbtui.views.live import EngineViews

#: How often the count is written down, in seconds.
_BEAT_S = 0.2
#: After so long without a decision, one pass through the decider is made without a book, in seconds.
_IDLE_PASS_S = 1.0
#: How often a guardian is looked for, in seconds.
_LOOK_S = 2.0


class HeartbeatWriter:
    """Writes what the decider has done; makes a pass of its own only where no market moves. No timer counts as a heartbeat."""

    def __init__(self, engine: Engine, views: EngineViews, heartbeat: Heartbeat, *, live: bool) -> None:
        self._engine = engine
        self._views = views
        self._heartbeat = heartbeat
        self._live = live

    async def run(self) -> None:
        """Until cancelled."""
        decider, now = self._engine.decider, asyncio.get_running_loop().time
        passes, changed_at, looked_at = decider.passes, now(), now() - _LOOK_S
        while True:
            if decider.passes != passes:
                passes, changed_at = decider.passes, now()
            elif now() - changed_at >= _IDLE_PASS_S:
                decider.pass_idle()
            self._heartbeat.beat(decider.passes, self._engine.state)
            if self._live and now() - looked_at >= _LOOK_S:
                looked_at = now()
                self._views.is_watched = read_word(self._engine.components.halt.folder) is not None
            await asyncio.sleep(_BEAT_S)
