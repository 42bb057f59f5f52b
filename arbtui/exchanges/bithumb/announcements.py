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
    pc_url: str | None = ""
    published_at: str = ""
    categories: list[str] | None = None


def announcements_of(answer: Any, odd: dict[str, str]) -> list[Announcement]:
    """The notices of an answer, the oldest first. A row that is none is left out; ``odd`` gets it, by what there is of it, and why.

    Raises:
        WireError: it is no list.
    """
    found = []
    for row in read(answer, list[Any], PATH):
        try:
            found.append(_announcement(read(row, _Row, PATH)))
        except WireError as error:
            odd[ascii(row)[:200]] = str(error)
    return found[::-1]


def _announcement(row: _Row) -> Announcement:
    try:
        published = datetime.strptime(row.published_at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone(timedelta(hours=KOREA_HOURS)))
        stamp = f"{published.astimezone(UTC):%Y%m%d%H%M%S}"
    except (ValueError, OverflowError) as error:
        raise WireError(PATH, f"published_at {row.published_at!r} is no time") from error
    url = row.pc_url or ""
    return Announcement(
        exchange=EXCHANGE,
        id=url.rstrip("/").rpartition("/")[2] or stamp,
        title=row.title,
        body="",
        url=url,
        categories=tuple(row.categories or ()),
        published_ms=int(published.timestamp() * 1000),
        utc_hours=KOREA_HOURS,
    )
