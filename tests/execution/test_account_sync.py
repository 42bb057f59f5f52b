"""How often a venue's account is asked for what its stream may have missed, and whether it counts as heard."""

import asyncio
from pathlib import Path

from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.execution.test_tracker import streaming
from tests.execution.world import world


def test_an_account_whose_stream_is_broken_is_asked_often_and_is_not_heard_until_it_is_open_and_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w) as followers:
            sync, guard = followers["upbit"], w.engine.risk.exchange["upbit"]

            def unfit() -> Reason | None:
                return guard.unfit(w.clock.monotonic())

            def connected() -> bool:
                return sync.is_connected

            await asyncio.sleep(1)
            assert connected()
            assert unfit() is None
            read = sync.readings
            await asyncio.sleep(59)
            assert sync.readings - read == 2  # every 30 s

            sync.on_disconnected("upbit")
            assert not connected()
            assert unfit() is Reason.VENUE_DEGRADED
            await asyncio.sleep(31)
            read = sync.readings
            await asyncio.sleep(22)
            assert sync.readings - read == 4  # every 5 s
            assert unfit() is Reason.VENUE_DEGRADED  # asked and answered, and still deaf

            read = sync.readings
            sync.on_reconnected("upbit")
            assert unfit() is Reason.VENUE_DEGRADED  # what was missed is not known yet
            await asyncio.sleep(3)
            assert connected()
            assert sync.readings - read == 1
            await asyncio.sleep(30)
            assert unfit() is None

    run_virtual(main())
