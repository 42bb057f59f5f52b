"""When a disk fails, and how."""

import errno
from dataclasses import dataclass, field


@dataclass(slots=True)
class Failing:
    """From the ``at``-th operation of a ``kind`` on (1 is the first) the disk fails, ``times`` often; 0 for never.

    ``kind``: ``write`` or ``sync``. ``how``: ``EIO``, ``ENOSPC``, or ``short``: a part is written, and then there is no space.
    """

    kind: str = ""
    at: int = 0
    how: str = "EIO"
    times: int = 1
    fired: int = 0
    seen: dict[str, int] = field(default_factory=lambda: {"write": 0, "sync": 0})

    @property
    def errno(self) -> int:
        """As the kernel's number."""
        return errno.EIO if self.how == "EIO" else errno.ENOSPC

    def meets(self, kind: str) -> bool:
        """An operation of ``kind`` begins: whether it fails."""
        self.seen[kind] += 1
        if kind != self.kind or self.seen[kind] < self.at or self.fired >= self.times:
            return False
        self.fired += 1
        return True
