"""One notice, read once and again: what is told of it, when each step is due, and what has passed."""

from datetime import datetime

import pytest

from arbtui.exchanges.announcements import Announcement
from arbtui.journal.events import NoticeRead, NoticeStep
from arbtui.risk.notices.reading import TradedThere, read_notice

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
THERE = TradedThere({("XRP", "KRW"), ("BTC", "KRW"), ("ADA", "BTC")}, ("XRP", "BTC", "ATOM"))


def ms(text: str) -> int:
    """A time in Korea, as ms since the epoch."""
    return int(datetime.fromisoformat(f"{text}+09:00").timestamp() * 1000)


PUBLISHED_MS = ms("2026-12-01 10:00")


def announced(title: str, body: str = "") -> Announcement:
    return Announcement("won", "7", title, body, "https://venue.example/7", (), PUBLISHED_MS, 9)


def read(title: str, body: str = "", *, after_ms: int = 0, before: NoticeRead | None = None) -> NoticeRead | None:
    """A notice that is read ``after_ms`` after it was published."""
    return read_notice(announced(title, body), THERE, PUBLISHED_MS + after_ms, before)


def due(notice: NoticeRead | None) -> dict[str, int]:
    """When each step is."""
    assert notice is not None
    return {step.key: step.at_ms for step in notice.steps}


def test_everything_that_is_told_of_a_notice() -> None:
    title, body = "엑스알피(XRP) 거래 일시 중단 안내 (12/03 02:00 ~ 06:00)", "점검을 위해\n거래를 멈춥니다"
    begins, ends = ms("2026-12-03 02:00"), ms("2026-12-03 06:00")
    assert read(title, body) == NoticeRead(
        notice_id="won:7",
        exchange="won",
        title=title,
        url="https://venue.example/7",
        digest=announced(title, body).digest,
        published_ms=PUBLISHED_MS,
        kinds=("maintenance",),
        coins=("XRP",),
        at_ms=begins,
        until_ms=ends,
        steps=(
            NoticeStep("hold", "symbol.XRP", begins - 600_000, "PAUSED"),
            NoticeStep("hold", "symbol.XRP", begins, "HALTED"),
            NoticeStep("open", "symbol.XRP", ends),
        ),
        new_coins=(),
    )


@pytest.mark.parametrize(
    ("title", "steps"),
    [
        ("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)", {"hold symbol.XRP REDUCING": 0, "hold symbol.XRP HALTED": "2026-12-15 14:00"}),
        ("엑스알피(XRP) 거래지원 종료 안내", {"hold symbol.XRP REDUCING": 0, "hold symbol.XRP HALTED": -HOUR_MS}),
        ("엑스알피(XRP) 유의 종목 지정 안내 (12/15 15:00)", {"hold symbol.XRP REDUCING": 0}),
        ("엑스알피(XRP) 입출금 일시 중단 안내 (12/15 15:00)", {"hold wallet.won:XRP PAUSED": 0}),
        ("전체 디지털 자산 입출금 일시 중단 안내 (12/15 15:00)", {"hold wallet.won PAUSED": 0}),
        ("서버 점검 안내 (12/15 15:00)", {"hold exchange.won PAUSED": "2026-12-15 14:50", "hold exchange.won HALTED": "2026-12-15 15:00"}),
        ("서버 점검 안내", {"hold exchange.won PAUSED": -600_000, "hold exchange.won HALTED": 0}),
        ("호가 단위 안내 (12/15 15:00)", {"rules exchange.won": "2026-12-15 15:00", "rules exchange.won again": "2026-12-15 15:10"}),
        ("호가 단위 안내", {"rules exchange.won": 0, "rules exchange.won again": 600_000}),
    ],
)
def test_when_each_step_is_due(title: str, steps: dict[str, int | str]) -> None:
    """A number: so long after the notice is read, which is an hour after it was published."""
    now_ms = PUBLISHED_MS + HOUR_MS
    assert due(read(title, after_ms=HOUR_MS)) == {key: now_ms + at if isinstance(at, int) else ms(at) for key, at in steps.items()}


@pytest.mark.parametrize(
    "title",
    [
        "엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)",
        "엑스알피(XRP) 거래지원 종료 안내",
        "엑스알피(XRP) 입출금 일시 중단 안내",
        "서버 점검 안내",
    ],
)
def test_what_was_to_be_done_at_once_stays_due_when_it_first_was(title: str) -> None:
    first = read(title)
    assert due(read(title, "자세한 내용", after_ms=HOUR_MS, before=first)) == due(first)


def test_what_is_due_by_now_is_due_now_and_not_when_it_would_have_been() -> None:
    first = read("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)")
    now_ms = ms("2026-12-03 14:00")
    later = read("엑스알피(XRP) 거래지원 종료 안내 (12/03 15:00)", after_ms=now_ms - PUBLISHED_MS, before=first)
    assert due(later) == {"hold symbol.XRP REDUCING": PUBLISHED_MS, "hold symbol.XRP HALTED": now_ms}


@pytest.mark.parametrize(("after_ms", "stays"), [(599_999, False), (600_000, True), (600_001, True)])
def test_of_two_steps_the_one_that_was_due_already_stays(after_ms: int, stays: bool) -> None:
    """The rules are read again ten minutes after the first reading; an update before then puts that off."""
    first = read("호가 단위 안내")
    again = due(read("호가 단위 안내", "자세한 내용", after_ms=after_ms, before=first))["rules exchange.won again"]
    assert again == PUBLISHED_MS + 600_000 + (0 if stays else after_ms)


def test_a_time_that_has_moved_and_cannot_be_read_means_the_moment_of_that_reading() -> None:
    first = read("엑스알피(XRP) 거래지원 종료 안내 (12/15 15:00)")
    moved = read("엑스알피(XRP) 거래지원 종료 일정 변경 안내", "추후 공지", after_ms=HOUR_MS, before=first)
    assert due(moved) == {"hold symbol.XRP REDUCING": PUBLISHED_MS + HOUR_MS, "hold symbol.XRP HALTED": PUBLISHED_MS}


def test_new_coins_stay_new_in_an_update_that_names_none() -> None:
    first = read("원화 마켓 디지털 자산 추가 (NEW)")
    assert first is not None
    assert (first.kinds, first.new_coins) == (("listing",), ("NEW",))
    later = read("엑스알피(XRP) 안내", before=first)
    assert later is not None
    assert (later.kinds, later.new_coins) == (("other",), ("NEW",))
    assert read("원화 마켓 디지털 자산 추가 (XRP)") is not None, "another kind of news of a coin of ours"


@pytest.mark.parametrize(
    ("title", "body", "at", "until"),
    [
        # of the day that the title names the body tells the hour
        ("12월 3일 서버 점검 안내", "12월 2일 10:00 공지\n12월 3일 02:00 ~ 06:00", "2026-12-03 02:00", "2026-12-03 06:00"),
        ("12월 3일 서버 점검 안내", "12월 3일 00:00 ~ 04:00", "2026-12-03 00:00", "2026-12-03 04:00"),
        ("12월 3일 서버 점검 안내", "12월 4일 00:00 ~ 04:00", "2026-12-03 00:00", None),
        ("12월 3일 서버 점검 안내", "12월 3일 공지", "2026-12-03 00:00", None),
        ("12월 3일, 12월 5일 서버 점검 안내", "12월 5일 02:00 ~ 06:00", "2026-12-05 02:00", "2026-12-05 06:00"),
        # of two that begin together the one that tells its end
        ("서버 점검 안내 (12/03 02:00, 12/03 02:00 ~ 06:00)", "", "2026-12-03 02:00", "2026-12-03 06:00"),
        ("서버 점검 안내 (12/03 02:00 ~ 06:00, 12/03 02:00)", "", "2026-12-03 02:00", "2026-12-03 06:00"),
        # what is over when it is published is not meant
        ("서버 점검 안내 (12/01 10:00)", "", "2026-12-01 10:00", None),
        ("서버 점검 안내 (12/01 09:59)", "", None, None),
        ("서버 점검 안내 (12/01 09:00 ~ 12/01 10:00)", "", "2026-12-01 09:00", "2026-12-01 10:00"),
        ("서버 점검 안내 (12/01 08:00 ~ 12/01 09:59)", "", None, None),
        ("서버 점검 안내", "12월 3일 02:00 ~ 06:00", "2026-12-03 02:00", "2026-12-03 06:00"),
        ("서버 점검 안내 (12/04 02:00)", "12월 3일 02:00 ~ 06:00", "2026-12-04 02:00", None),
    ],
)
def test_which_of_all_times_is_the_one(title: str, body: str, at: str | None, until: str | None) -> None:
    notice = read_notice(announced(title, body), THERE, PUBLISHED_MS - 2 * HOUR_MS)
    assert notice is not None
    assert (notice.at_ms, notice.until_ms) == (None if at is None else ms(at), None if until is None else ms(until))


@pytest.mark.parametrize(
    ("title", "now_ms"),
    [
        ("서버 점검 안내 (12/03 02:00 ~ 06:00)", ms("2026-12-03 06:00")),
        ("서버 점검 안내 (12/10 02:00)", ms("2026-12-10 02:00")),
        ("서버 점검 안내", PUBLISHED_MS + 3 * DAY_MS + 1),
        ("엑스알피(XRP) 입출금 일시 중단 안내 (12/03 02:00)", PUBLISHED_MS + 3 * DAY_MS + 1),
    ],
)
def test_what_passes_has_passed_from_then_on_and_not_a_moment_before(title: str, now_ms: int) -> None:
    def steps(at_ms: int) -> bool:
        notice = read_notice(announced(title), THERE, at_ms)
        return notice is not None and bool(notice.steps)

    assert (steps(now_ms - 1), steps(now_ms)) == (True, False)


@pytest.mark.parametrize(
    ("title", "coins"),
    [
        ("엑스알피(XRP) 원화 마켓 거래지원 종료 안내", ("XRP",)),
        ("엑스알피(XRP) BTC 마켓 거래지원 종료 안내", ()),
        ("에이다(ADA) 원화 마켓 거래지원 종료 안내", ()),
        ("에이다(ADA) BTC 마켓 거래지원 종료 안내", ("ADA",)),
        ("ADA/KRW, XRP/KRW 거래지원 종료 안내", ("XRP",)),
        ("ADA/BTC, XRP/BTC 거래지원 종료 안내", ("ADA",)),
        ("아톰(ATOM) BTC 마켓 거래지원 종료 안내", ("ATOM",)),  # held, and sold nowhere there: whatever the market
        ("ATOM/BTC 거래지원 종료 안내", ("ATOM",)),
        ("엑스알피(XRP), XRP/BTC 거래지원 종료 안내", ("XRP",)),
        ("KRW-BTC 거래지원 종료 안내", ("BTC",)),
        ("BTC-KRW 거래지원 종료 안내", ("BTC",)),
        ("BTC/KRW 거래지원 종료 안내", ("BTC",)),
        ("스토리지(STORJ) 거래지원 종료 안내", ()),
    ],
)
def test_a_market_of_another_quote_is_none_of_ours(title: str, coins: tuple[str, ...]) -> None:
    notice = read(title)
    steps = {step.scope for step in notice.steps} if notice is not None else set()
    assert steps == {f"symbol.{coin}" for coin in coins}


@pytest.mark.parametrize(("title", "held"), [("원화 마켓 점검 안내", True), ("BTC 마켓 점검 안내", True), ("USDT 마켓 점검 안내", False)])
def test_a_standstill_of_whole_markets_is_ours_where_something_of_ours_is_priced_in_their_quote(title: str, held: bool) -> None:
    notice = read(title)
    assert (notice is not None and {step.scope for step in notice.steps} == {"exchange.won"}) is held


def test_an_update_that_no_rule_knows_is_told_where_it_may_tell_another_end() -> None:
    said = "안내 말씀"
    standstill = read("서버 점검 안내 (12/03 02:00 ~ 06:00)")
    later = read(said, before=standstill)
    assert later is not None
    assert later.kinds == ("other",)
    assert read(said, before=read("서버 점검 안내 (12/03 02:00)")) is None
    assert read(said, before=read("엑스알피(XRP) 입출금 일시 중단 안내")) is None
    assert read(said) is None
