"""Times, coins and updates of announcements, one promise each."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.announcements import Announcement
from arbtui.journal.events import NoticeRead, encode
from arbtui.model.clock import iso_ms
from arbtui.model.errors import WireError
from arbtui.risk.notices.coins import coins_in
from arbtui.risk.notices.reading import TradedThere, read_notice
from arbtui.risk.notices.rules import NoticeRules
from arbtui.risk.notices.text import Phrase, plain_text
from arbtui.risk.notices.times import times_in

KST = timezone(timedelta(hours=9))
PUBLISHED_MS = int(datetime(2026, 12, 1, 1, 0, tzinfo=UTC).timestamp() * 1000)  # 10:00 KST
THERE = TradedThere({("XRP", "KRW"), ("BTC", "KRW")}, ("XRP", "BTC"))


def ms(text: str) -> int:
    """UTC, as ms since the epoch."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-12-03 15:00", "2026-12-03T06:00", None),
        ("2026년 12월 3일(목) 오후 3시 30분", "2026-12-03T06:30", None),
        ("12월 3일 15시", "2026-12-03T06:00", None),
        ("2026.12.03 15:00 ~ 17:00", "2026-12-03T06:00", "2026-12-03T08:00"),
        ("12/3 23:00 ~ 12/4 01:00", "2026-12-03T14:00", "2026-12-03T16:00"),
        ("12/3 23:00 ~ 01:00", "2026-12-03T14:00", "2026-12-03T16:00"),
        ("12월 3일 오후 2시 ~ 4시", "2026-12-03T05:00", "2026-12-03T07:00"),
        ("12월 3일 오후 10시 ~ 10시", "2026-12-03T13:00", "2026-12-04T01:00"),
        ("2026-12-03 03:00 (UTC)", "2026-12-03T03:00", None),
        ("2026-12-03 03:00 ~ 05:00 UTC", "2026-12-03T03:00", "2026-12-03T05:00"),
        ("from 2026-12-03 03:00 to 2026-12-03 05:30 (UTC)", "2026-12-03T03:00", "2026-12-03T05:30"),
        ("Dec 3rd, 2026, 3:00 PM UTC+8", "2026-12-03T07:00", None),
        ("3 December 2026 at 12 am UTC", "2026-12-03T00:00", None),
        ("1월 5일 09:00", "2027-01-05T00:00", None),
        ("오후 6시부터", "2026-12-01T09:00", None),
        ("09:00", "2026-12-02T00:00", None),
        ("12/3 24:00", "2026-12-03T15:00", None),
        ("12/02 02:00 → 12/03 02:00", "2026-12-02T17:00", None),
    ],
)
def test_a_time_is_read_with_its_zone(text: str, start: str, end: str | None) -> None:
    spans = times_in(text, PUBLISHED_MS, KST)
    assert [(span.start_ms, span.end_ms) for span in spans] == [(ms(start), None if end is None else ms(end))]


@pytest.mark.parametrize("text", ["", "24/7", "13월 40일", "24시간 이내", "2026-02-31 10:00", "25:00", "99:99", "version 1.2.3", "v2026"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert [span for span in times_in(text, PUBLISHED_MS, KST) if not span.is_day and "2026-02" not in text] == []


def test_a_year_that_cannot_be_raises_nothing() -> None:
    times_in("2099-12-31 24:00 ~ 9999-12-31 24:00 UTC+99", PUBLISHED_MS, KST)


@pytest.mark.parametrize(
    ("text", "coins", "pairs"),
    [
        ("엑스알피(XRP)", ("XRP",), ()),
        ("XRP, BTC and FOO", ("XRP", "BTC"), ()),
        ("(XRP, FOO)", ("XRP", "FOO"), ()),
        ("XRP/KRW", (), (("XRP", "KRW"),)),
        ("KRW-XRP", (), (("XRP", "KRW"),)),
        ("XRPUSDT", (), (("XRP", "USDT"),)),
        ("XRP(KRW, BTC 마켓)", ("XRP",), ()),
        ("xrp", (), ()),
        ("(KST) (UTC) (15)", (), ()),
        ("XRPL and BTCB", (), ()),
    ],
)
def test_coins_are_found(text: str, coins: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> None:
    named = coins_in(text, ("XRP", "BTC"), NoticeRules.shipped())
    assert (named.coins, named.pairs) == (coins, pairs)


def test_the_times_of_the_rules_are_minutes_and_days() -> None:
    table = tomllib.loads(files("arbtui.risk.notices").joinpath("rules.toml").read_text("utf-8"))
    rules = NoticeRules.read({**table, "halt_before_min": 90, "drain_min": 2.5, "old_days": 2})
    assert (rules.halt_before_ms, rules.drain_ms, rules.old_ms) == (5_400_000, 150_000, 172_800_000)


def test_a_word_is_no_part_of_another() -> None:
    assert Phrase("will list").stands_in("Binance Will List X")
    assert not Phrase("listing").stands_in("Delisting of X")
    assert Phrase("거래지원 .. 종료").stands_in("X 거래 지원을 종료")
    assert not Phrase("거래지원 .. 종료").stands_in("종료된 거래지원")


def test_every_shipped_phrase_stands_where_it_is_written_whatever_its_words_end_in_and_hyphens_join() -> None:
    rules = NoticeRules.shipped()
    of_rules = [(*rule.phrases, *rule.never, *rule.but_not, *rule.unless) for rule in rules.rules]
    phrases = {one.written for part in (*of_rules, rules.more_in_body, rules.moved, rules.nothing) for one in part}
    assert len(phrases) > 300
    for written in phrases:
        title = plain_text(written.replace("*", "ing").replace(" .. ", " between "))
        assert Phrase(written).stands_in(f"A {title.upper()}, B"), written
        assert not title.isascii() or Phrase(written).stands_in("-".join(title.split())), written


def test_decoration_is_no_letter() -> None:
    assert plain_text("🚨 USDⓈ\u200b-M\u00a0X") == "USDS -M X"


def _announced(title: str, body: str = "") -> Announcement:
    return Announcement("won", "7", title, body, "", (), PUBLISHED_MS, 9)


def _read(said: Announcement, before: NoticeRead | None = None, now_ms: int = PUBLISHED_MS) -> NoticeRead:
    notice = read_notice(said, THERE, now_ms, before)
    assert notice is not None
    return notice


def test_an_update_moves_what_is_to_come() -> None:
    first = _read(_announced("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)"))
    later = _read(_announced("엑스알피(XRP) 거래지원 종료 일정 변경 안내 (12/18 15:00)"), first)
    assert later.at_ms == ms("2026-12-18T06:00")
    assert {step.key: step.at_ms for step in later.steps}["hold symbol.XRP HALTED"] == ms("2026-12-18T05:00")


def test_an_update_without_a_time_keeps_the_one_that_is_known() -> None:
    first = _read(_announced("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)"))
    assert _read(_announced("엑스알피(XRP) 거래지원 종료 안내"), first).at_ms == first.at_ms


def test_an_update_that_moves_the_time_to_one_that_cannot_be_read_means_now() -> None:
    first = _read(_announced("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)"))
    moved = _read(_announced("엑스알피(XRP) 거래지원 종료 일정 변경 안내", "추후 공지"), first)
    assert moved.at_ms is None
    assert all(step.at_ms <= PUBLISHED_MS for step in moved.steps)


def test_the_end_of_a_standstill_opens_no_coin_that_leaves() -> None:
    notice = _read(_announced("엑스알피(XRP) 거래 일시 중단(12/03 02:00 ~ 06:00) 및 상장 폐지 안내"))
    assert notice.kinds == ("delisting", "maintenance")
    assert [step.verb for step in notice.steps] == ["hold"] * len(notice.steps)


def test_an_update_takes_no_step_away() -> None:
    first = _read(_announced("서버 점검 안내 (12/03 02:00 ~ 06:00)"))
    over = _read(_announced("서버 점검 안내 (완료)"), first)
    assert over.kinds == ("over",)
    assert over.steps == first.steps


ENDS = ms("2026-12-02T21:00")


@pytest.mark.parametrize(
    ("title", "body", "end"),
    [
        ("서버 점검 연장 안내", "종료 시각은 추후 공지", None),
        ("서버 점검 연장 안내 (12/03 02:00 ~ )", "", None),
        ("서버 점검 연장 안내 (12/03 02:00 ~ 06:00)", "종료 시각은 추후 공지", None),  # the old times still stand there
        ("서버 점검 안내", "", None),  # the body, with the end in it, may be left out
        ("점검 종료 시간 연장 안내", "", None),
        ("서버 점검 완료 시간 연장 안내", "", None),
        ("점검이 길어지고 있습니다", "", None),  # no rule knows it
        ("Server maintenance extended until further notice", "", None),
        ("서버 점검 연장 안내 (12/03 02:00 ~ 08:00)", "", "2026-12-02T23:00"),
        ("서버 점검 연장 안내", "점검 일시: 12월 3일 02:00 ~ 08:00", "2026-12-02T23:00"),
        ("서버 점검 안내 (완료)", "", "2026-12-02T21:00"),
        ("서버 점검 완료 안내", "", "2026-12-02T21:00"),
    ],
)
def test_an_update_of_a_maintenance_opens_at_the_end_that_it_names_itself_or_never(title: str, body: str, end: str | None) -> None:
    first = _read(_announced("서버 점검 안내 (12/03 02:00 ~ 06:00)"))
    assert [step.at_ms for step in first.steps if step.verb == "open"] == [ENDS]
    later = _read(_announced(title, body), first, PUBLISHED_MS + 3_600_000)
    assert [step.at_ms for step in later.steps if step.verb == "open"] == ([] if end is None else [ms(end)])
    assert [step.key for step in later.steps if step.verb == "hold"] == [step.key for step in first.steps if step.verb == "hold"]


def test_a_time_before_the_publication_is_not_the_one() -> None:
    said = _announced("엑스알피(XRP) 거래지원 종료 안내", "유의 종목 지정: 2026-11-01 10:00\n종료: 2026-12-15 15:00")
    assert _read(said).at_ms == ms("2026-12-15T06:00")


def test_only_past_times_mean_now() -> None:
    said = _announced("엑스알피(XRP) 거래지원 종료 안내 (2026-11-15 15:00)")
    assert _read(said).at_ms is None


def test_a_title_that_names_the_day_takes_the_hour_from_the_body() -> None:
    said = _announced("12월 3일 서버 점검 안내", "12월 2일 공지\n12월 3일 02:00 ~ 06:00")
    notice = _read(said)
    assert (notice.at_ms, notice.until_ms) == (ms("2026-12-02T17:00"), ms("2026-12-02T21:00"))


def test_a_coin_that_is_held_and_not_traded_there_counts() -> None:
    there = replace(THERE, held=("XRP", "BTC", "ATOM"))
    notice = read_notice(_announced("아톰(ATOM) 거래지원 종료 안내"), there, PUBLISHED_MS)
    assert notice is not None
    assert notice.coins == ("ATOM",)


def test_a_long_body_is_read_in_no_time_worth_naming() -> None:
    """A body of a megabyte: only its beginning is read, so that the loop does not stand."""
    notice = read_notice(_announced("엑스알피(XRP) 입출금 일시 중단 안내", "가1 2:3 ~ (" * 100_000), THERE, PUBLISHED_MS)
    assert notice is not None


@pytest.mark.parametrize(
    "title", ["서버 점검 안내", "서버 점검 안내 (12/03 02:00 ~ 06:00)", "엑스알피(XRP) 입출금 일시 중단 안내", "호가 단위 변경 안내"]
)
def test_what_was_over_before_it_was_first_read_is_not_acted_on(title: str) -> None:
    days = 86_400_000
    notice = read_notice(_announced(title), THERE, PUBLISHED_MS + 5 * days)
    assert notice is None or notice.steps == ()


@pytest.mark.parametrize("title", ["엑스알피(XRP) 거래지원 종료 안내", "엑스알피(XRP) 유의 종목 지정 안내"])
def test_a_coin_that_leaves_or_is_warned_of_is_so_however_old_the_notice(title: str) -> None:
    assert _read(_announced(title), now_ms=PUBLISHED_MS + 30 * 86_400_000).steps


#: Whatever a parser of JSON makes of a text, halves of surrogate pairs included.
_ANY_TEXT = st.text(st.characters(), max_size=300)
#: Whatever a field of a time may hold.
_ANY_TIME = st.one_of(
    st.integers(), st.integers(10**12, 5 * 10**12), st.integers(-(10**30), 10**30), st.floats(), st.booleans(), st.none(), st.text()
)


@given(_ANY_TEXT, _ANY_TEXT, _ANY_TIME, st.integers(0, 5 * 10**12))
@settings(max_examples=500, deadline=None)
def test_no_text_and_no_time_raises_anything_but_that_it_cannot_be_read(title: str, body: str, published: Any, now_ms: int) -> None:
    try:
        said = Announcement("won", "7", title, body, "", (), published, 9)
    except WireError:
        return
    first = read_notice(said, THERE, now_ms)
    for notice in (first, read_notice(said, THERE, now_ms, first)):
        if notice is not None:
            encode(notice)
            [iso_ms(step.at_ms) for step in notice.steps]


@pytest.mark.parametrize("published", [0, -1, 1788138000, 10**15, 10**30, True, 1.7e12, float("nan"), float("inf"), None, "1788138000000"])
def test_a_time_that_is_none_makes_no_announcement(published: Any) -> None:
    with pytest.raises(WireError, match="time of publication"):
        Announcement("won", "7", "서버 점검 안내 (02:00 ~ 06:00)", "", "", (), published, 9)


@pytest.mark.parametrize("field", ["id", "title", "body", "url", "categories"])
def test_half_a_character_makes_no_announcement(field: str) -> None:
    told: dict[str, Any] = {"id": "7", "title": "T", "body": "", "url": "", "categories": ()}
    told[field] = ("\ud83d",) if field == "categories" else "서버 \ud83d 점검"
    with pytest.raises(WireError, match="is no character"):
        Announcement(exchange="won", published_ms=PUBLISHED_MS, utc_hours=9, **told)


_WORDS = st.sampled_from(
    [
        "12/15",
        "오후",
        "3시",
        "~",
        "→",
        "(XRP)",
        "거래지원",
        "종료",
        "점검",
        "24:00",
        "UTC+9",
        "2026-12-31",
        "\n",
        "완료",
        "XRP/KRW",
        "Dec 31st",
        "to",
        "(",
    ]
)


@given(st.lists(_WORDS, max_size=25).map(" ".join), st.lists(_WORDS, max_size=40).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_no_mixture_of_their_words_raises_anything(title: str, body: str) -> None:
    notice = read_notice(_announced(title, body), THERE, PUBLISHED_MS)
    assert notice is None or all(step.verb in ("hold", "open", "rules") for step in notice.steps)
