"""Bithumb's notices, a list that is asked for (apidocs.bithumb.com, 공지사항 조회, since V2.1.5): the newest, without their bodies.

``GET /v1/notices`` needs no key; ``count`` is 20 at most. Its times are Korean and name no zone.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from arbtui.exchanges.amounts import read
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.bithumb.rules import EXCHANGE
from arbtui.model.errors import WireError

PATH = "v1/notices"
COUNT = 20
KOREA_HOURS = 9


class _Row(msgspec.Struct):
    title: str
    pc_url: str = ""
    published_at: str = ""
    categories: list[str] = []


def announcements_of(answer: Any) -> list[Announcement]:
    """The notices of an answer, the oldest first; a row that is none is left out.

    Raises:
        WireError: it is no list.
    """
    found = []
    for row in read(answer, list[Any], PATH):
        try:
            found.append(_announcement(read(row, _Row, PATH)))
        except WireError:
            continue
    return found[::-1]


def _announcement(row: _Row) -> Announcement:
    try:
        published = datetime.strptime(row.published_at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone(timedelta(hours=KOREA_HOURS)))
    except ValueError as error:
        raise WireError(PATH, f"published_at {row.published_at!r} is no time") from error
    return Announcement(
        exchange=EXCHANGE,
        id=row.pc_url.rstrip("/").rpartition("/")[2] or f"{published.astimezone(UTC):%Y%m%d%H%M%S}",
        title=row.title,
        body="",
        url=row.pc_url,
        categories=tuple(row.categories),
        published_ms=int(published.timestamp() * 1000),
        utc_hours=KOREA_HOURS,
    )
