"""Codes that confirm: for one user, chat, command and scope, once, within a minute, three tries."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from arbtui.monitoring.one_time_code import LIVES_S, TRIES, Asked, OneTimeCodes, is_code

ASKED = Asked(42, 42, "/reduce", "exchange.upbit", "why")


@dataclass
class Watch:
    """A clock by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def codes(watch: Watch) -> OneTimeCodes:
    drawn: Iterator[str] = (f"{number:06d}" for number in range(1, 100))
    return OneTimeCodes(watch, lambda: next(drawn))


def test_it_confirms_what_it_was_given_for_once(codes: OneTimeCodes) -> None:
    code = codes.give(ASKED)
    assert code == "000001"
    assert codes.take(42, 42, "/reduce", code) == ASKED
    assert codes.take(42, 42, "/reduce", code) == "no code waits for that"


@pytest.mark.parametrize("place", [(43, 42, "/reduce"), (42, -7, "/reduce"), (42, 42, "/other")], ids=["user", "chat", "command"])
def test_it_is_bound_to_user_chat_and_command(codes: OneTimeCodes, place: tuple[int, int, str]) -> None:
    code = codes.give(ASKED)
    assert code is not None
    assert codes.take(*place, code) == "no code waits for that"
    assert codes.take(42, 42, "/reduce", code) == ASKED


def test_it_is_bound_to_its_scope(codes: OneTimeCodes) -> None:
    code = codes.give(ASKED)
    assert code is not None
    assert "not the code for global" in str(codes.take(42, 42, "/reduce", code, "global"))
    assert codes.take(42, 42, "/reduce", code, "exchange.upbit") == ASKED


def test_it_expires(codes: OneTimeCodes, watch: Watch) -> None:
    code = codes.give(ASKED)
    assert code is not None
    watch.now += LIVES_S - 0.1
    assert "not the code" in str(codes.take(42, 42, "/reduce", "999999"))
    watch.now += 0.1
    assert "expired" in str(codes.take(42, 42, "/reduce", code))
    assert codes.take(42, 42, "/reduce", code) == "no code waits for that"


def test_three_wrong_ones_make_it_void_and_another_is_not_given_for_a_minute(codes: OneTimeCodes, watch: Watch) -> None:
    code = codes.give(ASKED)
    assert code is not None
    for _ in range(TRIES):
        said = codes.take(42, 42, "/reduce", "999999")
    assert "the code is void" in str(said)
    assert codes.take(42, 42, "/reduce", code) == "no code waits for that"
    assert codes.give(ASKED) is None
    assert codes.give(replace(ASKED, command="/other")) is None
    assert codes.give(replace(ASKED, user_id=43, chat_id=43)) is not None
    watch.now += LIVES_S
    assert codes.give(ASKED) is not None


def test_asking_once_more_gives_no_more_tries(codes: OneTimeCodes) -> None:
    said: list[object] = []
    for _ in range(TRIES):
        assert codes.give(ASKED) is not None
        said.append(codes.take(42, 42, "/reduce", "999999"))
    assert "the code is void" in str(said[-1])
    assert codes.give(ASKED) is None


def test_a_new_request_takes_the_place_of_the_one_that_waits(codes: OneTimeCodes) -> None:
    first, second = codes.give(ASKED), codes.give(replace(ASKED, scope="global"))
    assert first is not None
    assert second is not None
    assert "not the code" in str(codes.take(42, 42, "/reduce", first))
    confirmed = codes.take(42, 42, "/reduce", second)
    assert isinstance(confirmed, Asked)
    assert confirmed.scope == "global"


def test_what_is_drawn_looks_like_a_code_and_differs() -> None:
    codes = OneTimeCodes(Watch())
    drawn = {codes.give(replace(ASKED, user_id=number)) for number in range(50)}
    assert len(drawn) > 40
    assert all(code is not None and is_code(code) for code in drawn)


@pytest.mark.parametrize("word", ["12345", "1234567", "12345a", "\u0661" * 6, ""])
def test_other_words_are_no_codes(word: str) -> None:
    assert not is_code(word)
