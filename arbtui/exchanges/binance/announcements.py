"""Binance's notices, over a signed socket of their own (developers.binance.com/docs/cms: general-info, announcement; since 2025-07-21).

The topic ``com_announcement_en`` brings each English notice once, as JSON inside JSON, without a number or an address. The socket is at the
origin of the REST interface. It is not said whether it confirms its topic: the handshake is what it checks.
"""

from hashlib import sha256

import msgspec

from arbtui.exchanges.amounts import reader
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.binance.rules import SPOT

PATH = "/sapi/wss"
TOPIC = "com_announcement_en"


class _Frame(msgspec.Struct):
    type: str = ""
    topic: str = ""
    data: str = ""


class _Notice(msgspec.Struct):
    title: str
    publishDate: int
    catalogId: int = 0
    catalogName: str = ""
    body: str | None = None


_frame = reader(_Frame, TOPIC)
_notice = reader(_Notice, TOPIC)


def announcement_of(frame: bytes) -> Announcement | None:
    """Read a frame; None for one that brings no notice.

    Raises:
        WireError: it cannot be read.
    """
    told = _frame(frame)
    if told.type != "DATA" or told.topic != TOPIC:
        return None
    notice = _notice(told.data.encode())
    return Announcement(
        exchange=SPOT,
        id=sha256(f"{notice.catalogId} {notice.publishDate} {notice.title}".encode()).hexdigest()[:16],
        title=notice.title,
        body=notice.body or "",
        url="",
        categories=(notice.catalogName,) if notice.catalogName else (),
        published_ms=notice.publishDate,
        utc_hours=0,
    )
