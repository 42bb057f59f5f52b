"""The disk of a simulated story: a crash of the engine's process is a power cut of its machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.disk.connection import DiskOptions, on_disk
from tests.disk.log import DiskLog, PowerCuts


class PowerDisk:
    """See :class:`arbtui.runtime.simulate.disk.Disk`. What was synced is there; of the rest, what ``random`` chooses."""

    durable = True

    def __init__(self, log: DiskLog, random: Random) -> None:
        self._log, self._random = log, random
        self._walk = PowerCuts(log, random)
        self._mark = 0
        self.cuts = 0
        self.lost_operations = 0  #: that a cut fell before, of a write under way

    def mark(self) -> None:
        """See :meth:`Disk.mark`."""
        self._mark = len(self._log.ops)

    def leave(self, folder: Path, target: Path, *, since_mark: bool) -> None:
        """See :meth:`Disk.leave`."""
        end = len(self._log.ops)
        place = self._random.randint(self._mark, end) if since_mark else end
        self.cuts += 1
        self.lost_operations += end - place
        self._walk.advance(place)
        self._walk.leave(target, folder)
        self._walk.advance(end)
        self._walk.adopt(target)
        self._walk.forget()
        self._mark = 0


@contextmanager
def story_disk(root: Path, seed: int) -> Iterator[PowerDisk]:
    """A disk for the story that is played in ``root`` while the block lasts; ``seed`` decides what its cuts leave."""
    with on_disk(root, options=DiskOptions(checkpoint=100), prefix="life-") as log:
        yield PowerDisk(log, Random(f"power {seed}"))
