"""What an alert says: every CRITICAL in a message can be seen, whatever the others say, and no message is too long to send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import BreachRecorded, Event, Killed, Rearmed, RunEnded, RunStarted, StateChanged
from arbtui.monitoring.alert import FLOOD, WORDINGS, Alert, message
from arbtui.monitoring.alert_rules import Urgency, wording_of

TELEGRAM_TAKES = 4096


def alerts(urgency: Urgency, texts: list[str]) -> list[Alert]:
    return [Alert(f"r1-{number}", 1_767_225_600_000, urgency, "RESIDUAL", text) for number, text in enumerate(texts)]


@given(st.lists(st.text(max_size=6000), min_size=1, max_size=10), st.sampled_from(Urgency), st.integers(0, WORDINGS - 1))
def test_every_message_is_short_enough_and_names_its_first_alert(texts: list[str], urgency: Urgency, wording: int) -> None:
    text = message("desk SIM", alerts(urgency, texts), wording)
    assert 0 < len(text.encode("utf-16-le")) <= 2 * TELEGRAM_TAKES
    assert wording == 1 or "r1-0" in text


def test_a_long_critical_hides_no_other() -> None:
    text = message("desk SIM", alerts(Urgency.CRITICAL, ["x" * 5000] * 10), 0)
    assert all(f"r1-{number}" in text for number in range(10))
    assert text.endswith("desk SIM")


def test_what_telegram_counts_twice_is_counted_twice() -> None:
    text = message("desk SIM", alerts(Urgency.WARN, ["\U0001f4a5" * 4000]), 0)
    assert len(text.encode("utf-16-le")) <= 2 * TELEGRAM_TAKES
    assert "\U0001f4a5..." in text


def test_a_flood_is_one_message_with_its_count_and_the_numbers_of_its_alerts() -> None:
    flood = alerts(Urgency.CRITICAL, ["a limit was broken"] * FLOOD)
    flood[-1].more, flood[-1].last = 949, "the last one"
    text = message("desk SIM", flood, 0)
    assert "CRITICAL RESIDUAL a limit was broken\n999 times, the last: the last one\n" in text
    assert all(f" {alert.alert_id}" in text for alert in flood)
    assert len(text) <= TELEGRAM_TAKES


def test_a_plain_wording_is_ascii() -> None:
    text = message("desk SIM", alerts(Urgency.CRITICAL, ["\ud55c\uae00 caf\u00e9 <b> & \x00"]), 1)
    assert text.isascii()
    assert "cafe" in text


@pytest.mark.parametrize(
    ("event", "urgency", "said"),
    [
        (Killed("CLI", "", 4), Urgency.CRITICAL, "killed by CLI; epoch 4"),
        (BreachRecorded("b", "CRIT", "LOSS_DAY", "global", "-120.00 today", "HALT"), Urgency.CRITICAL, "global: -120.00 today (HALT)"),
        (BreachRecorded("b", "WARN", "LOSSES", "BTC:a>b", "many", "paused"), Urgency.WARN, "BTC:a>b: many (paused)"),
        (StateChanged("HALTED_DIRTY", "UPBIT cancels not confirmed"), Urgency.CRITICAL, "UPBIT cancels not confirmed"),
        (StateChanged("HALTED", "UPBIT ok"), Urgency.INFO, "UPBIT ok"),
        (Rearmed("operator", "looked"), Urgency.INFO, "by operator: looked"),
        (RunStarted("r3", "desk", "sim", 1, "0.1.0", "c", {}, "RECOVERING"), Urgency.INFO, "run r3 of desk in sim"),
        (RunEnded("r3", "kill", 3), Urgency.INFO, "run r3: kill, exit code 3"),
    ],
)
def test_what_is_told_and_how_loudly(event: Event, urgency: Urgency, said: str) -> None:
    wording = wording_of(event)
    assert wording is not None
    assert wording.urgency is urgency
    assert said in wording.text


@pytest.mark.parametrize("event", [StateChanged("ARMED", ""), BreachRecorded("b", "CRIT", "KILL", "global", "by KEY", "HALT")])
def test_the_usual_and_what_was_told_already_are_not(event: Event) -> None:
    assert wording_of(event) is None
