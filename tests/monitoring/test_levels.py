"""What must stay level in a run of hours."""

import asyncio
from pathlib import Path

from arbtui.monitoring.levels import Levels
from tests.disk.descriptors import no_more_files


def test_what_cannot_be_looked_at_without_a_descriptor_stays_as_last_measured(tmp_path: Path) -> None:
    async def main() -> None:
        levels = Levels(tmp_path / "journal.db")
        levels.look(1.0, 10, 0.5)
        with no_more_files():
            levels.look(2.0, 11, 0.6)
        first, second = levels.series
        assert first.anon_mb > 1.0
        assert first.threads >= 1
        assert (second.second, second.fds, second.anon_mb, second.threads) == (2.0, 11, first.anon_mb, first.threads)

    asyncio.run(main())
