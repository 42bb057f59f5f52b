"""The desk's day begins at its own midnight."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from arbtui.portfolio.config import DeskConfig


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("timezone", "at", "day"),
    [
        ("UTC", "2026-01-01T23:59:59.999", "2026-01-01"),
        ("UTC", "2026-01-02T00:00:00.000", "2026-01-02"),
        ("Asia/Seoul", "2026-01-01T14:59:59.999", "2026-01-01"),
        ("Asia/Seoul", "2026-01-01T15:00:00.000", "2026-01-02"),  # 00:00 in Seoul
        ("America/New_York", "2026-03-08T04:59:59.999", "2026-03-07"),  # winter time until that night
        ("America/New_York", "2026-03-09T04:00:00.000", "2026-03-09"),
    ],
)
def test_a_day_is_that_of_the_desks_own_clock(timezone: str, at: str, day: str) -> None:
    assert DeskConfig(timezone=timezone).day_of(_ms(at)) == day


@pytest.mark.parametrize("name", ["Asia/Soul", "", "KST", "../etc/passwd", "Asia"])
def test_a_time_zone_that_does_not_exist_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValidationError, match="is no time zone; take an IANA name"):
        DeskConfig(timezone=name)
