"""Every risk class is caught in both languages, and nothing is done about the rest."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.announcements import Announcement
from arbtui.journal.events import NoticeRead
from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.reading import TradedThere, read_notice

PUBLISHED = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
NOW_MS = int(PUBLISHED.timestamp() * 1000) + 5_000
COINS = ("ADA", "BTC", "DOGE", "ETH", "LINK", "SOL", "TRX", "XRP")
VENUES = {"won": ("KRW", 9), "dollar": ("USDT", 0)}
CORPUS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("corpus.toml").read_text("utf-8"))["notice"]


def announced(row: dict[str, Any]) -> Announcement:
    """The announcement of a row of the corpus."""
    venue = row.get("venue", "won")
    return Announcement(
        exchange=venue,
        id="1",
        title=row["title"],
        body=row.get("body", ""),
        url="https://venue.example/1",
        categories=tuple(row.get("categories", ())),
        published_ms=int(PUBLISHED.timestamp() * 1000),
        utc_hours=VENUES[venue][1],
    )


def there(venue: str) -> TradedThere:
    """What is traded at a venue of the corpus."""
    return TradedThere({(coin, VENUES[venue][0]) for coin in COINS}, COINS)


def read(row: dict[str, Any]) -> NoticeRead | None:
    """A row of the corpus, read."""
    return read_notice(announced(row), there(row.get("venue", "won")), NOW_MS)


def utc(ms: int | None) -> str | None:
    """A time as the corpus writes it."""
    return None if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize("row", CORPUS, ids=[row["title"][:60] or "nothing" for row in CORPUS])
def test_a_notice_is_read(row: dict[str, Any]) -> None:
    notice = read(row)
    if row.get("lenient"):
        assert notice is None or not notice.steps
        return
    if not row["kinds"]:
        assert notice is None, notice
        return
    assert notice is not None
    assert list(notice.kinds) == row["kinds"]
    assert sorted(notice.coins) == sorted(row["coins"])
    assert sorted(step.key for step in notice.steps) == sorted(row.get("steps", []))
    assert list(notice.new_coins) == row.get("new", [])
    if row.get("at") == "now":
        assert notice.at_ms is None
        assert all(step.at_ms <= NOW_MS for step in notice.steps)
    elif "at" in row:
        assert utc(notice.at_ms) == row["at"]
        assert utc(notice.until_ms) == row.get("until")


def test_the_corpus_is_large_and_of_both_languages() -> None:
    korean = [row for row in CORPUS if any("가" <= letter <= "힣" for letter in row["title"])]
    assert len(CORPUS) >= 60
    assert len(korean) >= 30
    assert len(CORPUS) - len(korean) >= 25
    assert {kind for row in CORPUS for kind in row["kinds"]} == {kind.value for kind in NoticeKind}
