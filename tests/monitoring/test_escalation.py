"""A CRITICAL alert that nobody acknowledges, or that the first way does not take, is told by the second; in virtual time."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from arbtui.journal.events import BreachAcknowledged, BreachRecorded, RunEnded, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import VIRTUAL_EPOCH_MS, LoopClock
from arbtui.model.errors import JournalFailed
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.alert_manager import AlertManager
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import MessageRefused, Pace, SendLater
from arbtui.monitoring.config import AlertsConfig
from arbtui.monitoring.quiet_hours import DeskHours, QuietHours, hours_of
from tests.journal.synthetic import SyntheticRun
from tests.monitoring.outpost import alerts_config, states

SEOUL = ZoneInfo("Asia/Seoul")


@dataclass
class Told:
    """A channel that keeps what it takes, with the second; ``refuses`` gives what it raises instead."""

    name: str
    pace: Pace = field(default_factory=lambda: Pace(1.0))
    taken: list[tuple[float, str]] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    refuses: Callable[[float, str], Exception | None] = lambda now, text: None

    async def send(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        await asyncio.sleep(0.05)
        if (error := self.refuses(now, text)) is not None:
            raise error
        self.taken.append((now, text))

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.taken]


@dataclass
class Desk:
    """What runs in virtual time."""

    journal: Journal
    alerts: AlertManager

    def breach(self, number: int, severity: str = "CRIT", kind: str = "RESIDUAL") -> None:
        self.journal.post(BreachRecorded(f"b{number}", severity, kind, "global", f"number {number};", "HALT"))


@asynccontextmanager
async def desk(
    path: Path,
    first: Sequence[Told],
    second: Sequence[Told] = (),
    config: AlertsConfig | None = None,
    *,
    zone: tzinfo = UTC,
    epoch_ms: int = VIRTUAL_EPOCH_MS,
) -> AsyncIterator[Desk]:
    """A journal and an alert manager; they end as abruptly as a crash."""
    clock = LoopClock(asyncio.get_running_loop(), epoch_ms)
    journal = await Journal.open(path, clock=clock, door="sync", salt="0" * 16)
    alerts = AlertManager(journal, clock, first, "desk LIVE", load_outbox(path), config or AlertsConfig(), second=second, zone=zone)
    journal.alert_of, journal.on_dropped = alerts.alert_of, alerts.on_dropped
    sending = asyncio.create_task(alerts.run())
    try:
        await journal.commit(RunStarted(f"r{journal.load().runs + 1}", "desk", "live", None, "0", "c", {}, "ARMED"))
        yield Desk(journal, alerts)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await journal.close()


def test_what_nobody_acknowledges_is_told_by_the_second_way_once(tmp_path: Path) -> None:
    chat, mail = Told("telegram:1"), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.breach(1)
            on.breach(2, "WARN", "LOSSES")
            on.breach(3, kind="BALANCE_MISMATCH")
            on.journal.post(BreachAcknowledged("b3", "operator"))
            await asyncio.sleep(299)
            assert len(chat.taken) == 4
            assert not mail.taken, "the person has five minutes"
            await asyncio.sleep(3600)

    run_virtual(main())
    (told,) = mail.texts
    assert told.startswith("CRITICAL UNANSWERED nobody has acknowledged this for 5 min: RESIDUAL global: number 1;")
    assert "r1-4+2" in told, "its number, with which it is acknowledged"
    assert states(tmp_path / "journal.db") == {"SENT": 5}


def test_a_second_call_can_be_acknowledged_by_its_own_number(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path / "journal.db", [Told("telegram:1")], [Told("email")]) as on:
            on.breach(1)
            on.alerts.acknowledge_breach = lambda breach_id, by: on.journal.post(BreachAcknowledged(breach_id, by))
            (waits,) = on.alerts.unacknowledged
            assert on.alerts.acknowledge(f"{waits.alert.alert_id}+2", "a phone") is None
            assert not on.alerts.unacknowledged

    run_virtual(main())


def test_a_first_way_that_is_down_is_no_reason_to_wait_for_five_minutes(tmp_path: Path) -> None:
    chat, mail = Told("telegram:1", refuses=lambda now, text: SendLater("no route to host")), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            for number in range(3):
                on.breach(number)
            await asyncio.sleep(3600)

    run_virtual(main())
    (told,) = mail.texts
    assert "the first channel does not take this for 30 s (and 2 other alerts): RESIDUAL global: number 0;" in told
    assert mail.taken[0][0] < 40


def test_a_blocked_bot_is_told_by_the_second_way_and_gets_all_once_it_is_let_in(tmp_path: Path) -> None:
    """F70: 403 Forbidden."""
    chat, mail = Told("telegram:1"), Told("email")
    chat.refuses = lambda now, text: SendLater("Forbidden: bot was blocked by the user") if now < 1800 else None

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.breach(1)
            await asyncio.sleep(3600)
            assert not on.alerts.waiting

    run_virtual(main())
    assert len(mail.taken) == 1
    assert any("number 1;" in text for text in chat.texts)


def test_a_second_poller_is_told_by_every_way_at_once(tmp_path: Path) -> None:
    """F74: whoever reads the chat may be whom the alert warns of."""
    chat, mail = Told("telegram:1"), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.alerts.queue(Urgency.CRITICAL, "TELEGRAM_CONFLICT", "another program polls with this bot's token")
            await asyncio.sleep(5)

    run_virtual(main())
    assert any("TELEGRAM_CONFLICT" in text for text in chat.texts)
    assert any("TELEGRAM_CONFLICT" in text for text in mail.texts)


def test_a_failed_journal_is_told_by_every_way_at_once(tmp_path: Path) -> None:
    chat, mail = Told("telegram:1"), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.journal.on_failure = lambda failure: on.alerts.queue(Urgency.CRITICAL, "JOURNAL", str(failure))
            intent = SyntheticRun().intents(0)[1]
            with suppress(JournalFailed):
                on.journal.post(intent, intent)  # refused, as on a full disk
            await asyncio.sleep(5)

    run_virtual(main())
    assert any("JOURNAL" in text for text in mail.texts)


def test_with_a_second_way_alone_it_is_the_first(tmp_path: Path) -> None:
    mail = Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [], [mail]) as on:
            on.breach(1, "WARN", "LOSSES")
            await asyncio.sleep(5)

    run_virtual(main())
    assert any("LOSSES" in text for text in mail.texts)


def test_a_restart_neither_forgets_what_waits_nor_tells_it_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    mail = Told("email")

    async def life(epoch_s: int, breach: int | None, lasts_s: float) -> None:
        async with desk(path, [Told("telegram:1")], [mail], epoch_ms=VIRTUAL_EPOCH_MS + epoch_s * 1000) as on:
            if breach is not None:
                on.breach(breach)
            await asyncio.sleep(lasts_s)

    run_virtual(life(0, 1, 100))
    assert not mail.taken
    run_virtual(life(200, None, 400))
    assert len(mail.taken) == 1
    run_virtual(life(1000, 2, 400))
    assert len(mail.taken) == 2
    assert "number 2;" in mail.texts[1]
    run_virtual(life(200_000, None, 400))
    assert len(mail.taken) == 2


def test_quiet_hours_hold_back_info_alone_and_it_comes_in_the_morning(tmp_path: Path) -> None:
    chat = Told("telegram:1")
    midnight = int(datetime(2026, 1, 2, 0, 0, tzinfo=SEOUL).timestamp() * 1000)

    async def main() -> None:
        quiet = alerts_config(quiet_hours="23:00-07:00")
        async with desk(tmp_path / "journal.db", [chat], config=quiet, zone=SEOUL, epoch_ms=midnight) as on:
            on.breach(1, "WARN", "LOSSES")
            on.breach(2)
            await asyncio.sleep(7 * 3600 - 60)
            assert sorted(text.split()[0] for text in chat.texts) == ["CRITICAL", "WARN"]
            assert not on.alerts.overdue(), "what is quiet on purpose is not late"
            await asyncio.sleep(120)

    run_virtual(main())
    assert [text.split()[1] for text in chat.texts if text.startswith("INFO")] == ["STARTED"]


def test_the_end_of_a_run_waits_for_nothing_that_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    midnight = int(datetime(2026, 1, 2, 0, 0, tzinfo=SEOUL).timestamp() * 1000)

    async def main() -> None:
        quiet = alerts_config(quiet_hours="23:00-07:00")
        async with desk(path, [Told("telegram:1")], config=quiet, zone=SEOUL, epoch_ms=midnight) as on:
            on.journal.post(RunEnded("r1", "operator", 0))
            began = asyncio.get_running_loop().time()
            await on.alerts.flush(2.0)
            assert asyncio.get_running_loop().time() - began < 0.1

    run_virtual(main())
    assert states(path) == {"QUEUED": 2}, "the next start tells them"


@pytest.mark.parametrize(
    ("at", "left_h"),
    [("2026-01-02T22:59", 0), ("2026-01-02T23:00", 8), ("2026-01-03T03:30", 3.5), ("2026-01-03T06:59", 1 / 60), ("2026-01-03T07:00", 0)],
)
def test_how_long_it_is_quiet(at: str, left_h: float) -> None:
    now_ms = int(datetime.fromisoformat(at).replace(tzinfo=SEOUL).timestamp() * 1000)
    assert QuietHours(DeskHours(SEOUL), *hours_of("23:00-07:00")).left_s(now_ms) == pytest.approx(left_h * 3600)
    noon = QuietHours(DeskHours(SEOUL), *hours_of("12:00-13:00"))
    assert noon.left_s(now_ms) == 0.0


def test_a_change_to_summer_time_neither_skips_nor_doubles_a_morning() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = DeskHours(berlin)
    night_ms = int(datetime(2026, 3, 28, 23, 0, tzinfo=berlin).timestamp() * 1000)
    seven_ms = hours.next(night_ms, 7 * 60)
    assert seven_ms - night_ms == 7 * 3_600_000, "an hour less"
    assert hours.next(seven_ms, 7 * 60) - seven_ms == 24 * 3_600_000


def test_a_flood_of_critical_alerts_is_one_and_one_with_its_count(tmp_path: Path) -> None:
    """F75: 1,000 breaches in 10 s; each is in the journal."""
    path, chat = tmp_path / "journal.db", Told("telegram:1")

    async def main() -> None:
        async with desk(path, [chat]) as on:
            await asyncio.sleep(5)
            for number in range(1000):
                on.breach(number)
                await asyncio.sleep(0.01)
            await asyncio.sleep(60)
            assert not on.alerts.waiting

    run_virtual(main())
    told = [text for text in chat.texts if "RESIDUAL" in text]
    assert len(told) == 2
    assert "number 0;" in told[0]
    assert "\n999 times, the last: global: number 999;" in told[1]


def test_retry_after_is_obeyed_to_the_second_and_a_poisoned_text_goes_plain(tmp_path: Path) -> None:
    """F70: 429 with retry_after = 35, then 400 for what cannot be parsed."""
    chat = Told("telegram:1")
    refusals: list[Exception] = [SendLater("Too Many Requests", 35.0), MessageRefused("can't parse entities")]

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat]) as on:
            await asyncio.sleep(5)
            chat.refuses = lambda now, text: refusals.pop(0) if refusals else None
            on.breach(1)
            on.breach(2)
            await asyncio.sleep(120)

    run_virtual(main())
    asked = [at for at in chat.asked if at >= 5]
    assert 35.0 <= asked[1] - asked[0] < 36.0
    assert ["number 1;" in text for text in chat.texts[1:]] == [True, False]
    assert chat.texts[1].isascii()


def test_telegram_is_down_for_thirty_minutes(tmp_path: Path) -> None:
    """F69: in order of urgency, at most one message a second, INFO collapsed, nothing lost."""
    path, chat = tmp_path / "journal.db", Told("telegram:1")
    chat.refuses = lambda now, text: SendLater("no route to host") if now < 1800 else None

    async def main() -> None:
        async with desk(path, [chat]) as on:
            for number in range(300):
                on.alerts.queue(Urgency.INFO, "REARMED", f"info {number}")
                on.breach(number, "WARN", f"KIND_{number % 5}")
                if number % 60 == 0:
                    on.breach(1000 + number)
                await asyncio.sleep(5)
            await asyncio.sleep(1000)
            assert not on.alerts.waiting

    run_virtual(main())
    order = [text.split()[0] for text in chat.texts]
    assert order == sorted(order, key=["CRITICAL", "WARN", "INFO"].index)
    assert next(text for text in chat.texts if text.startswith("INFO REARMED")).count("300 times") == 1
    assert all(f"number {1000 + number};" in "".join(chat.texts) for number in range(0, 300, 60))
    times = [at for at, _ in chat.taken]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 1.0
    assert times[0] >= 1800
    assert len(chat.asked) < 60, "it is not asked again and again"
    assert set(states(path)) == {"SENT"}
