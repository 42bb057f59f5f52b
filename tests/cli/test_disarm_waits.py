"""``arbtui disarm`` waits for what an engine has open, without an engine: its answers are made here."""

from typing import Any, cast

import pytest

from arbtui.cli import disarm as command
from arbtui.cli.place import Place
from arbtui.model.errors import UsageError


class EnginePlace:
    """An engine that answers with ``opens``, one after the other, and has ended after them."""

    name, mode = "desk", "sim"

    def __init__(self, *opens: str) -> None:
        self.opens = list(opens)
        self.journaled: list[str] = []

    def is_running(self) -> bool:
        return bool(self.opens)

    def ask_to(self, verb: str, facts: dict[str, Any], typed: str, reason: str) -> dict[str, Any]:
        assert (verb, facts, typed, reason) == ("disarm", {}, "", "lunch")
        return {"refusal": None, "open": self.opens.pop(0)}

    def journal_it(self, reason: str, _: object) -> None:
        self.journaled.append(reason)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_AGAIN_S", 0.0)


def test_it_asks_until_nothing_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    place = EnginePlace("2 cycles", "1 cycle", "", "never asked")
    assert command.disarm(cast(Place, place), "lunch") == 0
    assert (place.opens, place.journaled) == (["never asked"], [])
    assert capsys.readouterr().out.startswith("desk is DISARMED in mode sim")


def test_what_an_engine_that_ended_meanwhile_could_not_do_is_journaled_for_the_next_start() -> None:
    place = EnginePlace("2 cycles")
    assert command.disarm(cast(Place, place), "lunch") == 0
    assert place.journaled == ["lunch"]


def test_what_does_not_end_is_told_with_the_state_that_it_is_left_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PATIENCE_S", -1.0)
    place = EnginePlace("1 cycle", "1 cycle")
    with pytest.raises(UsageError, match="desk is PAUSED, also after a restart, and still has 1 cycle open"):
        command.disarm(cast(Place, place), "lunch")
    assert (place.opens, place.journaled) == (["1 cycle"], [])
