"""Notices that a person lets a venue publish: what they hold, and which were published before."""

from itertools import count

import msgspec


class PlayedNotice(msgspec.Struct, forbid_unknown_fields=True):
    """One notice. ``id``: a number of its own where none is given; the same one again is an update. ``body``: None as where it is long."""

    venue: str
    title: str
    body: str | None = ""
    category: str = ""
    id: str = ""


class NoticeBoard:
    """What one venue has published, oldest first."""

    def __init__(self) -> None:
        self.published: dict[str, tuple[PlayedNotice, int]] = {}  #: by id: the notice, and when it was first published, in ms
        self._number = 0  # the last one given

    def publish(self, notice: PlayedNotice, now_ms: int) -> tuple[PlayedNotice, int, bool]:
        """Take ``notice`` up; it with its id, its first publication in ms, and whether it is an update."""
        if not notice.id:
            self._number = next(number for number in count(self._number + 1) if str(number) not in self.published)
            notice = msgspec.structs.replace(notice, id=str(self._number))
        before = self.published.pop(notice.id, None)
        first_ms = now_ms if before is None else before[1]
        self.published[notice.id] = notice, first_ms
        return notice, first_ms, before is not None
