"""A CRITICAL alert that nobody acknowledges, or that the first way does not take, is told by the second; INFO waits for the morning."""

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from arbtui.journal.events import BreachAcknowledged, BreachRecorded, Killed, RunEnded
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.errors import JournalFailed
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import SendLater
from arbtui.monitoring.config import AlertsConfig
from arbtui.monitoring.quiet_hours import DeskHours, QuietHours, hours_of
from tests.journal.synthetic import SyntheticRun
from tests.monitoring.outpost import alerts_config, states
from tests.monitoring.virtual_desk import Told, desk

SEOUL = ZoneInfo("Asia/Seoul")


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


@pytest.mark.parametrize("first_way", ["is down", "takes them"])
def test_a_second_call_is_not_repeated_after_a_restart_for_any_alert_that_it_told_of(first_way: str, tmp_path: Path) -> None:
    """Whatever it was called for, and also where the next run is to wait longer than the last one did. What came later is told."""
    path, mail = tmp_path / "journal.db", Told("email")
    chat = Told("telegram:1", refuses=lambda now, text: SendLater("no route to host") if first_way == "is down" else None)

    async def life(epoch_s: int, *breaches: int, config: AlertsConfig | None = None) -> None:
        async with desk(path, [chat], [mail], config, epoch_ms=VIRTUAL_EPOCH_MS + epoch_s * 1000) as on:
            for number in breaches:
                on.breach(number)
            await asyncio.sleep(400)

    run_virtual(life(0, 1, 2, 3))
    (told,) = mail.texts
    assert "(and 2 other alerts)" in told
    run_virtual(life(410, config=alerts_config(escalate_after_s=900.0, undelivered_after_s=200.0)))
    assert len(mail.texts) == 1
    run_virtual(life(900, 4))
    assert ["number 4;" in text for text in mail.texts] == [False, True]
    assert "other alert" not in mail.texts[1]


def test_a_second_call_that_a_crash_cut_off_is_made_by_the_next_run(tmp_path: Path) -> None:
    path, down = tmp_path / "journal.db", Told("email", refuses=lambda now, text: SendLater("no route to host"))

    async def life(mail: Told, epoch_s: int) -> None:
        async with desk(path, [Told("telegram:1")], [mail], epoch_ms=VIRTUAL_EPOCH_MS + epoch_s * 1000) as on:
            if not epoch_s:
                on.breach(1)
            await asyncio.sleep(320)

    run_virtual(life(down, 0))
    assert down.asked
    mail = Told("email")
    run_virtual(life(mail, 330))
    assert ["number 1;" in text for text in mail.texts] == [True]


def test_a_kill_that_was_told_by_the_second_way_is_not_told_again(tmp_path: Path) -> None:
    path, mail = tmp_path / "journal.db", Told("email")

    async def life(epoch_s: int) -> None:
        async with desk(path, [Told("telegram:1")], [mail], epoch_ms=VIRTUAL_EPOCH_MS + epoch_s * 1000) as on:
            if not epoch_s:
                on.journal.post(Killed("KEY", "", 1))
                on.journal.post(BreachRecorded("b1", "CRIT", "KILL", "global", "key", "HALT"))
            await asyncio.sleep(400)

    for epoch_s in (0, 410):
        run_virtual(life(epoch_s))
    assert len([text for text in mail.texts if "UNANSWERED" in text]) == 1


def test_an_engine_that_is_restarted_again_and_again_calls_all_the_same(tmp_path: Path) -> None:
    mail = Told("email")

    async def life(number: int) -> None:
        async with desk(tmp_path / "journal.db", [Told("telegram:1")], [mail], epoch_ms=VIRTUAL_EPOCH_MS + number * 220_000) as on:
            if number == 0:
                on.breach(1)
            await asyncio.sleep(200)

    for number in range(3):
        run_virtual(life(number))
    assert ["number 1;" in text for text in mail.texts] == [True]


def test_that_the_engine_is_gone_is_told_by_every_way_at_once(tmp_path: Path) -> None:
    chat, mail = Told("telegram:1", refuses=lambda now, text: SendLater("no route to host")), Told("email")

    async def main() -> None:
        async with desk(tmp_path / "journal.db", [chat], [mail]) as on:
            on.breach(1, kind="ENGINE_DOWN")
            await asyncio.sleep(5)

    run_virtual(main())
    assert [text.split()[1] for text in mail.texts] == ["ENGINE_DOWN"], "nobody is left who could call a second time"


def test_what_came_shortly_before_a_second_call_is_not_taken_for_told_by_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    mail = Told("email")

    async def first() -> None:
        async with desk(path, [Told("telegram:1")], [mail]) as on:
            on.breach(1)
            await asyncio.sleep(290)
            on.breach(2)
            await asyncio.sleep(60)

    async def second() -> None:
        async with desk(path, [Told("telegram:1")], [mail], epoch_ms=VIRTUAL_EPOCH_MS + 400_000):
            await asyncio.sleep(400)

    run_virtual(first())
    assert ["number 1;" in text for text in mail.texts] == [True]
    run_virtual(second())
    assert ["number 2;" in text for text in mail.texts] == [False, True]


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
            for _ in range(1200):  # ten times a second, over the end of the quiet hours
                assert not on.alerts.overdue(), "what is quiet on purpose is not late"
                await asyncio.sleep(0.1)

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
