"""Upbit's notices, over the private socket (docs.upbit.com/kr/reference/websocket-announcement; since 2026-08-31).

Only what is published or changed while we listen is sent, and the body may be null where it is long. Its times are Korean.
"""

import msgspec

from arbtui.exchanges.amounts import reader
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.upbit.rules import EXCHANGE
from arbtui.exchanges.won.orders import ms_of

TYPE = "announcement"
#: What is asked for: all categories, with their bodies.
SUBSCRIPTION = {"type": TYPE, "include_body": True}
KOREA_HOURS = 9


class _Frame(msgspec.Struct):
    uuid: str
    title: str
    category: str = ""
    url: str = ""
    first_listed_at: str | None = None
    timestamp: int = 0
    body: str | None = None


_frame = reader(_Frame, TYPE)


def announcement_of(frame: bytes) -> Announcement:
    """Read a frame.

    Raises:
        WireError: it is none.
    """
    told = _frame(frame)
    return Announcement(
        exchange=EXCHANGE,
        id=told.uuid,
        title=told.title,
        body=told.body or "",
        url=told.url,
        categories=(told.category,) if told.category else (),
        published_ms=ms_of(told.first_listed_at) or told.timestamp,
        utc_hours=KOREA_HOURS,
    )
